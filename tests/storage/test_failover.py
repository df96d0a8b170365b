"""A primary with a synchronous standby: the primary is killed under load and the standby takes over."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Iterator

import asyncpg
import pytest
from structlog.testing import capture_logs

from message_contacts import errors
from message_contacts.changes import CountUp, Insert
from message_contacts.clock import SystemClock
from message_contacts.errors import ApiError
from message_contacts.storage import Storage, migrate, open_postgres
from tests.factories import make_directory
from tests.postgres import PostgresServer
from tests.storage.making import commit, named_contact, nonce

CLIENTS = 16
#: Changes acknowledged before the primary is killed, and again afterwards.
ENOUGH = 200


@pytest.fixture
def engine() -> str:
    """Nothing here is about SQLite."""
    return "postgresql"


@pytest.fixture
def pair() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """A primary with our tables, and a standby without which it acknowledges nothing."""
    options = {"synchronous_commit": "on", "wal_level": "replica", "max_wal_senders": "4", "hot_standby": "on"}
    primary, standby = PostgresServer(options=options), PostgresServer(options=options)
    try:
        primary.make().start()
        migrate(primary.url())
        standby.run(
            "pg_basebackup", "--pgdata", str(standby.data), "--write-recovery-conf", "--checkpoint", "fast",
            "--dbname", f"host=127.0.0.1 port={primary.port} user=tester application_name=standby",
        )  # fmt: skip
        standby.start()
        asyncio.run(wait_for_standby(primary.url()))
        yield primary, standby
    finally:
        primary.remove()
        standby.remove()


async def wait_for_standby(primary_url: str) -> None:
    connection = await asyncpg.connect(primary_url)
    await connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    await connection.execute("SELECT pg_reload_conf()")
    while not await connection.fetchval("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"):
        pass
    await connection.close()


class Load:
    """Callers that add contacts, one after the other, and keep what they were told."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._numbers = itertools.count()
        self._expires_at = SystemClock().now() + 10**7
        self.acknowledged: set[int] = set()
        #: Codes of the refusals.
        self.refused: set[str] = set()
        self.stopping = False

    async def caller(self, account_id: str) -> None:
        for number in self._numbers:
            if self.stopping:
                return
            try:
                await commit(
                    self._storage,
                    Insert(named_contact(number, account_id=account_id)),
                    CountUp(account_id, "contacts", "", 10**6, errors.LIMIT_EXCEEDED_CONTACTS),
                    with_nonce=nonce(number, expires_at=self._expires_at),
                )
                self.acknowledged.add(number)
            except ApiError as refusal:
                self.refused.add(refusal.definition.code)
                await asyncio.sleep(0.01)  # as a caller does who is told so

    async def until_acknowledged(self, more: int) -> None:
        enough = len(self.acknowledged) + more
        async with asyncio.timeout(60):
            while len(self.acknowledged) < enough:  # noqa: ASYNC110 - only looks on
                await asyncio.sleep(0.005)


async def test_no_acknowledged_change_is_lost_and_none_is_made_twice(
    pair: tuple[PostgresServer, PostgresServer],
) -> None:
    primary, standby = pair
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    url = f"postgresql://tester@{hosts}/postgres?target_session_attrs=read-write"
    storage = open_postgres(url, SystemClock())
    accounts = [f"20000000000000{number:02d}" for number in range(CLIENTS)]
    for account_id in accounts:
        directory = make_directory(account_id=account_id, directory_id=f"rd-{account_id}", root_folder_id="r-AbCdEf")
        await commit(storage, Insert(directory))
    load = Load(storage)

    with capture_logs() as logs:
        async with asyncio.TaskGroup() as group:
            for account_id in accounts:
                group.create_task(load.caller(account_id))
            await load.until_acknowledged(ENOUGH)
            await asyncio.to_thread(primary.stop, signal.SIGKILL)
            await asyncio.to_thread(standby.run, "pg_ctl", "promote", "--pgdata", str(standby.data))
            await load.until_acknowledged(ENOUGH)
            load.stopping = True

    unknown = sum(entry["change_sets"] for entry in logs if entry["event"] == "commit_outcome_unknown")
    connection = await asyncpg.connect(standby.url())
    rows = await connection.fetch("SELECT contact_id FROM contact")
    await connection.close()
    kept = {int(row[0].removeprefix("c-")) for row in rows}
    assert load.acknowledged <= kept
    assert len(kept - load.acknowledged) <= unknown
    counted = [await storage.verification.count(account_id, "contacts", "") for account_id in accounts]
    assert sum(counted) == len(kept) == len(rows)
    assert load.refused <= {"ServiceUnavailable"}
    await storage.finish()
