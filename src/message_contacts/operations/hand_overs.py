"""What contacts ask of the operator on their page of preferences. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.delivery import preference_rules
from message_contacts.delivery.preference_rules import NO_HAND_OVER
from message_contacts.delivery.standing import HandOver
from message_contacts.operations.call import Call
from message_contacts.operations.dates import utc_time
from message_contacts.operations.message_parameters import NOTE, invalid
from message_contacts.operations.own_parameters import (
    DATE,
    SOURCE,
    VERSIONS,
    list_errors,
    missing_parameter,
    needed_text,
    page,
)
from message_contacts.operations.registry import Access, Field, Items, Kind, Operation, Parameter, Shape, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS
from message_contacts.operations.values import parse_boolean

_ID_EXAMPLE = "h-019aa8a5598094250d04b0b8"
HAND_OVER_FIELDS: Mapping[str, Shape] = {
    "HandOverId": Field("string", "The request; ascends with time.", _ID_EXAMPLE),
    "ContactId": Field("string", "The contact, which may be deleted.", "c-qL4HqKONzOM7****"),
    "Address": Field("string", "Address at which it was said.", "tom@example.com"),
    "Wish": Field("string", "Who should get the messages, as the person wrote it.", "Ann Lee, ann@example.com"),
    "State": Field("string", "Open or Closed.", "Open"),
    "AskTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "CloseTime": Field("string", f"{DATE} Absent while it is open.", "2026-11-21T09:15:00.000Z"),
    "ClosedBy": Field("string", "Access key that closed it; absent while it is open.", "MC4fXkPq9LmZ2aB7cD1eF5g"),
    "Note": Field("string", "What was said then; absent while it is open.", "Ann was added, Tom unbound."),
}
_ONLY_OPEN = Parameter(
    name="OnlyOpen",
    kind=Kind.BOOLEAN,
    parse=parse_boolean,
    doc="Whether to leave out those that were closed.",
    example="true",
    default=False,
    invalid=(invalid("OnlyOpen"),),
)


@operation(
    "ListHandOvers",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists what contacts asked on their page of preferences: that a colleague get their messages. Oldest first.",
    source=SOURCE,
    parameters=[_ONLY_OPEN, MAX_RESULTS, NEXT_TOKEN],
    raises=list_errors(*_ONLY_OPEN.invalid),
    returns={**TOKEN_FIELDS, "HandOvers": Items(HAND_OVER_FIELDS)},
    resources=["handover/*"],
    needs_directory=False,
)
async def list_hand_overs(
    call: Call, *, only_open: bool, max_results: int, next_token: str | None
) -> Mapping[str, Any]:
    found = await call.services.standing.store.hand_over_page(
        call.account_id, only_open=only_open, after=next_token, limit=max_results + 1
    )
    return page("HandOvers", [shown_hand_over(each) for each in found], max_results, "HandOverId")


@operation(
    "CloseHandOver",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Says that somebody has seen to such a request. It changes no contact. One that is closed stays as it is.",
    source=SOURCE,
    parameters=[needed_text("HandOverId", "The request.", _ID_EXAMPLE), NOTE],
    raises=[missing_parameter("HandOverId"), missing_parameter("Note"), *NOTE.invalid, NO_HAND_OVER],
    returns={"HandOver": HAND_OVER_FIELDS},
    resources=["handover/{HandOverId}"],
    needs_directory=False,
)
async def close_hand_over(call: Call, *, hand_over_id: str, note: str) -> Mapping[str, Any]:
    closed = await call.change(
        lambda: call.services.standing.store.hand_over(call.account_id, hand_over_id),
        lambda found: preference_rules.close_hand_over(found, note, closed_by=call.caller.access_key_id, now=call.now),
    )
    return {"HandOver": shown_hand_over(closed)}


def shown_hand_over(found: HandOver) -> dict[str, Any]:
    """A request."""
    shown: dict[str, Any] = {
        "HandOverId": found.hand_over_id,
        "ContactId": found.contact_id,
        "Address": found.address,
        "Wish": found.wish,
        "State": "Open" if found.closed_at is None else "Closed",
        "AskTime": utc_time(found.asked_at),
    }
    if found.closed_at is not None:
        shown |= {"CloseTime": utc_time(found.closed_at), "ClosedBy": found.closed_by, "Note": found.note}
    return shown


OPERATIONS: tuple[Operation, ...] = (list_hand_overs, close_hand_over)
