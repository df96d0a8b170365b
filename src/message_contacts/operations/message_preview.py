"""A message before it is published: how it would look, and who would get it. Ours, version 2026-11-01."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery import publishing
from message_contacts.delivery.candidates import Because
from message_contacts.delivery.dry_run import DryRun, dry_run
from message_contacts.delivery.message_wording import Specimen
from message_contacts.delivery.messages import Delivery, DeliveryState, Message, Named, Route
from message_contacts.delivery.publishing import NO_TARGET, Desk, Wording
from message_contacts.delivery.rules import Severity, Word
from message_contacts.delivery.texts.bodies import takes_long
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.message_parameters import (
    DELIVERY_FIELDS,
    EXPIRES_AT,
    HTML,
    INVALID_EXPIRES_AT,
    MARKDOWN,
    MESSAGE_TYPE,
    SEVERITY,
    SUBJECT,
    TARGETS,
    TEXT,
    invalid,
    shown_delivery,
)
from message_contacts.operations.messages import check_body, known_targets
from message_contacts.operations.own_parameters import VERSIONS, list_errors
from message_contacts.operations.registry import Access, Field, Items, Kind, Operation, Parameter, operation
from message_contacts.operations.token_paging import (
    INVALID_NEXT_TOKEN,
    MAX_RESULTS,
    NEXT_TOKEN,
    TOKEN_FIELDS,
    next_token,
    read_token,
)
from message_contacts.operations.values import parse_boolean

INVALID_REACHED = invalid("Reached")
_PLACE = re.compile(r"(email|sms|webhook):(.+)", re.DOTALL)
_WORDING = [MESSAGE_TYPE, SUBJECT, TEXT, HTML, MARKDOWN, TARGETS, SEVERITY, EXPIRES_AT]
#: What of a delivery there is before it exists.
_SHOWN = ("Channel", "Address", "State", "Reason", "Route", "ContactCount", "Contacts")


def _parse_reached(text: str, rules: Rules) -> bool:
    try:
        return parse_boolean(text, rules)
    except ValueError:
        raise INVALID_REACHED() from None


def _parse_place(text: str, _rules: Rules) -> tuple[str, str]:
    try:
        found = _PLACE.fullmatch(read_token(text))
    except ValueError:
        found = None
    if found is None:
        raise INVALID_NEXT_TOKEN()
    return found[1], found[2]


_REACHED = Parameter(
    name="Reached",
    kind=Kind.BOOLEAN,
    parse=_parse_reached,
    doc="Of the recipients, list only those who would get it, or with false only those who would not; all when absent.",
    example="true",
    invalid=(INVALID_REACHED,),
)


@operation(
    "PreviewMessage",
    versions=VERSIONS,
    access=Access.READ,
    doc="Shows how a message would look and who would get it if it were published now, at which address and why, and "
    "who would not. Recipients are found as PublishMessage finds them; nothing is stored or sent.",
    source="Ours, 2026-11-22",
    parameters=[*_WORDING, _REACHED, MAX_RESULTS, replace(NEXT_TOKEN, parse=_parse_place)],
    raises=list_errors(
        *(parameter.missing_error for parameter in _WORDING if parameter.required),
        *(error for parameter in _WORDING for error in parameter.invalid),
        INVALID_REACHED,
        NO_TARGET,
    ),
    returns={
        **TOKEN_FIELDS,
        "Mail": {
            "Subject": Field("string", "Subject.", "Database maintenance on Sunday"),
            "Text": Field("string", "Its plain text, as the first recipient would get it; links lead nowhere.", "..."),
            "Html": Field("string", "Its HTML, likewise.", "<!DOCTYPE html>..."),
        },
        "TextMessage": Field("string", "The text message, if one were sent.", "platform-team: Database ..."),
        "Post": Field("string", "The text of posts to webhooks, beside the subject.", "Databases restart ..."),
        "Summary": {
            "Email": Field("integer", "Mails that would be sent.", 12),
            "Sms": Field("integer", "Text messages that would be sent.", 0),
            "Webhook": Field("integer", "Posts to webhooks.", 1),
            "NobodySubscribed": Field(
                "integer", "Of these, to people without the type, since nobody with it can be reached.", 0
            ),
            "Fallback": Field("boolean", "Whether one would go to the fallback address.", example=False),
            "Incident": Field(
                "boolean", "Whether there would be an incident: for some members nobody can be reached.", example=False
            ),
            "MembersUnreached": Field("integer", "Members for whom no contact can be reached.", 0),
            "Members": Items(Field("string", "The first hundred of them.", "1880770869021234")),
            "Skipped": Items(
                {
                    "Reason": Field("string", "Word of the rule that stands against it.", "not-verified"),
                    "Addresses": Field("integer", "Addresses that would get nothing for it.", 3),
                }
            ),
            "Complete": Field("boolean", "False: there are so many that only the first were looked at.", example=True),
        },
        "Recipients": Items({name: DELIVERY_FIELDS[name] for name in _SHOWN}),
    },
    resources=["message/*"],
)
async def preview_message(
    call: Call,
    *,
    reached: bool | None,
    max_results: int,
    next_token: tuple[str, str] | None,
    expires_at: Instant | None,
    **fields: Any,
) -> Mapping[str, Any]:
    message = await _as_published(call, expires_at=expires_at, **fields)
    circumstances = await call.services.standing.of_tenant(call.account_id)
    found = await dry_run(call.services.search, message, circumstances, call.now)
    wanted = [each for each in found.deliveries if reached is None or reached == _gets_it(each)]
    behind = sorted(
        (each for each in wanted if next_token is None or _key(each) > next_token),
        key=_key,
    )
    specimen = await _specimen(call, message, _named(call, found))
    return {
        "Mail": {"Subject": specimen.subject, "Text": specimen.text, "Html": specimen.html},
        "TextMessage": specimen.sms,
        "Post": specimen.notice,
        "Summary": _summary(found),
        "Recipients": [_shown(each) for each in behind[:max_results]],
        **_next(behind, max_results),
    }


async def _as_published(
    call: Call,
    *,
    message_type: MessageType,
    severity: Severity,
    subject: str,
    text: str,
    html: str | None,
    markdown: str | None,
    targets: tuple[str, ...],
    expires_at: Instant | None,
) -> Message:
    """The message that PublishMessage would store. Raises what that would raise."""
    await check_body(html, markdown)
    if expires_at is not None and expires_at <= call.now:
        raise INVALID_EXPIRES_AT(reason="past")
    wording = Wording(
        message_type=message_type,
        severity=severity,
        subject=subject,
        text=text,
        html=html,
        markdown=markdown,
        targets=targets,
        expires_at=expires_at,
    )
    return publishing.publish(
        Desk(same_token=None, known_targets=await known_targets(call, targets)),
        wording,
        account_id=call.account_id,
        client_token=None,
        published_by=call.caller.access_key_id,
        now=call.now,
        ids=call.ids,
    ).result


async def _specimen(call: Call, message: Message, named: Sequence[Named]) -> Specimen:
    made, name = call.services.wording.specimen, call.directory.account_name
    if takes_long(message.html, message.markdown):
        return await asyncio.to_thread(made, message, name, named)
    return made(message, name, named)


def _named(call: Call, found: DryRun) -> Sequence[Named]:
    """Those whose mail is shown: of the first address that gets one, else somebody made up."""
    mails = [each for each in found.deliveries if each.channel is Channel.EMAIL and _gets_it(each)]
    usual = [each for each in mails if each.route is Route.SUBSCRIBED] or mails
    if usual:
        told = (Word.PASSED, Route.NOBODY_SUBSCRIBED, Route.FALLBACK)
        return [each for each in min(usual, key=_key).contacts if each.word in told]
    directory = call.directory
    return [Named("c-", None, "-", Because.DIRECTORY, directory.directory_id, directory.account_name, Word.PASSED)]


def _gets_it(delivery: Delivery) -> bool:
    return delivery.state is DeliveryState.PENDING


def _key(delivery: Delivery) -> tuple[str, str]:
    return delivery.channel.value, delivery.address_key


def _next(found: Sequence[Delivery], limit: int) -> dict[str, Any]:
    return next_token(found, limit, lambda each: f"{each.channel}:{each.address_key}")


def _summary(found: DryRun) -> dict[str, Any]:
    sent, routes = found.to_be_sent(), found.by_route()
    return {
        "Email": sent.get(Channel.EMAIL, 0),
        "Sms": sent.get(Channel.SMS, 0),
        "Webhook": sent.get(Channel.WEBHOOK, 0),
        "NobodySubscribed": routes.get(Route.NOBODY_SUBSCRIBED, 0),
        "Fallback": routes.get(Route.FALLBACK, 0) > 0,
        "Incident": found.leaves_incident,
        "MembersUnreached": found.unreached,
        "Members": found.unreached_members,
        "Skipped": [{"Reason": word, "Addresses": number} for word, number in sorted(found.skipped().items())],
        "Complete": found.complete,
    }


def _shown(delivery: Delivery) -> dict[str, Any]:
    shown = shown_delivery(delivery)
    return {name: shown[name] for name in _SHOWN}


OPERATIONS: tuple[Operation, ...] = (preview_message,)
