"""Identifiers, as something that can be replaced in tests.

Forms on the wire: contract/operations.json, `id_formats`.
"""

from __future__ import annotations

import secrets
import string
from typing import Protocol

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: Crockford's base32 in lower case: letters and digits that a person can read aloud and type without mixing them up.
READABLE = "0123456789abcdefghjkmnpqrstvwxyz"


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

    def access_key(self) -> str:
        """`MC` and 22 letters or digits."""
        ...

    def access_key_secret(self) -> str:
        """30 letters or digits, about 178 bits."""
        ...

    def request(self) -> str:
        """An upper-case UUID, version 4."""
        ...


class RandomIds:
    """Identifiers from the operating system's random source."""

    def contact(self) -> str:
        return "c-" + _draw(BASE62, 16)

    def directory(self) -> str:
        return "rd-" + _draw(BASE62, 6)

    def root_folder(self) -> str:
        return "r-" + _draw(BASE62, 6)

    def folder(self) -> str:
        return "fd-" + _draw(BASE62, 10)

    def account(self) -> str:
        return "1" + _draw(string.digits, 15)

    def account_name_prefix(self) -> str:
        return _draw(READABLE, 12)

    def verification(self) -> str:
        return _draw(READABLE, 10)

    def detached(self) -> str:
        return "dc-" + _draw(BASE62, 16)

    def job(self, now: int) -> str:
        return f"j-{now:012x}{secrets.token_hex(6)}"

    def access_key(self) -> str:
        return "MC" + _draw(BASE62, 22)

    def access_key_secret(self) -> str:
        return _draw(BASE62, 30)

    def request(self) -> str:
        digits = secrets.token_hex(16).upper()
        variant = "89AB"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _draw(alphabet: str, length: int) -> str:
    """That many characters of the alphabet, each equally likely."""
    size = len(alphabet)
    number = int.from_bytes(secrets.token_bytes(length + 8))  # 64 bits more than needed: the bias is below 2**-60
    characters = []
    for _ in range(length):
        number, index = divmod(number, size)
        characters.append(alphabet[index])
    return "".join(characters)
