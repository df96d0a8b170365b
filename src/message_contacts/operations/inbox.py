"""What was captured instead of sent. Ours, version 2026-11-01."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from message_contacts.changes import ClearInbox, Decision
from message_contacts.delivery.outbox import CapturedMessage
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.dates import utc_time
from message_contacts.operations.message_parameters import invalid
from message_contacts.operations.own_parameters import (
    DATE,
    SOURCE,
    VERSIONS,
    list_errors,
    page,
    text,
)
from message_contacts.operations.paging import integer_between
from message_contacts.operations.registry import Access, Field, Items, Kind, Operation, Parameter, Shape, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS
from message_contacts.operations.values import parse_boolean

INVALID_WAIT_SECONDS = ErrorDefinition(400, "InvalidParameter.WaitSeconds", "The WaitSeconds is invalid.")

#: Seconds that a call waits at most: proxies give up on longer ones.
_LONGEST_WAIT = 30
#: Seconds after which it is looked again, since other processes put messages there too.
_POLL_SECONDS = 0.5
_seconds = integer_between(0, _LONGEST_WAIT)


def _parse_wait_seconds(text: str, rules: Rules) -> int:
    try:
        return _seconds(text, rules)
    except ValueError:
        raise INVALID_WAIT_SECONDS() from None


_RECIPIENT = text("Recipient", "Only messages to this address.", "tom@example.com")
_WAIT_SECONDS = Parameter(
    name="WaitSeconds",
    kind=Kind.INTEGER,
    parse=_parse_wait_seconds,
    doc=f"When there is nothing, wait so long for something to come, 0 to {_LONGEST_WAIT}.",
    example="20",
    default=0,
    invalid=(INVALID_WAIT_SECONDS,),
)
_AFTER = text(
    "AfterMessageId", "Only messages behind this one, such as the last one seen.", "j-019aa8a5598094250d04b0b8"
)
_MESSAGE_ID = text("MessageId", "Only this message; nothing when it is not there.", "j-019aa8a5598094250d04b0b8")
_NEWEST_FIRST = Parameter(
    name="NewestFirst",
    kind=Kind.BOOLEAN,
    parse=parse_boolean,
    doc="Whether to begin with the last one. Goes without AfterMessageId.",
    example="true",
    default=False,
    invalid=(invalid("NewestFirst"),),
)


#: What answers say of a captured message.
MESSAGE_FIELDS: Mapping[str, Shape] = {
    "MessageId": Field("string", "Ascends with time.", "j-019aa8a5598094250d04b0b8"),
    "Channel": Field("string", "email, sms or webhook.", "email"),
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
    doc="Lists what was captured instead of sent, oldest first, or waits for something to be. Whoever reads it can "
    "confirm addresses for others.",
    source=SOURCE,
    parameters=[_RECIPIENT, _MESSAGE_ID, _WAIT_SECONDS, _AFTER, _NEWEST_FIRST, MAX_RESULTS, NEXT_TOKEN],
    raises=list_errors(*_WAIT_SECONDS.invalid, *_NEWEST_FIRST.invalid),
    returns={
        **TOKEN_FIELDS,
        "Messages": Items(MESSAGE_FIELDS),
        "CapturedChannels": Items(
            Field("string", "Channel of which everything is captured now: email, sms or webhook.", "email")
        ),
    },
    resources=["inboxmessage/*"],
    needs_directory=False,
)
async def list_inbox_messages(
    call: Call,
    *,
    recipient: str | None,
    message_id: str | None,
    wait_seconds: int,
    after_message_id: str | None,
    newest_first: bool,
    max_results: int,
    next_token: str | None,
) -> Mapping[str, Any]:
    if newest_first and after_message_id is not None:
        raise _NEWEST_FIRST.invalid[0](reason="beside AfterMessageId")

    async def look() -> Sequence[CapturedMessage]:
        if message_id is not None:
            one = await call.services.inbox.message(call.account_id, message_id)
            return [one] if one is not None and (recipient or one.recipient).lower() == one.recipient.lower() else []
        return await call.services.inbox.messages(
            call.account_id,
            recipient=recipient,
            after=next_token or after_message_id,
            limit=max_results + 1,
            newest_first=newest_first,
        )

    found = await _look_or_wait(call, look, wait_seconds)
    return {
        **page("Messages", [message_fields(message) for message in found], max_results, "MessageId"),
        "CapturedChannels": sorted(call.rules.contacts.captured_counts),
    }


async def _look_or_wait(
    call: Call, look: Callable[[], Awaitable[Sequence[CapturedMessage]]], seconds: int
) -> Sequence[CapturedMessage]:
    """What there is; when there is nothing, what comes within that time."""
    clock = call.services.clock
    deadline = clock.monotonic() + seconds
    while True:
        # First listen, then look: what comes in between is not missed.
        arrival = call.services.inbox.arrival(call.account_id)
        try:
            found = await look()
            left = deadline - clock.monotonic()
            if found or left <= 0:
                return found
            pause = asyncio.ensure_future(clock.sleep(min(left, _POLL_SECONDS)))
            try:
                await asyncio.wait((arrival, pause), return_when=asyncio.FIRST_COMPLETED)
            finally:
                pause.cancel()
        finally:
            arrival.cancel()


@operation(
    "ClearInbox",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Takes away what was captured, so that a test starts with an empty inbox.",
    source=SOURCE,
    parameters=[_RECIPIENT],
    returns={"Cleared": Field("integer", "Messages that were there.", 3)},
    resources=["inboxmessage/*"],
    needs_directory=False,
)
async def clear_inbox(call: Call, *, recipient: str | None) -> Mapping[str, Any]:
    def decide(found: tuple[int, str]) -> Decision[int]:
        count, last = found
        key = None if recipient is None else recipient.lower()
        return Decision((ClearInbox(call.account_id, key, last),) if count else (), count)

    return {
        "Cleared": await call.change(lambda: call.services.inbox.size(call.account_id, recipient=recipient), decide)
    }


OPERATIONS: tuple[Operation, ...] = (list_inbox_messages, clear_inbox)
