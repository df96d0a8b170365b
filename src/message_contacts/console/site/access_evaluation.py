"""Whether a user or key may do something, and what decides that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.access_parts import all_users, around
from message_contacts.console.site.field_errors import errors_beside
from message_contacts.console.site.message_words import moment_of
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Attempt, Visit
from message_contacts.console.site.words import mark
from message_contacts.operations.registry import PRODUCTS, Operation

_PART = "/access/evaluate"
_FIELDS = {
    "UserNameOrUserAccessKeyId": "who",
    "UserNameAndUserAccessKeyId": "who",
    "EntityNotExists.User": "who",
    "EntityNotExists.AccessKey": "who",
    "Operation": "operation",
    "OperationVersion": "operation",
    "Resources": "resources",
    "SourceIp": "ip",
    "Time": "time",
}
#: What decided, as a sentence.
REASONS: Mapping[str, str] = {
    "AllowedByPolicy": mark("A policy allows it."),
    "AllowedToEveryone": mark("Everybody with a key may do this; no policy is asked."),
    "AccountItself": mark("This is a key of the account itself, which may do everything."),
    "DeniedByPolicy": mark("A policy denies it, whatever others allow."),
    "NotAllowed": mark("No policy allows it."),
    "KeyInactive": mark("The key is switched off: nothing can be called with it."),
}


async def evaluate(visit: Visit) -> Response:
    """The question, and once it is asked the answer."""
    query = visit.query
    # A key may be typed, a user chosen; whichever is there is meant.
    who = query.text("who")
    version, _, name = query.text("operation").rpartition("/")
    attempt = Attempt(None, None)
    if who or name:
        attempt = await visit.attempt("SimulateAccess", _question(visit, who, version, name))
    users, _no_users = await all_users(visit)
    beside = errors_beside(attempt.refusal, _FIELDS)
    answer = attempt.fields
    missing = (answer or {}).get("Missing")
    return visit.page(
        "access/evaluate.html",
        title=visit._("May this key do this?"),
        status=attempt.refusal.definition.status if attempt.refusal else 200,
        users=users,
        operations=_operations(visit),
        names=_names(visit, version, name),
        query=query,
        answer=answer,
        missing=missing,
        reasons={word: visit._(text) for word, text in REASONS.items()},
        statement=_pretty((answer or {}).get("DecidedBy", {}).get("Statement")),
        lacking=_pretty((missing or {}).get("Statement")),
        policy=_policy(missing),
        errors=beside,
        refusal=None if beside else attempt.refusal,
        **around(visit, _PART),
    )


def _question(visit: Visit, who: str, version: str, name: str) -> dict[str, Any]:
    query = visit.query
    users = query.text("by") != "key"
    return {
        "UserName" if users else "UserAccessKeyId": who,
        "Operation": name,
        "OperationVersion": version,
        "Resources": query.text("resources").split(),
        "SourceIp": query.text("ip"),
        "Time": moment_of(query.text("time"), visit) if query.text("time") else None,
        "SecureTransport": "false" if query.text("tls") == "no" else "true",
    }


def _operations(visit: Visit) -> list[tuple[str, list[str]]]:
    """Names of all operations by version, in the order in which versions are preferred."""
    by_version: dict[str, list[str]] = {version: [] for version in PRODUCTS}
    for version, entry in visit.calls.registry.all():
        by_version[version].append(entry.name)
    return list(by_version.items())


def _names(visit: Visit, version: str, name: str) -> list[str]:
    """What calls of an operation can name as resources."""
    found: list[Operation] = [
        entry for of_version, entry in visit.calls.registry.all() if entry.name == name and of_version == version
    ]
    return [resource for entry in found for resource in (*entry.resources, *entry.deniable_on)]


def _pretty(text: str | None) -> str:
    return "" if not text else json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def _policy(missing: Mapping[str, Any] | None) -> str:
    """A policy with the statement that is lacking, to begin with."""
    if not missing:
        return ""
    return json.dumps({"Version": "1", "Statement": [json.loads(missing["Statement"])]}, indent=2)


ROUTES: tuple[Route, ...] = (Route("GET", "/access/evaluate", evaluate),)
