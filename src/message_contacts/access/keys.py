"""Keys: the server's own, and the secrets of access keys and of others, which only lie sealed.

One key of 32 bytes stands behind everything; each purpose has a key of its own, derived from it. While that key is
being replaced there are several: the first one makes, the others still open.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from message_contacts.access.model import KeyInPlace, KeyStatus
from message_contacts.access.store import AccessStore
from message_contacts.directory.model import ResourceDirectory
from message_contacts.quick import quickly_made
from message_contacts.recent import Recent

#: Bytes of the server's key and of each key derived from it.
KEY_BYTES = 32
_NONCE_BYTES = 12
# Members by names of their own: Python 3.11 takes about ten times as long to find one in its class.
_ACTIVE = KeyStatus.ACTIVE
_SECRETS_PURPOSE = "message-contacts access key secrets"


class SealBrokenError(Exception):
    """A sealed secret does not open: another ENCRYPTION_KEY, a secret of something else, or it was changed."""


class Vault:
    """Knows the server's keys, seals and opens the secrets of access keys, and derives keys for other purposes.

    It seals with the first of its keys and opens with any of them, so that the key can be replaced while everything
    goes on. A vault that is told how to look for newer keys does so before it makes anything and before it gives up.
    """

    def __init__(self, *keys: bytes, newer: Callable[[], Sequence[bytes] | None] | None = None) -> None:
        """Take the server's keys of 32 random bytes each: the current one, then those that are still accepted.

        Args:
            newer: All keys in that order if they may have changed since it was last asked, else None. It is asked
                whenever something does not open, so it has to be quick.
        """
        self._newer = newer
        self._use(keys)
        self._secrets = self.seals()

    def refresh(self) -> bool:
        """Look for newer keys; whether there are other ones now."""
        keys = None if self._newer is None else self._newer()
        if keys is None or tuple(keys) == self._keys:
            return False
        self._use(keys)
        return True

    def derived(self, *purposes: str) -> DerivedKeys:
        """The keys for one purpose, as they are now and will be after a rotation.

        There is no other way to a key: one that is kept without looking here again would be another one after the next
        start, and open nothing of what it made.

        Args:
            purposes: What they are for; each further one is within the one before it.
        """
        return DerivedKeys(self, *purposes)

    def seals(self, *purposes: str) -> Seals:
        """What seals and opens secrets of a kind, with keys of their own; without a purpose, those of access keys."""
        return Seals(self.derived(*purposes, _SECRETS_PURPOSE))

    def seal(self, secret: str, access_key_id: str) -> bytes:
        """The secret as `AccessKey.sealed_secret` keeps it, bound to the key id."""
        return self._secrets.seal(secret, access_key_id)

    def open(self, sealed_secret: bytes, access_key_id: str) -> str:
        """The secret again.

        Raises: SealBrokenError.
        """
        return self._secrets.open(sealed_secret, access_key_id)

    def opened_by(self, sealed_secret: bytes, access_key_id: str) -> bytes:
        """Which of `keys` opens a secret.

        Raises: SealBrokenError.
        """
        return self._secrets.opened_by(sealed_secret, access_key_id)

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The server's keys, the current one first."""
        return self._keys

    def _use(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("a vault needs a key")
        for key in keys:
            if len(key) != KEY_BYTES:
                raise ValueError(f"an encryption key has {KEY_BYTES} bytes, not {len(key)}")
        self._keys = tuple(dict.fromkeys(keys))


class DerivedKeys:
    """Keys for one purpose, one for each key of a vault; they follow the vault when its key is rotated."""

    def __init__(self, vault: Vault, *purposes: str) -> None:
        self._vault = vault
        self._purposes = purposes
        self._made_of: tuple[bytes, ...] = ()
        self._keys: tuple[bytes, ...] = ()

    def current(self) -> bytes:
        """The key to make something with."""
        self._vault.refresh()
        return self.accepted()[0]

    def accepted(self) -> tuple[bytes, ...]:
        """The keys that something may have been made with, the current one first."""
        if self._made_of is not self._vault.keys:
            self._made_of = self._vault.keys
            self._keys = tuple(derived(key, *self._purposes) for key in self._made_of)
        return self._keys

    def refresh(self) -> bool:
        """Look for newer keys, after something did not fit any; whether there are other ones now."""
        return self._vault.refresh()

    def made_of(self, position: int) -> bytes:
        """The vault's key behind one of `accepted`."""
        return self._made_of[position]


class Seals:
    """Seals and opens secrets of one kind. What is sealed under one name does not open under another."""

    def __init__(self, keys: DerivedKeys) -> None:
        self._keys = keys
        self._made_of: tuple[bytes, ...] = ()
        self._made: list[AESGCM] = []

    def seal(self, secret: str, name: str) -> bytes:
        """Nonce, ciphertext and tag, bound to the name of what the secret is of."""
        # A key that was replaced seals nothing any more, not even in a process that has not met the newer one.
        self._keys.refresh()
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ciphers()[0].encrypt(nonce, secret.encode(), name.encode())

    def open(self, sealed: bytes, name: str) -> str:
        """The secret again.

        Raises: SealBrokenError.
        """
        return self._opened(sealed, name)[0]

    def opened_by(self, sealed: bytes, name: str) -> bytes:
        """Which key of the vault opens a secret.

        Raises: SealBrokenError.
        """
        return self._keys.made_of(self._opened(sealed, name)[1])

    def _opened(self, sealed: bytes, name: str) -> tuple[str, int]:
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        while True:
            for position, cipher in enumerate(self._ciphers()):
                try:
                    return cipher.decrypt(nonce, ciphertext, name.encode()).decode(), position
                except (InvalidTag, ValueError):  # ValueError: too short to be sealed at all
                    continue
            if not self._keys.refresh():
                raise SealBrokenError(f"the secret of {name} does not open")

    def _ciphers(self) -> list[AESGCM]:
        keys = self._keys.accepted()
        if self._made_of != keys:
            self._made_of, self._made = keys, [AESGCM(key) for key in keys]
        return self._made


def derived(key: bytes, *purposes: str) -> bytes:
    """A key of 32 bytes for one purpose: always the same one, and telling nothing about the others."""
    for purpose in purposes:
        key = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(key)
    return key


@quickly_made
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
    #: The account's directory at the time of the look-up; None when it had none.
    directory: ResourceDirectory | None = field(default=None, repr=False)


class KeyRing:
    """Finds access keys. The store is asked each time, so that a revocation counts from the next call on."""

    def __init__(self, store: AccessStore, vault: Vault, *, remembered: int = 10_000) -> None:
        """Find keys in a store.

        Args:
            remembered: How many keys are kept open in memory.
        """
        self._store = store
        self._vault = vault
        self._known: Recent[tuple[KeyInPlace, KnownKey]] = Recent(remembered)

    async def find(self, access_key_id: str) -> KnownKey | None:
        """The key of that id, active or not; None when there is none.

        Raises: SealBrokenError.
        """
        found = await self._store.key_in_place(access_key_id)
        if found is None:
            return None
        entry = self._known.get(access_key_id)
        # The whole stored key is compared: what was sealed for one access key must not open for another, known or not.
        if entry is not None and (entry[0] is found or entry[0] == found):
            return entry[1]
        key = found.key
        known = KnownKey(
            access_key_id=key.access_key_id,
            account_id=key.account_id,
            secret=self._vault.open(key.sealed_secret, key.access_key_id),
            is_active=key.status is _ACTIVE,
            user_id=key.user_id,
            directory=found.directory,
        )
        self._known.put(access_key_id, (found, known))
        return known
