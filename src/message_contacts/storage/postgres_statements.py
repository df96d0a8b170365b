"""Where PostgreSQL is told otherwise than SQLite, all of it; and statements carried out for many change sets at once.

Most statements are the same on both engines, and their form for many is made from the text itself: the parameters
become arrays, which `unnest` turns into rows. Written out here is what that cannot do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from message_contacts.storage.committing import COUNT_UP, USE_NONCE
from message_contacts.storage.deliveries import INSERT_DELIVERY
from message_contacts.storage.engine import Parameters, Step
from message_contacts.storage.key_uses import NOTE_USE
from message_contacts.storage.outbox import CLAIM, CLAIM_IN_TURN

CLAIM_SKIPPING_LOCKED = """
    -- Take due work of a channel, whichever tenants it belongs to, past what others are just taking. Claims run out.
    WITH due AS (
        SELECT account_id, job_id FROM job
         WHERE channel = $3 AND ready_at <= $4
         ORDER BY ready_at, job_id LIMIT $5 FOR UPDATE SKIP LOCKED
    )
    UPDATE job SET worker_id = $1, ready_at = $2 FROM due
     WHERE job.account_id = due.account_id AND job.job_id = due.job_id
 RETURNING job.account_id, job.job_id, kind, channel, payload, due_at, created_at, attempts, last_failure
"""

CLAIM_IN_TURN_SKIPPING_LOCKED = """
    -- Take due work of a channel, of each of some tenants the oldest, past what others are just taking.
    WITH due AS (
        SELECT oldest.account_id, oldest.job_id
          FROM json_array_elements_text(CAST($3 AS json)) AS turn (account_id)
         CROSS JOIN LATERAL (SELECT account_id, job_id FROM job
                              WHERE channel = $4 AND job.account_id = turn.account_id AND ready_at <= $5
                              ORDER BY ready_at, job_id LIMIT $6 FOR UPDATE SKIP LOCKED) AS oldest
         LIMIT $7
    )
    UPDATE job SET worker_id = $1, ready_at = $2 FROM due
     WHERE job.account_id = due.account_id AND job.job_id = due.job_id
 RETURNING job.account_id, job.job_id, kind, channel, payload, due_at, created_at, attempts, last_failure
"""

USE_NONCES = """
    -- Keep nonces. Fewer rows: one is there already, perhaps out of force, which the nonce alone finds out.
    INSERT INTO nonce (digest, expires_at) SELECT * FROM unnest($1::bytea[], $2::bigint[])
    ON CONFLICT (digest) DO NOTHING
"""

COUNT_ALL_UP = """
    -- Raise counters below their common limit. Fewer rows: one stands there already.
    INSERT INTO counter (account_id, counter, period, value, raised_at)
    SELECT given.account_id, given.counter, given.period, 1, given.raised_at
      FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
           AS given (account_id, counter, period, raised_at)
     WHERE $5::bigint >= 1
    ON CONFLICT (account_id, counter, period)
    DO UPDATE SET value = counter.value + 1, raised_at = excluded.raised_at WHERE counter.value < $5
"""

NOTE_USES = """
    -- Keep when keys were last used, of those that are there, unless later uses are kept. In one order everywhere:
    -- processes that note the same keys must not wait for each other in a circle.
    INSERT INTO access_key_use (account_id, access_key_id, last_used_at)
    SELECT access_key.account_id, given.access_key_id, given.last_used_at
      FROM unnest($1::bigint[], $2::text[]) AS given (last_used_at, access_key_id)
      JOIN access_key ON access_key.access_key_id = given.access_key_id
     ORDER BY given.access_key_id
    ON CONFLICT (account_id, access_key_id)
    DO UPDATE SET last_used_at = excluded.last_used_at WHERE access_key_use.last_used_at < excluded.last_used_at
"""

#: What PostgreSQL is told instead.
_INSTEAD: Mapping[str, str] = {CLAIM: CLAIM_SKIPPING_LOCKED, CLAIM_IN_TURN: CLAIM_IN_TURN_SKIPPING_LOCKED}

#: Insertions that may meet a row which another of them has just added, by what makes it the same row. One statement
#: cannot change a row twice.
_MEETING: Mapping[str, Callable[[Parameters], object]] = {
    INSERT_DELIVERY: lambda row: (row[15], row[0], row[1], row[3]),  # tenant, message, channel, address
}

_PLAIN_INSERT = re.compile(
    r"(.*\bINSERT INTO \w+ \([^()]*\))\s+VALUES \((\$[^()]*)\)\s*(ON CONFLICT .* DO UPDATE\b.*)?", re.DOTALL
)
_PLAIN_CHANGE = re.compile(r"(.*)\b(UPDATE (\w+) SET .*|DELETE FROM (\w+)|SELECT 1 FROM (\w+))(\s+WHERE .*)", re.DOTALL)
_PARAMETER = re.compile(r"\$([0-9]+)")


class Grouped(NamedTuple):
    """A statement for many: its text, and its parameters from those of each."""

    sql: str
    parameters: Callable[[Sequence[Parameters]], Parameters]


def own(sql: str) -> str:
    """The statement as PostgreSQL is told it."""
    return _INSTEAD.get(sql, sql)


@cache
def holding(sql: str) -> str:
    """A statement that looks at a row on which a decision relied, keeping it as it is until the commit."""
    return sql.rstrip() + "\n       FOR SHARE\n"


def kind(step: Step) -> Any:
    """Steps of one kind can be carried out by one statement."""
    return (step.sql, step.parameters[4]) if step.sql is COUNT_UP else step.sql


def grouped(sql: str, types: Sequence[str]) -> Grouped | None:
    """The statement for many; None where each has to be carried out alone.

    Args:
        types: Of its parameters, as the server names them.
    """
    if sql == USE_NONCE:
        return Grouped(USE_NONCES, lambda rows: _columns(rows)[:2])
    if sql == COUNT_UP:
        return Grouped(COUNT_ALL_UP, lambda rows: (*_columns(rows)[:4], rows[0][4]))
    if sql == NOTE_USE:
        return Grouped(NOTE_USES, _columns)
    rows, names = _given(types)
    insert = _PLAIN_INSERT.fullmatch(sql)
    if insert is not None and _PARAMETER.findall(insert[2]) == [str(number) for number in range(1, len(types) + 1)]:
        if (insert[3] is not None) != (sql in _MEETING):
            return None
        otherwise = f"    {insert[3]}" if insert[3] is not None else ""
        return Grouped(f"{insert[1]}\n    SELECT * FROM {rows}\n{otherwise}", _columns)  # noqa: S608 - of our own
    change = _PLAIN_CHANGE.fullmatch(sql)
    if change is None or sql.count("WHERE") != 1:
        return None
    sentence, does, _, deleted, found, where = change.groups()
    given = f"{rows} AS given ({names})"
    does = _PARAMETER.sub(r"given.p\1", does)
    where = _PARAMETER.sub(r"given.p\1", where)
    if deleted is not None:
        return Grouped(f"{sentence}{does} USING {given}{where}", _columns)
    if found is not None:
        return Grouped(f"{sentence}{does}, {given}{where.rstrip()}\n       FOR SHARE OF {found}\n", _columns)
    return Grouped(f"{sentence}{does}\n      FROM {given}{where}", _columns)


@cache
def can_be_grouped(sql: str) -> bool:
    """Whether many can ask a query at once, by `for_each`: all but those whose order is part of the answer."""
    return "$1" in sql and "ORDER BY" not in sql


def for_each(sql: str, types: Sequence[str]) -> str:
    """A query for many who ask: the rows of each, behind their asker's number, which counts from 1.

    `OFFSET 0` keeps the query in one piece: PostgreSQL carries it out for each asker, by the plan that it has alone.

    Args:
        types: Of its parameters, as the server names them. They become arrays, so none of them is one.
    """
    rows, names = _given(types)
    asked = _PARAMETER.sub(r"given.p\1", sql)
    return (
        "SELECT given.asker, found.*\n"  # noqa: S608 - put together of our own statements; what callers say is bound
        f"  FROM {rows} WITH ORDINALITY AS given ({names}, asker)\n"
        f" CROSS JOIN LATERAL ({asked.rstrip()} OFFSET 0) AS found\n"
    )


def apart(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps of one kind, parted so that no two of a part meet in one row; those that do keep their order."""
    key = _MEETING.get(steps[0].sql)
    if key is None:
        return [list(steps)]
    parts: list[list[Step]] = []
    met: Counter[object] = Counter()
    for step in steps:
        row = key(step.parameters)
        if met[row] == len(parts):
            parts.append([])
        parts[met[row]].append(step)
        met[row] += 1
    return parts


def _given(types: Sequence[str]) -> tuple[str, str]:
    """Arrays of parameters as rows, and the names of their columns."""
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1))
    return f"unnest({arrays})", ", ".join(f"p{number}" for number in range(1, len(types) + 1))


def _columns(rows: Sequence[Parameters]) -> Parameters:
    return tuple(zip(*rows, strict=True))
