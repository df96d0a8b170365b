"""What becomes of published messages, address by address. Ours, version 2026-11-01."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from message_contacts import errors
from message_contacts.changes import CountUp, Decision
from message_contacts.contacts.model import CONTACT_CHANNELS, Channel, Contact
from message_contacts.delivery.messages import DeliveryState, job_id
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.sending import TEXT_MESSAGES
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.contact_parameters import CONTACT_ID_PARAMETER
from message_contacts.operations.dates import utc_time
from message_contacts.operations.message_parameters import (
    DELIVERY_FIELDS,
    DELIVERY_ID_EXAMPLE,
    MESSAGE_ID_EXAMPLE,
    STATE,
    invalid,
    shown_delivery,
)
from message_contacts.operations.own_parameters import (
    DATE,
    SOURCE,
    VERSIONS,
    list_errors,
    missing_parameter,
    needed_text,
    page,
    text,
)
from message_contacts.operations.registry import Access, Field, Items, Kind, Operation, Parameter, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS
from message_contacts.operations.values import parse_boolean
from message_contacts.operations.webhook_parameters import WEBHOOK_ID_EXAMPLE
from message_contacts.verification import limits
from message_contacts.webhooks.model import WEBHOOK_ID, Webhook
from message_contacts.webhooks.webhook_errors import NO_WEBHOOK

NO_DELIVERY = ErrorDefinition(404, "EntityNotExists.Delivery", "This delivery does not exist.")
NOT_IN_FORCE = ErrorDefinition(409, "ContactAddressNotVerified", "The contact has no verified address on this channel.")
TOO_MANY_TESTS = ErrorDefinition(409, "LimitExceeded.TestMessages", "The test messages of the day are used up.")
TOO_MANY_TEXT_MESSAGES = ErrorDefinition(409, "LimitExceeded.TextMessages", "The text messages of the day are used up.")
#: Test messages of an account a day.
TESTS_PER_DAY = 100
#: Seconds for which a test message's answer is waited for.
_TEST_SECONDS = 25.0
_INVALID_CHANNEL = invalid("Channel")
_MISSING_CHANNEL = missing_parameter("Channel")
_INVALID_WEBHOOK_ID = invalid("WebhookId")
WEBHOOK_NOT_CONFIRMED = ErrorDefinition(409, "WebhookNotConfirmed", "The webhook is not confirmed.")


def _channel(text: str, _rules: Rules) -> Channel:
    if text not in CONTACT_CHANNELS:
        raise _INVALID_CHANNEL()
    return Channel(text)


_CHANNEL_OF_CONTACT = Parameter(
    name="Channel",
    parse=_channel,
    doc="email or sms.",
    example="email",
    choices=CONTACT_CHANNELS,
    invalid=(_INVALID_CHANNEL,),
)
CHANNEL = _CHANNEL_OF_CONTACT.needed(_MISSING_CHANNEL)

_NEWEST_FIRST = Parameter(
    name="NewestFirst",
    kind=Kind.BOOLEAN,
    parse=parse_boolean,
    doc="Whether to begin with the newest.",
    example="true",
    default=False,
    invalid=(invalid("NewestFirst"),),
)


@operation(
    "ListDeliveries",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists deliveries, oldest first unless told otherwise: of a message, in a state, to an address, or all.",
    source=SOURCE,
    parameters=[
        text("MessageId", "Only those of this message.", MESSAGE_ID_EXAMPLE),
        STATE,
        text("Address", "Only those to this address, or webhook by its id.", "tom@example.com"),
        _NEWEST_FIRST,
        MAX_RESULTS,
        NEXT_TOKEN,
    ],
    raises=list_errors(*STATE.invalid, *_NEWEST_FIRST.invalid),
    returns={**TOKEN_FIELDS, "Deliveries": Items(DELIVERY_FIELDS)},
    resources=["delivery/*"],
    deniable_on=["message/{MessageId}"],
    needs_directory=False,
)
async def list_deliveries(
    call: Call,
    *,
    message_id: str | None,
    state: DeliveryState | None,
    address: str | None,
    newest_first: bool,
    max_results: int,
    next_token: str | None,
) -> Mapping[str, Any]:
    channel = _channel_of(address or "")
    found = await call.services.messages.delivery_page(
        call.account_id,
        message_id=message_id,
        state=state,
        address=None if address is None else (channel, address.lower()),
        after=next_token,
        limit=max_results + 1,
        newest_first=newest_first,
    )
    return page("Deliveries", [shown_delivery(delivery) for delivery in found], max_results, "DeliveryId")


def _channel_of(address: str) -> Channel:
    """The channel that an address belongs to, by its form."""
    if WEBHOOK_ID.fullmatch(address.lower()):
        return Channel.WEBHOOK
    return Channel.EMAIL if "@" in address else Channel.SMS


@operation(
    "GetDelivery",
    versions=VERSIONS,
    access=Access.READ,
    doc="Shows a delivery with every try and what the channel answered.",
    source=SOURCE,
    parameters=[needed_text("DeliveryId", "The delivery.", DELIVERY_ID_EXAMPLE)],
    raises=[missing_parameter("DeliveryId"), NO_DELIVERY],
    returns={
        "Delivery": {
            **DELIVERY_FIELDS,
            "JobId": Field(
                "string",
                "Job that sends it, also the Message-ID of the mail; RetryFailedJob takes it when it failed.",
                "j-019aa8a5598094250d04b0b8000001",
            ),
            "Timeline": Items(
                {
                    "Time": Field("string", DATE, "2026-11-21T08:15:01.000Z"),
                    "State": Field("string", "What the delivery was then.", "sent"),
                    "Reply": Field("string", "The channel's answer, or why nothing was sent, as a word.", "accepted"),
                }
            ),
        }
    },
    resources=["delivery/{DeliveryId}"],
    needs_directory=False,
)
async def get_delivery(call: Call, *, delivery_id: str) -> Mapping[str, Any]:
    delivery = await call.services.messages.delivery(call.account_id, delivery_id)
    if delivery is None:
        raise NO_DELIVERY()
    begun = {"Time": utc_time(delivery.created_at), "State": DeliveryState.PENDING, "Reply": ""}
    if delivery.state is DeliveryState.SKIPPED and not delivery.tries:
        begun = {**begun, "State": delivery.state, "Reply": delivery.reason}
    tried = [{"Time": utc_time(each.at), "State": each.state, "Reply": each.reply} for each in delivery.tries]
    return {
        "Delivery": {
            **shown_delivery(delivery),
            "JobId": job_id(delivery.delivery_id),
            "Timeline": [begun, *tried],
        }
    }


@operation(
    "SendTestMessage",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Sends a short test message to a contact's verified address, or to a confirmed webhook, and answers with what "
    "the channel says.",
    source=SOURCE,
    parameters=[
        CONTACT_ID_PARAMETER,
        _CHANNEL_OF_CONTACT,
        text("WebhookId", "The webhook, instead of a contact and a channel.", WEBHOOK_ID_EXAMPLE),
    ],
    raises=[
        errors.MISSING_PARAMETER_CONTACT_ID,
        _MISSING_CHANNEL,
        errors.INVALID_PARAMETER_CONTACT_ID,
        _INVALID_CHANNEL,
        _INVALID_WEBHOOK_ID,
        errors.ENTITY_NOT_EXISTS_CONTACT,
        NO_WEBHOOK,
        NOT_IN_FORCE,
        WEBHOOK_NOT_CONFIRMED,
        TOO_MANY_TESTS,
        TOO_MANY_TEXT_MESSAGES,
    ],
    returns={
        "Verdict": Field("string", "accepted, try-again or never.", "accepted"),
        "Reply": Field("string", "The channel's answer, as a word.", "accepted"),
    },
    resources=["testmessage/{ContactId|WebhookId}"],
    deniable_on=["contact/{ContactId}", "webhook/{WebhookId}"],
)
async def send_test_message(
    call: Call, *, contact_id: str | None, channel: Channel | None, webhook_id: str | None
) -> Mapping[str, Any]:
    if webhook_id is not None:
        if contact_id is not None or channel is not None:
            raise _INVALID_WEBHOOK_ID(reason="beside a contact")
        outcome = await _test_webhook(call, webhook_id)
    else:
        if contact_id is None:
            raise errors.MISSING_PARAMETER_CONTACT_ID()
        if channel is None:
            raise _MISSING_CHANNEL()
        outcome = await _test_contact(call, contact_id, channel)
    return {"Verdict": outcome.verdict, "Reply": outcome.reason}


async def _test_contact(call: Call, contact_id: str, channel: Channel) -> Outcome:
    def decide(contact: Contact | None) -> Decision[tuple[Contact, str]]:
        if contact is None:
            raise errors.ENTITY_NOT_EXISTS_CONTACT(contact_id=contact_id)
        slot = contact.slot(channel)
        counts = channel in call.rules.contacts.captured_counts
        if slot.shown is None or contact.deleting or not slot.in_force(captured_counts=counts):
            raise NOT_IN_FORCE(contact_id=contact_id)
        day = limits.day(call.now)
        changes = [CountUp(call.account_id, "test messages", day, TESTS_PER_DAY, TOO_MANY_TESTS)]
        if channel is Channel.SMS:
            limit = call.rules.delivery.text_messages_per_day
            changes.append(CountUp(call.account_id, TEXT_MESSAGES, day, limit, TOO_MANY_TEXT_MESSAGES))
        return Decision(tuple(changes), (contact, slot.shown.text))

    contact, address = await call.change(lambda: call.services.contacts.contact(call.account_id, contact_id), decide)
    return await _within_time(
        call.services.trials.by_address(contact, channel, address, call.directory.account_name, call.ids.job(call.now))
    )


async def _test_webhook(call: Call, webhook_id: str) -> Outcome:
    counts = Channel.WEBHOOK in call.rules.contacts.captured_counts

    def decide(webhook: Webhook | None) -> Decision[Webhook]:
        if webhook is None:
            raise NO_WEBHOOK()
        if not webhook.in_force(captured_counts=counts):
            raise WEBHOOK_NOT_CONFIRMED(webhook_id=webhook_id)
        count = CountUp(call.account_id, "test messages", limits.day(call.now), TESTS_PER_DAY, TOO_MANY_TESTS)
        return Decision((count,), webhook)

    webhook = await call.change(lambda: call.services.webhooks.webhook(call.account_id, webhook_id), decide)
    return await _within_time(
        call.services.trials.by_webhook(webhook, call.directory.account_name, call.ids.job(call.now))
    )


async def _within_time(sending: Awaitable[Outcome]) -> Outcome:
    """What comes of a test message, as far as it comes in time."""
    try:
        async with asyncio.timeout(_TEST_SECONDS):
            return await sending
    except TimeoutError:
        return Outcome(Verdict.TRY_AGAIN, "timed-out")


OPERATIONS: tuple[Operation, ...] = (list_deliveries, get_delivery, send_test_message)
