"""Deleting contacts: at once with a copy left in members, or everywhere in the background.

Source: contract/behaviour.md section 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from message_contacts import errors
from message_contacts.changes import Change, CountDown, Decision, Delete, Enqueue, Insert, Job, Update
from message_contacts.clock import Instant
from message_contacts.contacts.lifecycle import CONTACTS
from message_contacts.contacts.model import (
    Contact,
    Deletion,
    DeletionState,
    DetachedContact,
    WithdrawalFailure,
)
from message_contacts.directory.model import ResourceDirectory
from message_contacts.ids import Ids

#: Kind of the job that takes a contact out of the members.
WITHDRAW_CONTACT = "withdraw-contact"


def delete(
    contact: Contact | None, directory: ResourceDirectory, *, retain: bool, now: Instant, ids: Ids
) -> Decision[str]:
    """Delete at once, leaving copies in members (`retain`), or start taking the contact out of the members.

    Returns:
        `Deleted` or `Deleting`.
    Raises: ENTITY_NOT_EXISTS_CONTACT; CONCURRENT_CALL_NOT_SUPPORTED while a deletion of it runs.
    """
    if contact is None:
        raise errors.ENTITY_NOT_EXISTS_CONTACT()
    if contact.deleting:
        raise errors.CONCURRENT_CALL_NOT_SUPPORTED(contact_id=contact.contact_id)
    if not retain:
        job = Job(
            job_id=ids.job(now),
            account_id=contact.account_id,
            kind=WITHDRAW_CONTACT,
            channel="internal",
            payload={"contact_id": contact.contact_id},
            due_at=now,
            created_at=now,
        )
        after = replace(contact, deletion=Deletion(DeletionState.DELETING))
        return Decision((Update(contact, after), Enqueue(job)), "Deleting")
    copy = detached_copy(contact, [binding.node_id for binding in contact.bindings], now=now, ids=ids)
    # A copy holds for the members of this moment: the directory's version moves, so that a member that is on its way
    # to another folder, or out, is decided again with the copy in sight.
    kept: tuple[Change, ...] = (Update(directory, directory), Insert(copy)) if copy else ()
    return Decision((*gone(contact), *kept), "Deleted")


def withdrawn(
    contact: Contact | None, failures: Mapping[str, Sequence[WithdrawalFailure]]
) -> Decision[DeletionState | None]:
    """What is left after the contact was taken out of the objects it is bound to.

    Args:
        contact: As it is now; None when it is gone already.
        failures: By object id: the members in which it failed. Objects that are not named succeeded.
    Returns:
        None when the contact is gone, FAILED when some bindings remain.
    """
    if contact is None or not contact.deleting:
        return Decision((), None)
    left = tuple(binding for binding in contact.bindings if failures.get(binding.node_id))
    if not left:
        return Decision(gone(contact), None)
    reasons = tuple(failure for binding in left for failure in failures[binding.node_id])
    after = replace(contact, bindings=left, deletion=Deletion(DeletionState.FAILED, reasons))
    return Decision((Update(contact, after),), DeletionState.FAILED)


def detached_copy(contact: Contact, node_ids: Sequence[str], *, now: Instant, ids: Ids) -> DetachedContact | None:
    """What members keep of a contact: its verified addresses; None when there are none, or nobody to keep them."""
    email = contact.email.shown if contact.email.verified else None
    phone = contact.phone.shown if contact.phone.verified else None
    if not node_ids or (email is None and phone is None):
        return None
    return DetachedContact(
        account_id=contact.account_id,
        detached_id=ids.detached(),
        contact_id=contact.contact_id,
        name=contact.name,
        title=contact.title,
        message_types=contact.message_types,
        email=email,
        email_captured=bool(contact.email.verified and contact.email.verified.captured),
        phone=phone,
        phone_captured=bool(contact.phone.verified and contact.phone.verified.captured),
        node_ids=tuple(node_ids),
        detached_at=now,
    )


def gone(contact: Contact) -> tuple[Change, ...]:
    """The changes that take a contact away, with its bindings."""
    return Delete(contact), CountDown(contact.account_id, CONTACTS)
