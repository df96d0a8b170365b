"""Binding, unbinding, deleting: behaviour.md sections 7 and 8."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from message_contacts.changes import CountDown, Delete, Enqueue, Insert, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.contacts import bindings, deletion
from message_contacts.contacts.model import (
    Binding,
    Contact,
    Deletion,
    DeletionState,
    DetachedContact,
    MessageType,
    Slot,
    WithdrawalFailure,
)
from message_contacts.errors import ApiError, ErrorDefinition
from message_contacts.ids import RandomIds
from tests.factories import BY_PERSON, EMAIL, PHONE, make_contact, make_directory
from tests.fakes.clock import START

LATER = Instant(START + 5000)
FOLDER = "fd-0000000001"
MEMBER = "1000000000000002"
BOUND = make_contact(email=Slot(shown=EMAIL, verified=BY_PERSON), bindings=(Binding(FOLDER, START),))
DELETING = Deletion(DeletionState.DELETING)


def refusal_of(rule: Any, *arguments: Any, **keywords: Any) -> ErrorDefinition:
    with pytest.raises(ApiError) as refusal:
        rule(*arguments, **keywords)
    return refusal.value.definition


def test_associate_answers_in_the_order_given_and_keeps_old_dates() -> None:
    decision = bindings.associate(BOUND, [MEMBER, FOLDER], {MEMBER, FOLDER}, LATER)
    assert decision.result == [Binding(MEMBER, LATER), Binding(FOLDER, START)]
    (change,) = decision.changes
    assert isinstance(change, Update)
    assert isinstance(change.after, Contact)
    assert change.after.bindings == (Binding(FOLDER, START), Binding(MEMBER, LATER))


def test_associate_again_changes_nothing() -> None:
    assert bindings.associate(BOUND, [FOLDER], {FOLDER}, LATER).changes == (RelyOn(BOUND),)


def test_associate_refuses_the_eleventh_object_but_not_one_of_the_ten_again() -> None:
    ten = tuple(Binding(f"fd-{number:010}", START) for number in range(10))
    contact = make_contact(bindings=ten)
    known = {binding.node_id for binding in ten} | {MEMBER}
    assert refusal_of(bindings.associate, contact, [MEMBER], known, LATER) is errors.LIMIT_EXCEEDED_CONTACT_MEMBERS
    assert bindings.associate(contact, [ten[0].node_id], known, LATER).result == [ten[0]]


@pytest.mark.parametrize("rule", [bindings.associate, bindings.disassociate])
def test_binding_refuses_in_the_order_contact_object_state(rule: Any) -> None:
    deleting = make_contact(deletion=DELETING)
    assert refusal_of(rule, None, [MEMBER], set(), LATER) is errors.ENTITY_NOT_EXISTS_CONTACT
    assert refusal_of(rule, deleting, [MEMBER], set(), LATER) is errors.INVALID_MEMBER
    assert refusal_of(rule, deleting, [MEMBER], {MEMBER}, LATER) is errors.CONTACT_STATUS_MISMATCH_ACTION


def test_disassociate_of_what_is_not_bound_succeeds_without_change() -> None:
    decision = bindings.disassociate(BOUND, [MEMBER], {MEMBER}, LATER)
    assert decision.changes == (RelyOn(BOUND),)
    assert decision.result == [Binding(MEMBER, LATER)]


def test_delete_leaves_a_copy_of_verified_addresses_and_moves_the_directory_on() -> None:
    contact = make_contact(
        email=Slot(shown=EMAIL, verified=BY_PERSON), phone=Slot(shown=PHONE), bindings=(Binding(FOLDER, START),)
    )
    directory = make_directory()
    decision = deletion.delete(contact, directory, retain=True, now=LATER, ids=RandomIds())
    assert decision.result == "Deleted"
    gone, count, moved, kept = decision.changes
    assert (gone, count, moved) == (
        Delete(contact),
        CountDown(contact.account_id, "contacts"),
        Update(directory, directory),
    )
    assert isinstance(kept, Insert)
    assert isinstance(kept.row, DetachedContact)
    assert (kept.row.email, kept.row.phone, kept.row.node_ids, kept.row.detached_at) == (EMAIL, None, (FOLDER,), LATER)


@pytest.mark.parametrize(
    "contact",
    [make_contact(bindings=(Binding(FOLDER, START),)), make_contact(email=Slot(shown=EMAIL, verified=BY_PERSON))],
    ids=["nothing verified", "bound nowhere"],
)
def test_delete_leaves_no_copy_where_nobody_would_get_anything(contact: Contact) -> None:
    decision = deletion.delete(contact, make_directory(), retain=True, now=LATER, ids=RandomIds())
    assert decision.changes == (Delete(contact), CountDown(contact.account_id, "contacts"))


def test_delete_everywhere_starts_a_job_and_keeps_the_contact_until_it_is_done() -> None:
    decision = deletion.delete(BOUND, make_directory(), retain=False, now=LATER, ids=RandomIds())
    assert decision.result == "Deleting"
    change, queued = decision.changes
    assert isinstance(change, Update)
    assert isinstance(change.after, Contact)
    assert change.after.deleting
    assert isinstance(queued, Enqueue)
    assert (queued.job.kind, queued.job.payload) == ("withdraw-contact", {"contact_id": BOUND.contact_id})


@pytest.mark.parametrize("retain", [True, False])
def test_delete_refuses_while_a_deletion_runs(retain: bool) -> None:
    contact = make_contact(deletion=DELETING)
    refused = refusal_of(deletion.delete, contact, make_directory(), retain=retain, now=LATER, ids=RandomIds())
    assert refused is errors.CONCURRENT_CALL_NOT_SUPPORTED


def test_withdrawn_everywhere_removes_the_contact() -> None:
    contact = make_contact(deletion=DELETING, bindings=BOUND.bindings)
    decision = deletion.withdrawn(contact, {})
    assert decision.changes == (Delete(contact), CountDown(contact.account_id, "contacts"))
    assert decision.result is None


def test_withdrawn_in_part_keeps_what_failed_and_says_why() -> None:
    contact = make_contact(deletion=DELETING, bindings=(*BOUND.bindings, Binding(MEMBER, START)))
    failure = WithdrawalFailure(MEMBER, (MessageType.SECURITY_MESSAGE,))
    decision = deletion.withdrawn(contact, {MEMBER: [failure]})
    assert decision.result is DeletionState.FAILED
    (change,) = decision.changes
    assert isinstance(change, Update)
    assert isinstance(change.after, Contact)
    assert change.after.bindings == (Binding(MEMBER, START),)
    assert change.after.deletion == Deletion(DeletionState.FAILED, (failure,))


def test_failed_deletion_can_be_asked_for_again() -> None:
    contact = make_contact(deletion=Deletion(DeletionState.FAILED), bindings=BOUND.bindings)
    decision = deletion.delete(contact, make_directory(), retain=False, now=LATER, ids=RandomIds())
    assert decision.result == "Deleting"


def test_withdrawn_of_a_contact_that_is_gone_changes_nothing() -> None:
    assert deletion.withdrawn(None, {}).changes == ()
