"""PostgreSQL for the benchmarks: a server of their own, as durable as it comes, with the prepared databases in it.

Lies in build/bench/postgres and is kept, so that a database is filled once. Every run gets a copy, made by the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Table

from bench import servers
from bench.databases import Database
from bench.machine import held_in_memory
from message_contacts.storage import migrate
from message_contacts.storage.engine import Row
from message_contacts.storage.moving import Key, key_of, moved_tables
from message_contacts.storage.moving_sqlite import SqliteSide, sqlite_side
from tests.postgres import PostgresServer

#: Rows that go together.
_BATCH = 10_000
#: Beside what a fresh server has: memory for what is read again and again, and room so that no checkpoint falls into
#: every run. Commits wait for the disk, as they do by default.
_OPTIONS = {"shared_buffers": "2GB", "max_wal_size": "4GB"}


class Cluster(PostgresServer):
    """The server."""

    def __init__(self) -> None:
        super().__init__(options=_OPTIONS, careful=True)
        self.folder.rmdir()
        self.folder = servers.WORK / "postgres"
        self.data = self.folder / "data"

    @property
    def process_id(self) -> int:
        """The process whose children all others of the server are."""
        assert self.process is not None
        return self.process.pid

    def execute(self, *commands: str, database: str = "postgres") -> list[Any]:
        """Carry out commands one by one; the rows of the last."""

        async def work() -> list[Any]:
            connection = await asyncpg.connect(self.url(database))
            try:
                found: list[Any] = []
                for command in commands:
                    found = await connection.fetch(command)
                return found
            finally:
                await connection.close()

        return asyncio.run(work())

    def databases(self) -> list[str]:
        """Names of all databases."""
        return [row[0] for row in self.execute("SELECT datname FROM pg_database")]

    def drop(self, name: str) -> None:
        """Take a database away, if there is one."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def fill(self, name: str, file: Path) -> None:
        """Make a database of all that an SQLite file holds."""
        unfinished = f"{name}-unfinished"
        self.drop(unfinished)
        self.execute(f'CREATE DATABASE "{unfinished}"')
        migrate(self.url(unfinished))
        asyncio.run(_filled(file, self.url(unfinished)))
        # What many changes bring about in time: what is known of the tables, and which of their pages all may see.
        self.execute("VACUUM (ANALYZE)", "CHECKPOINT", database=unfinished)
        self.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')

    @contextlib.contextmanager
    def copy_of(self, name: str) -> Iterator[str]:
        """URL of a copy, written out and in memory; gone afterwards."""
        copy = f"copy-of-{name}"
        self.drop(copy)
        # Since release 15 a copy goes through the log unless told otherwise, which takes longer and makes work later.
        ((release,),) = self.execute("SELECT current_setting('server_version_num')::integer")
        strategy = "STRATEGY = FILE_COPY" if release >= 150_000 else ""
        self.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}" {strategy}', "CHECKPOINT")
        ((number,),) = self.execute(f"SELECT oid::bigint FROM pg_database WHERE datname = '{copy}'")
        try:
            with held_in_memory((self.data / "base" / str(number)).iterdir()):
                yield self.url(copy)
        finally:
            self.drop(copy)


@contextlib.contextmanager
def running() -> Iterator[Cluster]:
    """The server, made at first use; stopped at the end, its databases kept."""
    cluster = Cluster()
    if not (cluster.data / "PG_VERSION").exists():
        shutil.rmtree(cluster.folder, ignore_errors=True)
        cluster.folder.mkdir(parents=True)
        cluster.make()
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


class PostgresDatabase(Database):
    """The same population on PostgreSQL."""

    engine = "PostgreSQL"

    def __init__(self, tenants: int, cluster: Cluster) -> None:
        super().__init__(tenants)
        self._cluster = cluster
        self.helpers = (cluster.process_id,)

    def prepare(self) -> None:
        """Fill it from the SQLite file of the same population, unless it is there."""
        super().prepare()
        known = self._cluster.databases()
        if self.path.stem in known:
            return
        for outdated in known:
            if outdated.startswith(f"{self.contacts}-"):
                self._cluster.drop(outdated)
        start = time.perf_counter()
        self._cluster.fill(self.path.stem, self.path)
        print(f"prepared {self.name} contacts on PostgreSQL in {time.perf_counter() - start:.0f} s")

    @contextlib.contextmanager
    def copy(self) -> Iterator[str]:
        """URL of a copy of its own for one run; gone afterwards."""
        with self._cluster.copy_of(self.path.stem) as url:
            yield url


async def _filled(file: Path, url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        # The rows were checked where they come from; what points where need not be looked up again for each.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("SET synchronous_commit = off")
        async with sqlite_side(file, writes=False) as source:
            for table in moved_tables():
                columns = [column.name for column in table.columns]
                async for rows in _pages(source, table):
                    await connection.copy_records_to_table(table.name, records=rows, columns=columns)
    finally:
        await connection.close()


async def _pages(source: SqliteSide, table: Table) -> AsyncIterator[list[Row]]:
    after: Key | None = None
    while rows := await source.page(table, after, _BATCH):
        yield rows
        after = key_of(table, rows[-1])
