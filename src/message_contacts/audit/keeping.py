"""How the trail writes things down: JSON in one form, and personal values masked, with a salted digest."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from message_contacts.contacts.model import Address

#: Bytes of a block of SHA-256.
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def canonical(value: object) -> bytes:
    """The one way in which the trail writes JSON: keys sorted, nothing between the parts, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


class Salted(NamedTuple):
    """A salt, ready for the digests of one personal part.

    By hand, because the library's HMAC takes nearly twice as long, and every change makes several.
    """

    salt: bytes
    inner: bytes
    outer: bytes

    @classmethod
    def of(cls, salt: bytes) -> Salted:
        """Take a salt of at most 64 bytes."""
        key = salt.ljust(_BLOCK, b"\0")
        return cls(salt, key.translate(_INNER), key.translate(_OUTER))

    def digest(self, text: str) -> str:
        """HMAC-SHA256 of a text in hexadecimal digits: what stands for a name, an address, a personal part."""
        return sha256(self.outer + sha256(self.inner + text.encode()).digest()).hexdigest()


#: Turns a personal value into what the personal part holds of it.
Keeper = Callable[[Any, Salted], object]


def plain(value: object, _salted: Salted) -> object:
    """As it is: a title, the address of a computer."""
    return value


def name(value: str, salted: Salted) -> object:
    """First letter, and a digest of the text."""
    return {"digest": salted.digest(value), "masked": value[0] + "***"}


def address(value: Address, salted: Salted) -> object:
    """What the address's own type leaves to be read, and a digest of the form in which addresses are compared."""
    return {"digest": salted.digest(value.key), "masked": value.masked()}


def digest_only(value: str, salted: Salted) -> object:
    """Only a digest: free text."""
    return {"digest": salted.digest(value)}
