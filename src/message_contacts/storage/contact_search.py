"""Looking for contacts.

Each order is a walk along an index from a place on, past what was not asked for: a page costs at most one look at each
contact of the tenant, and none is sorted. Statements share the text of what is asked, whose parameters are `$2` to
`$15`; `!` goes before the signs of LIKE that are meant as such.
"""

from __future__ import annotations

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.contacts.search import STATUS_ORDER, ContactSearch, Order, Place, SortBy
from message_contacts.storage.engine import Database, Parameters, Row

#: Objects that one statement looks for; a member five levels deep is in effect through that many.
_NODES = 8
_AFTER_ALL_TEXT = "\U0010ffff"
_AFTER_ALL_TIME = Instant(2**63 - 1)
_BEFORE_ALL_TIME = Instant(-1)

_COLUMNS = """
    SELECT contact_id, name, title, message_types,
           email_shown, email_verified_at, email_captured, email_waiting, email_verification_id,
           phone_shown, phone_verified_at, phone_captured, phone_waiting, phone_verification_id, phone_added,
           created_at, deletion_state, deletion_failures, bindings, version
      FROM contact
"""

_ASKED = """
     WHERE account_id = $1
       AND ($2 = ''
            OR $2 = CASE WHEN deletion_state = 'Deleting' THEN 'Deleting'
                         WHEN email_shown IS NOT NULL
                              AND (email_verified_at IS NULL OR (email_captured AND NOT $3)) THEN 'Verifying'
                         WHEN phone_shown IS NOT NULL
                              AND (phone_verified_at IS NULL OR (phone_captured AND NOT $4)) THEN 'Verifying'
                         ELSE 'Active' END)
       AND ($5 = '' OR ',' || message_types || ',' LIKE $5)
       AND ($6 = '' OR ($6 = 'no') = (bindings = '[]'))
       AND ($7 = '' OR contact_id IN (SELECT contact_id FROM binding
                                       WHERE account_id = $1 AND node_id IN ($7, $8, $9, $10, $11, $12, $13, $14)))
       AND ($15 = '' OR lower(name) LIKE $15 ESCAPE '!' OR lower(title) LIKE $15 ESCAPE '!'
            OR lower(email_shown) LIKE $15 ESCAPE '!' OR lower(email_waiting) LIKE $15 ESCAPE '!'
            OR phone_shown LIKE $15 ESCAPE '!' OR phone_waiting LIKE $15 ESCAPE '!')
"""

FOUND_BY_DATE = (
    """
    -- Contacts that match, by creation date, behind a place.
"""
    + _COLUMNS
    + _ASKED
    + " AND (created_at, contact_id) > ($16, $17) ORDER BY created_at, contact_id LIMIT $18"
)

FOUND_BY_DATE_BACKWARDS = (
    """
    -- Contacts that match, newest first, behind a place.
"""
    + _COLUMNS
    + _ASKED
    + " AND (created_at, contact_id) < ($16, $17) ORDER BY created_at DESC, contact_id DESC LIMIT $18"
)

FOUND_BY_NAME = (
    """
    -- Contacts that match, by name whatever the case of its letters, behind a place.
"""
    + _COLUMNS
    + _ASKED
    + " AND lower(name) >= $16 AND (lower(name), name) > ($16, $17) ORDER BY lower(name), name LIMIT $18"
)

FOUND_BY_NAME_BACKWARDS = (
    """
    -- Contacts that match, from the last name to the first, behind a place.
"""
    + _COLUMNS
    + _ASKED
    + " AND lower(name) <= $16 AND (lower(name), name) < ($16, $17)"
    + " ORDER BY lower(name) DESC, name DESC LIMIT $18"
)

COUNT_FOUND = (
    """
    -- How many contacts match, counted no further than wanted.
    SELECT count(*) FROM (SELECT 1 FROM contact """  # noqa: S608 - all of it is ours
    + _ASKED.strip()
    + " LIMIT $16) AS found"
)


async def rows_found(
    database: Database, account_id: str, asked: ContactSearch, order: Order, *, after: Place | None, limit: int
) -> list[Row]:
    """The rows of contacts that match, in that order, those behind a place."""
    if order.sort_by is SortBy.STATUS:
        return await _rows_by_status(database, account_id, asked, order, after=after, limit=limit)
    given = _parameters(account_id, asked, asked.status)
    if order.sort_by is SortBy.NAME:
        sql = FOUND_BY_NAME_BACKWARDS if order.descending else FOUND_BY_NAME
        place = _name_place(after, descending=order.descending)
    else:
        sql = FOUND_BY_DATE_BACKWARDS if order.descending else FOUND_BY_DATE
        place = _date_place(after, descending=order.descending)
    (rows,) = await database.report((sql, (*given, *place, limit)))
    return rows


async def count_found(database: Database, account_id: str, asked: ContactSearch, *, most: int) -> int:
    """How many contacts match, `most` if there are as many or more."""
    ((((count,)),),) = await database.report((COUNT_FOUND, (*_parameters(account_id, asked, asked.status), most)))
    return int(count)


async def _rows_by_status(
    database: Database, account_id: str, asked: ContactSearch, order: Order, *, after: Place | None, limit: int
) -> list[Row]:
    """One state after the other, each by creation date: the state is worked out, so no index has its order."""
    states = STATUS_ORDER[::-1] if order.descending else STATUS_ORDER
    begun = states.index(after.status) if after is not None and after.status is not None else 0
    found: list[Row] = []
    for state in states[begun:]:
        if asked.status in (None, state) and len(found) < limit:
            begins = after if after is not None and after.status is state else None
            sql = FOUND_BY_DATE_BACKWARDS if order.descending else FOUND_BY_DATE
            place = _date_place(begins, descending=order.descending)
            given = _parameters(account_id, asked, state)
            (rows,) = await database.report((sql, (*given, *place, limit - len(found))))
            found += rows
    return found


def _name_place(after: Place | None, *, descending: bool) -> Parameters:
    if after is not None:
        # As `lower` does it in both databases, on PostgreSQL with the collation of the column: ASCII letters only.
        return after.name.encode().lower().decode(), after.name
    return (_AFTER_ALL_TEXT, "") if descending else ("", "")


def _date_place(after: Place | None, *, descending: bool) -> Parameters:
    if after is not None:
        return after.created_at, after.contact_id
    return (_AFTER_ALL_TIME, "") if descending else (_BEFORE_ALL_TIME, "")


def _parameters(account_id: str, asked: ContactSearch, status: str | None) -> Parameters:
    """`$1` to `$15`."""
    nodes = asked.node_ids[-_NODES:]  # more there are only in a damaged tree: the nearest ones
    filled = (*nodes, *([nodes[-1] if nodes else ""] * (_NODES - len(nodes))))
    return (
        account_id,
        status or "",
        Channel.EMAIL in asked.captured_counts,
        Channel.SMS in asked.captured_counts,
        f"%,{asked.message_type},%" if asked.message_type else "",
        "" if asked.bound is None else ("yes" if asked.bound else "no"),
        *filled,
        _pattern(asked.text),
    )


def _pattern(text: str) -> str:
    """What LIKE finds the text with, wherever it stands, and nothing else; empty for no text."""
    if not text:
        return ""
    for sign in "!%_":
        text = text.replace(sign, "!" + sign)
    return f"%{text.lower()}%"
