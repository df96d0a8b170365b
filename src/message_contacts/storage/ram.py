"""What the operations of RAM read: users, their keys, policies, and who has which."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.access.model import AccessKey, Attachment, Policy, PolicyType, PolicyVersion, User
from message_contacts.storage.access import access_key_from_row
from message_contacts.storage.attachments import ATTACHMENT_COUNT, ATTACHMENTS, HOLDERS, attachment_from_row
from message_contacts.storage.engine import Database
from message_contacts.storage.policies import (
    POLICY,
    POLICY_PAGE,
    POLICY_VERSIONS,
    policy_from_row,
    policy_version_from_row,
)
from message_contacts.storage.users import USER, USER_BY_NAME, USER_PAGE, user_from_row

KEYS_OF_USER = """
    -- The keys of one user, oldest first. Found in the index, which SQLite would not use for whole rows.
    SELECT access_key.account_id, access_key.access_key_id, access_key.sealed_secret, access_key.status,
           access_key.created_at, access_key.version, access_key.user_id
      FROM access_key AS found
      JOIN access_key ON access_key.account_id = found.account_id AND access_key.access_key_id = found.access_key_id
     WHERE found.account_id = $1 AND found.user_id = $2
     ORDER BY access_key.created_at, access_key.access_key_id
"""

KEYS_OF_ACCOUNT = """
    -- The keys of the account itself, oldest first.
    SELECT account_id, access_key_id, sealed_secret, status, created_at, version, user_id FROM access_key
     WHERE account_id = $1 AND user_id IS NULL ORDER BY created_at, access_key_id
"""


class Ram:
    """`access.ram_store.RamStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def user(self, account_id: str, user_id: str) -> User | None:
        rows = await self._database.rows(USER, (account_id, user_id))
        return user_from_row(account_id, rows[0]) if rows else None

    async def user_by_name(self, account_id: str, name: str) -> User | None:
        rows = await self._database.rows(USER_BY_NAME, (account_id, name))
        return user_from_row(account_id, rows[0]) if rows else None

    async def user_page(self, account_id: str, *, after: str, limit: int) -> Sequence[User]:
        (rows,) = await self._database.report((USER_PAGE, (account_id, after, limit)))
        return [user_from_row(account_id, row) for row in rows]

    async def keys(self, account_id: str, user_id: str | None) -> Sequence[AccessKey]:
        if user_id is None:
            (rows,) = await self._database.report((KEYS_OF_ACCOUNT, (account_id,)))
        else:
            rows = await self._database.rows(KEYS_OF_USER, (account_id, user_id))
        return [access_key_from_row(row) for row in rows]

    async def policy(self, account_id: str, name: str) -> Policy | None:
        rows = await self._database.rows(POLICY, (account_id, name))
        return policy_from_row(account_id, rows[0]) if rows else None

    async def policy_page(self, account_id: str, *, after: str, limit: int) -> Sequence[tuple[Policy, int]]:
        (rows,) = await self._database.report((POLICY_PAGE, (account_id, after, limit)))
        return [(policy_from_row(account_id, row[:-1]), row[-1]) for row in rows]

    async def policy_with_versions(self, account_id: str, name: str) -> tuple[Policy | None, Sequence[PolicyVersion]]:
        policies, rows = await self._database.report(
            (POLICY, (account_id, name)), (POLICY_VERSIONS, (account_id, name))
        )
        policy = policy_from_row(account_id, policies[0]) if policies else None
        versions = [policy_version_from_row(account_id, name, row) for row in rows]
        return policy, sorted(versions, key=lambda version: int(version.version_id[1:]))  # v10 stands behind v2

    async def attachments(self, account_id: str, user_id: str) -> Sequence[Attachment]:
        rows = await self._database.rows(ATTACHMENTS, (account_id, user_id))
        found = [attachment_from_row(account_id, user_id, row) for row in rows]
        return sorted(found, key=lambda attachment: (attachment.attached_at, attachment.policy_name))

    async def attachment_count(self, account_id: str, policy_type: PolicyType, name: str) -> int:
        ((count,),) = await self._database.rows(ATTACHMENT_COUNT, (account_id, policy_type.value, name))
        return int(count)

    async def holders(self, account_id: str, policy_type: PolicyType, name: str) -> Sequence[tuple[User, Attachment]]:
        (rows,) = await self._database.report((HOLDERS, (account_id, policy_type.value, name)))
        return [
            (
                user_from_row(account_id, row[:9]),
                attachment_from_row(account_id, row[0], (policy_type.value, name, *row[9:])),
            )
            for row in rows
        ]
