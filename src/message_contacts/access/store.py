"""What access asks of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from message_contacts.access.model import AccessKey, Account, KeyInPlace


class AccessStore(Protocol):
    """Accounts and access keys. Changes go through `changes.Committer`."""

    async def access_key(self, access_key_id: str) -> AccessKey | None:
        """By its id, whichever account it belongs to: one of the few look-ups that name no tenant."""
        ...

    async def key_in_place(self, access_key_id: str) -> KeyInPlace | None:
        """The same with the directory of the key's account. An object unlike the one before only when they changed."""
        ...

    async def access_keys(self, account_id: str) -> Sequence[AccessKey]:
        """All keys of an account, oldest first."""
        ...

    async def account(self, account_id: str) -> Account | None:
        """A management account, or None."""
        ...

    async def accounts(self) -> Sequence[Account]:
        """All management accounts, oldest first: for the operator's command line only."""
        ...

    async def nonce_used(self, digest: bytes) -> bool:
        """Whether a change with this nonce was committed."""
        ...
