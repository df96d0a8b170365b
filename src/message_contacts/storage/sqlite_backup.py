"""Copying an SQLite database while it is in use, checking what is in a copy, and putting one in a database's place."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import apsw

from message_contacts.storage.migrate import HEAD, VERSIONS
from message_contacts.storage.sqlite_connection import UNAVAILABLE, connect

#: Pages copied between two reports of progress: 8 MB.
_PAGES_AT_ONCE = 2048
_SOURCE_CACHE_KIB = 1024
_BUSY_SECONDS = 5.0
_PIECE = 1 << 20
#: Complaints of one check that are told.
_TOLD = 5
#: Files that SQLite may keep beside a database.
_COMPANIONS = ("-wal", "-shm", "-journal")

TABLES = """
    -- All tables.
    SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
"""

ANY_ACCOUNT = """
    -- Whether there is anything in a database that somebody could miss.
    SELECT 1 FROM account WHERE account_id > '' LIMIT 1
"""

ERASURES_AFTER = """
    -- Persons that were erased, by event, those behind one.
    SELECT account_id, event_id, details, happened_at FROM audit_event
     WHERE (account_id, event_id) > ($1, $2) AND operation = $3 ORDER BY account_id, event_id
"""

SEALED_SECRETS = """
    -- The sealed secrets of all access keys.
    SELECT access_key_id, sealed_secret FROM access_key WHERE account_id > ''
"""

HAS_EVENT = """
    -- Whether an audit event is there.
    SELECT 1 FROM audit_event WHERE account_id = $1 AND event_id = $2
"""


class BackupError(Exception):
    """A copy cannot be made or used; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is in a database."""

    schema_version: str
    #: Rows by table.
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A person who was erased, as the audit trail has it."""

    account_id: str
    event_id: str
    #: What was changed: JSON, as stored.
    details: str
    happened_at: int


Progress = Callable[[int, int], None]


def copy_online(source: Path, draft: Path, progress: Progress) -> Contents:
    """Copy a database that others may read and write meanwhile, as of the moment of the call.

    Whatever was acknowledged before the call is in the copy, and nothing that was begun after it. Writers do not wait;
    what they write grows in the log beside the database until the copy is done.

    Args:
        draft: A file that is not there yet; made for its owner only, and complete on the disk at the end.
        progress: Told pages done and pages in all.
    Returns:
        What is in the copy, checked to be what was in the database at that moment.
    Raises:
        BackupError: The database cannot be read, or the copy is not sound.
        OSError: The draft cannot be written.
    """
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            contextlib.closing(connect(source, busy_seconds=_BUSY_SECONDS, cache_kib=_SOURCE_CACHE_KIB)) as reading,
            contextlib.closing(apsw.Connection(str(draft), flags=apsw.SQLITE_OPEN_READWRITE)) as writing,
        ):
            # In a read transaction of its own the source stands still for the copy, whoever writes. Without it every
            # commit of another process would make the copy begin anew.
            reading.execute("BEGIN")
            before = _contents(reading)
            writing.execute("PRAGMA synchronous = OFF")  # one sync at the end is enough
            with writing.backup("main", reading, "main") as backup:
                while not backup.done:
                    backup.step(_PAGES_AT_ONCE)
                    progress(backup.page_count - backup.remaining, backup.page_count)
            reading.execute("ROLLBACK")
            writing.execute("PRAGMA journal_mode = DELETE")  # one file, with no log beside it
        _sync(draft)
    except (*UNAVAILABLE, apsw.SQLError) as complaint:
        raise BackupError(f"{source} cannot be copied: {_words(complaint)}.") from None
    after = examine(draft)
    if after != before:
        raise BackupError("the copy does not hold the rows that the database held; this must not happen.")
    return after


def examine(path: Path) -> Contents:
    """Look through a whole database that nobody uses: its structure, references between rows, and schema.

    Raises:
        BackupError: It is not sound, or not a database of this program, or of a newer release.
    """
    try:
        with contextlib.closing(apsw.Connection(_read_only(path), flags=_READ_ONLY_FLAGS)) as connection:
            found = _contents(connection)
            complaints = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_TOLD})")]
            if complaints != ["ok"]:
                raise BackupError(f"{path} is damaged: {'; '.join(complaints)}")
            astray = {str(row[0]) for row in islice(connection.execute("PRAGMA foreign_key_check"), 1000)}
            if astray:
                tables = ", ".join(sorted(astray))
                raise BackupError(f"{path} is damaged: rows of {tables} point to rows that are not there.")
            version, oldest_program = (str(value) for value in connection.execute(VERSIONS).fetchall()[0])
    except apsw.NotADBError:
        raise BackupError(f"{path} is not an SQLite database.") from None
    except (*UNAVAILABLE, apsw.Error) as complaint:
        raise BackupError(f"{path} is damaged: {_words(complaint)}.") from None
    if version > HEAD and oldest_program > HEAD:
        raise BackupError(
            f"{path} has schema version {version}, which is newer than this program ({HEAD}) can work with: use the "
            "release that made it."
        )
    return found


def is_empty(path: Path) -> bool:
    """Whether there is nothing at that path, or a database without accounts."""
    if not path.exists() or path.stat().st_size == 0:
        return True
    try:
        with contextlib.closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
            return not connection.execute(ANY_ACCOUNT).fetchall()
    except apsw.Error:  # something else, or damaged
        return False


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_file(source: Path, draft: Path, progress: Progress) -> str:
    """Copy a file that nobody changes, for its owner only, and return the SHA-256 of what was copied, in hex.

    Raises: OSError.
    """
    whole, done, digest = source.stat().st_size, 0, hashlib.sha256()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
        while piece := reading.read(_PIECE):
            digest.update(piece)
            writing.write(piece)
            done += len(piece)
            progress(done, whole)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest()


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep everybody else out of a database; if there is none, there is nobody.

    Raises: BackupError when somebody uses it.
    """
    if not path.exists() or path.stat().st_size == 0:
        yield
        return
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    except UNAVAILABLE as complaint:
        raise BackupError(f"{path} cannot be opened: {_words(complaint)}.") from None
    try:
        try:
            # Leaving the write-ahead log takes that no other connection is open at all, however idle; it also moves
            # into the file what a process that died has left in the log.
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            connection.execute("BEGIN EXCLUSIVE")
        except (apsw.BusyError, apsw.LockedError):
            raise BackupError(
                f"{path} is in use. Stop every process that works with it: `serve`, `worker`, and other commands."
            ) from None
        except (apsw.CorruptError, apsw.NotADBError):
            pass  # nobody can be working with it, and all the more reason to put another one in its place
        except UNAVAILABLE as complaint:
            raise BackupError(f"{path} cannot be opened: {_words(complaint)}.") from None
        yield
    finally:
        connection.close()


def put_in_place(draft: Path, path: Path, kept: Path) -> bool:
    """Put a complete file where a database lies, or none; at every moment the old one or the new one is there.

    Args:
        kept: Where the old one, and what belongs to it, is kept.
    Returns:
        Whether there was an old one.
    Raises: OSError.
    """
    had_one = path.exists()
    if had_one:
        try:
            os.link(path, kept)
        except OSError:  # a file system without links: for a moment there is neither
            path.rename(kept)
    for companion in _COMPANIONS:  # left by a process that died; it would be taken for the new one's
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{companion}").rename(f"{kept}{companion}")
    draft.replace(path)
    sync_folder(path.parent)
    return had_one


def erasures_missing(old: Path, new: Path) -> list[Erasure]:
    """Persons that were erased in the one database and, it seems, not in the other: the other is from before.

    Raises: apsw.Error when either cannot be read.
    """
    with (
        contextlib.closing(apsw.Connection(_read_only(old), flags=_READ_ONLY_FLAGS)) as before,
        contextlib.closing(apsw.Connection(_read_only(new), flags=_READ_ONLY_FLAGS)) as after,
    ):
        return [
            Erasure(account_id=account_id, event_id=event_id, details=details, happened_at=happened_at)
            for account_id, event_id, details, happened_at in before.execute(ERASURES_AFTER, ("", "", "ErasePerson"))
            if not after.execute(HAS_EVENT, (account_id, event_id)).fetchall()
        ]


def sealed_secrets(path: Path) -> list[tuple[str, bytes]]:
    """Ids of all access keys with their sealed secrets, in a sound database that nobody uses."""
    with contextlib.closing(apsw.Connection(_read_only(path), flags=_READ_ONLY_FLAGS)) as connection:
        return [(str(name), bytes(secret)) for name, secret in connection.execute(SEALED_SECRETS)]


def draft_beside(path: Path) -> Path:
    """A name beside the path for what is not complete yet: on the same file system, and nobody else's."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.partial")


def publish(draft: Path, target: Path, *, replace: bool) -> None:
    """Give a complete file its name.

    Raises:
        BackupError: There is a file of that name, which is not to be replaced.
        OSError: It cannot be done.
    """
    if replace:
        draft.replace(target)
    else:
        try:
            os.link(draft, target)
        except FileExistsError:
            raise BackupError(f"{target} is there already.") from None
        except OSError:  # a file system without links
            if target.exists():
                raise BackupError(f"{target} is there already.") from None
            shutil.move(draft, target)
        draft.unlink(missing_ok=True)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


#: A file that nobody changes, without any log beside it: nothing is written beside it to read it.
_READ_ONLY_FLAGS = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI


def _read_only(path: Path) -> str:
    return f"{path.absolute().as_uri()}?immutable=1"


def _contents(connection: apsw.Connection) -> Contents:
    """Raises: apsw.Error; BackupError when the tables are not ours."""
    tables = sorted(str(name) for (name,) in connection.execute(TABLES))
    if not {"alembic_version", "schema_compatibility", "account"} <= set(tables):
        raise BackupError(f"{connection.filename} is not a database of this program.")
    rows = {name: _count(connection, name) for name in tables}
    versions = connection.execute(VERSIONS).fetchall()
    if not versions:
        raise BackupError(f"{connection.filename} is not a database of this program.")
    return Contents(schema_version=str(versions[0][0]), rows=rows)


def _count(connection: apsw.Connection, table: str) -> int:
    rows: list[tuple[Any, ...]] = connection.execute(f'SELECT count(*) FROM "{table}"').fetchall()  # noqa: S608
    count: int = rows[0][0]
    return count


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _words(complaint: BaseException) -> str:
    """SQLite's own sentence; it holds names of tables and columns, never values."""
    return str(complaint).removesuffix(".") or type(complaint).__name__
