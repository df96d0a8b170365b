"""The whole trail of an account as JSON lines: everything that is needed to verify it elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

from message_contacts.audit.chain import chain_line, event_line, stray_line
from message_contacts.audit.model import NO_HASH, Chain
from message_contacts.audit.store import AuditStore

_AT_A_TIME = 500


async def export(store: AuditStore, account_id: str) -> AsyncIterator[bytes]:
    """Lines without their ends: where the chain begins and ends, sealed events in its order, then unsealed ones.

    Events that are sealed while this goes on may be missing at the end. Last come events with a place outside of the
    chain and personal parts that no event names, if there are any: somebody put them there, and whoever verifies the
    lines is to see them.
    """
    chain = await store.chain(account_id) or Chain(account_id=account_id, sequence=0, hash=NO_HASH)
    yield chain_line(chain)
    after = chain.pruned_sequence
    while True:
        events = await store.sealed_events(account_id, after=after, until=chain.sequence, limit=_AT_A_TIME)
        for kept in events:
            yield event_line(kept)
            after = after if kept.seal is None else kept.seal.sequence
        if len(events) < _AT_A_TIME:
            break
    last = ""
    while True:
        events = await store.unsealed_events(account_id, after=last, limit=_AT_A_TIME)
        for kept in events:
            yield event_line(kept)
            last = kept.event.event_id
        if len(events) < _AT_A_TIME:
            break
    for kept in await store.events_outside(account_id, limit=_AT_A_TIME):
        yield event_line(kept)
    for person_id, event_id in await store.stray_parts(account_id, limit=_AT_A_TIME):
        yield stray_line(person_id, event_id)
