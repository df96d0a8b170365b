"""Looking for contacts: what is asked, in which order they come, and where in that order a contact stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel, Contact, ContactRules, MessageType, Status

#: The order of states in a list: first those that somebody has to do something about.
STATUS_ORDER = (Status.VERIFYING, Status.ACTIVE, Status.DELETING)


class SortBy(StrEnum):
    """What a list of contacts is ordered by."""

    NAME = "Name"
    CREATE_DATE = "CreateDate"
    STATUS = "Status"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSearch:
    """Which contacts are wanted; what is not set leaves none out."""

    #: Part of the name, title, or an address that is shown or waits, whatever the case of its letters.
    text: str = field(default="", repr=False)
    status: Status | None = None
    message_type: MessageType | None = None
    #: Bound directly to any of these objects.
    node_ids: tuple[str, ...] = ()
    #: Bound to anything at all, or to nothing.
    bound: bool | None = None
    #: Channels on which addresses confirmed from the captured inbox are in force, which the state depends on.
    captured_counts: frozenset[Channel] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """In which order contacts come."""

    sort_by: SortBy
    descending: bool = False

    @property
    def reversed(self) -> Order:
        """The same, back to front."""
        return Order(sort_by=self.sort_by, descending=not self.descending)

    def place(self, contact: Contact, rules: ContactRules) -> Place:
        """Where a contact stands in this order."""
        return Place(
            status=contact.status(rules) if self.sort_by is SortBy.STATUS else None,
            name=contact.name.text if self.sort_by is SortBy.NAME else "",
            created_at=None if self.sort_by is SortBy.NAME else contact.created_at,
            contact_id=contact.contact_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a contact stands in an order: it stays known when that contact is gone."""

    #: In the order by state, else None.
    status: Status | None = None
    #: In the order by name, else empty.
    name: str = ""
    #: In the other orders, else None.
    created_at: Instant | None = None
    contact_id: str
