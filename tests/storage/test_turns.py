"""Turns of processes that share a database."""

from __future__ import annotations

import asyncio

import pytest

from message_contacts.clock import MINUTE, Instant
from message_contacts.storage import Storage
from tests.conftest import ENGINES
from tests.fakes.clock import START

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)
LATER = Instant(START + MINUTE)


async def test_one_of_many_gets_the_turn_and_nobody_until_it_is_over(storage: Storage) -> None:
    taken = await asyncio.gather(*(storage.turns.take("read", now=START, until=LATER) for _ in range(20)))
    assert taken.count(True) == 1
    assert not await storage.turns.take("read", now=Instant(LATER - 1), until=Instant(LATER + MINUTE))
    assert await storage.turns.take("read", now=LATER, until=Instant(LATER + MINUTE))
    assert not await storage.turns.take("read", now=LATER, until=Instant(LATER + MINUTE))


async def test_turns_of_different_things_are_apart(storage: Storage) -> None:
    assert await storage.turns.take("read", now=START, until=LATER)
    assert await storage.turns.take("write", now=START, until=LATER)


async def test_a_turn_that_was_tidied_away_is_over(storage: Storage) -> None:
    assert await storage.turns.take("read", now=START, until=LATER)
    await storage.prune(LATER)
    assert await storage.turns.take("read", now=LATER, until=Instant(LATER + MINUTE))
