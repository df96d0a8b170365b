"""Links and codes, derived from a server key: nothing that is stored opens one.

A retry of the same message derives the same link; asking again raises the generation and voids the earlier ones.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode

from message_contacts.ids import READABLE

_TOKEN = re.compile(rf"([{READABLE}]{{10}})([1-9][0-9]{{0,5}})-([A-Za-z0-9_\-]{{22}})")
_SPOKEN_ALIKE = str.maketrans({"o": "0", "i": "1", "l": "1", "u": "v", " ": "", "-": ""})


class Tokens:
    """Makes and reads the tokens and codes of verifications."""

    def __init__(self, key: bytes) -> None:
        """Take a key of 32 bytes that serves no other purpose."""
        self._key = key

    def token(self, verification_id: str, generation: int) -> str:
        """The secret part of a link: public id, generation and 128 bits that only this server can make."""
        proof = self._digest(b"link", verification_id, generation)[:16]
        return f"{verification_id}{generation}-{urlsafe_b64encode(proof).decode().rstrip('=')}"

    def code(self, verification_id: str, generation: int) -> str:
        """Six digits for a person who reads the message on one device and confirms on another."""
        number = int.from_bytes(self._digest(b"code", verification_id, generation)[:8])
        return f"{number % 1_000_000:06}"

    def read(self, token: str) -> tuple[str, int] | None:
        """Verification id and generation of a token made with this key; None for anything else."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        verification_id, generation = parts[1], int(parts[2])
        return (verification_id, generation) if self._same(self.token(verification_id, generation), token) else None

    def is_code(self, code: str, verification_id: str, generation: int) -> bool:
        """Whether these are the six digits, in constant time."""
        return self._same(self.code(verification_id, generation), code)

    def _digest(self, purpose: bytes, verification_id: str, generation: int) -> bytes:
        return hmac.digest(self._key, b"%s\0%s\0%d" % (purpose, verification_id.encode(), generation), "sha256")

    @staticmethod
    def _same(expected: str, given: str) -> bool:
        return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def read_reference(text: str) -> str:
    """The verification id that a person typed: case, blanks, hyphens and look-alike letters do not matter."""
    return text.strip().lower().translate(_SPOKEN_ALIKE)
