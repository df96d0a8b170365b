"""The tree, contacts and copies, as routing reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from message_contacts.clock import Instant
from message_contacts.contacts.model import Contact, DetachedContact
from message_contacts.delivery.ground import Ground, InEffect
from message_contacts.delivery.routing import FolderTree, Placed
from message_contacts.storage.contacts import contact_from_row
from message_contacts.storage.detached import copy_from_row
from message_contacts.storage.engine import Database, Query, Row

#: Ids of copies begin with this and sort behind those of contacts.
_COPIES = "dc-"

# SQLite is led to the right index twice below: `contact_id || ''` makes it find bindings by their object, the join of a
# table with itself copies by their contact. Left to itself it walks through those of the whole tenant along their key.

LINEAGE_OF_NODE = """
    -- The directory, and the folders from Root down to a member's or to a folder itself; when the member came there.
    WITH RECURSIVE lineage (folder_id, placed_at, steps) AS (
        SELECT folder_id, placed_at, 0 FROM member WHERE account_id = $1 AND member_id = $2
        UNION ALL
        SELECT folder_id, CAST(NULL AS BIGINT), 0 FROM folder WHERE account_id = $1 AND folder_id = $2
        UNION ALL
        SELECT folder.parent_id, placed_at, steps + 1 FROM lineage
          JOIN folder ON folder.account_id = $1 AND folder.folder_id = lineage.folder_id
         WHERE folder.parent_id IS NOT NULL AND steps < 100
    )
    SELECT directory_id, folder_id, placed_at FROM lineage
     CROSS JOIN resource_directory WHERE account_id = $1
     ORDER BY steps DESC
"""

CONTACTS_IN_EFFECT = """
    -- The next contacts by id that are bound to any of eight objects, in no order.
    WITH found (contact_id) AS (
        SELECT DISTINCT contact_id || '' AS id FROM binding
         WHERE account_id = $1 AND node_id IN ($2, $3, $4, $5, $6, $7, $8, $9) AND contact_id || '' > $10
         ORDER BY id LIMIT $11
    )
    SELECT contact.contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           created_at, deletion_state, deletion_failures, bindings, version
      FROM found CROSS JOIN contact
     WHERE contact.account_id = $1 AND contact.contact_id = found.contact_id
"""

COPIES_IN_EFFECT = """
    -- The next copies by id that name any of eight objects, in no order.
    WITH found (detached_id) AS (
        SELECT DISTINCT detached_id || '' AS id FROM detached_node
         WHERE account_id = $1 AND node_id IN ($2, $3, $4, $5, $6, $7, $8, $9) AND detached_id || '' > $10
         ORDER BY id LIMIT $11
    )
    SELECT detached_contact.detached_id, contact_id, name, title, message_types,
           email, email_captured, phone, phone_captured, detached_at, node_ids, version
      FROM found CROSS JOIN detached_contact
     WHERE detached_contact.account_id = $1 AND detached_contact.detached_id = found.detached_id
"""

FOLDERS = """
    -- All folders of a directory, each with its parent, and the directory.
    SELECT directory_id, folder_id, parent_id FROM resource_directory CROSS JOIN folder
     WHERE resource_directory.account_id = $1 AND folder.account_id = $1
"""

OLDEST_IN_FOLDERS = """
    -- By folder, when the first of the members that are directly in it came there, if there is any.
    SELECT folder_id, (SELECT min(placed_at) FROM member
                        WHERE member.account_id = $1 AND member.folder_id = folder.folder_id)
      FROM folder WHERE folder.account_id = $1
"""

PLACED_MEMBERS = """
    -- Where the members of a list are.
    SELECT member_id, folder_id, placed_at FROM member
     WHERE account_id = $1 AND member_id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""

MEMBER_NAMES = """
    -- Names under which the members of a list are shown.
    SELECT member_id, display_name FROM member
     WHERE account_id = $1 AND member_id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""

ALL_MEMBERS = """
    -- Where all members of a directory are.
    SELECT member_id, folder_id, placed_at FROM member WHERE account_id = $1 ORDER BY member_id
"""

CONTACTS_AFTER = """
    -- Contacts of a tenant by id, those behind one.
    SELECT contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           created_at, deletion_state, deletion_failures, bindings, version
      FROM contact WHERE account_id = $1 AND contact_id > $2
     ORDER BY contact_id LIMIT $3
"""

CONTACTS_AT = """
    -- Contacts of a tenant that show an address, by id, those behind one.
    SELECT contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           created_at, deletion_state, deletion_failures, bindings, version
      FROM contact WHERE account_id = $1 AND contact_id > $2 AND (lower(email_shown) = $3 OR phone_shown = $3)
     ORDER BY contact_id LIMIT $4
"""

COPIES_AT = """
    -- Detached copies of a tenant that have an address, by id, those behind one.
    SELECT detached_id, contact_id, name, title, message_types,
           email, email_captured, phone, phone_captured, detached_at, node_ids, version
      FROM detached_contact WHERE account_id = $1 AND detached_id > $2 AND (lower(email) = $3 OR phone = $3)
     ORDER BY detached_id LIMIT $4
"""

BOUND_CONTACTS = """
    -- All contacts of a tenant that are bound to anything.
    SELECT contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           created_at, deletion_state, deletion_failures, bindings, version
      FROM contact WHERE account_id = $1 AND bindings <> '[]' ORDER BY contact_id
"""

ALL_COPIES = """
    -- All detached copies of a tenant.
    SELECT detached_id, contact_id, name, title, message_types,
           email, email_captured, phone, phone_captured, detached_at, node_ids, version
      FROM detached_contact WHERE account_id = $1 ORDER BY detached_id
"""

COPIES_OF_CONTACT = """
    -- Detached copies of one contact, in no order.
    SELECT kept.detached_id, kept.contact_id, kept.name, kept.title, kept.message_types,
           kept.email, kept.email_captured, kept.phone, kept.phone_captured, kept.detached_at, kept.node_ids,
           kept.version
      FROM detached_contact AS found CROSS JOIN detached_contact AS kept
     WHERE found.account_id = $1 AND found.contact_id = $2
       AND kept.account_id = $1 AND kept.detached_id = found.detached_id
"""

#: How many members, and objects, one statement looks for. Eight objects reach a member five levels deep.
_MEMBERS_AT_ONCE = 16
_NODES_AT_ONCE = 8


class Routing:
    """`delivery.ground.RoutingStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def in_effect(self, account_id: str, node_id: str, *, after: str | None, limit: int) -> InEffect | None:
        lineage = await self._database.rows(LINEAGE_OF_NODE, (account_id, node_id))
        if not lineage:
            return None
        inherited = (lineage[0][0], *(row[1] for row in lineage))
        placed_at = lineage[0][2]
        nodes = inherited if placed_at is None else (*inherited, node_id)
        wanted = limit + 1  # one more tells whether that is all
        queries = [
            *(() if _is_copy(after) else _about(CONTACTS_IN_EFFECT, account_id, nodes, after or "", wanted)),
            *(() if placed_at is None else _about(COPIES_IN_EFFECT, account_id, nodes, _copies_after(after), wanted)),
        ]
        found = {row[0]: row for rows in (await self._database.report(*queries) if queries else ()) for row in rows}
        page = sorted(found)[:limit]
        return InEffect(
            inherited=inherited,
            placed_at=placed_at,
            contacts=[contact_from_row(account_id, found[each]) for each in page if not _is_copy(each)],
            copies=[copy_from_row(account_id, found[each]) for each in page if _is_copy(each)],
            next_after=page[-1] if len(found) > limit else None,
        )

    async def folder_tree(self, account_id: str) -> FolderTree | None:
        folders, oldest = await self._database.report((FOLDERS, (account_id,)), (OLDEST_IN_FOLDERS, (account_id,)))
        return _tree(
            folders, {folder_id: Instant(placed_at) for folder_id, placed_at in oldest if placed_at is not None}
        )

    async def placed(self, account_id: str, member_ids: Sequence[str]) -> Mapping[str, Placed]:
        return _placed(await self._of_members(PLACED_MEMBERS, account_id, member_ids))

    async def display_names(self, account_id: str, member_ids: Sequence[str]) -> Mapping[str, str]:
        return dict(await self._of_members(MEMBER_NAMES, account_id, member_ids))

    async def _of_members(self, sql: str, account_id: str, member_ids: Sequence[str]) -> list[Row]:
        """The rows of a statement about sixteen members, for any number of them."""
        queries: list[Query] = []
        for start in range(0, len(member_ids), _MEMBERS_AT_ONCE):
            some = member_ids[start : start + _MEMBERS_AT_ONCE]
            filled = [*some, *([some[-1]] * (_MEMBERS_AT_ONCE - len(some)))]
            queries.append((sql, (account_id, *filled)))
        return [row for rows in await self._database.report(*queries) for row in rows] if queries else []

    async def contacts_after(self, account_id: str, after: str | None, *, limit: int) -> Sequence[Contact]:
        (rows,) = await self._database.report((CONTACTS_AFTER, (account_id, after or "", limit)))
        return [contact_from_row(account_id, row) for row in rows]

    async def copies_of(self, account_id: str, contact_id: str) -> Sequence[DetachedContact]:
        (rows,) = await self._database.report((COPIES_OF_CONTACT, (account_id, contact_id)))
        return [copy_from_row(account_id, row) for row in sorted(rows, key=_id)]

    async def holders(
        self, account_id: str, address_key: str, *, after: str, limit: int
    ) -> Sequence[Contact | DetachedContact]:
        found: list[Contact | DetachedContact] = []
        if not _is_copy(after):
            (rows,) = await self._database.report((CONTACTS_AT, (account_id, after, address_key, limit)))
            found += [contact_from_row(account_id, row) for row in rows]
        if len(found) < limit:
            behind = (account_id, _copies_after(after), address_key, limit - len(found))
            (rows,) = await self._database.report((COPIES_AT, behind))
            found += [copy_from_row(account_id, row) for row in rows]
        return found

    async def ground(self, account_id: str) -> Ground | None:
        folders, members, contacts, copies = await self._database.report(
            (FOLDERS, (account_id,)),
            (ALL_MEMBERS, (account_id,)),
            (BOUND_CONTACTS, (account_id,)),
            (ALL_COPIES, (account_id,)),
        )
        # Many values: made beside the event loop, which has other calls to answer.
        return await asyncio.to_thread(_ground, account_id, folders, members, contacts, copies)


def _about(sql: str, account_id: str, node_ids: Sequence[str], after: str, limit: int) -> Iterator[Query]:
    """The queries that look for any number of objects, eight at a time: more there are only in a damaged tree."""
    for start in range(0, len(node_ids), _NODES_AT_ONCE):
        some = node_ids[start : start + _NODES_AT_ONCE]
        yield sql, (account_id, *some, *([some[-1]] * (_NODES_AT_ONCE - len(some))), after, limit)


def _is_copy(entry_id: str | None) -> bool:
    return entry_id is not None and entry_id.startswith(_COPIES)


def _copies_after(after: str | None) -> str:
    """Behind which copy a page starts that starts behind a contact or a copy."""
    return after if after is not None and _is_copy(after) else ""


def _id(row: Row) -> str:
    """The id that the row begins with."""
    return str(row[0])


def _ground(
    account_id: str, folders: list[Row], members: list[Row], contacts: list[Row], copies: list[Row]
) -> Ground | None:
    placed = _placed(members)
    oldest: dict[str, Instant] = {}
    for place in placed.values():
        if place.placed_at < oldest.get(place.folder_id, place.placed_at + 1):
            oldest[place.folder_id] = place.placed_at
    tree = _tree(folders, oldest)
    if tree is None:
        return None
    return Ground(
        tree=tree,
        members=placed,
        contacts=[contact_from_row(account_id, row) for row in contacts],
        copies=[copy_from_row(account_id, row) for row in copies],
    )


def _tree(folders: list[Row], oldest: Mapping[str, Instant]) -> FolderTree | None:
    if not folders:
        return None
    return FolderTree(folders[0][0], {folder_id: parent_id for _, folder_id, parent_id in folders}, oldest)


def _placed(rows: list[Row]) -> dict[str, Placed]:
    return {member_id: Placed(folder_id, Instant(placed_at)) for member_id, folder_id, placed_at in rows}
