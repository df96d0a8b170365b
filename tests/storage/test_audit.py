"""Events in the database: sealed once, in order, whoever does it; verified, erased and taken away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from message_contacts.audit import sealing
from message_contacts.audit.model import NO_HASH, Chain, Extension, Seal
from message_contacts.audit.sealing import Sealer, extended
from message_contacts.changes import Insert, Stale
from message_contacts.clock import Instant
from message_contacts.storage import Storage, open_postgres, open_sqlite, postgres_writer
from message_contacts.storage.audit_pruning import prune_audit
from message_contacts.storage.sqlite_transaction import WriterSeam
from tests.factories import ACCOUNT, make_contact
from tests.fakes.clock import START, FakeClock
from tests.storage.audit_trails import change, sealed_places, verdict_on
from tests.storage.making import OTHER_ACCOUNT, commit, make_account, named_contact, outside, plant
from tests.storage.test_processes import start
from tests.unit.audit.values import make_event


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
