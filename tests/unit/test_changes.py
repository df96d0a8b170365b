"""Decide, commit, and again when the ground moved."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from message_contacts.changes import Cause, Decision, Insert, Nonce, Settler, Stale
from message_contacts.clock import Instant
from message_contacts.errors import ApiError
from tests.fakes.clock import FakeClock

CAUSE = Cause(operation="test")


class ScriptedCommitter:
    """Refuses as many commits as told."""

    def __init__(self, stale: int) -> None:
        self.stale = stale
        self.commits: list[tuple[Any, Nonce | None]] = []

    async def commit(self, changes: Any, nonce: Nonce | None) -> None:
        if self.stale:
            self.stale -= 1
            raise Stale
        self.commits.append((changes, nonce))


async def test_settle_reads_and_decides_again_after_losing() -> None:
    committer = ScriptedCommitter(stale=2)
    values = iter("abc")

    async def read() -> str:
        return next(values)

    settler = Settler(committer, FakeClock())
    assert await settler.settle(read, lambda seen: Decision((Insert(seen),), seen), cause=CAUSE) == "c"
    assert committer.commits == [((Insert("c"),), None)]


async def test_settle_gives_up_after_its_patience() -> None:
    clock = FakeClock()
    settler = Settler(ScriptedCommitter(stale=10_000), clock, patience=3.0)
    started = clock.monotonic()

    async def read() -> None:
        """Nothing to read."""

    with pytest.raises(ApiError) as refusal:
        await settler.settle(read, lambda _: Decision((Insert("x"),), None), cause=CAUSE)
    assert refusal.value.definition is errors.CONCURRENT_CALL_NOT_SUPPORTED
    assert 3.0 <= clock.monotonic() - started < 3.2


async def test_settle_commits_a_nonce_even_when_nothing_changes() -> None:
    committer = ScriptedCommitter(stale=0)
    settler = Settler(committer, FakeClock())
    nonce = Nonce(b"n" * 16, Instant(0))

    async def read() -> None:
        """Nothing to read."""

    await settler.settle(read, lambda _: Decision((), None), cause=CAUSE, nonce=nonce)
    await settler.settle(read, lambda _: Decision((), None), cause=CAUSE)
    assert committer.commits == [((), nonce)]
