"""Verifying the audit trail while others seal it, take its beginning away, or tamper with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from message_contacts.audit.checking import check
from message_contacts.audit.exporting import export
from message_contacts.audit.sealing import Sealer
from message_contacts.audit.store import AuditStore
from message_contacts.audit.verifying import Head, Reader
from message_contacts.clock import Instant
from message_contacts.storage import Storage
from message_contacts.storage.audit_pruning import prune_audit
from tests.factories import ACCOUNT
from tests.fakes.clock import START
from tests.storage.audit_trails import Meanwhile, verdicts_meanwhile
from tests.storage.making import outside
from tests.unit.audit.values import make_event


async def test_verifying_while_others_seal_tells_no_break(storage: Storage, other: Storage) -> None:
    """Events are sealed between reading where the chain ends and looking for what stands behind it."""
    number = 0

    async def more() -> None:
        nonlocal number
        number += 1
        await other.audit.add([make_event(number)])
        await Sealer(other.audit).seal()

    store = cast("AuditStore", Meanwhile(storage, more))
    for _ in range(3):
        assert (await check(store, ACCOUNT, None, ())).verdict.breaks == []
        reader = Reader()
        async for line in export(store, ACCOUNT):
            reader.take(line)
        verdict = reader.end()
        assert verdict is not None
        assert verdict.breaks == []


@pytest.mark.parametrize("goes_each_time", [1, 3, 4, 7, 30])
@pytest.mark.parametrize("limit", [3, 100])
@pytest.mark.parametrize("by_calls", [True, False])
@pytest.mark.usefixtures("two_at_a_time")
async def test_verifying_while_retention_takes_events_away_tells_no_break(
    by_calls: bool, limit: int, goes_each_time: int, storage: Storage
) -> None:
    await storage.audit.add([make_event(number) for number in range(1, 21)])
    await Sealer(storage.audit).seal()
    due = [0]

    async def retention() -> None:
        if due[0] < 19 <= due[0] + goes_each_time:  # also the end that the chain had when verifying began will go
            await storage.audit.add([make_event(number) for number in range(21, 31)])
            await Sealer(storage.audit).seal()
        due[0] += goes_each_time
        await prune_audit(storage._database, Instant(START + due[0]))

    verdict, breaks = await verdicts_meanwhile(storage, retention, by_calls=by_calls, limit=limit)

    assert (breaks, verdict.head.sequence >= 20) == ([], True)


@pytest.mark.parametrize("by_calls", [True, False])
@pytest.mark.usefixtures("two_at_a_time")
async def test_a_head_that_retention_takes_away_meanwhile_is_told(by_calls: bool, storage: Storage) -> None:
    await storage.audit.add([make_event(number) for number in range(1, 21)])
    await Sealer(storage.audit).seal()
    _, events = await storage.audit.sealed_events(ACCOUNT, after=0, until=20, limit=20)
    heads = [Head(kept.seal.sequence, kept.seal.hash.hex()) for kept in events if kept.seal is not None]

    async def retention() -> None:
        await prune_audit(storage._database, Instant(START + 12))

    _, breaks = await verdicts_meanwhile(storage, retention, heads[7], heads[14], by_calls=by_calls)

    assert breaks == ["the head noted, sequence 8, was taken away by retention and cannot be compared"]


async def test_what_comes_due_while_verifying_was_due(storage: Storage) -> None:
    """The moment is asked for when it is needed: retention of a later moment has taken more away."""
    await storage.audit.add([make_event(number) for number in range(1, 21)])
    await Sealer(storage.audit).seal()
    now = START + 2

    async def retention() -> None:
        nonlocal now
        now += 5
        await prune_audit(storage._database, Instant(now))

    reader = Reader({}, lambda: Instant(now))
    async for line in export(cast("AuditStore", Meanwhile(storage, retention)), ACCOUNT):
        reader.take(line)
    verdict = reader.end()

    assert verdict is not None
    assert (verdict.breaks, verdict.pruned > 0) == ([], True)


_HASH_OF = "(SELECT hash FROM audit_event WHERE sequence = {0})"
_MOVED = f"UPDATE audit_chain SET pruned_sequence = {{0}}, pruned_hash = {_HASH_OF}"


@pytest.mark.parametrize("by_calls", [True, False])
@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        (["UPDATE audit_chain SET pruned_sequence = 12"], "stands before the beginning"),
        ([_MOVED.format(12)], "stands before the beginning"),
        ([_MOVED.format(12), "DELETE FROM audit_event WHERE sequence <= 12"], "the beginning is missing"),
        (["DELETE FROM audit_event WHERE sequence <= 12"], "missing before"),
        (["DELETE FROM audit_event WHERE sequence BETWEEN 8 AND 12"], "missing before"),
        ([_MOVED.format(20), "DELETE FROM audit_event"], "all events are missing"),
    ],
)
@pytest.mark.usefixtures("two_at_a_time")
async def test_what_somebody_takes_away_meanwhile_is_told(
    statements: Sequence[str], sentence: str, by_calls: bool, storage: Storage, database_url: str
) -> None:
    """Also if they say that it was retention: what is left first is not due."""
    await storage.audit.add([make_event(number, happened_at=Instant(START + 2_000)) for number in range(1, 21)])
    await Sealer(storage.audit).seal()
    left = list(statements)

    async def somebody() -> None:
        while left:
            outside(database_url, left.pop(0))

    verdict, breaks = await verdicts_meanwhile(storage, somebody, by_calls=by_calls)

    assert any(sentence in text for text in breaks), breaks
    assert verdict.account_id == ACCOUNT
