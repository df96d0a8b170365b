"""Everything that goes by age: there just before its time, gone just after, and nothing that is needed ever goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from message_contacts import errors
from message_contacts.access.console_sessions import ConsoleSession, ConsoleTicket
from message_contacts.audit.model import AuditEvent, EventKind
from message_contacts.audit.sealing import Sealer
from message_contacts.changes import CountUp, Delete, Enqueue, Insert, Requeue, Update
from message_contacts.clock import DAY, MINUTE, Instant
from message_contacts.contacts.model import Channel, EmailAddress, Slot, Verified
from message_contacts.delivery.messages import DeliveryState, Incident, IncidentKind, Progress
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.delivery.standing import HandOver
from message_contacts.storage import Retention, Storage, housekeeping
from tests.factories import ACCOUNT, make_contact, make_verification
from tests.fakes.clock import START
from tests.storage.making import (
    OTHER_ACCOUNT,
    after,
    commit,
    make_block,
    make_copy,
    make_evidence,
    make_job,
    make_key,
    make_message,
    named_contact,
    nonce,
    outside,
    plant,
)
from tests.storage.test_housekeeping import rows
from tests.unit.delivery.values import MESSAGE_ID, make_delivery
from tests.unit.delivery.values import make_message as published

KEPT = 10 * DAY


async def _verification(storage: Storage) -> None:
    await commit(storage, Insert(make_verification(expires_at=START)))


async def _evidence(storage: Storage) -> None:
    await commit(storage, Insert(make_evidence()))
    await storage.prune(START, Retention(evidence=KEPT))  # sees that nothing rests on it


async def _message(storage: Storage) -> None:
    await storage.inbox.put(make_message())


async def _published(storage: Storage) -> None:
    await commit(storage, Insert(published()))


async def _delivery(storage: Storage) -> None:
    await commit(storage, Insert(published()), Insert(make_delivery(state=DeliveryState.SENT)))


async def _incident(storage: Storage) -> None:
    await commit(storage, Insert(published()), Insert(make_incident(closed_at=after(DAY))))


def make_incident(**fields: object) -> Incident:
    made = Incident(
        account_id=ACCOUNT,
        incident_id="i-1",
        message_id=MESSAGE_ID,
        kind=IncidentKind.NOTHING_SENT,
        members=0,
        member_ids=(),
        opened_at=START,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


async def _hand_over(storage: Storage) -> None:
    await commit(
        storage,
        Insert(
            HandOver(
                account_id=ACCOUNT,
                hand_over_id="h-1",
                contact_id="c-0000000000000001",
                channel=Channel.EMAIL,
                address="tom@example.com",
                wish="Ann",
                asked_at=Instant(START - DAY),
                closed_at=START,
            )
        ),
    )


async def _failed_job(storage: Storage) -> None:
    await commit(storage, Enqueue(make_job()))
    (job,) = await storage.outbox.claim("email", "w", now=after(MINUTE), until=after(2 * MINUTE), limit=1)
    await storage.outbox.settle("w", [Settlement(job, Fate.DEAD, after(MINUTE), "mailbox-unknown")])


async def _audit_event(storage: Storage) -> None:
    await storage.audit.add([make_event(1), make_event(2)])  # the last one that is due stays
    await Sealer(storage.audit).seal()


async def _counter(storage: Storage) -> None:
    await commit(storage, CountUp(ACCOUNT, "email verifications", "2026-11-21", 9, errors.LIMIT_EXCEEDED_CONTACTS))


async def _nonce(storage: Storage) -> None:
    await commit(storage, with_nonce=nonce(expires_at=START))


async def _console_session(storage: Storage) -> None:
    session = ConsoleSession(
        account_id=ACCOUNT,
        digest=b"s" * 32,
        access_key_id="MCkey",
        opened_at=START,
        seen_at=START,
        expires_at=START,
        source_address="203.0.113.9",
    )
    await commit(storage, Insert(make_key()), Insert(session))


async def _console_ticket(storage: Storage) -> None:
    ticket = ConsoleTicket(account_id=ACCOUNT, digest=b"t" * 32, access_key_id="MCkey", made_at=START, expires_at=START)
    await commit(storage, Insert(make_key()), Insert(ticket))


def make_event(number: int = 1, happened_at: Instant = START) -> AuditEvent:
    return AuditEvent(
        account_id=ACCOUNT,
        event_id=f"ae-{number:06d}",
        happened_at=happened_at,
        kind=EventKind.CHANGE,
        operation="AddMessageContact",
        access_key_id="MCkey",
        user_id="",
        source_address="203.0.113.9",
        request_id="",
        targets="[]",
        details="[]",
        personal_digests="{}",
    )


@dataclass(frozen=True)
class Row:
    """One row of the table of what goes by age."""

    table: str
    put: Callable[[Storage], Awaitable[None]]
    retention: Retention
    #: For how long it is kept.
    kept: int = KEPT
    #: Whether it is still there when exactly that time has passed.
    there_at_the_edge: bool = False
    #: Rows that stay when its time has come.
    staying: int = 0


ROWS = [
    Row("verification", _verification, Retention(verifications=KEPT)),
    Row("evidence", _evidence, Retention(evidence=KEPT)),
    Row("inbox_message", _message, Retention(captured=KEPT)),
    Row("delivery", _delivery, Retention(messages=KEPT)),
    Row("incident", _incident, Retention(messages=KEPT)),
    Row("message", _published, Retention(messages=KEPT)),
    Row("hand_over", _hand_over, Retention(messages=KEPT)),
    Row("job", _failed_job, Retention(failed_jobs=KEPT)),
    Row("audit_event", _audit_event, Retention(audit_events=KEPT), there_at_the_edge=True, staying=1),
    Row("counter", _counter, Retention(), kept=housekeeping.COUNTERS_KEPT),
    Row("console_session", _console_session, Retention(), kept=0),
    Row("console_ticket", _console_ticket, Retention(), kept=0),
    Row("nonce", _nonce, Retention(), kept=0),
]
EVERYTHING = Retention(verifications=0, evidence=0, captured=0, messages=0, failed_jobs=0, audit_events=0)


def test_every_kind_that_goes_by_age_is_tested() -> None:
    assert len(ROWS) == len(housekeeping.AGING) + 1  # and the audit events


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.table)
async def test_it_is_there_just_before_its_time_and_gone_just_after(
    storage: Storage, database_url: str, row: Row
) -> None:
    await row.put(storage)
    if row.kept:
        await storage.prune(Instant(START + row.kept - 1), row.retention)
        assert rows(database_url, row.table) == row.staying + 1
    if row.there_at_the_edge:
        await storage.prune(Instant(START + row.kept), row.retention)
        assert rows(database_url, row.table) == row.staying + 1
    await storage.prune(Instant(START + row.kept + row.there_at_the_edge), row.retention)
    assert rows(database_url, row.table) == row.staying


@pytest.mark.parametrize("row", [row for row in ROWS if row.retention != Retention()], ids=lambda row: row.table)
async def test_without_a_time_it_is_kept_for_ever(storage: Storage, database_url: str, row: Row) -> None:
    await row.put(storage)
    await storage.prune(Instant(START + 36_500 * DAY), Retention())
    assert rows(database_url, row.table) == row.staying + 1


async def test_what_is_in_force_or_waits_never_goes(storage: Storage, database_url: str) -> None:
    verified = Slot(shown=EmailAddress("tom@example.com"), verified=Verified(START, captured=False))
    waiting = make_verification(verification_id="1111111111", expires_at=after(DAY))
    await plant(
        storage,
        make_contact(email=verified),
        waiting,
        make_evidence(confirmed_at=START),
        make_copy(contact_id="c-0000000000000002", email=EmailAddress("Ann@Example.com")),
        make_evidence("2222222222", contact_id="c-0000000000000002", address="ann@example.com"),
    )
    await commit(storage, Enqueue(make_job()))

    await storage.prune(Instant(START + DAY - 1), EVERYTHING)

    tables = ("contact", "verification", "evidence", "detached_contact", "job")
    assert {table: rows(database_url, table) for table in tables} == {
        "contact": 1,
        "verification": 1,
        "evidence": 2,
        "detached_contact": 1,
        "job": 1,
    }


@pytest.mark.parametrize("channel", ["email", "phone"])
async def test_the_time_of_evidence_begins_when_the_contact_rests_on_it_no_more(
    storage: Storage, database_url: str, channel: str
) -> None:
    """Three years old, and needed until yesterday: it is kept from yesterday on."""
    address = make_evidence().address
    slot = Slot(shown=EmailAddress(address), verified=Verified(START, captured=False))
    contact = make_contact(**{"email": slot} if channel == "email" else {"phone": slot})
    await plant(storage, contact, make_evidence())
    later = Instant(START + 1000 * DAY)
    await storage.prune(later, Retention(evidence=KEPT))
    await commit(storage, Delete(contact))

    await storage.prune(later, Retention(evidence=KEPT))
    await storage.prune(Instant(later + KEPT - 1), Retention(evidence=KEPT))
    assert rows(database_url, "evidence") == 1
    await storage.prune(Instant(later + KEPT), Retention(evidence=KEPT))
    assert rows(database_url, "evidence") == 0


async def test_evidence_of_an_address_that_was_replaced_is_not_needed(storage: Storage, database_url: str) -> None:
    old = Slot(shown=EmailAddress("tom@example.com"), verified=Verified(START, captured=False))
    new = Slot(shown=EmailAddress("tom@example.org"), verified=Verified(after(DAY), captured=False))
    await plant(storage, make_contact(email=old), make_evidence())
    await commit(
        storage,
        Update(make_contact(email=old), make_contact(email=new)),
        Insert(make_evidence("2222222222", address="tom@example.org", confirmed_at=after(DAY))),
    )

    await storage.prune(after(DAY), Retention(evidence=KEPT))
    await storage.prune(after(DAY + KEPT), Retention(evidence=KEPT))

    left = await storage.verification.evidence_page(ACCOUNT, contact_id=None, after=None, limit=9)
    assert [evidence.address for evidence in left] == ["tom@example.org"]


async def test_evidence_is_walked_through_however_much_there_is(
    storage: Storage, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_AT_ONCE", 3)
    monkeypatch.setattr(housekeeping, "_GROUPS", 2)
    accounts = ["1000000000000001", "1000000000000002"]
    for number in range(20):
        await commit(storage, Insert(make_evidence(f"{number:010d}", account_id=accounts[number % 2])))
    rounds = 0
    while rows(database_url, "evidence"):
        await storage.prune(after(rounds), Retention(evidence=0))
        rounds += 1
        assert rounds < 10
    assert rounds == 4  # six rows a round, and the rest


async def test_a_verification_stays_as_long_as_a_block_names_it(storage: Storage, database_url: str) -> None:
    """Nothing else tells whose the block is, once the contact has another address."""
    block = make_block(address_key="tom@example.com", verification_id="1111111111")
    await commit(
        storage,
        Insert(make_verification(verification_id="1111111111", address="Tom@Example.com", expires_at=START)),
        # Of the same address, of another one, and of another tenant: no block names these.
        Insert(make_verification(verification_id="2222222222", address="Tom@Example.com", expires_at=START)),
        Insert(make_verification(verification_id="3333333333", address="ann@example.com", expires_at=START)),
        Insert(make_verification(verification_id="4444444444", account_id=OTHER_ACCOUNT, expires_at=START)),
        Insert(block),
    )

    await storage.prune(after(1000 * DAY), EVERYTHING)
    assert outside(database_url, "SELECT verification_id FROM verification") == [("1111111111",)]

    await commit(storage, Delete(block))
    await storage.prune(after(1000 * DAY), EVERYTHING)
    assert rows(database_url, "verification") == 0


async def test_a_verification_stays_as_long_as_a_captured_message_carries_it(
    storage: Storage, database_url: str
) -> None:
    """Nothing else tells whom a message to an address is about that others have as well."""
    await commit(
        storage,
        Insert(make_verification(verification_id="1111111111", address="Tom@Example.com", expires_at=START)),
        Insert(make_verification(verification_id="2222222222", address="Tom@Example.com", expires_at=START)),
        Insert(make_verification(verification_id="3333333333", account_id=OTHER_ACCOUNT, expires_at=START)),
    )
    await storage.inbox.put(make_message("m-1", verification_id="1111111111", captured_at=after(9 * DAY)))
    await storage.inbox.put(make_message("m-2", captured_at=after(9 * DAY)))

    await storage.prune(after(10 * DAY), Retention(verifications=DAY, captured=2 * DAY))
    assert outside(database_url, "SELECT verification_id FROM verification") == [("1111111111",)]

    # The message goes, and the next time what it carried.
    for _ in range(2):
        await storage.prune(after(11 * DAY), Retention(verifications=DAY, captured=2 * DAY))
    assert rows(database_url, "inbox_message") == 0
    assert rows(database_url, "verification") == 0


async def test_work_that_was_made_to_wait_again_does_not_go(storage: Storage, database_url: str) -> None:
    await _failed_job(storage)
    assert rows(database_url, "job") == 1
    (job,) = await storage.outbox.dead_jobs(ACCOUNT, after=None, limit=9)
    await commit(storage, Requeue(job, after(MINUTE)))
    await storage.prune(Instant(START + 1000 * DAY), EVERYTHING)
    assert rows(database_url, "job") == 1


@pytest.mark.parametrize(
    ("waiting", "left"),
    [
        (make_delivery(1), {"message": 1, "delivery": 1, "incident": 0, "message_progress": 0}),
        (
            Progress(account_id=ACCOUNT, message_id=MESSAGE_ID),
            {"message": 1, "delivery": 0, "incident": 0, "message_progress": 1},
        ),
        (make_incident(incident_id="i-2"), {"message": 1, "delivery": 0, "incident": 1, "message_progress": 0}),
        (None, {"message": 0, "delivery": 0, "incident": 0, "message_progress": 0}),
    ],
    ids=["delivery", "progress", "open-incident", "nothing"],
)
async def test_a_message_stays_as_long_as_something_of_it_waits(
    storage: Storage, database_url: str, waiting: object, left: dict[str, int]
) -> None:
    sent = make_delivery(2, state=DeliveryState.SENT)
    closed = make_incident(closed_at=after(DAY), kind=IncidentKind.NOBODY_REACHABLE)
    await commit(storage, Insert(published()), Insert(sent), Insert(closed))
    if waiting is not None:
        await commit(storage, Insert(waiting))
    await storage.prune(after(KEPT), Retention(messages=KEPT))
    assert {table: rows(database_url, table) for table in left} == left


async def test_other_changes_go_on_between_the_statements_of_a_pruning(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that is asked for in the middle does not wait for the end."""
    monkeypatch.setattr(housekeeping, "_AT_ONCE", 2)
    await plant(storage)
    for number in range(20):
        await storage.inbox.put(make_message(f"m-{number:02d}"))
    statements = 0
    write = storage._database.write

    async def counted(sql: str, parameters: tuple[object, ...]) -> object:
        nonlocal statements
        if sql == housekeeping.DELETE_OLD_CAPTURED:
            statements += 1
            if statements == 3:
                await commit(storage, Insert(named_contact(1)))
                left = await storage.inbox.messages(ACCOUNT, recipient=None, after=None, limit=99)
                assert len(left) == 16
        return await write(sql, parameters)

    monkeypatch.setattr(storage._database, "write", counted)
    await storage.prune(after(DAY), Retention(captured=0))
    assert statements == 11
