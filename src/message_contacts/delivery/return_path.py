"""The address to which a mail comes back: it says, signed, which delivery it was.

`bounce+<52 letters and digits>@<domain>`: tenant and delivery in 22 bytes, 10 bytes of proof, in lower case since
servers on the way may change that. Whoever has not had a mail of ours cannot make one; whoever has, only that mail's.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32decode, b32encode

from message_contacts.verification.tokens import ServerKeys

_PROOF_BYTES = 10
_TOKEN = re.compile(r"[a-z2-7]{52}")
_WRITTEN = re.compile(r"bounce\+[a-z2-7]{52}@[a-z0-9.\-]+", re.IGNORECASE)
_DELIVERY_ID = re.compile(r"d-[0-9a-f]{30}")
_LOCAL_PART = "bounce"
#: Further local parts that take reports; these have to hold a signed address inside.
_OPEN_LOCAL_PARTS = frozenset({_LOCAL_PART, "complaints"})


class ReturnPaths:
    """Makes and reads return paths."""

    def __init__(self, keys: ServerKeys, domain: str) -> None:
        """Take what it needs.

        Args:
            keys: Keys of 32 bytes that serve no other purpose: paths are made with the current one and read with any.
            domain: The setting BOUNCE_DOMAIN.
        """
        self._keys = keys
        self._domain = domain.lower()

    def address(self, account_id: str, delivery_id: str) -> str:
        """The return path of one delivery; the same for every try, until the key is replaced."""
        if not _DELIVERY_ID.fullmatch(delivery_id):
            raise ValueError(f"not the id of a delivery: {delivery_id!r}")
        packed = int(account_id).to_bytes(7) + bytes.fromhex(delivery_id[2:])
        token = b32encode(packed + _proof(self._keys.current(), packed)).decode("ascii").rstrip("=").lower()
        return f"{_LOCAL_PART}+{token}@{self._domain}"

    def read(self, address: str) -> tuple[str, str] | None:
        """Tenant and delivery of a return path made with one of the keys; None for anything else."""
        local_part, _, domain = address.strip().strip("<>").lower().rpartition("@")
        name, _, token = local_part.partition("+")
        if name != _LOCAL_PART or domain != self._domain or not _TOKEN.fullmatch(token):
            return None
        whole = b32decode(token.upper() + "====")
        packed, proof = whole[:-_PROOF_BYTES], whole[-_PROOF_BYTES:]
        if not self._is_ours(packed, proof):
            return None
        return f"{int.from_bytes(packed[:7]):016}", f"d-{packed[7:].hex()}"

    def takes(self, address: str) -> bool:
        """Whether reports may be sent to an address: a return path of ours, or one of the open ones."""
        local_part, _, domain = address.strip().strip("<>").lower().rpartition("@")
        if domain != self._domain:
            return False
        return local_part in _OPEN_LOCAL_PARTS or self.read(address) is not None

    def named_in(self, text: str) -> tuple[str, ...]:
        """The return paths of ours that stand in a text, each once."""
        return tuple(dict.fromkeys(found for found in _WRITTEN.findall(text) if self.read(found) is not None))

    def _is_ours(self, packed: bytes, proof: bytes) -> bool:
        while True:
            if any(hmac.compare_digest(_proof(key, packed), proof) for key in self._keys.accepted()):
                return True
            if not self._keys.refresh():
                return False


def _proof(key: bytes, packed: bytes) -> bytes:
    return hmac.digest(key, packed, "sha256")[:_PROOF_BYTES]
