"""What the writer of SQLite promises to those who wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs

from message_contacts import errors
from message_contacts.changes import Enqueue, Insert
from message_contacts.errors import ApiError
from message_contacts.metrics import Metrics
from message_contacts.storage import Storage, open_sqlite
from message_contacts.storage.sqlite_checkpoint import Checkpointer
from message_contacts.storage.sqlite_transaction import Begun, Transactions, Waiting, WriterSeam
from message_contacts.storage.sqlite_writer import FEW_STEPS
from tests.factories import ACCOUNT, make_contact, make_directory
from tests.fakes.clock import FakeClock
from tests.storage.making import commit, make_account, make_job


class Gate(WriterSeam):
    """Holds commits, just before they are durable, until the test lets them go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.commits = 0

    def committing(self, connection: apsw.Connection) -> None:
        self.commits += 1
        self.reached.set()
        assert self.open.wait(timeout=30)


class Spoiler(WriterSeam):
    """Makes the next commits fail as the disk would."""

    def __init__(self) -> None:
        self.complaint: Exception | None = None

    def committing(self, connection: apsw.Connection) -> None:
        if self.complaint is not None:
            raise self.complaint


@pytest.fixture
def open_with(database_path: Path) -> Iterator[Callable[[WriterSeam], Storage]]:
    opened: list[Storage] = []

    def open_one(seam: WriterSeam) -> Storage:
        opened.append(open_sqlite(database_path, FakeClock(), busy_seconds=0.05, seam=seam))
        return opened[-1]

    yield open_one
    for storage in opened:
        storage.close()


async def test_nobody_is_answered_before_the_commit_that_holds_their_change(
    open_with: Callable[[WriterSeam], Storage],
) -> None:
    gate = Gate()
    storage = open_with(gate)
    woken: list[str] = []
    storage.on_enqueued = woken.append
    gate.open.clear()

    waiting = asyncio.ensure_future(commit(storage, Insert(make_account()), Enqueue(make_job())))
    await asyncio.to_thread(gate.reached.wait, 30)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert woken == []
    assert await storage.access.account(ACCOUNT) is None

    gate.open.set()
    await waiting
    assert woken == ["email"]
    assert await storage.access.account(ACCOUNT) == make_account()


async def test_what_waits_during_a_commit_shares_the_next_one(open_with: Callable[[WriterSeam], Storage]) -> None:
    gate = Gate()
    storage = open_with(gate)
    gate.open.clear()
    first = asyncio.ensure_future(commit(storage, Insert(make_account())))
    await asyncio.to_thread(gate.reached.wait, 30)

    others = [
        asyncio.ensure_future(commit(storage, Insert(make_account(f"20000000000000{number:02d}"))))
        for number in range(50)
    ]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *others)

    assert gate.commits == 2


@pytest.mark.parametrize("complaint", [apsw.IOError, apsw.FullError, apsw.BusyError])
async def test_a_failed_commit_writes_nothing_and_everybody_in_it_is_told(
    open_with: Callable[[WriterSeam], Storage], complaint: type[apsw.Error]
) -> None:
    spoiler = Spoiler()
    storage = open_with(spoiler)
    spoiler.complaint = complaint("made up")

    results = await asyncio.gather(
        *(commit(storage, Insert(make_account(f"20000000000000{number:02d}"))) for number in range(20)),
        return_exceptions=True,
    )
    spoiler.complaint = None

    assert {result.definition for result in results if isinstance(result, ApiError)} == {errors.SERVICE_UNAVAILABLE}
    assert len(results) == 20
    assert await storage.access.accounts() == []
    await commit(storage, Insert(make_account()))


async def test_a_bug_during_the_commit_surfaces_and_the_next_commit_works(
    open_with: Callable[[WriterSeam], Storage],
) -> None:
    spoiler = Spoiler()
    storage = open_with(spoiler)
    spoiler.complaint = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        await commit(storage, Insert(make_account()))
    spoiler.complaint = None

    assert await storage.access.accounts() == []
    await commit(storage, Insert(make_account()))


@pytest.mark.parametrize("place", ["committed", "force"])
async def test_a_bug_behind_a_commit_is_logged_and_the_next_commit_works(
    open_with: Callable[[WriterSeam], Storage], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    storage = open_with(WriterSeam())
    if place == "force":
        monkeypatch.setattr(Checkpointer, "committed", lambda _: True)
    monkeypatch.setattr(Checkpointer, place, _divided)
    with capture_logs() as lines:
        async with asyncio.timeout(30):
            await commit(storage, Insert(make_account()))
            await commit(storage, Insert(make_account("2000000000000000")))

    assert {line["event"] for line in lines} == {"after_commit_failed"}
    assert len(await storage.access.accounts()) == 2


def _divided(_: object) -> bool:
    raise ZeroDivisionError


class UncountingMetrics(Metrics):
    """Has a bug in what it counts of commits."""

    def committed(self, changes: int, seconds: float) -> None:
        raise ZeroDivisionError

    def commit_failed(self) -> None:
        raise ZeroDivisionError


async def test_what_is_committed_but_cannot_be_counted_is_answered_as_committed(database_path: Path) -> None:
    spoiler = Spoiler()
    with open_sqlite(
        database_path, FakeClock(), busy_seconds=0.05, seam=spoiler, metrics=UncountingMetrics()
    ) as storage:
        with capture_logs() as lines:
            async with asyncio.timeout(30):
                await commit(storage, Insert(make_account()))
                spoiler.complaint = apsw.FullError("made up")
                with pytest.raises(ApiError, match="ServiceUnavailable"):
                    await commit(storage, Insert(make_account("2000000000000000")))
                spoiler.complaint = None
                await commit(storage, Insert(make_account("3000000000000000")))

        assert [line["event"] for line in lines if line["event"] != "commit_failed"] == ["after_commit_failed"] * 3
        assert len(await storage.access.accounts()) == 2


async def test_a_bug_in_what_is_woken_does_not_hold_up_those_who_wait_behind(
    open_with: Callable[[WriterSeam], Storage],
) -> None:
    gate = Gate()
    storage = open_with(gate)
    storage.on_enqueued = _woken_by_a_bug
    gate.open.clear()
    first = asyncio.ensure_future(commit(storage, Insert(make_account()), Enqueue(make_job())))
    await asyncio.to_thread(gate.reached.wait, 30)
    behind = asyncio.ensure_future(commit(storage, Insert(make_account("2000000000000000"))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with capture_logs() as lines:
        gate.open.set()
        async with asyncio.timeout(30):
            await first
            await behind

    assert [line["event"] for line in lines] == ["after_commit_failed"]


def _woken_by_a_bug(_channel: str) -> None:
    raise ZeroDivisionError


async def test_a_database_locked_for_too_long_is_unavailable(
    open_with: Callable[[WriterSeam], Storage], database_path: Path
) -> None:
    storage = open_with(WriterSeam())
    with closing(apsw.Connection(str(database_path))) as blocker:
        blocker.execute("BEGIN IMMEDIATE")

        with pytest.raises(ApiError, match="ServiceUnavailable"):
            await commit(storage, Insert(make_account()))
        blocker.execute("ROLLBACK")

    assert await storage.access.accounts() == []
    await commit(storage, Insert(make_account()))


async def test_while_another_process_writes_the_event_loop_goes_on(database_path: Path) -> None:
    with (
        open_sqlite(database_path, FakeClock(), busy_seconds=30.0) as storage,
        closing(apsw.Connection(str(database_path))) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(commit(storage, Insert(make_account())))
        for _ in range(20):
            await asyncio.sleep(0)
            assert await storage.access.account(ACCOUNT) is None
        assert not waiting.done()

        other.execute("ROLLBACK")
        await waiting
        assert await storage.access.account(ACCOUNT) == make_account()


async def test_what_is_short_is_carried_out_by_the_loop_and_the_rest_by_the_thread(
    open_with: Callable[[WriterSeam], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    begin = Transactions.begin

    def watched(self: Transactions, batch: Sequence[Waiting], *, wait: bool) -> Begun:
        threads.append(threading.current_thread().name)
        return begin(self, batch, wait=wait)

    monkeypatch.setattr(Transactions, "begin", watched)
    storage = open_with(WriterSeam())
    await commit(storage, Insert(make_account()))
    await commit(storage, *(Insert(make_account(f"20000000000000{number:02d}")) for number in range(FEW_STEPS + 1)))
    await storage._database.write("DELETE FROM nonce", ())

    assert threads == ["MainThread", "sqlite-writer", "sqlite-writer"]


async def test_a_commit_does_not_wait_for_all_of_a_long_turn(open_with: Callable[[WriterSeam], Storage]) -> None:
    gate = Gate()
    storage = open_with(gate)
    gate.open.clear()
    changes = [
        asyncio.ensure_future(commit(storage, Insert(make_account(f"20000000000000{number:02d}"))))
        for number in range(50)
    ]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(gate.reached.wait, 30)
    gate.open.set()
    await asyncio.gather(*changes)

    assert gate.commits == 2
    assert len(await storage.access.accounts()) == 50


async def test_what_waits_is_parted_into_commits_of_so_many_steps(open_with: Callable[[WriterSeam], Storage]) -> None:
    gate = Gate()
    storage = open_with(gate)
    gate.open.clear()
    first = asyncio.ensure_future(commit(storage, Insert(make_account())))
    await asyncio.to_thread(gate.reached.wait, 30)
    others = [
        asyncio.ensure_future(
            commit(storage, *(Insert(make_account(f"20000000000{number:03d}{step:02d}")) for step in range(32)))
        )
        for number in range(12)  # 384 steps
    ]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *others)

    assert gate.commits == 3
    assert len(await storage.access.accounts()) == 1 + 12 * 32


async def test_those_who_wait_behind_a_loop_that_has_ended_are_answered(
    open_with: Callable[[WriterSeam], Storage],
) -> None:
    gate = Gate()
    storage = open_with(gate)
    gate.open.clear()

    async def ends_meanwhile() -> None:
        """Leaves one change under way and one behind it."""
        first = asyncio.ensure_future(commit(storage, Insert(make_account("2000000000000000"))))
        await asyncio.sleep(0)
        await asyncio.to_thread(gate.reached.wait, 30)
        second = asyncio.ensure_future(commit(storage, Insert(make_account("3000000000000000"))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for left in (first, second):
            left.cancel()

    await asyncio.to_thread(asyncio.run, ends_meanwhile())
    behind = asyncio.ensure_future(commit(storage, Insert(make_account())))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with capture_logs() as lines:
        gate.open.set()
        await behind

    assert {line["event"] for line in lines} == {"commit_unheard"}
    assert len(await storage.access.accounts()) == 3


async def test_a_change_whose_caller_went_away_is_committed_and_its_work_is_done(
    open_with: Callable[[WriterSeam], Storage],
) -> None:
    gate = Gate()
    storage = open_with(gate)
    woken: list[str] = []
    storage.on_enqueued = woken.append
    gate.open.clear()
    waiting = asyncio.ensure_future(commit(storage, Insert(make_account()), Enqueue(make_job())))
    await asyncio.to_thread(gate.reached.wait, 30)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gate.open.set()
    await commit(storage)

    assert waiting.cancelled()
    assert woken == ["email"]
    assert await storage.access.account(ACCOUNT) == make_account()


async def test_closing_finishes_what_waits(database_path: Path) -> None:
    storage = open_sqlite(database_path, FakeClock())
    waiting = [
        asyncio.ensure_future(commit(storage, Insert(make_account(f"20000000000000{number:02d}"))))
        for number in range(50)
    ]
    await asyncio.sleep(0)

    storage.close()
    await asyncio.gather(*waiting)

    with pytest.raises(RuntimeError, match="closed"):
        await commit(storage, Insert(make_account()))
    with open_sqlite(database_path, FakeClock()) as again:
        assert len(await again.access.accounts()) == 50


def test_one_storage_serves_one_event_loop_after_another(database_path: Path) -> None:
    """As the command line does."""
    with open_sqlite(database_path, FakeClock()) as storage:
        asyncio.run(commit(storage, Insert(make_directory())))
        asyncio.run(commit(storage, Insert(make_contact())))

        assert asyncio.run(storage.contacts.contact(ACCOUNT, make_contact().contact_id)) == make_contact()


async def test_the_log_is_moved_into_the_database_before_it_grows_past_its_bound(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from message_contacts.storage import sqlite_checkpoint  # noqa: PLC0415 - patched

    monkeypatch.setattr(sqlite_checkpoint, "BACKGROUND_PAGES", 20)
    monkeypatch.setattr(sqlite_checkpoint, "FORCED_PAGES", 60)
    log = database_path.with_name(database_path.name + "-wal")
    with open_sqlite(database_path, FakeClock()) as storage:
        for number in range(300):
            await commit(storage, Insert(make_account(f"2{number:015d}", name="n" * 3000)))

        assert log.stat().st_size < 200 * 4096
        assert len(await storage.access.accounts()) == 300


def test_the_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    from message_contacts.storage import migrate  # noqa: PLC0415 - only here

    migrate(f"sqlite:///{tmp_path / 'new.db'}")
    with open_sqlite(tmp_path / "new.db", FakeClock()):
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert modes == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}


async def test_a_refused_change_takes_nobody_elses_with_it(open_with: Callable[[WriterSeam], Storage]) -> None:
    gate = Gate()
    storage = open_with(gate)
    await commit(storage, Insert(make_account()), Insert(make_directory()), Insert(make_contact()))
    before = gate.commits

    for turn in range(3):  # the commit behind one with a refusal goes another way
        results = await asyncio.gather(
            *(commit(storage, Insert(make_account(f"200000000000{turn}{number:03d}"))) for number in range(7)),
            commit(storage, Insert(make_account(f"30000000000000{turn:02d}")), Insert(make_contact())),
            *(commit(storage, Insert(make_account(f"400000000000{turn}{number:03d}"))) for number in range(7)),
            return_exceptions=True,
        )
        (refused,) = [result for result in results if result is not None]
        assert isinstance(refused, ApiError)
        assert refused.definition is errors.INVALID_PARAMETER_NAME_ALREADY_USED
    await commit(storage, Insert(make_account("5000000000000000")))
    await commit(storage, Insert(make_account("5000000000000001")))

    assert gate.commits == before + 5
    accounts = {account.account_id for account in await storage.access.accounts()}
    assert len(accounts) == 1 + 3 * 14 + 2
    assert not any(account_id.startswith("3") for account_id in accounts)
