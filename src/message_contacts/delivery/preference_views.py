"""What recipients are shown of their preferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from message_contacts.contacts.model import MessageType
from message_contacts.delivery.candidates import Reason
from message_contacts.delivery.standing import QuietHours


class Wanted(StrEnum):
    """How it stands with one type at an address."""

    YES = "yes"
    NO = "no"
    #: Nobody can be without it.
    ALWAYS = "always"
    #: Somebody else who is reached at the address does not want it there.
    NO_FOR_OTHERS = "no-for-others"


@dataclass(frozen=True, slots=True)
class NamedReason:
    """Why somebody gets messages, and what the object is called."""

    reason: Reason
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the page of preferences shows."""

    organisation: str
    masked_address: str
    #: Empty when the contact is gone and nobody keeps a copy of it.
    contact_name: str
    reasons: Sequence[NamedReason]
    types: Sequence[tuple[MessageType, Wanted]]
    quiet: QuietHours | None
    language: str
    #: What was asked of the operator and not answered; empty: nothing.
    open_wish: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribeView:
    """What the page shows that a link to unsubscribe leads to."""

    organisation: str
    masked_address: str
    message_type: MessageType
    #: By one click, for the address.
    unsubscribed: bool
    #: Somebody who is reached at the address does not want the type there: no click takes that back.
    unwanted_by_contact: bool
