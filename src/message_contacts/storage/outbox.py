"""Waiting work."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

import orjson

from message_contacts import errors
from message_contacts.changes import DueNow, Enqueue, Job, Requeue, Stale
from message_contacts.clock import Instant
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.errors import ApiError
from message_contacts.storage.deliveries import settled
from message_contacts.storage.engine import DECIDE_AGAIN, Database, Row, Step
from message_contacts.storage.texts import payload_from_text, text_from_payload

INSERT_JOB = """
    -- Let work wait.
    INSERT INTO job (account_id, job_id, kind, channel, payload, due_at, created_at, attempts, last_failure, ready_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

COUNT_DUE = """
    -- How much work of a channel is due, up to so much: asked first, so that idle workers do not write.
    SELECT count(*) FROM (SELECT ready_at FROM job WHERE channel = $1 AND ready_at <= $2 LIMIT $3) AS waiting
"""

TENANTS_IN_TURN = """
    -- So many tenants with work in a channel by id, those behind one, each with a blank and when its next is due.
    WITH RECURSIVE turn (place, number) AS (
        SELECT (SELECT account_id || ' ' || ready_at FROM job
                 WHERE channel = $1 AND account_id > $2 AND ready_at IS NOT NULL
                 ORDER BY account_id, ready_at LIMIT 1), 1
         UNION ALL
        SELECT (SELECT account_id || ' ' || ready_at FROM job
                 WHERE channel = $1 AND account_id > turn.place AND ready_at IS NOT NULL
                 ORDER BY account_id, ready_at LIMIT 1), number + 1
          FROM turn WHERE turn.place IS NOT NULL AND number < $3
    )
    SELECT place FROM turn WHERE place IS NOT NULL
"""

CLAIM_IN_TURN = """
    -- Take due work of a channel, of each of some tenants the oldest, so much of each and so much of all.
    UPDATE job SET worker_id = $1, ready_at = $2
     WHERE (account_id, job_id) IN (
           SELECT job.account_id, job.job_id FROM json_each($3) AS turn CROSS JOIN job
            WHERE job.account_id = turn.value
              AND job.job_id IN (SELECT oldest.job_id FROM job AS oldest
                                  WHERE oldest.channel = $4 AND oldest.account_id = turn.value
                                    AND oldest.ready_at <= $5
                                  ORDER BY oldest.ready_at, oldest.job_id LIMIT $6)
            LIMIT $7)
 RETURNING account_id, job_id, kind, channel, payload, due_at, created_at, attempts, last_failure
"""

CLAIM = """
    -- Take due work of a channel, whichever tenants it belongs to. Who updates a row has it; claims run out.
    UPDATE job SET worker_id = $1, ready_at = $2
     WHERE (account_id, job_id) IN (SELECT account_id, job_id FROM job
                                     WHERE channel = $3 AND ready_at <= $4
                                     ORDER BY ready_at, job_id LIMIT $5)
 RETURNING account_id, job_id, kind, channel, payload, due_at, created_at, attempts, last_failure
"""

JOB_DONE = """
    -- Work is done, unless somebody else has claimed it since.
    DELETE FROM job WHERE account_id = $1 AND job_id = $2 AND worker_id = $3
"""

JOB_AGAIN = """
    -- Work is tried again later, unless somebody else has claimed it since.
    UPDATE job SET worker_id = NULL, ready_at = $1, due_at = $1, attempts = attempts + 1, last_failure = $2
     WHERE account_id = $3 AND job_id = $4 AND worker_id = $5
"""

JOB_DEAD = """
    -- Work is given up, unless somebody else has claimed it since.
    UPDATE job SET worker_id = NULL, ready_at = NULL, attempts = attempts + 1, last_failure = $1
     WHERE account_id = $2 AND job_id = $3 AND worker_id = $4
"""

HAND_BACK = """
    -- What a worker has claimed is due as it was before.
    UPDATE job SET worker_id = NULL, ready_at = due_at WHERE worker_id = $1
"""

NEXT_DUE = """
    -- When the next work of a channel is due.
    SELECT min(ready_at) FROM job WHERE channel = $1 AND ready_at IS NOT NULL
"""

DEAD_JOBS = """
    -- Work of a tenant that was given up, by id, that behind one.
    SELECT account_id, job_id, kind, channel, payload, due_at, created_at, attempts, last_failure FROM job
     WHERE account_id = $1 AND ready_at IS NULL AND job_id > $2
     ORDER BY job_id LIMIT $3
"""

DEAD_JOB = """
    -- One work of a tenant that was given up.
    SELECT account_id, job_id, kind, channel, payload, due_at, created_at, attempts, last_failure FROM job
     WHERE account_id = $1 AND job_id = $2 AND ready_at IS NULL
"""

REQUEUE = """
    -- Let work that was given up wait again. No row: it does not lie there any more.
    UPDATE job SET ready_at = $1, due_at = $1, attempts = 0
     WHERE account_id = $2 AND job_id = $3 AND ready_at IS NULL
"""

DUE_NOW = """
    -- Let work be due now that waits for another try, unless a worker has it; that it was put off counts as no try.
    UPDATE job SET ready_at = $1, due_at = $1, attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE attempts END
     WHERE account_id = $2 AND job_id = $3 AND ready_at > $1 AND worker_id IS NULL
"""

#: Tenants that one claim looks at, of which some may have nothing due.
_TENANTS_SEEN = 64
#: How often what became of jobs is recorded while others are in the way.
_SETTLE_TRIES = 5


class JobOutbox:
    """`delivery.outbox.Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: By channel, the tenant whose turn was last.
        self._last_in_turn: dict[str, str] = {}

    async def claim(
        self,
        channel: str,
        worker_id: str,
        *,
        now: Instant,
        until: Instant,
        limit: int,
        not_of: Collection[str] = (),
    ) -> Sequence[Job]:
        ((due,),) = await self._database.rows(COUNT_DUE, (channel, now, limit + 1))
        if not due:
            return []
        rows: list[Row] = []
        if due > limit or not_of:
            tenants = await self._in_turn(channel, now, limit, not_of)
            if tenants:
                each = -(-limit // len(tenants))
                turn = orjson.dumps(tenants).decode()
                rows, _ = await self._database.write(CLAIM_IN_TURN, (worker_id, until, turn, channel, now, each, limit))
        if len(rows) < limit and not not_of:
            # Whatever there is: those whose turn it was have no more, or nobody's turn came with anything due.
            try:
                more, _ = await self._database.write(CLAIM, (worker_id, until, channel, now, limit - len(rows)))
            except ApiError:
                if not rows:
                    raise
                more = []  # those claimed above are ours all the same, and would be nobody's until the claim ends
            rows += more
        jobs = [job_from_row(row) for row in rows]
        jobs.sort(key=lambda job: (job.due_at, job.job_id))
        return jobs

    async def _in_turn(self, channel: str, now: Instant, limit: int, not_of: Collection[str]) -> list[str]:
        """Tenants with due work whose turn it is, as many as may get something of a claim."""
        behind = self._last_in_turn.get(channel, "")
        found = await self._tenants(channel, behind, _TENANTS_SEEN)
        if behind and len(found) < _TENANTS_SEEN:  # at the end: on from the beginning
            start = await self._tenants(channel, "", _TENANTS_SEEN - len(found))
            found += [place for place in start if place[0] <= behind]
        tenants: list[str] = []
        for account_id, due_at in found:
            self._last_in_turn[channel] = account_id
            if due_at <= now and account_id not in not_of:
                tenants.append(account_id)
                if len(tenants) == limit:
                    break
        return tenants

    async def _tenants(self, channel: str, behind: str, limit: int) -> list[tuple[str, int]]:
        """Tenants with work, those behind one, and when the first of each is due."""
        rows = await self._database.rows(TENANTS_IN_TURN, (channel, behind, limit))
        places = [place.split(" ") for (place,) in rows]
        return [(account_id, int(due_at)) for account_id, due_at in places]

    async def settle(self, worker_id: str, settlements: Sequence[Settlement]) -> None:
        # Of one kind together, so that they can be carried out together; of different jobs, none waits for another.
        tried = sorted((step for settlement in settlements for step in settled(settlement)), key=_sql)
        ended = sorted((_settled(worker_id, settlement) for settlement in settlements), key=_sql)
        for tries in range(1, _SETTLE_TRIES + 1):
            try:
                await self._database.commit([*tried, *ended])
            except Stale:  # somebody else is at the same deliveries: a message is withdrawn, a bounce comes in
                if tries == _SETTLE_TRIES:
                    raise errors.SERVICE_UNAVAILABLE(complaint="others in the way") from None
                await asyncio.sleep(0.01 * tries)
            else:
                return

    async def hand_back(self, worker_id: str) -> None:
        await self._database.write(HAND_BACK, (worker_id,))

    async def next_due(self, channel: str) -> Instant | None:
        due: Instant | None = (await self._database.rows(NEXT_DUE, (channel,)))[0][0]
        return due

    async def dead_jobs(self, account_id: str, *, after: str | None, limit: int) -> Sequence[Job]:
        (rows,) = await self._database.report((DEAD_JOBS, (account_id, after or "", limit)))
        return [job_from_row(row) for row in rows]

    async def dead_job(self, account_id: str, job_id: str) -> Job | None:
        rows = await self._database.rows(DEAD_JOB, (account_id, job_id))
        return job_from_row(rows[0]) if rows else None


def enqueued(change: Enqueue) -> Step:
    """The step of `changes.Enqueue`."""
    job = change.job
    return Step(
        INSERT_JOB,
        (
            job.account_id,
            job.job_id,
            job.kind,
            job.channel,
            text_from_payload(job.payload),
            job.due_at,
            job.created_at,
            job.attempts,
            job.last_failure,
            None if change.given_up else job.due_at,
        ),
    )


def requeued(change: Requeue) -> Step:
    """The step of `changes.Requeue`."""
    return Step(REQUEUE, (change.due_at, change.job.account_id, change.job.job_id), DECIDE_AGAIN)


def due_now(change: DueNow) -> Step:
    """The step of `changes.DueNow`."""
    return Step(DUE_NOW, (change.now, change.account_id, change.job_id))


def _sql(step: Step) -> str:
    return step.sql


def _settled(worker_id: str, settlement: Settlement) -> Step:
    key = (settlement.job.account_id, settlement.job.job_id, worker_id)
    match settlement.fate:
        case Fate.DONE:
            return Step(JOB_DONE, key)
        case Fate.AGAIN:
            return Step(JOB_AGAIN, (settlement.due_at, settlement.reason, *key))
        case Fate.DEAD:
            return Step(JOB_DEAD, (settlement.reason, *key))


def job_from_row(row: Row) -> Job:
    """Waiting work from its row."""
    account_id, job_id, kind, channel, payload, due_at, created_at, attempts, last_failure = row
    return Job(
        job_id=job_id,
        account_id=account_id,
        kind=kind,
        channel=channel,
        payload=payload_from_text(payload),
        due_at=due_at,
        created_at=created_at,
        attempts=attempts,
        last_failure=last_failure,
    )
