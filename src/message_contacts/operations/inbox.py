"""What was captured instead of sent. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.delivery.outbox import CapturedMessage
from message_contacts.operations.call import Call
from message_contacts.operations.dates import utc_time
from message_contacts.operations.own_parameters import (
    DATE,
    SOURCE,
    VERSIONS,
    list_errors,
    page,
    text,
)
from message_contacts.operations.registry import Access, Field, Items, Operation, Shape, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS

#: What answers say of a captured message.
MESSAGE_FIELDS: Mapping[str, Shape] = {
    "MessageId": Field("string", "Ascends with time.", "j-019aa8a5598094250d04b0b8"),
    "Channel": Field("string", "email or sms.", "email"),
    "Recipient": Field("string", "Address.", "tom@example.com"),
    "Subject": Field("string", "Subject of a mail; empty for a text message.", "Confirm this address"),
    "Text": Field("string", "Plain text.", "Open https://..."),
    "Html": Field("string", "HTML part; absent for a text message.", "<p>Open ...</p>"),
    "CaptureTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
}


def message_fields(message: CapturedMessage) -> dict[str, Any]:
    """A captured message as answers show it."""
    return {
        "MessageId": message.message_id,
        "Channel": message.channel,
        "Recipient": message.recipient,
        "Subject": message.subject,
        "Text": message.text,
        **({} if message.html is None else {"Html": message.html}),
        "CaptureTime": utc_time(message.captured_at),
    }


@operation(
    "ListInboxMessages",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists what was captured instead of sent, oldest first. Whoever reads it can confirm addresses for others.",
    source=SOURCE,
    parameters=[text("Recipient", "Only messages to this address.", "tom@example.com"), MAX_RESULTS, NEXT_TOKEN],
    raises=list_errors(),
    returns={
        **TOKEN_FIELDS,
        "Messages": Items(MESSAGE_FIELDS),
    },
    resources=["inboxmessage/*"],
    needs_directory=False,
)
async def list_inbox_messages(
    call: Call, *, recipient: str | None, max_results: int, next_token: str | None
) -> Mapping[str, Any]:
    found = await call.services.inbox.messages(
        call.account_id, recipient=recipient, after=next_token, limit=max_results + 1
    )
    return page(
        "Messages",
        [message_fields(message) for message in found],
        max_results,
        "MessageId",
    )


OPERATIONS: tuple[Operation, ...] = (list_inbox_messages,)
