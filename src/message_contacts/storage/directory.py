"""Directories, folders and members: how they are read."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.clock import Instant
from message_contacts.directory.model import (
    DeletedMember,
    Folder,
    Member,
    MemberStatus,
    MemberType,
    ResourceDirectory,
    Tags,
)
from message_contacts.storage.engine import Database, Row
from message_contacts.storage.texts import tag_line, tags_from_text

#: Stands for "no limit" in statements of both engines.
_ALL = 2**62

DIRECTORY = """
    -- The directory of an account.
    SELECT account_id, directory_id, root_folder_id, account_name, created_at, version FROM resource_directory
     WHERE account_id = $1
"""

DIRECTORY_OF_MEMBER = """
    -- The directory that has a member, whoever manages it.
    SELECT member.account_id, directory_id, root_folder_id, resource_directory.account_name, created_at,
           resource_directory.version
      FROM member JOIN resource_directory ON resource_directory.account_id = member.account_id
     WHERE member_id = $1
"""

FOLDER = """
    -- One folder.
    SELECT folder_id, parent_id, name, created_at, tags, version FROM folder
     WHERE account_id = $1 AND folder_id = $2
"""

LINEAGE = """
    -- A folder and all above it, Root first. The bound on steps only keeps a damaged tree from going on for ever.
    WITH RECURSIVE lineage (folder_id, parent_id, name, created_at, tags, version, steps) AS (
        SELECT folder_id, parent_id, name, created_at, tags, version, 0 FROM folder
         WHERE folder_id = $1 AND account_id = $2
        UNION ALL
        SELECT folder.folder_id, folder.parent_id, folder.name, folder.created_at, folder.tags, folder.version,
               steps + 1
          FROM lineage CROSS JOIN folder
         WHERE folder.account_id = $2 AND folder.folder_id = lineage.parent_id AND steps < 100
    )
    SELECT folder_id, parent_id, name, created_at, tags, version FROM lineage ORDER BY steps DESC
"""

SUBFOLDER_PAGE = """
    -- A page of a folder's direct child folders, of those with a keyword and a tag, if given.
    SELECT folder_id, parent_id, name, created_at, tags, version FROM folder
     WHERE account_id = $1 AND parent_id = $2
       AND ($3 = '' OR replace(name, $3, '') <> name) AND ($4 = '' OR replace(tags, $4, '') <> tags)
     ORDER BY created_at, folder_id LIMIT $5 OFFSET $6
"""

COUNT_SUBFOLDERS = """
    -- How many direct child folders a folder has, of those with a keyword, if given.
    SELECT count(*) FROM folder
     WHERE account_id = $1 AND parent_id = $2 AND ($3 = '' OR replace(name, $3, '') <> name)
"""

HAS_SUBFOLDERS = """
    -- Whether any folder lies in a folder.
    SELECT 1 FROM folder WHERE account_id = $1 AND parent_id = $2 LIMIT 1
"""

HAS_MEMBERS = """
    -- Whether any member lies in a folder.
    SELECT 1 FROM member WHERE account_id = $1 AND folder_id = $2 LIMIT 1
"""

HAS_ANY_MEMBERS = """
    -- Whether a directory has any member.
    SELECT 1 FROM member WHERE account_id = $1 LIMIT 1
"""

MEMBER = """
    -- One member.
    SELECT member_id, folder_id, display_name, account_name, type, status, joined_at, modified_at, placed_at, tags,
           version
      FROM member WHERE account_id = $1 AND member_id = $2
"""

DELETED_MEMBER = """
    -- When a member was deleted.
    SELECT deleted_at FROM deleted_member WHERE account_id = $1 AND member_id = $2
"""

MEMBER_PAGE = """
    -- A page of a directory's members behind one, of those with a keyword and a tag, if given.
    SELECT member_id, folder_id, display_name, account_name, type, status, joined_at, modified_at, placed_at, tags,
           version
      FROM member
     WHERE account_id = $1 AND (joined_at, member_id) > ($2, $3)
       AND ($4 = '' OR replace(display_name, $4, '') <> display_name) AND ($5 = '' OR replace(tags, $5, '') <> tags)
     ORDER BY joined_at, member_id LIMIT $6 OFFSET $7
"""

MEMBER_PAGE_OF_FOLDER = """
    -- A page of a folder's members behind one, of those with a keyword and a tag, if given.
    SELECT member_id, folder_id, display_name, account_name, type, status, joined_at, modified_at, placed_at, tags,
           version
      FROM member
     WHERE account_id = $1 AND folder_id = $2 AND (joined_at, member_id) > ($3, $4)
       AND ($5 = '' OR replace(display_name, $5, '') <> display_name) AND ($6 = '' OR replace(tags, $6, '') <> tags)
     ORDER BY joined_at, member_id LIMIT $7 OFFSET $8
"""

COUNT_MEMBERS = """
    -- How many members a directory has, of those with a keyword, if given.
    SELECT count(*) FROM member
     WHERE account_id = $1 AND ($2 = '' OR replace(display_name, $2, '') <> display_name)
"""

COUNT_MEMBERS_OF_FOLDER = """
    -- How many members lie directly in a folder, of those with a keyword, if given.
    SELECT count(*) FROM member
     WHERE account_id = $1 AND folder_id = $2 AND ($3 = '' OR replace(display_name, $3, '') <> display_name)
"""

MEMBER_BY_DISPLAY_NAME = """
    -- The member shown under a name.
    SELECT member_id, folder_id, display_name, account_name, type, status, joined_at, modified_at, placed_at, tags,
           version
      FROM member WHERE account_id = $1 AND display_name = $2
"""

ACCOUNT_NAME_USED = """
    -- Whether a member has a login name, whoever's member it is.
    SELECT 1 FROM member WHERE account_name = $1
"""


class Directories:
    """`directory.store.DirectoryStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def directory(self, account_id: str) -> ResourceDirectory | None:
        rows = await self._database.rows(DIRECTORY, (account_id,))
        return _directory_from_row(rows[0]) if rows else None

    async def directory_of_member(self, member_id: str) -> ResourceDirectory | None:
        rows = await self._database.rows(DIRECTORY_OF_MEMBER, (member_id,))
        return _directory_from_row(rows[0]) if rows else None

    async def folder(self, account_id: str, folder_id: str) -> Folder | None:
        rows = await self._database.rows(FOLDER, (account_id, folder_id))
        return _folder_from_row(account_id, rows[0]) if rows else None

    async def lineage(self, account_id: str, folder_id: str) -> Sequence[Folder]:
        rows = await self._database.rows(LINEAGE, (folder_id, account_id))
        return [_folder_from_row(account_id, row) for row in rows]

    async def subfolder_page(
        self, account_id: str, parent_id: str, *, keyword: str | None, tags: Tags, offset: int, limit: int
    ) -> tuple[Sequence[Folder], int]:
        words = keyword or ""
        if tags:
            (rows,) = await self._database.report(
                (SUBFOLDER_PAGE, (account_id, parent_id, words, tag_line(*tags[0]), _ALL, 0))
            )
            tagged = [folder for row in rows if _has(tags, (folder := _folder_from_row(account_id, row)).tags)]
            return tagged[offset : offset + limit], len(tagged)
        rows, ((total,),) = await self._database.report(
            (SUBFOLDER_PAGE, (account_id, parent_id, words, "", limit, offset)),
            (COUNT_SUBFOLDERS, (account_id, parent_id, words)),
        )
        return [_folder_from_row(account_id, row) for row in rows], total

    async def has_subfolders(self, account_id: str, folder_id: str) -> bool:
        return bool(await self._database.rows(HAS_SUBFOLDERS, (account_id, folder_id)))

    async def has_members(self, account_id: str, folder_id: str | None) -> bool:
        if folder_id is None:
            return bool(await self._database.rows(HAS_ANY_MEMBERS, (account_id,)))
        return bool(await self._database.rows(HAS_MEMBERS, (account_id, folder_id)))

    async def member(self, account_id: str, member_id: str) -> Member | None:
        rows = await self._database.rows(MEMBER, (account_id, member_id))
        return _member_from_row(account_id, rows[0]) if rows else None

    async def deleted_member(self, account_id: str, member_id: str) -> DeletedMember | None:
        rows = await self._database.rows(DELETED_MEMBER, (account_id, member_id))
        return DeletedMember(account_id=account_id, member_id=member_id, deleted_at=rows[0][0]) if rows else None

    async def member_by_display_name(self, account_id: str, display_name: str) -> Member | None:
        rows = await self._database.rows(MEMBER_BY_DISPLAY_NAME, (account_id, display_name))
        return _member_from_row(account_id, rows[0]) if rows else None

    async def account_name_used(self, account_name: str) -> bool:
        return bool(await self._database.rows(ACCOUNT_NAME_USED, (account_name,)))

    async def member_page(
        self,
        account_id: str,
        *,
        folder_id: str | None,
        keyword: str | None,
        tags: Tags,
        after: tuple[Instant, str] | None,
        offset: int,
        limit: int,
    ) -> tuple[Sequence[Member], int]:
        words = keyword or ""
        behind: tuple[int, str] = after or (-1, "")
        where = (account_id,) if folder_id is None else (account_id, folder_id)
        page, count = (
            (MEMBER_PAGE, COUNT_MEMBERS) if folder_id is None else (MEMBER_PAGE_OF_FOLDER, COUNT_MEMBERS_OF_FOLDER)
        )
        if tags:
            (rows,) = await self._database.report((page, (*where, -1, "", words, tag_line(*tags[0]), _ALL, 0)))
            tagged = [member for row in rows if _has(tags, (member := _member_from_row(account_id, row)).tags)]
            rest = [member for member in tagged if (member.joined_at, member.member_id) > behind]
            return rest[offset : offset + limit], len(tagged)
        rows, ((total,),) = await self._database.report(
            (page, (*where, *behind, words, "", limit, offset)), (count, (*where, words))
        )
        return [_member_from_row(account_id, row) for row in rows], total


def _has(wanted: Tags, tags: Tags) -> bool:
    """Whether all wanted pairs are among the tags."""
    return set(wanted) <= set(tags)


def _directory_from_row(row: Row) -> ResourceDirectory:
    account_id, directory_id, root_folder_id, account_name, created_at, version = row
    return ResourceDirectory(
        account_id=account_id,
        directory_id=directory_id,
        root_folder_id=root_folder_id,
        account_name=account_name,
        created_at=created_at,
        version=version,
    )


def _folder_from_row(account_id: str, row: Row) -> Folder:
    folder_id, parent_id, name, created_at, tags, version = row
    return Folder(
        account_id=account_id,
        folder_id=folder_id,
        parent_id=parent_id,
        name=name,
        created_at=created_at,
        tags=tags_from_text(tags),
        version=version,
    )


def _member_from_row(account_id: str, row: Row) -> Member:
    member_id, folder_id, display_name, account_name, kind, status, joined_at, modified_at, placed_at, tags, version = (
        row
    )
    return Member(
        account_id=account_id,
        member_id=member_id,
        folder_id=folder_id,
        display_name=display_name,
        account_name=account_name,
        type=MemberType(kind),
        status=MemberStatus(status),
        joined_at=joined_at,
        modified_at=modified_at,
        placed_at=placed_at,
        tags=tags_from_text(tags),
        version=version,
    )
