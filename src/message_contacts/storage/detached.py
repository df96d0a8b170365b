"""Detached copies of deleted contacts, with the objects that keep them."""

from __future__ import annotations

import orjson

from message_contacts.contacts.model import ContactName, DetachedContact, EmailAddress, PhoneNumber, Title
from message_contacts.storage.engine import Parameters, Row, Step
from message_contacts.storage.records import Record
from message_contacts.storage.texts import message_types_from_text, text_from_message_types

COPY = """
    -- One detached copy.
    SELECT detached_id, contact_id, name, title, message_types,
           email, email_captured, phone, phone_captured, detached_at, node_ids, version
      FROM detached_contact WHERE account_id = $1 AND detached_id = $2
"""

COPY_PAGE = """
    -- Detached copies of a tenant by id, those behind one.
    SELECT detached_id, contact_id, name, title, message_types,
           email, email_captured, phone, phone_captured, detached_at, node_ids, version
      FROM detached_contact WHERE account_id = $1 AND detached_id > $2
     ORDER BY detached_id LIMIT $3
"""

COPIES_OF_NODES = """
    -- Detached copies that name any of eight objects, in no order; one that names two comes twice.
    SELECT detached_contact.detached_id, contact_id, name, title, message_types,
           email, email_captured, phone, phone_captured, detached_at, node_ids, version
      FROM detached_node CROSS JOIN detached_contact
     WHERE detached_node.account_id = $1 AND detached_node.node_id IN ($2, $3, $4, $5, $6, $7, $8, $9)
       AND detached_contact.account_id = detached_node.account_id
       AND detached_contact.detached_id = detached_node.detached_id
"""

INSERT_COPY = """
    -- Keep a detached copy.
    INSERT INTO detached_contact (contact_id, name, title, message_types, email, email_captured, phone, phone_captured,
                                  detached_at, node_ids, account_id, detached_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""

UPDATE_COPY = """
    -- Change a detached copy if nobody changed it since it was read.
    UPDATE detached_contact SET contact_id = $1, name = $2, title = $3, message_types = $4,
           email = $5, email_captured = $6, phone = $7, phone_captured = $8, detached_at = $9, node_ids = $10,
           version = version + 1
     WHERE account_id = $11 AND detached_id = $12 AND version = $13
"""

DELETE_COPY = """
    -- Delete a detached copy if nobody changed it since it was read.
    DELETE FROM detached_contact WHERE account_id = $1 AND detached_id = $2 AND version = $3
"""

RELY_ON_COPY = """
    -- Whether a detached copy is as it was read.
    SELECT 1 FROM detached_contact WHERE account_id = $1 AND detached_id = $2 AND version = $3
"""

INSERT_NODE = """
    -- Name an object whose members keep a copy.
    INSERT INTO detached_node (account_id, detached_id, node_id) VALUES ($1, $2, $3)
"""

DELETE_NODES = """
    -- Take all objects of a copy away.
    DELETE FROM detached_node WHERE account_id = $1 AND detached_id = $2
"""


def copy_from_row(account_id: str, row: Row) -> DetachedContact:
    """A detached copy from its row."""
    (
        detached_id, contact_id, name, title, message_types,
        email, email_captured, phone, phone_captured, detached_at, node_ids, version,
    ) = row  # fmt: skip
    return DetachedContact(
        account_id=account_id,
        detached_id=detached_id,
        contact_id=contact_id,
        name=ContactName(name),
        title=Title(title),
        message_types=message_types_from_text(message_types),
        email=None if email is None else EmailAddress(email),
        email_captured=bool(email_captured),
        phone=None if phone is None else PhoneNumber(phone),
        phone_captured=bool(phone_captured),
        node_ids=tuple(orjson.loads(node_ids)),
        detached_at=detached_at,
        version=version,
    )


def _key(copy: DetachedContact) -> Parameters:
    return copy.account_id, copy.detached_id


def _values(copy: DetachedContact) -> Parameters:
    return (
        copy.contact_id,
        copy.name.text,
        copy.title.value,
        text_from_message_types(copy.message_types),
        None if copy.email is None else copy.email.text,
        copy.email_captured,
        None if copy.phone is None else copy.phone.text,
        copy.phone_captured,
        copy.detached_at,
        orjson.dumps(copy.node_ids).decode(),
    )


def _insert_nodes(copy: DetachedContact) -> list[Step]:
    return [Step(INSERT_NODE, (*_key(copy), node_id)) for node_id in copy.node_ids]


def _update_nodes(before: DetachedContact, after: DetachedContact) -> list[Step]:
    if before.node_ids == after.node_ids:
        return []
    return [Step(DELETE_NODES, _key(before)), *_insert_nodes(after)]


def _delete_nodes(copy: DetachedContact) -> list[Step]:
    return [Step(DELETE_NODES, _key(copy))]


COPY_RECORD: Record[DetachedContact] = Record(
    insert=INSERT_COPY,
    update=UPDATE_COPY,
    delete=DELETE_COPY,
    rely_on=RELY_ON_COPY,
    key=_key,
    values=_values,
    insert_parts=_insert_nodes,
    update_parts=_update_nodes,
    delete_parts=_delete_nodes,
)
