"""Looking back at a message: whether anything of it was sent at all."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from message_contacts.changes import Cause, Change, Decision, Enqueue, Insert, Job, Settler
from message_contacts.clock import HOUR, Clock, Instant
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.messages import (
    WAITING,
    DeliveryState,
    Incident,
    IncidentKind,
    Message,
    MessageState,
)
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.tally import Happening, Tally
from message_contacts.ids import Ids

log = structlog.get_logger()

#: Kind of the job that looks back.
REVIEW_MESSAGE = "review-message"


def review_job(message: Message, ids: Ids, due_at: Instant, now: Instant) -> Job:
    """The job that looks whether anything of a message was sent."""
    return Job(
        job_id=ids.job(now),
        account_id=message.account_id,
        kind=REVIEW_MESSAGE,
        channel="internal",
        payload={"message_id": message.message_id},
        due_at=due_at,
        created_at=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReview:
    """Does jobs of kind `review-message`: while anything waits it looks again, each time twice as long after.

    It looks once an hour at least.

    A message of which every delivery failed or expired has reached nobody: that is an incident.
    """

    messages: MessageStore
    settler: Settler
    clock: Clock
    ids: Ids
    tally: Tally

    async def __call__(self, job: Job) -> Outcome:
        """Look once."""
        ended = await self.settler.settle(
            lambda: self._look(job), lambda found: found, cause=Cause(operation=f"worker:{job.kind}")
        )
        if ended == IncidentKind.NOTHING_SENT:
            self.tally.add(Happening.INCIDENT_OPENED)
            log.error(
                Happening.INCIDENT_OPENED.value,
                account_id=job.account_id,
                message_id=job.payload["message_id"],
                kind=ended,
            )
        return Outcome(Verdict.ACCEPTED, ended)

    async def _look(self, job: Job) -> Decision[str]:
        account_id, message_id, now = job.account_id, str(job.payload["message_id"]), self.clock.now()
        message = await self.messages.message(account_id, message_id)
        if message is None or message.state is MessageState.CANCELLED:
            return Decision((), "not-wanted")
        for state in (DeliveryState.SENT, DeliveryState.DELIVERED):
            if await self.messages.has_any(account_id, message_id, state):
                return Decision((), "sent")
        for state in WAITING:
            if await self.messages.has_any(account_id, message_id, state):
                wait = min(2 * (job.due_at - job.created_at), HOUR)
                return Decision((Enqueue(review_job(message, self.ids, Instant(now + wait), now)),), "still-waiting")
        if await self.messages.incident_of(account_id, message_id, IncidentKind.NOTHING_SENT) is not None:
            return Decision((), "known-already")
        incident = Incident(
            account_id=account_id,
            incident_id=self.ids.incident(now),
            message_id=message_id,
            kind=IncidentKind.NOTHING_SENT,
            members=0,
            member_ids=(),
            opened_at=now,
        )
        changes: tuple[Change, ...] = (Insert(incident),)
        return Decision(changes, IncidentKind.NOTHING_SENT)
