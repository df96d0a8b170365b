"""The whole trail of an account as JSON lines: everything that is needed to verify it elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

from message_contacts.audit.chain import chain_line, event_line, stray_line, stuck_line
from message_contacts.audit.model import NO_HASH, Chain
from message_contacts.audit.store import AuditStore

_AT_A_TIME = 500


async def export(store: AuditStore, account_id: str) -> AsyncIterator[bytes]:
    """Lines without their ends: where the chain begins and ends, sealed events in its order, then unsealed ones.

    Events that are sealed while this goes on may be missing at the end. Where retention meanwhile takes away what was
    to come next, the chain begins again with a line that says where it begins and ends by now. Last come events with a
    place outside of the chain and personal parts that no event names, if there are any: somebody put them there, and
    whoever verifies the lines is to see them. So does a line where a whole page has no place behind those before, as
    only such rows can: going on there would never end.
    """
    chain = await store.chain(account_id) or Chain(account_id=account_id, sequence=0, hash=NO_HASH)
    yield chain_line(chain)
    after = chain.pruned_sequence
    while True:
        now, events = await store.sealed_events(account_id, after=after, until=chain.sequence, limit=_AT_A_TIME)
        if now is not None and after < min(now.pruned_sequence, chain.sequence):
            chain, after = now, now.pruned_sequence
            yield chain_line(chain, again=True)
            continue
        for kept in events:
            yield event_line(kept)
        last_before, after = after, max([after, *(kept.seal.sequence for kept in events if kept.seal is not None)])
        if len(events) < _AT_A_TIME:
            break
        if after == last_before:
            yield stuck_line(f"sequence {after}")
            break
    last = ""
    while True:
        events = await store.unsealed_events(account_id, after=last, limit=_AT_A_TIME)
        for kept in events:
            yield event_line(kept)
        id_before, last = last, max([last, *(kept.event.event_id for kept in events)])
        if len(events) < _AT_A_TIME:
            break
        if last == id_before:
            yield stuck_line(f"event {last}")
            break
    for kept in await store.events_outside(account_id, limit=_AT_A_TIME):
        yield event_line(kept)
    async for line in _strays(store, account_id):
        yield line


async def _strays(store: AuditStore, account_id: str) -> AsyncIterator[bytes]:
    after, found = ("", ""), 0
    while True:
        parts = await store.parts_named(account_id, after=after, limit=_AT_A_TIME)
        for part in parts:
            if not part.is_named:
                yield stray_line(part.person_id, part.event_id)
                found += 1
                if found == _AT_A_TIME:
                    return
        if len(parts) < _AT_A_TIME:
            return
        last_before, after = after, max([after, *((part.person_id, part.event_id) for part in parts)])
        if after == last_before:
            yield stuck_line("the personal part of {} in event {}".format(*after))
            return
