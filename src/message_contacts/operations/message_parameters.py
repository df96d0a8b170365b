"""Parameters of publishing, and how messages, deliveries and incidents are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery.messages import Delivery, DeliveryState, Message, Named
from message_contacts.delivery.rules import Severity
from message_contacts.delivery.texts.even_html import DEPTH
from message_contacts.directory.model import ACCOUNT_ID, DIRECTORY_ID, FOLDER_ID
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Rules
from message_contacts.operations.dates import utc_time
from message_contacts.operations.moments import read_moment
from message_contacts.operations.own_parameters import DATE, missing_parameter
from message_contacts.operations.registry import Field, Items, Kind, Parameter, Shape

SUBJECT_LENGTH = 200
TEXT_LENGTH = 20_000
HTML_LENGTH = 200_000
MARKDOWN_LENGTH = 50_000
TARGETS_AT_MOST = 100
NOTE_LENGTH = 1_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: What no text has any use for; line feeds and tabs do.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TOKEN = re.compile(r"[!-~]{1,64}")


def invalid(name: str) -> ErrorDefinition:
    """The error for a value that cannot be used."""
    return ErrorDefinition(400, f"InvalidParameter.{name}", f"The {name} is invalid.")


INVALID_EXPIRES_AT = invalid("ExpiresAt")
INVALID_HTML = invalid("Html")
INVALID_MARKDOWN = invalid("Markdown")


def _text_up_to(name: str, length: int) -> Any:
    error = invalid(name)

    def parse(text: str, _rules: Rules) -> str:
        if not text.strip() or len(text) > length or _UNPRINTABLE.search(text):
            raise error()
        return text

    return parse


def _subject(text: str, _rules: Rules) -> str:
    if not text.strip() or len(text) > SUBJECT_LENGTH or _CONTROL.search(text):
        raise invalid("Subject")()
    return text.strip()


def _message_type(text: str, _rules: Rules) -> MessageType:
    try:
        return MessageType(text)
    except ValueError:
        raise invalid("MessageType")() from None


def _severity(text: str, _rules: Rules) -> Severity:
    try:
        return Severity(text)
    except ValueError:
        raise invalid("Severity")() from None


def _targets(ids: Sequence[str], _rules: Rules) -> tuple[str, ...]:
    known = (DIRECTORY_ID, FOLDER_ID, ACCOUNT_ID)
    if (
        len(ids) > TARGETS_AT_MOST
        or len(set(ids)) != len(ids)
        or not all(any(form.fullmatch(target) for form in known) for target in ids)
    ):
        raise invalid("Targets")()
    return tuple(ids)


def _client_token(text: str, _rules: Rules) -> str:
    if not _TOKEN.fullmatch(text):
        raise invalid("ClientToken")()
    return text


def _moment(text: str, _rules: Rules) -> Instant:
    try:
        return read_moment(text, zone=None)
    except ValueError:
        raise INVALID_EXPIRES_AT() from None


def _state(text: str, _rules: Rules) -> DeliveryState:
    try:
        return DeliveryState(text)
    except ValueError:
        raise invalid("State")() from None


MESSAGE_TYPE = Parameter(
    name="MessageType",
    parse=_message_type,
    doc="What kind of message it is: contacts get the types they have.",
    example="FaultMessage",
    choices=tuple(MessageType),
    invalid=(invalid("MessageType"),),
).needed(missing_parameter("MessageType"))
SUBJECT = Parameter(
    name="Subject",
    parse=_subject,
    doc=f"One line, up to {SUBJECT_LENGTH} characters.",
    example="Database maintenance on Sunday",
    invalid=(invalid("Subject"),),
).needed(missing_parameter("Subject"))
TEXT = Parameter(
    name="Text",
    parse=_text_up_to("Text", TEXT_LENGTH),
    doc=f"Plain text, up to {TEXT_LENGTH:,} characters; text messages have nothing else.",
    example="Databases restart between 02:00 and 03:00.",
    invalid=(invalid("Text"),),
).needed(missing_parameter("Text"))
HTML = Parameter(
    name="Html",
    parse=_text_up_to("Html", HTML_LENGTH),
    doc=f"HTML part of the mail, a fragment, up to {HTML_LENGTH:,} characters; scripts, forms and style sheets are "
    f"taken out. Elements in one another are at most {DEPTH}. Without it, it is made of `Markdown` or `Text`.",
    example="<p>Databases restart between 02:00 and 03:00.</p>",
    invalid=(INVALID_HTML,),
)
MARKDOWN = Parameter(
    name="Markdown",
    parse=_text_up_to("Markdown", MARKDOWN_LENGTH),
    doc=f"The same as CommonMark with tables, up to {MARKDOWN_LENGTH:,} characters, instead of `Html`. What takes "
    "far more steps to read than text of that length is refused.",
    example="Databases restart between **02:00** and **03:00**.",
    invalid=(INVALID_MARKDOWN,),
)
TARGETS = Parameter(
    name="Targets",
    kind=Kind.TEXTS,
    parse=_targets,
    doc=f"Whom it is about: the directory, folders (with all in them) and members, up to {TARGETS_AT_MOST}.",
    example=["fd-ZDNPiT****"],
    invalid=(invalid("Targets"),),
).needed(missing_parameter("Targets"))
CLIENT_TOKEN = Parameter(
    name="ClientToken",
    parse=_client_token,
    doc="Word of your own for this call, up to 64 characters of ASCII. The same word and content again publish nothing "
    "and give the same message.",
    example="restart-2026-11-22",
    invalid=(invalid("ClientToken"),),
)
EXPIRES_AT = Parameter(
    name="ExpiresAt",
    parse=_moment,
    doc="From when on it is not sent any more, in ISO 8601 with a zone. Without it, it is tried for about a day.",
    example="2026-11-22T03:00:00Z",
    invalid=(INVALID_EXPIRES_AT,),
)
SEVERITY = Parameter(
    name="Severity",
    parse=_severity,
    doc="Critical messages go out as text messages too.",
    example="Normal",
    choices=tuple(Severity),
    default=Severity.NORMAL,
    invalid=(invalid("Severity"),),
)
STATE = Parameter(
    name="State",
    parse=_state,
    doc="Only deliveries in this state.",
    example="failed",
    choices=tuple(DeliveryState),
    invalid=(invalid("State"),),
)
NOTE = Parameter(
    name="Note",
    parse=_text_up_to("Note", NOTE_LENGTH),
    doc=f"What was done about it, up to {NOTE_LENGTH:,} characters.",
    example="Told by phone; a contact was added.",
    invalid=(invalid("Note"),),
).needed(missing_parameter("Note"))

MESSAGE_ID_EXAMPLE = "m-019aa8a5598094250d04b0b8"
DELIVERY_ID_EXAMPLE = "d-019aa8a5598094250d04b0b8000001"
INCIDENT_ID_EXAMPLE = "i-019aa8a5598094250d04b0b8"

#: Names of states in counts.
_COUNTED = {state: state.value.capitalize() for state in DeliveryState}

COUNTS: Mapping[str, Shape] = {
    name: Field("integer", f"Deliveries that are {state.value}.", 0) for state, name in _COUNTED.items()
}
MESSAGE_FIELDS: Mapping[str, Shape] = {
    "MessageId": Field("string", "The message; ascends with time.", MESSAGE_ID_EXAMPLE),
    "MessageType": Field("string", "Its type.", "FaultMessage"),
    "Severity": Field("string", "Normal or Critical.", "Normal"),
    "Subject": Field("string", "Subject.", "Database maintenance on Sunday"),
    "Targets": Items(Field("string", "Directory, folder or member it is about.", "fd-ZDNPiT****")),
    "State": Field(
        "string",
        "Expanding while it is worked out who gets it, then Published; Cancelled.",
        "Published",
    ),
    "PublishTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "ExpiresAt": Field("string", f"{DATE} Absent when it was not given.", "2026-11-22T03:00:00.000Z"),
    "PublishedBy": Field("string", "Access key that published it.", "MC4fXkPq9LmZ2aB7cD1eF5g"),
    "ClientToken": Field("string", "As given; absent when it was not.", "restart-2026-11-22"),
}
DELIVERY_FIELDS: Mapping[str, Shape] = {
    "DeliveryId": Field("string", "The delivery; ascends with time.", DELIVERY_ID_EXAMPLE),
    "MessageId": Field("string", "The message.", MESSAGE_ID_EXAMPLE),
    "Channel": Field("string", "email, sms or webhook.", "email"),
    "Address": Field("string", "Address; of a webhook, its id.", "tom@example.com"),
    "State": Field("string", "pending, sent, delivered, deferred, failed, expired or skipped.", "sent"),
    "Reason": Field("string", "Why it failed, expired or was skipped, as a word; else empty.", "mailbox-unknown"),
    "Route": Field(
        "string",
        "subscribed; nobody-subscribed: to whoever can be reached; fallback: to the fallback address.",
        "subscribed",
    ),
    "Attempts": Field("integer", "Tries made.", 1),
    "Reply": Field("string", "The channel's last answer, as a word; empty before the first.", "accepted"),
    "CreateTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "UpdateTime": Field("string", DATE, "2026-11-21T08:15:01.000Z"),
    "SentTime": Field("string", f"{DATE} Absent when it was not sent.", "2026-11-21T08:15:01.000Z"),
    "ContactCount": Field("integer", "In how many ways contacts come to this address.", 1),
    "Contacts": Items(
        {
            "ContactId": Field(
                "string", "The contact; absent for the fallback address and webhooks.", "c-qL4HqKONzOM7****"
            ),
            "WebhookId": Field("string", "The webhook; absent for contacts.", "wh-4fxkpq9tmz2ab7cd"),
            "DetachedContactId": Field("string", "The copy that is kept of it; absent when it is none.", "dc-4fXkPq9L"),
            "Name": Field("string", "Its name.", "tom"),
            "Because": Field("string", "Own, Folder, Directory or Retained.", "Folder"),
            "NodeId": Field("string", "Object it is bound to.", "fd-ZDNPiT****"),
            "NodeName": Field("string", "What that was called.", "sales"),
            "Word": Field("string", "What the rules said: passed, or what stood against it.", "passed"),
        }
    ),
}


def shown_counts(counts: Mapping[DeliveryState, int]) -> dict[str, int]:
    """How many deliveries are in each state."""
    return {name: counts.get(state, 0) for state, name in _COUNTED.items()}


def shown_message(message: Message) -> dict[str, Any]:
    """A message, without what it says at length."""
    return {
        "MessageId": message.message_id,
        "MessageType": message.message_type,
        "Severity": message.severity,
        "Subject": message.subject,
        "Targets": message.targets,
        "State": message.state,
        "PublishTime": utc_time(message.published_at),
        **({} if message.expires_at is None else {"ExpiresAt": utc_time(message.expires_at)}),
        "PublishedBy": message.published_by,
        **({} if message.client_token is None else {"ClientToken": message.client_token}),
    }


def shown_delivery(delivery: Delivery) -> dict[str, Any]:
    """A delivery."""
    return {
        "DeliveryId": delivery.delivery_id,
        "MessageId": delivery.message_id,
        "Channel": delivery.channel,
        "Address": delivery.address,
        "State": delivery.state,
        "Reason": delivery.reason,
        "Route": delivery.route,
        "Attempts": delivery.attempts,
        "Reply": delivery.reply,
        "CreateTime": utc_time(delivery.created_at),
        "UpdateTime": utc_time(delivery.updated_at),
        **({} if delivery.sent_at is None else {"SentTime": utc_time(delivery.sent_at)}),
        "ContactCount": delivery.contact_count,
        "Contacts": [_shown_named(each, delivery.channel) for each in delivery.contacts],
    }


def _shown_named(named: Named, channel: Channel) -> dict[str, Any]:
    if not named.contact_id:
        return {"Word": named.word}
    return {
        "WebhookId" if channel is Channel.WEBHOOK else "ContactId": named.contact_id,
        **({} if named.detached_id is None else {"DetachedContactId": named.detached_id}),
        "Name": named.name,
        **({} if named.because is None else {"Because": named.because}),
        "NodeId": named.node_id,
        "NodeName": named.node_name,
        "Word": named.word,
    }
