"""Addresses to which nothing is sent any more. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery import bounces
from message_contacts.delivery.bounces import NO_SUSPENSION
from message_contacts.delivery.standing import Suspension
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.dates import utc_time
from message_contacts.operations.message_parameters import DELIVERY_ID_EXAMPLE
from message_contacts.operations.own_parameters import (
    DATE,
    SOURCE,
    VERSIONS,
    list_errors,
    missing_parameter,
    needed_text,
)
from message_contacts.operations.registry import Access, Field, Items, Operation, Shape, operation
from message_contacts.operations.token_paging import (
    INVALID_NEXT_TOKEN,
    MAX_RESULTS,
    NEXT_TOKEN,
    TOKEN_FIELDS,
    read_token,
)
from message_contacts.operations.token_paging import next_token as next_token_of

_SUSPENSION: Mapping[str, Shape] = {
    "Channel": Field("string", "email.", "email"),
    "Address": Field("string", "Address.", "tom@example.com"),
    "Reason": Field(
        "string",
        "hard-bounce: there is no such mailbox; soft-bounces: several messages in a row came back; complaint: its "
        "owner reported a message as unwanted.",
        "hard-bounce",
    ),
    "MessageTypes": Items(
        Field("string", "Type that is not sent there; after a complaint, all but security.", "FaultMessage")
    ),
    "SuspendTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "SoftBounces": Field("integer", "Messages in a row that came back.", 0),
    "Evidence": Items(
        {
            "Time": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
            "Source": Field(
                "string",
                "smtp: the mail server, at once; report: a delivery report; feedback: the mailbox provider.",
                "report",
            ),
            "DeliveryId": Field("string", "The delivery it was about.", DELIVERY_ID_EXAMPLE),
            "Weight": Field("string", "hard, soft or complaint.", "hard"),
            "Word": Field("string", "What it means.", "mailbox-unknown"),
            "Status": Field("string", "Status code of RFC 3463; empty when there was none.", "5.1.1"),
            "Told": Field("string", "What the other side said, cut.", "550 5.1.1 User unknown"),
        }
    ),
}


def _parse_place(text: str, _rules: Rules) -> tuple[Channel, str]:
    try:
        channel, between, address_key = read_token(text).partition(":")
        if not between:
            raise INVALID_NEXT_TOKEN()
        return Channel(channel), address_key
    except ValueError:
        raise INVALID_NEXT_TOKEN() from None


_NEXT_PLACE = replace(NEXT_TOKEN, parse=_parse_place)
_ADDRESS = needed_text("Address", "The address.", "tom@example.com")


@operation(
    "ListSuspensions",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists addresses to which nothing is sent any more, since messages came back or their owners complained, with "
    "the evidence.",
    source=SOURCE,
    parameters=[MAX_RESULTS, _NEXT_PLACE],
    raises=list_errors(),
    returns={**TOKEN_FIELDS, "Suspensions": Items(_SUSPENSION)},
    resources=["suspension/*"],
    needs_directory=False,
)
async def list_suspensions(
    call: Call, *, max_results: int, next_token: tuple[Channel, str] | None
) -> Mapping[str, Any]:
    found = await call.services.standing.store.suspension_page(call.account_id, after=next_token, limit=max_results + 1)
    return {
        "Suspensions": [_shown(each) for each in found[:max_results]],
        **_next(found, max_results),
    }


@operation(
    "DeleteSuspension",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Sends to a suspended address again from the next message on. What was skipped meanwhile stays skipped.",
    source=SOURCE,
    parameters=[_ADDRESS],
    raises=[missing_parameter("Address"), NO_SUSPENSION],
    resources=["suspension/*"],
    needs_directory=False,
)
async def delete_suspension(call: Call, *, address: str) -> Mapping[str, Any]:
    await call.change(
        lambda: call.services.standing.store.suspension(call.account_id, Channel.EMAIL, address.lower()), bounces.lift
    )
    return {}


def _next(found: Sequence[Suspension], limit: int) -> dict[str, Any]:
    return next_token_of(found, limit, lambda each: f"{each.channel}:{each.address_key}")


def _shown(suspension: Suspension) -> dict[str, Any]:
    return {
        "Channel": suspension.channel,
        "Address": suspension.address,
        "Reason": suspension.reason or "",
        "MessageTypes": [kind for kind in MessageType if kind in suspension.types()],
        "SuspendTime": utc_time(suspension.suspended_at or suspension.bounced_at),
        "SoftBounces": suspension.soft_bounces,
        "Evidence": [
            {
                "Time": utc_time(sign.at),
                "Source": sign.source,
                "DeliveryId": sign.delivery_id,
                "Weight": sign.weight,
                "Word": sign.word,
                "Status": sign.status,
                "Told": sign.told,
            }
            for sign in suspension.signs
        ],
    }


OPERATIONS: tuple[Operation, ...] = (list_suspensions, delete_suspension)
