"""Copies of a database: made while others write, looked through, and put in a database's place."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs

from message_contacts.changes import Insert
from message_contacts.storage import open_sqlite, sqlite_backup, sqlite_checkpoint
from message_contacts.storage.sqlite_backup import BackupError
from tests.fakes.clock import FakeClock
from tests.storage.making import commit, make_account, named_contact, plant

REPOSITORY = Path(__file__).parents[2]


def unseen(_done: int, _whole: int) -> None:
    """Nobody looks at the progress."""


def ids(path: Path) -> set[str]:
    """Ids of all accounts."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        return {str(row[0]) for row in connection.execute("SELECT account_id FROM account")}
    finally:
        connection.close()


@contextmanager
def writing(path: Path) -> Iterator[Callable[[int], set[str]]]:
    """Another process that adds accounts all the time, and is killed at the end; call for so many acknowledged ids."""
    words = [sys.executable, "-m", "tests.storage.writing_process", f"sqlite:///{path}", "write", "7"]
    with subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout
        assert output is not None
        yield lambda count: {output.readline().strip() for _ in range(count)}
        process.kill()


@pytest.fixture
async def filled(database_path: Path) -> Path:
    """A database with a directory and some contacts, in nobody's use."""
    with open_sqlite(database_path, FakeClock()) as storage:
        await plant(storage, make_account(), *(named_contact(number) for number in range(300)))
    return database_path


def test_a_copy_holds_what_was_there_and_is_one_file_for_its_owner(filled: Path, tmp_path: Path):
    told: list[tuple[int, int]] = []
    copy = tmp_path / "copy.db"
    contents = sqlite_backup.copy_online(filled, copy, lambda done, whole: told.append((done, whole)))
    assert contents.rows["contact"] == 300
    assert ids(copy) == ids(filled)
    assert told[-1][0] == told[-1][1] > 0
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"]
    assert copy.read_bytes()[18:20] == b"\x01\x01"  # to be read without a log beside it
    assert sqlite_backup.examine(copy) == contents


def test_a_copy_made_while_others_write_has_all_that_was_acknowledged_before(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Another process writes all the time; the copy is made in small steps, with commits between them."""
    monkeypatch.setattr(sqlite_backup, "_PAGES_AT_ONCE", 1)
    copy = tmp_path / "copy.db"
    with writing(filled) as acknowledged:
        before = acknowledged(200)
        meanwhile: set[str] = set()
        contents = sqlite_backup.copy_online(filled, copy, lambda _done, _whole: meanwhile.update(acknowledged(10)))
    assert before <= ids(copy)
    assert meanwhile - ids(copy)  # others did write between the steps
    assert contents.rows["account"] == len(ids(copy))
    assert sqlite_backup.examine(copy) == contents


def test_a_copy_of_one_moment_does_not_begin_anew_for_each_commit(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What is written between two steps is not in the copy, and the steps do not start over."""
    monkeypatch.setattr(sqlite_backup, "_PAGES_AT_ONCE", 1)
    other = apsw.Connection(str(filled))
    done: list[int] = []

    def write(pages: int, _whole: int) -> None:
        done.append(pages)
        other.execute("UPDATE contact SET name = 'changed' || contact_id")

    sqlite_backup.copy_online(filled, tmp_path / "copy.db", write)
    other.close()
    assert done == list(range(1, len(done) + 1))
    connection = apsw.Connection(str(tmp_path / "copy.db"))
    assert connection.execute("SELECT count(*) FROM contact WHERE name LIKE 'changed%'").fetchall() == [(0,)]
    connection.close()


async def test_commits_do_not_wait_for_a_long_read_to_end(filled: Path, monkeypatch: pytest.MonkeyPatch):
    """While a copy is made the log cannot be begun anew, however long it has become."""
    monkeypatch.setattr(sqlite_checkpoint, "FORCED_PAGES", 20)
    monkeypatch.setattr(sqlite_checkpoint, "BACKGROUND_PAGES", 10)
    reading = apsw.Connection(str(filled))
    reading.execute("BEGIN; SELECT * FROM account").fetchall()
    with open_sqlite(filled, FakeClock(), busy_seconds=60.0) as storage, capture_logs() as lines:
        async with asyncio.timeout(30):
            for number in range(60):
                await commit(storage, Insert(make_account(f"{number + 2:016d}")))
        reading.close()
        assert {line["complaint"] for line in lines if line["event"] == "checkpoint_put_off"} == {"long read"}


def test_a_copy_of_nothing_of_ours_is_refused(tmp_path: Path):
    foreign = tmp_path / "foreign.db"
    connection = apsw.Connection(str(foreign))
    connection.execute("CREATE TABLE account (account_id)")
    connection.close()
    with pytest.raises(BackupError, match="is not a database of this program"):
        sqlite_backup.copy_online(foreign, tmp_path / "copy.db", unseen)
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at" * 100)
    with pytest.raises(BackupError, match="cannot be copied"):
        sqlite_backup.copy_online(tmp_path / "text", tmp_path / "other.db", unseen)


@pytest.fixture
def copy(filled: Path, tmp_path: Path) -> Path:
    sqlite_backup.copy_online(filled, tmp_path / "copy.db", unseen)
    return tmp_path / "copy.db"


def test_a_truncated_file_is_not_sound(copy: Path):
    os.truncate(copy, copy.stat().st_size // 2)
    with pytest.raises(BackupError, match="is damaged"):
        sqlite_backup.examine(copy)


def test_an_overwritten_page_is_not_sound(copy: Path):
    content = bytearray(copy.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = os.urandom(4096)
    copy.write_bytes(content)
    with pytest.raises(BackupError, match="is damaged"):
        sqlite_backup.examine(copy)


@pytest.mark.parametrize("content", [b"", b"text\n" * 1000, b"SQLite format 3\0" + bytes(4096)])
def test_a_foreign_file_is_not_a_backup(tmp_path: Path, content: bytes):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(BackupError, match=r"is not|is damaged"):
        sqlite_backup.examine(tmp_path / "file")


def test_rows_that_point_to_nothing_are_not_sound(copy: Path):
    connection = apsw.Connection(str(copy))
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DELETE FROM resource_directory")
    connection.close()
    with pytest.raises(BackupError, match=r"rows of .*contact.* point to rows that are not there"):
        sqlite_backup.examine(copy)


def test_a_schema_of_a_newer_release_is_refused_and_one_of_the_next_is_not(copy: Path):
    connection = apsw.Connection(str(copy))
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert sqlite_backup.examine(copy).schema_version == "9999"
    connection = apsw.Connection(str(copy))
    connection.execute("UPDATE schema_compatibility SET oldest_program = '9999'")
    connection.close()
    with pytest.raises(BackupError, match="schema version 9999, which is newer"):
        sqlite_backup.examine(copy)


def test_a_database_that_somebody_has_open_is_in_use(filled: Path):
    with writing(filled) as acknowledged:
        acknowledged(1)
        with pytest.raises(BackupError, match="is in use"), sqlite_backup.alone(filled):
            pytest.fail("went on")
    with sqlite_backup.alone(filled), pytest.raises(apsw.BusyError):
        ids(filled)


def test_what_a_killed_process_left_in_the_log_is_kept_with_the_old_database(database_path: Path, tmp_path: Path):
    with writing(database_path) as acknowledged:
        before = acknowledged(50)
    assert Path(f"{database_path}-wal").exists()
    (tmp_path / "new.db").write_bytes(b"new")
    with sqlite_backup.alone(database_path):
        assert sqlite_backup.put_in_place(tmp_path / "new.db", database_path, tmp_path / "kept.db")
    assert database_path.read_bytes() == b"new"
    assert before <= ids(tmp_path / "kept.db")
    assert not list(tmp_path.glob("contacts.db-*"))


def test_logs_without_a_database_are_not_taken_for_the_new_ones(tmp_path: Path):
    (tmp_path / "contacts.db-wal").write_bytes(b"old")
    (tmp_path / "new.db").write_bytes(b"new")
    assert not sqlite_backup.put_in_place(tmp_path / "new.db", tmp_path / "contacts.db", tmp_path / "kept.db")
    assert (tmp_path / "contacts.db").read_bytes() == b"new"
    assert (tmp_path / "kept.db-wal").read_bytes() == b"old"
    assert not (tmp_path / "contacts.db-wal").exists()


async def test_a_database_without_accounts_is_empty(database_path: Path, tmp_path: Path):
    assert sqlite_backup.is_empty(tmp_path / "none.db")
    assert sqlite_backup.is_empty(database_path)
    with open_sqlite(database_path, FakeClock()) as storage:
        await commit(storage, Insert(make_account()))
    assert not sqlite_backup.is_empty(database_path)
    (tmp_path / "text").write_bytes(b"text" * 1000)
    assert not sqlite_backup.is_empty(tmp_path / "text")


def test_a_file_that_is_there_is_not_replaced_unless_that_is_said(tmp_path: Path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "draft").write_bytes(b"new")
    with pytest.raises(BackupError, match="is there already"):
        sqlite_backup.publish(tmp_path / "draft", tmp_path / "target", replace=False)
    assert (tmp_path / "target").read_bytes() == b"old"
    sqlite_backup.publish(tmp_path / "draft", tmp_path / "target", replace=True)
    assert (tmp_path / "target").read_bytes() == b"new"
