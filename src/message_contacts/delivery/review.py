"""Looking back at a message: whether somebody got it for everybody it was about.

What was to be sent and was not - refused, too late, not wanted any more, beyond the day's text messages - can leave
members for whom nobody got it. Then it goes to the tenant's fallback address, and where that did not help, there is an
incident that names them. Webhooks are nobody in particular.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from message_contacts.changes import Cause, Change, Decision, Enqueue, Insert, Job, Settler, Update
from message_contacts.clock import HOUR, MINUTE, Clock, Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.fallback import is_usable
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.messages import (
    MEMBERS_NAMED,
    WAITING,
    Delivery,
    DeliveryState,
    FallbackAddress,
    Incident,
    IncidentKind,
    Message,
    MessageState,
    Named,
    Route,
    delivery_id,
)
from message_contacts.delivery.missed import FEW_OBJECTS, TAKEN_OVER, MissedSearch, Walk
from message_contacts.delivery.outbox import delivery_job
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.rules import Circumstances
from message_contacts.delivery.tally import Happening, Tally
from message_contacts.ids import Ids

log = structlog.get_logger()

#: Kind of the job that looks back.
REVIEW_MESSAGE = "review-message"
#: After how long it is looked whether everybody was reached.
REVIEWED_AFTER = MINUTE


def review_job(
    message: Message, ids: Ids, due_at: Instant, now: Instant, about: Mapping[str, str | int] | None = None
) -> Job:
    """The job that looks whether a message reached everybody.

    Args:
        about: `delivery_id`: only the members that this delivery was for; and how far the look has come.
    """
    return Job(
        job_id=ids.job(now),
        account_id=message.account_id,
        kind=REVIEW_MESSAGE,
        channel="internal",
        payload={"message_id": message.message_id, **(about or {})},
        due_at=due_at,
        created_at=now,
    )


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a look came to."""

    reason: str
    happening: Happening | None = None
    members: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """What is known of a message that did not reach everybody."""

    message: Message
    walk: Walk
    #: Whether anything of it was sent at all.
    any_sent: bool
    fallback: FallbackAddress | None
    #: What the fallback address had of it.
    to_fallback: Delivery | None
    now: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReview:
    """Does jobs of kind `review-message`: while anything waits it looks again, each time twice as long after.

    It looks once an hour at least. Then it goes through the members in steps of about two thousand.
    """

    messages: MessageStore
    search: MissedSearch
    settler: Settler
    #: What rules have to know of a tenant.
    conditions: Callable[[str], Awaitable[Circumstances]]
    clock: Clock
    ids: Ids
    tally: Tally
    #: Channels whose messages are captured now.
    captured: frozenset[Channel]

    async def __call__(self, job: Job) -> Outcome:
        """Look once."""
        ended = await self.settler.settle(
            lambda: self._look(job), lambda found: found, cause=Cause(operation=f"worker:{job.kind}")
        )
        if ended.happening is not None:
            self.tally.add(ended.happening)
            log.error(
                ended.happening.value,
                account_id=job.account_id,
                message_id=job.payload["message_id"],
                kind=ended.reason,
                members=ended.members,
            )
        return Outcome(Verdict.ACCEPTED, ended.reason)

    async def _look(self, job: Job) -> Decision[_Looked]:
        account_id, message_id, now = job.account_id, str(job.payload["message_id"]), self.clock.now()
        message = await self.messages.message(account_id, message_id)
        if message is None or message.state is MessageState.CANCELLED:
            return _nothing("not-wanted")
        if await self._any(message, WAITING):
            wait = min(max(2 * (job.due_at - job.created_at), REVIEWED_AFTER), HOUR)
            again = review_job(message, self.ids, Instant(now + wait), now, _about(job))
            return Decision((Enqueue(again),), _Looked("still-waiting"))
        lost, any_sent = await self._lost(message, job), await self._any(message, TAKEN_OVER)
        if any_sent and not lost:
            return _nothing("sent")
        fallback = await self.messages.fallback(account_id)
        to_fallback = await self._at_fallback(message, fallback)
        if to_fallback is not None and to_fallback.state in TAKEN_OVER and _is_as_fallback(to_fallback):
            return _nothing("fallback-has-it")
        walk = Walk.from_payload(job.payload)
        await self.search.look(message, lost, walk)
        if not walk.finished:
            following = review_job(message, self.ids, now, now, {**_about(job), **walk.payload()})
            return Decision((Enqueue(following),), _Looked("goes-on"))
        if any_sent and not walk.members and not any(_is_as_fallback(each) for each in lost):
            return _nothing("reached")
        return await self._left(
            _Left(
                message=message, walk=walk, any_sent=any_sent, fallback=fallback, to_fallback=to_fallback, now=now
            )
        )  # fmt: skip

    async def _any(self, message: Message, states: Sequence[DeliveryState]) -> bool:
        for state in states:
            if await self.messages.has_any(message.account_id, message.message_id, state):
                return True
        return False

    async def _lost(self, message: Message, job: Job) -> Sequence[Delivery]:
        """The deliveries to look at: all that did not succeed, or the one that the job is about."""
        about = job.payload.get("delivery_id")
        if about is None:
            # One more than are looked at one by one says that there are too many.
            return await self.messages.lost(message.account_id, message.message_id, limit=FEW_OBJECTS + 1)
        delivery = await self.messages.delivery(message.account_id, str(about))
        return [] if delivery is None or delivery.state in TAKEN_OVER else [delivery]

    async def _at_fallback(self, message: Message, fallback: FallbackAddress | None) -> Delivery | None:
        if fallback is None or not fallback.address:
            return None
        place = Channel.EMAIL, fallback.address.lower()
        return (await self.messages.deliveries_at(message.account_id, message.message_id, [place])).get(place)

    async def _left(self, left: _Left) -> Decision[_Looked]:
        """The fallback address, if it did not have the message yet, or else an incident."""
        message, fallback = left.message, left.fallback
        too_late = message.expires_at is not None and left.now >= message.expires_at
        if fallback is not None and left.to_fallback is None and not too_late:
            circumstances = await self.conditions(message.account_id)
            captured_counts = Channel.EMAIL in self.captured
            if is_usable(fallback, message.message_type, circumstances, captured_counts=captured_counts):
                changes = await self._to_fallback(message, fallback, left.now)
                return Decision(changes, _Looked("to-fallback", Happening.FALLBACK_USED, left.walk.members))
        kind = IncidentKind.MEMBERS_MISSED if left.any_sent else IncidentKind.NOTHING_SENT
        known = await self.messages.incident_of(message.account_id, message.message_id, kind)
        if known is None:
            incident = Incident(
                account_id=message.account_id,
                incident_id=self.ids.incident(left.now),
                message_id=message.message_id,
                kind=kind,
                members=left.walk.members,
                member_ids=tuple(left.walk.member_ids),
                opened_at=left.now,
            )
            opened = _Looked(kind, Happening.INCIDENT_OPENED, incident.members)
            return Decision((Insert(incident),), opened)
        grown = _with_more(known, left.walk)
        if grown is None:
            return _nothing("known-already")
        reopened = Happening.INCIDENT_OPENED if known.closed_at is not None else None
        return Decision((Update(known, grown),), _Looked(kind, reopened, grown.members))

    async def _to_fallback(self, message: Message, fallback: FallbackAddress, now: Instant) -> tuple[Change, ...]:
        last = await self.messages.delivery_page(
            message.account_id,
            message_id=message.message_id,
            state=None,
            address=None,
            after=None,
            limit=1,
            newest_first=True,
        )
        number = int(last[0].delivery_id[-6:], 16) + 1 if last else 1
        delivery = Delivery(
            account_id=message.account_id,
            delivery_id=delivery_id(message.message_id, number),
            message_id=message.message_id,
            channel=Channel.EMAIL,
            address=fallback.address,
            address_key=fallback.address.lower(),
            state=DeliveryState.PENDING,
            route=Route.FALLBACK,
            reason="",
            contacts=(Named("", None, "", None, "", "", Route.FALLBACK),),
            contact_count=1,
            created_at=now,
            updated_at=now,
        )
        captured = Channel.EMAIL in self.captured
        return (
            # So that of two looks at the same time one has to look again: there is one delivery to the address.
            Update(message, message),
            Insert(delivery),
            Enqueue(delivery_job(delivery.account_id, delivery.delivery_id, Channel.EMAIL, now, captured=captured)),
            Enqueue(review_job(message, self.ids, Instant(now + REVIEWED_AFTER), now)),
        )


def _nothing(reason: str) -> Decision[_Looked]:
    return Decision((), _Looked(reason))


def _about(job: Job) -> dict[str, str | int]:
    """What the job is about, how far it has come aside."""
    return {name: value for name, value in job.payload.items() if name == "delivery_id"}


def _is_as_fallback(delivery: Delivery) -> bool:
    """Whether it went to its address as the fallback address, and not only as a contact's."""
    return any(each.word == Route.FALLBACK for each in delivery.contacts)


def _with_more(incident: Incident, walk: Walk) -> Incident | None:
    """An incident with what was found since, open again if it was closed; None when that was known.

    Of more than a hundred, only the first are told apart: a member can be counted twice when two of its mails come
    back at different times.
    """
    new = [member_id for member_id in walk.member_ids if member_id not in incident.member_ids]
    members = max(walk.members, incident.members + len(new))
    if members == incident.members:
        return None
    return replace(
        incident,
        members=members,
        member_ids=(*incident.member_ids, *new)[:MEMBERS_NAMED],
        closed_at=None,
        closed_by="",
    )
