"""Suspended addresses, what their owners want, and what they ask of the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.standing import (
    HandOver,
    Known,
    Place,
    Preference,
    Sign,
    Source,
    Suspension,
    SuspensionReason,
)
from message_contacts.storage.engine import Database, Parameters, Row
from message_contacts.storage.hand_overs import (
    HAND_OVER,
    HAND_OVER_PAGE,
    OPEN_HAND_OVER,
    OPEN_HAND_OVER_PAGE,
    hand_over_from_row,
)
from message_contacts.storage.preferences import (
    ANY_PREFERENCE,
    PREFERENCE,
    PREFERENCES,
    PREFERENCES_AT,
    PREFERENCES_BY,
    preference_from_row,
    told_apart,
)
from message_contacts.storage.records import Record

ANY_SUSPENSION = """
    -- Whether any address of a tenant is suspended.
    SELECT 1 FROM suspension WHERE account_id = $1 AND suspended_at IS NOT NULL LIMIT 1
"""

SUSPENSIONS = """
    -- All suspended addresses of a tenant.
    SELECT channel, address_key, address, reason, suspended_at, soft_bounces, bounced_at, signs, version
      FROM suspension WHERE account_id = $1 AND suspended_at IS NOT NULL
"""

SUSPENSION = """
    -- What came back from one address.
    SELECT channel, address_key, address, reason, suspended_at, soft_bounces, bounced_at, signs, version
      FROM suspension WHERE account_id = $1 AND channel = $2 AND address_key = $3
"""

SUSPENSION_PAGE = """
    -- Suspended addresses of a tenant by channel and address, those behind one.
    SELECT channel, address_key, address, reason, suspended_at, soft_bounces, bounced_at, signs, version
      FROM suspension WHERE account_id = $1 AND suspended_at IS NOT NULL AND (channel, address_key) > ($2, $3)
     ORDER BY channel, address_key LIMIT $4
"""

CONTACT_HELD = """
    -- Whether anything is held on a contact: itself, a copy, or who confirmed its addresses.
    SELECT 1 FROM contact WHERE account_id = $1 AND contact_id = $2
     UNION ALL
    SELECT 1 FROM detached_contact WHERE account_id = $1 AND contact_id = $2
     UNION ALL
    SELECT 1 FROM evidence WHERE account_id = $1 AND contact_id = $2
     LIMIT 1
"""

ADDRESS_WRITTEN_TO = """
    -- Whether a delivery to an address is kept.
    SELECT 1 FROM delivery WHERE account_id = $1 AND channel = $2 AND address_key = $3 LIMIT 1
"""

ADDRESS_HELD = """
    -- A contact of a tenant that has an address, or left copies with it.
    SELECT contact_id FROM contact
     WHERE account_id = $1
       AND (lower(email_shown) = $2 OR lower(email_waiting) = $2 OR phone_shown = $2 OR phone_waiting = $2)
     UNION ALL
    SELECT contact_id FROM detached_contact WHERE account_id = $1 AND (lower(email) = $2 OR phone = $2)
     LIMIT 1
"""

INSERT_SUSPENSION = """
    -- Begin to count what comes back from an address.
    INSERT INTO suspension (address, reason, suspended_at, soft_bounces, bounced_at, signs,
                            account_id, channel, address_key, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

UPDATE_SUSPENSION = """
    -- Change what is known of an address if nobody changed it since it was read.
    UPDATE suspension SET address = $1, reason = $2, suspended_at = $3, soft_bounces = $4, bounced_at = $5, signs = $6,
           version = version + 1
     WHERE account_id = $7 AND channel = $8 AND address_key = $9 AND version = $10
"""

DELETE_SUSPENSION = """
    -- Forget what came back from an address if nobody changed it since it was read.
    DELETE FROM suspension WHERE account_id = $1 AND channel = $2 AND address_key = $3 AND version = $4
"""

RELY_ON_SUSPENSION = """
    -- Whether what is known of an address is as it was read.
    SELECT 1 FROM suspension WHERE account_id = $1 AND channel = $2 AND address_key = $3 AND version = $4
"""


class Standings:
    """`delivery.standing.StandingStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def knows_any(self, account_id: str) -> bool:
        return bool(
            await self._database.rows(ANY_SUSPENSION, (account_id,))
            or await self._database.rows(ANY_PREFERENCE, (account_id,))
        )

    async def known(self, account_id: str) -> Known:
        suspensions, preferences = await self._database.report(
            (SUSPENSIONS, (account_id,)), (PREFERENCES, (account_id,))
        )
        return _known(account_id, suspensions, preferences)

    async def known_of(self, account_id: str, places: Sequence[Place], contact_ids: Sequence[str]) -> Known:
        keys = [(account_id, channel.value, address_key) for channel, address_key in places]
        found = await self._database.report(
            *((SUSPENSION, key) for key in keys),
            *((PREFERENCES_AT, key) for key in keys),
            *((PREFERENCES_BY, (account_id, contact_id)) for contact_id in contact_ids),
        )
        suspensions = [row for rows in found[: len(keys)] for row in rows]
        # What a contact said at one of the addresses is found twice.
        preferences = {row[:3]: row for rows in found[len(keys) :] for row in rows}
        known = _known(account_id, suspensions, list(preferences.values()))
        return replace(
            known,
            suspensions=[each for each in known.suspensions if each.reason is not None],
            elsewhere=[each for each in known.elsewhere if each.contact_id in contact_ids],
        )

    async def is_held(self, account_id: str, channel: Channel, address_key: str, contact_id: str) -> bool:
        if contact_id:
            return bool(await self._database.rows(CONTACT_HELD, (account_id, contact_id)))
        return bool(
            await self._database.rows(ADDRESS_WRITTEN_TO, (account_id, channel.value, address_key))
            # All contacts of the tenant, so only when the short way told nothing.
            or await self.holder(account_id, address_key)
        )

    async def holder(self, account_id: str, address_key: str) -> str | None:
        (rows,) = await self._database.report((ADDRESS_HELD, (account_id, address_key)))
        return rows[0][0] if rows else None

    async def suspension(self, account_id: str, channel: Channel, address_key: str) -> Suspension | None:
        rows = await self._database.rows(SUSPENSION, (account_id, channel.value, address_key))
        return suspension_from_row(account_id, rows[0]) if rows else None

    async def suspension_page(self, account_id: str, *, after: Place | None, limit: int) -> Sequence[Suspension]:
        behind = (after[0].value, after[1]) if after else ("", "")
        (rows,) = await self._database.report((SUSPENSION_PAGE, (account_id, *behind, limit)))
        return [suspension_from_row(account_id, row) for row in rows]

    async def preference(
        self, account_id: str, channel: Channel, address_key: str, contact_id: str
    ) -> Preference | None:
        rows = await self._database.rows(PREFERENCE, (account_id, channel.value, address_key, contact_id))
        return preference_from_row(account_id, rows[0]) if rows else None

    async def hand_over(self, account_id: str, hand_over_id: str) -> HandOver | None:
        rows = await self._database.rows(HAND_OVER, (account_id, hand_over_id))
        return hand_over_from_row(account_id, rows[0]) if rows else None

    async def open_hand_over(self, account_id: str, contact_id: str) -> HandOver | None:
        rows = await self._database.rows(OPEN_HAND_OVER, (account_id, contact_id))
        return hand_over_from_row(account_id, rows[0]) if rows else None

    async def hand_over_page(
        self, account_id: str, *, only_open: bool, after: str | None, limit: int
    ) -> Sequence[HandOver]:
        page = OPEN_HAND_OVER_PAGE if only_open else HAND_OVER_PAGE
        (rows,) = await self._database.report((page, (account_id, after or "", limit)))
        return [hand_over_from_row(account_id, row) for row in rows]


def _known(account_id: str, suspensions: Sequence[Row], preferences: Sequence[Row]) -> Known:
    here, elsewhere = told_apart(account_id, preferences)
    return Known([suspension_from_row(account_id, row) for row in suspensions], here, elsewhere)


def suspension_from_row(account_id: str, row: Row) -> Suspension:
    channel, address_key, address, reason, suspended_at, soft_bounces, bounced_at, signs, version = row
    return Suspension(
        account_id=account_id,
        channel=Channel(channel),
        address_key=address_key,
        address=address,
        reason=SuspensionReason(reason) if reason else None,
        suspended_at=suspended_at,
        soft_bounces=soft_bounces,
        bounced_at=bounced_at,
        signs=tuple(_sign(values) for values in orjson.loads(signs)),
        version=version,
    )


def _sign(values: list[str | int]) -> Sign:
    at, source, delivery_id, weight, word, status, told = values
    return Sign(Instant(int(at)), Source(str(source)), str(delivery_id), str(weight), str(word), str(status), str(told))


def _suspension_key(suspension: Suspension) -> Parameters:
    return suspension.account_id, suspension.channel.value, suspension.address_key


def _suspension_values(suspension: Suspension) -> Parameters:
    signs = [
        [sign.at, sign.source, sign.delivery_id, sign.weight, sign.word, sign.status, sign.told]
        for sign in suspension.signs
    ]
    return (
        suspension.address,
        suspension.reason.value if suspension.reason else "",
        suspension.suspended_at,
        suspension.soft_bounces,
        suspension.bounced_at,
        orjson.dumps(signs).decode(),
    )


SUSPENSION_RECORD: Record[Suspension] = Record(
    insert=INSERT_SUSPENSION,
    update=UPDATE_SUSPENSION,
    delete=DELETE_SUSPENSION,
    rely_on=RELY_ON_SUSPENSION,
    key=_suspension_key,
    values=_suspension_values,
)
