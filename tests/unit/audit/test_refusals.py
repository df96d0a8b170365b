"""Refusals are sampled, and nothing grows without bound."""

from __future__ import annotations

from typing import Any, cast

import pytest

from message_contacts.access.model import Caller
from message_contacts.audit.model import EventKind
from message_contacts.audit.refusals import OTHERS, Refusals, SamplingRules
from message_contacts.audit.store import AuditStore
from message_contacts.ids import RandomIds
from tests.factories import ACCOUNT
from tests.fakes.audit import FakeAuditStore
from tests.fakes.clock import FakeClock

ALICE = Caller(ACCOUNT, "MCalice", "204859017365820194")


@pytest.fixture
def store() -> FakeAuditStore:
    return FakeAuditStore()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def make_refusals(store: FakeAuditStore, clock: FakeClock, **rules: int) -> Refusals:
    return Refusals(cast("AuditStore", store), clock, RandomIds(), SamplingRules(**rules))


def refuse(refusals: Refusals, clock: FakeClock, caller: Caller = ALICE, **fields: Any) -> None:
    given = {
        "operation_name": "AddMessageContact",
        "resources": ["acs:resourcemanager:*:1000000000000001:messagecontact/*"],
        "request_id": "R1",
        "source_address": "203.0.113.9",
        "now": clock.now(),
        **fields,
    }
    refusals.note(caller, **given)


async def test_a_refusal_becomes_an_event_that_says_who_was_refused_what(
    store: FakeAuditStore, clock: FakeClock
) -> None:
    refusals = make_refusals(store, clock)
    refuse(refusals, clock)
    assert store.events == []

    await refusals.write()

    (event,) = store.events
    assert (event.kind, event.account_id, event.happened_at) == (EventKind.REFUSAL, ACCOUNT, clock.now())
    assert (event.access_key_id, event.user_id) == (ALICE.access_key_id, ALICE.user_id)
    assert (event.operation, event.source_address, event.request_id) == ("AddMessageContact", "203.0.113.9", "R1")
    assert event.targets == '["acs:resourcemanager:*:1000000000000001:messagecontact/*"]'
    await refusals.write()
    assert len(store.events) == 1


async def test_beyond_ten_a_minute_they_are_counted_together(store: FakeAuditStore, clock: FakeClock) -> None:
    refusals = make_refusals(store, clock)
    for number in range(25):
        refuse(refusals, clock, request_id=f"R{number}")
    await refusals.write()
    assert [event.times for event in store.events] == [1] * 10

    clock.advance(60)
    await refusals.write()

    rest = store.events[-1]
    assert (rest.times, rest.request_id, rest.access_key_id) == (15, "R24", "MCalice")


async def test_the_next_minute_counts_anew(store: FakeAuditStore, clock: FakeClock) -> None:
    refusals = make_refusals(store, clock, singly=1)
    for _ in range(3):
        refuse(refusals, clock)
        refuse(refusals, clock)
        clock.advance(60)

    await refusals.write(everything=True)

    assert sorted(event.times for event in store.events) == [1] * 6


async def test_keys_and_operations_are_counted_apart(store: FakeAuditStore, clock: FakeClock) -> None:
    refusals = make_refusals(store, clock, singly=1)
    for _ in range(3):
        refuse(refusals, clock)
        refuse(refusals, clock, operation_name="DeleteMessageContact")
        refuse(refusals, clock, Caller(ACCOUNT, "MCbob", "2"))

    await refusals.write(everything=True)

    assert sorted((event.access_key_id, event.operation, event.times) for event in store.events) == sorted(
        [
            ("MCalice", "AddMessageContact", 1),
            ("MCalice", "AddMessageContact", 2),
            ("MCalice", "DeleteMessageContact", 1),
            ("MCalice", "DeleteMessageContact", 2),
            ("MCbob", "AddMessageContact", 1),
            ("MCbob", "AddMessageContact", 2),
        ]
    )


async def test_a_flood_from_everywhere_stays_within_bounds_and_is_counted_whole(
    store: FakeAuditStore, clock: FakeClock
) -> None:
    refusals = make_refusals(store, clock, singly=2, waiting=20, apart=7, accounts_apart=3)
    flood = 5_000
    for number in range(flood):
        refuse(refusals, clock, Caller(f"{number % 50:016d}", f"MC{number % 100}", "2"))

    await refusals.write(everything=True)

    assert len(store.events) <= 7 * 2 + 7 + 3 + 1
    assert sum(event.times for event in store.events) == flood
    (everybody_else,) = [event for event in store.events if event.account_id == OTHERS]
    assert (everybody_else.access_key_id, everybody_else.operation, everybody_else.source_address) == (
        OTHERS,
        OTHERS,
        "",
    )
    await refusals.write(everything=True)
    assert sum(event.times for event in store.events) == flood


async def test_while_the_database_is_away_memory_stays_within_bounds(store: FakeAuditStore, clock: FakeClock) -> None:
    refusals = make_refusals(store, clock, singly=2, waiting=20, apart=7, accounts_apart=3)
    store.failure = OSError("away")
    for number in range(3_000):
        refuse(refusals, clock, Caller(f"{number % 50:016d}", f"MC{number % 100}", "2"))
        if number % 10 == 9:
            clock.advance(7)
            with pytest.raises(OSError, match="away"):
                await refusals.write()
    store.failure = None

    await refusals.write(everything=True)

    assert 0 < len(store.events) <= 20 + 2 * (7 + 3 + 1)
    assert len({event.event_id for event in store.events}) == len(store.events)


async def test_what_could_not_be_written_is_written_later(store: FakeAuditStore, clock: FakeClock) -> None:
    refusals = make_refusals(store, clock)
    refuse(refusals, clock)
    store.failure = OSError("away")
    with pytest.raises(OSError, match="away"):
        await refusals.write()
    refuse(refusals, clock, request_id="R2")
    store.failure = None

    await refusals.write()

    assert [event.request_id for event in store.events] == ["R1", "R2"]
