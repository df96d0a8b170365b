"""A clock on which waiting really waits: until a test moves the time on."""

from __future__ import annotations

import asyncio

from tests.fakes.clock import FakeClock


class WaitingClock(FakeClock):
    """Stands still; who sleeps wakes when `advance` has passed the end of the sleep."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.monotonic() + seconds, woken))
        await woken

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        for entry in list(self._sleepers):
            end, woken = entry
            if end <= self.monotonic() + 1e-9:
                self._sleepers.remove(entry)
                if not woken.done():
                    woken.set_result(None)

    @property
    def sleeping(self) -> int:
        """How many wait."""
        return sum(not woken.done() for _, woken in self._sleepers)


async def settled(turns: int = 50) -> None:
    """Let everything that can go on go on, without waiting."""
    for _ in range(turns):
        await asyncio.sleep(0)
