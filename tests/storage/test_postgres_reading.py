"""Reads that come in one turn of the event loop, on PostgreSQL: one statement, and to each caller what it asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from message_contacts import errors
from message_contacts.changes import Insert
from message_contacts.errors import ApiError
from message_contacts.storage import Storage, open_postgres, postgres_reading
from message_contacts.storage.access import ACCOUNT as ACCOUNT_ROW
from message_contacts.storage.engine import Parameters
from message_contacts.storage.postgres_connection import Connection
from message_contacts.storage.postgres_reading import Found, Queries, Together
from tests.fakes.clock import FakeClock
from tests.storage.making import commit, make_account

ACCOUNTS = [f"20000000000000{number:02d}" for number in range(20)]


@pytest.fixture
def engine() -> str:
    """Nothing here is about SQLite."""
    return "postgresql"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is sent for its rows."""
    sent: list[str] = []
    fetch = Connection.fetch

    async def noted(self: Connection, sql: str, parameters: Parameters) -> list[Any]:
        sent.append(sql)
        return await fetch(self, sql, parameters)

    monkeypatch.setattr(Connection, "fetch", noted)
    return sent


@pytest.fixture
def storage(postgres_url: str, clock: FakeClock) -> Iterator[Storage]:
    with open_postgres(postgres_url, clock) as storage:
        yield storage


async def test_everybody_gets_the_rows_of_their_own_read(storage: Storage, asked: list[str]) -> None:
    for account in ACCOUNTS[::2]:
        await commit(storage, Insert(make_account(account)))
    asked.clear()

    found = await asyncio.gather(*map(storage.access.account, ACCOUNTS))

    assert [None if account is None else account.account_id for account in found] == [
        account if number % 2 == 0 else None for number, account in enumerate(ACCOUNTS)
    ]
    assert len(asked) == 1
    await storage.finish()


async def test_a_read_alone_goes_as_it_is(storage: Storage, asked: list[str]) -> None:
    await storage.access.account(ACCOUNTS[0])

    assert asked == [ACCOUNT_ROW]
    await storage.finish()


async def test_more_reads_than_fit_are_divided(
    storage: Storage, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_reading, "MOST_TOGETHER", 8)
    await commit(storage, *(Insert(make_account(account)) for account in ACCOUNTS))
    asked.clear()

    found = await asyncio.gather(*map(storage.access.account, ACCOUNTS))

    assert [account.account_id for account in found if account is not None] == ACCOUNTS
    assert len(asked) == 3
    await storage.finish()


async def test_a_read_that_cannot_be_carried_out_spoils_no_other(storage: Storage) -> None:
    await commit(storage, Insert(make_account(ACCOUNTS[0])))

    found = await asyncio.gather(
        storage._database.rows(ACCOUNT_ROW, (ACCOUNTS[0],)),
        storage._database.rows(ACCOUNT_ROW, (7,)),
        storage._database.rows(ACCOUNT_ROW, (ACCOUNTS[1],)),
        return_exceptions=True,
    )

    assert [row[0] for row in found[0]] == [ACCOUNTS[0]]
    assert isinstance(found[1], TypeError)
    assert found[2] == []
    await storage.finish()


async def test_a_server_that_is_not_there_is_told_to_everybody_after_one_attempt() -> None:
    attempts = 0

    async def unavailable(_read: Callable[[Connection], Awaitable[Found]]) -> Found:
        nonlocal attempts
        attempts += 1
        raise errors.SERVICE_UNAVAILABLE()

    together = Together(Queries(), unavailable)
    found = await asyncio.gather(*(together.rows("SELECT $1", (1,)) for _ in range(3)), return_exceptions=True)

    assert all(isinstance(failure, ApiError) for failure in found)
    assert attempts == 1


async def test_a_group_goes_on_until_the_last_of_its_callers_has_left() -> None:
    ended = asyncio.Event()
    begun = asyncio.Event()

    async def slow(_read: Callable[[Connection], Awaitable[Found]]) -> Found:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError("unreachable")

    together = Together(Queries(), slow)
    first, second = (asyncio.ensure_future(together.rows("SELECT $1", (1,))) for _ in range(2))
    await begun.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert not ended.is_set()

    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    async with asyncio.timeout(5):
        await ended.wait()


async def test_a_report_asks_one_query_of_many_things_at_once(storage: Storage, asked: list[str]) -> None:
    await commit(storage, Insert(make_account(ACCOUNTS[0])))
    asked.clear()

    found = await storage._database.report(*((ACCOUNT_ROW, (account,)) for account in ACCOUNTS[:3]))

    assert [[row[0] for row in rows] for rows in found] == [[ACCOUNTS[0]], [], []]
    assert len(asked) == 1
    assert await storage._database.report() == []
    await storage.finish()
