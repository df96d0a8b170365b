"""Where a request really comes from, when trusted proxies stand in between.

Nobody else's headers are believed: whoever can reach the server directly could write anything into them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from message_contacts.quick import quickly_made

Networks = tuple[IPv4Network | IPv6Network, ...]


@quickly_made
@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from."""

    #: IP address; empty when the connection has none (a Unix socket).
    address: str
    #: Whether the client used TLS, as far as the nearest trusted proxy knows.
    is_secure: bool


def origin(
    client: tuple[str, int] | None, scheme: str, headers: Iterable[tuple[bytes, bytes]], trusted: Networks
) -> Origin:
    """Source address and transport of a request.

    The nearest address that is not a trusted proxy is the source: `X-Forwarded-For` is read from its end, since each
    proxy appends the address it saw, and everything before the first untrusted one is hearsay.
    """
    peer = client[0] if client else ""
    is_secure = scheme == "https"
    if not trusted or not _is_trusted(peer, trusted):
        return Origin(peer, is_secure)
    forwarded: list[str] = []
    for name, value in headers:
        if name == b"x-forwarded-for":
            forwarded += value.decode("latin-1").split(",")
        elif name == b"x-forwarded-proto":
            is_secure = value.decode("latin-1").split(",")[-1].strip().lower() == "https"
    source = peer
    for entry in reversed(forwarded):
        address = _address(entry)
        if address is None:
            break
        source = str(address)
        if not _is_trusted(source, trusted):
            break
    return Origin(source, is_secure)


def source_address(scope: Mapping[str, Any], trusted: Networks) -> str:
    """IP address of an ASGI request's client, for pages."""
    return origin(scope["client"], scope["scheme"], scope["headers"], trusted).address


def _is_trusted(address: str, trusted: Networks) -> bool:
    parsed = _address(address)
    return parsed is not None and any(parsed in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in `10.0.0.1`, `10.0.0.1:4711`, `::1` or `[::1]:4711`; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket sees IPv4 clients as ::ffff:10.0.0.1; networks are written the plain way.
    return getattr(address, "ipv4_mapped", None) or address
