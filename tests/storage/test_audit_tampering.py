"""What somebody did to the audit trail at the database: it is told, and holds up nobody."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from structlog.testing import capture_logs

from message_contacts.audit import sealing
from message_contacts.audit.checking import Place, check
from message_contacts.audit.exporting import export
from message_contacts.audit.retention import NEVER
from message_contacts.audit.sealing import Sealer
from message_contacts.audit.store import AuditStore
from message_contacts.audit.verifying import Reader
from message_contacts.changes import Insert
from message_contacts.clock import Instant
from message_contacts.storage import Storage, open_sqlite
from message_contacts.storage.audit_pruning import prune_audit
from tests.factories import ACCOUNT
from tests.fakes.clock import START, FakeClock
from tests.storage.audit_trails import Meanwhile, change, sealed_places, verdict_on, verdicts_meanwhile
from tests.storage.making import OTHER_ACCOUNT, named_contact, outside, plant
from tests.unit.audit.values import make_event


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
