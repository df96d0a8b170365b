"""Going along a chain in parts: a bounded number of events at a time, so that a call can do it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import orjson

from message_contacts.audit.chain import BREAKS_TOLD, Head, Verdict, Verifier, event_line
from message_contacts.audit.model import NO_HASH, Chain, KeptEvent
from message_contacts.audit.store import AuditStore
from message_contacts.clock import Instant

#: Events that one part looks at, at most; and how many of them at a time.
LOOKED_AT = 1_000
_AT_A_TIME = 250
#: The greatest number that a column can hold.
_LAST_NUMBER = 2**63 - 1
_HEAD = "(-?[0-9]{1,19}):((?:[0-9a-f]{2})*)"
_PLACE = re.compile(f"{_HEAD}:{_HEAD}:(-?[0-9]{{1,19}}):(.*)", re.DOTALL)


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

    @property
    def text(self) -> str:
        """As text, for `parse`."""
        last, end = self.last, self.end
        return f"{last.sequence}:{last.hash}:{end.sequence}:{end.hash}:{self.pruned}:{self.unsealed}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place again. Raises: ValueError for what is none."""
        found = _PLACE.fullmatch(text)
        if found is None or max(abs(int(found[number])) for number in (1, 3, 5)) > _LAST_NUMBER:
            raise ValueError(text)
        return cls(
            last=Head(int(found[1]), found[2]),
            end=Head(int(found[3]), found[4]),
            pruned=int(found[5]),
            unsealed=found[6],
        )


@dataclass(frozen=True, slots=True)
class Part:
    """What was found in one part."""

    verdict: Verdict
    place: Place
    #: Whether the chain was gone along to its end.
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
        limit: Events to look at, at most.
    """
    chain = await store.chain(account_id) or Chain(account_id=account_id, sequence=0, hash=NO_HASH)
    pruned = Head(chain.pruned_sequence, chain.pruned_hash.hex())
    start = Place(last=pruned, end=Head(chain.sequence, chain.hash.hex()), pruned=pruned.sequence)
    if after is not None:
        start = after
        # What an earlier part went through is compared already.
        noted = [head for head in noted if head.sequence > after.last.sequence or head.sequence <= after.pruned]
        if after.last.sequence < pruned.sequence:  # retention took away meanwhile what was to come next
            start = replace(after, last=pruned, end=max(after.end, pruned, key=lambda head: head.sequence))
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
        due_before if start.last == pruned else None,
    )
    left = limit
    if not start.unsealed:
        left = await _sealed(store, verifier, start.end.sequence, left)
    last_unsealed = start.unsealed
    if left:
        last_unsealed, left = await _unsealed(store, verifier, last_unsealed, left)
    if left:
        await _take(verifier, await store.events_outside(account_id, limit=BREAKS_TOLD))
    verdict = verifier.end() if left else verifier.verdict
    verdict.pruned = start.pruned
    return Part(verdict, replace(start, last=verdict.head, unsealed=last_unsealed), is_last=bool(left))


async def _sealed(store: AuditStore, verifier: Verifier, until: int, left: int) -> int:
    """Look at sealed events up to a sequence. Returns: How many more may be looked at; 0: there may be more."""
    account_id = verifier.verdict.account_id
    while left:
        asked = min(_AT_A_TIME, left)
        events = await store.sealed_events(account_id, after=verifier.verdict.head.sequence, until=until, limit=asked)
        await _take(verifier, events)
        left -= len(events)
        if len(events) < asked:
            return left
    return left


async def _unsealed(store: AuditStore, verifier: Verifier, last: str, left: int) -> tuple[str, int]:
    """The same of events that are not sealed yet, behind one; the id of the last one goes with the answer."""
    while left:
        asked = min(_AT_A_TIME, left)
        events = await store.unsealed_events(verifier.verdict.account_id, after=last, limit=asked)
        await _take(verifier, events)
        left -= len(events)
        last = events[-1].event.event_id if events else last
        if len(events) < asked:
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
