"""The addresses of contacts, and of the copies that members keep, as they come into question for a message.

Source: contract/behaviour.md sections 3, 7 and 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from message_contacts.contacts.model import (
    Address,
    Channel,
    Contact,
    DetachedContact,
    EmailAddress,
    MessageType,
    PhoneNumber,
    Slot,
    Verified,
)
from message_contacts.quick import quickly_made
from message_contacts.webhooks.model import Webhook


class Because(StrEnum):
    """Through what a contact comes to be in effect."""

    #: Bound to the member itself.
    OWN = "Own"
    #: Bound to a folder at or above it, Root included.
    FOLDER = "Folder"
    #: Bound to the directory.
    DIRECTORY = "Directory"
    #: A copy that the member keeps of a contact that was deleted.
    RETAINED = "Retained"


@quickly_made
@dataclass(frozen=True, slots=True)
class Reason:
    """One way in which a contact is in effect."""

    because: Because
    #: The object it is bound to; of a copy, the object whose members keep it.
    node_id: str


@quickly_made
@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """A webhook, where an address is asked for: what it leads to stays with the webhook."""

    #: The webhook's id.
    text: str

    @property
    def key(self) -> str:
        """The form in which two are compared."""
        return self.text

    def masked(self) -> str:
        """For logs."""
        return self.text


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One address of one contact, or copy, that comes into question; or a webhook."""

    #: The contact; of a copy, the contact it was; of a webhook, that.
    contact_id: str
    #: None when it is no copy.
    detached_id: str | None
    name: str
    message_types: tuple[MessageType, ...]
    channel: Channel
    #: None when the contact has none on this channel.
    address: Address | WebhookAddress | None
    verified: Verified | None
    #: The contact is being taken out of the members.
    deleting: bool
    #: Through what it is in effect for those the message is about; empty: it is not.
    reasons: tuple[Reason, ...]


def contact_candidates(contact: Contact, reasons: Sequence[Reason]) -> list[Candidate]:
    """The addresses of a contact, e-mail before phone; a phone that it does not have among them."""
    return [
        _contact_candidate(contact, Channel.EMAIL, contact.email, tuple(reasons)),
        _contact_candidate(contact, Channel.SMS, contact.phone, tuple(reasons)),
    ]


def copy_candidates(copy: DetachedContact, reasons: Sequence[Reason]) -> list[Candidate]:
    """The addresses that members keep of a contact that was deleted, e-mail before phone."""
    return [
        _copy_candidate(copy, Channel.EMAIL, copy.email, tuple(reasons), captured=copy.email_captured),
        _copy_candidate(copy, Channel.SMS, copy.phone, tuple(reasons), captured=copy.phone_captured),
    ]


def webhook_candidate(webhook: Webhook, reasons: Sequence[Reason]) -> Candidate:
    """A webhook, as the rules see it."""
    return Candidate(
        contact_id=webhook.webhook_id,
        detached_id=None,
        name=webhook.name.text,
        message_types=webhook.message_types,
        channel=Channel.WEBHOOK,
        address=WebhookAddress(webhook.webhook_id),
        verified=webhook.verified,
        deleting=False,
        reasons=tuple(reasons),
    )


def _contact_candidate(
    contact: Contact, channel: Channel, slot: Slot[EmailAddress] | Slot[PhoneNumber], reasons: tuple[Reason, ...]
) -> Candidate:
    return Candidate(
        contact_id=contact.contact_id,
        detached_id=None,
        name=contact.name.text,
        message_types=contact.message_types,
        channel=channel,
        address=slot.shown,
        verified=slot.verified,
        deleting=contact.deleting,
        reasons=reasons,
    )


def _copy_candidate(
    copy: DetachedContact, channel: Channel, address: Address | None, reasons: tuple[Reason, ...], *, captured: bool
) -> Candidate:
    return Candidate(
        contact_id=copy.contact_id,
        detached_id=copy.detached_id,
        name=copy.name.text,
        message_types=copy.message_types,
        channel=channel,
        address=address,
        # Only addresses that were verified are copied.
        verified=None if address is None else Verified(copy.detached_at, captured),
        deleting=False,
        reasons=reasons,
    )
