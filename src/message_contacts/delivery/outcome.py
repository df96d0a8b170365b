"""What became of an attempt to reach somebody, and what a transport is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.messages import DeliveryState
from message_contacts.quick import quickly_made
from message_contacts.webhooks.model import WebhookPost

#: Reason of a captured message whose recipient complains on purpose.
COMPLAINED = "captured-complaint"


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    TRY_AGAIN = "try-again"
    NEVER = "never"


@quickly_made
@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt's end."""

    verdict: Verdict
    #: A word for logs, metrics and the operator, e.g. `mailbox-unknown`; never free text of the other side.
    reason: str
    #: Seconds the other side asked to wait, None when it did not say.
    retry_after: float | None = None
    #: A moment at which the next try is due, if it would be later: what was to be sent has ended by then.
    not_after: Instant | None = None
    #: With ACCEPTED: what the delivery has become, when it was not sent.
    becomes: DeliveryState | None = None
    #: Whether nothing came of it that was not recorded before: somebody else was faster.
    nothing_new: bool = False
    #: Enhanced status code (RFC 3463) that the other side gave; empty when it gave none.
    status: str = field(default="", compare=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """One message to one address, ready to be sent."""

    account_id: str
    channel: Channel
    #: Address as the contact has it: `tom@example.com`, `86-13900001234`.
    recipient: str = field(repr=False)
    #: The same for every retry of this message; local part of the Message-ID.
    message_id: str
    subject: str
    text: str = field(repr=False)
    #: None for a text message.
    html: str | None = field(default=None, repr=False)
    #: More header fields of a mail.
    headers: tuple[tuple[str, str], ...] = field(default=())
    #: Public id of the verification it carries, if it does.
    verification_id: str | None = None
    #: The delivery it is, if it is a published message.
    delivery_id: str | None = None
    #: The contact it goes to, if it is a test message.
    contact_id: str | None = None
    #: Which try it is, from 1.
    attempt: int = 1
    #: Address to which a mail comes back that cannot be delivered; None: the sender's.
    return_path: str | None = None
    #: Where a post to a webhook goes; its recipient is only the webhook's id.
    webhook: WebhookPost | None = None


class Transport(Protocol):
    """One way to reach addresses of one channel."""

    #: Whether what is sent lands in the tenant's inbox and goes nowhere.
    captures: bool

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Try once, within a bounded time. Never raises for what the other side does."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
