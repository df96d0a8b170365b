"""What an explanation of a delivery is on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts.contacts.model import Channel
from message_contacts.delivery.circumstances import Objection
from message_contacts.delivery.explanation import Explanation
from message_contacts.delivery.messages import Delivery
from message_contacts.operations.message_parameters import DELIVERY_FIELDS, shown_delivery
from message_contacts.operations.reach_parameters import REASON_FIELDS, reason_fields
from message_contacts.operations.registry import Field, Items, Shape

#: What is shown of the delivery that was made; the rest is in GetDelivery.
_DELIVERY = ("DeliveryId", "State", "Route", "Reason")

EXPLANATION_FIELDS: Mapping[str, Shape] = {
    "Outcome": Field(
        "string",
        "passed: it gets the message, or got it; else the word of what stands or stood against it.",
        "not-verified",
    ),
    "OutcomeNow": Field(
        "string", "What the rules alone say now; absent unless it was decided otherwise.", "not-subscribed"
    ),
    "Delivery": {name: DELIVERY_FIELDS[name] for name in _DELIVERY},
    "ContactId": Field("string", "Contact; absent when there is none of that id or address.", "c-qL4HqKONzOM7****"),
    "DetachedContactId": Field("string", "The copy, if it is one of a deleted contact.", "dc-4fXkPq9LmZ2aB7cD"),
    "WebhookId": Field("string", "Webhook; absent for contacts.", "wh-4fxkpq9tmz2ab7cd"),
    "Name": Field("string", "Name.", "tom"),
    "Channel": Field("string", "email, sms or webhook.", "email"),
    "Address": Field("string", "Address; absent when it has none on this channel.", "tom@example.com"),
    **REASON_FIELDS,
    "Rules": Items(
        {
            "Rule": Field(
                "string",
                "Rule, in the order in which they decide; then what was decided beyond them: was-found, "
                "route, not-cancelled, not-expired, not-captured-before, still-wanted, within-daily-limit, "
                "taken-over.",
                "address-in-force",
            ),
            "Outcome": Field("string", "passed, or why not; of route, by which other way it goes out.", "not-verified"),
        }
    ),
    "HeldBackBy": Items(
        {
            "Outcome": Field("string", "opted-out or quiet-hours.", "opted-out"),
            "ForAddress": Field("boolean", "Said for the address, whoever else has it, by one click.", example=False),
            "ContactId": Field("string", "Contact that said it; absent with ForAddress.", "c-9JmP2LqXvT4k****"),
        }
    ),
    "SharesAddressWith": Items(
        Field("string", "Contact reached at the same address, which gets one copy.", "c-9JmP2LqXvT4k****")
    ),
}


def explanation_fields(entry: Explanation, objections: Sequence[Objection], *, is_made: bool) -> dict[str, Any]:
    """The answer of one; the delivery only if it was made."""
    candidate, delivery = entry.candidate, entry.delivery
    rules = [{"Rule": finding.rule, "Outcome": finding.word} for finding in entry.findings]
    outcome: dict[str, Any] = {"Outcome": entry.outcome}
    if entry.outcome != entry.by_rules:
        outcome["OutcomeNow"] = entry.by_rules
    if candidate is None:
        to = {"Channel": delivery.channel, "Address": delivery.address} if delivery is not None else {}
        return {
            **outcome,
            **_made(delivery if is_made else None),
            **to,
            "Reasons": [],
            "Rules": rules,
            "HeldBackBy": [],
            "SharesAddressWith": [],
        }
    return {
        **outcome,
        **_made(delivery if is_made else None),
        "WebhookId" if candidate.channel is Channel.WEBHOOK else "ContactId": candidate.contact_id,
        **({"DetachedContactId": candidate.detached_id} if candidate.detached_id else {}),
        "Name": candidate.name,
        "Channel": candidate.channel,
        **({"Address": candidate.address.text} if candidate.address else {}),
        **reason_fields(candidate.reasons),
        "Rules": rules,
        "HeldBackBy": [
            {
                "Outcome": each.word,
                "ForAddress": not each.said.contact_id,
                **({"ContactId": each.said.contact_id} if each.said.contact_id else {}),
            }
            for each in objections
        ],
        "SharesAddressWith": entry.shared_with,
    }


def _made(delivery: Delivery | None) -> dict[str, Any]:
    if delivery is None:
        return {}
    shown = shown_delivery(delivery)
    return {"Delivery": {name: shown[name] for name in _DELIVERY}}
