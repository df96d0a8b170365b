"""Sealing: events that were written lately get their places in the chains of their accounts.

Any number of processes may seal at once. Who finds that a chain has moved leaves it to the next time, as does who
crashes: what is sealed of an account in one turn is one change set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from message_contacts.audit.chain import chained, sealed_text
from message_contacts.audit.model import NO_HASH, AuditEvent, Extension, Seal
from message_contacts.audit.store import AuditStore

log = structlog.get_logger(__name__)

#: Events in one turn: so few that calls hardly notice the hashing between them.
BATCH = 200
#: Turns in which an account is lost at one and the same end of its chain until that is told: who loses against somebody
#: else finds another end the next time. And until it is told again, which is ten minutes at one turn a second.
_TOLD_AFTER = 3
_TOLD_AGAIN_AFTER = 600
#: The greatest number that a column can hold.
_LAST_SEQUENCE = 2**63 - 1


class Sealer:
    """Seals what is not sealed yet."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store
        #: By account: at which end of its chain it was lost in the last turn, and in how many turns in a row.
        self._losses: dict[str, tuple[Seal | None, int]] = {}

    async def seal(self) -> int:
        """Seal all that waits now, batch by batch, and return how many events that were.

        Events that somebody else seals at this moment are left to them. Where an event that nobody sealed holds the
        next place of a chain, that chain stays where it is: going on behind it would make it look as if it were sealed.
        """
        lost: dict[str, Seal | None] = {}
        try:
            return await self._seal_all(lost)
        finally:
            self._tell(lost)

    async def _seal_all(self, lost: dict[str, Seal | None]) -> int:
        """Seal, and note which accounts were lost, and at which end of their chains."""
        sealed = 0
        after = ""
        while True:
            batch = await self._store.unsealed(after=after, limit=BATCH)
            if batch:
                sealed += await self._seal_batch(batch, lost)
            before, after = after, max([after, *(event.event_id for event, _ in batch)])
            # A whole batch of ids that stand behind none before them: somebody was at the database, they cannot be
            # sealed, and asking for what comes behind them would never end.
            if len(batch) < BATCH or after == before:
                return sealed

    async def _seal_batch(self, batch: Sequence[tuple[AuditEvent, Seal | None]], lost: dict[str, Seal | None]) -> int:
        events: dict[str, list[AuditEvent]] = {}
        ends: dict[str, Seal | None] = {}
        for event, end in batch:
            events.setdefault(event.account_id, []).append(event)
            ends[event.account_id] = end
        # In one order whoever seals, so that two who do never wait for each other.
        extensions = []
        for account_id in sorted(events):
            end = ends[account_id]
            if end is not None and end.sequence > _LAST_SEQUENCE - len(batch):  # nobody came that far by sealing
                lost[account_id] = end
            else:
                extensions.append(extended(end, events[account_id]))
        # Together: one after the other, each would wait for a commit of its own, and a busy service never catch up.
        outcomes = await self._store.seal(extensions)
        sealed = 0
        for extension, done in zip(extensions, outcomes, strict=True):
            if done:
                sealed += len(extension.sealed)
            else:
                account_id = extension.sealed[0][0].account_id
                lost[account_id] = extension.last
                log.debug("audit_seal_lost", account_id=account_id)
        return sealed

    def _tell(self, lost: Mapping[str, Seal | None]) -> None:
        """Say which accounts cannot be sealed, once and then from time to time, and which can again."""
        before, self._losses = self._losses, {}
        for account_id, end in lost.items():
            end_before, times = before.get(account_id, (end, 0))
            times = times + 1 if end_before == end else 1
            self._losses[account_id] = end, times
            if times == _TOLD_AFTER or times % _TOLD_AGAIN_AFTER == 0:
                sequence = 0 if end is None else end.sequence
                log.warning("audit_sealing_stuck", account_id=account_id, behind_sequence=sequence, turns=times)
        for account_id, (_, times) in before.items():
            if account_id not in lost and times >= _TOLD_AFTER:
                log.info("audit_sealing_goes_on", account_id=account_id)


def extended(last: Seal | None, events: Sequence[AuditEvent]) -> Extension:
    """The events of one account, each with its place behind the end of the chain."""
    sequence, hash_ = (0, NO_HASH) if last is None else (last.sequence, last.hash)
    found = []
    for event in events:
        sequence += 1
        hash_ = chained(hash_, sealed_text(event, sequence))
        found.append((event, Seal(sequence=sequence, hash=hash_)))
    return Extension(last, found)
