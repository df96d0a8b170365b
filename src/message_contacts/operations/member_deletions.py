"""Members that are deleted: check, delete, and how it went. Declarations and thin handlers.

A Terraform run deletes the members it made, and asks until that has succeeded (docs/adr/0032). Nothing here takes time:
there are no cloud services whose resources would have to be looked at, and no silence period.

Source: the vendor's clients of 2022-04-19, 2.3.1 of 2026-02-04, and of 2020-03-31, 2.6.2; what the Terraform provider
of 2026-08-21 calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts import errors
from message_contacts.changes import Decision
from message_contacts.contacts import detachment
from message_contacts.contacts.detachment import Belongings
from message_contacts.directory import members
from message_contacts.operations.call import Call
from message_contacts.operations.dates import utc_time
from message_contacts.operations.directory_parameters import ACCOUNT_ID_PARAMETER, ACCOUNT_RESOURCE
from message_contacts.operations.registry import (
    RESOURCE_DIRECTORY_MASTER,
    RESOURCE_MANAGER,
    Access,
    Field,
    Items,
    Kind,
    Operation,
    Parameter,
    Shape,
    operation,
)
from message_contacts.webhooks.model import Webhook
from message_contacts.webhooks.rules import unbound

_BOTH = (RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER)
_NOT_FOUND = (
    errors.MISSING_PARAMETER_ACCOUNT_ID,
    errors.INVALID_PARAMETER_ACCOUNT_ID,
    errors.ENTITY_NOT_EXISTS_ACCOUNT,
    errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
)
#: Without a silence period, which the vendor calls 1.
_DIRECTLY = "0"
#: Why a cloud account stays, as an entry of the check's result. Assumption: its id and words are our own.
_CLOUD_ACCOUNT = {
    "CheckId": "CloudAccount",
    "CheckName": "Resource Directory",
    "Description": "The member is a cloud account. Make it a resource account, or take it out of the directory.",
}
_DELETION_TYPE = Field("string", "Always 0: at once, without a silence period.", "0")
_CHECK: Mapping[str, Shape] = {
    "CheckId": Field("string", "Check.", "CloudAccount"),
    "CheckName": Field("string", "What it is about.", "Resource Directory"),
    "Description": Field("string", "What it found.", "The member is a cloud account."),
}


@operation(
    "CheckAccountDelete",
    # Nothing changes, but the vendor's policies for readers do not name it: there it starts something.
    access=Access.WRITE,
    doc="Checks whether a member can be deleted. The result is there at once: GetAccountDeletionCheckResult.",
    source="API reference, CheckAccountDelete, 2025-12-15",
    parameters=[ACCOUNT_ID_PARAMETER.needed()],
    raises=_NOT_FOUND,
    resources=[ACCOUNT_RESOURCE],
    versions=_BOTH,
)
async def check_account_delete(call: Call, *, account_id: str) -> Mapping[str, Any]:
    members.existing(await call.services.directory.member(call.account_id, account_id))
    return {}


@operation(
    "GetAccountDeletionCheckResult",
    access=Access.READ,
    doc="Tells whether a member can be deleted, whether or not CheckAccountDelete was called before.",
    source="the vendor's Go client v2.3.1, GetAccountDeletionCheckResult, 2026-02-04",
    parameters=[ACCOUNT_ID_PARAMETER.needed()],
    raises=_NOT_FOUND,
    returns={
        "AccountDeletionCheckResultInfo": {
            "AllowDelete": Field("string", "true for a resource account, false for a cloud account.", "true"),
            "Status": Field("string", "Always PreCheckComplete.", "PreCheckComplete"),
            "AbandonableChecks": Items(_CHECK),
            "NotAllowReason": Items(_CHECK),
        }
    },
    resources=[ACCOUNT_RESOURCE],
    versions=_BOTH,
)
async def get_account_deletion_check_result(call: Call, *, account_id: str) -> Mapping[str, Any]:
    member = members.existing(await call.services.directory.member(call.account_id, account_id))
    allowed = members.can_be_deleted(member)
    return {
        "AccountDeletionCheckResultInfo": {
            "AllowDelete": "true" if allowed else "false",
            "Status": "PreCheckComplete",
            "AbandonableChecks": [],
            "NotAllowReason": [] if allowed else [_CLOUD_ACCOUNT],
        }
    }


@operation(
    "DeleteAccount",
    access=Access.WRITE,
    doc="Deletes a member of type resource account, for good: with it go the bindings of contacts and webhooks to it, "
    "and the copies of deleted contacts that nobody else keeps.",
    source="API reference, DeleteAccount, 2025-12-22",
    parameters=[
        ACCOUNT_ID_PARAMETER.needed(),
        Parameter(
            name="AbandonableCheckId",
            kind=Kind.TEXTS,
            parse=lambda texts, _rules: texts,
            doc="Checks to ignore. Accepted, and changes nothing: there are none that could be ignored.",
            example=["NON_SP_cs"],
        ),
    ],
    raises=[*_NOT_FOUND, errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH],
    returns={"DeletionType": _DELETION_TYPE},
    resources=[ACCOUNT_RESOURCE],
    versions=_BOTH,
)
async def delete_account(
    call: Call, *, account_id: str, abandonable_check_id: Sequence[str] | None
) -> Mapping[str, Any]:
    async def read() -> tuple[Belongings, Sequence[Webhook]]:
        bound = await call.services.webhooks.webhooks_bound_to(call.account_id, account_id)
        return await belongings_of(call, account_id), bound

    def decide(found: tuple[Belongings, Sequence[Webhook]]) -> Decision[None]:
        belongings, bound = found
        gone = detachment.delete_member(belongings, now=call.now)
        return Decision((*unbound(bound, account_id), *gone.changes), None)

    await call.change(read, decide)
    return {"DeletionType": _DIRECTLY}


async def belongings_of(call: Call, member_id: str) -> Belongings:
    """A member with what goes with it when it is deleted."""
    return Belongings(
        member=await call.services.directory.member(call.account_id, member_id),
        contacts=await call.services.contacts.contacts_bound_to(call.account_id, [member_id]),
        detached=await call.services.contacts.detached_contacts(call.account_id, [member_id]),
    )


@operation(
    "GetAccountDeletionStatus",
    access=Access.READ,
    doc="Tells when a member of the present directory was deleted.",
    source="the vendor's Go client v2.3.1, GetAccountDeletionStatus, 2026-02-04",
    parameters=[ACCOUNT_ID_PARAMETER.needed()],
    raises=_NOT_FOUND,
    returns={
        "RdAccountDeletionStatus": {
            "AccountId": Field("string", "Member.", "181761095690****"),
            "CreateTime": Field("string", "When the deletion began. ISO 8601, UTC.", "2026-08-21T07:30:01.000Z"),
            "DeletionTime": Field("string", "When it ended: at the same moment.", "2026-08-21T07:30:01.000Z"),
            "DeletionType": _DELETION_TYPE,
            "Status": Field("string", "Always Success.", "Success"),
            "FailReasonList": Items(
                {
                    "Name": Field("string", "Never there: a deletion succeeds or is refused.", ""),
                    "Description": Field("string", "Never there.", ""),
                }
            ),
        }
    },
    resources=[ACCOUNT_RESOURCE],
    versions=_BOTH,
)
async def get_account_deletion_status(call: Call, *, account_id: str) -> Mapping[str, Any]:
    deleted = await call.services.directory.deleted_member(call.account_id, account_id)
    if deleted is None:
        raise errors.ENTITY_NOT_EXISTS_ACCOUNT(member_id=account_id)
    moment = utc_time(deleted.deleted_at)
    return {
        "RdAccountDeletionStatus": {
            "AccountId": account_id,
            "CreateTime": moment,
            "DeletionTime": moment,
            "DeletionType": _DIRECTLY,
            "Status": "Success",
            "FailReasonList": [],
        }
    }


OPERATIONS: tuple[Operation, ...] = (
    check_account_delete,
    get_account_deletion_check_result,
    delete_account,
    get_account_deletion_status,
)
