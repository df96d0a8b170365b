"""What our own operations, version 2026-11-01, have in common."""

from __future__ import annotations

from typing import Any

from message_contacts.changes import Decision, Delete
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.registry import MESSAGE_CONTACTS, Parameter
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, next_token
from message_contacts.operations.values import parse_text

VERSIONS = (MESSAGE_CONTACTS,)
SOURCE = "Ours, 2026-11-21"
#: What the date fields of answers hold.
DATE = "ISO 8601, UTC."


def missing_parameter(name: str) -> ErrorDefinition:
    """The error for a parameter that has to be given."""
    return ErrorDefinition(400, f"MissingParameter.{name}", f"You must specify {name}.")


def text(name: str, doc: str, example: str) -> Parameter:
    """An optional parameter that takes any text."""
    return Parameter(name=name, parse=parse_text, doc=doc, example=example)


def needed_text(name: str, doc: str, example: str) -> Parameter:
    """A parameter that takes any text and has to be given."""
    return text(name, doc, example).needed(missing_parameter(name))


def list_errors(*more: ErrorDefinition) -> list[ErrorDefinition]:
    """The errors of a list that is paged by tokens, behind its own."""
    return [*more, *MAX_RESULTS.invalid, *NEXT_TOKEN.invalid]


def page(name: str, entries: list[dict[str, Any]], limit: int, key: str) -> dict[str, Any]:
    """A page of entries, one more than `limit` of which were asked for, and the token of the next page."""
    return {name: entries[:limit], **next_token(entries, limit, lambda entry: str(entry[key]))}


def deleted(row: object | None, missing: ErrorDefinition) -> Decision[None]:
    """The decision that takes away what was found. Raises: `missing` when nothing was."""
    if row is None:
        raise missing()
    return Decision((Delete(row),), None)
