"""Publishing messages. Ours, version 2026-11-01."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from message_contacts.clock import Instant
from message_contacts.contacts.model import MessageType
from message_contacts.delivery import publishing
from message_contacts.delivery.messages import Message, Progress
from message_contacts.delivery.publishing import IDEMPOTENT_PARAMETER_MISMATCH, NO_MESSAGE, NO_TARGET, Desk, Wording
from message_contacts.delivery.rules import Severity
from message_contacts.delivery.texts import bodies
from message_contacts.directory.model import ACCOUNT_ID, DIRECTORY_ID
from message_contacts.operations.call import Call
from message_contacts.operations.message_parameters import (
    CLIENT_TOKEN,
    COUNTS,
    EXPIRES_AT,
    HTML,
    INVALID_EXPIRES_AT,
    INVALID_HTML,
    INVALID_MARKDOWN,
    MARKDOWN,
    MESSAGE_FIELDS,
    MESSAGE_ID_EXAMPLE,
    MESSAGE_TYPE,
    SEVERITY,
    SUBJECT,
    TARGETS,
    TEXT,
    shown_counts,
    shown_message,
)
from message_contacts.operations.own_parameters import (
    SOURCE,
    VERSIONS,
    list_errors,
    missing_parameter,
    needed_text,
)
from message_contacts.operations.registry import Access, Field, Items, Operation, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS, next_token

_MESSAGE_ID = needed_text("MessageId", "The message.", MESSAGE_ID_EXAMPLE)
_PUBLISHED = [MESSAGE_TYPE, SUBJECT, TEXT, HTML, MARKDOWN, TARGETS, SEVERITY, EXPIRES_AT, CLIENT_TOKEN]


@operation(
    "PublishMessage",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Publishes a message to the contacts in effect for its targets. It answers at once: who gets it is worked out "
    "behind the answer.",
    source=SOURCE,
    parameters=_PUBLISHED,
    raises=[
        *(parameter.missing_error for parameter in _PUBLISHED if parameter.required),
        *(error for parameter in _PUBLISHED for error in parameter.invalid),
        NO_TARGET,
        IDEMPOTENT_PARAMETER_MISMATCH,
    ],
    returns={
        "MessageId": Field("string", "The message.", MESSAGE_ID_EXAMPLE),
        "State": Field("string", "Expanding, or how far it has come by a repeated call.", "Expanding"),
        "Counts": COUNTS,
    },
    resources=["message/*"],
)
async def publish_message(
    call: Call,
    *,
    message_type: MessageType,
    subject: str,
    text: str,
    html: str | None,
    markdown: str | None,
    targets: tuple[str, ...],
    severity: Severity,
    expires_at: Instant | None,
    client_token: str | None,
) -> Mapping[str, Any]:
    await check_body(html, markdown)
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

    async def read() -> Desk:
        same = None
        if client_token is not None:
            same = await call.services.messages.message_by_token(call.account_id, client_token)
        if same is None and expires_at is not None and expires_at <= call.now:
            raise INVALID_EXPIRES_AT(reason="past")
        return Desk(same_token=same, known_targets=await known_targets(call, targets))

    message = await call.change(
        read,
        lambda desk: publishing.publish(
            desk,
            wording,
            account_id=call.account_id,
            client_token=client_token,
            published_by=call.caller.access_key_id,
            now=call.now,
            ids=call.ids,
        ),
    )
    counts = await call.services.messages.counts(call.account_id, message.message_id)
    return {"MessageId": message.message_id, "State": message.state, "Counts": shown_counts(counts)}


async def check_body(html: str | None, markdown: str | None) -> None:
    """Raises: INVALID_HTML, INVALID_MARKDOWN, also for both at once."""
    if html is not None and markdown is not None:
        raise INVALID_MARKDOWN(reason="beside Html")
    try:
        if bodies.takes_long(html, markdown):
            await asyncio.to_thread(bodies.check_body, html, markdown)
        else:
            bodies.check_body(html, markdown)
    except bodies.TooInvolvedError:
        raise (INVALID_MARKDOWN if html is None else INVALID_HTML)(reason="too involved") from None


async def known_targets(call: Call, targets: tuple[str, ...]) -> frozenset[str]:
    """Those of the targets that are in the caller's directory."""
    directory = call.services.directory
    known = {call.directory.directory_id, call.directory.root_folder_id} & set(targets)
    for target in targets:
        if target in known or DIRECTORY_ID.fullmatch(target):
            continue
        found = (
            await directory.member(call.account_id, target)
            if ACCOUNT_ID.fullmatch(target)
            else await directory.folder(call.account_id, target)
        )
        if found is not None:
            known.add(target)
    return frozenset(known)


@operation(
    "GetMessage",
    versions=VERSIONS,
    access=Access.READ,
    doc="Shows a message and how many of its deliveries are in each state.",
    source=SOURCE,
    parameters=[_MESSAGE_ID],
    raises=[missing_parameter("MessageId"), NO_MESSAGE],
    returns={
        "Message": {
            **MESSAGE_FIELDS,
            "Text": Field("string", "Plain text.", "Databases restart between 02:00 and 03:00."),
            "Html": Field("string", "HTML as given; absent when it was not.", "<p>Databases restart ...</p>"),
            "Markdown": Field("string", "Markdown as given; absent when it was not.", "Databases **restart** ..."),
            "Counts": COUNTS,
        }
    },
    resources=["message/{MessageId}"],
    needs_directory=False,
)
async def get_message(call: Call, *, message_id: str) -> Mapping[str, Any]:
    message = await call.services.messages.message(call.account_id, message_id)
    if message is None:
        raise NO_MESSAGE()
    counts = await call.services.messages.counts(call.account_id, message_id)
    return {
        "Message": {
            **shown_message(message),
            "Text": message.text,
            **({} if message.html is None else {"Html": message.html}),
            **({} if message.markdown is None else {"Markdown": message.markdown}),
            "Counts": shown_counts(counts),
        }
    }


@operation(
    "ListMessages",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists the published messages, the newest first.",
    source=SOURCE,
    parameters=[MAX_RESULTS, NEXT_TOKEN],
    raises=list_errors(),
    returns={**TOKEN_FIELDS, "Messages": Items(MESSAGE_FIELDS)},
    resources=["message/*"],
    needs_directory=False,
)
async def list_messages(call: Call, *, max_results: int, next_token: str | None) -> Mapping[str, Any]:
    found = await call.services.messages.message_page(call.account_id, before=next_token, limit=max_results + 1)
    return {
        "Messages": [shown_message(message) for message in found[:max_results]],
        **_token(found, max_results),
    }


def _token(found: Any, limit: int) -> dict[str, Any]:
    return next_token(found, limit, lambda message: str(message.message_id))


@operation(
    "CancelMessage",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Sends no more of a message: deliveries that wait become expired, with reason cancelled. What was sent stays "
    "sent.",
    source=SOURCE,
    parameters=[_MESSAGE_ID],
    raises=[missing_parameter("MessageId"), NO_MESSAGE],
    returns={
        "MessageId": Field("string", "The message.", MESSAGE_ID_EXAMPLE),
        "State": Field("string", "Cancelled.", "Cancelled"),
        "Counts": COUNTS,
    },
    resources=["message/{MessageId}"],
    needs_directory=False,
)
async def cancel_message(call: Call, *, message_id: str) -> Mapping[str, Any]:
    messages = call.services.messages

    async def read() -> tuple[Message | None, Progress | None]:
        return (
            await messages.message(call.account_id, message_id),
            await messages.progress(call.account_id, message_id),
        )

    message = await call.change(read, lambda found: publishing.cancel(found[0], found[1], now=call.now, ids=call.ids))
    counts = await messages.counts(call.account_id, message_id)
    return {"MessageId": message_id, "State": message.state, "Counts": shown_counts(counts)}


OPERATIONS: tuple[Operation, ...] = (publish_message, get_message, list_messages, cancel_message)
