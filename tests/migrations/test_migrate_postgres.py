"""Migrations on PostgreSQL, and starts on databases in every state."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner
from sqlalchemy.ext.asyncio import create_async_engine

from message_contacts.bootstrap import StartError, build
from message_contacts.changes import Insert
from message_contacts.cli.main import commands
from message_contacts.settings import Settings
from message_contacts.storage import HEAD, DatabaseUnreachable, SchemaMismatch, migrate, open_postgres, schema_version
from message_contacts.storage.migrations import byte_order as byte_order  # noqa: PLC0414 - for its effect on Text
from message_contacts.storage.schema import SCHEMA
from tests.fakes.clock import FakeClock
from tests.postgres import PostgresDatabases, PostgresServer, free_port
from tests.storage.making import commit, make_account

REPOSITORY = Path(__file__).parents[2]
KEY = b"k" * 32

COLUMNS = """
    SELECT table_.relname::text, attname::text, format_type(atttypid, atttypmod), attnotnull,
           attcollation::regcollation::text, attidentity::text, atthasdef,
           col_description(table_.oid, attnum), attnum::int
      FROM pg_attribute JOIN pg_class AS table_ ON table_.oid = attrelid
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND relname <> 'alembic_version'
     ORDER BY 1, 2
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2
"""
INDEXES = """
    SELECT tablename::text, indexdef FROM pg_indexes
     WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1, 2
"""
TABLES = """
    SELECT relname::text, obj_description(oid) FROM pg_class
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' ORDER BY 1
"""


async def fetched(url: str, sql: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def described(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything PostgreSQL knows of the tables; a column's place aside, since those that were added come last."""
    found = {name: await fetched(url, sql) for name, sql in {"constraints": CONSTRAINTS, "indexes": INDEXES}.items()}
    found["tables"] = await fetched(url, TABLES)
    found["columns"] = [row[:-1] for row in await fetched(url, COLUMNS)]
    return found


async def test_the_migrations_build_exactly_the_schema(postgres_url: str, empty_postgres_url: str) -> None:
    engine = create_async_engine(empty_postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(SCHEMA.create_all)
    await engine.dispose()

    assert await described(postgres_url) == await described(empty_postgres_url)
    assert {row[0] for row in await fetched(postgres_url, TABLES)} == set(SCHEMA.tables)


async def test_all_text_is_compared_by_its_bytes(postgres_url: str) -> None:
    """A server's own order would differ from SQLite's and change with its C library."""
    collations = {row[4] for row in await fetched(postgres_url, COLUMNS) if row[2] == "text"}

    assert collations == {'"C"'}


def test_several_processes_may_migrate_at_once(empty_postgres_url: str) -> None:
    program = f"from message_contacts.storage import migrate; migrate('{empty_postgres_url}')"

    def run(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
        )

    with ThreadPoolExecutor(3) as pool:
        finished = list(pool.map(run, range(3)))

    assert [(process.returncode, process.stderr) for process in finished] == [(0, "")] * 3
    assert schema_version(empty_postgres_url) == HEAD


async def test_migrating_again_changes_nothing_and_keeps_what_is_there(postgres_url: str) -> None:
    storage = open_postgres(postgres_url, FakeClock())
    await commit(storage, Insert(make_account()))

    migrate(postgres_url)

    assert await storage.access.accounts() == [make_account()]
    await storage.finish()


async def test_the_planner_takes_every_tenant_to_be_large(postgres_url: str) -> None:
    rows = await fetched(
        postgres_url,
        "SELECT relname::text, attoptions FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attname = 'account_id'",
    )

    tables = {name for name, table in SCHEMA.tables.items() if "account_id" in table.columns}
    assert dict(rows) == {name: ["n_distinct=10"] for name in tables}


def test_a_database_without_a_schema_is_not_opened(empty_postgres_url: str) -> None:
    with pytest.raises(SchemaMismatch, match="run `message-contacts migrate`"):
        open_postgres(empty_postgres_url, FakeClock())

    assert schema_version(empty_postgres_url) is None


@pytest.mark.parametrize(("oldest_program", "opens"), [("9998", False), (HEAD, True)])
def test_a_database_of_a_later_release_says_which_programs_it_works_with(
    postgres_url: str, oldest_program: str, opens: bool
) -> None:
    asyncio.run(fetched(postgres_url, "UPDATE alembic_version SET version_num = '9999'"))
    asyncio.run(fetched(postgres_url, f"UPDATE schema_compatibility SET oldest_program = '{oldest_program}'"))

    for attempt in (lambda: migrate(postgres_url), lambda: open_postgres(postgres_url, FakeClock()).close()):
        if opens:
            attempt()
        else:
            with pytest.raises(SchemaMismatch, match="schema version 9999, which is newer than this program"):
                attempt()


async def test_a_start_on_an_empty_database_makes_the_tables_and_the_first_account(empty_postgres_url: str) -> None:
    settings = Settings(database_url=empty_postgres_url, encryption_key=KEY)

    async with await build(settings, clock=FakeClock()) as service:
        assert await service.first_start() is not None
        assert len(await service.administration.accounts()) == 1


async def test_a_start_without_an_encryption_key_is_refused(empty_postgres_url: str) -> None:
    with pytest.raises(StartError, match="MESSAGE_CONTACTS_ENCRYPTION_KEY has to be set"):
        await build(Settings(database_url=empty_postgres_url))

    assert schema_version(empty_postgres_url) is None


async def test_a_start_without_a_server_says_so_and_not_the_password() -> None:
    url = f"postgresql://tom:hunter2@127.0.0.1:{free_port()}/contacts?password=hunter3"

    with pytest.raises(StartError, match=r"postgresql://tom:\*\*\*@127.* cannot be used") as refused:
        await build(Settings(database_url=url, encryption_key=KEY))

    assert "hunter" not in str(refused.value)


def test_a_database_that_is_not_there_is_named(postgres_server: PostgresServer) -> None:
    with pytest.raises(DatabaseUnreachable, match='database "missing" does not exist'):
        migrate(postgres_server.url("missing"))


def test_the_command_migrates_checks_and_masks_the_password(
    postgres_databases: PostgresDatabases, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = empty_postgres_url.replace("tester@", "tester:hunter2@")
    monkeypatch.setenv("MESSAGE_CONTACTS_DATABASE_URL", url)

    outcomes = [
        CliRunner().invoke(commands, arguments)
        for arguments in (["migrate", "--check"], ["migrate"], ["migrate", "--check"], ["config", "show"])
    ]

    assert [outcome.exit_code for outcome in outcomes] == [1, 0, 0, 0]
    assert "run `message-contacts migrate`" in outcomes[0].stderr
    assert f"now has schema version {HEAD}" in outcomes[1].stderr
    assert "there is nothing to do" in outcomes[2].stderr
    assert "postgresql://tester:***@127.0.0.1" in outcomes[3].stdout
    assert not any("hunter2" in outcome.output for outcome in outcomes)
