"""Databases with rows in every table of the schema, whatever tables there are, and a look at all that they hold."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Table, Text

from message_contacts.storage.migrate import sqlite_path
from message_contacts.storage.schema import SCHEMA

#: Tenants that the rows are spread over; tables with one row for each tenant have as many.
TENANTS = 3
Rows = dict[str, list[tuple[Any, ...]]]


def plain(column: Column[Any], row: int) -> Any:
    """A value for row `row` that differs from those of other rows; texts descend, so that children precede parents."""
    match column.type:
        case Boolean():
            return row % 2 == 0
        case LargeBinary():
            return bytes([0, 255]) + row.to_bytes(4, "big")
        case BigInteger():
            return 2**52 + row
        case Integer():
            return row
        case Text():
            if column.name == "account_id":
                return f"{row % TENANTS:016d}"
            return f"{column.name} {'Ž王🙂aB'[row % 5]} {9999 - row}"
        case _:
            raise AssertionError(column)


def filled_row(table: Table, row: int) -> tuple[Any, ...] | None:
    """Values of a row whose foreign keys point to the same row of other tables, and to an earlier one of its own."""
    if [column.name for column in table.primary_key] == ["account_id"] and row >= TENANTS:
        return None
    values = {column.name: plain(column, row) for column in table.columns}
    for column in table.columns:
        if column.nullable and row % 4 == 3:
            values[column.name] = None
    for key in table.foreign_key_constraints:
        is_own = key.referred_table is table
        referred = row - TENANTS if is_own else row
        for element in key.elements:
            if element.parent.name != "account_id" and (is_own or values[element.parent.name] is not None):
                values[element.parent.name] = plain(element.column, referred) if referred >= 0 else None
    return tuple(values[column.name] for column in table.columns)


def fill(path: Path, *, rows: int) -> None:
    """Fill every table of a migrated SQLite file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for table in SCHEMA.sorted_tables:
            if table.name != "schema_compatibility":
                made = [values for row in range(rows) if (values := filled_row(table, row)) is not None]
                marks = ", ".join("?" for _ in table.columns)
                columns = ", ".join(column.name for column in table.columns)
                connection.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", made)
        connection.commit()


def held(url: str) -> Rows:
    """All rows of all tables, by table, in no order that an engine gives them; truth values as numbers."""
    rows = _held_sqlite(sqlite_path(url)) if url.startswith("sqlite") else asyncio.run(_held_postgres(url))
    return {
        name: sorted(
            (tuple(int(value) if value is True or value is False else value for value in row) for row in found),
            key=repr,
        )
        for name, found in rows.items()
    }


def _selects() -> dict[str, str]:
    return {
        table.name: f"SELECT {', '.join(column.name for column in table.columns)} FROM {table.name}"
        for table in SCHEMA.tables.values()
    } | {"alembic_version": "SELECT version_num FROM alembic_version"}


def _held_sqlite(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return {name: connection.execute(sql).fetchall() for name, sql in _selects().items()}


async def _held_postgres(url: str) -> Rows:
    connection = await asyncpg.connect(url)
    try:
        return {name: [tuple(row) for row in await connection.fetch(sql)] for name, sql in _selects().items()}
    finally:
        await connection.close()
