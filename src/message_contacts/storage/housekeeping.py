"""Taking away what nobody needs any more, a little at a time so that writing goes on in between."""

from __future__ import annotations

from message_contacts.clock import DAY, Instant
from message_contacts.storage.engine import Database, Parameters

#: Rows that go in one statement.
_AT_ONCE = 500
#: Captured messages that each tenant keeps.
INBOX_KEPT = 10_000
#: Milliseconds for which a counter of a day or minute is kept after it was last raised.
COUNTERS_KEPT = 3 * DAY

DELETE_NONCES = """
    -- Take nonces away whose requests are refused by their timestamp.
    DELETE FROM nonce
     WHERE digest IN (SELECT digest FROM nonce WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
"""

DELETE_COUNTERS = """
    -- Take counters of past days and minutes away.
    DELETE FROM counter
     WHERE (account_id, counter, period) IN (SELECT account_id, counter, period FROM counter
                                              WHERE period <> '' AND raised_at <= $1 ORDER BY raised_at LIMIT $2)
"""

FULL_INBOXES = """
    -- Tenants with more captured messages than they keep, and how many more.
    SELECT account_id, count(*) - $1 FROM inbox_message GROUP BY account_id HAVING count(*) > $1
"""

DELETE_MESSAGES = """
    -- Take a tenant's oldest captured messages away.
    DELETE FROM inbox_message
     WHERE account_id = $1
       AND message_id IN (SELECT message_id FROM inbox_message WHERE account_id = $1 ORDER BY message_id LIMIT $2)
"""


async def prune(database: Database, now: Instant) -> None:
    """Delete expired nonces, counters of past periods, and captured messages beyond the newest of each tenant."""
    await _delete_all(database, DELETE_NONCES, (now,))
    await _delete_all(database, DELETE_COUNTERS, (now - COUNTERS_KEPT,))
    (full,) = await database.report((FULL_INBOXES, (INBOX_KEPT,)))
    for account_id, surplus in full:
        for done in range(0, surplus, _AT_ONCE):
            await database.write(DELETE_MESSAGES, (account_id, min(_AT_ONCE, surplus - done)))


async def _delete_all(database: Database, sql: str, parameters: Parameters) -> None:
    deleted = _AT_ONCE
    while deleted == _AT_ONCE:
        _, deleted = await database.write(sql, (*parameters, _AT_ONCE))
