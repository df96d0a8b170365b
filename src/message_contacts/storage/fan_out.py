"""What the fan-out of messages reads of the tree: contacts and copies by object, members with what is theirs."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.clock import Instant
from message_contacts.contacts.model import Contact, DetachedContact
from message_contacts.delivery.message_store import MemberPlace
from message_contacts.storage.contacts import contact_from_row
from message_contacts.storage.detached import copy_from_row
from message_contacts.storage.engine import Row

#: Stands for "no limit" in statements of both engines.
ALL = 2**62

CONTACTS_OF_NODE_BEHIND = """
    -- Contacts bound directly to an object by creation date, those behind one.
    SELECT contact.contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           contact.created_at, deletion_state, deletion_failures, bindings, version
      FROM binding CROSS JOIN contact
     WHERE binding.account_id = $1 AND binding.node_id = $2 AND (binding.created_at, binding.contact_id) > ($3, $4)
       AND contact.account_id = binding.account_id AND contact.contact_id = binding.contact_id
     ORDER BY binding.created_at, binding.contact_id LIMIT $5
"""

COPIES_OF_NODE_BEHIND = """
    -- Detached copies that name an object by id, those behind one.
    SELECT detached_contact.detached_id, contact_id, name, title, message_types,
           email, email_captured, phone, phone_captured, detached_at, node_ids, version
      FROM detached_node CROSS JOIN detached_contact
     WHERE detached_node.account_id = $1 AND detached_node.node_id = $2 AND detached_node.detached_id > $3
       AND detached_contact.account_id = detached_node.account_id
       AND detached_contact.detached_id = detached_node.detached_id
     ORDER BY detached_node.detached_id LIMIT $4
"""

MEMBER_PLACES_OF_FOLDER = """
    -- Where members of a folder are, by joining date, those behind one.
    SELECT member_id, folder_id, display_name, joined_at, placed_at FROM member
     WHERE account_id = $1 AND folder_id = $2 AND (joined_at, member_id) > ($3, $4)
     ORDER BY joined_at, member_id LIMIT $5
"""

CONTACTS_OF_MEMBERS = """
    -- Contacts bound directly to members of a folder that are behind one and not behind another, in no order.
    SELECT member.member_id, contact.contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           contact.created_at, deletion_state, deletion_failures, bindings, contact.version
      FROM member CROSS JOIN binding CROSS JOIN contact
     WHERE member.account_id = $1 AND member.folder_id = $2
       AND (member.joined_at, member.member_id) > ($3, $4) AND (member.joined_at, member.member_id) <= ($5, $6)
       AND binding.account_id = member.account_id AND binding.member_id = member.member_id
       AND contact.account_id = binding.account_id AND contact.contact_id = binding.contact_id
"""

COPIES_OF_MEMBERS = """
    -- Detached copies that name members of a folder that are behind one and not behind another, in no order.
    SELECT member.member_id, detached_contact.detached_id, contact_id, name, title, message_types,
           email, email_captured, phone, phone_captured, detached_at, node_ids, detached_contact.version
      FROM member CROSS JOIN detached_node CROSS JOIN detached_contact
     WHERE member.account_id = $1 AND member.folder_id = $2
       AND (member.joined_at, member.member_id) > ($3, $4) AND (member.joined_at, member.member_id) <= ($5, $6)
       AND detached_node.account_id = member.account_id AND detached_node.node_id = member.member_id
       AND detached_contact.account_id = detached_node.account_id
       AND detached_contact.detached_id = detached_node.detached_id
"""

MEMBER_PLACE = """
    -- Where one member is.
    SELECT member_id, folder_id, display_name, joined_at, placed_at FROM member
     WHERE account_id = $1 AND member_id = $2
"""


def behind(after: tuple[str, ...]) -> tuple[int, str]:
    """A moment and an id behind which a page starts."""
    return (int(after[0]), after[1]) if after else (-1, "")


def place_from_row(row: Row) -> MemberPlace:
    """Where a member is, from its row."""
    member_id, folder_id, display_name, joined_at, placed_at = row
    return MemberPlace(member_id, folder_id, display_name, Instant(joined_at), Instant(placed_at))


def contacts_by_member(account_id: str, rows: Sequence[Row]) -> dict[str, list[Contact]]:
    """Contacts by member, of rows that begin with the member."""
    found: dict[str, list[Contact]] = {}
    for member_id, *row in sorted(rows, key=_member_and_id):
        found.setdefault(member_id, []).append(contact_from_row(account_id, tuple(row)))
    return found


def copies_by_member(account_id: str, rows: Sequence[Row]) -> dict[str, list[DetachedContact]]:
    """Copies by member, of rows that begin with the member."""
    found: dict[str, list[DetachedContact]] = {}
    for member_id, *row in sorted(rows, key=_member_and_id):
        found.setdefault(member_id, []).append(copy_from_row(account_id, tuple(row)))
    return found


def _member_and_id(row: Row) -> tuple[str, str]:
    return row[0], row[1]
