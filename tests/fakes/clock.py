"""A clock that moves only when a test says so."""

from __future__ import annotations

import asyncio

from message_contacts.clock import Instant

#: 2026-11-21 08:00:00 UTC.
START = Instant(1_795_248_000_000)


class FakeClock:
    """Stands still; sleeping gives others a turn and moves the time on."""

    def __init__(self, start: Instant = START) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> Instant:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Move on by that many seconds."""
        self._now = Instant(self._now + round(seconds * 1000))
        self._monotonic += seconds
