"""How "this was not me" outlives the person's erasure: as a slow, salted digest in the place of the address.

The wish has to be honoured when the address turns up again, so it must be possible to test an address against it; it
must not be possible to read the address, nor to try all phone numbers in an afternoon. The digest rests on no key of
the server, because it has to outlive every key.
"""

from __future__ import annotations

import hashlib

_PREFIX = "erased:"
_SALT_BYTES = 16
# 16 MiB and about a tenth of a second a try (RFC 7914). Asked only in accounts in which such a block exists.
_COST, _BLOCK_SIZE, _LANES = 2**14, 8, 1


def erased_key(address_key: str, salt: bytes) -> str:
    """What stands in `Block.address_key` for an erased address; no address begins like it. Takes a tenth of a second.

    Args:
        salt: 16 random bytes; all erased addresses of one account and channel share them.
    """
    digest = hashlib.scrypt(address_key.encode(), salt=salt, n=_COST, r=_BLOCK_SIZE, p=_LANES, dklen=32)
    return f"{_PREFIX}{salt.hex()}:{digest.hex()}"


def is_erased(address_key: str) -> bool:
    """Whether it stands for an erased address."""
    return address_key.startswith(_PREFIX)


def salt_of(key: str) -> bytes:
    """The salt in what `erased_key` made."""
    return bytes.fromhex(key.removeprefix(_PREFIX)[: 2 * _SALT_BYTES])
