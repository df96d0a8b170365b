"""What the audit trail says of messages, and of what people decide about getting them: a part of `description`.

Texts of messages stand there as their SHA-256 only. Free text about persons that nobody could find again to erase it
is withheld, as are addresses of which no contact is named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from message_contacts.audit import keeping
from message_contacts.audit.kind import Description
from message_contacts.contacts.model import Address, Channel, EmailAddress, PhoneNumber
from message_contacts.delivery.messages import Delivery, FallbackAddress, Incident, Message, Progress
from message_contacts.delivery.standing import HandOver, Preference, Suspension
from message_contacts.webhooks.model import Webhook

#: What workers write down while they send: a message's progress and its deliveries, which have a timeline of their own.
BOOKKEEPING = frozenset({Progress, Delivery})


def _digest(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def _address(channel: Channel, text: str) -> Address:
    return EmailAddress(text) if channel is Channel.EMAIL else PhoneNumber(text)


def _suspension_targets(suspension: Suspension) -> tuple[str, ...]:
    """Deliveries whose coming back tells which address it is, for as long as they are kept; the last one first."""
    return tuple(dict.fromkeys(sign.delivery_id for sign in reversed(suspension.signs))) or ("",)


def _quiet(preference: Preference) -> object:
    quiet = preference.quiet
    if quiet is None:
        return None
    return {"ends": quiet.ends, "hold_urgent": quiet.hold_urgent, "starts": quiet.starts, "zone": quiet.zone}


MESSAGE_DESCRIPTIONS: Mapping[type, Description] = {
    Message: Description(
        type="Message",
        targets=lambda message: (message.message_id, *message.targets),
        shown=(
            ("client_token", lambda message: _digest(message.client_token)),
            ("content_digest", lambda message: message.content_digest.hex()),
            ("expires_at", lambda message: message.expires_at),
            ("html", lambda message: _digest(message.html)),
            ("markdown", lambda message: _digest(message.markdown)),
            ("message_type", lambda message: message.message_type),
            ("published_at", lambda message: message.published_at),
            ("published_by", lambda message: message.published_by),
            ("severity", lambda message: message.severity),
            ("state", lambda message: message.state),
            ("subject", lambda message: _digest(message.subject)),
            ("targets", lambda message: message.targets),
            ("text", lambda message: _digest(message.text)),
        ),
    ),
    Incident: Description(
        type="Incident",
        targets=lambda incident: (incident.incident_id, incident.message_id),
        shown=(
            ("closed_at", lambda incident: incident.closed_at),
            ("closed_by", lambda incident: incident.closed_by),
            ("kind", lambda incident: incident.kind),
            ("member_ids", lambda incident: incident.member_ids),
            ("members", lambda incident: incident.members),
            ("message_id", lambda incident: incident.message_id),
            ("opened_at", lambda incident: incident.opened_at),
        ),
        withheld=(("note", lambda incident: incident.note),),
    ),
    # An account has one at most, so that its id is the account's.
    FallbackAddress: Description(
        type="FallbackAddress",
        targets=lambda fallback: (fallback.account_id,),
        shown=(
            ("captured", lambda fallback: fallback.captured),
            ("confirmed_at", lambda fallback: fallback.confirmed_at),
            ("expires_at", lambda fallback: fallback.expires_at),
            ("generation", lambda fallback: fallback.generation),
            ("waiting_captured", lambda fallback: fallback.waiting_captured),
            ("wrong_codes", lambda fallback: fallback.wrong_codes),
        ),
        withheld=(
            ("address", lambda fallback: fallback.address),
            ("reference", lambda fallback: fallback.reference),
            ("waiting", lambda fallback: fallback.waiting),
        ),
    ),
    # Bounces are only counted until they are enough: so far it is bookkeeping, and so are the signs of each.
    Suspension: Description(
        type="Suspension",
        targets=_suspension_targets,
        is_bookkeeping=lambda suspension: suspension.reason is None,
        shown=(
            ("channel", lambda suspension: suspension.channel),
            ("reason", lambda suspension: suspension.reason),
            ("suspended_at", lambda suspension: suspension.suspended_at),
        ),
        withheld=(
            ("address", lambda suspension: suspension.address),
            ("address_key", lambda suspension: suspension.address_key),
        ),
    ),
    # Said by one click in a mail, it is about the address and names no contact.
    Preference: Description(
        type="Preference",
        targets=lambda preference: (preference.contact_id,),
        person=lambda preference: preference.contact_id,
        shown=(
            ("changed_at", lambda preference: preference.changed_at),
            ("channel", lambda preference: preference.channel),
            ("language", lambda preference: preference.language),
            ("quiet", _quiet),
            ("unwanted", lambda preference: sorted(preference.unwanted)),
        ),
        personal=(
            ("address_key", lambda preference: _address(preference.channel, preference.address_key), keeping.address),
        ),
    ),
    HandOver: Description(
        type="HandOver",
        targets=lambda hand_over: (hand_over.hand_over_id, hand_over.contact_id),
        person=lambda hand_over: hand_over.contact_id,
        shown=(
            ("asked_at", lambda hand_over: hand_over.asked_at),
            ("channel", lambda hand_over: hand_over.channel),
            ("closed_at", lambda hand_over: hand_over.closed_at),
            ("closed_by", lambda hand_over: hand_over.closed_by),
            ("contact_id", lambda hand_over: hand_over.contact_id),
        ),
        personal=(
            ("address", lambda hand_over: _address(hand_over.channel, hand_over.address), keeping.address),
            ("note", lambda hand_over: hand_over.note, keeping.digest_only),
            ("wish", lambda hand_over: hand_over.wish, keeping.digest_only),
        ),
    ),
    Webhook: Description(
        type="Webhook",
        targets=lambda webhook: (webhook.webhook_id,),
        shown=(
            ("bindings", lambda webhook: [binding.node_id for binding in webhook.bindings]),
            ("code.captured", lambda webhook: webhook.code.captured),
            ("code.expires_at", lambda webhook: webhook.code.expires_at),
            ("code.generation", lambda webhook: webhook.code.generation),
            ("code.wrong_codes", lambda webhook: webhook.code.wrong_codes),
            ("created_at", lambda webhook: webhook.created_at),
            ("endpoint.shown", lambda webhook: webhook.endpoint.shown),
            ("endpoint.signed", lambda webhook: webhook.endpoint.signed),
            ("form", lambda webhook: webhook.form),
            ("message_types", lambda webhook: webhook.message_types),
            ("name", lambda webhook: webhook.name.text),
            ("verified.at", lambda webhook: webhook.verified and webhook.verified.at),
            ("verified.captured", lambda webhook: webhook.verified and webhook.verified.captured),
            ("waiting.shown", lambda webhook: webhook.waiting and webhook.waiting.shown),
            ("waiting.signed", lambda webhook: webhook.waiting and webhook.waiting.signed),
        ),
        withheld=(
            ("code.reference", lambda webhook: webhook.code.reference),
            ("endpoint.digest", lambda webhook: webhook.endpoint.digest),
            ("endpoint.sealed", lambda webhook: webhook.endpoint.sealed),
            ("waiting.digest", lambda webhook: webhook.waiting and webhook.waiting.digest),
            ("waiting.sealed", lambda webhook: webhook.waiting and webhook.waiting.sealed),
        ),
    ),
}
