"""Captured messages."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.contacts.model import Channel
from message_contacts.delivery.outbox import CapturedMessage
from message_contacts.storage.engine import Database, Row

PUT_MESSAGE = """
    -- Keep a captured message, unless its verification was erased while it was under way; twice changes nothing.
    INSERT INTO inbox_message (account_id, message_id, channel, recipient, recipient_key, subject, text, html,
                               captured_at, verification_id)
    SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT),
           CAST($7 AS TEXT), CAST($8 AS TEXT), CAST($9 AS BIGINT), CAST($10 AS TEXT)
     WHERE $10 IS NULL OR EXISTS (SELECT 1 FROM verification WHERE account_id = $1 AND verification_id = $10)
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


class MessageInbox:
    """`delivery.outbox.Inbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
            ),
        )

    async def messages(
        self, account_id: str, *, recipient: str | None, after: str | None, limit: int
    ) -> Sequence[CapturedMessage]:
        (rows,) = await self._database.report(
            (MESSAGES, (account_id, after or "", limit))
            if recipient is None
            else (MESSAGES_TO_RECIPIENT, (account_id, recipient.lower(), after or "", limit))
        )
        return [message_from_row(account_id, row) for row in rows]


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
