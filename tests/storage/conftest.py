"""Storages to test: every test that asks for `storage` runs once for each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from message_contacts.storage import Storage, open_sqlite
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite"])
def open_storage(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Callable[[], Storage]]:
    """Opens this test's database; every call is what another process would see."""
    assert request.param == "sqlite"
    path: Path = request.getfixturevalue("database_path")
    opened: list[Storage] = []

    def open_one() -> Storage:
        opened.append(open_sqlite(path, clock, busy_seconds=1.0))
        return opened[-1]

    yield open_one
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(open_storage: Callable[[], Storage]) -> Storage:
    return open_storage()


@pytest.fixture
def other(open_storage: Callable[[], Storage]) -> Storage:
    """The same database, opened a second time."""
    return open_storage()
