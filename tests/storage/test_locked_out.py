"""A file that another process has locked for long: how long anybody waits, and how often it is tried."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from message_contacts import errors
from message_contacts.changes import Insert
from message_contacts.errors import ApiError
from message_contacts.storage import open_sqlite
from message_contacts.storage.engine import Step
from message_contacts.storage.sqlite_transaction import Begun, Transactions, Waiting, WriterSeam
from tests.fakes.clock import FakeClock
from tests.storage.conftest import OpenWith
from tests.storage.making import commit, make_account


@pytest.fixture
def blocker(database_path: Path) -> Iterator[apsw.Connection]:
    """Another process, which writes."""
    with closing(apsw.Connection(str(database_path))) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of each batch for which somebody has waited for the lock."""
    sizes: list[int] = []
    begin = Transactions.begin

    def watched(self: Transactions, batch: Sequence[Waiting], *, wait: bool) -> Begun:
        if wait:
            sizes.append(len(batch))
        return begin(self, batch, wait=wait)

    monkeypatch.setattr(Transactions, "begin", watched)
    return sizes


def many_change_sets() -> list[list[Insert]]:
    """More than go into one commit, by far."""
    return [[Insert(make_account(f"2000000000{number:03d}{row:03d}")) for row in range(8)] for number in range(300)]


async def test_those_who_wait_together_are_refused_together(
    open_with: OpenWith, blocker: apsw.Connection, waits: list[int]
) -> None:
    storage = open_with(WriterSeam())
    results = await asyncio.gather(*(commit(storage, *each) for each in many_change_sets()), return_exceptions=True)

    assert {result.definition for result in results if isinstance(result, ApiError)} == {errors.SERVICE_UNAVAILABLE}
    assert len(results) == 300
    assert len(waits) <= 2  # those of the second one were not there yet when the first one began
    blocker.execute("ROLLBACK")
    await commit(storage, Insert(make_account()))


async def test_closing_waits_for_the_lock_once(database_path: Path, blocker: apsw.Connection, waits: list[int]) -> None:
    storage = open_sqlite(database_path, FakeClock(), busy_seconds=0.05)
    waiting = [asyncio.ensure_future(commit(storage, *each)) for each in many_change_sets()]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    storage.close()

    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [ApiError] * 300
    assert len(waits) == 1


async def test_change_sets_of_many_are_not_tried_apart_for_a_lock(
    open_with: OpenWith, blocker: apsw.Connection, waits: list[int]
) -> None:
    storage = open_with(WriterSeam())
    step = Step("DELETE FROM nonce WHERE expires_at < $1", (0,))
    outcomes = await storage._database.commit_each({"1": [step], "2": [step]})

    assert [outcome.definition for outcome in outcomes if isinstance(outcome, ApiError)] == [
        errors.SERVICE_UNAVAILABLE
    ] * 2
    assert waits == [1]
