"""Sessions of the console, and the one-time links that open them."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.access.console_sessions import ConsoleSession, ConsoleTicket
from message_contacts.clock import Instant
from message_contacts.storage.engine import Database, Parameters, Row
from message_contacts.storage.records import Record

CONSOLE_SESSION = """
    -- One session of the console.
    SELECT account_id, digest, access_key_id, opened_at, seen_at, expires_at, source_address, version
      FROM console_session WHERE account_id = $1 AND digest = $2
"""

CONSOLE_SESSIONS = """
    -- All sessions of an access key, newest first.
    SELECT account_id, digest, access_key_id, opened_at, seen_at, expires_at, source_address, version
      FROM console_session WHERE account_id = $1 AND access_key_id = $2 ORDER BY opened_at DESC, digest DESC
"""

INSERT_CONSOLE_SESSION = """
    -- Open a session of the console.
    INSERT INTO console_session (access_key_id, opened_at, seen_at, expires_at, source_address, account_id, digest,
                                 version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

UPDATE_CONSOLE_SESSION = """
    -- Change a session if nobody changed it since it was read.
    UPDATE console_session SET access_key_id = $1, opened_at = $2, seen_at = $3, expires_at = $4, source_address = $5,
           version = version + 1
     WHERE account_id = $6 AND digest = $7 AND version = $8
"""

DELETE_CONSOLE_SESSION = """
    -- End a session if nobody changed it since it was read.
    DELETE FROM console_session WHERE account_id = $1 AND digest = $2 AND version = $3
"""

RELY_ON_CONSOLE_SESSION = """
    -- Whether a session is as it was read.
    SELECT 1 FROM console_session WHERE account_id = $1 AND digest = $2 AND version = $3
"""

NOTE_SESSION_SEEN = """
    -- Keep when a session was last used. Not a change that others have to decide again for.
    UPDATE console_session SET seen_at = $1 WHERE account_id = $2 AND digest = $3 AND seen_at < $1
"""

CONSOLE_TICKET = """
    -- One link that opens a session.
    SELECT account_id, digest, access_key_id, made_at, expires_at, version
      FROM console_ticket WHERE account_id = $1 AND digest = $2
"""

INSERT_CONSOLE_TICKET = """
    -- Make a link that opens a session.
    INSERT INTO console_ticket (access_key_id, made_at, expires_at, account_id, digest, version)
    VALUES ($1, $2, $3, $4, $5, $6)
"""

UPDATE_CONSOLE_TICKET = """
    -- Change a link if nobody changed it since it was read.
    UPDATE console_ticket SET access_key_id = $1, made_at = $2, expires_at = $3, version = version + 1
     WHERE account_id = $4 AND digest = $5 AND version = $6
"""

DELETE_CONSOLE_TICKET = """
    -- Use a link up if nobody did since it was read.
    DELETE FROM console_ticket WHERE account_id = $1 AND digest = $2 AND version = $3
"""

RELY_ON_CONSOLE_TICKET = """
    -- Whether a link is as it was read.
    SELECT 1 FROM console_ticket WHERE account_id = $1 AND digest = $2 AND version = $3
"""


class ConsoleSessionRows:
    """`access.console_sessions.ConsoleSessionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def session(self, account_id: str, digest: bytes) -> ConsoleSession | None:
        rows = await self._database.rows(CONSOLE_SESSION, (account_id, digest))
        return _session_from_row(rows[0]) if rows else None

    async def sessions(self, account_id: str, access_key_id: str) -> Sequence[ConsoleSession]:
        return [
            _session_from_row(row) for row in await self._database.rows(CONSOLE_SESSIONS, (account_id, access_key_id))
        ]

    async def ticket(self, account_id: str, digest: bytes) -> ConsoleTicket | None:
        rows = await self._database.rows(CONSOLE_TICKET, (account_id, digest))
        return _ticket_from_row(rows[0]) if rows else None

    async def note_seen(self, session: ConsoleSession, now: Instant) -> None:
        await self._database.write(NOTE_SESSION_SEEN, (now, session.account_id, session.digest))


def _session_from_row(row: Row) -> ConsoleSession:
    account_id, digest, access_key_id, opened_at, seen_at, expires_at, source_address, version = row
    return ConsoleSession(
        account_id=account_id,
        digest=digest,
        access_key_id=access_key_id,
        opened_at=Instant(opened_at),
        seen_at=Instant(seen_at),
        expires_at=Instant(expires_at),
        source_address=source_address,
        version=version,
    )


def _ticket_from_row(row: Row) -> ConsoleTicket:
    account_id, digest, access_key_id, made_at, expires_at, version = row
    return ConsoleTicket(
        account_id=account_id,
        digest=digest,
        access_key_id=access_key_id,
        made_at=Instant(made_at),
        expires_at=Instant(expires_at),
        version=version,
    )


def _key(record: ConsoleSession | ConsoleTicket) -> Parameters:
    return record.account_id, record.digest


def _session_values(session: ConsoleSession) -> Parameters:
    return (
        session.access_key_id,
        session.opened_at,
        session.seen_at,
        session.expires_at,
        session.source_address,
    )


def _ticket_values(ticket: ConsoleTicket) -> Parameters:
    return ticket.access_key_id, ticket.made_at, ticket.expires_at


CONSOLE_SESSION_RECORD: Record[ConsoleSession] = Record(
    insert=INSERT_CONSOLE_SESSION,
    update=UPDATE_CONSOLE_SESSION,
    delete=DELETE_CONSOLE_SESSION,
    rely_on=RELY_ON_CONSOLE_SESSION,
    key=_key,
    values=_session_values,
)
CONSOLE_TICKET_RECORD: Record[ConsoleTicket] = Record(
    insert=INSERT_CONSOLE_TICKET,
    update=UPDATE_CONSOLE_TICKET,
    delete=DELETE_CONSOLE_TICKET,
    rely_on=RELY_ON_CONSOLE_TICKET,
    key=_key,
    values=_ticket_values,
)
