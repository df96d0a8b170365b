"""PostgreSQL in trouble: every wait ends, every answer is true, and all works again without a restart."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from message_contacts import errors
from message_contacts.changes import CountUp, Enqueue, Insert, Stale, Update
from message_contacts.errors import ApiError
from message_contacts.storage import Storage, migrate, open_postgres, postgres, postgres_connection, postgres_writer
from message_contacts.storage.engine import Parameters
from message_contacts.storage.postgres_connection import Connection, ConnectionLost, PostgresAddress
from tests.factories import ACCOUNT
from tests.fakes.clock import FakeClock
from tests.fakes.tcp_proxy import Loss, TcpProxy, tcp_proxy
from tests.postgres import PostgresDatabases, PostgresServer, free_port
from tests.storage.making import commit, make_account, make_job, named_contact, nonce, plant
from tests.storage.seams import UncountingMetrics, woken_by_a_bug

SOMEBODY_WAITS = """
    SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
COUNT = CountUp(ACCOUNT, "contacts", "", 100, errors.LIMIT_EXCEEDED_CONTACTS)


@pytest.fixture(params=["postgresql"])
def engine() -> str:
    """Nothing here is about SQLite."""
    return "postgresql"


@pytest.fixture
async def proxy(postgres_server: PostgresServer) -> AsyncIterator[TcpProxy]:
    async with tcp_proxy(postgres_server.port) as relay:
        yield relay


@pytest.fixture
async def storage(
    proxy: TcpProxy, postgres_server: PostgresServer, postgres_url: str, clock: FakeClock
) -> AsyncIterator[Storage]:
    """The database, seen through the relay."""
    url = postgres_url.replace(f":{postgres_server.port}/", f":{proxy.port}/")
    storage = await asyncio.to_thread(open_postgres, url, clock)  # the relay runs here
    yield storage
    proxy.flowing.set()
    await storage.finish()
    storage.close()


@asynccontextmanager
async def direct(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody else's, past the relay."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def refused(call: object) -> ApiError:
    with pytest.raises(ApiError) as refusal:
        await call  # type: ignore[misc]
    return refusal.value


LOSSES = [Loss.BEFORE, Loss.AFTER]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("signed", [True, False])
async def test_a_connection_lost_during_commit_is_answered_with_what_happened(
    storage: Storage, proxy: TcpProxy, loss: Loss, signed: bool
) -> None:
    """The change is made, once: carried out again if the server never heard of the COMMIT, else left alone."""
    await plant(storage)
    woken: list[str] = []
    storage.on_enqueued = woken.append
    proxy.loss = loss

    await commit(storage, Insert(named_contact(1)), COUNT, Enqueue(make_job()), with_nonce=nonce() if signed else None)

    assert proxy.loss is Loss.NEVER
    assert await storage.contacts.contact(ACCOUNT, named_contact(1).contact_id) == named_contact(1)
    assert await storage.verification.count(ACCOUNT, "contacts", "") == 1
    assert await storage.access.nonce_used(nonce().digest) is signed
    assert woken == ["email"]


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_whole_group_whose_commit_was_lost_is_carried_out_once(
    storage: Storage, proxy: TcpProxy, loss: Loss
) -> None:
    accounts = [f"20000000000000{number:02d}" for number in range(30)]
    await commit(storage)  # it has its connection
    proxy.loss = loss

    with capture_logs() as logs:
        await asyncio.gather(
            *(
                commit(
                    storage,
                    Insert(make_account(account)),
                    CountUp(account, "contacts", "", 9, errors.LIMIT_EXCEEDED_CONTACTS),
                    with_nonce=nonce(number),
                )
                for number, account in enumerate(accounts)
            )
        )

    assert [(entry["event"], entry["change_sets"]) for entry in logs] == [
        ("commit_answer_lost", 30),
        ("commit_outcome_found", 30),
    ]
    assert len(await storage.access.accounts()) == 30
    assert [await storage.verification.count(account, "contacts", "") for account in accounts] == [1] * 30


async def test_a_change_that_never_happened_and_cannot_any_more_is_refused(
    storage: Storage, proxy: TcpProxy, postgres_url: str
) -> None:
    """The COMMIT never reached the server, and before the change is made after all, somebody takes the name."""
    await plant(storage)
    other = open_postgres(postgres_url, FakeClock())

    async def take_the_name() -> None:
        await commit(other, Insert(named_contact(2, name=named_contact(1).name)))

    proxy.loss, proxy.then = Loss.BEFORE, take_the_name
    refusal = await refused(commit(storage, Insert(named_contact(1)), COUNT, with_nonce=nonce()))

    assert refusal.definition is errors.INVALID_PARAMETER_NAME_ALREADY_USED
    assert await storage.verification.count(ACCOUNT, "contacts", "") == 0
    assert not await storage.access.nonce_used(nonce().digest)
    await other.finish()


async def test_a_changed_row_whose_commit_was_lost_is_changed_once(storage: Storage, proxy: TcpProxy) -> None:
    """Tried again without looking, it would be taken for somebody else's change."""
    contact = named_contact(1)
    await plant(storage, contact)
    proxy.loss = Loss.AFTER

    await commit(storage, Update(contact, contact), COUNT)

    found = await storage.contacts.contact(ACCOUNT, contact.contact_id)
    assert found is not None
    assert found.version == contact.version + 1
    assert await storage.verification.count(ACCOUNT, "contacts", "") == 1


async def test_an_outcome_that_cannot_be_found_out_is_unavailable_and_logged_as_unknown(
    storage: Storage, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writer, "OUTCOME_SECONDS", 0.3)
    await commit(storage)

    back = asyncio.Event()

    async def stay_away() -> None:
        await back.wait()

    proxy.loss, proxy.then = Loss.AFTER, stay_away
    with capture_logs() as logs:
        refusal = await refused(commit(storage, Insert(make_account()), with_nonce=nonce()))
    back.set()

    assert refusal.definition is errors.SERVICE_UNAVAILABLE
    assert [entry for entry in logs if entry["event"] == "commit_outcome_unknown"] == [
        {"event": "commit_outcome_unknown", "log_level": "error", "change_sets": 1}
    ]
    assert await storage.access.account(ACCOUNT) == make_account()  # and so it had been


async def test_a_server_that_falls_silent_during_commit_is_asked_again_elsewhere(
    storage: Storage, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writer, "_TRANSACTION_SECONDS", 0.3)
    await commit(storage)
    proxy.loss = Loss.SILENT

    await commit(storage, Insert(make_account()), COUNT, with_nonce=nonce())

    assert await storage.access.account(ACCOUNT) == make_account()
    assert await storage.verification.count(ACCOUNT, "contacts", "") == 1


async def test_a_lost_transaction_that_is_still_under_way_is_waited_for(
    storage: Storage, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks too early would see nothing, and make the change a second time."""
    monkeypatch.setitem(postgres_connection._SESSION, "lock_timeout", "50ms")  # it gives up, and tries again
    holder = await asyncpg.connect(postgres_url)
    await holder.execute("BEGIN")
    # As if the lost transaction went on: its nonce is taken, and nobody knows yet whether it stays so.
    await holder.execute("INSERT INTO nonce VALUES ($1, $2)", nonce().digest, nonce().expires_at)

    async def let_go() -> None:
        loop.call_later(0.2, lambda: ending.append(loop.create_task(holder.execute("COMMIT"))))

    loop = asyncio.get_running_loop()
    ending: list[asyncio.Task[str]] = []
    waiting = postgres_writer._Waiting(
        postgres_writer.Step(postgres_writer.USE_NONCE, (nonce().digest, nonce().expires_at, 0)),
        [postgres_writer.Step("INSERT INTO account VALUES ($1, 'name', 1, 1)", (ACCOUNT,))],
        ACCOUNT,
        None,
    )
    await let_go()
    await postgres_writer._find_out(postgres_connection.PostgresAddress(postgres_url), [waiting])

    await waiting.future
    assert await storage.access.accounts() == []
    await asyncio.gather(*ending)
    await holder.close()


@pytest.mark.parametrize("cut", ["idle", "busy"])
async def test_connections_that_were_cut_are_replaced_without_anybody_noticing(
    storage: Storage, proxy: TcpProxy, cut: str
) -> None:
    await commit(storage, Insert(make_account()))
    assert await storage.access.accounts() == [make_account()]
    assert await storage.access.account(ACCOUNT) == make_account()

    if cut == "idle":
        proxy.cut()
        results = await asyncio.gather(storage.access.account(ACCOUNT), storage.access.accounts())
    else:
        proxy.flowing.clear()
        reading = asyncio.gather(storage.access.account(ACCOUNT), storage.access.accounts())
        for _ in range(10):
            await asyncio.sleep(0)
        proxy.cut()
        proxy.flowing.set()
        results = await reading
    await commit(storage, Insert(make_account("1000000000000002")))

    assert results == [make_account(), [make_account()]]


async def test_a_server_that_does_not_answer_is_given_up_and_works_again_when_it_does(
    storage: Storage, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_READ_SECONDS", 0.1)
    monkeypatch.setattr(postgres, "_REPORT_SECONDS", 0.1)
    monkeypatch.setattr(postgres_writer, "_TRANSACTION_SECONDS", 0.1)
    monkeypatch.setattr(postgres_connection, "CONNECT_SECONDS", 0.3)
    await commit(storage, Insert(make_account()))
    await storage.access.account(ACCOUNT)
    await storage.access.accounts()
    proxy.flowing.clear()

    results = await asyncio.gather(
        storage.access.account(ACCOUNT),
        storage.access.accounts(),
        storage.inbox.messages(ACCOUNT, recipient=None, after=None, limit=1),
        commit(storage, Insert(make_account("1000000000000002"))),
        return_exceptions=True,
    )

    assert {type(result) for result in results} == {ApiError}
    assert {result.definition for result in results if isinstance(result, ApiError)} == {errors.SERVICE_UNAVAILABLE}
    proxy.flowing.set()
    assert await storage.access.accounts() == [make_account()]
    await commit(storage, Insert(make_account("1000000000000002")))


async def test_a_crashed_server_is_unavailable_until_it_is_back(clock: FakeClock) -> None:
    """Nothing that was acknowledged is lost, and no process has to be started anew."""
    server = PostgresServer(options={"synchronous_commit": "on"}).make().start()
    try:
        migrate(server.url())
        storage = open_postgres(server.url(), clock)
        await commit(storage, Insert(make_account()))
        await storage.access.accounts()
        for number in (signal.SIGINT, signal.SIGKILL):
            server.stop(number)
            results = await asyncio.gather(
                storage.access.account(ACCOUNT),
                storage.access.accounts(),
                commit(storage, Insert(make_account("1000000000000002"))),
                return_exceptions=True,
            )
            assert [getattr(result, "definition", result) for result in results] == [errors.SERVICE_UNAVAILABLE] * 3
            server.start()
            assert await storage.access.accounts() == [make_account()]
            assert await storage.access.account(ACCOUNT) == make_account()
            await commit(storage, with_nonce=nonce(number))
        await storage.finish()
    finally:
        server.remove()


@pytest.fixture
def one_reader(postgres_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """A storage with a single connection for reads, for which nobody waits long."""
    monkeypatch.setattr(postgres, "_CONNECTION_SECONDS", 0.05)
    storage = open_postgres(postgres_url, clock, connections=postgres.LEAST_CONNECTIONS)
    yield storage
    storage.close()


async def test_a_connection_whose_time_is_up_as_its_answer_comes_is_lost(postgres_url: str) -> None:
    class Late(Connection):
        async def fetch(self, sql: str, parameters: Parameters) -> list[Any]:
            rows = await super().fetch(sql, parameters)
            self.close()
            return rows

    for call in (Late.execute, Late.fetch_and_count):
        connection = Late(await PostgresAddress(postgres_url).connect())
        with pytest.raises(ConnectionLost):
            await call(connection, "SELECT 1", ())


async def test_a_column_of_another_type_costs_the_connection_and_nothing_more(postgres_url: str) -> None:
    async with direct(postgres_url) as owner:
        storage = await asyncio.to_thread(open_postgres, postgres_url, FakeClock())
        await commit(storage, with_nonce=nonce())
        assert await storage.access.nonce_used(nonce().digest)
        await owner.execute("ALTER TABLE nonce ALTER expires_at TYPE numeric")

        assert await storage.access.nonce_used(nonce().digest)
        storage.close()


async def test_waiting_for_a_free_connection_ends(one_reader: Storage) -> None:
    database = one_reader._database
    held = await database._reading.take()  # type: ignore[attr-defined]

    refusal = await refused(one_reader.access.account(ACCOUNT))
    assert refusal.definition is errors.SERVICE_UNAVAILABLE

    waiting = asyncio.ensure_future(one_reader.access.account(ACCOUNT))
    await asyncio.sleep(0)
    database._reading.give_back(held)  # type: ignore[attr-defined]
    assert await waiting is None
    await one_reader.finish()


async def test_a_caller_that_goes_away_takes_no_connection_with_it(one_reader: Storage) -> None:
    for _ in range(3):
        going = asyncio.ensure_future(one_reader._database.rows("SELECT 1 FROM pg_sleep(60)", ()))
        for _ in range(20):
            await asyncio.sleep(0)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)

    assert await one_reader.access.account(ACCOUNT) is None
    await one_reader.finish()


async def test_a_server_with_too_many_connections_is_unavailable(
    postgres_url: str, postgres_databases: PostgresDatabases, clock: FakeClock
) -> None:
    postgres_databases.execute("DROP ROLE IF EXISTS limited")
    postgres_databases.execute("CREATE ROLE limited LOGIN")
    async with direct(postgres_url) as connection:
        await connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO limited")
    storage = open_postgres(postgres_url.replace("tester@", "limited@"), clock)
    postgres_databases.execute("ALTER ROLE limited CONNECTION LIMIT 0")

    for call in (storage.access.account(ACCOUNT), storage.access.accounts(), commit(storage, Insert(make_account()))):
        assert (await refused(call)).definition is errors.SERVICE_UNAVAILABLE

    postgres_databases.execute("ALTER ROLE limited CONNECTION LIMIT 10")
    await commit(storage, Insert(make_account()))
    await storage.finish()


async def test_locks_that_others_hold_for_too_long_are_others_in_the_way(
    postgres_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres_connection._SESSION, "lock_timeout", "50ms")
    storage = open_postgres(postgres_url, clock)
    await commit(storage, COUNT)
    async with direct(postgres_url) as blocker:
        await blocker.execute("BEGIN")
        await blocker.execute("SELECT 1 FROM counter FOR UPDATE")

        with pytest.raises(Stale):
            await commit(storage, COUNT)
        await commit(storage, Insert(make_account()))  # nobody else is held up
        await blocker.execute("ROLLBACK")

    await commit(storage, COUNT)
    assert await storage.verification.count(ACCOUNT, "contacts", "") == 2
    await storage.finish()


async def test_who_loses_a_deadlock_decides_again(postgres_url: str, clock: FakeClock) -> None:
    storage = open_postgres(postgres_url, clock)
    await plant(storage, named_contact(1))
    await commit(storage, COUNT)
    async with direct(postgres_url) as other:
        await other.execute("SET deadlock_timeout = '60s'")  # the loser is to be the storage
        await other.execute("BEGIN")
        await other.execute("SELECT 1 FROM counter FOR UPDATE")
        losing = asyncio.ensure_future(commit(storage, Update(named_contact(1), named_contact(1)), COUNT))
        while not await other.fetchval(SOMEBODY_WAITS):
            pass

        await other.execute("SELECT 1 FROM contact FOR UPDATE")

        with pytest.raises(Stale):
            await losing
        await other.execute("ROLLBACK")
    await storage.finish()


async def test_a_primary_that_became_a_standby_is_left_for_the_one_that_takes_writes(
    postgres_url: str, clock: FakeClock
) -> None:
    storage = open_postgres(postgres_url, clock)
    await commit(storage, Insert(make_account()))
    connection = storage._database._writer._connection  # type: ignore[attr-defined]
    await connection.command("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")

    await commit(storage, Insert(make_account("1000000000000002")))

    assert len(await storage.access.accounts()) == 2
    await storage.finish()


async def test_of_several_hosts_the_first_that_takes_writes_is_used(
    postgres_url: str, postgres_server: PostgresServer, clock: FakeClock
) -> None:
    alive = f"127.0.0.1:{postgres_server.port}"
    storage = open_postgres(postgres_url.replace(alive, f"127.0.0.1:{free_port()},{alive}"), clock)

    await commit(storage, Insert(make_account()))

    assert await storage.access.account(ACCOUNT) == make_account()
    await storage.finish()


async def test_a_bug_is_told_without_the_values_it_is_about(postgres_url: str, clock: FakeClock) -> None:
    """PostgreSQL puts the values of a row into its complaints, and those may be somebody's address."""
    storage = open_postgres(postgres_url, clock)

    with pytest.raises(postgres_connection.DatabaseComplaint) as complaint:
        await storage._database.write("UPDATE counter SET value = 'tom@example.com'::int", ())

    assert "tom" not in str(complaint.value)
    assert complaint.value.__cause__ is None
    await storage.finish()


async def test_closing_finishes_what_waits(postgres_url: str, clock: FakeClock) -> None:
    storage = open_postgres(postgres_url, clock)
    waiting = [
        asyncio.ensure_future(commit(storage, Insert(make_account(f"20000000000000{number:02d}"))))
        for number in range(50)
    ]
    await asyncio.sleep(0)

    await storage.finish()
    storage.close()
    await asyncio.gather(*waiting)

    with pytest.raises(RuntimeError, match="closed"):
        await commit(storage, Insert(make_account()))
    again = open_postgres(postgres_url, clock)
    assert len(await again.access.accounts()) == 50
    await again.finish()


async def test_closing_at_once_answers_everybody(postgres_url: str, clock: FakeClock) -> None:
    storage = open_postgres(postgres_url, clock)
    waiting = [
        asyncio.ensure_future(commit(storage, Insert(make_account(f"20000000000000{number:02d}"))))
        for number in range(5)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.append(asyncio.ensure_future(commit(storage, Insert(make_account()))))
    await asyncio.sleep(0)
    storage.close()

    async with asyncio.timeout(30):
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [ApiError] * 6


async def test_a_bug_behind_a_commit_is_logged_and_everybody_is_answered_as_committed(
    postgres_url: str, clock: FakeClock
) -> None:
    storage = open_postgres(postgres_url, clock, metrics=UncountingMetrics())
    storage.on_enqueued = woken_by_a_bug
    with capture_logs() as lines:
        await asyncio.gather(
            commit(storage, Enqueue(make_job(1))),
            *(commit(storage, Insert(make_account(f"20000000000000{number:02d}"))) for number in range(3)),
        )
    assert {line["event"] for line in lines} == {"after_commit_failed"}
    assert len(await storage.access.accounts()) == 3
    await storage.finish()


async def test_a_change_whose_caller_went_away_is_committed_and_its_work_is_done(
    postgres_url: str, clock: FakeClock
) -> None:
    storage = open_postgres(postgres_url, clock)
    woken: list[str] = []
    storage.on_enqueued = woken.append
    going = asyncio.ensure_future(commit(storage, Insert(make_account()), Enqueue(make_job())))
    await asyncio.sleep(0)

    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    await storage.finish()

    assert going.cancelled()
    assert woken == ["email"]


async def test_what_waits_during_a_commit_shares_the_next_one(postgres_url: str, clock: FakeClock) -> None:
    sizes: list[int] = []

    class Counting(postgres_writer.WriterSeam):
        def committing(self, change_sets: int) -> None:
            sizes.append(change_sets)

    storage = open_postgres(postgres_url, clock, seam=Counting())
    accounts = [make_account(f"20000000000000{number:02d}") for number in range(60)]

    await asyncio.gather(*(commit(storage, Insert(account)) for account in accounts))

    assert sum(sizes) == 60
    assert len(sizes) < 10
    await storage.finish()


async def test_one_refused_change_set_costs_its_group_a_few_more_tries_only(
    postgres_url: str, clock: FakeClock
) -> None:
    storage = open_postgres(postgres_url, clock)
    await commit(storage, Insert(make_account("2000000000000013")))

    results = await asyncio.gather(
        *(commit(storage, Insert(make_account(f"20000000000000{number:02d}"))) for number in range(60)),
        return_exceptions=True,
    )

    assert [type(result) for number, result in enumerate(results) if number != 13] == [type(None)] * 59
    assert type(results[13]) is Stale
    await storage.finish()
