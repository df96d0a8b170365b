"""What RAM users may do."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.access.grants import AttachedPolicy
from message_contacts.access.model import PolicyType
from message_contacts.storage.engine import Database

ATTACHED_POLICIES = """
    -- The policies attached to a user, each with its version in force; one row of nulls for a user without any.
    SELECT attachment.policy_type, attachment.policy_name, policy.default_version_id, in_force.document
      FROM ram_user
      LEFT JOIN policy_attachment AS attachment
        ON attachment.account_id = ram_user.account_id AND attachment.user_id = ram_user.user_id
      LEFT JOIN policy
        ON attachment.policy_type = 'Custom'
       AND policy.account_id = attachment.account_id AND policy.policy_name = attachment.policy_name
      LEFT JOIN policy_version AS in_force
        ON in_force.account_id = policy.account_id AND in_force.policy_name = policy.policy_name
       AND in_force.version_id = policy.default_version_id
     WHERE ram_user.account_id = $1 AND ram_user.user_id = $2
     ORDER BY attachment.policy_type, attachment.policy_name
"""


class Grants:
    """`access.grants.GrantStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def attached_policies(self, account_id: str, user_id: str) -> Sequence[AttachedPolicy] | None:
        rows = await self._database.rows(ATTACHED_POLICIES, (account_id, user_id))
        if not rows:
            return None
        return [
            AttachedPolicy(PolicyType(policy_type), policy_name, version_id or "", document or "")
            for policy_type, policy_name, version_id, document in rows
            if policy_type is not None
        ]
