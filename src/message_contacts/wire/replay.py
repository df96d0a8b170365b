"""Nonces already seen, in little memory.

What this process remembers is bounded: a difference from the vendor's service, where a nonce counts as used for the
whole window however many calls there are. Changes do not depend on it: their nonces are in the database as well.
"""

from __future__ import annotations

from hashlib import blake2b

from message_contacts.access.model import Caller

_ENTRY = 8
_ENTRIES_OF_A_SHELF = 64


def nonce_digest(caller: Caller, nonce: str) -> bytes:
    """16 bytes that stand for this nonce of this access key, the same ones in every process."""
    return blake2b(f"{caller.access_key_id}\0{nonce}".encode(), digest_size=16).digest()


class NonceMemory:
    """The last nonces of this process, about as many as its capacity; the oldest ones give way.

    Eight bytes are kept of each, on shelves of 64 in the order in which they came, so that a full memory of 1,000,000
    takes some 10 MB, an empty one next to nothing, and a look-up is a search through at most 512 bytes.
    """

    def __init__(self, capacity: int = 1_000_000) -> None:
        """Remember that many nonces."""
        shelves = max(1, capacity // _ENTRIES_OF_A_SHELF)
        self._full = capacity // shelves * _ENTRY
        self._shelves: list[bytearray | None] = [None] * shelves

    def first_sight(self, digest: bytes) -> bool:
        """Whether this nonce is not among the remembered ones; from now on it is."""
        entry = digest[:_ENTRY]
        # Python's own hash is keyed anew in each process: nobody outside can fill one shelf on purpose.
        position = hash(digest) % len(self._shelves)
        shelf = self._shelves[position]
        if shelf is None:
            self._shelves[position] = bytearray(entry)
            return True
        # A match across two entries would be a false one; with 8 random bytes it does not happen in a server's life.
        if entry in shelf:
            return False
        if len(shelf) >= self._full:
            del shelf[:_ENTRY]
        shelf += entry
        return True
