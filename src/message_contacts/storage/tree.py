"""Directories, folders and members: how they are written."""

from __future__ import annotations

from message_contacts.directory.model import DeletedMember, Folder, Member, ResourceDirectory
from message_contacts.storage.engine import Parameters
from message_contacts.storage.records import Record
from message_contacts.storage.texts import text_from_tags

INSERT_DIRECTORY = """
    -- Enable a directory.
    INSERT INTO resource_directory (directory_id, root_folder_id, account_name, created_at, account_id, version)
    VALUES ($1, $2, $3, $4, $5, $6)
"""

UPDATE_DIRECTORY = """
    -- Change a directory if nobody changed it since it was read.
    UPDATE resource_directory SET directory_id = $1, root_folder_id = $2, account_name = $3, created_at = $4,
           version = version + 1
     WHERE account_id = $5 AND version = $6
"""

DELETE_DIRECTORY = """
    -- Destroy a directory if nobody changed it since it was read.
    DELETE FROM resource_directory WHERE account_id = $1 AND version = $2
"""

RELY_ON_DIRECTORY = """
    -- Whether a directory is as it was read.
    SELECT 1 FROM resource_directory WHERE account_id = $1 AND version = $2
"""

INSERT_FOLDER = """
    -- Add a folder.
    INSERT INTO folder (parent_id, name, created_at, tags, account_id, folder_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

UPDATE_FOLDER = """
    -- Change a folder if nobody changed it since it was read.
    UPDATE folder SET parent_id = $1, name = $2, created_at = $3, tags = $4, version = version + 1
     WHERE account_id = $5 AND folder_id = $6 AND version = $7
"""

DELETE_FOLDER = """
    -- Delete a folder if nobody changed it since it was read.
    DELETE FROM folder WHERE account_id = $1 AND folder_id = $2 AND version = $3
"""

RELY_ON_FOLDER = """
    -- Whether a folder is as it was read.
    SELECT 1 FROM folder WHERE account_id = $1 AND folder_id = $2 AND version = $3
"""

INSERT_MEMBER = """
    -- Add a member.
    INSERT INTO member (folder_id, display_name, account_name, type, status, joined_at, modified_at, placed_at, tags,
                        account_id, member_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

UPDATE_MEMBER = """
    -- Change a member if nobody changed it since it was read.
    UPDATE member SET folder_id = $1, display_name = $2, account_name = $3, type = $4, status = $5, joined_at = $6,
           modified_at = $7, placed_at = $8, tags = $9, version = version + 1
     WHERE account_id = $10 AND member_id = $11 AND version = $12
"""

DELETE_MEMBER = """
    -- Take a member out if nobody changed it since it was read.
    DELETE FROM member WHERE account_id = $1 AND member_id = $2 AND version = $3
"""

RELY_ON_MEMBER = """
    -- Whether a member is as it was read.
    SELECT 1 FROM member WHERE account_id = $1 AND member_id = $2 AND version = $3
"""

INSERT_DELETED_MEMBER = """
    -- Keep that a member was deleted.
    INSERT INTO deleted_member (account_id, member_id, deleted_at) VALUES ($1, $2, $3)
"""


def _directory_key(directory: ResourceDirectory) -> Parameters:
    return (directory.account_id,)


def _directory_values(directory: ResourceDirectory) -> Parameters:
    return directory.directory_id, directory.root_folder_id, directory.account_name, directory.created_at


def _folder_key(folder: Folder) -> Parameters:
    return folder.account_id, folder.folder_id


def _folder_values(folder: Folder) -> Parameters:
    return folder.parent_id, folder.name, folder.created_at, text_from_tags(folder.tags)


def _member_key(member: Member) -> Parameters:
    return member.account_id, member.member_id


def _member_values(member: Member) -> Parameters:
    return (
        member.folder_id,
        member.display_name,
        member.account_name,
        member.type.value,
        member.status.value,
        member.joined_at,
        member.modified_at,
        member.placed_at,
        text_from_tags(member.tags),
    )


def deleted_member_row(deleted: DeletedMember) -> Parameters:
    """Parameters of `INSERT_DELETED_MEMBER`."""
    return deleted.account_id, deleted.member_id, deleted.deleted_at


DIRECTORY_RECORD: Record[ResourceDirectory] = Record(
    insert=INSERT_DIRECTORY,
    update=UPDATE_DIRECTORY,
    delete=DELETE_DIRECTORY,
    rely_on=RELY_ON_DIRECTORY,
    key=_directory_key,
    values=_directory_values,
)
FOLDER_RECORD: Record[Folder] = Record(
    insert=INSERT_FOLDER,
    update=UPDATE_FOLDER,
    delete=DELETE_FOLDER,
    rely_on=RELY_ON_FOLDER,
    key=_folder_key,
    values=_folder_values,
)
MEMBER_RECORD: Record[Member] = Record(
    insert=INSERT_MEMBER,
    update=UPDATE_MEMBER,
    delete=DELETE_MEMBER,
    rely_on=RELY_ON_MEMBER,
    key=_member_key,
    values=_member_values,
)
