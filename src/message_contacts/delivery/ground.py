"""What routing stands on, and what it asks of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from message_contacts.clock import Instant
from message_contacts.contacts.model import Contact, DetachedContact
from message_contacts.delivery.routing import FolderTree, Placed


@dataclass(frozen=True, slots=True, kw_only=True)
class InEffect:
    """What reaches a member or a folder: contacts by id, then copies by id, a page of them.

    Where it lies is read first, what is bound there right after: a member that moves meanwhile is shown as it was.
    """

    #: The directory and the folders from Root down to the member's, or to the folder itself.
    inherited: tuple[str, ...]
    #: When the member came to its folder; None for a folder.
    placed_at: Instant | None
    #: Bound to the member or to any object of `inherited`; among them contacts that get no messages.
    contacts: Sequence[Contact]
    #: Copies of deleted contacts that name the member or any object of `inherited`, whether they hold for it or not;
    #: none for a folder.
    copies: Sequence[DetachedContact]
    #: Id behind which the next page starts; None when this is the last.
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All of a tenant that decides who is reached, as of one moment."""

    tree: FolderTree
    #: By id.
    members: Mapping[str, Placed]
    contacts: Sequence[Contact]
    copies: Sequence[DetachedContact]


class RoutingStore(Protocol):
    """The tree, contacts and copies of one tenant at a time, as routing needs them. All of it is only read."""

    async def in_effect(self, account_id: str, node_id: str, *, after: str | None, limit: int) -> InEffect | None:
        """What reaches a member or folder; None when there is no such object.

        Costs what its depth and the contacts there cost, whatever the size of the directory.

        Args:
            after: Id of a contact or copy, behind which the page starts.
            limit: How many contacts and copies to look at.
        """
        ...

    async def folder_tree(self, account_id: str) -> FolderTree | None:
        """The folders, each with the moment its oldest member came; None without a directory."""
        ...

    async def placed(self, account_id: str, member_ids: Sequence[str]) -> Mapping[str, Placed]:
        """Where these members are; those that are in the directory."""
        ...

    async def display_names(self, account_id: str, member_ids: Sequence[str]) -> Mapping[str, str]:
        """The names under which these members are shown; of those that are in the directory."""
        ...

    async def contacts_after(self, account_id: str, after: str | None, *, limit: int) -> Sequence[Contact]:
        """All contacts of a tenant by id, those behind `after`."""
        ...

    async def copies_of(self, account_id: str, contact_id: str) -> Sequence[DetachedContact]:
        """The copies that members keep of one contact, by id."""
        ...

    async def holders(
        self, account_id: str, address_key: str, *, after: str, limit: int
    ) -> Sequence[Contact | DetachedContact]:
        """Contacts that show an address, then copies that have it, by id, those behind `after`.

        It goes through all contacts and copies of the tenant. Fewer than `limit` are the last.
        """
        ...

    async def ground(self, account_id: str) -> Ground | None:
        """All that decides who is reached; None without a directory."""
        ...
