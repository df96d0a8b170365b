"""Sealing secrets anew after the server's key was replaced, while calls go on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from message_contacts.access.keys import SealBrokenError, Vault
from message_contacts.access.model import AccessKey
from message_contacts.access.store import AccessStore
from message_contacts.changes import Committer, Stale, Update
from message_contacts.clock import Instant

#: Rows looked at, and at most sealed anew, at once.
_AT_ONCE = 100
Row = TypeVar("Row")


class RotationStore(Protocol):
    """What hangs on the server's keys, of all tenants: for the operator's commands only."""

    async def access_keys_after(self, after: tuple[str, str], limit: int) -> Sequence[AccessKey]:
        """Access keys behind that account id and key id, in their order; ("", "") begins."""
        ...

    async def links_valid_until(self, *, sent_before: Instant, now: Instant, codes_valid_for: int) -> Instant | None:
        """When the last verification link or code that was asked for before that moment runs out; None when all have.

        Args:
            codes_valid_for: Milliseconds for which codes of webhooks and fallback addresses are good.
        """
        ...

    async def last_published(self, *, before: Instant) -> Instant | None:
        """When the last message was published before that moment, of those on record; None when there is none."""
        ...


class SealedRows(Protocol[Row]):
    """One kind of rows that hold something sealed."""

    @property
    def noun(self) -> str:
        """What one of them is called where the operator reads it."""
        ...

    async def after(self, after: tuple[str, str], limit: int) -> Sequence[Row]:
        """Rows of all tenants behind that place, in their order; ("", "") begins."""
        ...

    async def again(self, row: Row) -> Row | None:
        """The row as it is now; None when it is gone."""
        ...

    def place(self, row: Row) -> tuple[str, str]:
        """Account id, and the id that an operator knows the row by."""
        ...

    def opened_by(self, row: Row) -> Sequence[bytes]:
        """For each secret in the row, the key that opens it.

        Raises: SealBrokenError when none opens one of them.
        """
        ...

    def sealed_anew(self, row: Row) -> Row:
        """The row with every secret sealed with the current key.

        Raises: SealBrokenError.
        """
        ...


@dataclass(frozen=True, slots=True)
class SealedAccessKeys:
    """`SealedRows` of access keys: one secret each."""

    store: RotationStore
    access: AccessStore
    vault: Vault
    noun: str = "access key"

    async def after(self, after: tuple[str, str], limit: int) -> Sequence[AccessKey]:
        return await self.store.access_keys_after(after, limit)

    async def again(self, row: AccessKey) -> AccessKey | None:
        return await self.access.access_key(row.access_key_id)

    def place(self, row: AccessKey) -> tuple[str, str]:
        return row.account_id, row.access_key_id

    def opened_by(self, row: AccessKey) -> Sequence[bytes]:
        return (self.vault.opened_by(row.sealed_secret, row.access_key_id),)

    def sealed_anew(self, row: AccessKey) -> AccessKey:
        secret = self.vault.open(row.sealed_secret, row.access_key_id)
        return replace(row, sealed_secret=self.vault.seal(secret, row.access_key_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A row of which no key opens a secret."""

    #: `SealedRows.noun`
    noun: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """How many secrets each key opens."""

    #: By the key itself.
    by_key: Counter[bytes]
    broken: tuple[Broken, ...]


async def count(kinds: Iterable[SealedRows[Any]]) -> Sealed:
    """Which key opens how many secrets."""
    by_key: Counter[bytes] = Counter()
    broken: list[Broken] = []
    for rows in kinds:
        async for page in _pages(rows):
            for row in page:
                try:
                    by_key.update(rows.opened_by(row))
                except SealBrokenError:
                    broken.append(Broken(noun=rows.noun, id=rows.place(row)[1]))
    return Sealed(by_key=by_key, broken=tuple(broken))


async def reseal(
    kinds: Iterable[SealedRows[Any]],
    committer: Committer,
    vault: Vault,
    *,
    progress: Callable[[int], None],
) -> int:
    """Seal every secret anew that the current key does not open; each commit holds a few, and none is ever unusable.

    It can be stopped at any moment and done again: what is done is done. Rows that no key opens are left alone.

    Args:
        progress: Told now and then how many were sealed anew so far.
    Returns:
        How many were sealed anew.
    """
    done = 0
    for rows in kinds:
        async for page in _pages(rows):
            old = [row for row in page if _old_seals(rows, row, vault)]
            if old:
                done += sum(await asyncio.gather(*(_reseal(rows, row, committer, vault) for row in old)))
                progress(done)
    return done


async def _reseal(rows: SealedRows[Row], row: Row | None, committer: Committer, vault: Vault) -> int:
    while row is not None and (old := _old_seals(rows, row, vault)):
        try:
            # Straight to the store: for whoever asks the audit trail nothing has changed.
            await committer.commit((Update(row, rows.sealed_anew(row)),), None)
        except Stale:  # changed or deleted meanwhile
            row = await rows.again(row)
        else:
            return old
    return 0


def _old_seals(rows: SealedRows[Row], row: Row, vault: Vault) -> int:
    """How many secrets of a row an earlier key opens; 0 for a row that has to be left alone."""
    try:
        return sum(key != vault.keys[0] for key in rows.opened_by(row))
    except SealBrokenError:
        return 0


async def _pages(rows: SealedRows[Row]) -> AsyncIterator[Sequence[Row]]:
    after = ("", "")
    while page := await rows.after(after, _AT_ONCE):
        yield page
        after = rows.place(page[-1])
