"""What hangs on the server's keys: secrets of access keys and links of verification messages, of all tenants."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.access.model import AccessKey
from message_contacts.clock import Instant
from message_contacts.storage.access import access_key_from_row
from message_contacts.storage.engine import Database
from message_contacts.verification.model import VerificationState

ACCESS_KEYS_AFTER = """
    -- A page of the access keys of all tenants, in the order of their keys.
    SELECT account_id, access_key_id, sealed_secret, status, created_at, version, user_id FROM access_key
     WHERE (account_id, access_key_id) > ($1, $2) ORDER BY account_id, access_key_id LIMIT $3
"""

LINKS_VALID_UNTIL = """
    -- When the last of the links that wait and were sent before a moment runs out.
    SELECT expires_at FROM verification
     WHERE expires_at > $1 AND sent_at < $2 AND state = $3 ORDER BY expires_at DESC LIMIT 1
"""


class Rotation:
    """`access.rotation.RotationStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def access_keys_after(self, after: tuple[str, str], limit: int) -> Sequence[AccessKey]:
        (rows,) = await self._database.report((ACCESS_KEYS_AFTER, (*after, limit)))
        return [access_key_from_row(row) for row in rows]

    async def links_valid_until(self, *, sent_before: Instant, now: Instant) -> Instant | None:
        (rows,) = await self._database.report(
            (LINKS_VALID_UNTIL, (now, sent_before, VerificationState.WAITING.value)),
        )
        return Instant(rows[0][0]) if rows else None
