"""Sealing: events that were written lately get their places in the chains of their accounts.

Any number of processes may seal at once. Who finds that a chain has moved leaves it to the next time, as does who
crashes: what is sealed of an account in one turn is one change set.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from message_contacts.audit.chain import chained, sealed_text
from message_contacts.audit.model import NO_HASH, AuditEvent, Extension, Seal
from message_contacts.audit.store import AuditStore

log = structlog.get_logger(__name__)

#: Events in one turn: so few that calls hardly notice the hashing between them.
BATCH = 200


class Sealer:
    """Seals what is not sealed yet."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    async def seal(self) -> int:
        """Seal all that waits now, batch by batch, and return how many events that were.

        Events that somebody else seals at this moment are left to them.
        """
        sealed = 0
        after = ""
        while True:
            batch = await self._store.unsealed(after=after, limit=BATCH)
            if batch:
                sealed += await self._seal_batch(batch)
            if len(batch) < BATCH:
                return sealed
            after = batch[-1][0].event_id

    async def _seal_batch(self, batch: Sequence[tuple[AuditEvent, Seal | None]]) -> int:
        events: dict[str, list[AuditEvent]] = {}
        ends: dict[str, Seal | None] = {}
        for event, end in batch:
            events.setdefault(event.account_id, []).append(event)
            ends[event.account_id] = end
        # In one order whoever seals, so that two who do never wait for each other.
        extensions = [extended(ends[account_id], events[account_id]) for account_id in sorted(events)]
        # Together: one after the other, each would wait for a commit of its own, and a busy service never catch up.
        outcomes = await self._store.seal(extensions)
        sealed = 0
        for extension, done in zip(extensions, outcomes, strict=True):
            if done:
                sealed += len(extension.sealed)
            else:
                log.debug("audit_seal_lost", account_id=extension.sealed[0][0].account_id)
        return sealed


def extended(last: Seal | None, events: Sequence[AuditEvent]) -> Extension:
    """The events of one account, each with its place behind the end of the chain."""
    sequence, hash_ = (0, NO_HASH) if last is None else (last.sequence, last.hash)
    found = []
    for event in events:
        sequence += 1
        hash_ = chained(hash_, sealed_text(event, sequence))
        found.append((event, Seal(sequence=sequence, hash=hash_)))
    return Extension(last, found)
