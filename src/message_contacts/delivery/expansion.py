"""Working out who gets a message: behind the answer, a bounded step at a time, safe to repeat.

`delivery.recipient_search` finds them. Nothing is sent before all of it is known, so that each address gets one copy
with every reason in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog

from message_contacts.changes import Cause, Decision, Enqueue, Job, Settler, Update
from message_contacts.clock import Clock, Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.batch import AT_ONCE, Batch
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.messages import (
    CANCELLED,
    DeliveryState,
    Message,
    MessageState,
    Stage,
)
from message_contacts.delivery.outbox import delivery_job
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.recipient_search import RecipientSearch
from message_contacts.delivery.review import REVIEWED_AFTER, review_job
from message_contacts.delivery.rules import Circumstances
from message_contacts.delivery.tally import Happening, Tally
from message_contacts.ids import Ids

log = structlog.get_logger()

T = TypeVar("T")
#: Deliveries that are withdrawn in one commit: few, since workers change the same rows.
_WITHDRAWN_AT_ONCE = 100

#: What rules have to know of a tenant beside the candidates themselves.
Conditions = Callable[[str], Awaitable[Circumstances]]


@dataclass(frozen=True, slots=True)
class _Step:
    """What a step came to."""

    reason: str
    happenings: tuple[Happening, ...] = ()
    #: Addresses that do not get it, by channel and word.
    skipped: Mapping[tuple[Channel, str], int] = field(default_factory=dict)
    #: The message, with the step after which nothing is left to do for it.
    ended: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageExpansion:
    """Does jobs of kind `expand-message`."""

    messages: MessageStore
    search: RecipientSearch
    settler: Settler
    conditions: Conditions
    clock: Clock
    ids: Ids
    tally: Tally
    #: Channels whose messages are captured now.
    captured: frozenset[Channel]

    async def __call__(self, job: Job) -> Outcome:
        """Do the step that the job names; one that was done already is left alone."""
        message_id, step = str(job.payload["message_id"]), int(job.payload["step"])
        ended = await self.settler.settle(
            lambda: self._step(job.account_id, message_id, step),
            lambda found: found,
            cause=Cause(operation=f"worker:{job.kind}"),
        )
        for (channel, word), times in ended.skipped.items():
            self.tally.skipped(channel, word, times)
        if ended.ended is not None:
            self.tally.worked_out(ended.ended)
        for happening in ended.happenings:
            self.tally.add(happening)
            # The operator has to look: somebody who should have heard of this did not, or only by a way round.
            say = log.warning if happening is Happening.NOBODY_SUBSCRIBED else log.error
            say(happening.value, account_id=job.account_id, message_id=message_id)
        return Outcome(Verdict.ACCEPTED, ended.reason)

    async def _step(self, account_id: str, message_id: str, step: int) -> Decision[_Step]:
        """Read what the step needs, and what it comes to."""
        message = await self.messages.message(account_id, message_id)
        progress = await self.messages.progress(account_id, message_id)
        if message is None or progress is None or progress.step != step:
            return Decision((), _Step("done-already"))
        finds = progress.stage not in (Stage.WITHDRAW, Stage.RELEASE)
        # All that was said of the tenant's addresses: read only where somebody is found.
        circumstances = await self.conditions(account_id) if finds else Circumstances()
        batch = Batch(message=message, before=progress, circumstances=circumstances, now=self.clock.now())
        if batch.stage is Stage.WITHDRAW:
            await self._withdraw(batch)
        elif batch.stage is Stage.RELEASE:
            await self._release(batch)
        else:
            await self.search.find(batch)
        ended = message if batch.finished and batch.stage is Stage.RELEASE else None
        step_done = _Step(batch.stage.value, tuple(batch.happenings), batch.skipped, ended)
        return Decision(batch.all_changes(self.ids), step_done)

    async def _release(self, batch: Batch) -> None:
        """Let deliveries go, and with the last of them the message."""
        message = batch.message
        behind = batch.after[0] if batch.after else None
        found = await self.messages.pending(message.account_id, message.message_id, after=behind, limit=AT_ONCE)
        batch.changes += [
            Enqueue(
                delivery_job(message.account_id, delivery_id, channel, batch.now, captured=channel in self.captured)
            )
            for delivery_id, channel in found
        ]
        if len(found) == AT_ONCE:
            batch.after = (found[-1][0],)
            return
        batch.finished = True
        batch.changes.append(Update(message, replace(message, state=MessageState.PUBLISHED)))
        if batch.reaches_somebody:
            batch.changes.append(Enqueue(review_job(message, self.ids, Instant(batch.now + REVIEWED_AFTER), batch.now)))

    async def _withdraw(self, batch: Batch) -> None:
        """Let deliveries that wait expire. Their jobs find that out by themselves."""
        for state in (DeliveryState.PENDING, DeliveryState.DEFERRED):
            found = await self.messages.delivery_page(
                batch.message.account_id,
                message_id=batch.message.message_id,
                state=state,
                address=None,
                after=None,
                limit=_WITHDRAWN_AT_ONCE,
            )
            batch.changes += [
                Update(
                    delivery,
                    replace(delivery, state=DeliveryState.EXPIRED, reason=CANCELLED, updated_at=batch.now),
                )
                for delivery in found
            ]
            if found:
                return
        batch.finished = True
