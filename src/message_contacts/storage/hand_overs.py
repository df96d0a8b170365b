"""What recipients ask of the operator: to have somebody else get their messages."""

from __future__ import annotations

from message_contacts.contacts.model import Channel
from message_contacts.delivery.standing import HandOver
from message_contacts.storage.engine import Parameters, Row
from message_contacts.storage.records import Record

HAND_OVER = """
    -- One request to the operator.
    SELECT hand_over_id, contact_id, channel, address, wish, asked_at, closed_at, closed_by, note, version
      FROM hand_over WHERE account_id = $1 AND hand_over_id = $2
"""

OPEN_HAND_OVER = """
    -- A contact's request that nobody has seen to.
    SELECT hand_over_id, contact_id, channel, address, wish, asked_at, closed_at, closed_by, note, version
      FROM hand_over WHERE account_id = $1 AND contact_id = $2 AND closed_at IS NULL
"""

HAND_OVER_PAGE = """
    -- Requests of a tenant by id, those behind one.
    SELECT hand_over_id, contact_id, channel, address, wish, asked_at, closed_at, closed_by, note, version
      FROM hand_over WHERE account_id = $1 AND hand_over_id > $2
     ORDER BY hand_over_id LIMIT $3
"""

OPEN_HAND_OVER_PAGE = """
    -- Requests of a tenant that nobody has seen to, by id, those behind one.
    SELECT hand_over_id, contact_id, channel, address, wish, asked_at, closed_at, closed_by, note, version
      FROM hand_over WHERE account_id = $1 AND closed_at IS NULL AND hand_over_id > $2
     ORDER BY hand_over_id LIMIT $3
"""

INSERT_HAND_OVER = """
    -- Keep a request.
    INSERT INTO hand_over (contact_id, channel, address, wish, asked_at, closed_at, closed_by, note,
                           account_id, hand_over_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""

UPDATE_HAND_OVER = """
    -- Change a request if nobody changed it since it was read.
    UPDATE hand_over SET contact_id = $1, channel = $2, address = $3, wish = $4, asked_at = $5, closed_at = $6,
           closed_by = $7, note = $8, version = version + 1
     WHERE account_id = $9 AND hand_over_id = $10 AND version = $11
"""

DELETE_HAND_OVER = """
    -- Delete a request if nobody changed it since it was read.
    DELETE FROM hand_over WHERE account_id = $1 AND hand_over_id = $2 AND version = $3
"""

RELY_ON_HAND_OVER = """
    -- Whether a request is as it was read.
    SELECT 1 FROM hand_over WHERE account_id = $1 AND hand_over_id = $2 AND version = $3
"""


def hand_over_from_row(account_id: str, row: Row) -> HandOver:
    hand_over_id, contact_id, channel, address, wish, asked_at, closed_at, closed_by, note, version = row
    return HandOver(
        account_id=account_id,
        hand_over_id=hand_over_id,
        contact_id=contact_id,
        channel=Channel(channel),
        address=address,
        wish=wish,
        asked_at=asked_at,
        closed_at=closed_at,
        closed_by=closed_by,
        note=note,
        version=version,
    )


def _hand_over_key(hand_over: HandOver) -> Parameters:
    return hand_over.account_id, hand_over.hand_over_id


def _hand_over_values(hand_over: HandOver) -> Parameters:
    return (
        hand_over.contact_id,
        hand_over.channel.value,
        hand_over.address,
        hand_over.wish,
        hand_over.asked_at,
        hand_over.closed_at,
        hand_over.closed_by,
        hand_over.note,
    )


HAND_OVER_RECORD: Record[HandOver] = Record(
    insert=INSERT_HAND_OVER,
    update=UPDATE_HAND_OVER,
    delete=DELETE_HAND_OVER,
    rely_on=RELY_ON_HAND_OVER,
    key=_hand_over_key,
    values=_hand_over_values,
)
