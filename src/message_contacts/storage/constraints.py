"""Names of the constraints whose refusal means something of its own, and what it means.

Kept apart from `schema` because that imports SQLAlchemy, which a running server does without.
"""

from __future__ import annotations

from collections.abc import Mapping

from message_contacts import errors
from message_contacts.access import ram_errors
from message_contacts.errors import ErrorDefinition

UNIQUE_CONTACT_NAME = "unique_contact_name"
UNIQUE_FOLDER_NAME = "unique_folder_name"
UNIQUE_MEMBER_DISPLAY_NAME = "unique_member_display_name"
UNIQUE_MEMBER_ACCOUNT_NAME = "unique_member_account_name"
UNIQUE_USER_NAME = "unique_user_name"
UNIQUE_WEBHOOK_NAME = "unique_webhook_name"

#: A refusal by any other constraint means that the ground has moved: decide again.
REFUSALS: Mapping[str, ErrorDefinition] = {
    UNIQUE_CONTACT_NAME: errors.INVALID_PARAMETER_NAME_ALREADY_USED,
    UNIQUE_FOLDER_NAME: errors.INVALID_PARAMETER_FOLDER_NAME_ALREADY_USED,
    UNIQUE_MEMBER_DISPLAY_NAME: errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED,
    UNIQUE_MEMBER_ACCOUNT_NAME: errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY_ACCOUNT,
    UNIQUE_USER_NAME: ram_errors.ENTITY_ALREADY_EXISTS_USER,
    UNIQUE_WEBHOOK_NAME: errors.INVALID_PARAMETER_NAME_ALREADY_USED,
}

#: SQLite reports the columns of a unique rule where PostgreSQL reports its name, and an index by its name if it is over
#: more than columns.
SQLITE_COLUMNS: Mapping[str, str] = {
    f"index '{UNIQUE_CONTACT_NAME}'": UNIQUE_CONTACT_NAME,
    "folder.account_id, folder.parent_id, folder.name": UNIQUE_FOLDER_NAME,
    "member.account_id, member.display_name": UNIQUE_MEMBER_DISPLAY_NAME,
    "member.account_name": UNIQUE_MEMBER_ACCOUNT_NAME,
    "ram_user.account_id, ram_user.name": UNIQUE_USER_NAME,
    "webhook.account_id, webhook.name": UNIQUE_WEBHOOK_NAME,
}
