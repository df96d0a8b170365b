"""HMAC-SHA256 by hand: the library's takes about twice as long, and every call and every change makes some."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

#: Bytes of a block of SHA-256.
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class MacKey(NamedTuple):
    """A key, ready for any number of texts."""

    inner: bytes
    outer: bytes

    @classmethod
    def of(cls, key: bytes) -> MacKey:
        """Take a key of any length."""
        block = (key if len(key) <= _BLOCK else sha256(key).digest()).ljust(_BLOCK, b"\0")
        return cls(block.translate(_INNER), block.translate(_OUTER))

    def hexdigest(self, text: bytes) -> str:
        """HMAC-SHA256 of a text, in lower-case hexadecimal digits."""
        return sha256(self.outer + sha256(self.inner + text).digest()).hexdigest()
