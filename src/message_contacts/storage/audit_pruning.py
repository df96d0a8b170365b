"""Retention of audit events: the beginning of a chain goes, and what is left still verifies."""

from __future__ import annotations

from typing import Any

from message_contacts.audit.model import Chain, KeptEvent
from message_contacts.clock import Instant
from message_contacts.storage.audit import SEALED_EVENTS
from message_contacts.storage.audit_rows import chain_from_row, kept_from_row, people
from message_contacts.storage.engine import Database, Step

#: Moment of the next event to come due in a chain that holds none but the one that stays.
_NONE_LEFT = 2**62
#: Events that go in one commit, and the one that stays.
_AT_ONCE = 200

CHAINS_TO_PRUNE = """
    -- Chains whose next event to come due happened before a moment, that of the longest ago first.
    SELECT account_id, sequence, hash, pruned_sequence, pruned_hash FROM audit_chain
     WHERE oldest_at < $1 ORDER BY oldest_at LIMIT 1
"""

MOVE_BEGINNING = """
    -- Move the beginning of a chain. No row: somebody else has moved it since it was read.
    UPDATE audit_chain SET pruned_sequence = $1, pruned_hash = $2, oldest_at = $3
     WHERE account_id = $4 AND pruned_sequence = $5
"""

DELETE_PERSONAL_PART = """
    -- Take away what an event says about one person.
    DELETE FROM audit_personal WHERE account_id = $1 AND person_id = $2 AND event_id = $3
"""

# Not "sequence IS NOT NULL": PostgreSQL would go through the index of all that are sealed.
DELETE_EVENT = """
    -- Take an event away that is in the part of the chain that goes.
    DELETE FROM audit_event WHERE account_id = $1 AND event_id = $2 AND coalesce(sequence, 0) > 0
"""


async def prune_audit(database: Database, until: Instant) -> None:
    """Take sealed events away that happened before a moment; each chain then begins behind the last of them.

    Only from the beginning of a chain: an event behind a younger one goes with that one. What is not sealed stays.

    The last event that is due stays too, without its personal parts. Its moment is sealed, so it shows whoever verifies
    the chain that what went before it was due: nobody can cut the beginning off and say that this was retention.
    """
    while True:
        (rows,) = await database.report((CHAINS_TO_PRUNE, (until,)))
        if not rows:
            return
        await _prune_chain(database, chain_from_row(rows[0]), rows[0][3], until)


async def _prune_chain(database: Database, chain: Chain, beginning: Any, until: Instant) -> None:
    """One commit's worth of a chain; afterwards its oldest moment says whether there is more.

    Args:
        beginning: Where the chain begins, as it stands there: where somebody wrote what is no number, it is found by
            that all the same, and does not come up for ever.
    """
    (rows,) = await database.report(
        (SEALED_EVENTS, (chain.account_id, chain.pruned_sequence, chain.sequence, _AT_ONCE + 1))
    )
    events = [kept_from_row(row) for row in rows]
    due: list[KeptEvent] = []
    for kept in events[:_AT_ONCE]:
        if kept.event.happened_at >= until:
            break
        due.append(kept)
    # Not the moment of the event that stays: the chain is looked at again when the next one is due.
    following = events[len(due)].event.happened_at if len(due) < len(events) else _NONE_LEFT
    going = due[:-1]
    end = going[-1].seal if going else None
    steps = [
        Step(
            MOVE_BEGINNING,
            (
                chain.pruned_sequence if end is None else end.sequence,
                chain.pruned_hash if end is None else end.hash,
                following,
                chain.account_id,
                beginning,
            ),
        )
    ]
    for kept in due:
        steps += [
            Step(DELETE_PERSONAL_PART, (chain.account_id, person_id, kept.event.event_id))
            for person_id in people(kept.event)
        ]
    steps += [Step(DELETE_EVENT, (chain.account_id, kept.event.event_id)) for kept in going]
    await database.commit(steps)
