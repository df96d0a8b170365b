"""Taking away what has served its time, a little at a time so that writing goes on in between.

What goes by age is declared in one table. Two kinds need more thought: captured messages also go by number, and
evidence is kept as long as something rests on it, so its time only begins when that was seen to have ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from message_contacts.clock import DAY, Instant
from message_contacts.storage.audit_pruning import prune_audit
from message_contacts.storage.engine import Database, Parameters

#: Rows that go in one statement.
_AT_ONCE = 500
#: Groups of as many rows of evidence that are looked at in one round: a million rows in under two hours.
_GROUPS = 20
#: Captured messages that each tenant keeps.
INBOX_KEPT = 10_000
#: Milliseconds for which a counter of a day or minute is kept after it was last raised.
COUNTERS_KEPT = 3 * DAY

DELETE_NONCES = """
    -- Take nonces away whose requests are refused by their timestamp.
    DELETE FROM nonce
     WHERE digest IN (SELECT digest FROM nonce WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
"""

DELETE_CONSOLE_SESSIONS = """
    -- Take sessions of the console away that have ended.
    DELETE FROM console_session
     WHERE (account_id, digest) IN (SELECT account_id, digest FROM console_session
                                     WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
"""

DELETE_CONSOLE_TICKETS = """
    -- Take one-time links away that nobody can use any more.
    DELETE FROM console_ticket
     WHERE (account_id, digest) IN (SELECT account_id, digest FROM console_ticket
                                     WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
"""

DELETE_COUNTERS = """
    -- Take counters of past days and minutes away.
    DELETE FROM counter
     WHERE (account_id, counter, period) IN (SELECT account_id, counter, period FROM counter
                                              WHERE period <> '' AND raised_at <= $1 ORDER BY raised_at LIMIT $2)
"""

DELETE_VERIFICATIONS = """
    -- Take verifications away whose links and codes ran out long ago, unless they alone tell whose something else is.
    DELETE FROM verification
     WHERE (account_id, verification_id) IN (
           SELECT account_id, verification_id FROM verification
            WHERE expires_at <= $1
              AND NOT EXISTS (SELECT 1 FROM block
                               WHERE block.account_id = verification.account_id
                                 AND block.channel = verification.channel
                                 AND block.address_key = lower(verification.address)
                                 AND block.verification_id = verification.verification_id)
              AND NOT EXISTS (SELECT 1 FROM inbox_message
                               WHERE inbox_message.account_id = verification.account_id
                                 AND inbox_message.recipient_key = lower(verification.address)
                                 AND inbox_message.verification_id = verification.verification_id)
            ORDER BY expires_at LIMIT $2)
"""

DELETE_EVIDENCE = """
    -- Take evidence away on which nothing has rested for long.
    DELETE FROM evidence
     WHERE (account_id, verification_id) IN (SELECT account_id, verification_id FROM evidence
                                              WHERE unneeded_since <= $1 ORDER BY unneeded_since LIMIT $2)
"""

DELETE_OLD_CAPTURED = """
    -- Take old captured messages away.
    DELETE FROM inbox_message
     WHERE (account_id, message_id) IN (SELECT account_id, message_id FROM inbox_message
                                         WHERE captured_at <= $1 ORDER BY captured_at LIMIT $2)
"""

DELETE_DELIVERIES = """
    -- Take deliveries of messages away that were published long ago, unless they wait.
    DELETE FROM delivery
     WHERE (account_id, delivery_id) IN (
           SELECT delivery.account_id, delivery_id FROM message CROSS JOIN delivery
            WHERE published_at <= $1 AND delivery.account_id = message.account_id
              AND delivery_id > 'd-' || substr(message.message_id, 3)
              AND delivery_id < 'd-' || substr(message.message_id, 3) || 'g'
              AND delivery.state NOT IN ('pending', 'deferred')
            ORDER BY published_at LIMIT $2)
"""

DELETE_INCIDENTS = """
    -- Take closed incidents of messages away that were published long ago.
    DELETE FROM incident
     WHERE (account_id, incident_id) IN (
           SELECT incident.account_id, incident.incident_id
             FROM message CROSS JOIN incident AS found CROSS JOIN incident
            WHERE published_at <= $1 AND found.account_id = message.account_id
              AND found.message_id = message.message_id AND found.kind > ''
              AND incident.account_id = found.account_id AND incident.incident_id = found.incident_id
              AND incident.closed_at IS NOT NULL
            ORDER BY published_at LIMIT $2)
"""

DELETE_PUBLISHED = """
    -- Take messages away that were published long ago and of which nothing waits, nor is left.
    DELETE FROM message
     WHERE (account_id, message_id) IN (
           SELECT account_id, message_id FROM message
            WHERE published_at <= $1
              AND NOT EXISTS (SELECT 1 FROM message_progress
                               WHERE message_progress.account_id = message.account_id
                                 AND message_progress.message_id = message.message_id)
              AND NOT EXISTS (SELECT 1 FROM delivery
                               WHERE delivery.account_id = message.account_id
                                 AND delivery.message_id = message.message_id)
              AND NOT EXISTS (SELECT 1 FROM incident
                               WHERE incident.account_id = message.account_id
                                 AND incident.message_id = message.message_id)
            ORDER BY published_at LIMIT $2)
"""

DELETE_HAND_OVERS = """
    -- Take requests away that somebody has seen to long ago.
    DELETE FROM hand_over
     WHERE (account_id, hand_over_id) IN (SELECT account_id, hand_over_id FROM hand_over
                                           WHERE closed_at <= $1 ORDER BY closed_at LIMIT $2)
"""

DELETE_DEAD_JOBS = """
    -- Take work away that was given up, unless somebody has made it wait again.
    DELETE FROM job
     WHERE (account_id, job_id) IN (SELECT account_id, job_id FROM job
                                     WHERE ready_at IS NULL AND created_at <= $1 ORDER BY created_at LIMIT $2)
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

LAST_OF_GROUP = """
    -- The last of the next evidence in the order of its key.
    SELECT account_id, verification_id FROM evidence WHERE (account_id, verification_id) > ($1, $2)
     ORDER BY account_id, verification_id LIMIT 1 OFFSET $3
"""

ANY_UNNEEDED = """
    -- Whether a group of evidence holds any that nothing rests on any more: neither a contact nor a copy in force.
    SELECT 1 FROM evidence
     WHERE (account_id, verification_id) > ($1, $2) AND (account_id, verification_id) <= ($3, $4)
       AND unneeded_since IS NULL
       AND NOT EXISTS (SELECT 1 FROM contact
                        WHERE contact.account_id = evidence.account_id AND contact.contact_id = evidence.contact_id
                          AND (email_verified_at = confirmed_at OR phone_verified_at = confirmed_at))
       AND NOT EXISTS (SELECT 1 FROM detached_contact
                        WHERE detached_contact.account_id = evidence.account_id
                          AND detached_id IN (SELECT detached_id FROM detached_contact
                                               WHERE account_id = evidence.account_id
                                                 AND contact_id = evidence.contact_id)
                          AND (lower(email) = lower(address) OR phone = address))
     LIMIT 1
"""

MARK_UNNEEDED = """
    -- Note of a group of evidence from when on nothing rests on it any more.
    UPDATE evidence SET unneeded_since = $1
     WHERE (account_id, verification_id) > ($2, $3) AND (account_id, verification_id) <= ($4, $5)
       AND unneeded_since IS NULL
       AND NOT EXISTS (SELECT 1 FROM contact
                        WHERE contact.account_id = evidence.account_id AND contact.contact_id = evidence.contact_id
                          AND (email_verified_at = confirmed_at OR phone_verified_at = confirmed_at))
       AND NOT EXISTS (SELECT 1 FROM detached_contact
                        WHERE detached_contact.account_id = evidence.account_id
                          AND detached_id IN (SELECT detached_id FROM detached_contact
                                               WHERE account_id = evidence.account_id
                                                 AND contact_id = evidence.contact_id)
                          AND (lower(email) = lower(address) OR phone = address))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how long things are kept, in milliseconds; None: for ever."""

    #: Verifications, from the moment when link and code ran out.
    verifications: int | None = None
    #: Evidence, from the moment when neither contact nor copy rests on it any more.
    evidence: int | None = None
    #: Captured messages.
    captured: int | None = None
    #: Published messages, their deliveries, their incidents that are closed, and requests that are.
    messages: int | None = None
    #: Work that was given up, from when it was first asked for.
    failed_jobs: int | None = None
    #: Audit events.
    audit_events: int | None = None


@dataclass(frozen=True, slots=True)
class Aging:
    """One kind of row that goes by age."""

    #: Takes the moment up to which they go, and how many may go at once.
    delete: str
    #: For how long they are kept, in milliseconds; None: for ever.
    kept: Callable[[Retention], int | None]


#: Everything that goes by age alone.
AGING = (
    Aging(DELETE_NONCES, lambda _retention: 0),
    Aging(DELETE_CONSOLE_SESSIONS, lambda _retention: 0),
    Aging(DELETE_CONSOLE_TICKETS, lambda _retention: 0),
    Aging(DELETE_COUNTERS, lambda _retention: COUNTERS_KEPT),
    Aging(DELETE_VERIFICATIONS, lambda retention: retention.verifications),
    Aging(DELETE_EVIDENCE, lambda retention: retention.evidence),
    Aging(DELETE_OLD_CAPTURED, lambda retention: retention.captured),
    # In this order: a message goes when nothing of it is left.
    Aging(DELETE_DELIVERIES, lambda retention: retention.messages),
    Aging(DELETE_INCIDENTS, lambda retention: retention.messages),
    Aging(DELETE_PUBLISHED, lambda retention: retention.messages),
    Aging(DELETE_HAND_OVERS, lambda retention: retention.messages),
    Aging(DELETE_DEAD_JOBS, lambda retention: retention.failed_jobs),
)


class Housekeeping:
    """Prunes one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: Evidence up to here was looked at in the present walk through all of it.
        self._looked_at = ("", "")

    async def prune(self, now: Instant, retention: Retention) -> None:
        """Delete what has served its time."""
        if retention.evidence is not None:
            await self._mark_unneeded(now)
        for aging in AGING:
            kept = aging.kept(retention)
            if kept is not None:
                await self._delete_all(aging.delete, (now - kept,))
        if retention.audit_events is not None:
            await prune_audit(self._database, Instant(now - retention.audit_events))
        (full,) = await self._database.report((FULL_INBOXES, (INBOX_KEPT,)))
        for account_id, surplus in full:
            for done in range(0, surplus, _AT_ONCE):
                await self._database.write(DELETE_MESSAGES, (account_id, min(_AT_ONCE, surplus - done)))

    async def _mark_unneeded(self, now: Instant) -> None:
        """Walk on through the evidence, some groups a round, and write only where something has changed."""
        for _ in range(_GROUPS):
            start = self._looked_at
            (found,) = await self._database.report((LAST_OF_GROUP, (*start, _AT_ONCE - 1)))
            end = tuple(found[0]) if found else _BEHIND_ALL
            (unneeded,) = await self._database.report((ANY_UNNEEDED, (*start, *end)))
            if unneeded:
                await self._database.write(MARK_UNNEEDED, (now, *start, *end))
            if not found:
                self._looked_at = ("", "")
                return
            self._looked_at = (end[0], end[1])

    async def _delete_all(self, sql: str, parameters: Parameters) -> None:
        deleted = _AT_ONCE
        while deleted == _AT_ONCE:
            _, deleted = await self._database.write(sql, (*parameters, _AT_ONCE))


#: Behind every key: account ids are digits.
_BEHIND_ALL = ("~", "")
