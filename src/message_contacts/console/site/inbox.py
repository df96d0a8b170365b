"""What would have been sent: the captured inbox, and what is in a message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.message_words import fragment, spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.shown_mail import linked, shown_mail
from message_contacts.console.site.visit import Event, Visit
from message_contacts.errors import ErrorDefinition

_A_PAGE = 50
#: Seconds for which one call waits for something new. Messages that were due earlier than the last one can still come
#: later, so that it is looked at all of the newest again after that.
_WAIT_SECONDS = 2

NO_CAPTURED_MESSAGE = ErrorDefinition(404, "EntityNotExists.InboxMessage", "This message is not in the inbox.")


async def inbox(visit: Visit) -> Response:
    """The newest messages, and one of them to read."""
    recipient, message_id = visit.query.text("recipient"), visit.query.text("message")
    found = await visit.call(
        "ListInboxMessages",
        {
            "Recipient": recipient,
            "NewestFirst": "true",
            "MaxResults": _A_PAGE,
            "NextToken": visit.query.text("next"),
        },
    )
    messages = found["Messages"]
    shown = await _one(visit, message_id) if message_id else None
    missing = bool(message_id) and shown is None
    if shown is None and messages and not message_id:
        shown = messages[0]
    return visit.page(
        "inbox/inbox.html",
        title=visit._("Inbox"),
        status=404 if missing else 200,
        messages=messages,
        next=found.get("NextToken", ""),
        captured=found["CapturedChannels"],
        recipient=recipient,
        shown=shown,
        opened=bool(message_id),
        missing=missing,
        first_page=not visit.query.text("next"),
        linked=linked,
        **spoken(visit),
    )


async def _one(visit: Visit, message_id: str) -> Mapping[str, Any] | None:
    found = (await visit.call("ListInboxMessages", {"MessageId": message_id}))["Messages"]
    return found[0] if found else None


async def rendered(visit: Visit) -> Response:
    """The HTML of a mail, for the frame of the reader."""
    found = await _one(visit, visit.path["message_id"])
    if found is None or "Html" not in found:
        raise NO_CAPTURED_MESSAGE()
    return shown_mail(found["Html"])


async def arrivals(visit: Visit) -> Response:
    """What comes into the inbox while the page is open, as entries of its list."""
    recipient, last = visit.query.text("recipient"), visit.request.headers.get("last-event-id", "")

    async def newest() -> Sequence[Mapping[str, Any]]:
        asked = {"Recipient": recipient, "NewestFirst": "true", "MaxResults": _A_PAGE}
        messages: Sequence[Mapping[str, Any]] = (await visit.call("ListInboxMessages", asked))["Messages"]
        return messages

    async def events() -> AsyncIterator[Event]:
        # The page says what it shows already; what came between its last event and now is told first.
        known: set[str] = set(visit.query.texts("known")) | {last}
        while True:
            messages = await newest()
            for message in reversed([each for each in messages if each["MessageId"] not in known]):
                known.add(message["MessageId"])
                part = fragment(visit, "inbox/entry.html", message=message, recipient=recipient, current="")
                yield Event("message", part, message["MessageId"])
            behind = {"AfterMessageId": messages[0]["MessageId"]} if messages else {}
            await visit.call(
                "ListInboxMessages",
                {"Recipient": recipient, "WaitSeconds": _WAIT_SECONDS, "MaxResults": 1, **behind},
            )

    return visit.stream(events())


async def ask_clear(visit: Visit) -> Response:
    """Whether to take all of it away."""
    return visit.page(
        "inbox/clear.html", title=visit._("Clear the inbox?"), recipient=visit.query.text("recipient"), **spoken(visit)
    )


async def clear(visit: Visit) -> Response:
    """Take captured messages away."""
    recipient = (await visit.form()).text("recipient")
    cleared = (await visit.call("ClearInbox", {"Recipient": recipient}))["Cleared"]
    said = visit.ngettext("%(num)d message was taken away.", "%(num)d messages were taken away.", cleared)
    return visit.go("/inbox", said=said % {"num": cleared}, recipient=recipient)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/inbox", inbox),
    Route("GET", "/inbox/events", arrivals),
    Route("GET", "/inbox/clear", ask_clear),
    Route("POST", "/inbox/clear", clear),
    Route("GET", "/inbox/{message_id}/mail", rendered),
)
