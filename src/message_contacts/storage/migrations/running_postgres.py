"""Carrying out migrations on PostgreSQL, over the same driver as the server's."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from message_contacts.storage.migrations import byte_order as byte_order  # noqa: PLC0414 - for its effect on Text
from message_contacts.storage.migrations.statistics import assume_large_tenants
from message_contacts.storage.postgres_connection import PostgresAddress, first_connected

#: Whoever holds it migrates; says nothing to anybody but us.
_ADVISORY_LOCK = 0x4D43_5343_4845_4D41

_BE_PATIENT = (
    "SET LOCAL lock_timeout = '600s'",  # one starter waits for another one's migration
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK:d})",
    # Who waits for a table holds up everybody behind him: rather not for long.
    "SET LOCAL lock_timeout = '30s'",
)


async def upgrade(address: PostgresAddress, revision: str) -> None:
    """Bring the database up to a revision, in one transaction; a second starter waits and finds it done."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: first_connected(address), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            for sentence in _BE_PATIENT:
                await connection.execute(text(sentence))
            await connection.run_sync(_upgrade, revision)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, revision: str) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, revision)
    assume_large_tenants(connection)
