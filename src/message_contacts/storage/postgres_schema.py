"""What a PostgreSQL database says of its schema, asked at a start, before there is an event loop of the service."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import asyncpg

from message_contacts.storage.postgres_connection import PostgresAddress, first_connected

T = TypeVar("T")


def postgres_schema_version(database_url: str) -> str | None:
    """The schema version of the database; None when it has none. Raises: DatabaseUnreachable."""
    return _run(_value(database_url, "SELECT version_num FROM alembic_version"))


def postgres_oldest_program(database_url: str) -> str | None:
    """The schema version of the oldest program that works with the database. Raises: DatabaseUnreachable."""
    return _run(_value(database_url, "SELECT oldest_program FROM schema_compatibility"))


def postgres_upgrade(database_url: str, revision: str) -> None:
    """Bring the database up to a revision. Raises: DatabaseUnreachable."""
    from message_contacts.storage.migrations.running_postgres import upgrade  # noqa: PLC0415 - half a second to load

    _run(upgrade(PostgresAddress(database_url), revision))


async def _value(database_url: str, sql: str) -> str | None:
    connection = await first_connected(PostgresAddress(database_url))
    try:
        value: str | None = await connection.fetchval(sql)
    except asyncpg.UndefinedTableError:
        return None
    finally:
        connection.terminate()
    return value


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, on an event loop of its own: the caller may have one that is running."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
