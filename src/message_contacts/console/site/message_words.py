"""What the words of messages and deliveries are called on pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from message_contacts.console.site.visit import Visit
from message_contacts.console.site.words import mark
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.messages import DeliveryState
from message_contacts.errors import ApiError

TYPES: Mapping[str, str] = {
    MessageType.SECURITY_MESSAGE: mark("Security"),
    MessageType.FAULT_MESSAGE: mark("Faults"),
    MessageType.SERVICE_MESSAGE: mark("Services"),
    MessageType.PRODUCT_MESSAGE: mark("Products"),
    MessageType.ACCOUNT_EXPENSES: mark("Account funds"),
    MessageType.ACTIVITY_MESSAGE: mark("Events and offers"),
}
SEVERITIES: Mapping[str, str] = {"Normal": mark("Normal"), "Critical": mark("Critical")}
CHANNELS: Mapping[str, str] = {"email": mark("E-mail"), "sms": mark("Text message"), "webhook": mark("Webhook")}
MESSAGE_STATES: Mapping[str, tuple[str, str]] = {
    "Expanding": (mark("Finding recipients"), "waiting"),
    "Published": (mark("Published"), "good"),
    "Cancelled": (mark("Cancelled"), "plain"),
}
#: What a delivery's state is called, and its tone.
STATES: Mapping[str, tuple[str, str]] = {
    DeliveryState.PENDING: (mark("Waiting"), "waiting"),
    DeliveryState.SENT: (mark("Sent"), "good"),
    DeliveryState.DELIVERED: (mark("Arrived"), "good"),
    DeliveryState.DEFERRED: (mark("Will be tried again"), "waiting"),
    DeliveryState.FAILED: (mark("Failed"), "bad"),
    DeliveryState.EXPIRED: (mark("Not sent in time"), "bad"),
    DeliveryState.SKIPPED: (mark("Not sent to them"), "plain"),
}
ROUTES: Mapping[str, str] = {
    "subscribed": mark("Has this type"),
    "nobody-subscribed": mark("Does not have this type, but nobody who has it can be reached"),
    "fallback": mark("Fallback address: nobody can be reached"),
}
BECAUSE: Mapping[str, str] = {
    "Own": mark("Bound to the member"),
    "Folder": mark("Bound to the folder"),
    "Directory": mark("Bound to the directory"),
    "Retained": mark("Kept when the contact was deleted"),
}
#: What rules, channels and the rest say with a word. Others are shown as they are.
REPLIES: Mapping[str, str] = {
    "passed": mark("Gets it"),
    "not-in-effect": mark("Not bound to anything it is about"),
    "being-deleted": mark("The contact is being deleted"),
    "not-subscribed": mark("Does not get this type"),
    "no-address": mark("Has no such address"),
    "not-verified": mark("The address was not confirmed"),
    "verified-in-capture": mark("The address was confirmed from the captured inbox only"),
    "suppressed": mark("The address is suspended"),
    "opted-out": mark("Its owner does not want this type"),
    "channel-not-allowed": mark("No text messages for this severity"),
    "country-not-allowed": mark("No text messages to this country"),
    "quiet-hours": mark("Waits for the end of quiet hours"),
    "address-gone": mark("The address changed or is gone"),
    "address-unreadable": mark("No encryption key opens its address; name it again"),
    "cancelled": mark("Cancelled before it was sent"),
    "expired": mark("It expired before it was sent"),
    "daily-limit": mark("The text messages of the day are used up"),
    "captured-before": mark("Captured work is never sent later"),
    "erased": mark("The person was erased"),
    "accepted": mark("Accepted"),
    "captured": mark("Captured in the inbox"),
    "captured-complaint": mark("Captured, and complained of"),
    "mailbox-unknown": mark("There is no such mailbox"),
    "mailbox-full": mark("The mailbox is full"),
    "mailbox-busy": mark("The mailbox is busy"),
    "connection-refused": mark("No connection"),
    "timed-out": mark("No answer in time"),
    "store-unavailable": mark("The database could not do it then"),
    "changed-meanwhile": mark("What it is about changed all the time"),
    "nobody-subscribed": mark("Does not have this type, but nobody who has it can be reached"),
    "fallback": mark("Fallback address"),
}
JOB_KINDS: Mapping[str, str] = {
    "send-verification": mark("Request to confirm an address"),
    "deliver": mark("Delivery of a message"),
    "expand-message": mark("Finding who gets a message"),
    "release-quiet": mark("Letting go what waited for quiet hours"),
    "review-message": mark("Looking whether a message was sent"),
    "withdraw-contact": mark("Taking a contact out of members"),
    "send-fallback-code": mark("Code for the fallback address"),
    "send-webhook-code": mark("Code for a webhook"),
}
INCIDENT_KINDS: Mapping[str, str] = {
    "nobody-reachable": mark("For some members nobody can be reached"),
    "nothing-sent": mark("Nothing could be sent"),
    "members-missed": mark("For some members every delivery failed"),
}
SUSPENSIONS: Mapping[str, str] = {
    "hard-bounce": mark("There is no such mailbox"),
    "soft-bounces": mark("Several messages in a row came back"),
    "complaint": mark("Its owner reported a message as unwanted"),
}
#: What forms of the area are refused with, by code; others say it in the operation's own words.
REFUSALS: Mapping[str, str] = {
    "MissingParameter.Subject": mark("Enter a subject."),
    "InvalidParameter.Subject": mark("One line of at most 200 characters."),
    "MissingParameter.Text": mark("Enter the text."),
    "InvalidParameter.Text": mark("At most 20,000 characters, without control characters."),
    "InvalidParameter.Html": mark("At most 200,000 characters, without control characters."),
    "InvalidParameter.Markdown": mark("At most 50,000 characters, without control characters."),
    "MissingParameter.Targets": mark("Choose whom it is about."),
    "InvalidParameter.Targets": mark("Choose at most 100 folders and members."),
    "EntityNotExists.Target": mark("One of these does not exist any more."),
    "InvalidParameter.ExpiresAt": mark("Choose a moment that is still to come."),
    "MissingParameter.Note": mark("Write down what was done."),
    "InvalidParameter.Note": mark("At most 1,000 characters."),
    "MissingParameter.Code": mark("Enter the code."),
    "InvalidParameter.Code": mark("The code is wrong, has expired, or was tried too often."),
    "MissingParameter.EmailAddress": mark("Enter an e-mail address."),
    "InvalidParameter.EmailAddress": mark("This is not an e-mail address that can be used."),
    "MissingParameter.Name": mark("Enter a name for it."),
    "MissingParameter.Url": mark("Enter the address."),
    "InvalidParameter.Url": mark("https://host/path without user, password or fragment, at most 2,048 characters."),
    "InvalidParameter.Url.Address": mark("Webhooks may not reach this address."),
    "InvalidParameter.Secret": mark("This is not a secret of this form, or the form has none."),
    "MissingParameter.MessageTypes": mark("Choose at least one type of message."),
    "MissingParameter.Members": mark("Choose whose messages it gets."),
    "ContactAddressNotVerified": mark("The contact has no confirmed address on this channel."),
    "LimitExceeded.TestMessages": mark("The test messages of the day are used up."),
}
#: Parts of the area, for the links at the top of its pages.
PARTS = (
    ("/messages", mark("Published")),
    ("/messages/deliveries", mark("Deliveries")),
    ("/messages/incidents", mark("Incidents")),
    ("/messages/failed", mark("Failed work")),
    ("/messages/suspensions", mark("Suspended addresses")),
    ("/messages/hand-overs", mark("Hand-overs")),
    ("/messages/fallback", mark("Fallback address")),
    ("/messages/webhooks", mark("Webhooks")),
)


def spoken(visit: Visit) -> dict[str, Any]:
    """What templates need beside what they are about: functions that say words in the visitor's language."""
    _ = visit._

    def of(names: Mapping[str, str]) -> Callable[[str], str]:
        return lambda word: _(names[word]) if word in names else word

    def toned(names: Mapping[str, tuple[str, str]]) -> Callable[[str], tuple[str, str]]:
        return lambda word: (_(names[word][0]), names[word][1]) if word in names else (word, "plain")

    return {
        "type_name": of(TYPES),
        "severity_name": of(SEVERITIES),
        "channel_name": of(CHANNELS),
        "route_name": of(ROUTES),
        "because_name": of(BECAUSE),
        "reply_name": of(REPLIES),
        "job_name": of(JOB_KINDS),
        "incident_name": of(INCIDENT_KINDS),
        "suspension_name": of(SUSPENSIONS),
        "message_state": toned(MESSAGE_STATES),
        "delivery_state": toned(STATES),
        "refusal_text": lambda refusal: refusal_text(visit, refusal),
        "types": [(kind, _(name)) for kind, name in TYPES.items()],
        "parts_of_area": [(path, _(name)) for path, name in PARTS],
    }


def refusal_text(visit: Visit, refusal: ApiError) -> str:
    """What a form was refused with, in the visitor's language where we have it."""
    said = REFUSALS.get(refusal.definition.code)
    return refusal.message if said is None else visit._(said)


def fragment(visit: Visit, template: str, **values: Any) -> str:
    """Part of a page, for a page that shows it already."""
    return bytes(visit.page(template, title="", **spoken(visit), **values).body).decode()


def moment_of(local: str, visit: Visit) -> str:
    """A field for date and time, in the service's zone, as the API takes it; what is none, as it was typed."""
    try:
        chosen = datetime.fromisoformat(local)
    except ValueError:
        return local
    return (chosen if chosen.tzinfo else chosen.replace(tzinfo=visit.frame.zone)).isoformat()
