"""Access keys and nonces in memory."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.access.model import AccessKey, Account, KeyInPlace


class FakeAccessStore:
    """An `AccessStore` made of dictionaries; counts how often nonces are looked up."""

    def __init__(self) -> None:
        self.keys: dict[str, AccessKey] = {}
        self.accounts_by_id: dict[str, Account] = {}
        self.nonces: set[bytes] = set()
        self.nonce_look_ups = 0

    async def access_key(self, access_key_id: str) -> AccessKey | None:
        return self.keys.get(access_key_id)

    async def key_in_place(self, access_key_id: str) -> KeyInPlace | None:
        key = self.keys.get(access_key_id)
        return None if key is None else KeyInPlace(key, None)

    async def access_keys(self, account_id: str) -> Sequence[AccessKey]:
        return [key for key in self.keys.values() if key.account_id == account_id]

    async def account(self, account_id: str) -> Account | None:
        return self.accounts_by_id.get(account_id)

    async def accounts(self) -> Sequence[Account]:
        return list(self.accounts_by_id.values())

    async def nonce_used(self, digest: bytes) -> bool:
        self.nonce_look_ups += 1
        return digest in self.nonces
