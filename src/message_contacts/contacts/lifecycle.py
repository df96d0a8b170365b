"""How a contact and its addresses change: add, update, cancel, confirm.

Pure: what was read and what is asked in, a `Decision` (or an error) out. Source: contract/behaviour.md sections 2 to 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from message_contacts import errors
from message_contacts.changes import CountUp, Decision, Insert, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.contacts.model import (
    A,
    Channel,
    Contact,
    ContactName,
    ContactRules,
    EmailAddress,
    MessageType,
    PhoneNumber,
    Slot,
    Title,
    Verified,
)
from message_contacts.directory.model import ResourceDirectory

#: The counter of a directory's contacts.
CONTACTS = "contacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUpdate:
    """What an update asks for; None leaves a field as it is."""

    name: ContactName | None = None
    title: Title | None = None
    message_types: tuple[MessageType, ...] | None = None
    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    #: Take the phone number away.
    remove_phone: bool = False


def add(
    directory: ResourceDirectory,
    *,
    contact_id: str,
    name: ContactName,
    title: Title,
    message_types: tuple[MessageType, ...],
    email: EmailAddress,
    phone: PhoneNumber | None,
    now: Instant,
    rules: ContactRules,
) -> Decision[Contact]:
    """A new contact, nothing sent yet.

    That the name is free and the directory has room is checked by the commit, in this order:
    INVALID_PARAMETER_NAME_ALREADY_USED, LIMIT_EXCEEDED_CONTACTS.
    """
    contact = Contact(
        account_id=directory.account_id,
        contact_id=contact_id,
        name=name,
        title=title,
        message_types=message_types,
        email=Slot(shown=email),
        phone=Slot(shown=phone),
        created_at=now,
    )
    count = CountUp(directory.account_id, CONTACTS, "", rules.contacts_per_directory, errors.LIMIT_EXCEEDED_CONTACTS)
    return Decision((Insert(contact), count), contact)


def update(contact: Contact | None, asked: ContactUpdate, rules: ContactRules) -> Decision[None]:
    """Change the fields given; all or none.

    Raises: ENTITY_NOT_EXISTS_CONTACT, CONTACT_STATUS_MISMATCH_ACTION.
    From the commit: INVALID_PARAMETER_NAME_ALREADY_USED.
    """
    contact = changeable(contact)
    captured = rules.captured_counts
    after = replace(
        contact,
        name=asked.name or contact.name,
        title=asked.title or contact.title,
        message_types=asked.message_types or contact.message_types,
        email=_after_update(contact.email, asked.email, captured_counts=Channel.EMAIL in captured),
        phone=Slot()
        if asked.remove_phone
        else _after_update(contact.phone, asked.phone, captured_counts=Channel.SMS in captured),
    )
    return Decision((RelyOn(contact) if after == contact else Update(contact, after),), None)


def cancel(contact: Contact | None, email: EmailAddress | None, phone: PhoneNumber | None) -> Decision[None]:
    """Drop the waiting values named; with none named, all of them.

    Raises: ENTITY_NOT_EXISTS_CONTACT, CONTACT_STATUS_MISMATCH_ACTION (also when nothing that matches waits).
    """
    contact = changeable(contact)
    after = contact
    if email is None and phone is None:
        if contact.email.waiting is not None:
            after = replace(after, email=_without_waiting(contact.email))
        if _cancellable_phone(contact) is not None:
            after = replace(after, phone=_without_waiting(contact.phone))
        if after is contact:
            raise errors.CONTACT_STATUS_MISMATCH_ACTION(contact_id=contact.contact_id, reason="nothing-waits")
    if email is not None:
        if contact.email.waiting is None or contact.email.waiting.key != email.key:
            raise errors.CONTACT_STATUS_MISMATCH_ACTION(contact_id=contact.contact_id, reason="email-does-not-wait")
        after = replace(after, email=_without_waiting(contact.email))
    if phone is not None:
        waiting = _cancellable_phone(contact)
        if waiting is None or waiting.key != phone.key:
            raise errors.CONTACT_STATUS_MISMATCH_ACTION(contact_id=contact.contact_id, reason="phone-does-not-wait")
        after = replace(after, phone=_without_waiting(contact.phone))
    return Decision((Update(contact, after),), None)


def confirmed(contact: Contact, channel: Channel, verified: Verified) -> Contact:
    """The contact once the pending address of that channel was confirmed by its owner."""
    if channel is Channel.EMAIL:
        return replace(contact, email=_confirmed(contact.email, verified))
    return replace(contact, phone=_confirmed(contact.phone, verified))


def changeable(contact: Contact | None) -> Contact:
    """The contact, if there is one and no deletion of it runs.

    Raises: ENTITY_NOT_EXISTS_CONTACT, CONTACT_STATUS_MISMATCH_ACTION.
    """
    if contact is None:
        raise errors.ENTITY_NOT_EXISTS_CONTACT()
    if contact.deleting:
        raise errors.CONTACT_STATUS_MISMATCH_ACTION(contact_id=contact.contact_id, reason="deleting")
    return contact


class Before(Enum):
    """A slot before an update."""

    EMPTY = auto()
    UNVERIFIED = auto()
    VERIFIED = auto()
    WAITING = auto()


class Given(Enum):
    """A new value, compared with what the slot holds."""

    SAME_AS_SHOWN = auto()
    SAME_AS_WAITING = auto()
    OTHER = auto()


def _fill(_slot: Slot[A], new: A) -> Slot[A]:
    """An empty slot shows the new value at once; until it is verified the update can be cancelled."""
    return Slot(shown=new, added_by_update=True)


def _show(slot: Slot[A], new: A) -> Slot[A]:
    """Nothing in force is lost: the new value is shown at once, earlier codes are void."""
    return Slot(shown=new, added_by_update=slot.added_by_update)


def _respell(slot: Slot[A], new: A) -> Slot[A]:
    """The same address, perhaps in another spelling."""
    return replace(slot, shown=new)


def _wait(slot: Slot[A], new: A) -> Slot[A]:
    """The verified value stays in force until the new one is verified; earlier codes are void."""
    return replace(slot, waiting=new, verification_id=None)


def _keep_waiting(slot: Slot[A], new: A) -> Slot[A]:
    """What waits goes on waiting, and its codes stay valid."""
    return replace(slot, waiting=new)


def _drop_waiting(slot: Slot[A], new: A) -> Slot[A]:
    """Back to the verified value."""
    return replace(slot, shown=new, waiting=None, verification_id=None)


#: (slot before, kind of new value) -> slot after: the table of behaviour.md section 3, absent and removed values aside.
AFTER_UPDATE: dict[tuple[Before, Given], Callable[[Slot[Any], Any], Slot[Any]]] = {
    (Before.EMPTY, Given.OTHER): _fill,
    (Before.UNVERIFIED, Given.SAME_AS_SHOWN): _respell,
    (Before.UNVERIFIED, Given.OTHER): _show,
    (Before.VERIFIED, Given.SAME_AS_SHOWN): _respell,
    (Before.VERIFIED, Given.OTHER): _wait,
    (Before.WAITING, Given.SAME_AS_SHOWN): _drop_waiting,
    (Before.WAITING, Given.SAME_AS_WAITING): _keep_waiting,
    (Before.WAITING, Given.OTHER): _wait,
}


def _after_update(slot: Slot[A], new: A | None, *, captured_counts: bool) -> Slot[A]:
    if new is None:
        return slot
    return AFTER_UPDATE[_before(slot, captured_counts=captured_counts), _given(slot, new)](slot, new)


def _before(slot: Slot[A], *, captured_counts: bool) -> Before:
    if slot.shown is None:
        return Before.EMPTY
    if slot.waiting is not None:
        return Before.WAITING
    return Before.VERIFIED if slot.in_force(captured_counts=captured_counts) else Before.UNVERIFIED


def _given(slot: Slot[A], new: A) -> Given:
    if slot.shown is not None and new.key == slot.shown.key:
        return Given.SAME_AS_SHOWN
    if slot.waiting is not None and new.key == slot.waiting.key:
        return Given.SAME_AS_WAITING
    return Given.OTHER


def _cancellable_phone(contact: Contact) -> PhoneNumber | None:
    """The number that a cancellation may drop: a waiting one, or an unverified one that an update added."""
    slot = contact.phone
    return slot.waiting or (slot.shown if slot.added_by_update else None)


def _without_waiting(slot: Slot[A]) -> Slot[A]:
    """The slot without what was not verified: empty when nothing else was shown."""
    if slot.waiting is not None:
        return replace(slot, waiting=None, verification_id=None)
    return Slot()


def _confirmed(slot: Slot[A], verified: Verified) -> Slot[A]:
    return Slot(shown=slot.waiting or slot.shown, verified=verified)
