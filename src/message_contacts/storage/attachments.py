"""Which policies users have."""

from __future__ import annotations

from message_contacts.access.model import Attachment, PolicyType
from message_contacts.storage.engine import Parameters, Row
from message_contacts.storage.records import Record

ATTACHMENTS = """
    -- Policies that a user has.
    SELECT policy_type, policy_name, attached_at, version FROM policy_attachment WHERE account_id = $1 AND user_id = $2
"""

ATTACHMENT_COUNT = """
    -- How many users have a policy.
    SELECT count(*) FROM policy_attachment WHERE account_id = $1 AND policy_type = $2 AND policy_name = $3
"""

HOLDERS = """
    -- The users that have a policy, by user id.
    SELECT ram_user.user_id, ram_user.name, ram_user.display_name, ram_user.mobile_phone, ram_user.email,
           ram_user.comments, ram_user.created_at, ram_user.updated_at, ram_user.version,
           policy_attachment.attached_at, policy_attachment.version
      FROM policy_attachment
      JOIN ram_user ON ram_user.account_id = policy_attachment.account_id
                   AND ram_user.user_id = policy_attachment.user_id
     WHERE policy_attachment.account_id = $1 AND policy_type = $2 AND policy_name = $3
     ORDER BY policy_attachment.user_id
"""

INSERT_ATTACHMENT = """
    -- Give a user a policy.
    INSERT INTO policy_attachment (attached_at, account_id, user_id, policy_type, policy_name, version)
    VALUES ($1, $2, $3, $4, $5, $6)
"""

UPDATE_ATTACHMENT = """
    -- Change when a user got a policy, if nobody changed it since it was read.
    UPDATE policy_attachment SET attached_at = $1, version = version + 1
     WHERE account_id = $2 AND user_id = $3 AND policy_type = $4 AND policy_name = $5 AND version = $6
"""

DELETE_ATTACHMENT = """
    -- Take a policy from a user if nobody changed that since it was read.
    DELETE FROM policy_attachment
     WHERE account_id = $1 AND user_id = $2 AND policy_type = $3 AND policy_name = $4 AND version = $5
"""

RELY_ON_ATTACHMENT = """
    -- Whether a user has a policy as it was read.
    SELECT 1 FROM policy_attachment
     WHERE account_id = $1 AND user_id = $2 AND policy_type = $3 AND policy_name = $4 AND version = $5
"""


def attachment_from_row(account_id: str, user_id: str, row: Row) -> Attachment:
    """The attachment that a row holds."""
    policy_type, policy_name, attached_at, version = row
    return Attachment(
        account_id=account_id,
        user_id=user_id,
        policy_type=PolicyType(policy_type),
        policy_name=policy_name,
        attached_at=attached_at,
        version=version,
    )


def _attachment_key(attachment: Attachment) -> Parameters:
    return attachment.account_id, attachment.user_id, attachment.policy_type.value, attachment.policy_name


ATTACHMENT_RECORD: Record[Attachment] = Record(
    insert=INSERT_ATTACHMENT,
    update=UPDATE_ATTACHMENT,
    delete=DELETE_ATTACHMENT,
    rely_on=RELY_ON_ATTACHMENT,
    key=_attachment_key,
    values=lambda attachment: (attachment.attached_at,),
)
