"""An SQLite file as one side of a move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import apsw
from sqlalchemy import Boolean, Table

from message_contacts.storage.engine import Row
from message_contacts.storage.moving import CannotMove, Key, last_key_sql, page_sql
from message_contacts.storage.sqlite_connection import UNAVAILABLE

_CACHE_KIB = 64 * 1024
#: A service that has just been stopped may still be letting go of the file.
_PATIENCE_MILLISECONDS = 1_000


class SqliteSide:
    """`moving.Side` over one connection that has the file for itself."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        """Take over a connection."""
        self._connection = connection
        self._path = path

    async def count(self, table: Table) -> int:
        rows = self._rows(f"SELECT count(*) FROM {table.name}")  # noqa: S608 - our own name
        return int(rows[0][0])

    async def page(self, table: Table, after: Key | None, limit: int) -> list[Row]:
        rows = self._rows(page_sql(table, has_after=after is not None), (*(after or ()), limit))
        truths = [number for number, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
        return [_with_truths(row, truths) for row in rows] if truths else rows

    async def last_key(self, table: Table) -> Key | None:
        rows = self._rows(last_key_sql(table))
        return rows[0] if rows else None

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        columns = ", ".join(column.name for column in table.columns)
        values = ", ".join("?" for _ in table.columns)
        try:
            with self._connection:
                self._connection.execute("PRAGMA defer_foreign_keys = ON")
                self._connection.executemany(
                    f"INSERT INTO {table.name} ({columns}) VALUES ({values})",  # noqa: S608 - our own names
                    rows,
                )
        except UNAVAILABLE as complaint:
            raise self._trouble(complaint) from None

    async def mark(self, version: str) -> None:
        self._rows("UPDATE alembic_version SET version_num = ?", (version,))

    async def settle(self) -> None:
        self._rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def _rows(self, sql: str, parameters: tuple[object, ...] = ()) -> list[Row]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except UNAVAILABLE as complaint:
            raise self._trouble(complaint) from None

    def _trouble(self, complaint: Exception) -> CannotMove:
        return CannotMove(f"{self._path} cannot be used: {complaint}.")


@asynccontextmanager
async def sqlite_side(path: Path, *, writes: bool) -> AsyncIterator[SqliteSide]:
    """The file, for nobody else meanwhile.

    Raises:
        CannotMove: A process has it open, or it cannot be used.
    """
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(_PATIENCE_MILLISECONDS)
        try:
            for pragma in (
                "PRAGMA locking_mode = EXCLUSIVE",  # from the first read on: nobody else may have it open
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
                "PRAGMA mmap_size = 0",
                "PRAGMA secure_delete = ON",
                f"PRAGMA cache_size = -{_CACHE_KIB:d}",
                f"PRAGMA query_only = {'OFF' if writes else 'ON'}",
                "SELECT count(*) FROM sqlite_master",
            ):
                connection.execute(pragma).fetchall()
        except apsw.BusyError:
            raise CannotMove(
                f"{path} is in use. Stop every process that has it open (`serve`, `worker`, other commands), so that "
                "nothing changes while it is copied."
            ) from None
        side = SqliteSide(connection, path)
        yield side
    finally:
        connection.close()


def _with_truths(row: Row, truths: Sequence[int]) -> Row:
    """SQLite keeps truth values as numbers."""
    changed = list(row)
    for number in truths:
        changed[number] = None if row[number] is None else bool(row[number])
    return tuple(changed)
