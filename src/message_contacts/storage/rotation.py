"""What hangs on the server's keys, of all tenants: secrets of access keys and webhooks, links and codes in messages."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.access.model import AccessKey
from message_contacts.clock import Instant
from message_contacts.storage.access import access_key_from_row
from message_contacts.storage.engine import Database, Parameters
from message_contacts.storage.webhooks import webhook_from_row
from message_contacts.verification.model import VerificationState
from message_contacts.webhooks.model import Webhook

#: Rows whose codes are looked at at once.
_AT_ONCE = 1_000

ACCESS_KEYS_AFTER = """
    -- A page of the access keys of all tenants, in the order of their keys.
    SELECT account_id, access_key_id, sealed_secret, status, created_at, version, user_id FROM access_key
     WHERE (account_id, access_key_id) > ($1, $2) ORDER BY account_id, access_key_id LIMIT $3
"""

WEBHOOKS_AFTER = """
    -- A page of the webhooks of all tenants, in the order of their keys.
    SELECT webhook_id, name, form, message_types,
           endpoint_sealed, endpoint_digest, endpoint_shown, endpoint_signed,
           verified_at, verified_captured, waiting_sealed, waiting_digest, waiting_shown, waiting_signed,
           code_reference, code_generation, code_captured, code_wrong, code_expires_at, created_at, bindings, version,
           account_id
      FROM webhook WHERE (account_id, webhook_id) > ($1, $2) ORDER BY account_id, webhook_id LIMIT $3
"""

LINKS_VALID_UNTIL = """
    -- When the last of the links that wait and were sent before a moment runs out.
    SELECT expires_at FROM verification
     WHERE expires_at > $1 AND sent_at < $2 AND state = $3 ORDER BY expires_at DESC LIMIT 1
"""

WEBHOOK_CODES_AFTER = """
    -- Until when the codes of a page of webhooks are good, in the order of their keys.
    SELECT account_id, webhook_id, code_reference, code_expires_at FROM webhook
     WHERE (account_id, webhook_id) > ($1, $2) ORDER BY account_id, webhook_id LIMIT $3
"""

FALLBACK_CODES_AFTER = """
    -- The same of fallback addresses.
    SELECT account_id, waiting, expires_at FROM fallback_address WHERE account_id > $1 ORDER BY account_id LIMIT $2
"""

LAST_PUBLISHED = """
    -- When the last message on record was published before a moment.
    SELECT published_at FROM message WHERE published_at < $1 ORDER BY published_at DESC LIMIT 1
"""


class Rotation:
    """`access.rotation.RotationStore` and `webhooks.rotation.AllWebhooks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def access_keys_after(self, after: tuple[str, str], limit: int) -> Sequence[AccessKey]:
        (rows,) = await self._database.report((ACCESS_KEYS_AFTER, (*after, limit)))
        return [access_key_from_row(row) for row in rows]

    async def webhooks_after(self, after: tuple[str, str], limit: int) -> Sequence[Webhook]:
        (rows,) = await self._database.report((WEBHOOKS_AFTER, (*after, limit)))
        return [webhook_from_row(row[-1], row[:-1]) for row in rows]

    async def links_valid_until(self, *, sent_before: Instant, now: Instant, codes_valid_for: int) -> Instant | None:
        (links,) = await self._database.report((LINKS_VALID_UNTIL, (now, sent_before, VerificationState.WAITING.value)))
        ends = [Instant(row[0]) for row in links]
        # No index leads to codes that wait: all rows are looked at, some at a time. Of a code it is known only until
        # when it is good; *key, waits for a code, until when.
        for statement, after in ((WEBHOOK_CODES_AFTER, ("", "")), (FALLBACK_CODES_AFTER, ("",))):
            key: Parameters = after
            while True:
                (rows,) = await self._database.report((statement, (*key, _AT_ONCE)))
                if not rows:
                    break
                ends += [Instant(row[-1]) for row in rows if row[-2] and now < row[-1] < sent_before + codes_valid_for]
                key = rows[-1][:-2]
        return max(ends, default=None)

    async def last_published(self, *, before: Instant) -> Instant | None:
        (rows,) = await self._database.report((LAST_PUBLISHED, (before,)))
        return Instant(rows[0][0]) if rows else None
