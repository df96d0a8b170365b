"""Connections to places that callers chose: every address is judged before anything is sent to it.

A name is looked up once, what it stands for is judged, and only to such an address the connection is made; each socket
is judged again when it is opened, whatever way its address came. So a name that stands for another address at the next
look-up gains nothing. Host and certificate are those of the name all the while.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from message_contacts.webhooks.addresses import Address

#: Whether an address may be reached.
Allows = Callable[[Address], bool]


class AddressRefusedError(OSError):
    """A connection leads to an address that it may not reach."""


class GuardedResolver(AbstractResolver):
    """Looks names up and gives only addresses that may be reached."""

    def __init__(self, resolver: AbstractResolver, allows: Allows) -> None:
        self._resolver = resolver
        self._allows = allows

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises: AddressRefusedError when the name stands for none that may be reached."""
        found = await self._resolver.resolve(host, port, family)
        allowed = [entry for entry in found if _is_allowed(entry["host"], self._allows)]
        if found and not allowed:
            raise AddressRefusedError("the name stands for an address that may not be reached")
        return allowed

    async def close(self) -> None:
        await self._resolver.close()


def guarded_sockets(allows: Allows) -> Callable[[tuple[Any, ...]], socket.socket]:
    """Makes the sockets of connections; raises AddressRefusedError for one that may not be made."""

    def make(address_info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = address_info
        if not _is_allowed(str(address[0]), allows):
            raise AddressRefusedError("the address may not be reached")
        return socket.socket(family=family, type=kind, proto=protocol)

    return make


def _is_allowed(host: str, allows: Allows) -> bool:
    try:
        return allows(ip_address(host))
    except ValueError:  # not an address at all
        return False
