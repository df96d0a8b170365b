"""Accounts, access keys, and nonces that were used."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.access.model import AccessKey, Account, KeyInPlace, KeyStatus
from message_contacts.clock import Clock
from message_contacts.directory.model import ResourceDirectory
from message_contacts.storage.engine import Database, Parameters, Row
from message_contacts.storage.records import Record
from message_contacts.storage.remembered import Remembered

_STATUSES = {status.value: status for status in KeyStatus}

ACCESS_KEY = """
    -- One access key by its id, whichever account it belongs to.
    SELECT account_id, access_key_id, sealed_secret, status, created_at, version, user_id FROM access_key
     WHERE access_key_id = $1
"""

KEY_IN_PLACE = """
    -- One access key by its id, whichever account it belongs to, with the directory of that account, if it has one.
    SELECT access_key.account_id, access_key_id, sealed_secret, status, access_key.created_at, access_key.version,
           user_id, directory_id, root_folder_id, account_name, resource_directory.created_at,
           resource_directory.version
      FROM access_key LEFT JOIN resource_directory ON resource_directory.account_id = access_key.account_id
     WHERE access_key_id = $1
"""

ACCESS_KEYS = """
    -- All keys of an account, oldest first.
    SELECT account_id, access_key_id, sealed_secret, status, created_at, version, user_id FROM access_key
     WHERE account_id = $1 ORDER BY created_at, access_key_id
"""

INSERT_ACCESS_KEY = """
    -- Add an access key.
    INSERT INTO access_key (sealed_secret, status, created_at, user_id, account_id, access_key_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

UPDATE_ACCESS_KEY = """
    -- Change an access key if nobody changed it since it was read.
    UPDATE access_key SET sealed_secret = $1, status = $2, created_at = $3, user_id = $4, version = version + 1
     WHERE account_id = $5 AND access_key_id = $6 AND version = $7
"""

DELETE_ACCESS_KEY = """
    -- Delete an access key if nobody changed it since it was read.
    DELETE FROM access_key WHERE account_id = $1 AND access_key_id = $2 AND version = $3
"""

RELY_ON_ACCESS_KEY = """
    -- Whether an access key is as it was read.
    SELECT 1 FROM access_key WHERE account_id = $1 AND access_key_id = $2 AND version = $3
"""

ACCOUNT = """
    -- One management account.
    SELECT account_id, name, created_at, version FROM account WHERE account_id = $1
"""

ACCOUNTS = """
    -- All management accounts, oldest first: for the operator.
    SELECT account_id, name, created_at, version FROM account ORDER BY created_at, account_id
"""

INSERT_ACCOUNT = """
    -- Add a management account.
    INSERT INTO account (name, created_at, account_id, version) VALUES ($1, $2, $3, $4)
"""

UPDATE_ACCOUNT = """
    -- Change a management account if nobody changed it since it was read.
    UPDATE account SET name = $1, created_at = $2, version = version + 1 WHERE account_id = $3 AND version = $4
"""

DELETE_ACCOUNT = """
    -- Delete a management account if nobody changed it since it was read.
    DELETE FROM account WHERE account_id = $1 AND version = $2
"""

RELY_ON_ACCOUNT = """
    -- Whether a management account is as it was read.
    SELECT 1 FROM account WHERE account_id = $1 AND version = $2
"""

NONCE = """
    -- Until when a nonce is in force, if a change with it was committed.
    SELECT expires_at FROM nonce WHERE digest = $1
"""


class Access:
    """`access.store.AccessStore`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._keys = Remembered(_key_in_place_from_row)

    async def access_key(self, access_key_id: str) -> AccessKey | None:
        rows = await self._database.rows(ACCESS_KEY, (access_key_id,))
        return access_key_from_row(rows[0]) if rows else None

    async def key_in_place(self, access_key_id: str) -> KeyInPlace | None:
        rows = await self._database.rows(KEY_IN_PLACE, (access_key_id,))
        return self._keys.value(access_key_id, rows[0]) if rows else None

    async def access_keys(self, account_id: str) -> Sequence[AccessKey]:
        return [access_key_from_row(row) for row in await self._database.rows(ACCESS_KEYS, (account_id,))]

    async def account(self, account_id: str) -> Account | None:
        rows = await self._database.rows(ACCOUNT, (account_id,))
        return _account_from_row(rows[0]) if rows else None

    async def accounts(self) -> Sequence[Account]:
        (rows,) = await self._database.report((ACCOUNTS, ()))
        return [_account_from_row(row) for row in rows]

    async def nonce_used(self, digest: bytes) -> bool:
        rows = await self._database.rows(NONCE, (digest,))
        # Compared here: PostgreSQL, when it does not know a table well, takes the index of the times for it.
        return bool(rows) and rows[0][0] > self._clock.now()


def access_key_from_row(row: Row) -> AccessKey:
    """The access key that a row of `access_key` holds."""
    account_id, access_key_id, sealed_secret, status, created_at, version, user_id = row
    return AccessKey(
        access_key_id=access_key_id,
        account_id=account_id,
        sealed_secret=sealed_secret,
        status=_STATUSES[status],
        created_at=created_at,
        version=version,
        user_id=user_id,
    )


def _key_in_place_from_row(row: Row) -> KeyInPlace:
    directory_id, root_folder_id, account_name, created_at, version = row[7:]
    key = access_key_from_row(row[:7])
    if directory_id is None:
        return KeyInPlace(key, None)
    directory = ResourceDirectory(
        account_id=key.account_id,
        directory_id=directory_id,
        root_folder_id=root_folder_id,
        account_name=account_name,
        created_at=created_at,
        version=version,
    )
    return KeyInPlace(key, directory)


def _account_from_row(row: Row) -> Account:
    account_id, name, created_at, version = row
    return Account(account_id=account_id, name=name, created_at=created_at, version=version)


def _access_key_key(key: AccessKey) -> Parameters:
    return key.account_id, key.access_key_id


def _access_key_values(key: AccessKey) -> Parameters:
    return key.sealed_secret, key.status.value, key.created_at, key.user_id


def _account_key(account: Account) -> Parameters:
    return (account.account_id,)


def _account_values(account: Account) -> Parameters:
    return account.name, account.created_at


ACCESS_KEY_RECORD: Record[AccessKey] = Record(
    insert=INSERT_ACCESS_KEY,
    update=UPDATE_ACCESS_KEY,
    delete=DELETE_ACCESS_KEY,
    rely_on=RELY_ON_ACCESS_KEY,
    key=_access_key_key,
    values=_access_key_values,
)
ACCOUNT_RECORD: Record[Account] = Record(
    insert=INSERT_ACCOUNT,
    update=UPDATE_ACCOUNT,
    delete=DELETE_ACCOUNT,
    rely_on=RELY_ON_ACCOUNT,
    key=_account_key,
    values=_account_values,
)
