"""The first page: who is reached, what waits, what went wrong and what changed lately."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.message_words import TYPES, spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit

#: Members and contacts together up to which the heat map is part of the page; a larger one follows it.
_AT_ONCE = 1_500
#: Entries of a panel.
_FEW = 6
_ENTRIES_OF_MAP = 40


async def overview(visit: Visit) -> Response:
    """Everything at a glance; each panel by itself, since a key may see one and not another."""
    members, contacts, waiting, failed, deferred, incidents, fallback, changes, webhooks = await asyncio.gather(
        visit.attempt("ListAccounts", {"PageSize": 1}),
        visit.attempt("ListMessageContacts", {"PageSize": 1}),
        visit.attempt("SearchMessageContacts", {"Status": "Verifying", "MaxResults": _FEW}),
        visit.attempt("ListDeliveries", {"State": "failed", "NewestFirst": "true", "MaxResults": _FEW}),
        visit.attempt("ListDeliveries", {"State": "deferred", "NewestFirst": "true", "MaxResults": _FEW}),
        visit.attempt("ListIncidents", {"OnlyOpen": "true", "MaxResults": _FEW}),
        visit.attempt("GetFallbackAddress"),
        visit.attempt("ListAuditEvents", {"Kind": "change", "MaxResults": _FEW + 2}),
        visit.attempt("ListWebhooks", {"MaxResults": 1}),
    )
    is_first_use = _total(members) == 0 and _total(contacts) == 0
    size = (_total(members) or 0) + (_total(contacts) or 0)
    inline = not is_first_use and members.fields is not None and size <= _AT_ONCE
    return visit.page(
        "overview/overview.html",
        title=visit._("Overview"),
        members=members,
        contacts=contacts,
        waiting=waiting,
        failed=failed,
        deferred=deferred,
        incidents=incidents,
        fallback=fallback,
        changes=changes,
        webhooks=webhooks,
        is_first_use=is_first_use,
        map=await _map(visit) if inline else None,
        map_follows=not is_first_use and not inline,
        few=_FEW,
        **spoken(visit),
    )


async def coverage(visit: Visit) -> Response:
    """The heat map on a page of its own, a folder at a time."""
    return visit.page("overview/coverage.html", title=visit._("Coverage"), map=await _map(visit), **spoken(visit))


async def coverage_part(visit: Visit) -> Response:
    """The heat map alone, for the page that waits for it."""
    return visit.page("overview/map.html", title="", map=await _map(visit), **spoken(visit))


def _total(found: Any) -> int | None:
    return None if found.fields is None else int(found.fields["TotalCount"])


async def _map(visit: Visit) -> Mapping[str, Any]:
    """What the heat map shows, or what it was refused with."""
    query = visit.query
    at_least = query.number("at_least", 1, most=100)
    asked = {"folder": query.text("folder"), "severity": query.text("severity"), "at_least": at_least}
    found = await visit.attempt(
        "GetCoverageMap",
        {
            "Folder": asked["folder"],
            "Severity": asked["severity"],
            "AtLeast": at_least,
            "MaxResults": _ENTRIES_OF_MAP,
            "NextToken": query.text("next"),
        },
    )
    kept = {name: value for name, value in asked.items() if value and (name, value) != ("at_least", 1)}
    return {"found": found, "asked": asked, "kept": kept, "order": list(TYPES)}


ROUTES: tuple[Route, ...] = (
    Route("GET", "/", overview),
    Route("GET", "/overview/coverage", coverage),
    Route("GET", "/overview/coverage/part", coverage_part),
)
