"""The files of an SQLite database: how large they grow, and who may read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from message_contacts.changes import Insert
from message_contacts.storage import migrate, open_sqlite, sqlite_checkpoint
from tests.fakes.clock import FakeClock
from tests.storage.making import commit, make_account


async def test_the_log_is_moved_into_the_database_before_it_grows_past_its_bound(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_checkpoint, "BACKGROUND_PAGES", 20)
    monkeypatch.setattr(sqlite_checkpoint, "FORCED_PAGES", 60)
    log = database_path.with_name(database_path.name + "-wal")
    with open_sqlite(database_path, FakeClock()) as storage:
        for number in range(300):
            await commit(storage, Insert(make_account(f"2{number:015d}", name="n" * 3000)))

        assert log.stat().st_size < 200 * 4096
        assert len(await storage.access.accounts()) == 300


def test_the_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'new.db'}")
    with open_sqlite(tmp_path / "new.db", FakeClock()):
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert modes == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}
