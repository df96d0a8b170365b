"""What publishing and delivering ask of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel, Contact, DetachedContact
from message_contacts.delivery.messages import (
    Delivery,
    DeliveryState,
    FallbackAddress,
    Incident,
    Message,
    MessageState,
    Progress,
)
from message_contacts.quick import quickly_made


@dataclass(frozen=True, slots=True)
class MemberPlace:
    """A member, as far as it matters to who is reached for it."""

    member_id: str
    folder_id: str
    display_name: str
    joined_at: Instant
    placed_at: Instant


@dataclass(frozen=True, slots=True)
class Members:
    """Some members and all that is bound to them directly."""

    places: Sequence[MemberPlace]
    #: By member.
    contacts: Mapping[str, Sequence[Contact]]
    copies: Mapping[str, Sequence[DetachedContact]]


@quickly_made
@dataclass(frozen=True, slots=True)
class Errand:
    """A delivery that is due, and what matters to whether it is still wanted."""

    delivery: Delivery
    message_state: MessageState
    expires_at: Instant | None
    #: Whether there is any suspension or preference in the tenant (`standing`): of most tenants, none.
    anything_known: bool


class MessageStore(Protocol):
    """Messages and deliveries of one tenant at a time. Changes go through `changes.Committer`."""

    async def message(self, account_id: str, message_id: str) -> Message | None:
        """The message, or None."""
        ...

    async def message_by_token(self, account_id: str, client_token: str) -> Message | None:
        """The message that was published with this token, or None."""
        ...

    async def message_page(self, account_id: str, *, before: str | None, limit: int) -> Sequence[Message]:
        """Messages, the newest first, those older than `before`; text, HTML and Markdown are left empty."""
        ...

    async def counts(self, account_id: str, message_id: str) -> Mapping[DeliveryState, int]:
        """How many deliveries of a message are in each state; states without any are left out."""
        ...

    async def progress(self, account_id: str, message_id: str) -> Progress | None:
        """How far the message has come; None when every delivery was let go."""
        ...

    async def contacts_of_node(
        self, account_id: str, node_id: str, *, after: tuple[str, ...], limit: int
    ) -> Sequence[Contact]:
        """Contacts bound directly to an object, by creation date and id, those behind `after`."""
        ...

    async def copies_of_node(
        self, account_id: str, node_id: str, *, after: tuple[str, ...], limit: int
    ) -> Sequence[DetachedContact]:
        """Detached copies that name an object, by id, those behind `after`."""
        ...

    async def members_of_folder(
        self, account_id: str, folder_id: str, *, after: tuple[str, ...], limit: int
    ) -> Members:
        """Members directly in a folder, by joining date and id, those behind `after`, and what is bound to them."""
        ...

    async def members_named(self, account_id: str, member_ids: Sequence[str]) -> Members:
        """These members, as far as they are in the directory, and what is bound to them."""
        ...

    async def delivery(self, account_id: str, delivery_id: str) -> Delivery | None:
        """The delivery, or None."""
        ...

    async def delivery_page(
        self,
        account_id: str,
        *,
        message_id: str | None,
        state: DeliveryState | None,
        address: tuple[Channel, str] | None,
        after: str | None,
        limit: int,
        newest_first: bool = False,
    ) -> Sequence[Delivery]:
        """Deliveries by id, those behind `after`; with `newest_first` from the last on.

        Args:
            message_id: Only those of one message, if given.
            state: Only those in this state, if given.
            address: Only those to this channel and address, by its key, if given.
        """
        ...

    async def pending(
        self, account_id: str, message_id: str, *, after: str | None, limit: int
    ) -> Sequence[tuple[str, Channel]]:
        """A message's deliveries that wait for their first try, by id, those behind `after`: id and channel of each."""
        ...

    async def errand(self, account_id: str, delivery_id: str) -> Errand | None:
        """A delivery with what matters to whether it is still wanted, or None."""
        ...

    async def deliveries_at(
        self, account_id: str, message_id: str, places: Sequence[tuple[Channel, str]]
    ) -> Mapping[tuple[Channel, str], Delivery]:
        """A message's deliveries to these channels and addresses, by their keys; those that there are."""
        ...

    async def lost(self, account_id: str, message_id: str, *, limit: int) -> Sequence[Delivery]:
        """A message's deliveries to persons that were to be sent and have ended otherwise, in no order."""
        ...

    async def has_any(self, account_id: str, message_id: str, state: DeliveryState) -> bool:
        """Whether a message has any delivery in this state."""
        ...

    async def incident(self, account_id: str, incident_id: str) -> Incident | None:
        """The incident, or None."""
        ...

    async def incident_of(self, account_id: str, message_id: str, kind: str) -> Incident | None:
        """The incident of this kind that a message left, or None."""
        ...

    async def incident_page(
        self, account_id: str, *, only_open: bool, after: str | None, limit: int
    ) -> Sequence[Incident]:
        """Incidents by id, those behind `after`."""
        ...

    async def fallback(self, account_id: str) -> FallbackAddress | None:
        """The tenant's fallback address, or None when none was ever set."""
        ...
