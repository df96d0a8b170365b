"""When access keys were last used, so that nobody has to guess whether an old one is still needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import structlog

from message_contacts.clock import Clock, Instant

log = structlog.get_logger(__name__)

#: Seconds between two notes; what `last used` may lag behind.
NOTED_EVERY = 60.0


class KeyUseStore(Protocol):
    """Where the last use of access keys is kept."""

    async def note_uses(self, uses: Mapping[str, Instant]) -> None:
        """Keep the last use of keys by their ids, unless a later one is kept; keys that are gone are left out."""
        ...

    async def last_uses(self, account_id: str) -> Mapping[str, Instant]:
        """When the keys of an account were last used, by key id; absent: never, or not noted yet."""
        ...

    async def last_use(self, account_id: str, access_key_id: str) -> Instant | None:
        """The same of one key."""
        ...


class KeyUses:
    """Keeps in memory when keys were used and notes it once a minute.

    Attributes:
        seen: Last use by key id since the last note. A call stores here and does nothing else.
    """

    def __init__(self, store: KeyUseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.seen: dict[str, Instant] = {}

    async def note(self) -> None:
        """Write down what was seen since the last time."""
        taken, self.seen = self.seen, {}
        if not taken:
            return
        try:
            await self._store.note_uses(taken)
        except BaseException:
            self.seen = taken | self.seen
            raise

    async def run(self) -> None:
        """Note uses once a minute until cancelled."""
        while True:
            await self._clock.sleep(NOTED_EVERY)
            try:
                await self.note()
            except Exception:
                log.exception("noting_key_uses_failed")
