"""A published message, its deliveries, and what was left over of it.

A message is a row; who gets it is worked out behind the answer, in steps that a row of progress remembers. A delivery
is the message on its way to one address, whoever shares that address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery.candidates import Because
from message_contacts.delivery.rules import Circumstances, Severity
from message_contacts.quick import quickly_made

#: Kind of the job that works out who gets a message, a step at a time.
EXPAND_MESSAGE = "expand-message"
#: Kind of the job that hands one delivery over.
DELIVER = "deliver"

#: Later than every moment: until when something holds that has no end.
ALWAYS = Instant(2**53)
_NOT_SET = Instant(0)
#: Contacts of one address that a delivery names; further ones are only counted.
CONTACTS_NAMED = 100
#: Members that an incident names; further ones are only counted.
MEMBERS_NAMED = 100


class MessageState(StrEnum):
    #: Who gets it is being worked out; nothing has been sent.
    EXPANDING = "Expanding"
    #: Every delivery is made; those that wait go out.
    PUBLISHED = "Published"
    #: Cancelled by the caller: what was not sent by then never is.
    CANCELLED = "Cancelled"


class DeliveryState(StrEnum):
    #: Waits for its first try.
    PENDING = "pending"
    #: The channel took it over.
    SENT = "sent"
    #: The channel told that it has arrived.
    DELIVERED = "delivered"
    #: A try failed for now; another one follows.
    DEFERRED = "deferred"
    #: Given up: refused for good, or tried too often.
    FAILED = "failed"
    #: Not sent in time, or cancelled before.
    EXPIRED = "expired"
    #: Never to be sent; the reason says why.
    SKIPPED = "skipped"


#: States in which a delivery still waits to be sent.
WAITING = (DeliveryState.PENDING, DeliveryState.DEFERRED)


class Route(StrEnum):
    """Why a delivery is made."""

    #: A contact that has the type is in effect.
    SUBSCRIBED = "subscribed"
    #: Nobody who can be reached for some member has the type, so that those get it who can.
    NOBODY_SUBSCRIBED = "nobody-subscribed"
    #: Nobody can be reached for some member at all: to the tenant's fallback address.
    FALLBACK = "fallback"


#: Reasons of deliveries that end without a try, beside the words of `rules.Word`.
CANCELLED = "cancelled"
EXPIRED = "expired"
ADDRESS_GONE = "address-gone"
DAILY_LIMIT = "daily-limit"
CAPTURED_BEFORE = "captured-before"
#: The person that it was for was erased.
ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be told to whom."""

    account_id: str
    #: `m-`, ascends with time.
    message_id: str
    message_type: MessageType
    severity: Severity
    subject: str
    text: str
    #: A fragment, cleaned; None: made of the Markdown, or of the text.
    html: str | None
    markdown: str | None
    #: Directory, folder and member ids.
    targets: tuple[str, ...]
    #: The caller's word for this call; None when it gave none.
    client_token: str | None
    #: Hash over all that the caller said: tells a repeated call from another one.
    content_digest: bytes
    state: MessageState
    published_at: Instant
    #: Nothing is sent from then on; None: whenever it works.
    expires_at: Instant | None
    #: Access key that published it; empty: the program itself.
    published_by: str
    version: int = 1


class Stage(StrEnum):
    """What the progress of a message is at, in this order."""

    #: Contacts bound to folders and the directory.
    NODES = "nodes"
    #: Copies that members keep of contacts of folders and the directory.
    COPIES = "copies"
    #: Members: their own contacts, and whether anybody is reached for them.
    MEMBERS = "members"
    #: For members whom nobody with the type stands for: whoever can be reached.
    ANYBODY = "anybody"
    ANY_COPIES = "any-copies"
    #: Webhooks in effect for any of them. They are no persons: members for whom there is nobody else are left out.
    WEBHOOKS = "webhooks"
    #: For members for whom nobody can be reached: the fallback address, or an incident.
    LEFT_OVER = "left-over"
    #: Letting the deliveries go.
    RELEASE = "release"
    #: Taking back what was not sent.
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Reach:
    """Until when members must have been placed to be reached through an object; `ALWAYS`: all are, 0: none is."""

    #: By contacts that have the type.
    subscribed: int = 0
    #: By contacts of any type.
    anybody: int = 0


NOT_REACHED = Reach()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a message has come. Goes when every delivery is let go."""

    account_id: str
    message_id: str
    #: Number of the step that is next; the job that does it says the same.
    step: int = 1
    stage: Stage = Stage.NODES
    #: Object that the stage is at, and behind what in it: ids, or a moment and an id.
    node: str = ""
    after: tuple[str, ...] = ()
    #: Numbers given to deliveries so far.
    numbers: int = 0
    #: Whether any delivery is to be sent.
    reaches_somebody: bool = False
    #: Who is reached through folders and the directory, by object.
    reach: Mapping[str, Reach] = field(default_factory=dict)
    #: Objects whose contacts of any type get the message, each with the earliest placing of a member they are for.
    wanted: Mapping[str, int] = field(default_factory=dict)
    #: Members for whom nobody can be reached, and the first of them.
    unreached: int = 0
    unreached_members: tuple[str, ...] = ()
    version: int = 1


@quickly_made
@dataclass(frozen=True, slots=True)
class Named:
    """One way in which one contact comes to a delivery, and what the rules said."""

    #: The contact; of a copy, the contact it was; empty: the fallback address.
    contact_id: str
    #: None when it is no copy.
    detached_id: str | None
    name: str
    because: Because | None
    #: The object it is bound to, and what that is called.
    node_id: str
    node_name: str
    #: A word of `rules.Word`, or the route when it is not the usual one.
    word: str


@quickly_made
@dataclass(frozen=True, slots=True)
class Try:
    """One try to hand a delivery over."""

    at: Instant
    #: What the delivery was afterwards.
    state: DeliveryState
    #: The channel's answer, as a word.
    reply: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message on its way to one address."""

    account_id: str
    #: `d-`, the message's digits and a number: ascends with time, and in the message.
    delivery_id: str
    message_id: str
    channel: Channel
    address: str
    #: The address in the form in which addresses are compared.
    address_key: str
    state: DeliveryState
    route: Route
    #: Why it is in this state, where that is not plain from the state; a word.
    reason: str
    contacts: tuple[Named, ...]
    #: How many there are, those beyond `CONTACTS_NAMED` included.
    contact_count: int
    created_at: Instant
    updated_at: Instant
    attempts: int = 0
    #: The channel's last answer, as a word.
    reply: str = ""
    tries: tuple[Try, ...] = ()
    sent_at: Instant | None = None
    version: int = 1


class IncidentKind(StrEnum):
    #: For some members nobody could be reached, nor could a fallback address.
    NOBODY_REACHABLE = "nobody-reachable"
    #: Deliveries were made, and every one of them failed, expired or was skipped in the end.
    NOTHING_SENT = "nothing-sent"
    #: Something was sent; but for some members every delivery failed, expired or was skipped, and that to the fallback
    #: address too, if there was one.
    MEMBERS_MISSED = "members-missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """That a message reached nobody where it should have: somebody has to look, and to close it."""

    account_id: str
    #: `i-`, ascends with time.
    incident_id: str
    message_id: str
    kind: IncidentKind
    #: Members for whom nobody was reached, and the first of them.
    members: int
    member_ids: tuple[str, ...]
    opened_at: Instant
    #: None while it is open.
    closed_at: Instant | None = None
    #: Access key that closed it, and what was said.
    closed_by: str = ""
    note: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackAddress:
    """Where messages go that would reach nobody. A new address takes the place of the old one when it is confirmed."""

    account_id: str
    #: The address in force; empty before the first is confirmed.
    address: str = ""
    confirmed_at: Instant | None = None
    #: Confirmed from the captured inbox: counts only while mail is captured.
    captured: bool = False
    #: The address that waits to be confirmed; empty when none does.
    waiting: str = ""
    #: Public id of its code, and how often one was sent.
    reference: str = ""
    generation: int = 0
    waiting_captured: bool = False
    wrong_codes: int = 0
    expires_at: Instant = _NOT_SET
    version: int = 1

    def in_force(self, *, captured_counts: bool) -> bool:
        """Whether messages go to the confirmed address."""
        return self.confirmed_at is not None and (captured_counts or not self.captured)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """What the operator may set about messages."""

    text_messages_for: frozenset[Severity] = frozenset({Severity.CRITICAL})
    text_message_countries: frozenset[str] | None = frozenset({"86"})
    #: Text messages of messages to one tenant's contacts a day.
    text_messages_per_day: int = 500

    def circumstances(self, captured_counts: frozenset[Channel]) -> Circumstances:
        """What `rules.judge` has to know of the settings."""
        return Circumstances(
            captured_counts=captured_counts,
            text_messages_for=self.text_messages_for,
            text_message_countries=self.text_message_countries,
        )


def delivery_id(message_id: str, number: int) -> str:
    """Id of a message's delivery: sorts by message, then by number."""
    return f"d-{message_id[2:]}{number:06x}"


def job_id(delivery: str) -> str:
    """Id of the job that sends a delivery, and so of the mail: the same for every try."""
    return f"j-{delivery[2:]}"
