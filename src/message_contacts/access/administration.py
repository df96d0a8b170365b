"""Accounts and access keys as the operator of the service manages them: `message-contacts account`, `access-key`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from message_contacts.access.keys import Vault
from message_contacts.access.model import AccessKey, Account, KeyStatus
from message_contacts.access.store import AccessStore
from message_contacts.changes import Cause, Change, CountUp, Decision, Delete, Insert, RelyOn, Settler, Update
from message_contacts.clock import Clock
from message_contacts.directory.model import ACCOUNT_ID
from message_contacts.errors import ApiError, ErrorDefinition
from message_contacts.ids import Ids

#: Never leaves this module: tells two processes that start at the same time on an empty database apart.
_FIRST_START_DONE = ErrorDefinition(409, "FirstStartDone", "Another process has made the first account.")


class AdministrationError(Exception):
    """Something the operator asked for cannot be done; the text says why."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """An access key whose secret is shown this once."""

    access_key_id: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    """What only the operator of the service may do."""

    store: AccessStore
    vault: Vault
    settler: Settler
    clock: Clock
    ids: Ids

    async def create_first_account(
        self,
        name: str,
        *,
        account_id: str | None,
        key: NewKey | None,
        also: Callable[[Account], tuple[Change, ...]],
    ) -> NewKey | None:
        """What the very first start makes, in one commit: an account, its key, and what goes with it.

        Args:
            key: Id and secret to use; drawn at random when absent.
            also: More changes that belong to the account, such as its directory.
        Returns:
            The account's key; None when an earlier start, or another process, has made an account.
        """

        async def read() -> Sequence[Account]:
            return await self.store.accounts()

        def decide(accounts: Sequence[Account]) -> Decision[NewKey | None]:
            if accounts:
                return Decision((), None)
            account = Account(account_id=account_id or self.ids.account(), name=name, created_at=self.clock.now())
            only_once = CountUp("", "first start", "", 1, _FIRST_START_DONE)
            new = key or NewKey(self.ids.access_key(), self.ids.access_key_secret())
            key_row = Insert(self._sealed(account.account_id, new))
            return Decision((only_once, Insert(account), key_row, *also(account)), new)

        try:
            return await self.settler.settle(read, decide, cause=Cause(operation="first-start"))
        except ApiError as refusal:
            if refusal.definition is not _FIRST_START_DONE:
                raise
            return None

    async def create_account(self, name: str, *, account_id: str | None = None) -> Account:
        """A new management account, without keys and without a directory.

        Raises: AdministrationError when the id is malformed or taken.
        """
        if account_id is not None and not ACCOUNT_ID.fullmatch(account_id):
            raise AdministrationError(f"An account id has 16 digits; {account_id!r} has not.")
        if not name.strip():
            raise AdministrationError("An account needs a name.")

        async def read() -> Account | None:
            return await self.store.account(account_id) if account_id else None

        def decide(taken: Account | None) -> Decision[Account]:
            if taken is not None:
                raise AdministrationError(f"Account {account_id} exists already.")
            account = Account(
                account_id=account_id or self.ids.account(), name=name.strip(), created_at=self.clock.now()
            )
            return Decision((Insert(account),), account)

        return await self.settler.settle(read, decide, cause=_by_operator("create-account"))

    async def accounts(self) -> Sequence[Account]:
        """All management accounts, oldest first."""
        return await self.store.accounts()

    async def create_access_key(self, account_id: str, *, key: NewKey | None = None) -> NewKey:
        """A new active key of an account: a management account, or a member of a directory.

        Args:
            key: Id and secret to use; drawn at random when absent.
        Raises: AdministrationError when the account id is malformed or the key id is taken.
        """
        if not ACCOUNT_ID.fullmatch(account_id):
            raise AdministrationError(f"An account id has 16 digits; {account_id!r} has not.")

        async def read() -> AccessKey | None:
            return await self.store.access_key(key.access_key_id) if key else None

        def decide(taken: AccessKey | None) -> Decision[NewKey]:
            if taken is not None:
                raise AdministrationError(f"Access key {taken.access_key_id} exists already.")
            new = key or NewKey(self.ids.access_key(), self.ids.access_key_secret())
            return Decision((Insert(self._sealed(account_id, new)),), new)

        return await self.settler.settle(read, decide, cause=_by_operator("create-access-key"))

    async def rotate_access_key(self, access_key_id: str) -> tuple[str, NewKey]:
        """A new active key for whoever calls with this one, which stays as it is; and the account it belongs to.

        Raises: AdministrationError when there is no such key.
        """

        def decide(old: AccessKey | None) -> Decision[tuple[str, NewKey]]:
            if old is None:
                raise _unknown(access_key_id)
            new = NewKey(self.ids.access_key(), self.ids.access_key_secret())
            row = replace(self._sealed(old.account_id, new), user_id=old.user_id)
            return Decision((Insert(row), RelyOn(old)), (old.account_id, new))

        # The old key stays as it is, and yet whoever looks for it has to find when it was replaced.
        cause = _by_operator("rotate-access-key", about=(access_key_id,))
        return await self.settler.settle(lambda: self.store.access_key(access_key_id), decide, cause=cause)

    async def access_keys(self, account_id: str) -> Sequence[AccessKey]:
        """The keys of an account, oldest first."""
        return await self.store.access_keys(account_id)

    async def set_access_key_status(self, access_key_id: str, status: KeyStatus) -> None:
        """Switch a key on or off; in force at once in every process. Raises: AdministrationError when unknown."""
        await self.settler.settle(
            lambda: self.store.access_key(access_key_id),
            lambda key: _changed(key, access_key_id, status),
            cause=_by_operator("set-access-key-status"),
        )

    async def delete_access_key(self, access_key_id: str) -> None:
        """Remove a key for good. Raises: AdministrationError when unknown."""

        def decide(key: AccessKey | None) -> Decision[None]:
            if key is None:
                raise _unknown(access_key_id)
            return Decision((Delete(key),), None)

        await self.settler.settle(
            lambda: self.store.access_key(access_key_id), decide, cause=_by_operator("delete-access-key")
        )

    def _sealed(self, account_id: str, key: NewKey) -> AccessKey:
        return AccessKey(
            access_key_id=key.access_key_id,
            account_id=account_id,
            sealed_secret=self.vault.seal(key.secret, key.access_key_id),
            status=KeyStatus.ACTIVE,
            created_at=self.clock.now(),
        )


def _by_operator(act: str, *, about: tuple[str, ...] = ()) -> Cause:
    """What the audit trail says of the operator of the service."""
    return Cause(operation=f"operator:{act}", about=about)


def _changed(key: AccessKey | None, access_key_id: str, status: KeyStatus) -> Decision[None]:
    if key is None:
        raise _unknown(access_key_id)
    if key.status is status:
        return Decision((), None)
    return Decision((Update(key, replace(key, status=status)),), None)


def _unknown(access_key_id: str) -> AdministrationError:
    return AdministrationError(f"There is no access key {access_key_id}.")
