"""The rules of policies a second time, written another way: on the bare JSON, by definition, without any haste."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def verdict(
    policies: Sequence[dict[str, Any]],
    action: str,
    resources: Sequence[str],
    call: dict[str, Any],
    implied: Sequence[str] = (),
) -> str:
    """`Allowed`, `ImplicitDeny` or `ExplicitDeny`.

    Args:
        call: `ip` (text or None), `now` (milliseconds), `secure`.
        implied: Must not be denied either, and need not be allowed.
    """
    effects = [{_effect(one, action, resource, call) for one in _all(policies)} for resource in resources]
    unnamed = {_effect(one, action, resource, call) for one in _all(policies) for resource in implied}
    if "Deny" in unnamed or any("Deny" in found for found in effects):
        return "ExplicitDeny"
    return "Allowed" if all("Allow" in found for found in effects) else "ImplicitDeny"


def _all(policies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [statement for policy in policies for statement in _list(policy["Statement"])]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _effect(statement: dict[str, Any], action: str, resource: str, call: dict[str, Any]) -> str | None:
    if "Action" in statement:
        is_meant = any(glob(one.lower(), action.lower()) for one in _list(statement["Action"]))
    else:
        is_meant = not any(glob(one.lower(), action.lower()) for one in _list(statement["NotAction"]))
    if not is_meant or not any(glob(one, resource) for one in _list(statement["Resource"])):
        return None
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            if not _is_met(operator, key, _list(values), call):
                return None
    effect: str = statement["Effect"]
    return effect


def glob(pattern: str, text: str) -> bool:
    @functools.cache
    def rest(at: int, of: int) -> bool:
        if at == len(pattern):
            return of == len(text)
        if pattern[at] == "*":
            return rest(at + 1, of) or (of < len(text) and rest(at, of + 1))
        return of < len(text) and pattern[at] in {"?", text[of]} and rest(at + 1, of + 1)

    return rest(0, 0)


def _is_met(operator: str, key: str, values: list[Any], call: dict[str, Any]) -> bool:
    """Not-operators are met when their positive twin is not."""
    for negative, positive in (
        ("StringNotEquals", "StringEquals"),
        ("StringNotEqualsIgnoreCase", "StringEqualsIgnoreCase"),
        ("StringNotLike", "StringLike"),
        ("NotIpAddress", "IpAddress"),
        ("DateNotEquals", "DateEquals"),
    ):
        if operator == negative:
            return not _is_met(positive, key, values, call)
    return any(_fits(operator, key, value, call) for value in values)


def _fits(operator: str, key: str, value: Any, call: dict[str, Any]) -> bool:
    if operator == "Bool":
        return (str(value).lower() == "true") is call["secure"]
    if operator == "IpAddress":
        if call["ip"] is None:
            return False
        given, _, bits = value.partition("/")
        network, address = ipaddress.ip_address(given), ipaddress.ip_address(call["ip"])
        if network.version != address.version:
            return False
        width = network.max_prefixlen
        shift = width - int(bits or width)
        return int(network) >> shift == int(address) >> shift
    now = EPOCH + timedelta(milliseconds=call["now"])
    if operator.startswith("Date"):
        moment = datetime.fromisoformat(value)
        return {
            "DateEquals": now.replace(microsecond=0) == moment.replace(microsecond=0),
            "DateLessThan": now < moment,
            "DateLessThanEquals": now <= moment,
            "DateGreaterThan": now > moment,
            "DateGreaterThanEquals": now >= moment,
        }[operator]
    text = {
        "acs:SourceIp": call["ip"],
        "acs:SecureTransport": "true" if call["secure"] else "false",
        "acs:CurrentTime": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }[key]
    if text is None:
        return False
    if operator == "StringEquals":
        return bool(text == value)
    if operator == "StringEqualsIgnoreCase":
        return bool(text.lower() == value.lower())
    assert operator == "StringLike"
    return glob(value, text)
