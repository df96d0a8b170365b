"""Captured messages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from message_contacts.changes import ClearInbox
from message_contacts.contacts.model import Channel
from message_contacts.delivery.outbox import CapturedMessage
from message_contacts.storage.engine import Database, Row, Step

PUT_MESSAGE = """
    -- Keep a captured message, unless the person was erased while it was under way; twice changes nothing.
    INSERT INTO inbox_message (account_id, message_id, channel, recipient, recipient_key, subject, text, html,
                               captured_at, verification_id)
    SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT),
           CAST($7 AS TEXT), CAST($8 AS TEXT), CAST($9 AS BIGINT), CAST($10 AS TEXT)
     WHERE ($10 IS NULL OR EXISTS (SELECT 1 FROM verification WHERE account_id = $1 AND verification_id = $10))
       AND (CAST($11 AS TEXT) IS NULL
            OR EXISTS (SELECT 1 FROM delivery WHERE account_id = $1 AND delivery_id = $11 AND address_key = $5))
       AND (CAST($12 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM contact WHERE account_id = $1 AND contact_id = $12))
    ON CONFLICT (account_id, message_id) DO NOTHING
"""

MESSAGES = """
    -- Captured messages of a tenant by id, those behind one.
    SELECT message_id, channel, recipient, subject, text, html, captured_at, verification_id FROM inbox_message
     WHERE account_id = $1 AND message_id > $2
     ORDER BY message_id LIMIT $3
"""

MESSAGES_TO_RECIPIENT = """
    -- Captured messages to one address by id, those behind one.
    SELECT message_id, channel, recipient, subject, text, html, captured_at, verification_id FROM inbox_message
     WHERE account_id = $1 AND recipient_key = $2 AND message_id > $3
     ORDER BY message_id LIMIT $4
"""

NEWEST_MESSAGES = """
    -- Captured messages of a tenant by id, the last first, those before one.
    SELECT message_id, channel, recipient, subject, text, html, captured_at, verification_id FROM inbox_message
     WHERE account_id = $1 AND message_id < $2
     ORDER BY message_id DESC LIMIT $3
"""

NEWEST_MESSAGES_TO_RECIPIENT = """
    -- Captured messages to one address by id, the last first, those before one.
    SELECT message_id, channel, recipient, subject, text, html, captured_at, verification_id FROM inbox_message
     WHERE account_id = $1 AND recipient_key = $2 AND message_id < $3
     ORDER BY message_id DESC LIMIT $4
"""

MESSAGE = """
    -- One captured message.
    SELECT message_id, channel, recipient, subject, text, html, captured_at, verification_id FROM inbox_message
     WHERE account_id = $1 AND message_id = $2
"""

CLEAR = """
    -- Take a tenant's captured messages away, up to one.
    DELETE FROM inbox_message WHERE account_id = $1 AND message_id <= $2
"""

CLEAR_RECIPIENT = """
    -- Take captured messages to one address away, up to one.
    DELETE FROM inbox_message WHERE account_id = $1 AND recipient_key = $2 AND message_id <= $3
"""

COUNT = """
    -- How many captured messages a tenant has, and the last one.
    SELECT count(*), coalesce(max(message_id), '') FROM inbox_message WHERE account_id = $1
"""

COUNT_TO_RECIPIENT = """
    -- How many captured messages to one address a tenant has, and the last one.
    SELECT count(*), coalesce(max(message_id), '') FROM inbox_message WHERE account_id = $1 AND recipient_key = $2
"""

#: Sorts behind every id.
_LAST = "~"


class MessageInbox:
    """`delivery.outbox.Inbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: Who waits for what this process puts there, by tenant.
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    async def put(self, message: CapturedMessage) -> None:
        await self._database.write(
            PUT_MESSAGE,
            (
                message.account_id,
                message.message_id,
                message.channel.value,
                message.recipient,
                message.recipient.lower(),
                message.subject,
                message.text,
                message.html,
                message.captured_at,
                message.verification_id,
                message.delivery_id,
                message.contact_id,
            ),
        )
        for waiting in self._waiting.pop(message.account_id, ()):
            if not waiting.done():
                waiting.set_result(None)

    def arrival(self, account_id: str) -> asyncio.Future[None]:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account_id, set()).add(waiting)
        waiting.add_done_callback(lambda done: self._forget(account_id, done))
        return waiting

    def _forget(self, account_id: str, waiting: asyncio.Future[None]) -> None:
        others = self._waiting.get(account_id)
        if others is not None:
            others.discard(waiting)
            if not others:
                del self._waiting[account_id]

    async def size(self, account_id: str, *, recipient: str | None) -> tuple[int, str]:
        ((row,),) = await self._database.report(
            (COUNT, (account_id,)) if recipient is None else (COUNT_TO_RECIPIENT, (account_id, recipient.lower()))
        )
        return row[0], row[1]

    async def messages(
        self, account_id: str, *, recipient: str | None, after: str | None, limit: int, newest_first: bool = False
    ) -> Sequence[CapturedMessage]:
        place = after or (_LAST if newest_first else "")
        of_all, to_one = (
            (NEWEST_MESSAGES, NEWEST_MESSAGES_TO_RECIPIENT) if newest_first else (MESSAGES, MESSAGES_TO_RECIPIENT)
        )
        (rows,) = await self._database.report(
            (of_all, (account_id, place, limit))
            if recipient is None
            else (to_one, (account_id, recipient.lower(), place, limit))
        )
        return [message_from_row(account_id, row) for row in rows]

    async def message(self, account_id: str, message_id: str) -> CapturedMessage | None:
        rows = await self._database.rows(MESSAGE, (account_id, message_id))
        return message_from_row(account_id, rows[0]) if rows else None


def cleared(change: ClearInbox) -> Step:
    """The step of `changes.ClearInbox`."""
    if change.recipient_key is None:
        return Step(CLEAR, (change.account_id, change.last), many=True)
    return Step(CLEAR_RECIPIENT, (change.account_id, change.recipient_key, change.last), many=True)


def message_from_row(account_id: str, row: Row) -> CapturedMessage:
    """A captured message from its row."""
    message_id, channel, recipient, subject, text, html, captured_at, verification_id = row
    return CapturedMessage(
        account_id=account_id,
        message_id=message_id,
        channel=Channel(channel),
        recipient=recipient,
        subject=subject,
        text=text,
        html=html,
        captured_at=captured_at,
        verification_id=verification_id,
    )
