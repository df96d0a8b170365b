"""What the contact rules ask of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from message_contacts.contacts.model import Contact, DetachedContact
from message_contacts.contacts.search import ContactSearch, Order, Place


class ContactStore(Protocol):
    """Contacts and detached copies of one tenant at a time. Changes go through `changes.Committer`."""

    async def contact(self, account_id: str, contact_id: str) -> Contact | None:
        """The contact with its bindings, or None."""
        ...

    async def contact_page(
        self, account_id: str, *, contact_id: str | None, node_id: str | None, offset: int, limit: int
    ) -> tuple[Sequence[Contact], int]:
        """Contacts by creation date, then id; and how many there are over all pages.

        Args:
            contact_id: Only this one, if given.
            node_id: Only those bound directly to this object, if given.
        """
        ...

    async def contacts_found(
        self, account_id: str, asked: ContactSearch, order: Order, *, after: Place | None, limit: int
    ) -> Sequence[Contact]:
        """Contacts that match, in that order, those behind a place."""
        ...

    async def count_found(self, account_id: str, asked: ContactSearch, *, most: int) -> int:
        """How many contacts match; `most` if there are as many or more."""
        ...

    async def contacts_bound_to(self, account_id: str, node_ids: Sequence[str]) -> Sequence[Contact]:
        """All contacts bound directly to any of these objects, oldest first."""
        ...

    async def detached_contacts(self, account_id: str, node_ids: Sequence[str]) -> Sequence[DetachedContact]:
        """Detached copies that name any of these objects, oldest first."""
        ...

    async def detached_contact(self, account_id: str, detached_id: str) -> DetachedContact | None:
        """One detached copy, or None."""
        ...

    async def detached_page(self, account_id: str, *, after: str | None, limit: int) -> Sequence[DetachedContact]:
        """Detached copies by id, those behind `after`."""
        ...
