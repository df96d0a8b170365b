"""Links and codes, derived from a server key: nothing that is stored opens one.

A retry of the same message derives the same link; asking again raises the generation and voids the earlier ones.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from message_contacts.ids import READABLE

_TOKEN = re.compile(rf"([{READABLE}]{{10}})([1-9][0-9]{{0,5}})-([A-Za-z0-9_\-]{{22}})")
_SPOKEN_ALIKE = str.maketrans({"o": "0", "i": "1", "l": "1", "u": "v", " ": "", "-": ""})


class ServerKeys(Protocol):
    """Keys that serve this purpose alone: `access.keys.DerivedKeys`."""

    def current(self) -> bytes:
        """The key to make something with."""
        ...

    def accepted(self) -> tuple[bytes, ...]:
        """The keys that something may have been made with, the current one first."""
        ...

    def refresh(self) -> bool:
        """Look for newer keys; whether there are other ones now."""
        ...


@dataclass(frozen=True, slots=True)
class OneKey:
    """A key that is never replaced."""

    key: bytes = field(repr=False)

    def current(self) -> bytes:
        return self.key

    def accepted(self) -> tuple[bytes, ...]:
        return (self.key,)

    def refresh(self) -> bool:
        return False


class Tokens:
    """Makes and reads the tokens and codes of verifications.

    They are made with the current key and read with any that is accepted: a rotation voids no link.
    """

    def __init__(self, keys: ServerKeys | bytes) -> None:
        """Take keys of 32 bytes that serve no other purpose."""
        self._keys = OneKey(keys) if isinstance(keys, bytes) else keys

    def token(self, verification_id: str, generation: int) -> str:
        """The secret part of a link: public id, generation and 128 bits that only this server can make."""
        return _token(self._keys.current(), verification_id, generation)

    def code(self, verification_id: str, generation: int) -> str:
        """Six digits for a person who reads the message on one device and confirms on another."""
        return _code(self._keys.current(), verification_id, generation)

    def read(self, token: str) -> tuple[str, int] | None:
        """Verification id and generation of a token made with one of the keys; None for anything else."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        verification_id, generation = parts[1], int(parts[2])
        is_ours = self._any(lambda key: _token(key, verification_id, generation), token)
        return (verification_id, generation) if is_ours else None

    def is_code(self, code: str, verification_id: str, generation: int) -> bool:
        """Whether these are the six digits."""
        return self._any(lambda key: _code(key, verification_id, generation), code)

    def _any(self, expected: Callable[[bytes], str], given: str) -> bool:
        """Whether one of the keys makes what was given; each comparison takes the same time wherever they differ."""
        while True:
            if any(_same(expected(key), given) for key in self._keys.accepted()):
                return True
            if not self._keys.refresh():
                return False


def _token(key: bytes, verification_id: str, generation: int) -> str:
    proof = _digest(key, b"link", verification_id, generation)[:16]
    return f"{verification_id}{generation}-{urlsafe_b64encode(proof).decode().rstrip('=')}"


def _code(key: bytes, verification_id: str, generation: int) -> str:
    number = int.from_bytes(_digest(key, b"code", verification_id, generation)[:8])
    return f"{number % 1_000_000:06}"


def _digest(key: bytes, purpose: bytes, verification_id: str, generation: int) -> bytes:
    return hmac.digest(key, b"%s\0%s\0%d" % (purpose, verification_id.encode(), generation), "sha256")


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def read_reference(text: str) -> str:
    """The verification id that a person typed: case, blanks, hyphens and look-alike letters do not matter."""
    return text.strip().lower().translate(_SPOKEN_ALIKE)
