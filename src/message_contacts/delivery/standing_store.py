"""What is asked of a store about suspended addresses, what their owners want, and what they ask of the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from message_contacts.contacts.model import Channel
from message_contacts.delivery.standing import HandOver, Known, Place, Preference, Suspension


class StandingStore(Protocol):
    """Suspensions, preferences and requests of one tenant at a time. Changes go through `changes.Committer`."""

    async def knows_any(self, account_id: str) -> bool:
        """Whether anything is known at all: of most tenants, nothing."""
        ...

    async def known(self, account_id: str) -> Known:
        """All suspensions in force and all preferences of a tenant."""
        ...

    async def known_of(self, account_id: str, places: Sequence[Place], contact_ids: Sequence[str]) -> Known:
        """Suspensions in force of these addresses, and preferences said there or by these contacts.

        What others said at one of the addresses is left out when they do not have it any more.
        """
        ...

    async def is_held(self, account_id: str, channel: Channel, address_key: str, contact_id: str) -> bool:
        """Whether anything is held on the contact, or with an empty id on the address: not of who was erased."""
        ...

    async def holder(self, account_id: str, address_key: str) -> str | None:
        """A contact, or who was one and left copies, that has an address; None: nobody."""
        ...

    async def suspension(self, account_id: str, channel: Channel, address_key: str) -> Suspension | None:
        """What came back from an address, in force or only counted; None when nothing did."""
        ...

    async def suspension_page(self, account_id: str, *, after: Place | None, limit: int) -> Sequence[Suspension]:
        """Suspensions in force by channel and address, those behind `after`."""
        ...

    async def preference(
        self, account_id: str, channel: Channel, address_key: str, contact_id: str
    ) -> Preference | None:
        """What was said at an address as one contact, or for the address itself (empty `contact_id`)."""
        ...

    async def hand_over(self, account_id: str, hand_over_id: str) -> HandOver | None:
        """The request, or None."""
        ...

    async def open_hand_over(self, account_id: str, contact_id: str) -> HandOver | None:
        """A contact's request that nobody has seen to, or None."""
        ...

    async def hand_over_page(
        self, account_id: str, *, only_open: bool, after: str | None, limit: int
    ) -> Sequence[HandOver]:
        """Requests by id, those behind `after`."""
        ...
