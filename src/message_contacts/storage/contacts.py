"""Contacts with their bindings."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.clock import Instant
from message_contacts.contacts.model import (
    Contact,
    ContactName,
    Deletion,
    DeletionState,
    DetachedContact,
    EmailAddress,
    PhoneNumber,
    Slot,
    Title,
    Verified,
)
from message_contacts.contacts.search import ContactSearch, Order, Place
from message_contacts.directory.model import ACCOUNT_ID, FOLDER_ID
from message_contacts.storage import contact_search, detached
from message_contacts.storage.engine import Database, Parameters, Row, Step
from message_contacts.storage.records import Record
from message_contacts.storage.texts import (
    bindings_from_text,
    failures_from_text,
    message_types_from_text,
    text_from_bindings,
    text_from_failures,
    text_from_message_types,
)

# `CROSS JOIN` below: SQLite then begins with the bindings. Left to itself it walks through all contacts of the tenant,
# because that gives the order without sorting.

#: How many objects one statement looks for.
NODES_AT_ONCE = 8

_NO_PHONE: Slot[PhoneNumber] = Slot()
_TITLES = {title.value: title for title in Title}

CONTACT = """
    -- One contact.
    SELECT contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           created_at, deletion_state, deletion_failures, bindings, version
      FROM contact WHERE account_id = $1 AND contact_id = $2
"""

CONTACT_PAGE = """
    -- A page of a tenant's contacts by creation date.
    SELECT contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           created_at, deletion_state, deletion_failures, bindings, version
      FROM contact WHERE account_id = $1
     ORDER BY created_at, contact_id LIMIT $2 OFFSET $3
"""

COUNT_CONTACTS = """
    -- How many contacts a tenant has.
    SELECT count(*) FROM contact WHERE account_id = $1
"""

CONTACT_PAGE_OF_NODE = """
    -- A page of the contacts bound directly to one object, by creation date.
    SELECT contact.contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           contact.created_at, deletion_state, deletion_failures, bindings, version
      FROM binding CROSS JOIN contact
     WHERE binding.account_id = $1 AND binding.node_id = $2
       AND contact.account_id = binding.account_id AND contact.contact_id = binding.contact_id
     ORDER BY binding.created_at, binding.contact_id LIMIT $3 OFFSET $4
"""

COUNT_CONTACTS_OF_NODE = """
    -- How many contacts are bound directly to one object.
    SELECT count(*) FROM binding WHERE account_id = $1 AND node_id = $2
"""

CONTACTS_OF_NODES = """
    -- All contacts bound directly to any of eight objects, in no order; one bound to two comes twice.
    SELECT contact.contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           contact.created_at, deletion_state, deletion_failures, bindings, version
      FROM binding CROSS JOIN contact
     WHERE binding.account_id = $1 AND binding.node_id IN ($2, $3, $4, $5, $6, $7, $8, $9)
       AND contact.account_id = binding.account_id AND contact.contact_id = binding.contact_id
"""

INSERT_BINDING = """
    -- Bind a contact to an object.
    INSERT INTO binding (account_id, contact_id, node_id, folder_id, member_id, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
"""

DELETE_BINDING = """
    -- Take one binding of a contact away.
    DELETE FROM binding WHERE account_id = $1 AND contact_id = $2 AND node_id = $3
"""

DELETE_BINDINGS = """
    -- Take all bindings of a contact away.
    DELETE FROM binding WHERE account_id = $1 AND contact_id = $2
"""

INSERT_CONTACT = """
    -- Add a contact.
    INSERT INTO contact (name, title, message_types,
                         email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
                         phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id,
                         phone_added, created_at, deletion_state, deletion_failures, bindings,
                         account_id, contact_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
"""

UPDATE_CONTACT = """
    -- Change a contact if nobody changed it since it was read.
    UPDATE contact SET name = $1, title = $2, message_types = $3,
           email_shown = $4, email_verified_at = $5, email_captured = $6, email_waiting = $7,
           email_verification_id = $8,
           phone_shown = $9, phone_verified_at = $10, phone_captured = $11, phone_waiting = $12,
           phone_verification_id = $13, phone_added = $14,
           created_at = $15, deletion_state = $16, deletion_failures = $17, bindings = $18, version = version + 1
     WHERE account_id = $19 AND contact_id = $20 AND version = $21
"""

DELETE_CONTACT = """
    -- Delete a contact if nobody changed it since it was read.
    DELETE FROM contact WHERE account_id = $1 AND contact_id = $2 AND version = $3
"""

RELY_ON_CONTACT = """
    -- Whether a contact is as it was read.
    SELECT 1 FROM contact WHERE account_id = $1 AND contact_id = $2 AND version = $3
"""


class Contacts:
    """`contacts.store.ContactStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def contact(self, account_id: str, contact_id: str) -> Contact | None:
        rows = await self._database.rows(CONTACT, (account_id, contact_id))
        return contact_from_row(account_id, rows[0]) if rows else None

    async def contact_page(
        self, account_id: str, *, contact_id: str | None, node_id: str | None, offset: int, limit: int
    ) -> tuple[Sequence[Contact], int]:
        if contact_id is not None:
            contact = await self.contact(account_id, contact_id)
            if contact is None or not (node_id is None or any(tie.node_id == node_id for tie in contact.bindings)):
                return [], 0
            return [contact][offset : offset + limit], 1
        if node_id is None:
            rows, ((total,),) = await self._database.report(
                (CONTACT_PAGE, (account_id, limit, offset)), (COUNT_CONTACTS, (account_id,))
            )
        else:
            rows, ((total,),) = await self._database.report(
                (CONTACT_PAGE_OF_NODE, (account_id, node_id, limit, offset)),
                (COUNT_CONTACTS_OF_NODE, (account_id, node_id)),
            )
        return [contact_from_row(account_id, row) for row in rows], total

    async def contacts_found(
        self, account_id: str, asked: ContactSearch, order: Order, *, after: Place | None, limit: int
    ) -> Sequence[Contact]:
        rows = await contact_search.rows_found(self._database, account_id, asked, order, after=after, limit=limit)
        return [contact_from_row(account_id, row) for row in rows]

    async def count_found(self, account_id: str, asked: ContactSearch, *, most: int) -> int:
        return await contact_search.count_found(self._database, account_id, asked, most=most)

    async def contacts_bound_to(self, account_id: str, node_ids: Sequence[str]) -> Sequence[Contact]:
        groups = [_eight(node_ids[start : start + NODES_AT_ONCE]) for start in range(0, len(node_ids), NODES_AT_ONCE)]
        found = await self._database.report(*((CONTACTS_OF_NODES, (account_id, *group)) for group in groups))
        once = {row[0]: row for rows in found for row in rows}
        contacts = [contact_from_row(account_id, row) for row in once.values()]
        contacts.sort(key=lambda contact: (contact.created_at, contact.contact_id))
        return contacts

    async def detached_contacts(self, account_id: str, node_ids: Sequence[str]) -> Sequence[DetachedContact]:
        groups = [_eight(node_ids[start : start + NODES_AT_ONCE]) for start in range(0, len(node_ids), NODES_AT_ONCE)]
        found = await self._database.report(*((detached.COPIES_OF_NODES, (account_id, *group)) for group in groups))
        once = {row[0]: row for rows in found for row in rows}
        copies = [detached.copy_from_row(account_id, row) for row in once.values()]
        copies.sort(key=lambda copy: (copy.detached_at, copy.detached_id))
        return copies

    async def detached_contact(self, account_id: str, detached_id: str) -> DetachedContact | None:
        rows = await self._database.rows(detached.COPY, (account_id, detached_id))
        return detached.copy_from_row(account_id, rows[0]) if rows else None

    async def detached_page(self, account_id: str, *, after: str | None, limit: int) -> Sequence[DetachedContact]:
        (rows,) = await self._database.report((detached.COPY_PAGE, (account_id, after or "", limit)))
        return [detached.copy_from_row(account_id, row) for row in rows]


def _eight(node_ids: Sequence[str]) -> list[str]:
    """The ids, the last one repeated until there are eight."""
    return [*node_ids, *([node_ids[-1]] * (NODES_AT_ONCE - len(node_ids)))]


def contact_from_row(account_id: str, row: Row) -> Contact:
    """A contact from its row."""
    (
        contact_id, name, title, message_types,
        email, email_verified_at, email_captured, email_waiting, email_verification_id,
        phone, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
        created_at, deletion_state, deletion_failures, bindings, version,
    ) = row  # fmt: skip
    return Contact(
        account_id=account_id,
        contact_id=contact_id,
        name=ContactName(name),
        title=_TITLES[title],
        message_types=message_types_from_text(message_types),
        email=Slot(
            shown=None if email is None else EmailAddress(email),
            verified=None
            if email_verified_at is None
            else Verified(Instant(email_verified_at), captured=bool(email_captured)),
            waiting=None if email_waiting is None else EmailAddress(email_waiting),
            verification_id=email_verification_id,
        ),
        phone=_NO_PHONE
        if phone is None
        else Slot(
            shown=PhoneNumber(phone),
            verified=None
            if phone_verified_at is None
            else Verified(Instant(phone_verified_at), captured=bool(phone_captured)),
            waiting=None if phone_waiting is None else PhoneNumber(phone_waiting),
            verification_id=phone_verification_id,
            added_by_update=bool(phone_added),
        ),
        created_at=created_at,
        bindings=bindings_from_text(bindings),
        deletion=None
        if deletion_state is None
        else Deletion(DeletionState(deletion_state), failures_from_text(deletion_failures)),
        version=version,
    )


def _key(contact: Contact) -> Parameters:
    return contact.account_id, contact.contact_id


def _values(contact: Contact) -> Parameters:
    email, phone, deletion = contact.email, contact.phone, contact.deletion
    return (
        contact.name.text,
        contact.title.value,
        text_from_message_types(contact.message_types),
        None if email.shown is None else email.shown.text,
        None if email.verified is None else email.verified.at,
        email.verified is not None and email.verified.captured,
        None if email.waiting is None else email.waiting.text,
        email.verification_id,
        None if phone.shown is None else phone.shown.text,
        None if phone.verified is None else phone.verified.at,
        phone.verified is not None and phone.verified.captured,
        None if phone.waiting is None else phone.waiting.text,
        phone.verification_id,
        phone.added_by_update,
        contact.created_at,
        None if deletion is None else deletion.state.value,
        "[]" if deletion is None else text_from_failures(deletion.failures),
        text_from_bindings(contact.bindings),
    )


def _bind(contact: Contact, node_id: str) -> Step:
    """The step that writes one binding; its kind of node is told by the form of the id."""
    return Step(
        INSERT_BINDING,
        (
            contact.account_id,
            contact.contact_id,
            node_id,
            node_id if FOLDER_ID.fullmatch(node_id) else None,
            node_id if ACCOUNT_ID.fullmatch(node_id) else None,
            contact.created_at,
        ),
    )


def _insert_bindings(contact: Contact) -> list[Step]:
    return [_bind(contact, binding.node_id) for binding in contact.bindings]


def _update_bindings(before: Contact, after: Contact) -> list[Step]:
    """Only what differs: bindings gone, then new ones."""
    if before.bindings == after.bindings:
        return []
    nodes_before = {binding.node_id for binding in before.bindings}
    nodes_after = {binding.node_id for binding in after.bindings}
    gone = [
        Step(DELETE_BINDING, (before.account_id, before.contact_id, binding.node_id))
        for binding in before.bindings
        if binding.node_id not in nodes_after
    ]
    return gone + [_bind(after, binding.node_id) for binding in after.bindings if binding.node_id not in nodes_before]


def _delete_bindings(contact: Contact) -> list[Step]:
    return [Step(DELETE_BINDINGS, _key(contact))]


CONTACT_RECORD: Record[Contact] = Record(
    insert=INSERT_CONTACT,
    update=UPDATE_CONTACT,
    delete=DELETE_CONTACT,
    rely_on=RELY_ON_CONTACT,
    key=_key,
    values=_values,
    insert_parts=_insert_bindings,
    update_parts=_update_bindings,
    delete_parts=_delete_bindings,
)
