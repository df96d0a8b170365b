"""Published messages, how far they have come, and their deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.message_targets import named_targets
from message_contacts.console.site.message_words import STATES, fragment, spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Event, Visit

_A_PAGE = 50
#: Seconds between two looks at how far a message has come.
_LOOK_SECONDS = 1.0


async def list_messages(visit: Visit) -> Response:
    """The published messages, the newest first."""
    found = await visit.call("ListMessages", {"MaxResults": _A_PAGE, "NextToken": visit.query.text("next")})
    return visit.page("messages/list.html", title=visit._("Messages"), found=found, **spoken(visit))


async def show_message(visit: Visit) -> Response:
    """One message: what it says, how far it has come, and to whom it goes."""
    message_id, state = visit.path["message_id"], visit.query.text("state")
    message = (await visit.call("GetMessage", {"MessageId": message_id}))["Message"]
    deliveries = await visit.attempt(
        "ListDeliveries",
        {
            "MessageId": message_id,
            "State": state if state in STATES else "",
            "MaxResults": _A_PAGE,
            "NextToken": visit.query.text("next"),
        },
    )
    return visit.page(
        "messages/message.html",
        title=message["Subject"],
        message=message,
        moving=_is_moving(message),
        targets=await named_targets(visit, message["Targets"]),
        deliveries=deliveries,
        state=state,
        **spoken(visit),
    )


async def follow_message(visit: Visit) -> Response:
    """The counts of a message, whenever they change, until nothing more will."""

    async def events() -> AsyncIterator[Event]:
        shown: Mapping[str, Any] = {}
        while True:
            message = (await visit.call("GetMessage", {"MessageId": visit.path["message_id"]}))["Message"]
            now = {"counts": message["Counts"], "state": message["State"]}
            if now != shown:
                shown = now
                part = fragment(visit, "messages/counts.html", message=message, moving=_is_moving(message), state="")
                yield Event("counts", part)
            if not _is_moving(message):
                yield Event("done", "")
                return
            await asyncio.sleep(_LOOK_SECONDS)

    return visit.stream(events())


def _is_moving(message: Mapping[str, Any]) -> bool:
    """Whether its counts will change by themselves."""
    counts = message["Counts"]
    return message["State"] == "Expanding" or bool(counts["Pending"] or counts["Deferred"])


async def ask_cancel(visit: Visit) -> Response:
    """Whether to cancel, with what that would do."""
    message = (await visit.call("GetMessage", {"MessageId": visit.path["message_id"]}))["Message"]
    return visit.page("messages/cancel.html", title=visit._("Cancel the message?"), message=message, **spoken(visit))


async def cancel(visit: Visit) -> Response:
    """Send no more of it."""
    message_id = visit.path["message_id"]
    await visit.call("CancelMessage", {"MessageId": message_id})
    return visit.go(f"/messages/m/{message_id}", said=visit._("The message was cancelled."))


async def list_deliveries(visit: Visit) -> Response:
    """Deliveries of all messages, the newest first, by state and address."""
    state, address = visit.query.text("state"), visit.query.text("address")
    found = await visit.call(
        "ListDeliveries",
        {
            "State": state if state in STATES else "",
            "Address": address,
            "NewestFirst": "true",
            "MaxResults": _A_PAGE,
            "NextToken": visit.query.text("next"),
        },
    )
    return visit.page(
        "messages/deliveries.html",
        title=visit._("Deliveries"),
        found=found,
        state=state,
        address=address,
        states=[("", visit._("All")), *((each, visit._(name)) for each, (name, _tone) in STATES.items())],
        **spoken(visit),
    )


async def show_delivery(visit: Visit) -> Response:
    """One delivery: why it is made, and every try with what the channel answered."""
    delivery = (await visit.call("GetDelivery", {"DeliveryId": visit.path["delivery_id"]}))["Delivery"]
    message = await visit.attempt("GetMessage", {"MessageId": delivery["MessageId"]})
    return visit.page(
        "messages/delivery.html",
        title=visit._("Delivery"),
        delivery=delivery,
        message=None if message.fields is None else message.fields["Message"],
        **spoken(visit),
    )


async def retry_delivery(visit: Visit) -> Response:
    """Try a delivery again that was given up."""
    delivery_id = visit.path["delivery_id"]
    delivery = (await visit.call("GetDelivery", {"DeliveryId": delivery_id}))["Delivery"]
    await visit.call("RetryFailedJob", {"JobId": delivery["JobId"]})
    return visit.go(f"/messages/deliveries/{delivery_id}", said=visit._("It is tried again."))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/messages", list_messages),
    Route("GET", "/messages/m/{message_id}", show_message),
    Route("GET", "/messages/m/{message_id}/events", follow_message),
    Route("GET", "/messages/m/{message_id}/cancel", ask_cancel),
    Route("POST", "/messages/m/{message_id}/cancel", cancel),
    Route("GET", "/messages/deliveries", list_deliveries),
    Route("GET", "/messages/deliveries/{delivery_id}", show_delivery),
    Route("POST", "/messages/deliveries/{delivery_id}/retry", retry_delivery),
)
