"""Bringing a database to this program's schema.

Comparing versions needs one small read; Alembic and SQLAlchemy are loaded only when there is something to do.
Upgrades are expand, then contract: a release also runs on the schema of the next one, whose migrations say in
`schema_compatibility` which program is the oldest that still does.
"""

from __future__ import annotations

from pathlib import Path

import structlog

from message_contacts.settings.forms import is_postgres
from message_contacts.storage.engine import SchemaMismatch
from message_contacts.storage.sqlite import sqlite_oldest_program, sqlite_schema_version

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: Schema version of this program: revision of its last migration. Revisions are numbers of four digits, in order.
HEAD = "0008"

#: Stands in the place of the version, before that of the program, while `moving` fills a database.
HALF_MOVED = "moving"

VERSIONS = """
    -- Which schema a database has, and which program is the oldest that works with it.
    SELECT version_num, (SELECT oldest_program FROM schema_compatibility) FROM alembic_version
"""

_SQLITE = "sqlite:///"


def sqlite_path(database_url: str) -> Path:
    """The file that a `sqlite:///PATH` names; the path is relative unless it begins with another slash.

    Raises:
        ValueError: It is not such a URL.
    """
    if not database_url.startswith(_SQLITE) or len(database_url) == len(_SQLITE):
        raise ValueError("a database URL begins with sqlite:/// and names a file")
    return Path(database_url.removeprefix(_SQLITE))


def schema_version(database_url: str) -> str | None:
    """The version of a database's schema; None when it has none yet.

    Raises:
        DatabaseUnreachable: Nobody answers there, or they refuse.
    """
    if is_postgres(database_url):
        from message_contacts.storage.postgres_schema import postgres_schema_version  # noqa: PLC0415 - its driver

        return postgres_schema_version(database_url)
    return sqlite_schema_version(sqlite_path(database_url))


def check(database_url: str) -> None:
    """Make sure that this program can work with the database as it is.

    Raises:
        SchemaMismatch: It is not migrated yet, newer than this program can work with, or half copied.
        DatabaseUnreachable: Nobody answers there, or they refuse.
    """
    version = schema_version(database_url)
    if version is None or version < HEAD:
        raise SchemaMismatch(
            f"The database has schema version {version or 'none'}, this program needs {HEAD}: "
            "run `message-contacts migrate`."
        )
    _refuse_half(version)
    if version > HEAD:
        _refuse_newer(database_url, version)


def migrate(database_url: str) -> None:
    """Bring the database to this program's schema, if it is not there yet; others may do the same at the same time.

    Raises:
        SchemaMismatch: The database is newer than this program can work with, or half copied.
        DatabaseUnreachable: Nobody answers there, or they refuse.
    """
    version = schema_version(database_url)
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        _refuse_half(version)
        _refuse_newer(database_url, version)
        return
    if is_postgres(database_url):
        from message_contacts.storage.postgres_schema import postgres_upgrade  # noqa: PLC0415 - its driver

        postgres_upgrade(database_url, HEAD)
    else:
        from message_contacts.storage.migrations.running import upgrade  # noqa: PLC0415 - half a second to load

        upgrade(sqlite_path(database_url), HEAD)
    log.info("database_migrated", before=version, after=HEAD)


def _refuse_half(version: str) -> None:
    if version.startswith(HALF_MOVED):
        raise SchemaMismatch(
            "A copy into this database has begun and not ended: repeat `message-contacts copy` to go on with it, or "
            "make the database anew."
        )


def _refuse_newer(database_url: str, version: str) -> None:
    if is_postgres(database_url):
        from message_contacts.storage.postgres_schema import postgres_oldest_program  # noqa: PLC0415 - its driver

        oldest = postgres_oldest_program(database_url)
    else:
        oldest = sqlite_oldest_program(sqlite_path(database_url))
    if oldest is None or oldest > HEAD:
        raise SchemaMismatch(
            f"The database has schema version {version}, which is newer than this program ({HEAD}) can work with: "
            "run the newer release, or restore a backup from before the upgrade."
        )
