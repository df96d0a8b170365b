from __future__ import annotations

import pytest

from message_contacts import errors
from message_contacts.changes import CountUp
from message_contacts.clock import DAY, MINUTE, Instant
from message_contacts.storage import Storage, housekeeping
from tests.factories import ACCOUNT
from tests.fakes.clock import START, FakeClock
from tests.storage.making import OTHER_ACCOUNT, after, commit, make_message, nonce, outside


def rows(database_url: str, table: str) -> int:
    """Rows of a table, looked at from outside."""
    ((count,),) = outside(database_url, f"SELECT count(*) FROM {table}")
    return int(count)


async def test_nonces_go_when_they_have_expired_however_many_there_are(storage: Storage, database_url: str) -> None:
    for number in range(12):
        await commit(storage, with_nonce=nonce(number, expires_at=after((1 + number % 2) * MINUTE)))
    monkeypatched = pytest.MonkeyPatch()
    monkeypatched.setattr(housekeeping, "_AT_ONCE", 3)

    try:
        await storage.prune(after(MINUTE))
    finally:
        monkeypatched.undo()

    assert rows(database_url, "nonce") == 6
    assert await storage.access.nonce_used(nonce(1).digest)


async def test_counters_of_past_periods_go_and_those_without_stay(
    storage: Storage, clock: FakeClock, database_url: str
) -> None:
    def count(period: str) -> CountUp:
        return CountUp(ACCOUNT, "contacts", period, 9, errors.LIMIT_EXCEEDED_CONTACTS)

    await commit(storage, count(""), count("2026-11-21"))
    clock.advance(housekeeping.COUNTERS_KEPT / 1000)
    await commit(storage, count("2026-11-24"))

    await storage.prune(clock.now())

    assert rows(database_url, "counter") == 2
    assert await storage.verification.count(ACCOUNT, "contacts", "") == 1
    assert await storage.verification.count(ACCOUNT, "contacts", "2026-11-21") == 0
    assert await storage.verification.count(ACCOUNT, "contacts", "2026-11-24") == 1


async def test_a_counter_raised_lately_stays_whenever_it_began(storage: Storage, clock: FakeClock) -> None:
    count = CountUp(ACCOUNT, "contacts", "2026", 9, errors.LIMIT_EXCEEDED_CONTACTS)
    await commit(storage, count)
    clock.advance(2 * DAY / 1000)
    await commit(storage, count)

    await storage.prune(Instant(START + 4 * DAY))

    assert await storage.verification.count(ACCOUNT, "contacts", "2026") == 2


async def test_each_tenant_keeps_its_newest_captured_messages(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "INBOX_KEPT", 4)
    monkeypatch.setattr(housekeeping, "_AT_ONCE", 3)
    for number in range(9):
        await storage.inbox.put(make_message(f"m-{number}"))
    for number in range(4):
        await storage.inbox.put(make_message(f"m-{number}", account_id=OTHER_ACCOUNT))

    await storage.prune(START)

    async def kept(account_id: str) -> list[str]:
        messages = await storage.inbox.messages(account_id, recipient=None, after=None, limit=99)
        return [message.message_id for message in messages]

    assert await kept(ACCOUNT) == ["m-5", "m-6", "m-7", "m-8"]
    assert await kept(OTHER_ACCOUNT) == ["m-0", "m-1", "m-2", "m-3"]
