"""PostgreSQL's own way of backing up, as docs/guide/backup.md has it: what comes back is all there, and works."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from message_contacts.changes import Enqueue, Insert
from message_contacts.clock import SystemClock
from message_contacts.storage import open_postgres
from message_contacts.storage.migrate import HEAD, schema_version
from message_contacts.storage.schema import SCHEMA
from tests.factories import ACCOUNT
from tests.postgres import PostgresDatabases, PostgresServer, program
from tests.storage.making import commit, make_account, make_job, named_contact, plant


async def fetched(url: str, *queries: str) -> list[list[tuple[Any, ...]]]:
    connection = await asyncpg.connect(url)
    try:
        return [[tuple(row) for row in await connection.fetch(query)] for query in queries]
    finally:
        await connection.close()


async def rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    names = [*SCHEMA.tables, "alembic_version"]
    found = await fetched(url, *(f'SELECT * FROM "{name}"' for name in names))
    return {name: sorted(rows, key=repr) for name, rows in zip(names, found, strict=True)}


def run(name: str, *arguments: str) -> None:
    finished = subprocess.run(
        [program(name), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        check=False, text=True,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout


def dump(url: str, file: Path) -> None:
    run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}", url)


def load(file: Path, url: str) -> None:
    run(
        "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", f"--dbname={url}",
        str(file),
    )  # fmt: skip


async def fill(url: str) -> None:
    storage = open_postgres(url, SystemClock())
    try:
        await plant(storage, make_account(), *(named_contact(number) for number in range(50)))
        await storage.finish()
    finally:
        storage.close()


async def test_a_dump_restored_into_an_empty_database_is_the_same_and_works(
    postgres_url: str, empty_postgres_url: str, tmp_path: Path
) -> None:
    await fill(postgres_url)
    before = await rows(postgres_url)
    await asyncio.to_thread(dump, postgres_url, tmp_path / "contacts.dump")
    await asyncio.to_thread(load, tmp_path / "contacts.dump", empty_postgres_url)
    await fetched(empty_postgres_url, "ANALYZE")

    assert await rows(empty_postgres_url) == before
    assert len(before["contact"]) == 50
    assert await asyncio.to_thread(schema_version, empty_postgres_url) == HEAD
    storage = open_postgres(empty_postgres_url, SystemClock())
    try:
        await commit(storage, Insert(named_contact(1000)), Enqueue(make_job()))
        _, count = await storage.contacts.contact_page(ACCOUNT, contact_id=None, node_id=None, offset=0, limit=1)
        await storage.finish()
    finally:
        storage.close()
    assert count == 51


async def test_constraints_and_indexes_come_back_too(
    postgres_url: str, empty_postgres_url: str, tmp_path: Path
) -> None:
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef"
    constraints = """
        SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace ORDER BY conname
    """
    columns = """
        SELECT table_name, column_name, data_type, collation_name, is_nullable FROM information_schema.columns
         WHERE table_schema = 'public' ORDER BY table_name, column_name
    """
    queries = (indexes, constraints, columns)
    await asyncio.to_thread(dump, postgres_url, tmp_path / "contacts.dump")
    await asyncio.to_thread(load, tmp_path / "contacts.dump", empty_postgres_url)

    assert await fetched(empty_postgres_url, *queries) == await fetched(postgres_url, *queries)


async def test_a_dump_made_while_others_write_has_all_that_was_acknowledged_before(
    postgres_url: str, empty_postgres_url: str, tmp_path: Path
) -> None:
    await fill(postgres_url)
    storage = open_postgres(postgres_url, SystemClock())
    acknowledged: list[str] = []

    async def write() -> None:
        for number in range(10**6):
            account_id = f"7{number:015d}"
            await commit(storage, Insert(make_account(account_id)))
            acknowledged.append(account_id)

    writing = asyncio.create_task(write())
    try:
        while len(acknowledged) < 100:
            await asyncio.wait([writing], timeout=0.01)
        before = set(acknowledged)
        await asyncio.to_thread(dump, postgres_url, tmp_path / "contacts.dump")
    finally:
        writing.cancel()
        await asyncio.wait([writing])
        await storage.finish()
        storage.close()
    await asyncio.to_thread(load, tmp_path / "contacts.dump", empty_postgres_url)

    ((*found,),) = await fetched(empty_postgres_url, "SELECT account_id FROM account")
    assert before <= {account_id for (account_id,) in found}
    assert len(acknowledged) > len(before)  # somebody did write meanwhile


async def test_a_dump_that_is_cut_off_is_not_half_restored(
    postgres_url: str, empty_postgres_url: str, tmp_path: Path
) -> None:
    await fill(postgres_url)
    file = tmp_path / "contacts.dump"
    await asyncio.to_thread(dump, postgres_url, file)
    os.truncate(file, os.stat(file).st_size * 3 // 4)
    finished = await asyncio.to_thread(
        subprocess.run,
        [program("pg_restore"), "--exit-on-error", "--single-transaction", f"--dbname={empty_postgres_url}", str(file)],
        capture_output=True,
        check=False,
    )

    assert finished.returncode != 0
    assert await fetched(empty_postgres_url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == [[]]


@pytest.fixture
def archived_server() -> Iterator[PostgresServer]:
    """A server that archives its write-ahead log, and is removed at the end."""
    server = PostgresServer(careful=True)
    archive = server.folder / "archive"
    server._options |= {
        "wal_level": "replica",
        "archive_mode": "on",
        "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f",
        "max_wal_senders": "3",
    }
    try:
        server.make()
        archive.mkdir()
        give(server, archive)
        yield server.start()
    finally:
        server.remove()


def give(server: PostgresServer, path: Path) -> None:
    """Let the server's user have it."""
    if server.user is not None:
        shutil.chown(path, server.user)


async def test_a_base_backup_and_the_archive_lead_back_to_a_moment(archived_server: PostgresServer) -> None:
    """What was committed before the moment is there, what was committed after it is not."""
    server = archived_server
    databases = PostgresDatabases(server)
    try:
        url = await asyncio.to_thread(databases.new)
        await fill(url)
        base = server.folder / "base"
        await asyncio.to_thread(
            server.run, "pg_basebackup", "--pgdata", str(base), "--wal-method=stream", "--checkpoint=fast",
            "--host", "127.0.0.1", "--port", str(server.port), "--username", "tester",
        )  # fmt: skip
        await asyncio.to_thread(server.run, "pg_verifybackup", str(base))
        storage = open_postgres(url, SystemClock())
        await commit(storage, Insert(make_account("7000000000000001")))
        (((moment,),),) = await fetched(url, "SELECT clock_timestamp()::text")
        await commit(storage, Insert(make_account("7000000000000002")))
        await storage.finish()
        storage.close()
        await fetched(url, "SELECT pg_switch_wal()")
    finally:
        await asyncio.to_thread(databases.close)
    await asyncio.to_thread(server.stop, signal.SIGINT)  # ends when the archive has all of it

    (base / "recovery.signal").touch()
    give(server, base / "recovery.signal")
    server.data = base
    server._options |= {
        "restore_command": f"cp {server.folder / 'archive'}/%f %p",
        "recovery_target_time": moment,
        "recovery_target_action": "promote",
        "archive_mode": "off",
    }
    await asyncio.to_thread(server.start)

    accounts, versions = await fetched(url, "SELECT account_id FROM account", "SELECT version_num FROM alembic_version")
    assert ("7000000000000001",) in accounts
    assert ("7000000000000002",) not in accounts
    assert versions == [(HEAD,)]
