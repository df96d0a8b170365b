"""Carrying out migrations from code, without a settings file.

Uses Python's own SQLite, since SQLAlchemy has no dialect for the driver that the server uses. The two are different
libraries in one process, so no connection of the other may be open on the same file meanwhile: locks of a process go
with the first descriptor it closes.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, event, text

from message_contacts.storage.migrations.statistics import assume_statistics
from message_contacts.storage.sqlite_connection import connect

#: How long one starter waits for another one's migration.
_PATIENCE_SECONDS = 600.0


def upgrade(path: Path, revision: str) -> None:
    """Bring the file up to a revision, in one transaction; a second starter waits and finds it done."""
    connect(path, busy_seconds=_PATIENCE_SECONDS, cache_kib=1024, writes=True).close()  # the file, with its log
    engine = create_engine(
        "sqlite://",
        creator=lambda: _connected(path),
        poolclass=NullPool,
    )
    # Exclusive before the version is read: of two starters, only one sees the old one.
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN EXCLUSIVE"))
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)
        assume_statistics(connection)
        broken = connection.execute(text("PRAGMA foreign_key_check")).fetchall()
        if broken:
            raise RuntimeError(f"the migration would leave {len(broken)} rows that point to nothing")
    engine.dispose()


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
    # As the server does: a table that is made anew leaves nothing of its rows behind, which may be erased later.
    connection.execute("PRAGMA secure_delete = ON")
    return connection
