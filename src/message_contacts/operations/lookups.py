"""Looking up what callers name: a contact, or an object of the tree (directory, folder or member)."""

from __future__ import annotations

from collections.abc import Iterable

from message_contacts import errors
from message_contacts.contacts.model import Contact
from message_contacts.directory.model import ACCOUNT_ID, DIRECTORY_ID
from message_contacts.operations.call import Call


async def existing_contact(call: Call, contact_id: str) -> Contact:
    """The caller's contact of that id. Raises: ENTITY_NOT_EXISTS_CONTACT."""
    contact = await call.services.contacts.contact(call.account_id, contact_id)
    if contact is None:
        raise errors.ENTITY_NOT_EXISTS_CONTACT(contact_id=contact_id)
    return contact


async def exists(call: Call, node_id: str) -> bool:
    """Whether the caller's directory has this object (or is it)."""
    if DIRECTORY_ID.fullmatch(node_id):
        return node_id == call.directory.directory_id
    directories = call.services.directory
    if ACCOUNT_ID.fullmatch(node_id):
        return await directories.member(call.account_id, node_id) is not None
    return await directories.folder(call.account_id, node_id) is not None


async def existing(call: Call, node_ids: Iterable[str]) -> set[str]:
    """Those of the objects that the caller's directory has."""
    return {node_id for node_id in node_ids if await exists(call, node_id)}
