"""How the trail writes things down: JSON in one form, and personal values masked, with a salted digest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from message_contacts.contacts.model import Address
from message_contacts.protocol.mac import MacKey


def canonical(value: object) -> bytes:
    """The one way in which the trail writes JSON: keys sorted, nothing between the parts, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


class Salted(NamedTuple):
    """A salt, ready for the digests of one personal part."""

    salt: bytes
    key: MacKey

    @classmethod
    def of(cls, salt: bytes) -> Salted:
        """Take a salt."""
        return cls(salt, MacKey.of(salt))

    def digest(self, text: str) -> str:
        """HMAC-SHA256 of a text in hexadecimal digits: what stands for a name, an address, a personal part."""
        return self.key.hexdigest(text.encode())


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
