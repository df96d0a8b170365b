"""The rules of behaviour.md sections 2 to 6, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from message_contacts.changes import Insert, RelyOn, Update
from message_contacts.contacts import lifecycle
from message_contacts.contacts.lifecycle import AFTER_UPDATE, Before, ContactUpdate, Given
from message_contacts.contacts.model import (
    Channel,
    Contact,
    ContactName,
    ContactRules,
    Deletion,
    DeletionState,
    EmailAddress,
    MessageType,
    Slot,
    Status,
    Title,
)
from message_contacts.errors import ApiError, ErrorDefinition
from tests.factories import (
    BY_PERSON,
    EMAIL,
    FROM_INBOX,
    OTHER_EMAIL,
    OTHER_PHONE,
    PHONE,
    make_contact,
    make_directory,
)
from tests.fakes.clock import START

RULES = ContactRules()
UNVERIFIED = Slot(shown=EMAIL, verification_id="0123456789")
VERIFIED = Slot(shown=EMAIL, verified=BY_PERSON)
WAITING = Slot(shown=EMAIL, verified=BY_PERSON, waiting=OTHER_EMAIL, verification_id="0123456789")
THIRD_EMAIL = EmailAddress("third@example.net")
DELETING = Deletion(DeletionState.DELETING)


def updated(contact: Contact, rules: ContactRules = RULES, **asked: Any) -> Contact:
    """The contact after an update."""
    (change,) = lifecycle.update(contact, ContactUpdate(**asked), rules).changes
    match change:
        case Update(_, after):
            assert isinstance(after, Contact)
            return after
        case RelyOn(row):
            assert row is contact
            return contact
    raise AssertionError(change)


def assert_refused(expected: ErrorDefinition, rule: Any, *arguments: Any) -> None:
    """That the rule refuses with this error."""
    with pytest.raises(ApiError) as refusal:
        rule(*arguments)
    assert refusal.value.definition is expected


@pytest.mark.parametrize(
    ("before", "given", "after"),
    [
        pytest.param(UNVERIFIED, OTHER_EMAIL, Slot(shown=OTHER_EMAIL), id="unverified, other value: shown, codes void"),
        pytest.param(UNVERIFIED, EMAIL, UNVERIFIED, id="unverified, the same: nothing changes"),
        pytest.param(
            VERIFIED,
            OTHER_EMAIL,
            Slot(shown=EMAIL, verified=BY_PERSON, waiting=OTHER_EMAIL),
            id="verified, other value: waits",
        ),
        pytest.param(VERIFIED, EMAIL, VERIFIED, id="verified, the same: nothing changes"),
        pytest.param(
            WAITING,
            THIRD_EMAIL,
            Slot(shown=EMAIL, verified=BY_PERSON, waiting=THIRD_EMAIL),
            id="waiting, other value: the newer one waits, old codes void",
        ),
        pytest.param(WAITING, OTHER_EMAIL, WAITING, id="waiting, the same as waiting: codes stay valid"),
        pytest.param(WAITING, EMAIL, VERIFIED, id="waiting, the same as shown: waiting dropped"),
        pytest.param(WAITING, None, WAITING, id="absent: nothing changes"),
        pytest.param(
            VERIFIED,
            EmailAddress("TOM@example.com"),
            Slot(shown=EmailAddress("TOM@example.com"), verified=BY_PERSON),
            id="another spelling is shown and stays verified",
        ),
    ],
)
def test_update_moves_a_slot_as_the_table_says(before: Slot, given: EmailAddress | None, after: Slot) -> None:
    assert updated(make_contact(email=before), email=given).email == after


def test_update_table_has_a_row_for_every_state_a_slot_can_be_in() -> None:
    """A combination without a row would be a crash in service."""
    possible = {
        Before.EMPTY: {Given.OTHER},
        Before.UNVERIFIED: {Given.SAME_AS_SHOWN, Given.OTHER},
        Before.VERIFIED: {Given.SAME_AS_SHOWN, Given.OTHER},
        Before.WAITING: {Given.SAME_AS_SHOWN, Given.SAME_AS_WAITING, Given.OTHER},
    }
    assert set(AFTER_UPDATE) == {(before, given) for before, kinds in possible.items() for given in kinds}


def test_update_adds_a_phone_that_was_not_there() -> None:
    contact = updated(make_contact(email=VERIFIED), phone=PHONE)
    assert contact.phone == Slot(shown=PHONE, added_by_update=True)
    assert contact.status(RULES) is Status.VERIFYING


@pytest.mark.parametrize(
    "phone",
    [Slot(shown=PHONE), Slot(shown=PHONE, verified=BY_PERSON, waiting=OTHER_PHONE), Slot()],
    ids=["unverified", "verified and waiting", "none"],
)
def test_update_with_an_empty_phone_takes_shown_and_waiting_away(phone: Slot) -> None:
    assert updated(make_contact(phone=phone), remove_phone=True).phone == Slot()


def test_update_changes_all_fields_at_once() -> None:
    after = updated(
        make_contact(),
        name=ContactName("Jerry"),
        title=Title.OTHER,
        message_types=(MessageType.PRODUCT_MESSAGE, MessageType.FAULT_MESSAGE),
        email=OTHER_EMAIL,
        phone=PHONE,
    )
    assert (after.name.text, after.title, after.message_types) == (
        "Jerry",
        Title.OTHER,
        (MessageType.PRODUCT_MESSAGE, MessageType.FAULT_MESSAGE),
    )
    assert (after.email.shown, after.phone.shown) == (OTHER_EMAIL, PHONE)


def test_update_that_changes_nothing_only_relies_on_the_contact() -> None:
    contact = make_contact()
    decision = lifecycle.update(contact, ContactUpdate(name=contact.name, email=EMAIL), RULES)
    assert decision.changes == (RelyOn(contact),)


@pytest.mark.parametrize(
    ("email", "phone", "expected"),
    [
        (Slot(shown=EMAIL), Slot(), Status.VERIFYING),
        (VERIFIED, Slot(), Status.ACTIVE),
        (VERIFIED, Slot(shown=PHONE), Status.VERIFYING),
        (VERIFIED, Slot(shown=PHONE, verified=BY_PERSON), Status.ACTIVE),
        (WAITING, Slot(), Status.ACTIVE),
        (Slot(shown=EMAIL), Slot(shown=PHONE, verified=BY_PERSON), Status.VERIFYING),
    ],
)
def test_status_is_active_when_every_shown_address_is_verified(email: Slot, phone: Slot, expected: Status) -> None:
    assert make_contact(email=email, phone=phone).status(RULES) is expected


def test_status_is_deleting_whatever_the_addresses_while_a_deletion_runs() -> None:
    assert make_contact(email=VERIFIED, deletion=DELETING).status(RULES) is Status.DELETING


def test_status_after_a_failed_deletion_is_worked_out_again() -> None:
    failed = Deletion(DeletionState.FAILED)
    assert make_contact(email=VERIFIED, deletion=failed).status(RULES) is Status.ACTIVE


def test_address_confirmed_from_the_inbox_counts_only_while_the_channel_is_captured() -> None:
    contact = make_contact(email=Slot(shown=EMAIL, verified=FROM_INBOX))
    captured = ContactRules(captured_counts=frozenset({Channel.EMAIL}))
    assert contact.status(captured) is Status.ACTIVE
    assert contact.pending_addresses(captured) == []
    assert contact.status(RULES) is Status.VERIFYING
    assert contact.pending_addresses(RULES) == [EMAIL]


def test_update_replaces_an_address_that_was_only_confirmed_from_the_inbox() -> None:
    contact = make_contact(email=Slot(shown=EMAIL, verified=FROM_INBOX))
    assert updated(contact, email=OTHER_EMAIL).email == Slot(shown=OTHER_EMAIL)


def test_pending_addresses_are_email_then_phone() -> None:
    assert make_contact(email=WAITING, phone=Slot(shown=PHONE)).pending_addresses(RULES) == [OTHER_EMAIL, PHONE]


def test_confirmed_replacement_takes_the_place_of_the_old_address() -> None:
    after = lifecycle.confirmed(make_contact(email=WAITING), Channel.EMAIL, BY_PERSON)
    assert after.email == Slot(shown=OTHER_EMAIL, verified=BY_PERSON)


def test_confirmed_phone_is_no_longer_an_update_that_could_be_cancelled() -> None:
    contact = make_contact(phone=Slot(shown=PHONE, added_by_update=True))
    after = lifecycle.confirmed(contact, Channel.SMS, BY_PERSON)
    assert after.phone == Slot(shown=PHONE, verified=BY_PERSON)
    assert_refused(errors.CONTACT_STATUS_MISMATCH_ACTION, lifecycle.cancel, after, None, PHONE)


def test_cancel_drops_the_waiting_address_named() -> None:
    contact = make_contact(email=WAITING, phone=Slot(shown=PHONE, verified=BY_PERSON, waiting=OTHER_PHONE))
    (change,) = lifecycle.cancel(contact, OTHER_EMAIL, None).changes
    assert isinstance(change, Update)
    assert isinstance(change.after, Contact)
    assert change.after.email == VERIFIED
    assert change.after.phone == contact.phone


def test_cancel_without_an_address_drops_all_that_wait() -> None:
    contact = make_contact(email=WAITING, phone=Slot(shown=PHONE, added_by_update=True))
    (change,) = lifecycle.cancel(contact, None, None).changes
    assert isinstance(change, Update)
    assert isinstance(change.after, Contact)
    assert (change.after.email, change.after.phone) == (VERIFIED, Slot())


def test_cancel_empties_a_phone_slot_that_an_update_filled() -> None:
    (change,) = lifecycle.cancel(make_contact(phone=Slot(shown=PHONE, added_by_update=True)), None, PHONE).changes
    assert isinstance(change, Update)
    assert isinstance(change.after, Contact)
    assert change.after.phone == Slot()


@pytest.mark.parametrize(
    ("contact", "email", "phone"),
    [
        pytest.param(make_contact(), None, None, id="nothing waits"),
        pytest.param(make_contact(), EMAIL, None, id="an unverified e-mail address is no update"),
        pytest.param(make_contact(phone=Slot(shown=PHONE)), None, PHONE, id="nor is a phone the contact began with"),
        pytest.param(make_contact(email=WAITING), THIRD_EMAIL, None, id="another address waits"),
        pytest.param(make_contact(email=WAITING), OTHER_EMAIL, PHONE, id="one of two does not wait"),
        pytest.param(make_contact(email=WAITING, deletion=DELETING), OTHER_EMAIL, None, id="deleting"),
    ],
)
def test_cancel_refuses_what_does_not_wait(contact: Contact, email: Any, phone: Any) -> None:
    assert_refused(errors.CONTACT_STATUS_MISMATCH_ACTION, lifecycle.cancel, contact, email, phone)


def test_update_and_cancel_refuse_a_contact_that_does_not_exist() -> None:
    assert_refused(errors.ENTITY_NOT_EXISTS_CONTACT, lifecycle.update, None, ContactUpdate(), RULES)
    assert_refused(errors.ENTITY_NOT_EXISTS_CONTACT, lifecycle.cancel, None, None, None)


def test_update_refuses_a_contact_that_is_being_deleted() -> None:
    contact = make_contact(deletion=DELETING)
    assert_refused(errors.CONTACT_STATUS_MISMATCH_ACTION, lifecycle.update, contact, ContactUpdate(), RULES)


def test_add_inserts_the_contact_before_it_counts_it() -> None:
    """So that a name already used is told before a full directory."""
    decision = lifecycle.add(
        make_directory(),
        contact_id="c-1",
        name=ContactName("Tom"),
        title=Title.CEO,
        message_types=(MessageType.FAULT_MESSAGE,),
        email=EMAIL,
        phone=None,
        now=START,
        rules=RULES,
    )
    insert, count = decision.changes
    assert insert == Insert(decision.result)
    assert count.limit == 20  # type: ignore[union-attr]
    assert decision.result.status(RULES) is Status.VERIFYING
