"""From changes to the event that tells of them."""

from __future__ import annotations

import hmac
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.access.model import User
from message_contacts.audit.keeping import Salted, canonical
from message_contacts.audit.trail import AuditTrail
from message_contacts.changes import Cause, CountUp, Delete, EraseTraces, Insert, RelyOn, Requeue, Update
from message_contacts.contacts.model import Binding, Channel, EmailAddress, MessageType, Slot
from message_contacts.delivery.messages import DeliveryState, Progress
from message_contacts.delivery.standing import Preference, Sign, Source, Suspension, SuspensionReason
from message_contacts.errors import LIMIT_EXCEEDED_CONTACTS
from message_contacts.ids import RandomIds
from tests.factories import ACCOUNT, EMAIL, PHONE, make_contact, make_directory, make_verification
from tests.fakes.clock import START, FakeClock
from tests.storage.making import make_block, make_folder, make_job, make_key
from tests.unit.audit.values import CAUSE, about, details, written
from tests.unit.delivery.values import make_delivery, make_message

CONTACT = make_contact(phone=Slot(shown=PHONE))
AT_THE_PAGE = Cause(operation="page:confirm", visitor_address="198.51.100.4")


@given(st.binary(max_size=64), st.text(max_size=200))
def test_a_digest_is_an_hmac(salt: bytes, text: str) -> None:
    assert Salted.of(salt).digest(text) == hmac.digest(salt, text.encode(), "sha256").hex()


def test_whoever_knows_an_address_can_prove_that_it_was_it() -> None:
    _, (part,) = written(Insert(CONTACT))
    (told,) = about(part)["changes"]

    assert told["fields"]["email.shown"] == {
        "masked": "t***@example.com",
        "digest": hmac.digest(part.salt, b"tom@example.com", "sha256").hex(),
    }
    assert told["fields"]["phone.shown"]["masked"] == "86-***34"
    assert told["fields"]["name"]["masked"] == "T***"
    assert told["fields"]["title"] == "CEO"


def test_two_events_about_one_address_have_nothing_in_common() -> None:
    (_, (first,)), (_, (second,)) = written(Insert(CONTACT)), written(Insert(CONTACT))

    assert first.salt != second.salt
    digests = [about(part)["changes"][0]["fields"]["email.shown"]["digest"] for part in (first, second)]
    assert digests[0] != digests[1]


def test_the_event_covers_its_personal_part_by_a_digest() -> None:
    event, (part,) = written(Insert(CONTACT))

    expected = {CONTACT.contact_id: hmac.digest(part.salt, part.details.encode(), "sha256").hex()}
    assert event.personal_digests == canonical(expected).decode()
    assert details(event)[0]["personal"] == ["email.shown", "name", "phone.shown", "title"]


def test_an_insert_tells_what_is_not_empty() -> None:
    event, _ = written(Insert(make_folder(tags=(("k", "v"),))))

    assert details(event) == [
        {
            "action": "insert",
            "type": "Folder",
            "id": "fd-0000000001",
            "fields": {
                "created_at": START,
                "name": "folder fd-0000000001",
                "parent_id": "r-AbCdEf",
                "tags": [{"key": "k", "value": "v"}],
            },
        }
    ]


def test_an_update_tells_what_differs_before_and_after() -> None:
    after = replace(CONTACT, bindings=(Binding("fd-0000000001", START),), email=Slot(shown=EmailAddress("a@b.test")))
    event, (part,) = written(Update(CONTACT, after))

    (told,) = details(event)
    assert told["fields"] == {"bindings": {"before": [], "after": ["fd-0000000001"]}}
    assert told["personal"] == ["email.shown"]
    (told,) = about(part)["changes"]
    assert [told["fields"]["email.shown"][when]["masked"] for when in ("before", "after")] == [
        "t***@example.com",
        "a***@b.test",
    ]


def test_a_delete_tells_what_went() -> None:
    event, (part,) = written(Delete(CONTACT))

    assert details(event)[0]["action"] == about(part)["changes"][0]["action"] == "delete"


def test_what_describes_no_change_writes_no_event() -> None:
    directory, trail = make_directory(), AuditTrail(FakeClock(), RandomIds())
    count = CountUp(ACCOUNT, "contacts", "", 20, LIMIT_EXCEEDED_CONTACTS)

    assert trail.event(CAUSE, (RelyOn(CONTACT), Update(directory, directory), count)) == ()
    assert trail.event(CAUSE, (Update(CONTACT, replace(CONTACT)),)) == ()


def test_a_secret_is_told_to_have_changed_and_nothing_else() -> None:
    key = make_key()
    event, parts = written(Update(key, replace(key, sealed_secret=b"other")))

    assert details(event) == [
        {"action": "update", "fields": {}, "id": "MCkey", "type": "AccessKey", "withheld": ["sealed_secret"]}
    ]
    assert parts == []
    assert "sealed" not in written(Insert(key))[0].details


def test_targets_are_named_once_in_the_order_of_the_changes() -> None:
    verification = make_verification()
    event, _ = written(Insert(verification), Update(CONTACT, replace(CONTACT, bindings=(Binding("x", START),))))

    assert event.targets == f'["{verification.verification_id}","{CONTACT.contact_id}"]'


def test_each_person_has_a_part_of_its_own() -> None:
    other = make_contact(contact_id="c-0000000000000002")
    event, parts = written(Delete(CONTACT), Delete(other))

    assert [part.person_id for part in parts] == [CONTACT.contact_id, other.contact_id]
    assert len({part.salt for part in parts}) == 2
    assert {part.event_id for part in parts} == {event.event_id}


def test_a_visitor_is_told_of_in_the_part_of_the_person_it_is_about() -> None:
    verification = make_verification()
    for change in (RelyOn(verification), Update(verification, verification)):
        event, (part,) = written(change, Insert(make_block()), cause=AT_THE_PAGE)

        assert part.person_id == verification.contact_id
        assert about(part) == {"changes": [], "source_address": "198.51.100.4"}
        assert "198.51.100.4" not in repr(event)


def test_a_block_tells_no_address() -> None:
    event, parts = written(Insert(make_block(source_address="198.51.100.4")))

    assert parts == []
    assert EMAIL.text not in event.details
    assert "198.51.100.4" not in event.details


def test_what_workers_write_down_while_they_send_is_no_event() -> None:
    delivery, counted = make_delivery(), make_suspension(reason=None, suspended_at=None)
    progress = Progress(account_id=ACCOUNT, message_id="m-1")

    for change in (
        Insert(delivery),
        Update(delivery, replace(delivery, state=DeliveryState.SENT)),
        Update(progress, replace(progress, step=2)),
        Delete(progress),
        Insert(counted),
        Update(counted, replace(counted, soft_bounces=2)),
    ):
        assert AuditTrail(FakeClock(), RandomIds()).event(CAUSE, (change,)) == ()


def test_a_message_is_told_without_its_words() -> None:
    message = make_message(subject="Disk of Tom", text="Tom has to look.", markdown="*Tom* has to look.")
    event, parts = written(Insert(message))

    (told,) = details(event)
    assert parts == []
    assert "Tom" not in event.details
    assert told["fields"]["subject"] == sha256(b"Disk of Tom").hexdigest()


def test_a_suspension_names_the_delivery_that_came_back_and_no_address() -> None:
    counted = make_suspension(reason=None, suspended_at=None)
    suspended = make_suspension()
    for change, action in ((Update(counted, suspended), "update"), (Delete(suspended), "delete")):
        event, parts = written(change)

        (told,) = details(event)
        assert parts == []
        assert (told["action"], event.targets) == (action, '["d-000000000000000000000001"]')
        assert "example.com" not in repr(event)


def make_suspension(**fields: Any) -> Suspension:
    """A suspended address."""
    sign = Sign(START, Source.SMTP, "d-000000000000000000000001", "hard", "mailbox-unknown", "5.1.1", EMAIL.text)
    return Suspension(
        **{
            "account_id": ACCOUNT,
            "channel": Channel.EMAIL,
            "address_key": EMAIL.key,
            "address": EMAIL.text,
            "reason": SuspensionReason.HARD_BOUNCE,
            "suspended_at": START,
            "soft_bounces": 0,
            "bounced_at": START,
            "signs": (sign,),
            **fields,
        }
    )


def test_what_is_wanted_at_an_address_names_nobody_and_keeps_no_address() -> None:
    """By one click, whoever has the address; as a contact, it is personal to that contact."""
    unwanted = frozenset({MessageType.FAULT_MESSAGE})
    said = Preference(
        account_id=ACCOUNT,
        channel=Channel.EMAIL,
        address_key=EMAIL.key,
        contact_id="",
        unwanted=unwanted,
        changed_at=START,
    )
    moved = replace(said, address_key="tom@example.org")

    for change in (Insert(said), Delete(said), Update(said, moved)):
        event, parts = written(change, cause=AT_THE_PAGE)
        (told,) = details(event)
        assert (parts, event.targets, told["withheld"]) == ([], "[]", ["address_key"])
        assert "example" not in repr(event)
        assert "198.51.100.4" not in repr(event)
    event, (part,) = written(Insert(replace(said, contact_id="c-1")), cause=AT_THE_PAGE)
    assert details(event)[0]["personal"] == ["address_key"]
    assert about(part)["changes"][0]["fields"]["address_key"]["masked"] == "t***@example.com"


def test_work_that_waits_again_is_told() -> None:
    event, _ = written(Requeue(make_job(last_failure="mailbox-unknown"), START))

    (told,) = details(event)
    assert (told["action"], told["type"]) == ("retry", "Job")
    assert told["fields"]["last_failure"] == "mailbox-unknown"


@pytest.mark.parametrize(
    ("payload", "about"),
    [
        ({"verification_id": "0123456789", "generation": 2, "captured": 0}, ["0123456789"]),
        ({"contact_id": "c-1"}, ["c-1"]),
        ({"delivery_id": "d-1", "captured": 1}, ["d-1"]),
        ({"message_id": "m-1", "delivery_id": "d-1"}, ["d-1", "m-1"]),
        ({"webhook_id": "wh-1", "generation": 1, "captured": 0}, ["wh-1"]),
        ({"generation": 1, "captured": 0}, []),
    ],
)
def test_work_that_is_tried_again_is_found_by_what_it_is_for(payload: dict[str, Any], about: list[str]) -> None:
    job = make_job(payload=payload)
    event, _ = written(Requeue(job, START))

    assert orjson.loads(event.targets) == [job.job_id, *about]
    assert details(event)[0]["id"] == job.job_id


def test_a_user_is_told_without_its_addresses() -> None:
    user = User(
        account_id=ACCOUNT,
        user_id="204859017365820194",
        name="alice",
        display_name="Alice Mustermann",
        mobile_phone="86-13900001234",
        email="alice@example.com",
        comments="likes gardening",
        created_at=START,
        updated_at=START,
    )
    event, (part,) = written(Insert(user))

    assert part.person_id == user.user_id
    assert about(part)["changes"][0]["fields"]["name"] == "alice"
    for secret in ("Mustermann", "13900001234", "alice@example.com", "gardening"):
        assert secret not in part.details
    assert "alice" not in event.details


def test_an_erasure_tells_how_much_went_and_nothing_of_the_person() -> None:
    other = make_contact(contact_id="c-0000000000000002")
    erasure = EraseTraces(
        account_id=ACCOUNT,
        person_id=CONTACT.contact_id,
        job_ids=(),
        verification_ids=(),
        own_addresses=(EMAIL.text,),
        shared_addresses=(),
        counts={"contacts": 1, "copies": 0},
    )

    event, parts = written(Delete(CONTACT), Delete(other), erasure)

    assert [part.person_id for part in parts] == [other.contact_id]
    assert CONTACT.contact_id not in event.personal_digests
    assert details(event)[-1] == {
        "action": "erase",
        "type": "Person",
        "id": CONTACT.contact_id,
        "fields": {"contacts": 1},
    }
    alone, _ = written(erasure)
    assert (alone.account_id, alone.targets) == (ACCOUNT, f'["{CONTACT.contact_id}"]')
