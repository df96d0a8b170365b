"""What was decided, or would be, about an explained address beyond its rules: routes, the daily limit, how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from message_contacts.contacts.model import Channel
from message_contacts.delivery import explanation
from message_contacts.delivery.dry_run import dry_run
from message_contacts.delivery.explanation import NO_SUCH_CONTACT, Explanation
from message_contacts.delivery.messages import Delivery, DeliveryState, Message, MessageState
from message_contacts.delivery.rules import Word
from message_contacts.delivery.sending import TEXT_MESSAGES
from message_contacts.operations.call import Call
from message_contacts.verification import limits


async def as_delivered(
    call: Call, message: Message, found: Sequence[Explanation], address: str | None
) -> Sequence[Explanation]:
    """With what was decided when the message was worked out and sent."""
    places = _places(found, address)
    made = await call.services.messages.deliveries_at(call.account_id, message.message_id, places)
    entries = _with_deliveries_alone(found, made)
    cancelled = message.state is MessageState.CANCELLED
    return [
        explanation.as_delivered(entry, _delivery_of(entry, made), cancelled=cancelled)
        if entry is not NO_SUCH_CONTACT
        else entry
        for entry in entries
    ]


async def as_it_would_be(
    call: Call, message: Message, found: Sequence[Explanation], address: str | None
) -> Sequence[Explanation]:
    """With the routes and the daily limit as they are now."""
    made: Mapping[tuple[Channel, str], Delivery] = {}
    fallback = await call.services.messages.fallback(call.account_id)
    about_fallback = fallback is not None and address is not None and fallback.address.lower() == address.lower()
    # Nobody with the type, or nobody at all: only a look at everybody tells.
    if about_fallback or any(entry.by_rules == Word.NOT_SUBSCRIBED for entry in found):
        circumstances = await call.services.standing.of_tenant(call.account_id)
        run = await dry_run(call.services.search, message, circumstances, call.now)
        made = {
            (each.channel, each.address_key): each for each in run.deliveries if each.state is DeliveryState.PENDING
        }
    sent_today = await call.services.verification.count(call.account_id, TEXT_MESSAGES, limits.day(call.now))
    used_up = sent_today >= call.rules.delivery.text_messages_per_day
    places = set(_places(found, address))
    entries = _with_deliveries_alone(found, {place: each for place, each in made.items() if place in places})
    return [explanation.as_it_would_be(entry, _delivery_of(entry, made), used_up=used_up) for entry in entries]


def _places(found: Sequence[Explanation], address: str | None) -> list[tuple[Channel, str]]:
    """The channels and addresses, by key, at which there may be deliveries to explain."""
    places = {
        (entry.candidate.channel, entry.candidate.address.key)
        for entry in found
        if entry.candidate is not None and entry.candidate.address is not None
    }
    if address is not None:
        places |= {(channel, address.lower()) for channel in Channel}
    return sorted(places)


def _with_deliveries_alone(
    found: Sequence[Explanation], made: Mapping[tuple[Channel, str], Delivery]
) -> list[Explanation]:
    """Explanations, and those of deliveries for no contact: to the fallback address, or one that nobody has now."""
    known = [entry for entry in found if entry is not NO_SUCH_CONTACT]
    alone = [each for each in made.values() if explanation.is_to_fallback(each) or not known]
    return [*known, *(explanation.of_delivery(each) for each in alone)] or [NO_SUCH_CONTACT]


def _delivery_of(entry: Explanation, made: Mapping[tuple[Channel, str], Delivery]) -> Delivery | None:
    candidate = entry.candidate
    if candidate is None:
        return entry.delivery
    return None if candidate.address is None else made.get((candidate.channel, candidate.address.key))
