"""What becomes of a commit to SQLite that fails, or in or behind which there is a bug, and of those who wait for it."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs

from message_contacts import errors
from message_contacts.changes import Enqueue, Insert
from message_contacts.errors import ApiError
from message_contacts.storage.sqlite_checkpoint import Checkpointer
from message_contacts.storage.sqlite_transaction import WriterSeam
from tests.factories import make_contact, make_directory
from tests.storage.conftest import OpenWith
from tests.storage.making import commit, make_account, make_job
from tests.storage.seams import Gate, Spoiler, UncountingMetrics, held, woken_by_a_bug


@pytest.mark.parametrize("complaint", [apsw.IOError, apsw.FullError, apsw.BusyError])
async def test_a_failed_commit_writes_nothing_and_everybody_in_it_is_told(
    open_with: OpenWith, complaint: type[apsw.Error]
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


async def test_a_bug_during_the_commit_surfaces_and_the_next_commit_works(open_with: OpenWith) -> None:
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
    open_with: OpenWith, monkeypatch: pytest.MonkeyPatch, place: str
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


async def test_what_is_committed_but_cannot_be_counted_is_answered_as_committed(open_with: OpenWith) -> None:
    spoiler = Spoiler()
    storage = open_with(spoiler, UncountingMetrics())
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


async def test_a_bug_in_what_is_woken_does_not_hold_up_those_who_wait_behind(open_with: OpenWith) -> None:
    gate = Gate()
    storage = open_with(gate)
    storage.on_enqueued = woken_by_a_bug
    first = await held(gate, commit(storage, Insert(make_account()), Enqueue(make_job())))
    behind = asyncio.ensure_future(commit(storage, Insert(make_account("2000000000000000"))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with capture_logs() as lines:
        gate.open.set()
        async with asyncio.timeout(30):
            await first
            await behind

    assert [line["event"] for line in lines] == ["after_commit_failed"]


async def test_a_refused_change_takes_nobody_elses_with_it(open_with: OpenWith) -> None:
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


async def test_a_database_locked_for_too_long_is_unavailable(open_with: OpenWith, database_path: Path) -> None:
    storage = open_with(WriterSeam())
    with closing(apsw.Connection(str(database_path))) as blocker:
        blocker.execute("BEGIN IMMEDIATE")

        with pytest.raises(ApiError, match="ServiceUnavailable"):
            await commit(storage, Insert(make_account()))
        blocker.execute("ROLLBACK")

    assert await storage.access.accounts() == []
    await commit(storage, Insert(make_account()))
