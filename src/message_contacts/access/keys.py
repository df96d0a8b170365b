"""Keys: the server's own, and the secrets of access keys, which only lie sealed.

One key of 32 bytes stands behind everything; each purpose has a key of its own, derived from it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from message_contacts.access.model import AccessKey, KeyStatus
from message_contacts.access.store import AccessStore

#: Bytes of the server's key and of each key derived from it.
KEY_BYTES = 32
_NONCE_BYTES = 12
_SECRETS_PURPOSE = "message-contacts access key secrets"


class SealBrokenError(Exception):
    """A sealed secret does not open: another ENCRYPTION_KEY, another access key, or it was changed."""


class Vault:
    """Seals and opens the secrets of access keys, and derives keys for other purposes."""

    def __init__(self, key: bytes) -> None:
        """Take the server's key, 32 random bytes (the setting ENCRYPTION_KEY)."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"an encryption key has {KEY_BYTES} bytes, not {len(key)}")
        self._key = key
        self._cipher = AESGCM(self.derive(_SECRETS_PURPOSE))

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose: always the same one, and telling nothing about the others."""
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(self._key)

    def seal(self, secret: str, access_key_id: str) -> bytes:
        """The secret as `AccessKey.sealed_secret` keeps it: nonce, ciphertext and tag, bound to the key id."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), access_key_id.encode())

    def open(self, sealed_secret: bytes, access_key_id: str) -> str:
        """The secret again.

        Raises: SealBrokenError.
        """
        nonce, ciphertext = sealed_secret[:_NONCE_BYTES], sealed_secret[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, access_key_id.encode()).decode()
        except (InvalidTag, ValueError) as broken:  # ValueError: too short to be sealed at all
            raise SealBrokenError(f"the secret of access key {access_key_id} does not open") from broken


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """An access key that exists, its secret open."""

    access_key_id: str
    #: The account that calls with it.
    account_id: str
    secret: str = field(repr=False)
    is_active: bool
    #: RAM user that calls with it; None: the account itself.
    user_id: str | None = None


class KeyRing:
    """Finds access keys. The store is asked each time, so that a revocation counts from the next call on."""

    def __init__(self, store: AccessStore, vault: Vault, *, remembered: int = 10_000) -> None:
        """Find keys in a store.

        Args:
            remembered: How many keys are kept open in memory; the oldest one gives way.
        """
        self._store = store
        self._vault = vault
        self._remembered = remembered
        self._known: dict[str, tuple[AccessKey, KnownKey]] = {}

    async def find(self, access_key_id: str) -> KnownKey | None:
        """The key of that id, active or not; None when there is none.

        Raises: SealBrokenError.
        """
        key = await self._store.access_key(access_key_id)
        if key is None:
            return None
        entry = self._known.get(access_key_id)
        # The whole stored key is compared: what was sealed for one access key must not open for another, known or not.
        if entry is not None and (entry[0] is key or entry[0] == key):
            return entry[1]
        known = KnownKey(
            access_key_id=key.access_key_id,
            account_id=key.account_id,
            secret=self._vault.open(key.sealed_secret, key.access_key_id),
            is_active=key.status is KeyStatus.ACTIVE,
            user_id=key.user_id,
        )
        if len(self._known) >= self._remembered and access_key_id not in self._known:
            del self._known[next(iter(self._known))]
        self._known[access_key_id] = (key, known)
        return known
