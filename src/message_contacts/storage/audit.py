"""Audit events, their personal parts, and the chains that events are sealed into."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.audit.model import (
    NO_HASH,
    AuditEvent,
    Chain,
    Extension,
    KeptEvent,
    PartNamed,
    PersonalPart,
    Seal,
    Span,
)
from message_contacts.changes import Stale
from message_contacts.storage.audit_rows import (
    chain_from_row,
    end_from_row,
    event_row,
    kept_from_row,
    named_in,
    part_from_row,
    people,
    text_of,
)
from message_contacts.storage.engine import DECIDE_AGAIN, Database, Query, Step

INSERT_EVENT = """
    -- Keep an event.
    INSERT INTO audit_event (account_id, event_id, happened_at, kind, operation, access_key_id, user_id, source_address,
                             request_id, targets, details, personal_digests, times)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""

ADD_EVENT = """
    -- Keep an event that goes with no change; the same one again changes nothing.
    INSERT INTO audit_event (account_id, event_id, happened_at, kind, operation, access_key_id, user_id, source_address,
                             request_id, targets, details, personal_digests, times)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (account_id, event_id) DO NOTHING
"""

INSERT_PERSONAL_PART = """
    -- Keep what an event says about one person.
    INSERT INTO audit_personal (account_id, person_id, event_id, salt, details) VALUES ($1, $2, $3, $4, $5)
"""

# Not a join: PostgreSQL, which does not know how few these are, would go through all chains for it.
UNSEALED = """
    -- Events that are not sealed yet, of any account, by id, those behind one; and where their chains end.
    SELECT account_id, event_id, happened_at, kind, operation, access_key_id, user_id, source_address, request_id,
           targets, details, personal_digests, times, sequence, hash,
           (SELECT sequence FROM audit_chain WHERE audit_chain.account_id = audit_event.account_id),
           (SELECT hash FROM audit_chain WHERE audit_chain.account_id = audit_event.account_id)
      FROM audit_event WHERE sequence IS NULL AND event_id > $1
     ORDER BY event_id LIMIT $2
"""

CHAIN = """
    -- Where a chain begins and ends.
    SELECT account_id, sequence, hash, pruned_sequence, pruned_hash FROM audit_chain WHERE account_id = $1
"""

INSERT_CHAIN = """
    -- Begin a chain. Refused when it was begun meanwhile.
    INSERT INTO audit_chain (account_id, sequence, hash, pruned_sequence, pruned_hash, oldest_at)
    VALUES ($1, $2, $3, $4, $5, $6)
"""

EXTEND_CHAIN = """
    -- Move the end of a chain. No row: somebody else has moved it since it was read.
    UPDATE audit_chain SET sequence = $1, hash = $2, oldest_at = CASE WHEN oldest_at > $3 THEN $3 ELSE oldest_at END
     WHERE account_id = $4 AND sequence = $5 AND hash = $6
"""

# Not "sequence IS NULL", which PostgreSQL knows to be so of hardly any event: it would go through all that are not
# sealed, for each of many. Sequences count from 1.
SEAL_EVENT = """
    -- Give an event its place in the chain. No row: it has one.
    UPDATE audit_event SET sequence = $1, hash = $2
     WHERE account_id = $3 AND event_id = $4 AND coalesce(sequence, 0) = 0
"""

EVENTS_BEFORE = """
    -- Events of a tenant, newest first: a span of ids.
    SELECT account_id, event_id, happened_at, kind, operation, access_key_id, user_id, source_address, request_id,
           targets, details, personal_digests, times, sequence, hash
      FROM audit_event WHERE account_id = $1 AND event_id < $2 AND event_id >= $3
     ORDER BY event_id DESC LIMIT $4
"""

SEALED_EVENTS = """
    -- Events of a tenant in the order of its chain: a span of sequences.
    SELECT account_id, event_id, happened_at, kind, operation, access_key_id, user_id, source_address, request_id,
           targets, details, personal_digests, times, sequence, hash
      FROM audit_event WHERE account_id = $1 AND sequence > $2 AND sequence <= $3
     ORDER BY sequence LIMIT $4
"""

# The end of the chain in the same statement: it and the events move in one commit, so that both are of one moment.
EVENTS_BEHIND_END = """
    -- Events of a tenant that have a place behind the end of its chain, in the order of their places.
    SELECT account_id, event_id, happened_at, kind, operation, access_key_id, user_id, source_address, request_id,
           targets, details, personal_digests, times, sequence, hash
      FROM audit_event
     WHERE account_id = $1
       AND sequence > coalesce((SELECT sequence FROM audit_chain WHERE audit_chain.account_id = $1), 0)
     ORDER BY sequence LIMIT $2
"""

EVENTS_BEFORE_BEGINNING = """
    -- Events of a tenant that have a place before the beginning of its chain, in the order of their places.
    SELECT account_id, event_id, happened_at, kind, operation, access_key_id, user_id, source_address, request_id,
           targets, details, personal_digests, times, sequence, hash
      FROM audit_event
     WHERE account_id = $1
       AND sequence <= coalesce((SELECT pruned_sequence FROM audit_chain WHERE audit_chain.account_id = $1), 0)
     ORDER BY sequence LIMIT $2
"""

UNSEALED_EVENTS = """
    -- Events of a tenant that are not sealed yet, by id, those behind one.
    SELECT account_id, event_id, happened_at, kind, operation, access_key_id, user_id, source_address, request_id,
           targets, details, personal_digests, times, sequence, hash
      FROM audit_event WHERE account_id = $1 AND sequence IS NULL AND event_id > $2
     ORDER BY event_id LIMIT $3
"""

PERSONAL_PART = """
    -- What an event says about one person.
    SELECT account_id, person_id, event_id, salt, details FROM audit_personal
     WHERE account_id = $1 AND person_id = $2 AND event_id = $3
"""

PARTS_WITH_DIGESTS = """
    -- Personal parts of a tenant, with the digests that their events hold, by person and event, those behind one.
    SELECT person_id, event_id,
           (SELECT personal_digests FROM audit_event
             WHERE audit_event.account_id = $1 AND audit_event.event_id = audit_personal.event_id)
      FROM audit_personal WHERE account_id = $1 AND (person_id, event_id) > ($2, $3)
     ORDER BY person_id, event_id LIMIT $4
"""

EVENTS_OF_PERSON = """
    -- Events that say something about one person, with what they say, by id, those behind one.
    SELECT audit_event.account_id, audit_event.event_id, happened_at, kind, operation, access_key_id, user_id,
           source_address, request_id, targets, audit_event.details, personal_digests, times, sequence, hash,
           salt, audit_personal.details
      FROM audit_personal CROSS JOIN audit_event
     WHERE audit_personal.account_id = $1 AND person_id = $2 AND audit_personal.event_id > $3
       AND audit_event.account_id = audit_personal.account_id AND audit_event.event_id = audit_personal.event_id
     ORDER BY audit_personal.event_id LIMIT $4
"""

ACCOUNTS_WITH_EVENTS = """
    -- All accounts that have a chain, events or personal parts: for the operator.
    SELECT account_id FROM audit_chain UNION SELECT account_id FROM audit_event UNION
    SELECT account_id FROM audit_personal ORDER BY account_id
"""

USER_OF_NAME = """
    -- The RAM user of a name.
    SELECT user_id FROM ram_user WHERE account_id = $1 AND name = $2
"""


class AuditEvents:
    """`audit.store.AuditStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, events: Sequence[AuditEvent]) -> None:
        await self._database.commit([Step(ADD_EVENT, event_row(event)) for event in events])

    async def unsealed(self, *, after: str, limit: int) -> Sequence[tuple[AuditEvent, Seal | None]]:
        (rows,) = await self._database.report((UNSEALED, (after, limit)))
        return [(kept_from_row(row[:-2]).event, end_from_row(row[-2], row[-1])) for row in rows]

    async def chain(self, account_id: str) -> Chain | None:
        (rows,) = await self._database.report((CHAIN, (account_id,)))
        return chain_from_row(rows[0]) if rows else None

    async def seal(self, extensions: Sequence[Extension]) -> Sequence[bool]:
        outcomes = await self._database.commit_each(
            {extension.sealed[0][0].account_id: _extended(extension) for extension in extensions}
        )
        for outcome in outcomes:
            if outcome is not None and not isinstance(outcome, Stale):
                raise outcome
        return [outcome is None for outcome in outcomes]

    async def events_before(self, account_id: str, *, before: str, start: str, limit: int) -> Sequence[KeptEvent]:
        (rows,) = await self._database.report((EVENTS_BEFORE, (account_id, before, start, limit)))
        return [kept_from_row(row) for row in rows]

    async def with_personal_parts(self, events: Sequence[KeptEvent]) -> Sequence[KeptEvent]:
        wanted: list[Query] = [
            (PERSONAL_PART, (kept.event.account_id, person_id, kept.event.event_id))
            for kept in events
            for person_id in people(kept.event)
        ]
        parts: dict[str, list[PersonalPart]] = {}
        if wanted:
            for rows in await self._database.report(*wanted):
                for row in rows:
                    part = part_from_row(row)
                    parts.setdefault(part.event_id, []).append(part)
        return [
            KeptEvent(event=kept.event, seal=kept.seal, personal=tuple(parts.get(kept.event.event_id, ())))
            for kept in events
        ]

    async def events_of_person(self, account_id: str, person_id: str, *, after: str, limit: int) -> Sequence[KeptEvent]:
        (rows,) = await self._database.report((EVENTS_OF_PERSON, (account_id, person_id, after, limit)))
        found = []
        for row in rows:
            kept = kept_from_row(row[:-2])
            part = part_from_row((account_id, person_id, kept.event.event_id, *row[-2:]))
            found.append(KeptEvent(event=kept.event, seal=kept.seal, personal=(part,)))
        return found

    async def sealed_events(self, account_id: str, *, after: int, until: int, limit: int) -> Span:
        # Both of one moment: what is missing in front of the events is what retention took away, or somebody else did.
        chains, rows = await self._database.report(
            (CHAIN, (account_id,)), (SEALED_EVENTS, (account_id, after, until, limit))
        )
        events = await self.with_personal_parts([kept_from_row(row) for row in rows])
        return Span(chain_from_row(chains[0]) if chains else None, events)

    async def events_outside(self, account_id: str, *, limit: int) -> Sequence[KeptEvent]:
        before, behind = await self._database.report(
            (EVENTS_BEFORE_BEGINNING, (account_id, limit)), (EVENTS_BEHIND_END, (account_id, limit))
        )
        return await self.with_personal_parts([kept_from_row(row) for row in (*before, *behind)])

    async def parts_named(self, account_id: str, *, after: tuple[str, str], limit: int) -> Sequence[PartNamed]:
        (rows,) = await self._database.report((PARTS_WITH_DIGESTS, (account_id, *after, limit)))
        return [
            PartNamed(text_of(person_id), text_of(event_id), digests is not None and person_id in named_in(digests))
            for person_id, event_id, digests in rows
        ]

    async def unsealed_events(self, account_id: str, *, after: str, limit: int) -> Sequence[KeptEvent]:
        (rows,) = await self._database.report((UNSEALED_EVENTS, (account_id, after, limit)))
        return await self.with_personal_parts([kept_from_row(row) for row in rows])

    async def accounts(self) -> Sequence[str]:
        (rows,) = await self._database.report((ACCOUNTS_WITH_EVENTS, ()))
        return [row[0] for row in rows]

    async def user_id(self, account_id: str, user_name: str) -> str | None:
        rows = await self._database.rows(USER_OF_NAME, (account_id, user_name))
        return str(rows[0][0]) if rows else None


def _extended(extension: Extension) -> list[Step]:
    last, sealed = extension
    account_id = sealed[0][0].account_id
    end = sealed[-1][1]
    oldest_at = min([event.happened_at for event, _ in sealed])
    steps = [
        Step(INSERT_CHAIN, (account_id, end.sequence, end.hash, 0, NO_HASH, oldest_at))
        if last is None
        else Step(
            EXTEND_CHAIN,
            (end.sequence, end.hash, oldest_at, account_id, last.sequence, last.hash),
            DECIDE_AGAIN,
        )
    ]
    steps += [
        Step(SEAL_EVENT, (seal.sequence, seal.hash, event.account_id, event.event_id), DECIDE_AGAIN)
        for event, seal in sealed
    ]
    return steps
