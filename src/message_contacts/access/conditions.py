"""The conditions of a policy statement: when a statement counts at all.

All operators and all keys of a condition have to be met; of several values of one key any one will do, and with the
operators that say Not none may.

Source: the vendor's RAM guide, "Conditional operators", 2025-12-09, and "Policy elements".
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from message_contacts.access.wildcards import Patterns
from message_contacts.clock import Instant

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SOURCE_IP = "acs:SourceIp"
CURRENT_TIME = "acs:CurrentTime"
SECURE_TRANSPORT = "acs:SecureTransport"
#: Everything that a condition can be about.
KEYS = (SOURCE_IP, CURRENT_TIME, SECURE_TRANSPORT)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known about a call beside its caller, its operation and its resources."""

    #: As the gateway knows it; empty when there is none.
    source_address: str
    now: Instant
    #: Whether the call came over TLS.
    secure: bool

    @property
    def address(self) -> Address | None:
        """The source address; None when the call has none."""
        return address_of(self.source_address)

    def text(self, key: str) -> str | None:
        """The value of a condition key as text, for the operators that compare text; None when there is none."""
        if key == SOURCE_IP:
            address = self.address
            return None if address is None else str(address)
        if key == SECURE_TRANSPORT:
            return "true" if self.secure else "false"
        return datetime.fromtimestamp(self.now // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.lru_cache(maxsize=1_000)
def address_of(text: str) -> Address | None:
    """An IP address; None when the text is none. An IPv4 address in IPv6 clothing counts as IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key, with all its values."""

    operator: str
    key: str
    values: tuple[str, ...]
    #: Whether one of the values fits a call, the operator's Not aside.
    _fits: Callable[[Context], bool] = field(repr=False, compare=False)
    #: Whether none may fit.
    _is_negated: bool = field(repr=False, compare=False)

    def met(self, context: Context) -> bool:
        """Whether a call meets it. A call without a source address meets what says Not about it, and nothing else."""
        return self._fits(context) is not self._is_negated


def condition(operator: str, key: str, values: Sequence[object]) -> Condition:
    """Make a condition, as far as it is understood here.

    Raises:
        ValueError: The operator or key is not known, they do not go together, or a value is not one of theirs. The
            text says which, in a sentence.
    """
    maker = _OPERATORS.get(operator)
    if maker is None:
        raise ValueError(f"The condition operator {operator} is not supported.")
    if key not in KEYS:
        raise ValueError(f"The condition key {key} is not supported.")
    keys, make, is_negated = maker
    if key not in keys:
        raise ValueError(f"The condition operator {operator} does not go with the condition key {key}.")
    if not values:
        raise ValueError(f"The condition key {key} needs a value.")
    if operator == "Bool" and len(values) > 1:
        raise ValueError(f"The condition key {key} can have only one Boolean value.")
    texts = tuple(_text(key, value) for value in values)
    return Condition(operator, key, texts, make(key, texts), is_negated)


def _text(key: str, value: object) -> str:
    if isinstance(value, bool) and key == SECURE_TRANSPORT:
        return "true" if value else "false"
    if not isinstance(value, str):
        raise ValueError(f"A value of the condition key {key} must be a string.")  # noqa: TRY004 - the caller sent it
    return value


_Fits = Callable[[Context], bool]


def _equals(key: str, values: tuple[str, ...]) -> _Fits:
    wanted = frozenset(values)
    return lambda context: context.text(key) in wanted


def _equals_ignoring_case(key: str, values: tuple[str, ...]) -> _Fits:
    wanted = frozenset(value.lower() for value in values)

    def fits(context: Context) -> bool:
        text = context.text(key)
        return text is not None and text.lower() in wanted

    return fits


def _like(key: str, values: tuple[str, ...]) -> _Fits:
    patterns = Patterns(values)

    def fits(context: Context) -> bool:
        text = context.text(key)
        return text is not None and patterns.match(text)

    return fits


def _within(key: str, values: tuple[str, ...]) -> _Fits:
    networks = [_network(key, value) for value in values]

    def fits(context: Context) -> bool:
        address = context.address
        return address is not None and any(address in network for network in networks)

    return fits


def _network(key: str, value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    problem = f"{value} is not an IP address or CIDR block, as the condition key {key} needs."
    _, slash, prefix = value.partition("/")
    # A mask: `203.0.113.9/0.0.0.0` would be everybody, and is one host where masks say which bits do not count.
    if slash and not prefix.isdecimal():
        raise ValueError(problem)
    try:
        # Bits behind the prefix are let pass, as in `10.1.2.3/8`: nobody can mean anything else by them.
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(problem) from None
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped and network.prefixlen >= 96:
        return ipaddress.ip_network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network


def _compared(compare: Callable[[int, int], bool]) -> Callable[[str, tuple[str, ...]], _Fits]:
    def make(key: str, values: tuple[str, ...]) -> _Fits:
        moments = [_moment(key, value) for value in values]
        return lambda context: any(compare(context.now, moment) for moment in moments)

    return make


def _moment(key: str, value: str) -> int:
    problem = f"{value} is not a date such as 2026-03-30T08:00:00Z, as the condition key {key} needs."
    if not _DATE.fullmatch(value):
        raise ValueError(problem)
    try:
        return round(datetime.fromisoformat(value).timestamp() * 1_000)
    except (ValueError, OverflowError):  # the thirtieth of February; the year 1 in a zone ahead of UTC
        raise ValueError(problem) from None


def _is_true(key: str, values: tuple[str, ...]) -> _Fits:
    wanted = {"true": True, "false": False}.get(values[0].lower())
    if wanted is None:
        raise ValueError(f"The condition key {key} must be true or false.")
    return lambda context: context.secure is wanted


#: Keys an operator goes with, how it is made, and whether it says Not.
_OPERATORS: dict[str, tuple[tuple[str, ...], Callable[[str, tuple[str, ...]], _Fits], bool]] = {
    "StringEquals": (KEYS, _equals, False),
    "StringNotEquals": (KEYS, _equals, True),
    "StringEqualsIgnoreCase": (KEYS, _equals_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (KEYS, _equals_ignoring_case, True),
    "StringLike": (KEYS, _like, False),
    "StringNotLike": (KEYS, _like, True),
    "IpAddress": ((SOURCE_IP,), _within, False),
    "NotIpAddress": ((SOURCE_IP,), _within, True),
    # Two moments are the same when they are in the same second: that is all a date of a policy says.
    "DateEquals": ((CURRENT_TIME,), _compared(lambda now, moment: now // 1_000 == moment // 1_000), False),
    "DateNotEquals": ((CURRENT_TIME,), _compared(lambda now, moment: now // 1_000 == moment // 1_000), True),
    "DateLessThan": ((CURRENT_TIME,), _compared(lambda now, moment: now < moment), False),
    "DateLessThanEquals": ((CURRENT_TIME,), _compared(lambda now, moment: now <= moment), False),
    "DateGreaterThan": ((CURRENT_TIME,), _compared(lambda now, moment: now > moment), False),
    "DateGreaterThanEquals": ((CURRENT_TIME,), _compared(lambda now, moment: now >= moment), False),
    "Bool": ((SECURE_TRANSPORT,), _is_true, False),
}

#: Every operator and the keys it goes with, for the guide and for tests.
OPERATORS: dict[str, tuple[str, ...]] = {name: entry[0] for name, entry in _OPERATORS.items()}


def conditions(block: Any) -> tuple[Condition, ...]:
    """The conditions of a statement's `Condition`: operators, their keys, their values.

    Raises: ValueError, as `condition` does.
    """
    if not isinstance(block, dict):
        raise ValueError("The Condition element must be an object.")  # noqa: TRY004 - the caller sent it
    made = []
    for operator, keys in block.items():
        if not isinstance(keys, dict) or not keys:
            raise ValueError(f"The condition operator {operator} needs an object of condition keys.")
        made += [
            condition(operator, key, values if isinstance(values, list) else [values]) for key, values in keys.items()
        ]
    return tuple(made)
