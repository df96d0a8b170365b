"""The audit trail: who changed what, and who was refused."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from markupsafe import Markup
from starlette.responses import Response, StreamingResponse

from message_contacts.console.site.access_parts import all_users
from message_contacts.console.site.field_errors import errors_beside
from message_contacts.console.site.message_words import moment_of
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit
from message_contacts.console.site.words import mark
from message_contacts.errors import ApiError

log = structlog.get_logger(__name__)

_EVENTS_ON_PAGE = 50
_EVENTS_OF_EXPORT = 100
_MILLISECONDS = re.compile(r"[0-9]{12,14}")
#: Twelve hexadecimal digits of milliseconds, then what tells events of one of them apart.
_EVENT_ID = re.compile(r"ae-([0-9a-f]{12})[0-9a-f]{12}")
#: Fields of the form, and the parameters they stand for.
_FILTERS = {
    "kind": "Kind",
    "operation": "Operation",
    "key": "UserAccessKeyId",
    "user": "UserName",
    "user_id": "UserId",
    "target": "TargetId",
}
_TIMES = {"since": "StartTime", "until": "EndTime"}
#: What else than an operation makes changes.
CAUSES: Mapping[str, str] = {
    "first-start": mark("First start"),
    "page": mark("Person at a page"),
    "worker": mark("Waiting work"),
    "operator": mark("Operator's command"),
    "console": mark("Console"),
}
_ACTIONS: Mapping[str, str] = {
    "insert": mark("Made"),
    "update": mark("Changed"),
    "delete": mark("Taken away"),
    "retry": mark("Tried again"),
    "erase": mark("Erased"),
}


async def list_events(visit: Visit) -> Response:
    """Events, newest first, as far as they are asked for."""
    filters = _filters(visit)
    asked = {**filters, "MaxResults": _EVENTS_ON_PAGE, "NextToken": visit.query.text("after")}
    attempt = await visit.attempt("ListAuditEvents", asked)
    beside = errors_beside(attempt.refusal, {"StartTime": "since", "EndTime": "until"})
    if attempt.refusal is not None and not beside:
        raise attempt.refusal
    given = _given(visit)
    token = "" if attempt.fields is None else attempt.fields.get("NextToken", "")
    return visit.page(
        "audit/events.html",
        title=visit._("Audit"),
        status=attempt.refusal.definition.status if attempt.refusal else 200,
        events=[] if attempt.fields is None else attempt.fields["Events"],
        query=visit.query,
        filters=given,
        is_filtered=bool(given),
        operations=sorted({entry.name for _, entry in visit.calls.registry.all() if entry.access == "write"}),
        next=visit.url("/audit", **given, after=token) if token else "",
        first=visit.url("/audit", **given) if visit.query.text("after") else "",
        errors=beside,
        **await _told(visit),
    )


async def show_event(visit: Visit) -> Response:
    """One event, with every field that changed."""
    event_id = visit.path["event_id"]
    event = await _event(visit, event_id)
    return visit.page(
        "audit/event.html",
        title=visit._("Event"),
        status=200 if event else 404,
        event_id=event_id,
        event=event,
        actions={word: visit._(text) for word, text in _ACTIONS.items()},
        **await _told(visit),
    )


async def _event(visit: Visit, event_id: str) -> Mapping[str, Any] | None:
    """The event of an id, which tells when it happened; None when there is none."""
    found = _EVENT_ID.fullmatch(event_id)
    if found is None:
        return None
    moment = int(found[1], 16)
    asked: dict[str, Any] = {"StartTime": _iso(moment), "EndTime": _iso(moment + 1), "MaxResults": 100}
    while True:
        page = await visit.call("ListAuditEvents", asked)
        for event in page["Events"]:
            if event["EventId"] == event_id:
                return dict(event)
        if "NextToken" not in page:
            return None
        asked["NextToken"] = page["NextToken"]


def _iso(milliseconds: int) -> str:
    # Far behind every event there is, so that an id that was made up finds nothing instead of failing.
    seconds, rest = divmod(min(milliseconds, 253_402_300_799_000), 1_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


async def export(visit: Visit) -> Response:
    """The events that are asked for as JSON lines, newest first, however many they are."""
    asked = {**_filters(visit), "MaxResults": _EVENTS_OF_EXPORT}
    first = await visit.call("ListAuditEvents", asked)  # whoever may not see them gets a page that says so
    return StreamingResponse(
        _lines(visit, asked, first),
        media_type="application/x-ndjson",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="audit-events.jsonl"',
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _lines(visit: Visit, asked: dict[str, Any], page: Mapping[str, Any]) -> AsyncIterator[bytes]:
    while True:
        yield b"".join(orjson.dumps(event) + b"\n" for event in page["Events"])
        if "NextToken" not in page:
            return
        try:
            page = await visit.call("ListAuditEvents", {**asked, "NextToken": page["NextToken"]})
        except ApiError as refusal:  # the right was taken away, or the database went: nobody shall take it for complete
            log.info("console_export_ended", code=refusal.definition.code)
            yield orjson.dumps({"Incomplete": refusal.definition.code}) + b"\n"
            return


def _given(visit: Visit) -> dict[str, str]:
    """The filters as they were asked for, for links."""
    return {name: text for name in (*_FILTERS, *_TIMES) if (text := visit.query.text(name))}


def _filters(visit: Visit) -> dict[str, Any]:
    """The filters as the operation takes them."""
    query = visit.query
    times = {parameter: moment_of(query.text(name), visit) for name, parameter in _TIMES.items() if query.text(name)}
    return {**{parameter: query.text(name) for name, parameter in _FILTERS.items()}, **times}


async def _told(visit: Visit) -> dict[str, Any]:
    """What templates need to say who did something, and to lead to what it was about."""
    users, _ = await all_users(visit)
    names = {user["UserId"]: user["UserName"] for user in users}

    def who(event: Mapping[str, Any]) -> str:
        user_id = event.get("UserId")
        if user_id:
            return str(names.get(user_id, user_id))
        return visit._("The account itself") if event.get("AccessKeyId") else ""

    def cause(operation: str) -> str:
        kind, _, rest = operation.partition(":")
        return f"{visit._(CAUSES[kind])}{': ' if rest else ''}{rest}" if kind in CAUSES else operation

    def place(target: str) -> str:
        return _page_of(visit, target, names)

    def second(text: str) -> Markup:
        if not text:  # somebody was at the database
            return Markup("–")
        moment = datetime.fromisoformat(text)
        shown = f"{moment.astimezone(visit.frame.zone):%Y-%m-%d %H:%M:%S}"
        return Markup('<time datetime="{}">{}</time>').format(text, shown)

    return {
        "who": who,
        "cause": cause,
        "place": place,
        "second": second,
        "user_names": names,
        "value": lambda name, text: _value(visit, name, text),
    }


def _value(visit: Visit, name: str, text: str | None) -> str:
    """A field's value as people read it: moments as such, all else as it is."""
    if text is None:
        return "–"
    if name.rpartition(".")[2].endswith("_at") and _MILLISECONDS.fullmatch(text):
        return visit.frame.moment(int(text))
    return text


def _page_of(visit: Visit, target: str, names: Mapping[str, str]) -> str:
    """Where something is shown; empty: nowhere."""
    if target in names:
        return visit.url(f"/access/users/{names[target]}")
    kind, _, _ = target.partition("-")
    if kind == "c":
        return visit.url(f"/contacts/{target}")
    if kind in {"fd", "r"}:
        return visit.url(f"/directory/folders/{target}")
    if kind == "rd":
        return visit.url("/directory")
    if re.fullmatch(r"[0-9]{16}", target) and target != visit.caller.account_id:
        return visit.url(f"/directory/members/{target}")
    return ""


ROUTES: tuple[Route, ...] = (
    Route("GET", "/audit", list_events),
    Route("GET", "/audit/export", export),
    Route("GET", "/audit/events/{event_id}", show_event),
)
