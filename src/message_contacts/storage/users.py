"""RAM users."""

from __future__ import annotations

from message_contacts.access.model import User
from message_contacts.storage.engine import Parameters, Row
from message_contacts.storage.records import Record

USER = """
    -- One user by its id.
    SELECT user_id, name, display_name, mobile_phone, email, comments, created_at, updated_at, version
      FROM ram_user WHERE account_id = $1 AND user_id = $2
"""

USER_BY_NAME = """
    -- One user by its name.
    SELECT user_id, name, display_name, mobile_phone, email, comments, created_at, updated_at, version
      FROM ram_user WHERE account_id = $1 AND name = $2
"""

USER_PAGE = """
    -- Users by name, behind a name.
    SELECT user_id, name, display_name, mobile_phone, email, comments, created_at, updated_at, version
      FROM ram_user WHERE account_id = $1 AND name > $2 ORDER BY name LIMIT $3
"""

INSERT_USER = """
    -- Add a user.
    INSERT INTO ram_user (name, display_name, mobile_phone, email, comments, created_at, updated_at,
                          account_id, user_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

UPDATE_USER = """
    -- Change a user if nobody changed it since it was read.
    UPDATE ram_user SET name = $1, display_name = $2, mobile_phone = $3, email = $4, comments = $5, created_at = $6,
                        updated_at = $7, version = version + 1
     WHERE account_id = $8 AND user_id = $9 AND version = $10
"""

DELETE_USER = """
    -- Delete a user if nobody changed it since it was read.
    DELETE FROM ram_user WHERE account_id = $1 AND user_id = $2 AND version = $3
"""

RELY_ON_USER = """
    -- Whether a user is as it was read.
    SELECT 1 FROM ram_user WHERE account_id = $1 AND user_id = $2 AND version = $3
"""


def user_from_row(account_id: str, row: Row) -> User:
    """The RAM user that a row holds."""
    user_id, name, display_name, mobile_phone, email, comments, created_at, updated_at, version = row
    return User(
        account_id=account_id,
        user_id=user_id,
        name=name,
        display_name=display_name,
        mobile_phone=mobile_phone,
        email=email,
        comments=comments,
        created_at=created_at,
        updated_at=updated_at,
        version=version,
    )


def _user_values(user: User) -> Parameters:
    return (
        user.name,
        user.display_name,
        user.mobile_phone,
        user.email,
        user.comments,
        user.created_at,
        user.updated_at,
    )


USER_RECORD: Record[User] = Record(
    insert=INSERT_USER,
    update=UPDATE_USER,
    delete=DELETE_USER,
    rely_on=RELY_ON_USER,
    key=lambda user: (user.account_id, user.user_id),
    values=_user_values,
)
