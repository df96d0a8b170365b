"""Who changed what, and who was refused. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from message_contacts.audit import reading
from message_contacts.audit.model import EventKind, KeptEvent, PersonalPart
from message_contacts.audit.reading import Wanted
from message_contacts.clock import Instant
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.dates import utc_time_if_any
from message_contacts.operations.moments import moment_parameter
from message_contacts.operations.own_parameters import DATE, VERSIONS, list_errors, text
from message_contacts.operations.registry import Access, Field, Items, Operation, Parameter, Shape, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS, encoded

INVALID_KIND = ErrorDefinition(400, "InvalidParameter.Kind", "The Kind is invalid.")
INVALID_START_TIME = ErrorDefinition(400, "InvalidParameter.StartTime", "The StartTime is invalid.")
INVALID_END_TIME = ErrorDefinition(400, "InvalidParameter.EndTime", "The EndTime is invalid.")


def _parse_kind(text_: str, _rules: Rules) -> EventKind:
    try:
        return EventKind(text_)
    except ValueError:
        raise INVALID_KIND() from None


#: What reading a field meets that somebody changed at the database. It is left out: verifying tells, not listing.
_UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)

_FIELDS: Mapping[str, Shape] = {
    "Name": Field("string", "The field.", "message_types"),
    "Before": Field("string", "Its value before; absent when there was none.", '["AccountExpenses"]'),
    "After": Field("string", "Its value afterwards; absent when there is none.", '["SecurityMessage"]'),
}
_CHANGES: Mapping[str, Shape] = {
    "Action": Field("string", "insert, update, delete, retry or erase.", "update"),
    "Type": Field("string", "Kind of record.", "Contact"),
    "Id": Field("string", "The record.", "c-qL4HqKONzOM7****"),
    "Fields": Items(_FIELDS),
}


@operation(
    "ListAuditEvents",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists who changed what, and who was refused for lack of permission, newest first. Looks at 2,000 events at "
    "most for an answer: a page may hold fewer entries than asked for, or none, and still have a next one. Of an event "
    "that somebody spoiled at the database, what cannot be read is absent, or an empty list.",
    source="Ours, 2026-11-22",
    parameters=[
        Parameter(
            name="Kind",
            parse=_parse_kind,
            doc="Only changes, or only refusals.",
            example="change",
            choices=tuple(EventKind),
            invalid=(INVALID_KIND,),
        ),
        text("Operation", "Only of this operation.", "AddMessageContact"),
        text("UserAccessKeyId", "Only what was signed with this key.", "MC3xK9vQ2mWb7ZtR4yNc8Lfp"),
        text("UserId", "Only of this RAM user.", "204859017365820194"),
        text("UserName", "Only of the RAM user of this name. Users that are deleted are found by their id.", "alice"),
        text("TargetId", "Only about this contact, folder, member, key, user or policy.", "c-qL4HqKONzOM7****"),
        moment_parameter(
            "StartTime", "Only what happened then or later. ISO 8601; UTC if no zone is given.", INVALID_START_TIME
        ),
        moment_parameter("EndTime", "Only what happened before then.", INVALID_END_TIME),
        MAX_RESULTS,
        NEXT_TOKEN,
    ],
    raises=list_errors(INVALID_KIND, INVALID_START_TIME, INVALID_END_TIME),
    returns={
        **TOKEN_FIELDS,
        "Events": Items(
            {
                "EventId": Field("string", "The event.", "ae-019aa8a5598094250d04b0b8"),
                "EventTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
                "Kind": Field("string", "change or refusal.", "change"),
                "Operation": Field(
                    "string", "The operation, or what else made the change: page:..., worker:..., operator:...",
                    "UpdateMessageContact",
                ),
                "AccessKeyId": Field("string", "The key; absent when nobody signed.", "MC3xK9vQ2mWb7ZtR4yNc8Lfp"),
                "UserId": Field("string", "The RAM user; absent for the account itself.", "204859017365820194"),
                "SourceAddress": Field("string", "IP address of the caller; absent without a call.", "203.0.113.9"),
                "RequestId": Field("string", "The call; absent without one.", "9B34724D-54B0-4A51-B34D-4512372FE1BE"),
                "Targets": Items(Field("string", "What it was about.", "c-qL4HqKONzOM7****")),
                "Times": Field("integer", "How many refusals it stands for; 1 for a change.", 1),
                "Changes": Items(_CHANGES),
                "People": Items(
                    {
                        "PersonId": Field("string", "Contact or RAM user.", "c-qL4HqKONzOM7****"),
                        "SourceAddress": Field(
                            "string", "IP address of the person at the page; absent when it was none.", "198.51.100.4"
                        ),
                        "Changes": Items(_CHANGES),
                    }
                ),
                "Sequence": Field("integer", "Place in the chain; absent for a second, until the event is sealed.", 42),
                "Hash": Field("string", "SHA-256 that seals it and all before it, in hexadecimal.", "8f14e45f..."),
            }
        ),
    },
    resources=["auditevent/*"],
    needs_directory=False,
)  # fmt: skip
async def list_audit_events(
    call: Call,
    *,
    kind: EventKind | None,
    operation: str | None,
    user_access_key_id: str | None,
    user_id: str | None,
    user_name: str | None,
    target_id: str | None,
    start_time: Instant | None,
    end_time: Instant | None,
    max_results: int,
    next_token: str | None,
) -> Mapping[str, Any]:
    store = call.services.audit
    if user_name is not None:
        named = await store.user_id(call.account_id, user_name)
        if named is None or user_id not in (None, named):
            return {"Events": []}
        user_id = named
    wanted = Wanted(
        kind=kind,
        operation=operation,
        access_key_id=user_access_key_id,
        user_id=user_id,
        target=target_id,
        start=start_time,
        end=end_time,
    )
    found = await reading.find(store, call.account_id, wanted, after=next_token, limit=max_results)
    more = {} if found.next is None else {"NextToken": encoded(found.next.encode())}
    return {"Events": [_entry(kept) for kept in found.events], **more}


def _entry(kept: KeptEvent) -> dict[str, Any]:
    event, seal = kept.event, kept.seal
    optional = {
        "AccessKeyId": event.access_key_id,
        "UserId": event.user_id,
        "SourceAddress": event.source_address,
        "RequestId": event.request_id,
        "EventTime": utc_time_if_any(event.happened_at),
    }
    return {
        "EventId": event.event_id,
        "Kind": event.kind,
        "Operation": event.operation,
        **{name: value for name, value in optional.items() if value},
        "Targets": _targets(event.targets),
        "Times": event.times,
        "Changes": _changes(event.details),
        "People": [_person(part) for part in kept.personal],
        **({} if seal is None else {"Sequence": seal.sequence, "Hash": seal.hash.hex()}),
    }


def _person(part: PersonalPart) -> dict[str, Any]:
    try:
        about = orjson.loads(part.details)
        source = {"SourceAddress": str(about["source_address"])} if "source_address" in about else {}
        return {"PersonId": part.person_id, **source, "Changes": _told(about["changes"])}
    except _UNREADABLE:
        return {"PersonId": part.person_id, "Changes": []}


def _targets(text: str) -> list[str]:
    try:
        return [str(target) for target in orjson.loads(text)]
    except _UNREADABLE:
        return []


def _changes(text: str) -> list[dict[str, Any]]:
    try:
        return _told(orjson.loads(text))
    except _UNREADABLE:
        return []


def _told(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "Action": change["action"],
            "Type": change["type"],
            "Id": change["id"],
            "Fields": [_field(change["action"], name, value) for name, value in change["fields"].items()]
            # Of a secret only that it changed; of what is personal, the part about the person has more.
            + [{"Name": name} for name in change.get("withheld", ())],
        }
        for change in told
    ]


def _field(action: str, name: str, value: Any) -> dict[str, str]:
    if action == "update":
        before, after = value["before"], value["after"]
    else:
        before, after = (value, None) if action == "delete" else (None, value)
    return {
        "Name": name,
        **({} if before is None else {"Before": _text(before)}),
        **({} if after is None else {"After": _text(after)}),
    }


def _text(value: Any) -> str:
    """A value as text: masked where it is personal, JSON where it is no text. Digests are for exports only."""
    if isinstance(value, dict) and "digest" in value:
        return str(value.get("masked", "***"))
    return value if isinstance(value, str) else orjson.dumps(value).decode()


OPERATIONS: tuple[Operation, ...] = (list_audit_events,)
