"""Connections to an SQLite file, and what SQLite's complaints mean."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import apsw
import structlog

from message_contacts import errors
from message_contacts.changes import Stale
from message_contacts.errors import ApiError
from message_contacts.storage.constraints import REFUSALS, SQLITE_COLUMNS

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: The database cannot do it now, through nobody's bug: full disk, locks held for too long, a file that was taken away.
UNAVAILABLE = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.FullError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.NoMemError,
    apsw.ReadOnlyError,
    apsw.ProtocolError,
    apsw.InterruptError,
    apsw.CorruptError,
    apsw.NotADBError,
)

_MOVED_GROUND = {
    apsw.SQLITE_CONSTRAINT_UNIQUE,
    apsw.SQLITE_CONSTRAINT_PRIMARYKEY,
    apsw.SQLITE_CONSTRAINT_FOREIGNKEY,
}

#: Enough for every statement of the project, each prepared once.
_STATEMENTS_KEPT = 256


def connect(path: Path, *, busy_seconds: float, cache_kib: int, writes: bool = False) -> apsw.Connection:
    """Open the file, which is made, readable by its owner only, if it is not there.

    Args:
        busy_seconds: How long to wait for locks that other connections hold.
        cache_kib: Size of the page cache.
        writes: Whether this connection may write.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=_STATEMENTS_KEPT)
    # Plans that do not depend on the values bound: else SQLite prepares a statement anew for each call as soon as a
    # table in it has a partial index (measured: 31 instead of 8 us for a contact with its bindings).
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.set_busy_handler(Patience(busy_seconds))
    for pragma in (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",  # an acknowledged change survives the loss of power
        "PRAGMA foreign_keys = ON",
        "PRAGMA mmap_size = 0",  # an I/O error must be an error, not the end of the process
        "PRAGMA temp_store = MEMORY",
        "PRAGMA secure_delete = ON",  # what was deleted is overwritten: an erased person is not in free pages either
        f"PRAGMA cache_size = -{cache_kib:d}",
        f"PRAGMA query_only = {'OFF' if writes else 'ON'}",
    ):
        connection.execute(pragma).fetchall()
    add_functions(connection)
    return connection


def add_functions(connection: apsw.Connection) -> None:
    """Add the functions that statements call and SQLite has not."""
    connection.create_scalar_function("regexp_replace", _regexp_replace, 4, deterministic=True)


def rows_with_odd_text(
    connection: apsw.Connection, sql: str, parameters: tuple[apsw.SQLiteValue, ...]
) -> list[tuple[apsw.SQLiteValue, ...]]:
    r"""The rows of a query, with `\xff` for what of a text is not UTF-8.

    Nothing here writes such text, but whoever is at the database can, and the driver then gives no row at all. Asked
    only after it has refused: reading each text as bytes costs a multiple.
    """
    cursor = connection.execute(sql, parameters)
    columns = [f"c{number}" for number in range(len(cursor.get_description()))]
    cursor.close()
    wanted = [
        f"typeof({column}), CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) ELSE {column} END"
        for column in columns
    ]
    # Materialized, so that the rows stay in their order.
    odd = f"WITH odd ({', '.join(columns)}) AS MATERIALIZED ({sql}) SELECT {', '.join(wanted)} FROM odd"  # noqa: S608 - a statement of ours, and numbers of columns
    return [
        tuple(
            value.decode(errors="backslashreplace") if kind == "text" and isinstance(value, bytes) else value
            for kind, value in zip(row[::2], row[1::2], strict=True)
        )
        for row in connection.execute(odd, parameters).fetchall()
    ]


def _regexp_replace(*given: apsw.SQLiteValue) -> apsw.SQLiteValue:
    """PostgreSQL's function of this name with its flags `gi`, the only ones that are used: everywhere, in any case."""
    text, pattern, instead, _flags = map(str, given)
    return re.sub(pattern, instead, text, flags=re.IGNORECASE)


class Patience:
    """A busy handler that asks often, so that two busy processes take turns, and gives up after so many seconds."""

    def __init__(self, seconds: float) -> None:
        #: How long to wait from now on; 0: not at all.
        self.seconds = seconds
        self._deadline = 0.0

    def __call__(self, tries: int) -> bool:
        """Whether SQLite shall try again."""
        now = time.monotonic()
        if tries == 0:
            self._deadline = now + self.seconds
        if now >= self._deadline:
            return False
        time.sleep(0.0002 if tries < 50 else 0.002)
        return True


def refusal(complaint: apsw.ConstraintError) -> Exception:
    """What a constraint's complaint means to the rules; the complaint itself when it shows a bug."""
    columns = str(complaint).rpartition(": ")[2]
    constraint = SQLITE_COLUMNS.get(columns)
    if constraint is not None:
        return REFUSALS[constraint](constraint=constraint)
    if getattr(complaint, "extendedresult", 0) in _MOVED_GROUND:  # missing from the driver's type hints
        return Stale(str(complaint))
    return complaint


def unavailable(complaint: BaseException) -> ApiError:
    """The caller's side of a complaint in `UNAVAILABLE`; the operator's side goes to the log where it is met."""
    return errors.SERVICE_UNAVAILABLE(complaint=type(complaint).__name__)
