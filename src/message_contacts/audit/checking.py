"""Going along a chain in parts: a bounded number of events at a time, so that a call can do it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import orjson

from message_contacts.audit.chain import event_line
from message_contacts.audit.model import NO_HASH, Chain, KeptEvent
from message_contacts.audit.store import AuditStore
from message_contacts.audit.verifying import BREAKS_TOLD, Head, Verdict, Verifier
from message_contacts.clock import Instant

#: Events and personal parts that one part looks at, at most; and how many of them at a time.
LOOKED_AT = 1_000
_AT_A_TIME = 250
#: The greatest and the least number that a column can hold.
_LAST_NUMBER = 2**63 - 1
_FIRST_NUMBER = -(2**63)
_HEXADECIMAL = re.compile("(?:[0-9a-f]{2})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a part ended."""

    #: The last event that was looked at.
    last: Head
    #: The end of the chain when the first part began: what is sealed later is left to the next time.
    end: Head
    #: Sequence of the last event that retention had taken away when the first part began.
    pruned: int
    #: Id of the last event looked at that is not sealed yet; empty: none was.
    unsealed: str = ""
    #: Person and event of the last personal part looked at; None: the events come first.
    part: tuple[str, str] | None = None

    @property
    def written(self) -> bytes:
        """As JSON, for `parse`: whatever somebody wrote into an id at the database."""
        last, end = self.last, self.end
        return orjson.dumps([last.sequence, last.hash, end.sequence, end.hash, self.pruned, self.unsealed, self.part])

    @classmethod
    def parse(cls, written: bytes) -> Self:
        """The place again. Raises: ValueError for what is none."""
        match orjson.loads(written):
            case [int(last), str(last_hash), int(end), str(end_hash), int(pruned), str(unsealed), part] if (
                _FIRST_NUMBER <= min(last, end, pruned) <= max(last, end, pruned) <= _LAST_NUMBER
                and _HEXADECIMAL.fullmatch(last_hash)
                and _HEXADECIMAL.fullmatch(end_hash)
            ):
                place = cls(last=Head(last, last_hash), end=Head(end, end_hash), pruned=pruned, unsealed=unsealed)
            case _:
                raise ValueError("not a place")
        match part:
            case None:
                return place
            case [str(person_id), str(event_id)]:
                return replace(place, part=(person_id, event_id))
            case _:
                raise ValueError("not a personal part")


@dataclass(frozen=True, slots=True)
class Part:
    """What was found in one part."""

    verdict: Verdict
    place: Place
    #: Whether the chain was gone along to its end, and then through all personal parts.
    is_last: bool


async def check(
    store: AuditStore,
    account_id: str,
    after: Place | None,
    noted: Iterable[Head],
    due_before: Instant | None = None,
    *,
    limit: int = LOOKED_AT,
) -> Part:
    """Go along the chain of an account, on from where an earlier part ended.

    Args:
        noted: Heads that were noted elsewhere, the same for every part: the chain must go through them.
        due_before: As for `Verifier`.
        limit: Events and personal parts to look at, at most.
    """
    chain = await store.chain(account_id) or Chain(account_id=account_id, sequence=0, hash=NO_HASH)
    start = Place(last=_beginning_of(chain), end=_end_of(chain), pruned=chain.pruned_sequence)
    if after is not None:
        start = after
        # What an earlier part went through is compared already.
        noted = [head for head in noted if head.sequence > after.last.sequence or head.sequence <= after.pruned]
    is_sealed_next = start.part is None and not start.unsealed
    verifier = Verifier(
        {
            "account_id": account_id,
            "sequence": start.end.sequence,
            "hash": start.end.hash,
            "pruned_sequence": start.last.sequence,
            "pruned_hash": start.last.hash,
        },
        noted,
        # Where a later part begins, it was not retention that took away what is before.
        due_before if is_sealed_next and start.last.sequence == start.pruned else None,
    )
    left, end = limit, start.end
    last_unsealed, last_part = start.unsealed, start.part
    if last_part is None:
        if is_sealed_next:
            end, left = await _sealed(store, verifier, end, left, due_before)
        if left:
            last_unsealed, left = await _unsealed(store, verifier, last_unsealed, left)
        if left:
            await _take(verifier, await store.events_outside(account_id, limit=BREAKS_TOLD))
            verifier.end()
    if left:
        last_part, left = await _personal(store, verifier, last_part or ("", ""), left)
    verdict = verifier.verdict
    verdict.pruned = start.pruned
    place = replace(start, last=verdict.head, end=end, unsealed=last_unsealed, part=last_part)
    # Behind what nobody can go behind, the next part would only be this one again.
    return Part(verdict, place, is_last=bool(left) or verifier.is_stuck)


def _beginning_of(chain: Chain) -> Head:
    return Head(chain.pruned_sequence, chain.pruned_hash.hex())


def _end_of(chain: Chain) -> Head:
    return Head(chain.sequence, chain.hash.hex())


async def _sealed(
    store: AuditStore, verifier: Verifier, end: Head, left: int, due_before: Instant | None
) -> tuple[Head, int]:
    """Look at sealed events up to the end of the chain, or to one that is further.

    Where retention has meanwhile taken away what was to come next, it goes on at the new beginning. If the end went
    too, the one that the chain has by now takes its place.

    Returns: The end, and how many more may be looked at; 0: there may be more.
    """
    account_id = verifier.verdict.account_id
    while left:
        asked = min(_AT_A_TIME, left)
        last = verifier.verdict.head.sequence
        chain, events = await store.sealed_events(account_id, after=last, until=end.sequence, limit=asked)
        if chain is not None and last < min(chain.pruned_sequence, end.sequence):
            end = end if end.sequence > chain.pruned_sequence else _end_of(chain)
            verifier.begin_again(_beginning_of(chain), end, due_before)
            continue
        await _take(verifier, events)
        left -= len(events)
        if len(events) < asked:
            return end, left
        if verifier.verdict.head.sequence == last:
            verifier.stuck(f"sequence {last}")
            return end, left
    return end, left


async def _unsealed(store: AuditStore, verifier: Verifier, last: str, left: int) -> tuple[str, int]:
    """The same of events that are not sealed yet, behind one; the id of the last one goes with the answer."""
    while left:
        asked = min(_AT_A_TIME, left)
        events = await store.unsealed_events(verifier.verdict.account_id, after=last, limit=asked)
        await _take(verifier, events)
        left -= len(events)
        before, last = last, max([last, *(kept.event.event_id for kept in events)])
        if len(events) < asked:
            return last, left
        if last == before:
            verifier.stuck(f"event {last}")
            return last, left
    return last, left


async def _personal(
    store: AuditStore, verifier: Verifier, last: tuple[str, str], left: int
) -> tuple[tuple[str, str], int]:
    """The same of personal parts, whose events have been compared with those that they name."""
    while left:
        asked = min(_AT_A_TIME, left)
        parts = await store.parts_named(verifier.verdict.account_id, after=last, limit=asked)
        for part in parts:
            if not part.is_named:
                verifier.stray(part.person_id, part.event_id)
        left -= len(parts)
        before, last = last, max([last, *((part.person_id, part.event_id) for part in parts)])
        if len(parts) < asked:
            return last, left
        if last == before:
            verifier.stuck("the personal part of {} in event {}".format(*last))
            return last, left
    return last, left


async def _take(verifier: Verifier, events: Sequence[KeptEvent]) -> None:
    """Compare some events, beside the event loop: hashing them takes longer than a call should wait for another."""
    await asyncio.to_thread(_compare, verifier, events)


def _compare(verifier: Verifier, events: Sequence[KeptEvent]) -> None:
    for kept in events:
        try:
            verifier.take(orjson.loads(event_line(kept)))
        except (TypeError, ValueError) as problem:  # somebody was at the database
            verifier.spoiled(f"event {kept.event.event_id} cannot be read: {problem}")
