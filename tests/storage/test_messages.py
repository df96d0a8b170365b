"""Messages, progress, deliveries, incidents and the fallback address in the database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.changes import Delete, Enqueue, Insert, Job, RelyOn, Requeue, Stale, Update
from message_contacts.clock import Instant
from message_contacts.contacts.model import Binding, Channel
from message_contacts.delivery.messages import (
    DELIVER,
    DeliveryState,
    FallbackAddress,
    Incident,
    IncidentKind,
    MessageState,
    Progress,
    Reach,
    Route,
    Stage,
    job_id,
)
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.storage import Storage
from tests.factories import ACCOUNT
from tests.fakes.clock import START
from tests.storage.making import (
    OTHER_ACCOUNT,
    ROOT,
    after,
    commit,
    make_copy,
    make_folder,
    make_member,
    named_contact,
    plant,
)
from tests.unit.delivery.values import MESSAGE_ID, make_delivery, make_message, make_named

SENT, PENDING, SKIPPED = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.SKIPPED


def later(row):
    """As it is read after a change."""
    return replace(row, version=row.version + 1)


async def one(storage: Storage, number: int = 1):
    return await storage.messages.delivery(ACCOUNT, make_delivery(number).delivery_id)


async def test_a_message_is_read_back_whole_and_changed_by_version(storage: Storage) -> None:
    message = make_message(
        html="<p>x</p>", markdown="x", targets=("r-1", "fd-2"), client_token="once", expires_at=after(5), text="磁盘"
    )
    await commit(storage, Insert(message))
    assert await storage.messages.message(ACCOUNT, MESSAGE_ID) == message
    assert await storage.messages.message_by_token(ACCOUNT, "once") == message
    assert await storage.messages.message(OTHER_ACCOUNT, MESSAGE_ID) is None
    assert await storage.messages.message_by_token(OTHER_ACCOUNT, "once") is None

    changed = replace(message, state=MessageState.CANCELLED)
    await commit(storage, Update(message, changed))
    assert await storage.messages.message(ACCOUNT, MESSAGE_ID) == later(changed)
    with pytest.raises(Stale):
        await commit(storage, Update(message, changed))
    with pytest.raises(Stale):
        await commit(storage, RelyOn(message))
    await commit(storage, RelyOn(later(changed)), Delete(later(changed)))
    assert await storage.messages.message(ACCOUNT, MESSAGE_ID) is None


async def test_a_token_is_used_once_in_a_tenant_and_having_none_is_no_token(storage: Storage) -> None:
    await commit(storage, Insert(make_message(client_token="once")))
    with pytest.raises(Stale):
        await commit(storage, Insert(make_message(message_id="m-2", client_token="once")))
    await commit(storage, Insert(make_message(account_id=OTHER_ACCOUNT, client_token="once")))
    await commit(storage, Insert(make_message(message_id="m-3")), Insert(make_message(message_id="m-4")))


async def test_messages_are_listed_newest_first_without_what_they_say(storage: Storage) -> None:
    await commit(storage, *(Insert(make_message(message_id=f"m-{number}")) for number in range(3)))
    found = await storage.messages.message_page(ACCOUNT, before=None, limit=2)
    assert [(each.message_id, each.text) for each in found] == [("m-2", ""), ("m-1", "")]
    found = await storage.messages.message_page(ACCOUNT, before="m-1", limit=2)
    assert [each.message_id for each in found] == ["m-0"]


async def test_progress_is_read_back_whole_and_changed_by_version(storage: Storage) -> None:
    progress = Progress(
        account_id=ACCOUNT,
        message_id=MESSAGE_ID,
        step=7,
        stage=Stage.MEMBERS,
        node="fd-1",
        after=("123", "c-1"),
        numbers=9,
        reaches_somebody=True,
        reach={"fd-1": Reach(2**53, 5), "r-1": Reach(0, 7)},
        wanted={"fd-1": 12},
        unreached=3,
        unreached_members=("1", "2"),
    )
    await commit(storage, Insert(make_message()), Insert(progress))
    assert await storage.messages.progress(ACCOUNT, MESSAGE_ID) == progress
    moved = replace(progress, step=8, stage=Stage.RELEASE)
    await commit(storage, Update(progress, moved))
    with pytest.raises(Stale):
        await commit(storage, Update(progress, moved))
    assert await storage.messages.progress(ACCOUNT, MESSAGE_ID) == later(moved)
    await commit(storage, Delete(later(moved)))
    assert await storage.messages.progress(ACCOUNT, MESSAGE_ID) is None


async def test_a_delivery_is_read_back_whole(storage: Storage) -> None:
    delivery = make_delivery(
        contacts=(
            make_named(name='a "b"\n'),
            make_named(contact_id="", because=None, word="fallback", detached_id="dc-1"),
        ),
        contact_count=2,
        reason="x",
        route=Route.FALLBACK,
    )
    await commit(storage, Insert(make_message()), Insert(delivery))
    assert await one(storage) == delivery
    changed = replace(delivery, state=DeliveryState.EXPIRED, reason="cancelled")
    await commit(storage, Update(delivery, changed))
    assert await one(storage) == later(changed)
    with pytest.raises(Stale):
        await commit(storage, Update(delivery, changed))


async def test_a_delivery_needs_its_message(storage: Storage) -> None:
    with pytest.raises(Stale):
        await commit(storage, Insert(make_delivery()))


async def test_a_second_contact_at_an_address_joins_its_delivery(storage: Storage) -> None:
    first = make_delivery(1, address="Duty@example.com", state=SKIPPED, reason="not-subscribed")
    passed = make_delivery(2, address="duty@example.com", contacts=(make_named(contact_id="c-2"),))
    skipped = make_delivery(
        3, address="DUTY@example.com", state=SKIPPED, reason="not-verified", contacts=(make_named(contact_id="c-3"),)
    )
    await commit(storage, Insert(make_message()), Insert(first), Insert(passed), Insert(skipped))

    joined = await one(storage)
    assert joined is not None
    assert (joined.state, joined.reason, joined.contact_count) == (PENDING, "", 3)
    # Whoever it goes to comes first, and the address is as it was given first.
    assert [each.contact_id for each in joined.contacts] == ["c-2", "c-0000000000000001", "c-3"]
    assert joined.address == "Duty@example.com"
    assert await one(storage, 2) is None


async def test_contacts_beyond_a_hundred_are_counted_but_one_to_be_sent_is_named(storage: Storage) -> None:
    rows = [
        make_delivery(
            number,
            address="duty@example.com",
            state=SKIPPED,
            reason="not-subscribed",
            contacts=(make_named(contact_id=f"c-{number}"),),
        )
        for number in range(1, 121)
    ]
    last = make_delivery(121, address="duty@example.com", contacts=(make_named(contact_id="c-last"),))
    await commit(storage, Insert(make_message()), *(Insert(row) for row in (*rows, last)))

    joined = await one(storage)
    assert joined is not None
    assert (joined.contact_count, len(joined.contacts), joined.contacts[0].contact_id) == (121, 101, "c-last")


def job(number: int = 1, kind: str = DELIVER) -> Job:
    found = make_delivery(number).delivery_id
    return Job(
        job_id=job_id(found),
        account_id=ACCOUNT,
        kind=kind,
        channel="email",
        payload={"delivery_id": found},
        due_at=START,
        created_at=START,
    )


async def settle(
    storage: Storage, fate: Fate, reason: str, *, at: int = 5, becomes: DeliveryState | None = None
) -> None:
    (claimed,) = await storage.outbox.claim("email", "w", now=after(1_000_000), until=after(2_000_000), limit=9)
    settlement = Settlement(claimed, fate, after(at + 1), reason, after(at), becomes)
    await storage.outbox.settle("w", [settlement])


async def test_the_end_of_a_try_is_recorded_with_its_job(storage: Storage) -> None:
    await commit(storage, Insert(make_message()), Insert(make_delivery()), Enqueue(job()))

    await settle(storage, Fate.AGAIN, "mailbox-busy", at=5)
    deferred = await one(storage)
    await settle(storage, Fate.DEAD, "mailbox-unknown", at=6)
    failed = await one(storage)
    dead = await storage.outbox.dead_job(ACCOUNT, job().job_id)
    assert dead is not None
    await commit(storage, Requeue(dead, after(7)))
    await settle(storage, Fate.DONE, "accepted", at=8)
    sent = await one(storage)

    assert deferred is not None
    assert failed is not None
    assert sent is not None
    assert (deferred.state, deferred.reply, deferred.reason) == (DeliveryState.DEFERRED, "mailbox-busy", "")
    assert (failed.state, failed.reply, failed.reason) == (DeliveryState.FAILED, "mailbox-unknown", "mailbox-unknown")
    assert (sent.state, sent.reply, sent.reason, sent.sent_at) == (SENT, "accepted", "", after(8))
    assert [(each.at, each.state, each.reply) for each in sent.tries] == [
        (after(5), "deferred", "mailbox-busy"),
        (after(6), "failed", "mailbox-unknown"),
        (after(8), "sent", "accepted"),
    ]
    assert sent.attempts == 3
    assert await storage.outbox.dead_jobs(ACCOUNT, after=None, limit=9) == []


async def test_a_delivery_that_ends_without_a_try_counts_none(storage: Storage) -> None:
    await commit(storage, Insert(make_message()), Insert(make_delivery()), Enqueue(job()))
    await settle(storage, Fate.DONE, "expired", becomes=DeliveryState.EXPIRED)
    ended = await one(storage)
    assert ended is not None
    assert (ended.state, ended.reason, ended.attempts, ended.reply) == (DeliveryState.EXPIRED, "expired", 0, "")


async def test_what_was_sent_stays_sent_whatever_is_said_later(storage: Storage) -> None:
    """A worker that was taken for dead may come back with news."""
    await commit(storage, Insert(make_message()), Insert(make_delivery()), Enqueue(job()))
    await settle(storage, Fate.DONE, "accepted", at=5)
    for fate, becomes in ((Fate.DEAD, None), (Fate.AGAIN, None), (Fate.DONE, DeliveryState.EXPIRED), (Fate.DONE, None)):
        await storage.outbox.settle("w", [Settlement(job(), fate, after(9), "late", after(9), becomes)])
    sent = await one(storage)
    assert sent is not None
    assert (sent.state, sent.attempts, sent.sent_at) == (SENT, 1, after(5))


async def test_what_was_sent_while_it_was_cancelled_counts_as_sent(storage: Storage) -> None:
    delivery = make_delivery()
    await commit(storage, Insert(make_message()), Insert(delivery), Enqueue(job()))
    await commit(storage, Update(delivery, replace(delivery, state=DeliveryState.EXPIRED, reason="cancelled")))
    await settle(storage, Fate.DONE, "accepted")
    sent = await one(storage)
    assert sent is not None
    assert (sent.state, sent.reason) == (SENT, "")


async def test_deliveries_are_found_by_message_state_and_address(storage: Storage) -> None:
    other = "m-019f00000000000000000002"
    await commit(
        storage,
        Insert(make_message()),
        Insert(make_message(message_id=other)),
        *(Insert(make_delivery(number, state=SKIPPED if number % 2 else PENDING)) for number in range(1, 6)),
        Insert(make_delivery(1, message_id=other)),
    )

    async def found(**given):
        asked = {"message_id": None, "state": None, "address": None, "after": None, "limit": 9, **given}
        page = await storage.messages.delivery_page(ACCOUNT, **asked)
        return [(each.message_id == MESSAGE_ID, each.address[0]) for each in page]

    assert len(await found()) == 6
    assert await found(message_id=other) == [(False, "1")]
    assert await found(message_id=MESSAGE_ID, limit=2) == [(True, "1"), (True, "2")]
    assert await found(message_id=MESSAGE_ID, after=make_delivery(4).delivery_id) == [(True, "5")]
    assert await found(message_id=MESSAGE_ID, state=SKIPPED) == [(True, "1"), (True, "3"), (True, "5")]
    assert await found(state=PENDING) == [(True, "2"), (True, "4"), (False, "1")]
    to_first = (Channel.EMAIL, "1@example.com")
    assert await found(address=to_first) == [(True, "1"), (False, "1")]
    assert await found(address=to_first, state=PENDING) == [(False, "1")]
    assert await found(address=to_first, message_id=MESSAGE_ID) == [(True, "1")]
    assert await found(address=(Channel.SMS, "1@example.com")) == []
    assert await found(newest_first=True, limit=2) == [(False, "1"), (True, "5")]
    assert await found(message_id=MESSAGE_ID, newest_first=True, after=make_delivery(3).delivery_id) == [
        (True, "2"),
        (True, "1"),
    ]
    assert await found(state=PENDING, newest_first=True) == [(False, "1"), (True, "4"), (True, "2")]
    assert await found(address=to_first, newest_first=True) == [(False, "1"), (True, "1")]
    assert await storage.messages.counts(ACCOUNT, MESSAGE_ID) == {SKIPPED: 3, PENDING: 2}
    assert await storage.messages.counts(OTHER_ACCOUNT, MESSAGE_ID) == {}
    assert await storage.messages.has_any(ACCOUNT, other, PENDING)
    assert not await storage.messages.has_any(ACCOUNT, other, SKIPPED)


async def test_deliveries_that_wait_for_their_first_try_are_told_page_by_page(storage: Storage) -> None:
    sms = {"channel": Channel.SMS, "address": "86-13900001234", "address_key": "86-13900001234"}
    other = "m-" + "2" * 24
    await commit(
        storage,
        Insert(make_message()),
        Insert(make_message(message_id=other, client_token=None)),
        *(
            Insert(make_delivery(number, address=f"{number}@a.example", address_key=f"{number}@a.example"))
            for number in (1, 2)
        ),
        Insert(make_delivery(3, state=SKIPPED, address="3@a.example", address_key="3@a.example")),
        Insert(make_delivery(4, **sms)),
        Insert(make_delivery(1, message_id=other)),
    )
    first, second, fourth = (make_delivery(number).delivery_id for number in (1, 2, 4))
    found = await storage.messages.pending(ACCOUNT, MESSAGE_ID, after=None, limit=2)
    assert found == [(first, Channel.EMAIL), (second, Channel.EMAIL)]
    assert await storage.messages.pending(ACCOUNT, MESSAGE_ID, after=second, limit=2) == [(fourth, Channel.SMS)]
    assert await storage.messages.pending(OTHER_ACCOUNT, MESSAGE_ID, after=None, limit=2) == []


async def test_an_errand_has_what_matters_of_the_message(storage: Storage) -> None:
    await commit(storage, Insert(make_message(expires_at=after(9))), Insert(make_delivery()))
    errand = await storage.messages.errand(ACCOUNT, make_delivery().delivery_id)
    assert errand is not None
    assert (errand.delivery, errand.message_state, errand.expires_at) == (
        make_delivery(),
        MessageState.EXPANDING,
        after(9),
    )
    assert await storage.messages.errand(ACCOUNT, "d-0") is None


async def test_contacts_and_copies_of_an_object_come_in_pages(storage: Storage) -> None:
    bound = (Binding(ROOT, START),)
    await plant(
        storage,
        *(named_contact(number, bindings=bound) for number in (1, 2, 3)),
        named_contact(4),
        *(make_copy(f"dc-{number}") for number in range(3)),
    )
    first = await storage.messages.contacts_of_node(ACCOUNT, ROOT, after=(), limit=2)
    behind = (str(first[-1].created_at), first[-1].contact_id)
    second = await storage.messages.contacts_of_node(ACCOUNT, ROOT, after=behind, limit=2)
    assert [each.name.text for each in (*first, *second)] == ["contact 1", "contact 2", "contact 3"]
    copies = await storage.messages.copies_of_node(ACCOUNT, ROOT, after=("dc-0",), limit=9)
    assert [each.detached_id for each in copies] == ["dc-1", "dc-2"]
    assert await storage.messages.copies_of_node(ACCOUNT, "fd-none", after=(), limit=9) == []


async def test_members_come_in_pages_with_what_is_theirs(storage: Storage) -> None:
    folder, members = "fd-0000000001", [f"200000000000000{number}" for number in range(4)]
    await plant(
        storage,
        make_folder(folder),
        *(make_member(each, folder_id=folder, joined_at=after(position)) for position, each in enumerate(members[:3])),
        make_member(members[3]),
        named_contact(1, bindings=(Binding(members[0], START), Binding(members[2], START))),
        named_contact(2, bindings=(Binding(members[2], START), Binding(members[3], START))),
        make_copy("dc-1", node_ids=(members[1], ROOT)),
    )
    first = await storage.messages.members_of_folder(ACCOUNT, folder, after=(), limit=2)
    assert [each.member_id for each in first.places] == members[:2]
    assert {who: [each.name.text for each in theirs] for who, theirs in first.contacts.items()} == {
        members[0]: ["contact 1"]
    }
    assert {who: [each.detached_id for each in theirs] for who, theirs in first.copies.items()} == {
        members[1]: ["dc-1"]
    }
    last = first.places[-1]
    behind = (str(last.joined_at), last.member_id)
    second = await storage.messages.members_of_folder(ACCOUNT, folder, after=behind, limit=2)
    assert [each.member_id for each in second.places] == [members[2]]
    assert [each.name.text for each in second.contacts[members[2]]] == ["contact 1", "contact 2"]
    named = await storage.messages.members_named(ACCOUNT, [members[3], "2999999999999999"])
    assert [each.member_id for each in named.places] == [members[3]]
    assert [each.name.text for each in named.contacts[members[3]]] == ["contact 2"]


async def test_incidents_are_open_until_they_are_closed(storage: Storage) -> None:
    incident = Incident(
        account_id=ACCOUNT,
        incident_id="i-1",
        message_id=MESSAGE_ID,
        kind=IncidentKind.NOBODY_REACHABLE,
        members=2,
        member_ids=("1", "2"),
        opened_at=START,
    )
    await commit(storage, Insert(incident))
    assert await storage.messages.incident(ACCOUNT, "i-1") == incident
    assert await storage.messages.incident_of(ACCOUNT, MESSAGE_ID, "nobody-reachable") == incident
    assert await storage.messages.incident_page(ACCOUNT, only_open=True, after=None, limit=9) == [incident]
    with pytest.raises(Stale):
        await commit(storage, Insert(replace(incident, incident_id="i-2")))

    closed = replace(incident, closed_at=after(5), closed_by="MCkey", note="seen to")
    await commit(storage, Update(incident, closed))
    assert await storage.messages.incident_page(ACCOUNT, only_open=True, after=None, limit=9) == []
    assert await storage.messages.incident_page(ACCOUNT, only_open=False, after=None, limit=9) == [later(closed)]
    assert await storage.messages.incident_page(ACCOUNT, only_open=False, after="i-1", limit=9) == []


async def test_the_fallback_address_is_read_back_whole(storage: Storage) -> None:
    fallback = FallbackAddress(
        account_id=ACCOUNT,
        address="a@example.com",
        confirmed_at=after(1),
        captured=True,
        waiting="b@example.com",
        reference="0123456789",
        generation=3,
        waiting_captured=True,
        wrong_codes=2,
        expires_at=Instant(START + 9),
    )
    await commit(storage, Insert(fallback))
    assert await storage.messages.fallback(ACCOUNT) == fallback
    assert await storage.messages.fallback(OTHER_ACCOUNT) is None
    await commit(storage, Update(fallback, replace(fallback, waiting="")))
    with pytest.raises(Stale):
        await commit(storage, Delete(fallback))
