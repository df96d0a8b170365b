"""When access keys were last used."""

from __future__ import annotations

from collections.abc import Mapping

from message_contacts.clock import Instant
from message_contacts.storage.engine import Database, Step

NOTE_USE = """
    -- Keep when a key was last used, if the key is there and no later use is kept.
    INSERT INTO access_key_use (account_id, access_key_id, last_used_at)
    SELECT account_id, access_key_id, CAST($1 AS BIGINT) FROM access_key WHERE access_key_id = $2
    ON CONFLICT (account_id, access_key_id)
    DO UPDATE SET last_used_at = excluded.last_used_at WHERE access_key_use.last_used_at < excluded.last_used_at
"""

LAST_USES = """
    -- When each key of an account was last used.
    SELECT access_key_id, last_used_at FROM access_key_use WHERE account_id = $1
"""

LAST_USE = """
    -- When one key was last used.
    SELECT last_used_at FROM access_key_use WHERE account_id = $1 AND access_key_id = $2
"""

#: Notes in one commit.
_AT_ONCE = 500


class AccessKeyUses:
    """`access.key_uses.KeyUseStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note_uses(self, uses: Mapping[str, Instant]) -> None:
        # In one order everywhere: processes that note the same keys must not wait for each other in a circle.
        steps = [Step(NOTE_USE, (moment, access_key_id)) for access_key_id, moment in sorted(uses.items())]
        for start in range(0, len(steps), _AT_ONCE):
            await self._database.commit(steps[start : start + _AT_ONCE])

    async def last_uses(self, account_id: str) -> Mapping[str, Instant]:
        rows = await self._database.rows(LAST_USES, (account_id,))
        return {access_key_id: Instant(moment) for access_key_id, moment in rows}

    async def last_use(self, account_id: str, access_key_id: str) -> Instant | None:
        rows = await self._database.rows(LAST_USE, (account_id, access_key_id))
        return Instant(rows[0][0]) if rows else None
