"""Messages that reached nobody where they should have. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.delivery import publishing
from message_contacts.delivery.messages import Incident
from message_contacts.delivery.publishing import NO_INCIDENT
from message_contacts.operations.call import Call
from message_contacts.operations.dates import utc_time
from message_contacts.operations.message_parameters import INCIDENT_ID_EXAMPLE, MESSAGE_ID_EXAMPLE, NOTE, invalid
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

_INCIDENT: Mapping[str, Shape] = {
    "IncidentId": Field("string", "The incident; ascends with time.", INCIDENT_ID_EXAMPLE),
    "MessageId": Field("string", "The message.", MESSAGE_ID_EXAMPLE),
    "Kind": Field(
        "string",
        "nobody-reachable: for some members no contact can be reached; nothing-sent: every delivery failed, expired or "
        "was skipped in the end; members-missed: every delivery for some members did.",
        "nobody-reachable",
    ),
    "MemberCount": Field("integer", "Members for whom nobody was reached; 0: there are none at all.", 2),
    "Members": Items(Field("string", "The first hundred of them.", "1880770869021234")),
    "State": Field("string", "Open or Closed.", "Open"),
    "OpenTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "CloseTime": Field("string", f"{DATE} Absent while it is open.", "2026-11-21T09:15:00.000Z"),
    "ClosedBy": Field("string", "Access key that closed it; absent while it is open.", "MC4fXkPq9LmZ2aB7cD1eF5g"),
    "Note": Field("string", "What was said then; absent while it is open.", "Told by phone."),
}
_OPEN = Parameter(
    name="OnlyOpen",
    kind=Kind.BOOLEAN,
    parse=parse_boolean,
    doc="Whether to leave out those that were closed.",
    example="true",
    default=False,
    invalid=(invalid("OnlyOpen"),),
)


@operation(
    "ListIncidents",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists the messages that reached nobody where they should have, oldest first.",
    source=SOURCE,
    parameters=[_OPEN, MAX_RESULTS, NEXT_TOKEN],
    raises=list_errors(*_OPEN.invalid),
    returns={**TOKEN_FIELDS, "Incidents": Items(_INCIDENT)},
    resources=["incident/*"],
    needs_directory=False,
)
async def list_incidents(call: Call, *, only_open: bool, max_results: int, next_token: str | None) -> Mapping[str, Any]:
    found = await call.services.messages.incident_page(
        call.account_id, only_open=only_open, after=next_token, limit=max_results + 1
    )
    return page("Incidents", [_shown(incident) for incident in found], max_results, "IncidentId")


@operation(
    "CloseIncident",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Says that somebody has seen to an incident. One that is closed stays as it is.",
    source=SOURCE,
    parameters=[needed_text("IncidentId", "The incident.", INCIDENT_ID_EXAMPLE), NOTE],
    raises=[missing_parameter("IncidentId"), missing_parameter("Note"), *NOTE.invalid, NO_INCIDENT],
    returns={"Incident": _INCIDENT},
    resources=["incident/{IncidentId}"],
    needs_directory=False,
)
async def close_incident(call: Call, *, incident_id: str, note: str) -> Mapping[str, Any]:
    incident = await call.change(
        lambda: call.services.messages.incident(call.account_id, incident_id),
        lambda found: publishing.close(found, note, closed_by=call.caller.access_key_id, now=call.now),
    )
    return {"Incident": _shown(incident)}


def _shown(incident: Incident) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "IncidentId": incident.incident_id,
        "MessageId": incident.message_id,
        "Kind": incident.kind,
        "MemberCount": incident.members,
        "Members": incident.member_ids,
        "State": "Open" if incident.closed_at is None else "Closed",
        "OpenTime": utc_time(incident.opened_at),
    }
    if incident.closed_at is not None:
        closed = {"CloseTime": utc_time(incident.closed_at), "ClosedBy": incident.closed_by, "Note": incident.note}
        shown.update(closed)
    return shown


OPERATIONS: tuple[Operation, ...] = (list_incidents, close_incident)
