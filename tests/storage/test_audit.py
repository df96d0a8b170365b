"""Events in the database: sealed once, in order, whoever does it; verified, erased and taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import apsw
import pytest
from structlog.testing import capture_logs

from message_contacts.audit import sealing
from message_contacts.audit.chain import Head, Reader, Verdict
from message_contacts.audit.checking import Place, check
from message_contacts.audit.exporting import export
from message_contacts.audit.model import NO_HASH, Chain, Extension, Seal
from message_contacts.audit.retention import NEVER
from message_contacts.audit.sealing import Sealer, extended
from message_contacts.audit.store import AuditStore
from message_contacts.audit.trail import AuditTrail
from message_contacts.changes import Cause, Change, Insert, Stale
from message_contacts.clock import Instant
from message_contacts.ids import RandomIds
from message_contacts.storage import Storage, open_postgres, open_sqlite, postgres_writer
from message_contacts.storage.audit_pruning import prune_audit
from message_contacts.storage.sqlite_transaction import WriterSeam
from tests.factories import ACCOUNT, make_contact
from tests.fakes.clock import START, FakeClock
from tests.storage.making import OTHER_ACCOUNT, commit, make_account, named_contact, outside, plant
from tests.storage.test_processes import start
from tests.unit.audit.values import make_event


async def change(storage: Storage, clock: FakeClock, *changes: Change) -> None:
    """Commit changes with their event, as `changes.Settler` does."""
    trail = AuditTrail(clock, RandomIds())
    await commit(storage, *changes, *trail.event(Cause(operation="Test"), changes))


async def verdict_on(
    storage: Storage, *heads: Head, account_id: str = ACCOUNT, due_before: Instant | None = None
) -> Verdict:
    reader = Reader({account_id: heads}, due_before)
    async for line in export(storage.audit, account_id):
        reader.take(line)
    verdict = reader.end()
    assert verdict is not None
    return verdict


async def sealed_places(storage: Storage, account_id: str = ACCOUNT) -> Sequence[tuple[str, int]]:
    _, kept = await storage.audit.sealed_events(account_id, after=0, until=2**62, limit=1_000)
    return [(entry.event.event_id, entry.seal.sequence) for entry in kept if entry.seal is not None]


async def test_events_are_kept_with_the_change_and_read_back(storage: Storage, clock: FakeClock) -> None:
    await plant(storage)
    contact = make_contact()
    await change(storage, clock, Insert(contact))

    (kept,) = await storage.audit.events_before(ACCOUNT, before="z", start="", limit=10)
    assert (kept.event.operation, kept.event.happened_at, kept.seal) == ("Test", START, None)
    (kept,) = await storage.audit.with_personal_parts([kept])
    assert [part.person_id for part in kept.personal] == [contact.contact_id]
    assert await storage.audit.events_of_person(ACCOUNT, contact.contact_id, after="", limit=10) == [kept]
    assert await storage.audit.events_of_person(OTHER_ACCOUNT, contact.contact_id, after="", limit=10) == []
    assert await storage.audit.unsealed_events(ACCOUNT, after="", limit=10) == [kept]


async def test_a_refused_change_leaves_no_event(storage: Storage, clock: FakeClock) -> None:
    await plant(storage, make_contact())
    with pytest.raises(Stale):
        await change(storage, clock, Insert(make_contact(name=make_contact().name.__class__("Other"))))

    assert await storage.audit.unsealed(after="", limit=10) == []


async def test_a_turn_of_sealing_shares_a_commit_however_many_tenants_it_is_about(database_path: Path) -> None:
    class Counting(WriterSeam):
        commits = 0

        def committing(self, connection: apsw.Connection) -> None:
            self.commits += 1

    seam = Counting()
    with open_sqlite(database_path, FakeClock(), seam=seam) as storage:
        for number in range(20):
            await commit(storage, Insert(replace(make_event(number), account_id=f"10000000000000{number:02d}")))
        before = seam.commits
        assert await Sealer(storage.audit).seal() == 20
        assert seam.commits == before + 1


async def test_on_postgresql_it_shares_one_as_well(postgres_url: str) -> None:
    class Counting(postgres_writer.WriterSeam):
        def __init__(self) -> None:
            self.commits: list[int] = []

        def committing(self, change_sets: int) -> None:
            self.commits.append(change_sets)

    seam = Counting()
    storage = open_postgres(postgres_url, FakeClock(), seam=seam)
    for number in range(20):
        await commit(storage, Insert(replace(make_event(number), account_id=f"10000000000000{number:02d}")))
    seam.commits.clear()

    assert await Sealer(storage.audit).seal() == 20

    assert seam.commits == [20]
    await storage.finish()


async def test_sealing_gives_every_tenant_a_chain_of_its_own(storage: Storage, clock: FakeClock) -> None:
    for number in range(1, 6):
        await storage.audit.add([make_event(number), make_event(number, account_id=OTHER_ACCOUNT)])

    assert await Sealer(storage.audit).seal() == 10

    for account_id in (ACCOUNT, OTHER_ACCOUNT):
        assert [sequence for _, sequence in await sealed_places(storage, account_id)] == [1, 2, 3, 4, 5]
        verdict = await verdict_on(storage, account_id=account_id)
        assert (verdict.breaks, verdict.events, verdict.unsealed) == ([], 5, 0)
    assert list(await storage.audit.accounts()) == [ACCOUNT, OTHER_ACCOUNT]
    assert await Sealer(storage.audit).seal() == 0


async def test_more_events_than_a_batch_are_sealed_in_one_go(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 3)
    await storage.audit.add([make_event(number) for number in range(1, 11)])

    assert await Sealer(storage.audit).seal() == 10
    assert (await verdict_on(storage)).events == 10


async def test_an_event_that_is_committed_late_comes_behind(storage: Storage) -> None:
    await storage.audit.add([make_event(2)])
    await Sealer(storage.audit).seal()
    await storage.audit.add([make_event(1), make_event(3)])

    await Sealer(storage.audit).seal()

    assert [event_id for event_id, _ in await sealed_places(storage)] == [
        make_event(number).event_id for number in (2, 1, 3)
    ]
    assert (await verdict_on(storage)).unbroken


def end_of(chain: Chain) -> Seal:
    return Seal(sequence=chain.sequence, hash=chain.hash)


async def test_who_seals_on_old_ground_is_refused_and_changes_nothing(storage: Storage, other: Storage) -> None:
    await storage.audit.add([make_event(1), make_event(2)])
    batch = await storage.audit.unsealed(after="", limit=10)
    await Sealer(other.audit).seal()

    assert await storage.audit.seal([extended(None, [event for event, _ in batch])]) == [False]
    chain = await storage.audit.chain(ACCOUNT)
    await other.audit.add([make_event(3)])
    await Sealer(other.audit).seal()
    assert await storage.audit.seal([extended(end_of(chain), [make_event(4)])]) == [False]

    verdict = await verdict_on(storage)
    assert (verdict.breaks, verdict.events) == ([], 3)


async def test_an_event_is_sealed_once(storage: Storage) -> None:
    await storage.audit.add([make_event(1)])
    await Sealer(storage.audit).seal()
    chain = await storage.audit.chain(ACCOUNT)

    assert await storage.audit.seal([extended(end_of(chain), [make_event(1)])]) == [False]
    await storage.audit.add([make_event(2)])
    beginning = Seal(sequence=0, hash=NO_HASH)
    # A chain that is said to end earlier than it does.
    assert await storage.audit.seal([extended(beginning, [make_event(2)])]) == [False]

    assert (await verdict_on(storage)).events == 1


async def test_two_that_seal_at_once_make_one_chain(storage: Storage, other: Storage) -> None:
    sealers = [Sealer(storage.audit), Sealer(other.audit)]
    for number in range(1, 40):
        await storage.audit.add([make_event(number), make_event(number, account_id=OTHER_ACCOUNT)])
        if number % 3 == 0:
            await asyncio.gather(*(sealer.seal() for sealer in sealers))
    await sealers[0].seal()

    for account_id in (ACCOUNT, OTHER_ACCOUNT):
        verdict = await verdict_on(storage, account_id=account_id)
        assert (verdict.breaks, verdict.events, verdict.unsealed) == ([], 39, 0)


async def test_one_tenant_that_cannot_be_sealed_holds_up_nobody(
    storage: Storage, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its chain was taken away: that must show, and not spread."""
    monkeypatch.setattr(sealing, "BATCH", 2)
    await storage.audit.add([make_event(1)])
    await Sealer(storage.audit).seal()
    outside(database_url, "DELETE FROM audit_chain")
    await storage.audit.add([make_event(number) for number in (2, 3, 4)])
    await storage.audit.add([make_event(5, account_id=OTHER_ACCOUNT)])

    assert await Sealer(storage.audit).seal() == 1

    assert (await verdict_on(storage, account_id=OTHER_ACCOUNT)).events == 1
    assert not (await verdict_on(storage)).unbroken


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_event SET operation = 'Nothing' WHERE sequence = 3",
        "UPDATE audit_event SET access_key_id = 'MCother' WHERE sequence = 4",
        "UPDATE audit_event SET details = '[]' WHERE sequence = 2",
        "UPDATE audit_event SET details = 'no JSON' WHERE sequence = 2",
        "UPDATE audit_event SET personal_digests = 'no JSON' WHERE sequence = 2",
        "UPDATE audit_event SET happened_at = happened_at + 1 WHERE sequence = 4",
        "UPDATE audit_event SET event_id = 'ae-0' WHERE sequence = 4",
        "UPDATE audit_event SET hash = x'00' WHERE sequence = 4",
        "UPDATE audit_event SET sequence = NULL, hash = NULL WHERE sequence = 4",
        "UPDATE audit_event SET sequence = sequence + 10 WHERE sequence >= 3",
        "DELETE FROM audit_event WHERE sequence = 1",
        "DELETE FROM audit_event WHERE sequence = 3",
        "DELETE FROM audit_event WHERE sequence = 4",
        "DELETE FROM audit_chain",
        "UPDATE audit_chain SET sequence = 3",
        "UPDATE audit_chain SET pruned_sequence = 1",
        "UPDATE audit_personal SET details = '{}'",
        "UPDATE audit_personal SET salt = x'00'",
        "UPDATE audit_personal SET person_id = 'c-other'",
    ],
)
async def test_whatever_is_done_to_the_database_shows(
    sql: str, storage: Storage, clock: FakeClock, database_url: str
) -> None:
    await plant(storage)
    for number in range(1, 5):
        await change(storage, clock, Insert(named_contact(number)))
        clock.advance(1)
    await Sealer(storage.audit).seal()
    assert (await verdict_on(storage)).unbroken

    outside(database_url, sql)

    assert not (await verdict_on(storage)).unbroken


@pytest.mark.parametrize("event", ["(SELECT min(event_id) FROM audit_event WHERE sequence = 2)", "'ae-nothing'"])
async def test_a_personal_part_that_no_event_names_shows(
    event: str, storage: Storage, clock: FakeClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("message_contacts.audit.exporting._AT_A_TIME", 2)
    await plant(storage)
    for number in range(1, 6):
        await change(storage, clock, Insert(named_contact(number)))
    await Sealer(storage.audit).seal()
    assert (await verdict_on(storage)).unbroken
    outside(database_url, f"INSERT INTO audit_personal VALUES ('{ACCOUNT}', 'c-new', {event}, x'00', '{{}}')")

    (sentence,) = (await verdict_on(storage)).breaks

    assert "the personal part of c-new was put into event" in sentence
    assert list(await storage.audit.parts_named(OTHER_ACCOUNT, after=("", ""), limit=9)) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_event SET hash = NULL WHERE sequence = 3",
        "UPDATE audit_event SET hash = NULL WHERE sequence = 4",
        "UPDATE audit_event SET hash = x'00' WHERE sequence = 4",
        "UPDATE audit_event SET kind = 'odd' WHERE sequence = 3",
        "UPDATE audit_event SET targets = '{' WHERE sequence = 3",
        "UPDATE audit_event SET details = '' WHERE sequence = 3",
        "UPDATE audit_event SET personal_digests = '[]' WHERE sequence = 3",
        "UPDATE audit_event SET personal_digests = 'no JSON' WHERE sequence = 3",
        f"UPDATE audit_event SET details = '{'[' * 300 + ']' * 300}' WHERE sequence = 3",
        f"UPDATE audit_event SET details = '{'[' * 3000}' WHERE sequence = 3",
        "UPDATE audit_event SET happened_at = 9000000000000000000 WHERE sequence = 3",
        "UPDATE audit_event SET times = -1, event_id = '' WHERE sequence = 3",
    ],
)
async def test_a_spoiled_column_is_a_break_of_its_event_alone(
    sql: str, storage: Storage, clock: FakeClock, database_url: str
) -> None:
    await plant(storage)
    for number in range(1, 5):
        await change(storage, clock, Insert(named_contact(number)))
    await Sealer(storage.audit).seal()
    outside(database_url, sql)

    verdict = await verdict_on(storage)

    (sentence,) = {text for text in verdict.breaks if "personal part" not in text and "ends with" not in text}
    assert f"sequence {sql[-1]}" in sentence
    assert verdict.events == 4
    part = await check(storage.audit, ACCOUNT, None, ())
    assert sorted(part.verdict.breaks) == sorted(verdict.breaks)
    assert Place.parse(part.place.written) == part.place


@pytest.mark.parametrize("column", ["happened_at", "kind", "targets", "details", "personal_digests", "times", "hash"])
async def test_bytes_in_a_column_are_told_and_do_not_hold_up_sealing(column: str, database_path: Path) -> None:
    """Only SQLite takes them."""
    with open_sqlite(database_path, FakeClock()) as storage:
        await storage.audit.add([make_event(number) for number in (1, 2)])
        await Sealer(storage.audit).seal()
        url = f"sqlite:///{database_path}"
        outside(url, f"UPDATE audit_event SET {column} = x'ff00' WHERE sequence = 1")

        assert "sequence 1" in (await verdict_on(storage)).breaks[0]
        if column != "hash":
            await storage.audit.add([make_event(number) for number in (3, 4)])
            outside(url, f"UPDATE audit_event SET {column} = x'ff01' WHERE request_id = 'R3'")
            await Sealer(storage.audit).seal()
            assert make_event(4).event_id in [event_id for event_id, _ in await sealed_places(storage)]


_FORGED = """
    INSERT INTO audit_event (account_id, event_id, happened_at, kind, operation, access_key_id, user_id, source_address,
                             request_id, targets, details, personal_digests, times, sequence, hash)
    SELECT account_id, 'ae-ffff', happened_at, kind, 'DeleteUser', access_key_id, user_id, source_address, 'FORGED',
           targets, details, personal_digests, times, {sequence}, hash FROM audit_event WHERE sequence = {like}
"""


@pytest.mark.parametrize(
    ("sequence", "place"), [(5, "behind the end"), (900_000, "behind the end"), (0, "before the beginning")]
)
async def test_an_event_that_nobody_sealed_shows_wherever_it_was_put(
    sequence: int, place: str, storage: Storage, database_url: str
) -> None:
    await storage.audit.add([make_event(number) for number in range(1, 5)])
    await Sealer(storage.audit).seal()
    head = (await verdict_on(storage)).head
    outside(database_url, _FORGED.format(sequence=sequence, like=2))

    verdict = await verdict_on(storage)
    part = await check(storage.audit, ACCOUNT, None, ())

    for found in (verdict, part.verdict):
        assert found.breaks == [
            f"event ae-ffff, sequence {sequence}, stands {place} of the chain: nobody sealed it there"
        ]
        assert (found.head, found.events) == (head, 4)  # nobody is to note the forged one
    assert any([b"FORGED" in line async for line in export(storage.audit, ACCOUNT)])


async def test_an_event_put_where_retention_took_some_away_shows(storage: Storage, database_url: str) -> None:
    await storage.audit.add([make_event(number) for number in range(1, 5)])
    await Sealer(storage.audit).seal()
    await prune_audit(storage._database, Instant(START + 4))
    outside(database_url, _FORGED.format(sequence=1, like=4))

    (sentence,) = (await verdict_on(storage)).breaks
    assert "before the beginning" in sentence


async def test_sealed_events_of_an_account_without_a_chain_show(storage: Storage, database_url: str) -> None:
    await storage.audit.add([make_event(1), make_event(2)])
    await Sealer(storage.audit).seal()
    outside(database_url, "DELETE FROM audit_chain")

    verdict = (await check(storage.audit, ACCOUNT, None, ())).verdict
    assert ["sequence 1, stands behind" in verdict.breaks[0], len(verdict.breaks)] == [True, 2]


async def test_verifying_while_others_seal_tells_no_break(storage: Storage, other: Storage) -> None:
    """Events are sealed between reading where the chain ends and looking for what stands behind it."""
    number = 0

    class Busy:
        """The store, with events that come in and are sealed after each thing that is asked."""

        def __getattr__(self, name: str) -> Any:
            async def asked(*args: Any, **options: Any) -> Any:
                nonlocal number
                found = await getattr(storage.audit, name)(*args, **options)
                number += 1
                await other.audit.add([make_event(number)])
                await Sealer(other.audit).seal()
                return found

            return asked

    store = cast("AuditStore", Busy())
    for _ in range(3):
        assert (await check(store, ACCOUNT, None, ())).verdict.breaks == []
        reader = Reader()
        async for line in export(store, ACCOUNT):
            reader.take(line)
        verdict = reader.end()
        assert verdict is not None
        assert verdict.breaks == []


class Meanwhile:
    """The store, with something that happens after each thing that is asked."""

    def __init__(self, storage: Storage, happens: Callable[[], Awaitable[object]]) -> None:
        self._storage = storage
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        async def asked(*args: Any, **options: Any) -> Any:
            found = await getattr(self._storage.audit, name)(*args, **options)
            await self._happens()
            return found

        return asked


async def verdicts_meanwhile(
    storage: Storage, happens: Callable[[], Awaitable[object]], *heads: Head, by_calls: bool, limit: int = 3
) -> tuple[Verdict, list[str]]:
    """The last verdict, and the breaks of all parts; everything that can be due is."""
    store, due_before = cast("AuditStore", Meanwhile(storage, happens)), Instant(START + 1_000)
    if not by_calls:
        reader = Reader({ACCOUNT: heads}, due_before)
        async for line in export(store, ACCOUNT):
            reader.take(line)
        verdict = reader.end()
        assert verdict is not None
        return verdict, verdict.breaks
    breaks: list[str] = []
    part = await check(store, ACCOUNT, None, heads, due_before, limit=limit)
    while not part.is_last:
        breaks += part.verdict.breaks
        part = await check(store, ACCOUNT, Place.parse(part.place.written), heads, due_before, limit=limit)
    return part.verdict, breaks + part.verdict.breaks


@pytest.fixture
def two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("message_contacts.audit.exporting._AT_A_TIME", 2)
    monkeypatch.setattr("message_contacts.audit.checking._AT_A_TIME", 2)


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


@pytest.mark.parametrize("limit", [2, 3, 100])
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_event SET sequence = 1.5 WHERE sequence = 2",
        "UPDATE audit_event SET sequence = 3.5 WHERE sequence = 4",
        "UPDATE audit_event SET sequence = sequence - 0.5 WHERE sequence BETWEEN 3 AND 6",
        "UPDATE audit_event SET sequence = 1 + sequence / 100.0",
        "UPDATE audit_event SET event_id = CAST(event_id AS BLOB), sequence = NULL WHERE sequence > 2",
        "INSERT INTO audit_personal SELECT account_id, CAST(sequence AS BLOB), event_id, x'00', '{}' FROM audit_event",
        "INSERT INTO audit_personal SELECT account_id, 'c-1', CAST(event_id AS BLOB), x'00', '{}' FROM audit_event",
    ],
)
@pytest.mark.usefixtures("two_at_a_time")
async def test_values_without_an_order_are_told_and_end(sql: str, limit: int, database_path: Path) -> None:
    """Only SQLite takes them."""
    with open_sqlite(database_path, FakeClock()) as storage:
        await storage.audit.add([make_event(number) for number in range(1, 10)])
        await Sealer(storage.audit).seal()
        outside(f"sqlite:///{database_path}", sql)

        for by_calls in (True, False):
            asked = 0

            async def never_ending() -> None:
                nonlocal asked
                asked += 1
                assert asked < 100

            _, breaks = await verdicts_meanwhile(storage, never_ending, by_calls=by_calls, limit=limit)
            assert breaks


@pytest.mark.parametrize("column", ["event_id", "account_id"])
async def test_events_that_cannot_be_sealed_hold_up_nobody(
    column: str, database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only SQLite takes them."""
    monkeypatch.setattr(sealing, "BATCH", 2)
    with open_sqlite(database_path, FakeClock()) as storage:
        await storage.audit.add([make_event(number, account_id=OTHER_ACCOUNT) for number in range(1, 6)])
        outside(f"sqlite:///{database_path}", f"UPDATE audit_event SET {column} = CAST({column} AS BLOB)")
        await storage.audit.add([make_event(number) for number in range(1, 6)])
        asked = 0

        async def never_ending() -> None:
            nonlocal asked
            asked += 1
            assert asked < 100

        sealer = Sealer(cast("AuditStore", Meanwhile(storage, never_ending)))
        with capture_logs() as logged:
            assert [await sealer.seal() for _ in range(3)] == [5, 0, 0]

        assert [entry["event"] for entry in logged if entry["log_level"] == "warning"] == ["audit_sealing_stuck"]
        assert (await verdict_on(storage)).events == 5


async def test_an_account_that_is_no_text_is_verified_beside_the_others(database_path: Path) -> None:
    """Only SQLite takes it."""
    with open_sqlite(database_path, FakeClock()) as storage:
        await storage.audit.add([make_event(number) for number in range(1, 4)])
        await Sealer(storage.audit).seal()
        outside(f"sqlite:///{database_path}", "UPDATE audit_event SET account_id = x'ff' WHERE sequence = 3")

        reader = Reader()
        found = [
            reader.take(line)
            for account_id in await storage.audit.accounts()
            async for line in export(storage.audit, account_id)
        ]
        found.append(reader.end())

        verdicts = [verdict for verdict in found if verdict is not None]
        assert [verdict.account_id for verdict in verdicts] == [ACCOUNT, r"b'\xff'"]
        assert ["missing at the end" in verdicts[0].breaks[0], "behind the end" in verdicts[1].breaks[0]] == [True] * 2


async def test_a_personal_part_of_an_account_without_events_is_told(storage: Storage, database_url: str) -> None:
    outside(database_url, "INSERT INTO audit_personal VALUES ('9', 'c-1', 'ae-1', '', '{}')")

    assert list(await storage.audit.accounts()) == ["9"]
    assert "the personal part of c-1" in (await verdict_on(storage, account_id="9")).breaks[0]


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1])
async def test_a_place_holds_whatever_number_a_chain_can(number: int, storage: Storage, database_url: str) -> None:
    await storage.audit.add([make_event(number) for number in range(1, 4)])
    await Sealer(storage.audit).seal()
    outside(database_url, f"UPDATE audit_chain SET pruned_sequence = {number}, sequence = {number}")

    part = await check(storage.audit, ACCOUNT, None, ())

    assert part.verdict.breaks
    assert Place.parse(part.place.written) == part.place


_NO_TEXT = "CAST(x'61ff62' AS TEXT)"


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE audit_event SET operation = {_NO_TEXT} WHERE sequence = 3",
        f"UPDATE audit_event SET details = {_NO_TEXT} WHERE sequence = 3",
        f"UPDATE audit_event SET event_id = {_NO_TEXT} WHERE sequence = 3",
        f"UPDATE audit_chain SET hash = {_NO_TEXT} WHERE account_id = '{ACCOUNT}'",
        f"UPDATE audit_personal SET person_id = {_NO_TEXT} WHERE person_id LIKE 'c-%3'",
    ],
)
async def test_text_that_is_none_is_told_and_holds_up_nobody(sql: str, database_path: Path) -> None:
    """Only SQLite takes it."""
    clock = FakeClock()
    with open_sqlite(database_path, clock) as storage:
        await plant(storage)
        for number in range(1, 6):
            await change(storage, clock, Insert(named_contact(number)))
        await storage.audit.add([make_event(1, account_id=OTHER_ACCOUNT)])
        await Sealer(storage.audit).seal()
        outside(f"sqlite:///{database_path}", sql)

        told = (await verdict_on(storage)).breaks
        assert told
        assert (await check(storage.audit, ACCOUNT, None, ())).verdict.breaks == told
        assert len(await storage.audit.events_before(ACCOUNT, before="z", start="", limit=9)) == 5

        await storage.audit.add([make_event(2, account_id=OTHER_ACCOUNT)])
        assert await Sealer(storage.audit).seal() == 1
        await prune_audit(storage._database, Instant(START + 10_000))
        verdict = await verdict_on(storage, account_id=OTHER_ACCOUNT)
        assert (verdict.breaks, verdict.events) == ([], 1)


@pytest.mark.parametrize("beginning", ["'x'", "0.5", "x'00'", "-1"])
async def test_retention_goes_on_whatever_stands_where_a_chain_begins(beginning: str, database_path: Path) -> None:
    """Only SQLite takes it."""
    with open_sqlite(database_path, FakeClock()) as storage:
        for account_id in (ACCOUNT, OTHER_ACCOUNT):
            await storage.audit.add([make_event(number, account_id=account_id) for number in range(1, 4)])
        await Sealer(storage.audit).seal()
        url = f"sqlite:///{database_path}"
        outside(url, f"UPDATE audit_chain SET pruned_sequence = {beginning} WHERE account_id = '{ACCOUNT}'")

        await prune_audit(storage._database, Instant(START + 10_000))

        assert (await verdict_on(storage, account_id=OTHER_ACCOUNT)).events == 1


async def test_an_unsealed_event_with_text_that_is_none_holds_up_nobody(database_path: Path) -> None:
    with open_sqlite(database_path, FakeClock()) as storage:
        await storage.audit.add([make_event(1), make_event(1, account_id=OTHER_ACCOUNT)])
        outside(f"sqlite:///{database_path}", f"UPDATE audit_event SET operation = {_NO_TEXT}, account_id = '9'"
                f" WHERE account_id = '{ACCOUNT}'")  # fmt: skip

        assert await Sealer(storage.audit).seal() == 2

        (kept,) = await storage.audit.events_before("9", before="z", start="", limit=9)
        assert kept.event.operation == r"a\xffb"
        assert (await verdict_on(storage, account_id=OTHER_ACCOUNT)).unbroken


@pytest.mark.parametrize("sequence", [2**63 - 1, "'x'", 1.5])
async def test_an_end_that_is_none_holds_up_nobody_else(sequence: object, database_path: Path) -> None:
    """Only SQLite takes them."""
    with open_sqlite(database_path, FakeClock()) as storage:
        await storage.audit.add([make_event(1)])
        await Sealer(storage.audit).seal()
        outside(f"sqlite:///{database_path}", f"UPDATE audit_chain SET sequence = {sequence}")
        await storage.audit.add([make_event(2), make_event(2, account_id=OTHER_ACCOUNT)])

        assert await Sealer(storage.audit).seal() == 1

        assert (await verdict_on(storage, account_id=OTHER_ACCOUNT)).events == 1
        assert not (await verdict_on(storage)).unbroken


async def test_sealing_does_not_go_on_behind_an_event_that_nobody_sealed_and_says_so(
    storage: Storage, database_url: str
) -> None:
    await storage.audit.add([make_event(1)])
    sealer = Sealer(storage.audit)
    await sealer.seal()
    outside(database_url, _FORGED.format(sequence=2, like=1))
    await storage.audit.add([make_event(2)])

    with capture_logs() as logged:
        for _ in range(10):
            assert await sealer.seal() == 0
    assert [entry for entry in logged if entry["log_level"] == "warning"] == [
        {
            "event": "audit_sealing_stuck", "log_level": "warning", "account_id": ACCOUNT, "behind_sequence": 1,
            "turns": 3,
        }
    ]  # fmt: skip

    outside(database_url, "DELETE FROM audit_event WHERE request_id = 'FORGED'")
    with capture_logs() as logged:
        assert await sealer.seal() == 1
        assert await sealer.seal() == 0
    assert [entry["event"] for entry in logged] == ["audit_sealing_goes_on"]
    assert (await verdict_on(storage)).unbroken


async def test_erasing_a_person_keeps_the_chain(storage: Storage, clock: FakeClock, database_url: str) -> None:
    await plant(storage)
    for number in (1, 2):
        await change(storage, clock, Insert(named_contact(number)))
    await Sealer(storage.audit).seal()

    outside(database_url, f"DELETE FROM audit_personal WHERE person_id = '{named_contact(1).contact_id}'")

    verdict = await verdict_on(storage)
    assert (verdict.breaks, verdict.events, verdict.erased) == ([], 2, 1)


async def test_retention_takes_the_oldest_away_and_the_rest_still_verifies(
    storage: Storage, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setattr("message_contacts.storage.audit_pruning._AT_ONCE", 2)
    await plant(storage)
    for number in range(1, 8):
        await change(storage, clock, Insert(named_contact(number)))
        clock.advance(1)
    await Sealer(storage.audit).seal()
    await storage.audit.add([make_event(1, account_id=OTHER_ACCOUNT)])
    database = storage._database

    await prune_audit(database, Instant(START + 5_000))

    # The fifth is due, and stays to show that those before it were.
    verdict = await verdict_on(storage, due_before=Instant(START + 5_000))
    assert (verdict.breaks, verdict.pruned, verdict.events, verdict.erased) == ([], 4, 3, 1)
    people = [
        await storage.audit.events_of_person(ACCOUNT, named_contact(n).contact_id, after="", limit=9) for n in (4, 5, 6)
    ]
    assert [len(events) for events in people] == [0, 0, 1]
    assert len(await storage.audit.unsealed(after="", limit=9)) == 1  # not sealed: stays, however old

    await prune_audit(database, Instant(START + 999_000))
    assert (await verdict_on(storage)).events == 1
    await change(storage, clock, Insert(named_contact(8)))
    await Sealer(storage.audit).seal()
    verdict = await verdict_on(storage, due_before=Instant(START + 999_000))
    assert (verdict.breaks, verdict.pruned, verdict.events, verdict.head.sequence) == ([], 6, 2, 8)
    await prune_audit(database, Instant(START + 999_000))
    assert (await verdict_on(storage)).pruned == 7


async def test_an_old_event_behind_a_young_one_goes_with_it(storage: Storage) -> None:
    young, old = make_event(9_000), make_event(1)
    for event in (young, old, make_event(9_000_000)):
        await storage.audit.add([event])
        await Sealer(storage.audit).seal()
    database = storage._database

    await prune_audit(database, Instant(START + 5_000))
    assert (await verdict_on(storage)).events == 3
    await prune_audit(database, Instant(START + 9_001))

    verdict = await verdict_on(storage, due_before=Instant(START + 9_001))
    assert (verdict.breaks, verdict.events, verdict.pruned) == ([], 2, 1)


@pytest.mark.parametrize("due_before", [NEVER, Instant(START + 4)])
async def test_a_beginning_that_somebody_cut_off_shows(
    due_before: Instant, storage: Storage, database_url: str
) -> None:
    await storage.audit.add([make_event(number) for number in range(1, 9)])
    await Sealer(storage.audit).seal()
    await prune_audit(storage._database, due_before)
    heads = [(await verdict_on(storage)).head]
    assert (await verdict_on(storage, *heads, due_before=due_before)).unbroken
    hash_ = "SELECT hash FROM audit_event WHERE sequence = {}"

    for cut in (5, 7):
        outside(database_url, f"UPDATE audit_chain SET pruned_sequence = {cut}, pruned_hash = ({hash_.format(cut)})")
        outside(database_url, f"DELETE FROM audit_event WHERE sequence <= {cut}")

        verdict = await verdict_on(storage, *heads, due_before=due_before)

        (sentence,) = verdict.breaks
        assert f"the beginning is missing: sequence 1 to {cut}" in sentence
        assert (await check(storage.audit, ACCOUNT, None, heads, due_before)).verdict.breaks == verdict.breaks
    outside(database_url, "UPDATE audit_chain SET pruned_sequence = sequence, pruned_hash = hash")
    outside(database_url, "DELETE FROM audit_event")
    assert "sequence 1 to 8" in (await verdict_on(storage, due_before=due_before)).breaks[0]


async def test_the_same_refusal_written_twice_is_there_once(storage: Storage) -> None:
    await storage.audit.add([make_event(1)])
    await storage.audit.add([make_event(1), make_event(2)])

    assert len(await storage.audit.unsealed(after="", limit=9)) == 2


async def test_processes_that_write_and_seal_make_one_chain(storage: Storage, database_url: str) -> None:
    await commit(storage, Insert(make_account()))
    processes = [await start(database_url, "seal", number) for number in (1, 2)]
    outputs = [(await process.communicate())[0].decode().split() for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    await Sealer(storage.audit).seal()
    verdict = await verdict_on(storage)
    assert (verdict.breaks, verdict.unsealed) == ([], 0)
    assert verdict.events == sum(output.count("written") for output in outputs) > 0
    assert all("sealed" in output for output in outputs)


async def test_a_chain_without_events_is_none(storage: Storage) -> None:
    assert await storage.audit.chain(ACCOUNT) is None
    assert await storage.audit.user_id(ACCOUNT, "alice") is None
    last, seal = Seal(sequence=0, hash=NO_HASH), Seal(sequence=1, hash=NO_HASH)
    assert await storage.audit.seal([Extension(last, [(make_event(1), seal)])]) == [False]
