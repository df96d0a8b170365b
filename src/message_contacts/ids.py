"""Identifiers, as something that can be replaced in tests.

Forms on the wire: contract/operations.json, `id_formats`.
"""

from __future__ import annotations

import os
import secrets
import string
from typing import Protocol

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: Crockford's base32 in lower case: letters and digits that a person can read aloud and type without mixing them up.
READABLE = "0123456789abcdefghjkmnpqrstvwxyz"

#: First digit of the fourth group of a UUID: two bits are fixed, two stay as they are.
_VARIANTS = {digit: "89AB"[int(digit, 16) & 3] for digit in "0123456789ABCDEF"}


class Ids(Protocol):
    """A source of fresh identifiers. Uniqueness is the store's to check; who loses draws again."""

    def contact(self) -> str:
        """`c-` and 16 letters or digits."""
        ...

    def directory(self) -> str:
        """`rd-` and 6 letters or digits."""
        ...

    def root_folder(self) -> str:
        """`r-` and 6 letters or digits."""
        ...

    def folder(self) -> str:
        """`fd-` and 10 letters or digits."""
        ...

    def account(self) -> str:
        """16 decimal digits, the first one a 1."""
        ...

    def account_name_prefix(self) -> str:
        """Local part of a generated account name: 12 readable characters."""
        ...

    def verification(self) -> str:
        """Public id of a verification: 10 readable characters; not a secret."""
        ...

    def detached(self) -> str:
        """Id of a detached copy of a deleted contact: `dc-` and 16 letters or digits."""
        ...

    def job(self, now: int) -> str:
        """Id of waiting work: sorts by the moment it was made (milliseconds since the epoch), then at random."""
        ...

    def message(self, now: int) -> str:
        """Id of a published message: `m-` and 24 hex digits, sorts by the moment it was made, then at random."""
        ...

    def incident(self, now: int) -> str:
        """Id of an incident: `i-` and 24 hex digits, sorts by the moment it was made, then at random."""
        ...

    def webhook(self) -> str:
        """Id of a webhook: `wh-` and 16 readable characters."""
        ...

    def hand_over(self, now: int) -> str:
        """Id of a request to hand messages over: `h-` and 24 hex digits, sorts by the moment it was made."""
        ...

    def audit_event(self, now: int) -> str:
        """Id of an audit event: sorts by the moment it was made (milliseconds since the epoch), then at random."""
        ...

    def user(self) -> str:
        """Id of a RAM user: 18 decimal digits, the first one a 2."""
        ...

    def access_key(self) -> str:
        """`MC` and 22 letters or digits."""
        ...

    def access_key_secret(self) -> str:
        """30 letters or digits, about 178 bits."""
        ...

    def request(self) -> str:
        """An upper-case UUID, version 4."""
        ...


class _Alphabet:
    """Draws texts of characters that are all equally likely."""

    def __init__(self, characters: str) -> None:
        size = len(characters)
        #: Every character stands for as many bytes as every other one; the bytes left over stand for none.
        usable = 256 - 256 % size
        self._character_of = bytes(ord(characters[byte % size]) for byte in range(256))
        self._unusable = bytes(range(usable, 256))

    def draw(self, length: int) -> str:
        """That many characters, from the operating system's random source."""
        text = b""
        while len(text) < length:
            text += os.urandom(length + 8).translate(self._character_of, self._unusable)
        return text[:length].decode()


_BASE62 = _Alphabet(BASE62)
_DIGITS = _Alphabet(string.digits)
_READABLE = _Alphabet(READABLE)


class RandomIds:
    """Identifiers from the operating system's random source."""

    def contact(self) -> str:
        return "c-" + _BASE62.draw(16)

    def directory(self) -> str:
        return "rd-" + _BASE62.draw(6)

    def root_folder(self) -> str:
        return "r-" + _BASE62.draw(6)

    def folder(self) -> str:
        return "fd-" + _BASE62.draw(10)

    def account(self) -> str:
        return "1" + _DIGITS.draw(15)

    def account_name_prefix(self) -> str:
        return _READABLE.draw(12)

    def verification(self) -> str:
        return _READABLE.draw(10)

    def detached(self) -> str:
        return "dc-" + _BASE62.draw(16)

    def job(self, now: int) -> str:
        return f"j-{now:012x}{secrets.token_hex(6)}"

    def message(self, now: int) -> str:
        return f"m-{now:012x}{secrets.token_hex(6)}"

    def incident(self, now: int) -> str:
        return f"i-{now:012x}{secrets.token_hex(6)}"

    def webhook(self) -> str:
        return "wh-" + _READABLE.draw(16)

    def hand_over(self, now: int) -> str:
        return f"h-{now:012x}{secrets.token_hex(6)}"

    def audit_event(self, now: int) -> str:
        return f"ae-{now:012x}{secrets.token_hex(6)}"

    def user(self) -> str:
        return "2" + _DIGITS.draw(17)

    def access_key(self) -> str:
        return "MC" + _BASE62.draw(22)

    def access_key_secret(self) -> str:
        return _BASE62.draw(30)

    def request(self) -> str:
        digits = os.urandom(16).hex().upper()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANTS[digits[16]]}{digits[17:20]}-{digits[20:]}"
