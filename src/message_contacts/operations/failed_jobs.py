"""Waiting work that was given up. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.changes import Decision, Job, Requeue
from message_contacts.delivery.outbox import channel_of_queue
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call
from message_contacts.operations.dates import utc_time
from message_contacts.operations.own_parameters import (
    DATE,
    SOURCE,
    VERSIONS,
    list_errors,
    missing_parameter,
    needed_text,
    page,
)
from message_contacts.operations.registry import Access, Field, Items, Operation, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS

NO_FAILED_JOB = ErrorDefinition(404, "EntityNotExists.FailedJob", "This failed job does not exist.")


@operation(
    "ListFailedJobs",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists the work that was given up: a verification or message that could not be sent, a contact not withdrawn.",
    source=SOURCE,
    parameters=[MAX_RESULTS, NEXT_TOKEN],
    raises=list_errors(),
    returns={
        **TOKEN_FIELDS,
        "FailedJobs": Items(
            {
                "JobId": Field("string", "The job.", "j-019aa8a5598094250d04b0b8"),
                "Kind": Field("string", "What it does.", "send-verification"),
                "Channel": Field("string", "email, sms, webhook or internal.", "email"),
                "Attempts": Field("integer", "Tries made.", 12),
                "Reason": Field("string", "Why the last try failed.", "mailbox-unknown"),
                "CreateTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
                "VerificationId": Field("string", "The verification it was to send, if it was.", "3zzbpbhjfx"),
                "ContactId": Field("string", "The contact it was to withdraw, if it was.", "c-qL4HqKONzOM7****"),
                "DeliveryId": Field(
                    "string", "The delivery it was to send, if it was.", "d-019aa8a5598094250d04b0b8000001"
                ),
            }
        ),
    },
    resources=["job/*"],
    needs_directory=False,
)
async def list_failed_jobs(call: Call, *, max_results: int, next_token: str | None) -> Mapping[str, Any]:
    found = await call.services.outbox.dead_jobs(call.account_id, after=next_token, limit=max_results + 1)
    return page(
        "FailedJobs",
        [
            {
                "JobId": job.job_id,
                "Kind": job.kind,
                "Channel": channel_of_queue(job.channel),
                "Attempts": job.attempts,
                "Reason": job.last_failure,
                "CreateTime": utc_time(job.created_at),
                **({"VerificationId": job.payload["verification_id"]} if "verification_id" in job.payload else {}),
                **({"ContactId": job.payload["contact_id"]} if "contact_id" in job.payload else {}),
                **({"DeliveryId": job.payload["delivery_id"]} if "delivery_id" in job.payload else {}),
            }
            for job in found
        ],
        max_results,
        "JobId",
    )


@operation(
    "RetryFailedJob",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Makes work that was given up wait again, as if it were new.",
    source=SOURCE,
    parameters=[needed_text("JobId", "The job.", "j-019aa8a5598094250d04b0b8")],
    raises=[missing_parameter("JobId"), NO_FAILED_JOB],
    resources=["job/{JobId}"],
    needs_directory=False,
)
async def retry_failed_job(call: Call, *, job_id: str) -> Mapping[str, Any]:
    def decide(job: Job | None) -> Decision[None]:
        if job is None:
            raise NO_FAILED_JOB()
        return Decision((Requeue(job, call.now),), None)

    await call.change(lambda: call.services.outbox.dead_job(call.account_id, job_id), decide)
    return {}


OPERATIONS: tuple[Operation, ...] = (
    list_failed_jobs,
    retry_failed_job,
)
