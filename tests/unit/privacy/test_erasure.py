"""The rule of an erasure, without a store."""

from __future__ import annotations

import pytest

from message_contacts import errors
from message_contacts.changes import CountDown, Delete, EraseTraces, Insert, Job
from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel, EmailAddress, PhoneNumber, Slot
from message_contacts.errors import ApiError
from message_contacts.privacy.erasure import erase, without_addresses
from message_contacts.privacy.model import Person, address_keys
from message_contacts.verification.erased_addresses import erased_key, is_erased, salt_of
from message_contacts.verification.model import Block
from tests.factories import ACCOUNT, EMAIL, OTHER_EMAIL, PHONE, make_contact, make_verification
from tests.fakes.clock import START
from tests.storage.making import make_block, make_copy, make_evidence

CONTACT = "c-0000000000000001"
SALT = bytes(range(16))


def person(**fields: object) -> Person:
    return Person(**{"account_id": ACCOUNT, "contact_id": CONTACT, **fields})  # type: ignore[arg-type]


def job() -> Job:
    return Job(
        job_id="j-1",
        account_id=ACCOUNT,
        kind="send-verification",
        channel="email",
        payload={"verification_id": "0123456789"},
        due_at=Instant(START),
        created_at=Instant(START),
    )


def test_of_a_contact_nobody_knows_nothing_can_be_erased() -> None:
    with pytest.raises(ApiError) as refusal:
        erase(person(own_addresses=frozenset({"tom@example.com"})), [])
    assert refusal.value.definition is errors.ENTITY_NOT_EXISTS_CONTACT


@pytest.mark.parametrize(
    "fields",
    [
        {"contact": make_contact()},
        {"copies": (make_copy(),)},
        {"verifications": (make_verification(),)},
        {"evidence": (make_evidence(),)},
        {"blocks": (make_block(),)},
        {"jobs": (job(),)},
        {"messages": 1},
        {"audit_parts": 1},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_one_trace_is_enough_to_be_erased(fields: dict[str, object]) -> None:
    decision = erase(person(**fields), [])
    assert type(decision.changes[-1]) is EraseTraces
    assert sum(decision.changes[-1].counts.values()) == 1


def test_what_has_a_version_goes_as_it_was_read_and_the_rest_as_it_is_found() -> None:
    contact, verification, block = make_contact(version=3), make_verification(version=2), make_block()
    kept = make_block(address_key=erased_key("tom@example.com", SALT))
    decision = erase(
        person(
            contact=contact,
            verifications=(verification,),
            evidence=(make_evidence("9999999999"),),
            blocks=(block,),
            jobs=(job(),),
            own_addresses=frozenset({"b@example.com", "a@example.com"}),
            shared_addresses=frozenset({"c@example.com"}),
            messages=4,
        ),
        [kept],
    )
    assert decision.changes[:-1] == (
        Delete(contact),
        CountDown(ACCOUNT, "contacts"),
        Delete(verification),
        Delete(block),
        Insert(kept),
    )
    traces = decision.changes[-1]
    assert isinstance(traces, EraseTraces)
    assert traces.verification_ids == ("0123456789", "9999999999")
    assert (traces.own_addresses, traces.shared_addresses) == (("a@example.com", "b@example.com"), ("c@example.com",))
    assert traces.job_ids == ("j-1",)
    assert decision.result.messages == 4


def test_all_addresses_are_found_in_the_form_in_which_they_are_compared() -> None:
    contact = make_contact(
        email=Slot(shown=EmailAddress("Tom@Example.com"), waiting=OTHER_EMAIL),
        phone=Slot(shown=PHONE, waiting=PhoneNumber("86-13900009999")),
    )
    found = address_keys(
        contact,
        [make_copy(email=EmailAddress("Copy@example.com"), phone=None)],
        [make_verification(address="Asked@example.com")],
        [make_evidence(address="Proved@example.com")],
    )
    assert found == {
        "tom@example.com",
        OTHER_EMAIL.key,
        PHONE.key,
        "86-13900009999",
        "copy@example.com",
        "asked@example.com",
        "proved@example.com",
    }


def test_a_block_keeps_the_wish_and_loses_the_person() -> None:
    (kept,) = without_addresses([make_block(version=4)], [], SALT)
    assert kept == Block(
        account_id=ACCOUNT,
        channel=Channel.EMAIL,
        address_key=erased_key("tom@example.com", SALT),
        verification_id="",
        blocked_at=START,
        source_address="",
    )


def test_erased_addresses_of_one_channel_share_their_salt() -> None:
    """So that a look-up takes one digest, however many there are."""
    already = make_block(address_key=erased_key("first@example.com", SALT))
    kept = without_addresses(
        [make_block(), make_block(channel=Channel.SMS, address_key=PHONE.key)], [already], b"f" * 16
    )
    assert [salt_of(block.address_key) for block in kept] == [SALT, b"f" * 16]


def test_the_same_wish_is_not_kept_twice() -> None:
    already = make_block(address_key=erased_key("tom@example.com", SALT))
    assert without_addresses([make_block()], [already], b"f" * 16) == []


def test_a_digest_tells_the_same_address_from_all_others() -> None:
    key = erased_key(EMAIL.key, SALT)
    assert key == erased_key(EMAIL.key, SALT)
    assert len({key, erased_key(OTHER_EMAIL.key, SALT), erased_key(EMAIL.key, b"o" * 16)}) == 3
    assert salt_of(key) == SALT
    assert is_erased(key)
    assert not is_erased(EMAIL.key)
    assert EMAIL.key not in key
