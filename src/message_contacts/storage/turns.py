"""Turns of processes. A turn is kept as a nonce is: used until it expires, and then again by whoever comes first."""

from __future__ import annotations

import hashlib

from message_contacts.clock import Instant
from message_contacts.storage.committing import USE_NONCE
from message_contacts.storage.engine import Database


class ProcessTurns:
    """`delivery.turns.Turns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, what: str, *, now: Instant, until: Instant) -> bool:
        # Nonces of callers are digests of other texts.
        digest = hashlib.sha256(f"turn\n{what}".encode()).digest()[:16]
        _, changed = await self._database.write(USE_NONCE, (digest, until, now))
        return changed == 1
