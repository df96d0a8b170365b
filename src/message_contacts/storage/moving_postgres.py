"""A PostgreSQL database as one side of a move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import Table

from message_contacts.settings.forms import without_password
from message_contacts.storage.engine import Row
from message_contacts.storage.moving import CannotMove, Key, last_key_sql, moved_tables, page_sql
from message_contacts.storage.postgres_connection import PostgresAddress, first_connected

#: Whoever holds it moves something into or out of the database; says nothing to anybody but us.
_ADVISORY_LOCK = 0x4D43_4D4F_5645

_PREPARE = (
    "SET application_name = 'message-contacts copy'",
    "SET idle_in_transaction_session_timeout = 0",  # the other side may take its time
)
_LOCK_OUT = f"SELECT pg_try_advisory_lock({_ADVISORY_LOCK:d})"
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'message-contacts'
"""
#: The end of a connection is seen by the server a moment after the process that held it has ended.
_OTHERS_LEAVE_SECONDS = 1.0


class PostgresSide:
    """`moving.Side` over one connection."""

    def __init__(self, connection: asyncpg.Connection[Any], shown: str) -> None:
        """Take over a connection; `shown` is its address for people."""
        self._connection = connection
        self._shown = shown

    async def count(self, table: Table) -> int:
        return int((await self._rows(f"SELECT count(*) FROM {table.name}"))[0][0])  # noqa: S608 - our own name

    async def page(self, table: Table, after: Key | None, limit: int) -> list[Row]:
        return await self._rows(page_sql(table, has_after=after is not None), *(after or ()), limit)

    async def last_key(self, table: Table) -> Key | None:
        rows = await self._rows(last_key_sql(table))
        return rows[0] if rows else None

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        columns = [column.name for column in table.columns]
        try:
            # One statement, and what points where is looked at when it ends.
            await self._connection.copy_records_to_table(table.name, records=rows, columns=columns)
        except (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError):
            raise CannotMove(
                f"A text in {table.name} holds the character U+0000, which PostgreSQL cannot keep. Change it where it "
                "is, then copy again."
            ) from None
        except _TROUBLE as complaint:
            raise self._trouble(complaint) from None

    async def mark(self, version: str) -> None:
        await self._rows("UPDATE alembic_version SET version_num = $1", version)

    async def settle(self) -> None:
        for table in moved_tables():
            await self._rows(f"ANALYZE {table.name}")

    async def _rows(self, sql: str, *parameters: object) -> list[Row]:
        try:
            return [tuple(row) for row in await self._connection.fetch(sql, *parameters)]
        except _TROUBLE as complaint:
            raise self._trouble(complaint) from None

    def _trouble(self, complaint: BaseException) -> CannotMove:
        # Not the complaint's details: they quote the row.
        reason = str(complaint).splitlines()[0] if str(complaint) else type(complaint).__name__
        return CannotMove(f"{self._shown} cannot be used: {reason}. Repeat the command to go on where it stopped.")


#: The server or the way to it, not a statement of ours.
_TROUBLE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.LockNotAvailableError,
)


@asynccontextmanager
async def postgres_side(url: str, *, writes: bool) -> AsyncIterator[PostgresSide]:
    """The database, for no other process of this program meanwhile; one that is only read is locked against writes.

    Raises:
        CannotMove: A process of this program uses it.
        DatabaseUnreachable: Nobody answers there, or they refuse.
    """
    shown = without_password(url)
    connection = await first_connected(PostgresAddress(url))
    try:
        for sentence in _PREPARE:
            await connection.execute(sentence)
        if not await _is_alone(connection):
            raise CannotMove(
                f"{shown} is in use. Stop every process that works on it (`serve`, `worker`, other commands), on every "
                "machine, so that nothing changes while it is copied."
            )
        if not writes:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await _lock(connection, shown)
        yield PostgresSide(connection, shown)
    finally:
        connection.terminate()


async def _is_alone(connection: asyncpg.Connection[Any]) -> bool:
    """Whether nobody of this program works on the database, and nobody will move something into or out of it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _OTHERS_LEAVE_SECONDS
    while True:
        # A lock that is had twice does no harm: it goes with the connection.
        if await connection.fetchval(_LOCK_OUT) and not await connection.fetchval(_OTHERS):
            return True
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(0.05)


async def _lock(connection: asyncpg.Connection[Any], shown: str) -> None:
    """Keep everybody from writing until the transaction ends."""
    names = ", ".join(table.name for table in moved_tables())
    try:
        await connection.execute(f"LOCK TABLE {names} IN SHARE MODE")
    except asyncpg.LockNotAvailableError:
        raise CannotMove(f"{shown} is being written to. Stop whoever does that, then copy.") from None
