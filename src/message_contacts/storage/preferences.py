"""What people want of messages, as it is kept, and whether they still have the address where they said it."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery.standing import Preference, QuietHours
from message_contacts.storage.engine import Parameters, Row
from message_contacts.storage.records import Record

# What a contact said counts for others at the address only as long as the contact has it: in force, waiting, or in a
# copy that members keep. The copy's id comes from an index in a query of its own: SQLite would go through all copies of
# the tenant along their key.
_SAID = """
    SELECT channel, address_key, contact_id, unwanted, quiet_starts, quiet_ends, quiet_zone, quiet_holds_urgent,
           language, changed_at, version,
           contact_id = ''
           OR EXISTS (SELECT 1 FROM contact
                       WHERE contact.account_id = preference.account_id AND contact.contact_id = preference.contact_id
                         AND preference.address_key IN (lower(contact.email_shown), lower(contact.email_waiting),
                                                        contact.phone_shown, contact.phone_waiting))
           OR EXISTS (SELECT 1 FROM detached_contact AS found CROSS JOIN detached_contact AS kept
                       WHERE found.account_id = preference.account_id AND found.contact_id = preference.contact_id
                         AND kept.account_id = found.account_id AND kept.detached_id = found.detached_id
                         AND preference.address_key IN (lower(kept.email), kept.phone))
      FROM preference WHERE account_id = $1"""

ANY_PREFERENCE = """
    -- Whether anybody of a tenant has said what they want.
    SELECT 1 FROM preference WHERE account_id = $1 LIMIT 1
"""

PREFERENCES = (
    """
    -- All that people of a tenant have said they want, each with whether it was said where they still are reached.
"""
    + _SAID
)

PREFERENCE = """
    -- What was said at one address by one contact, or for the address.
    SELECT channel, address_key, contact_id, unwanted, quiet_starts, quiet_ends, quiet_zone, quiet_holds_urgent,
           language, changed_at, version
      FROM preference WHERE account_id = $1 AND channel = $2 AND address_key = $3 AND contact_id = $4
"""

PREFERENCES_AT = (
    """
    -- What was said at one address, by whomever, each with whether they still have it.
"""
    + _SAID
    + " AND channel = $2 AND address_key = $3"
)

PREFERENCES_BY = (
    """
    -- What one contact said, at whichever address, each with whether it still has it.
"""
    + _SAID
    + " AND contact_id = $2"
)

INSERT_PREFERENCE = """
    -- Keep what somebody wants.
    INSERT INTO preference (unwanted, quiet_starts, quiet_ends, quiet_zone, quiet_holds_urgent, language, changed_at,
                            account_id, channel, address_key, contact_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

UPDATE_PREFERENCE = """
    -- Change what somebody wants if nobody changed it since it was read.
    UPDATE preference SET unwanted = $1, quiet_starts = $2, quiet_ends = $3, quiet_zone = $4, quiet_holds_urgent = $5,
           language = $6, changed_at = $7, version = version + 1
     WHERE account_id = $8 AND channel = $9 AND address_key = $10 AND contact_id = $11 AND version = $12
"""

DELETE_PREFERENCE = """
    -- Forget what somebody wants if nobody changed it since it was read.
    DELETE FROM preference WHERE account_id = $1 AND channel = $2 AND address_key = $3 AND contact_id = $4
       AND version = $5
"""

RELY_ON_PREFERENCE = """
    -- Whether what somebody wants is as it was read.
    SELECT 1 FROM preference WHERE account_id = $1 AND channel = $2 AND address_key = $3 AND contact_id = $4
       AND version = $5
"""


def told_apart(account_id: str, rows: Iterable[Row]) -> tuple[list[Preference], list[Preference]]:
    """What was said where it counts for everybody, and what by contacts that do not have the address any more."""
    here: list[Preference] = []
    elsewhere: list[Preference] = []
    for row in rows:
        (here if row[11] else elsewhere).append(preference_from_row(account_id, row[:11]))
    return here, elsewhere


def preference_from_row(account_id: str, row: Row) -> Preference:
    """What somebody said, from a row of its columns."""
    channel, address_key, contact_id, unwanted, starts, ends, zone, holds_urgent, language, changed_at, version = row
    quiet = None
    if starts is not None:
        quiet = QuietHours(starts=starts, ends=ends, zone=zone, hold_urgent=bool(holds_urgent))
    return Preference(
        account_id=account_id,
        channel=Channel(channel),
        address_key=address_key,
        contact_id=contact_id,
        unwanted=frozenset(MessageType(kind) for kind in orjson.loads(unwanted)),
        quiet=quiet,
        language=language,
        changed_at=changed_at,
        version=version,
    )


def _preference_key(preference: Preference) -> Parameters:
    return preference.account_id, preference.channel.value, preference.address_key, preference.contact_id


def _preference_values(preference: Preference) -> Parameters:
    quiet = preference.quiet
    return (
        orjson.dumps(sorted(preference.unwanted)).decode(),
        quiet.starts if quiet else None,
        quiet.ends if quiet else None,
        quiet.zone if quiet else "",
        quiet.hold_urgent if quiet else False,
        preference.language,
        preference.changed_at,
    )


PREFERENCE_RECORD: Record[Preference] = Record(
    insert=INSERT_PREFERENCE,
    update=UPDATE_PREFERENCE,
    delete=DELETE_PREFERENCE,
    rely_on=RELY_ON_PREFERENCE,
    key=_preference_key,
    values=_preference_values,
)
