"""The files of an SQLite database: how large they grow, and who may read them."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import cast

import apsw
import pytest
from structlog.testing import capture_logs

from message_contacts.changes import Insert
from message_contacts.errors import ApiError
from message_contacts.storage import migrate, open_sqlite, sqlite_checkpoint
from message_contacts.storage.sqlite import SqliteDatabase
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


async def test_who_reads_what_was_committed_last_does_not_hold_up_the_commits_behind(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup, or a long list, that begins just before the log is moved."""
    monkeypatch.setattr(sqlite_checkpoint, "FORCED_PAGES", 1)
    force = sqlite_checkpoint.Checkpointer.force
    with closing(apsw.Connection(str(database_path))) as reader:

        def when_somebody_reads(checkpointer: sqlite_checkpoint.Checkpointer) -> None:
            if not reader.in_transaction:
                reader.execute("BEGIN; SELECT count(*) FROM account").fetchall()
            force(checkpointer)

        monkeypatch.setattr(sqlite_checkpoint.Checkpointer, "force", when_somebody_reads)
        with capture_logs() as lines, open_sqlite(database_path, FakeClock(), busy_seconds=60.0) as storage:
            async with asyncio.timeout(20):
                for number in range(3):
                    await commit(storage, Insert(make_account(f"2{number:015d}")))
            assert len(await storage.access.accounts()) == 3
    assert "checkpoint_put_off" in [line["event"] for line in lines]


async def test_a_list_that_cannot_be_read_is_unavailable_though_it_is_read_with_others(database_path: Path) -> None:
    class Broken:
        """SQLite ends a transaction by itself for some errors."""

        in_transaction = False

        def execute(self, sql: str, *_parameters: object) -> Broken:
            if sql == "COMMIT":
                raise apsw.SQLError("cannot commit - no transaction is active")
            if sql != "BEGIN":
                raise apsw.IOError("made up")
            return self

    with open_sqlite(database_path, FakeClock()) as storage:
        database = cast("SqliteDatabase", storage._database)
        whole, database._listing = database._listing, cast("apsw.Connection", Broken())
        with pytest.raises(ApiError, match="ServiceUnavailable"):
            await database.report(("SELECT 1", ()), ("SELECT 2", ()))
        database._listing = whole
