"""When keys were last used: kept in memory, noted once a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from message_contacts.access.key_uses import KeyUses
from message_contacts.clock import Instant
from tests.fakes.waiting_clock import WaitingClock, settled


class Notes:
    def __init__(self) -> None:
        self.noted: list[dict[str, Instant]] = []
        self.failure: Exception | None = None

    async def note_uses(self, uses: Mapping[str, Instant]) -> None:
        if self.failure is not None:
            raise self.failure
        self.noted.append(dict(uses))

    async def last_uses(self, account_id: str) -> Mapping[str, Instant]:
        raise NotImplementedError

    async def last_use(self, account_id: str, access_key_id: str) -> Instant | None:
        raise NotImplementedError


async def test_uses_are_noted_once_a_minute_and_only_when_there_are_any():
    clock, notes = WaitingClock(), Notes()
    uses = KeyUses(notes, clock)
    running = asyncio.create_task(uses.run())
    await settled()
    uses.seen["a"] = Instant(1)
    uses.seen["a"] = Instant(2)
    clock.advance(59)
    await settled()
    assert notes.noted == []
    clock.advance(1)
    await settled()
    clock.advance(60)
    await settled()
    assert notes.noted == [{"a": 2}]
    running.cancel()


async def test_what_could_not_be_noted_is_noted_the_next_time_and_the_later_use_counts():
    clock, notes = WaitingClock(), Notes()
    uses = KeyUses(notes, clock)
    running = asyncio.create_task(uses.run())
    await settled()
    uses.seen |= {"a": Instant(1), "b": Instant(1)}
    notes.failure = RuntimeError("full")
    with capture_logs() as lines:
        clock.advance(60)
        await settled()
    assert [line["event"] for line in lines] == ["noting_key_uses_failed"]
    notes.failure = None
    uses.seen["a"] = Instant(5)
    clock.advance(60)
    await settled()
    assert notes.noted == [{"a": 5, "b": 1}]
    running.cancel()


async def test_a_note_that_is_cut_off_loses_nothing():
    class Slow(Notes):
        async def note_uses(self, uses: Mapping[str, Instant]) -> None:
            await asyncio.Event().wait()

    uses = KeyUses(Slow(), WaitingClock())
    uses.seen["a"] = Instant(1)
    noting = asyncio.create_task(uses.note())
    await settled()
    noting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await noting
    assert uses.seen == {"a": 1}
