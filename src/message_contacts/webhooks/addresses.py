"""Where webhooks may lead: the form of their URLs, and the IP addresses they may reach.

An address is judged when the URL is given, as far as it says one, and again when a connection is made: in between, a
name may come to stand for another address.

Source: the IANA special-purpose address registries for IPv4 and IPv6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Self
from urllib.parse import urlsplit

from message_contacts.webhooks import webhook_errors as refusals

_MAX_LENGTH = 2048
_PRINTABLE = re.compile(r"[!-~]+")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\.?$)(?:[a-z0-9_](?:[a-z0-9_\-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.?"
)
#: A last label that software takes for the end of a numeric address, e.g. 127.1 or 0x7f000001.
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Not of the public internet: this host and network, private, shared (metadata services among it), loopback,
#: link-local, protocol assignments, documentation, relays, benchmarks, multicast, reserved, broadcast.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
#: Everything else of IPv6 is loopback, local, multicast, or stands for something of IPv4.
_PUBLIC_6 = IPv6Network("2000::/3")
#: Of those: protocol assignments (Teredo among them), documentation, 6to4, documentation again.
_NOT_PUBLIC_6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
#: Addresses in which a translator finds one of IPv4 in the last 32 bits.
_TRANSLATED = IPv6Network("64:ff9b::/96")


def meant(address: Address) -> Address:
    """The address that packets to this one arrive at: an IPv4 address inside an IPv6 one, or the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _TRANSLATED:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether it is an address of the public internet."""
    target = meant(address)
    if isinstance(target, IPv4Address):
        return not any(target in network for network in _NOT_PUBLIC_4)
    return target in _PUBLIC_6 and not any(target in network for network in _NOT_PUBLIC_6)


def is_among(address: Address, networks: Iterable[Network]) -> bool:
    """Whether the address, or the one that is meant by it, is in one of the networks."""
    target = meant(address)
    return any(target in network or address in network for network in networks)


@dataclass(frozen=True, slots=True)
class Url:
    """Where a webhook posts to."""

    #: As given.
    text: str = field(repr=False)

    @classmethod
    def parse(cls, text: str, private_networks: tuple[Network, ...]) -> Self:
        """Read an `https://` URL; an `http://` one too, where private networks are allowed.

        Raises: INVALID_URL; INVALID_URL_ADDRESS for an address that may not be reached.
        """
        if len(text) > _MAX_LENGTH or not _PRINTABLE.fullmatch(text) or "#" in text or "\\" in text:
            raise refusals.INVALID_URL()
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise refusals.INVALID_URL() from None
        plain = parts.scheme == "http"
        if (plain and not private_networks) or parts.scheme not in ("http", "https") or "@" in parts.netloc:
            raise refusals.INVALID_URL()
        if not host or port == 0 or "%" in host or not parts.path.startswith("/"):
            raise refusals.INVALID_URL()
        address = _address(host)
        if address is None:
            if not _HOST_NAME.fullmatch(host) or _NUMERIC_END.fullmatch(host):
                raise refusals.INVALID_URL()
        elif not (is_among(address, private_networks) or (is_public(address) and not plain)):
            raise refusals.INVALID_URL_ADDRESS()
        return cls(text)

    @property
    def is_plain(self) -> bool:
        """Whether it is spoken to without TLS."""
        return self.text[:5].lower() == "http:"

    def masked(self) -> str:
        """What may be shown: scheme, host and port. Path and query hold the secret."""
        parts = urlsplit(self.text)
        return f"{parts.scheme}://{parts.netloc}/***"


def _address(host: str) -> Address | None:
    """The address that a host is, if it is one and no name."""
    try:
        return ip_address(host)
    except ValueError:
        return None
