"""Sealing secrets anew after the server's key was replaced, while calls go on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from message_contacts.access.keys import SealBrokenError, Vault
from message_contacts.access.model import AccessKey
from message_contacts.access.store import AccessStore
from message_contacts.changes import Committer, Stale, Update
from message_contacts.clock import Instant

#: Secrets looked at, and at most sealed anew, at once.
_AT_ONCE = 100


class RotationStore(Protocol):
    """What hangs on the server's keys, of all tenants: for the operator's commands only."""

    async def access_keys_after(self, after: tuple[str, str], limit: int) -> Sequence[AccessKey]:
        """Access keys behind that account id and key id, in their order; ("", "") begins."""
        ...

    async def links_valid_until(self, *, sent_before: Instant, now: Instant) -> Instant | None:
        """When the last link of a message sent before that moment runs out; None when all have."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """How many secrets each key opens."""

    #: By the key itself.
    by_key: Counter[bytes]
    #: Access keys whose secrets no key opens.
    broken: tuple[str, ...]


async def count(store: RotationStore, vault: Vault) -> Sealed:
    """Which key opens how many secrets."""
    by_key: Counter[bytes] = Counter()
    broken: list[str] = []
    async for page in _pages(store):
        for key in page:
            try:
                position = vault.opened_by(key.sealed_secret, key.access_key_id)
                by_key[vault.keys[position]] += 1
            except SealBrokenError:
                broken.append(key.access_key_id)
    return Sealed(by_key=by_key, broken=tuple(broken))


async def reseal(
    store: RotationStore,
    access: AccessStore,
    committer: Committer,
    vault: Vault,
    *,
    progress: Callable[[int], None],
) -> int:
    """Seal every secret anew that the current key does not open; each commit holds a few, and none is ever unusable.

    It can be stopped at any moment and done again: what is done is done. Secrets that no key opens are left alone.

    Args:
        progress: Told now and then how many were sealed anew so far.
    Returns:
        How many were sealed anew.
    """
    done = 0
    async for page in _pages(store):
        old = [key for key in page if _has_old_seal(key, vault)]
        if old:
            done += sum(await asyncio.gather(*(_reseal(key, access, committer, vault) for key in old)))
            progress(done)
    return done


async def _reseal(key: AccessKey | None, access: AccessStore, committer: Committer, vault: Vault) -> bool:
    while key is not None and _has_old_seal(key, vault):
        secret = vault.open(key.sealed_secret, key.access_key_id)
        sealed = vault.seal(secret, key.access_key_id)
        try:
            # Straight to the store: for whoever asks the audit trail nothing has changed.
            await committer.commit((Update(key, replace(key, sealed_secret=sealed)),), None)
        except Stale:  # switched or deleted meanwhile
            key = await access.access_key(key.access_key_id)
        else:
            return True
    return False


def _has_old_seal(key: AccessKey, vault: Vault) -> bool:
    try:
        return vault.opened_by(key.sealed_secret, key.access_key_id) > 0
    except SealBrokenError:
        return False


async def _pages(store: RotationStore) -> AsyncIterator[Sequence[AccessKey]]:
    after = ("", "")
    while page := await store.access_keys_after(after, _AT_ONCE):
        yield page
        after = (page[-1].account_id, page[-1].access_key_id)
