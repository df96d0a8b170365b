"""The end of a directory, with everything that is left in it.

Source: contract/operations.json (DestroyResourceDirectory), contract/behaviour.md section 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from message_contacts import errors
from message_contacts.changes import CountDown, Decision, Delete
from message_contacts.contacts.lifecycle import CONTACTS
from message_contacts.contacts.model import Contact
from message_contacts.directory.model import Folder, ResourceDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """A directory and what is left in it."""

    directory: ResourceDirectory | None
    root: Folder | None
    has_subfolders: bool
    has_members: bool
    contacts: Sequence[Contact]


def destroy(estate: Estate) -> Decision[None]:
    """The directory gone with Root and its contacts, whose waiting verifications end with them.

    Copies that members keep stay, and so does the account, which can enable another directory.

    Raises: ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY, DELETE_CONFLICT_RESOURCE_DIRECTORY_ACCOUNT,
        DELETE_CONFLICT_FOLDER_SUB_FOLDER.
    """
    directory, root = estate.directory, estate.root
    if directory is None or root is None:
        raise errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY()
    if estate.has_members:
        raise errors.DELETE_CONFLICT_RESOURCE_DIRECTORY_ACCOUNT(directory_id=directory.directory_id)
    if estate.has_subfolders:
        raise errors.DELETE_CONFLICT_FOLDER_SUB_FOLDER(directory_id=directory.directory_id)
    ended = tuple(
        change for contact in estate.contacts for change in (Delete(contact), CountDown(directory.account_id, CONTACTS))
    )
    return Decision((*ended, Delete(root), Delete(directory)), None)
