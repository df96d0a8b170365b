"""What a policy says: JSON text made into statements, or refused.

What is not understood is refused, so that no policy means something else here than its author thinks.

Source: the vendor's RAM guide, "Policy structure and syntax", 2026-05-27, and "Validate policies".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import orjson

from message_contacts.access import ram_errors
from message_contacts.access.conditions import Condition, Context, conditions
from message_contacts.access.wildcards import Patterns
from message_contacts.errors import ApiError

#: Bytes a document may have, in UTF-8.
MAX_DOCUMENT = 6_144

_STATEMENT_ELEMENTS = frozenset({"Effect", "Action", "NotAction", "Resource", "Condition"})
#: `acs:<service>:<region>:<account>:<resource>`
_RESOURCE_COLONS = 4


class Effect(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a policy."""

    effect: Effect
    #: In lower case: the names of permissions are compared without regard to it.
    actions: Patterns
    #: Whether it is about all actions but these.
    except_actions: bool
    resources: Patterns
    conditions: tuple[Condition, ...]

    def covers(self, action: str, resource: str, context: Context) -> bool:
        """Whether it says something about this.

        Args:
            action: Name of a permission in lower case.
            resource: `acs:<family>:*:<account>:<resource>`.
        """
        return self.names_action(action) and self.names_resource(resource) and not self.unmet(context)

    def names_action(self, action: str) -> bool:
        """Whether it is about this permission, given in lower case."""
        return self.actions.match(action) is not self.except_actions

    def names_resource(self, resource: str) -> bool:
        """Whether it is about this resource."""
        return self.resources.match(resource)

    def unmet(self, context: Context) -> tuple[Condition, ...]:
        """The conditions that such a call does not meet."""
        return tuple([condition for condition in self.conditions if not condition.met(context)])


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy, understood."""

    statements: tuple[Statement, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Understand a document.

        Raises: INVALID_PARAMETER_POLICY_DOCUMENT_LENGTH, MALFORMED_POLICY_DOCUMENT (its text says what is wrong).
        """
        if len(text) > MAX_DOCUMENT or len(text.encode(errors="replace")) > MAX_DOCUMENT:
            raise ram_errors.INVALID_PARAMETER_POLICY_DOCUMENT_LENGTH(characters=len(text))
        try:
            return cls(_statements(_json(text)))
        except ValueError as problem:
            raise ApiError(
                ram_errors.MALFORMED_POLICY_DOCUMENT, {"problem": str(problem)}, message=str(problem)
            ) from None


def _json(text: str) -> Any:
    try:
        orjson.loads(text)  # refuses what json takes: NaN, lone surrogates
        return json.loads(text, object_pairs_hook=_object)
    except _Repeated:
        raise
    except (ValueError, RecursionError):
        raise ValueError("The policy document is not valid JSON.") from None


class _Repeated(ValueError):  # noqa: N818 - named after what was found
    """A name occurs twice in one object: nobody can say which of the two counts."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise _Repeated(f"The element {name} occurs more than once.")
        members[name] = value
    return members


def _statements(document: Any) -> tuple[Statement, ...]:
    if not isinstance(document, dict):
        raise ValueError("The policy document must be a JSON object.")  # noqa: TRY004 - the caller sent it
    for element in document:
        if element not in {"Version", "Statement"}:
            raise ValueError(f"The element {element} is not supported in a policy document.")
    if document.get("Version") != "1":
        raise ValueError('The Version element of a policy document must be "1".')
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise ValueError("A policy document needs one or more statements.")
    return tuple(_statement(statement) for statement in statements)


def _statement(statement: Any) -> Statement:
    if not isinstance(statement, dict):
        raise ValueError("A policy statement must be a JSON object.")  # noqa: TRY004 - the caller sent it
    for element in statement:
        if element not in _STATEMENT_ELEMENTS:
            raise ValueError(f"The element {element} is not supported in a policy statement.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise ValueError("The Effect element of a policy statement must be Allow or Deny.")
    if "Action" in statement and "NotAction" in statement:
        raise ValueError("A policy statement can have an Action or a NotAction element, not both.")
    if "Action" not in statement and "NotAction" not in statement:
        raise ValueError("Add an Action or NotAction element to the policy statement.")
    if "Resource" not in statement:
        raise ValueError("Add a Resource element to the policy statement.")
    except_actions = "NotAction" in statement
    return Statement(
        effect=Effect(statement["Effect"]),
        actions=_patterns(statement, "NotAction" if except_actions else "Action", _action),
        except_actions=except_actions,
        resources=_patterns(statement, "Resource", _resource),
        conditions=conditions(statement["Condition"]) if "Condition" in statement else (),
    )


def _patterns(statement: dict[str, Any], element: str, parse: Callable[[str], str]) -> Patterns:
    values = statement[element]
    if isinstance(values, str):
        values = [values]
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise ValueError(f"The {element} element must be a string or a list of strings.")
    return Patterns(parse(value) for value in values)


def _action(value: str) -> str:
    service, separator, name = value.partition(":")
    if value != "*" and not (separator and service and name):
        raise ValueError(f"{value} is not an action: use <service>:<action>, or * for all.")
    return value.lower()


def _resource(value: str) -> str:
    if value != "*" and not (value.startswith("acs:") and value.count(":") >= _RESOURCE_COLONS):
        raise ValueError(f"{value} is not a resource: use acs:<service>:<region>:<account>:<resource>, or * for all.")
    return value
