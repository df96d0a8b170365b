"""Letting go what waits for quiet hours that somebody has ended, made shorter, or moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from message_contacts.changes import Cause, Change, Decision, DueNow, Enqueue, Job, Settler
from message_contacts.clock import MINUTE, Clock, Instant
from message_contacts.contacts.store import ContactStore
from message_contacts.delivery.candidates import Candidate, contact_candidates, copy_candidates
from message_contacts.delivery.ground import RoutingStore
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.messages import DeliveryState, job_id
from message_contacts.delivery.outbox import messages_queue
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.rules import Word
from message_contacts.delivery.standing import Place
from message_contacts.ids import Ids

#: Kind of the job that lets them go.
RELEASE_QUIET = "release-quiet"
#: Deliveries looked at in one commit: few, since workers change the same jobs.
_AT_ONCE = 100
#: Looks at all of them: a worker that had read the quiet hours before they changed may put one off after the first.
_LOOKS = 2


def release_job(account_id: str, contact_id: str, ids: Ids, now: Instant) -> Job:
    """The job that lets go what waits at the addresses of a contact."""
    return _job(account_id, {"contact_id": contact_id, "look": 1, "place": 0, "after": ""}, ids, now, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietRelease:
    """Does jobs of kind `release-quiet`, a bounded step at a time.

    What waits is only made due: sending asks the rules again, and puts off what waits for others' quiet hours.
    """

    messages: MessageStore
    contacts: ContactStore
    routing: RoutingStore
    settler: Settler
    clock: Clock
    ids: Ids

    async def __call__(self, job: Job) -> Outcome:
        """Do one step."""
        reason = await self.settler.settle(
            lambda: self._step(job), lambda found: found, cause=Cause(operation=f"worker:{job.kind}")
        )
        return Outcome(Verdict.ACCEPTED, reason)

    async def _step(self, job: Job) -> Decision[str]:
        account_id, contact_id, now = job.account_id, str(job.payload["contact_id"]), self.clock.now()
        places = await self._places(account_id, contact_id)
        look, place, after = int(job.payload["look"]), int(job.payload["place"]), str(job.payload["after"])
        changes: list[Change] = []
        for position in range(place, len(places)):
            waiting = await self.messages.delivery_page(
                account_id,
                message_id=None,
                state=DeliveryState.DEFERRED,
                address=places[position],
                after=after or None,
                limit=_AT_ONCE,
            )
            changes += [
                DueNow(account_id, job_id(each.delivery_id), messages_queue(each.channel), now)
                for each in waiting
                if each.reply == Word.QUIET_HOURS
            ]
            after = ""
            if len(waiting) == _AT_ONCE:
                rest: dict[str, str | int] = {
                    "contact_id": contact_id,
                    "look": look,
                    "place": position,
                    "after": waiting[-1].delivery_id,
                }
                return Decision((*changes, Enqueue(_job(account_id, rest, self.ids, now, now))), "released-in-part")
        if places and look < _LOOKS:
            again: dict[str, str | int] = {"contact_id": contact_id, "look": look + 1, "place": 0, "after": ""}
            changes.append(Enqueue(_job(account_id, again, self.ids, Instant(now + MINUTE), now)))
        return Decision(tuple(changes), "released")

    async def _places(self, account_id: str, contact_id: str) -> Sequence[Place]:
        """Where the contact is reached, itself or as a copy."""
        contact = await self.contacts.contact(account_id, contact_id)
        candidates = [] if contact is None else contact_candidates(contact, ())
        for copy in await self.routing.copies_of(account_id, contact_id):
            candidates += copy_candidates(copy, ())
        return sorted(set(_shown(candidates)))


def _shown(candidates: Sequence[Candidate]) -> Iterator[Place]:
    return ((each.channel, each.address.key) for each in candidates if each.address is not None)


def _job(account_id: str, payload: dict[str, str | int], ids: Ids, due_at: Instant, now: Instant) -> Job:
    return Job(
        job_id=ids.job(now),
        account_id=account_id,
        kind=RELEASE_QUIET,
        channel="internal",
        payload=payload,
        due_at=due_at,
        created_at=now,
    )
