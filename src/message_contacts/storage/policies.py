"""Custom policies and their versions."""

from __future__ import annotations

from message_contacts.access.model import Policy, PolicyVersion
from message_contacts.storage.engine import Parameters, Row
from message_contacts.storage.records import Record

POLICY = """
    -- One custom policy.
    SELECT policy_name, description, default_version_id, versions_made, created_at, updated_at, version
      FROM policy WHERE account_id = $1 AND policy_name = $2
"""

POLICY_PAGE = """
    -- Custom policies by name, behind a name, each with the number of users that have it.
    SELECT policy_name, description, default_version_id, versions_made, created_at, updated_at, version,
           (SELECT count(*) FROM policy_attachment
             WHERE policy_attachment.account_id = policy.account_id AND policy_type = 'Custom'
               AND policy_attachment.policy_name = policy.policy_name)
      FROM policy WHERE account_id = $1 AND policy_name > $2 ORDER BY policy_name LIMIT $3
"""

INSERT_POLICY = """
    -- Add a custom policy.
    INSERT INTO policy (description, default_version_id, versions_made, created_at, updated_at,
                        account_id, policy_name, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

UPDATE_POLICY = """
    -- Change a custom policy if nobody changed it since it was read.
    UPDATE policy SET description = $1, default_version_id = $2, versions_made = $3, created_at = $4, updated_at = $5,
                      version = version + 1
     WHERE account_id = $6 AND policy_name = $7 AND version = $8
"""

DELETE_POLICY = """
    -- Delete a custom policy if nobody changed it since it was read.
    DELETE FROM policy WHERE account_id = $1 AND policy_name = $2 AND version = $3
"""

RELY_ON_POLICY = """
    -- Whether a custom policy is as it was read.
    SELECT 1 FROM policy WHERE account_id = $1 AND policy_name = $2 AND version = $3
"""

POLICY_VERSIONS = """
    -- The versions of a custom policy; there are few.
    SELECT version_id, document, created_at, version FROM policy_version WHERE account_id = $1 AND policy_name = $2
"""

INSERT_POLICY_VERSION = """
    -- Add a version of a custom policy.
    INSERT INTO policy_version (document, created_at, account_id, policy_name, version_id, version)
    VALUES ($1, $2, $3, $4, $5, $6)
"""

UPDATE_POLICY_VERSION = """
    -- Change a version of a custom policy if nobody changed it since it was read.
    UPDATE policy_version SET document = $1, created_at = $2, version = version + 1
     WHERE account_id = $3 AND policy_name = $4 AND version_id = $5 AND version = $6
"""

DELETE_POLICY_VERSION = """
    -- Delete a version of a custom policy if nobody changed it since it was read.
    DELETE FROM policy_version WHERE account_id = $1 AND policy_name = $2 AND version_id = $3 AND version = $4
"""

RELY_ON_POLICY_VERSION = """
    -- Whether a version of a custom policy is as it was read.
    SELECT 1 FROM policy_version WHERE account_id = $1 AND policy_name = $2 AND version_id = $3 AND version = $4
"""


def policy_from_row(account_id: str, row: Row) -> Policy:
    """The custom policy that a row holds."""
    name, description, default_version_id, versions_made, created_at, updated_at, version = row
    return Policy(
        account_id=account_id,
        name=name,
        description=description,
        default_version_id=default_version_id,
        versions_made=versions_made,
        created_at=created_at,
        updated_at=updated_at,
        version=version,
    )


def policy_version_from_row(account_id: str, policy_name: str, row: Row) -> PolicyVersion:
    """The version of a policy that a row holds."""
    version_id, document, created_at, version = row
    return PolicyVersion(
        account_id=account_id,
        policy_name=policy_name,
        version_id=version_id,
        document=document,
        created_at=created_at,
        version=version,
    )


def _policy_values(policy: Policy) -> Parameters:
    return (
        policy.description,
        policy.default_version_id,
        policy.versions_made,
        policy.created_at,
        policy.updated_at,
    )


def _policy_version_key(version: PolicyVersion) -> Parameters:
    return version.account_id, version.policy_name, version.version_id


POLICY_RECORD: Record[Policy] = Record(
    insert=INSERT_POLICY,
    update=UPDATE_POLICY,
    delete=DELETE_POLICY,
    rely_on=RELY_ON_POLICY,
    key=lambda policy: (policy.account_id, policy.name),
    values=_policy_values,
)
POLICY_VERSION_RECORD: Record[PolicyVersion] = Record(
    insert=INSERT_POLICY_VERSION,
    update=UPDATE_POLICY_VERSION,
    delete=DELETE_POLICY_VERSION,
    rely_on=RELY_ON_POLICY_VERSION,
    key=_policy_version_key,
    values=lambda version: (version.document, version.created_at),
)
