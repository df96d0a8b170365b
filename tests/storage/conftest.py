"""Storages to test: every test that asks for `storage` runs once for each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from message_contacts.metrics import Metrics
from message_contacts.storage import Storage, open_sqlite
from message_contacts.storage.sqlite_transaction import WriterSeam
from tests.conftest import ENGINES
from tests.fakes.clock import FakeClock
from tests.storage.making import open_database


@pytest.fixture
def _changes_of_one_tenant() -> None:
    """Tests here put rows of several tenants there together, to see that they are kept apart afterwards."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
async def open_storage(database_url: str, clock: FakeClock) -> AsyncIterator[Callable[[], Storage]]:
    """Opens this test's database; every call is what another process would see."""
    opened: list[Storage] = []

    def open_one() -> Storage:
        opened.append(open_database(database_url, clock))
        return opened[-1]

    yield open_one
    for storage in opened:
        await storage.finish()
        storage.close()


@pytest.fixture
def storage(open_storage: Callable[[], Storage]) -> Storage:
    return open_storage()


@pytest.fixture
def other(open_storage: Callable[[], Storage]) -> Storage:
    """The same database, opened a second time."""
    return open_storage()


class OpenWith(Protocol):
    """Opens this test's SQLite database with something in its writer."""

    def __call__(self, seam: WriterSeam, metrics: Metrics | None = None) -> Storage: ...


@pytest.fixture
def open_with(database_path: Path, clock: FakeClock) -> Iterator[OpenWith]:
    opened: list[Storage] = []

    def open_one(seam: WriterSeam, metrics: Metrics | None = None) -> Storage:
        opened.append(open_sqlite(database_path, clock, busy_seconds=0.05, seam=seam, metrics=metrics))
        return opened[-1]

    yield open_one
    for storage in opened:
        storage.close()


@pytest.fixture
def two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events and personal parts of the audit trail, as they are read to be verified."""
    monkeypatch.setattr("message_contacts.audit.exporting._AT_A_TIME", 2)
    monkeypatch.setattr("message_contacts.audit.checking._AT_A_TIME", 2)
