"""What follows from mail that comes back: the delivery says so, and after enough of it nothing more is sent there.

Only what is tied to a delivery by a signed return path counts; everything else changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from message_contacts.changes import Cause, Change, Decision, Delete, Enqueue, Insert, Job, Settler, Update
from message_contacts.clock import DAY, Clock, Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.messages import DELIVER, WAITING, Delivery, DeliveryState, Message, Try, job_id
from message_contacts.delivery.outbox import messages_queue
from message_contacts.delivery.outcome import COMPLAINED, Outcome, Verdict
from message_contacts.delivery.reports import Finding, Weight, finding, read_report, weigh
from message_contacts.delivery.return_path import ReturnPaths
from message_contacts.delivery.review import review_job
from message_contacts.delivery.standing import (
    Sign,
    Source,
    StandingRules,
    Suspension,
    SuspensionReason,
)
from message_contacts.delivery.standing_store import StandingStore
from message_contacts.delivery.tally import Happening, Tally
from message_contacts.errors import ErrorDefinition
from message_contacts.ids import Ids

log = structlog.get_logger()

NO_SUSPENSION = ErrorDefinition(404, "EntityNotExists.Suspension", "This address is not suspended.")

#: Signs that are kept of an address.
SIGNS_KEPT = 5
#: A row of bounces is broken when nothing came back for so long.
ROW_BROKEN_AFTER = 30 * DAY
_COUNTED = (Weight.HARD, Weight.SOFT, Weight.COMPLAINT)
_CAME_BACK = (Weight.HARD, Weight.SOFT, Weight.REFUSED)


class Taken(StrEnum):
    """What became of a mail that was handed in as a report."""

    #: It is no report.
    NOT_A_REPORT = "not-a-report"
    #: It is tied to no delivery of ours.
    NOT_OURS = "not-ours"
    #: The mail it is about is not recorded as sent yet: to be handed in again.
    TOO_EARLY = "too-early"
    #: It was known, or says nothing that matters.
    NOTHING_NEW = "nothing-new"
    #: It was recorded.
    RECORDED = "recorded"
    #: It was recorded, and the address is suspended from now on.
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule has to know about a sign."""

    delivery: Delivery
    suspension: Suspension | None


def signed(case: Case, sign: Sign, rules: StandingRules) -> Decision[Taken]:
    """Count a sign about the address of a delivery, and suspend it when that is enough.

    The same sign again counts nothing.
    """
    before, delivery = case.suspension, case.delivery
    if before is not None and any(_is_same(known, sign) for known in before.signs):
        return Decision((), Taken.NOTHING_NEW)
    in_a_row = 0
    if before is not None and sign.at - before.bounced_at < ROW_BROKEN_AFTER:
        in_a_row = before.soft_bounces
    soft_bounces = in_a_row + (sign.weight == Weight.SOFT)
    reason = None if before is None else before.reason
    stronger = _reason(sign, soft_bounces, rules)
    # A complaint is the weakest: it still lets security messages through.
    if stronger is not None and reason in (None, SuspensionReason.COMPLAINT):
        reason = stronger
    suspended_now = reason is not None and (before is None or before.reason is not reason)
    after = Suspension(
        account_id=delivery.account_id,
        channel=delivery.channel,
        address_key=delivery.address_key,
        address=delivery.address,
        reason=reason,
        suspended_at=sign.at if suspended_now else (before.suspended_at if before is not None else None),
        soft_bounces=soft_bounces,
        bounced_at=sign.at,
        signs=((*before.signs, sign) if before is not None else (sign,))[-SIGNS_KEPT:],
        version=1 if before is None else before.version,
    )
    change: Change = Insert(after) if before is None else Update(before, after)
    return Decision((change,), Taken.SUSPENDED if suspended_now else Taken.RECORDED)


def came_back(delivery: Delivery, found: Finding, now: Instant) -> Delivery | None:
    """What a delivery that was sent has become by a report; None when it stays as it is."""
    if found.weight is Weight.DELIVERED and delivery.state is DeliveryState.SENT:
        state, reason = DeliveryState.DELIVERED, ""
    elif found.weight in _CAME_BACK and delivery.state in (DeliveryState.SENT, DeliveryState.DELIVERED):
        state, reason = DeliveryState.FAILED, found.word
    else:
        return None
    return replace(
        delivery,
        state=state,
        reason=reason,
        reply=found.word,
        updated_at=now,
        tries=(*delivery.tries, Try(now, state, found.word)),
    )


def was_told(delivery: Delivery, found: Finding) -> bool:
    """Whether the delivery failed for just that already: it was counted then, even if what was counted is gone."""
    return (
        found.weight in _CAME_BACK
        and delivery.state is DeliveryState.FAILED
        and any((each.state, each.reply) == (DeliveryState.FAILED, found.word) for each in delivery.tries)
    )


def lift(suspension: Suspension | None) -> Decision[None]:
    """Send to an address again, and begin to count anew. Raises: NO_SUSPENSION when it is not suspended."""
    if suspension is None or suspension.reason is None:
        raise NO_SUSPENSION()
    return Decision((Delete(suspension),), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounces:
    """Takes signs about addresses: reports that come by mail, and refusals of the channel itself."""

    standing: StandingStore
    messages: MessageStore
    settler: Settler
    clock: Clock
    ids: Ids
    tally: Tally
    rules: StandingRules
    #: Channels of which everything lands in the inbox.
    captured: frozenset[Channel]
    #: None when mail comes back to the sender's own mailbox, which nobody reads here.
    return_paths: ReturnPaths | None = None

    def return_path(self, delivery: Delivery) -> str | None:
        """The address to which a delivery's mail comes back; None: to the sender."""
        if self.return_paths is None or delivery.channel is not Channel.EMAIL:
            return None
        return self.return_paths.address(delivery.account_id, delivery.delivery_id)

    async def take(self, content: bytes, recipients: Sequence[str]) -> Taken:
        """Record what a mail reports.

        Args:
            content: The mail as it came.
            recipients: The addresses it was sent to; one of them says, signed, which delivery it is about, or else an
                address in the mail that was sent back does.
        """
        report = read_report(content)
        if report is None:
            return Taken.NOT_A_REPORT
        about = self._about((*recipients, *report.return_paths))
        delivery = None if about is None else await self.messages.delivery(*about)
        if delivery is None:
            log.info("bounce_not_ours")
            return Taken.NOT_OURS
        found = finding(report, delivery.address_key)
        if delivery.state in WAITING and found.weight is not Weight.NOTHING:
            # It can come back before it is recorded as sent, or while a try is repeated that had got through.
            return Taken.TOO_EARLY
        source = Source.FEEDBACK if report.feedback else Source.REPORT
        taken = await self._record(delivery.account_id, delivery.delivery_id, source, found)
        log.info(
            "bounce_taken",
            account_id=delivery.account_id,
            delivery_id=delivery.delivery_id,
            weight=found.weight.value,
            word=found.word,
            result=taken.value,
        )
        return taken

    async def answered(self, delivery: Delivery, outcome: Outcome) -> None:
        """Take a channel's answer to a delivery as a sign, if it says something of the address.

        Only a status code counts: a server of our own that is set up wrongly refuses everybody, in prose.
        """
        found = None
        if outcome.reason == COMPLAINED:
            found = Finding(Weight.COMPLAINT, "feedback-abuse")
        elif delivery.channel is Channel.EMAIL and outcome.verdict is Verdict.NEVER and outcome.status:
            found = Finding(*weigh(outcome.status), outcome.status)
        if found is not None and found.weight in _COUNTED:
            source = Source.FEEDBACK if outcome.reason == COMPLAINED else Source.SMTP
            await self._record(delivery.account_id, delivery.delivery_id, source, found)

    def _about(self, addresses: Sequence[str]) -> tuple[str, str] | None:
        if self.return_paths is None:
            return None
        read = (self.return_paths.read(address) for address in addresses)
        return next((about for about in read if about is not None), None)

    async def _record(self, account_id: str, delivery_id: str, source: Source, found: Finding) -> Taken:
        taken, state = await self.settler.settle(
            lambda: self._decision(account_id, delivery_id, source, found),
            lambda decision: decision,
            cause=Cause(operation="worker:take-report"),
        )
        if state is not None:
            self.tally.became(Channel.EMAIL, state)
        if taken is Taken.SUSPENDED:
            self.tally.add(Happening.ADDRESS_SUSPENDED)
            log.warning(
                Happening.ADDRESS_SUSPENDED.value, account_id=account_id, delivery_id=delivery_id, reason=found.word
            )
        return taken

    async def _decision(
        self, account_id: str, delivery_id: str, source: Source, found: Finding
    ) -> Decision[tuple[Taken, DeliveryState | None]]:
        """What a finding changes, from what is read now; and what the delivery has become, if it has."""
        delivery = await self.messages.delivery(account_id, delivery_id)
        if delivery is None or not delivery.address:  # whoever it was for was erased
            return Decision((), (Taken.NOT_OURS, None))
        now = self.clock.now()
        changes: tuple[Change, ...] = ()
        taken = Taken.NOTHING_NEW
        after = came_back(delivery, found, now)
        if after is not None:
            changes, taken = (Update(delivery, after),), Taken.RECORDED
            message = await self.messages.message(account_id, delivery.message_id)
            if after.state is DeliveryState.FAILED and message is not None:
                changes += (self._look_again(message, after, now), Enqueue(self._to_replay(after, now), given_up=True))
        if found.weight in _COUNTED and not (after is None and was_told(delivery, found)):
            suspension = await self.standing.suspension(account_id, delivery.channel, delivery.address_key)
            sign = Sign(now, source, delivery_id, found.weight.value, found.word, found.status, found.told)
            counted = signed(Case(delivery=delivery, suspension=suspension), sign, self.rules)
            if after is None and counted.changes:
                # The delivery moves: nothing is kept of an address that is erased meanwhile, and an erasure that is
                # under way is decided again, with the sign in sight.
                changes += (Update(delivery, delivery),)
            changes += counted.changes
            taken = taken if counted.result is Taken.NOTHING_NEW else counted.result
        return Decision(changes, (taken, None if after is None else after.state))

    def _to_replay(self, failed: Delivery, now: Instant) -> Job:
        """What sends a delivery that came back anew, when the operator asks for it; its first job is done and gone."""
        return Job(
            job_id=job_id(failed.delivery_id),
            account_id=failed.account_id,
            kind=DELIVER,
            channel=messages_queue(failed.channel),
            payload={"delivery_id": failed.delivery_id, "captured": int(failed.channel in self.captured)},
            due_at=now,
            created_at=failed.created_at,
            attempts=failed.attempts,
            last_failure=failed.reply,
        )

    def _look_again(self, message: Message, delivery: Delivery, now: Instant) -> Enqueue:
        """Whether somebody else got the message for those whom the delivery was for."""
        return Enqueue(review_job(message, self.ids, now, now, {"delivery_id": delivery.delivery_id}))


def _is_same(known: Sign, sign: Sign) -> bool:
    return (known.delivery_id, known.weight) == (sign.delivery_id, sign.weight)


def _reason(sign: Sign, soft_bounces: int, rules: StandingRules) -> SuspensionReason | None:
    if sign.weight == Weight.HARD:
        return SuspensionReason.HARD_BOUNCE
    if sign.weight == Weight.COMPLAINT:
        return SuspensionReason.COMPLAINT
    return SuspensionReason.SOFT_BOUNCES if soft_bounces >= rules.soft_bounces else None
