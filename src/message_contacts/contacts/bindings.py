"""Binding contacts to the directory, folders and members.

Source: contract/behaviour.md section 8.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from message_contacts import errors
from message_contacts.changes import Change, Decision, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.contacts.model import MAX_BINDINGS, Binding, Contact


def associate(
    contact: Contact | None, node_ids: Sequence[str], known: Collection[str], now: Instant
) -> Decision[Sequence[Binding]]:
    """Bind to all these objects, or to none.

    Args:
        node_ids: Objects as given, without duplicates.
        known: Those of them that are in the directory. That they still are is checked by the commit (foreign keys).
    Returns:
        A binding for each object, in the order given; one that existed keeps its date.
    Raises: ENTITY_NOT_EXISTS_CONTACT, INVALID_MEMBER, CONTACT_STATUS_MISMATCH_ACTION, LIMIT_EXCEEDED_CONTACT_MEMBERS.
    """
    contact = _bindable(contact, node_ids, known)
    present = {binding.node_id: binding for binding in contact.bindings}
    added = tuple(Binding(node_id, now) for node_id in node_ids if node_id not in present)
    bindings = contact.bindings + added
    if len(bindings) > MAX_BINDINGS:
        raise errors.LIMIT_EXCEEDED_CONTACT_MEMBERS(contact_id=contact.contact_id, bindings=len(bindings))
    present.update({binding.node_id: binding for binding in added})
    return Decision((_changed(contact, bindings),), [present[node_id] for node_id in node_ids])


def disassociate(
    contact: Contact | None, node_ids: Sequence[str], known: Collection[str], now: Instant
) -> Decision[Sequence[Binding]]:
    """Unbind from all these objects; one that is not bound is no mistake.

    Returns:
        Each object, in the order given, with the moment of unbinding.
    Raises: ENTITY_NOT_EXISTS_CONTACT, INVALID_MEMBER, CONTACT_STATUS_MISMATCH_ACTION.
    """
    contact = _bindable(contact, node_ids, known)
    gone = set(node_ids)
    left = tuple(binding for binding in contact.bindings if binding.node_id not in gone)
    return Decision((_changed(contact, left),), [Binding(node_id, now) for node_id in node_ids])


def without(contact: Contact, node_id: str) -> Change:
    """The change that takes one object's binding away, because the object goes."""
    return _changed(contact, tuple(binding for binding in contact.bindings if binding.node_id != node_id))


def _bindable(contact: Contact | None, node_ids: Sequence[str], known: Collection[str]) -> Contact:
    if contact is None:
        raise errors.ENTITY_NOT_EXISTS_CONTACT()
    for node_id in node_ids:
        if node_id not in known:
            raise errors.INVALID_MEMBER(node_id=node_id)
    if contact.deleting:
        raise errors.CONTACT_STATUS_MISMATCH_ACTION(contact_id=contact.contact_id, reason="deleting")
    return contact


def _changed(contact: Contact, bindings: tuple[Binding, ...]) -> Change:
    if bindings == contact.bindings:
        return RelyOn(contact)
    return Update(contact, replace(contact, bindings=bindings))
