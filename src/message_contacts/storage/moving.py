"""Moving everything that is kept from one database to another, of either engine.

What there is to move follows from `schema`: every table, parents before children, in the order of its key, in batches
that are each one short transaction. So what a target holds of a table is always its beginning, and an interrupted move
goes on behind the last key. Until both sides are compared and found equal, the target's schema version says that it is
half a database, and no service starts on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Table

from message_contacts.settings.forms import is_postgres, without_password
from message_contacts.storage.engine import CannotOpen, Row
from message_contacts.storage.migrate import HALF_MOVED, HEAD, check, migrate, schema_version, sqlite_path
from message_contacts.storage.schema import COMPATIBILITY, SCHEMA

#: Rows of a batch.
BATCH = 1_000
#: Belongs to the schema and not to what is kept in it: migrations write it.
NOT_MOVED = (COMPATIBILITY,)

#: Schema version of a target that is not complete; another release does not go on with it.
_HALF = f"{HALF_MOVED} {HEAD}"

Key = tuple[Any, ...]


class CannotMove(CannotOpen):
    """The move cannot begin or end; the text says why and what to do, and holds no secret."""


class Side(Protocol):
    """One of the two databases; nobody else uses it until it is closed."""

    async def count(self, table: Table) -> int:
        """How many rows a table has."""
        ...

    async def page(self, table: Table, after: Key | None, limit: int) -> list[Row]:
        """Rows behind a key, in the order of the key; None begins."""
        ...

    async def last_key(self, table: Table) -> Key | None:
        """The greatest key; None when there is no row."""
        ...

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows durably, all or none, whatever order those among them have that point to each other."""
        ...

    async def mark(self, version: str) -> None:
        """Set the schema version, durably."""
        ...

    async def settle(self) -> None:
        """After many rows: whatever the engine wants done before the database is used."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was found in both databases in one table."""

    table: str
    rows: int
    #: Over all values of all rows, in the order of the key; 64 hex digits.
    checksum: str


class Move:
    """A move under way: `copy`, then `compare`, then `finish`."""

    def __init__(self, source: Side, target: Side, *, is_resumed: bool) -> None:
        """Take the two sides; see `moving`."""
        self.source = source
        self.target = target
        #: Whether an earlier, interrupted move is continued.
        self.is_resumed = is_resumed
        self._compared: list[Moved] | None = None

    async def rows(self) -> int:
        """How many rows the source has."""
        return sum([await self.source.count(table) for table in moved_tables()])

    async def copy(self) -> AsyncIterator[int]:
        """Copy what the target does not have yet; yields how many rows it has got since the last time."""
        if not self.is_resumed:
            await self.target.mark(_HALF)
        for table in moved_tables():
            after = await self.target.last_key(table)
            if after is not None:
                yield await self.target.count(table)
            while batch := await self._batch(table, after):
                await self.target.add(table, batch)
                after = key_of(table, batch[-1])
                yield len(batch)

    async def compare(self) -> AsyncIterator[int]:
        """Compare both sides value by value; yields how many rows of the source were looked at since the last time.

        Raises:
            CannotMove: They differ.
        """
        found: list[Moved] = []
        different: list[str] = []
        for table in moved_tables():
            sides = _Sum(self.source, table), _Sum(self.target, table)
            while any([await side.take() for side in sides]):
                yield sides[0].taken
            here, there = (side.result() for side in sides)
            found.append(here)
            if here != there:
                different.append(f"{table.name} ({here.rows} rows in the source, {there.rows} in the target)")
        if different:
            raise CannotMove(
                f"The target differs from the source: {', '.join(different)}. One of them was changed after the copy "
                "had begun. The source was only read: make the target anew and copy again."
            )
        self._compared = found

    async def finish(self) -> Sequence[Moved]:
        """Make a database of the target that services start on."""
        if self._compared is None:
            raise RuntimeError("what was copied has not been compared")
        await self.target.settle()
        await self.target.mark(HEAD)
        return self._compared

    async def _batch(self, table: Table, after: Key | None) -> list[Row]:
        batch = await self.source.page(table, after, BATCH)
        if len(batch) == BATCH and _points_to_itself(table):
            # Rows point to others of their tenant, perhaps behind them: a tenant's rows go together.
            account_id = key_of(table, batch[-1])[0]
            while more := await self.source.page(table, key_of(table, batch[-1]), BATCH):
                own = [row for row in more if key_of(table, row)[0] == account_id]
                batch += own
                if len(own) < len(more):
                    break
        return batch


class _Sum:
    """Count and checksum of a table, batch by batch."""

    def __init__(self, side: Side, table: Table) -> None:
        self._side = side
        self._table = table
        self._digest = hashlib.sha256()
        self._after: Key | None = None
        self._rows = 0
        #: Rows of the last batch.
        self.taken = 0

    async def take(self) -> bool:
        """Take another batch, if there is one; whether there was."""
        batch = await self._side.page(self._table, self._after, BATCH)
        self.taken = len(batch)
        if not batch:
            return False
        self._rows += len(batch)
        self._after = key_of(self._table, batch[-1])
        for row in batch:
            self._digest.update(repr(row).encode())
        return True

    def result(self) -> Moved:
        return Moved(table=self._table.name, rows=self._rows, checksum=self._digest.hexdigest())


def moved_tables() -> list[Table]:
    """Every table that is moved, those that others point to first."""
    return [table for table in SCHEMA.sorted_tables if table not in NOT_MOVED]


def _points_to_itself(table: Table) -> bool:
    return any(key.referred_table is table for key in table.foreign_key_constraints)


def key_of(table: Table, row: Row) -> Key:
    """The key of a row."""
    names = [column.name for column in table.columns]
    return tuple(row[names.index(column.name)] for column in table.primary_key)


def page_sql(table: Table, *, has_after: bool) -> str:
    """The statement of `Side.page`: parameters are the values of the key, if there is one, and the limit."""
    columns = ", ".join(column.name for column in table.columns)
    key = [column.name for column in table.primary_key]
    ordered = ", ".join(key)
    behind = ", ".join(f"${number}" for number in range(1, len(key) + 1))
    where = f"WHERE ({ordered}) > ({behind}) " if has_after else ""
    limit = len(key) + 1 if has_after else 1
    return f"SELECT {columns} FROM {table.name} {where}ORDER BY {ordered} LIMIT ${limit}"  # noqa: S608 - our own names


def last_key_sql(table: Table) -> str:
    """The statement of `Side.last_key`."""
    key = [column.name for column in table.primary_key]
    backwards = ", ".join(f"{name} DESC" for name in key)
    return f"SELECT {', '.join(key)} FROM {table.name} ORDER BY {backwards} LIMIT 1"  # noqa: S608 - our own names


@asynccontextmanager
async def moving(source_url: str, target_url: str) -> AsyncIterator[Move]:
    """Both databases, each for nobody else meanwhile: the source as it is, the target with its tables.

    Raises:
        CannotOpen: One of them cannot be used, or somebody uses it; the target holds something else; the source has
            another schema version than this program. The source was not changed.
    """
    _refuse_the_same(source_url, target_url)
    _check_source(source_url)
    is_resumed = _prepare_target(target_url)
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(_side(source_url, writes=False))
        target = await stack.enter_async_context(_side(target_url, writes=True))
        if not is_resumed:
            for table in moved_tables():
                if await target.last_key(table) is not None:
                    raise CannotMove(
                        f"{without_password(target_url)} is not empty: there are rows in {table.name}. Name a new "
                        "database; one that a service was started on has an account already."
                    )
        yield Move(source, target, is_resumed=is_resumed)


def _refuse_the_same(source_url: str, target_url: str) -> None:
    same = source_url == target_url
    if not is_postgres(source_url) and not is_postgres(target_url):
        same = sqlite_path(source_url).resolve() == sqlite_path(target_url).resolve()
    if same:
        raise CannotMove("Source and target are the same database.")


def _check_source(url: str) -> None:
    if schema_version(url) is None:
        raise CannotMove(
            f"{without_password(url)} holds nothing that could be copied: it has no tables of this program."
        )
    try:
        check(url)
    except CannotOpen as refusal:
        raise CannotMove(f"{without_password(url)}: {refusal}") from None
    if schema_version(url) != HEAD:
        raise CannotMove(f"{without_password(url)} was migrated by a newer release: copy it with that.")


def _prepare_target(url: str) -> bool:
    """Make the tables if there are none; whether a move into this database was begun before."""
    version = schema_version(url)
    if version == _HALF:
        return True
    if version is None:
        if not is_postgres(url):
            sqlite_path(url).parent.mkdir(parents=True, exist_ok=True)
        migrate(url)
    elif version != HEAD:
        raise CannotMove(
            f"{without_password(url)} has schema version {version}, which another release made; this one needs {HEAD}. "
            "Name a new database."
        )
    return False


def _side(url: str, *, writes: bool) -> AbstractAsyncContextManager[Side]:
    if is_postgres(url):
        from message_contacts.storage.moving_postgres import postgres_side  # noqa: PLC0415 - its driver

        return postgres_side(url, writes=writes)
    from message_contacts.storage.moving_sqlite import sqlite_side  # noqa: PLC0415 - they build on this module

    return sqlite_side(sqlite_path(url), writes=writes)
