"""What the writer of SQLite promises to those who wait for it: many change sets share a commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs

from message_contacts.changes import ClearInbox, Enqueue, Insert
from message_contacts.storage import open_sqlite
from message_contacts.storage.sqlite_transaction import Begun, Transactions, Waiting, WriterSeam
from message_contacts.storage.sqlite_writer import FEW_STEPS
from tests.factories import ACCOUNT, make_contact, make_directory
from tests.fakes.clock import FakeClock
from tests.storage.conftest import OpenWith
from tests.storage.making import commit, make_account, make_job
from tests.storage.seams import Gate, held


async def test_nobody_is_answered_before_the_commit_that_holds_their_change(open_with: OpenWith) -> None:
    gate = Gate()
    storage = open_with(gate)
    woken: list[str] = []
    storage.on_enqueued = woken.append
    waiting = await held(gate, commit(storage, Insert(make_account()), Enqueue(make_job())))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    assert woken == []
    assert await storage.access.account(ACCOUNT) is None

    gate.open.set()
    await waiting
    assert woken == ["email"]
    assert await storage.access.account(ACCOUNT) == make_account()


async def test_what_waits_during_a_commit_shares_the_next_one(open_with: OpenWith) -> None:
    gate = Gate()
    storage = open_with(gate)
    first = await held(gate, commit(storage, Insert(make_account())))

    others = [
        asyncio.ensure_future(commit(storage, Insert(make_account(f"20000000000000{number:02d}"))))
        for number in range(50)
    ]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *others)

    assert gate.commits == 2


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
    open_with: OpenWith, monkeypatch: pytest.MonkeyPatch
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
    await commit(storage, ClearInbox(ACCOUNT, None, "m-1"))

    assert threads == ["MainThread", "sqlite-writer", "sqlite-writer", "sqlite-writer"]


async def test_a_commit_does_not_wait_for_all_of_a_long_turn(open_with: OpenWith) -> None:
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


async def test_what_waits_is_parted_into_commits_of_so_many_steps(open_with: OpenWith) -> None:
    gate = Gate()
    storage = open_with(gate)
    first = await held(gate, commit(storage, Insert(make_account())))
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


async def test_those_who_wait_behind_a_loop_that_has_ended_are_answered(open_with: OpenWith) -> None:
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


async def test_a_change_whose_caller_went_away_is_committed_and_its_work_is_done(open_with: OpenWith) -> None:
    gate = Gate()
    storage = open_with(gate)
    woken: list[str] = []
    storage.on_enqueued = woken.append
    waiting = await held(gate, commit(storage, Insert(make_account()), Enqueue(make_job())))

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


async def test_those_of_one_loop_do_not_wait_for_another_that_has_stopped(open_with: OpenWith) -> None:
    """As when a tool uses one storage from two threads."""
    gate = Gate()
    storage = open_with(gate)
    other = asyncio.new_event_loop()

    async def ask() -> asyncio.Task[None]:
        """Leaves one change under way and one behind it."""
        await held(gate, commit(storage, Insert(make_account("2000000000000000"))))
        behind_it = asyncio.ensure_future(commit(storage, Insert(make_account("3000000000000000"))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return behind_it

    left = await asyncio.to_thread(other.run_until_complete, ask())
    behind = asyncio.ensure_future(commit(storage, Insert(make_account())))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gate.open.set()
    async with asyncio.timeout(10):
        await behind

    assert len(await storage.access.accounts()) == 3
    await asyncio.to_thread(other.run_until_complete, left)
    other.close()
