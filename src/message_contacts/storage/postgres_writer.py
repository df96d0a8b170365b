"""Commits on PostgreSQL: what waits is tried in one transaction, each statement carried out once for all.

A transaction costs a wait for the disk and a trip to the server for each statement; shared, they cost each change
little. A process commits over one connection: what comes meanwhile makes the next group, and a second connection would
only make two small groups of one. If a group is refused, its halves are tried, down to the one that is refused: its
steps are then carried out one by one, and the first refusal is its answer. See docs/adr/0017-postgresql-commits.md.

Every transaction leaves a mark: the caller's nonce, or one drawn here. When the connection is lost during COMMIT, the
mark tells whether it happened.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import Enum

import asyncpg
import structlog

from message_contacts import errors
from message_contacts.changes import Stale
from message_contacts.clock import MINUTE, Clock
from message_contacts.errors import ApiError
from message_contacts.metrics import Metrics
from message_contacts.storage.behind_commit import behind_commit
from message_contacts.storage.committing import USE_NONCE
from message_contacts.storage.engine import PoolUse, Step
from message_contacts.storage.postgres_connection import (
    Connection,
    ConnectionLost,
    DatabaseComplaint,
    NotTogether,
    PostgresAddress,
    connected,
    is_unavailable,
    refusal,
)
from message_contacts.storage.postgres_grouping import Groups, carry_out_one_by_one, have_runs

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: Change sets in one transaction, at most.
_MOST_AT_ONCE = 256
#: Seconds for a transaction from its first statement to the end of its COMMIT.
_TRANSACTION_SECONDS = 5.0
#: Seconds after which a change set that still waits for its turn is given up.
_TURN_SECONDS = 5.0
#: Seconds for finding out what became of a COMMIT whose answer was lost.
OUTCOME_SECONDS = 10.0
#: Milliseconds for which a mark drawn here is kept; far longer than anybody looks for it.
_MARK_KEPT = 15 * MINUTE


class WriterSeam:
    """A place where a test looks at commits. Does nothing in service."""

    def committing(self, change_sets: int) -> None:
        """Called when all statements of a transaction are carried out, before its COMMIT."""


class _End(Enum):
    """How an attempt ended."""

    COMMITTED = "committed"
    #: Nothing was written; on another connection it may go better.
    LOST = "lost"
    #: Nobody knows whether it was committed.
    UNKNOWN = "unknown"


class _Waiting:
    """A change set, and who waits for it."""

    __slots__ = ("committed", "deadline", "future", "mark", "steps", "tenant")

    def __init__(self, mark: Step, steps: Sequence[Step], tenant: str, committed: Callable[[], None] | None) -> None:
        loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = loop.create_future()
        self.mark = mark
        #: Without the mark.
        self.steps = steps
        self.tenant = tenant
        self.committed = committed
        self.deadline = loop.time() + _TURN_SECONDS

    def succeed(self) -> None:
        """It is committed."""
        if not self.future.done():  # else the waiter was cancelled
            self.future.set_result(None)
        if self.committed is not None:
            behind_commit(self.committed)

    def fail(self, failure: Exception) -> None:
        """It is not."""
        if not self.future.done():
            self.future.set_exception(failure)


class Writer:
    """Commits change sets to one database, over one connection; connects when it is first needed."""

    def __init__(
        self,
        address: PostgresAddress,
        clock: Clock,
        *,
        seam: WriterSeam | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        #: What kept the last commit from being carried out, through nobody's bug; None since one has succeeded.
        self.complaint: Exception | None = None
        self._metrics = metrics
        self._address = address
        self._clock = clock
        self._seam = seam
        self._groups = Groups()
        self._queue: deque[_Waiting] = deque()
        self._connection: Connection | None = None
        self._working: asyncio.Task[None] | None = None
        #: Those who find out what became of a COMMIT.
        self._finding_out: set[asyncio.Task[None]] = set()
        self._closed = False

    def commit(self, steps: Sequence[Step], tenant: str, committed: Callable[[], None] | None) -> asyncio.Future[None]:
        """See `engine.Database.commit`. What was handed over is carried out even if nobody waits for it any more."""
        if self._closed:
            raise RuntimeError("the storage is closed")
        if steps and steps[0].sql is USE_NONCE:
            mark, steps = steps[0], steps[1:]
        else:
            now = self._clock.now()
            mark = Step(USE_NONCE, (os.urandom(16), now + _MARK_KEPT, now), errors.SIGNATURE_NONCE_USED)
        waiting = _Waiting(mark, steps, tenant, committed)
        self._queue.append(waiting)
        if self._working is None or self._working.done():
            self._working = asyncio.get_running_loop().create_task(self._work())
        return waiting.future

    def use(self, name: str) -> PoolUse:
        """How much its connection is used now."""
        is_open = self._connection is not None and not self._connection.is_closed
        in_use = is_open and self._working is not None and not self._working.done()
        return PoolUse(name, 1, int(in_use), int(is_open and not in_use), len(self._queue))

    async def finish(self) -> None:
        """Finish what waits, then end the connection."""
        self._closed = True
        while tasks := [task for task in (self._working, *self._finding_out) if task is not None and not task.done()]:
            await asyncio.wait(tasks)
        if self._connection is not None:
            await self._connection.finish()

    def close(self) -> None:
        """Give up what waits, and end the connection."""
        self._closed = True
        for task in (self._working, *self._finding_out):
            if task is not None:
                task.cancel()
        _fail(self._queue, errors.SERVICE_UNAVAILABLE(complaint="closed"))
        self._queue.clear()
        if self._connection is not None:
            self._connection.close()

    async def _work(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._queue:
                batch = self._next_batch()
                await self._commit_and_tell(batch)
        except asyncio.CancelledError:  # closing: what becomes of the batch, nobody looks any more
            _fail(batch, errors.SERVICE_UNAVAILABLE(complaint="outcome unknown"))
            raise

    async def _commit_and_tell(self, batch: Sequence[_Waiting]) -> None:
        try:
            await self._commit(batch)
        except Exception as bug:  # noqa: BLE001 - the others go on; it is set on the futures of those who wait
            if self._connection is not None:
                self._connection.close()
            _fail(batch, bug)

    def _next_batch(self) -> list[_Waiting]:
        """Who is next: at most one of each tenant, since those who change the same rows spoil each other's group."""
        batch: dict[str, _Waiting] = {}
        later: list[_Waiting] = []
        now = asyncio.get_running_loop().time()
        while self._queue and len(batch) < _MOST_AT_ONCE and len(later) < _MOST_AT_ONCE:
            waiting = self._queue.popleft()
            if waiting.deadline < now:
                log.error("commit_never_had_its_turn", waiting=len(self._queue))
                waiting.fail(errors.SERVICE_UNAVAILABLE(complaint="no turn"))
            elif waiting.tenant in batch:
                later.append(waiting)
            else:
                batch[waiting.tenant] = waiting
        self._queue.extendleft(reversed(later))
        # In one order everywhere, so that groups of two processes do not wait for each other in a circle.
        return [batch[tenant] for tenant in sorted(batch)]

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        """Commit them all, or find out who cannot be."""
        if not batch:
            return
        together = len(batch) > 1 or have_runs(batch[0].steps)
        try:
            end = await self._attempt(batch, together=together)
            if end is _End.LOST and not self._is_overdue:  # it died while nobody used it, most likely: on a new one
                end = await self._attempt(batch, together=together)
        except (ApiError, NotTogether, Stale, DatabaseComplaint, TypeError) as failure:
            if isinstance(failure, ApiError) and failure.definition is errors.SERVICE_UNAVAILABLE:
                _fail(batch, failure)
            elif len(batch) > 1:
                await self._commit(batch[: len(batch) // 2])
                await self._commit(batch[len(batch) // 2 :])
            elif together:
                await self._commit_one_by_one(batch)
            else:
                _fail(batch, failure)
        else:
            self._settle(batch, end)

    async def _commit_one_by_one(self, batch: Sequence[_Waiting]) -> None:
        """Commit one whose steps were refused together: now it is seen which of them is refused first."""
        try:
            end = await self._attempt(batch, together=False)
        except (ApiError, Stale, DatabaseComplaint, TypeError) as failure:
            _fail(batch, failure)
        else:
            self._settle(batch, end)

    def _settle(self, batch: Sequence[_Waiting], end: _End) -> None:
        match end:
            case _End.COMMITTED:
                for waiting in batch:
                    waiting.succeed()
            case _End.LOST:
                _fail(batch, errors.SERVICE_UNAVAILABLE(complaint="connection lost"))
            case _End.UNKNOWN:  # meanwhile the others go on
                task = asyncio.create_task(_find_out(self._address, batch))
                self._finding_out.add(task)
                task.add_done_callback(self._finding_out.discard)

    @property
    def _is_overdue(self) -> bool:
        return self._connection is not None and self._connection.is_overdue

    async def _attempt(self, batch: Sequence[_Waiting], *, together: bool) -> _End:
        """Carry out a batch in one transaction.

        Args:
            together: Whether to carry out each statement once for all; otherwise it is a batch of one.
        Raises:
            ApiError, Stale, TypeError, DatabaseComplaint, NotTogether: It was refused, and nothing was written.
        """
        if self._connection is None or self._connection.is_closed:
            self._connection = await connected(self._address)
        connection = self._connection
        started = time.perf_counter()
        deciding = False
        try:
            with connection.within(_TRANSACTION_SECONDS):
                await connection.command("BEGIN")
                if together:
                    await self._groups.carry_out(connection, [(each.mark, *each.steps) for each in batch])
                else:
                    await carry_out_one_by_one(connection, (batch[0].mark, *batch[0].steps))
                if self._seam is not None:
                    self._seam.committing(len(batch))
                deciding = True
                await connection.command("COMMIT")
        except ConnectionLost as lost:
            self._failed(lost)
            return _End.UNKNOWN if deciding else _End.LOST
        except asyncpg.PostgresError as complaint:
            if deciding or is_unavailable(complaint):
                connection.close()
                self._failed(complaint)
                # The trace would say no more.
                log.error("commit_failed", complaint=type(complaint).__name__, change_sets=len(batch))  # noqa: TRY400
                return _End.UNKNOWN if deciding else _End.LOST
            await _roll_back(connection)
            raise refusal(complaint) from None
        except (ApiError, Stale, TypeError, NotTogether):
            await _roll_back(connection)
            raise
        self.complaint = None
        metrics, seconds = self._metrics, time.perf_counter() - started
        if metrics is not None:
            behind_commit(lambda: metrics.committed(len(batch), seconds))
        return _End.COMMITTED

    def _failed(self, complaint: Exception) -> None:
        self.complaint = complaint
        if self._metrics is not None:
            behind_commit(self._metrics.commit_failed)


async def _find_out(address: PostgresAddress, batch: Sequence[_Waiting]) -> None:
    """Find out what became of a COMMIT whose answer was lost, and tell those who wait for it.

    The mark is put anew: that waits for the lost transaction while it is under way, fails if it was committed, and
    succeeds if it was not and never will be; then the change set is carried out after all.
    """
    log.warning("commit_answer_lost", change_sets=len(batch))
    connection: Connection | None = None
    left = deque(batch)
    try:
        async with asyncio.timeout(OUTCOME_SECONDS):
            while left:
                try:
                    if connection is None or connection.is_closed:
                        connection = await connected(address)
                    end = await _attempt_again(connection, left[0])
                except (ConnectionLost, ApiError, asyncpg.PostgresError):  # not yet
                    if connection is not None:
                        connection.close()
                    await asyncio.sleep(0.1)
                    continue
                waiting = left.popleft()
                if end is None:
                    waiting.succeed()
                else:
                    waiting.fail(end)
    except TimeoutError:
        log.error("commit_outcome_unknown", change_sets=len(left))  # noqa: TRY400 - the trace says nothing
        _fail(left, errors.SERVICE_UNAVAILABLE(complaint="outcome unknown"))
    else:
        log.info("commit_outcome_found", change_sets=len(batch))
    finally:
        for waiting in left:  # closing, or a bug
            waiting.fail(errors.SERVICE_UNAVAILABLE(complaint="outcome unknown"))
        if connection is not None:
            connection.close()


async def _attempt_again(connection: Connection, waiting: _Waiting) -> Exception | None:
    """Carry out a change set unless its mark is there; None when it is committed, else why it is refused.

    Raises:
        ConnectionLost, ApiError, asyncpg.PostgresError: Still nobody knows.
    """
    with connection.within(_TRANSACTION_SECONDS):
        await connection.command("BEGIN")
        if await connection.execute(waiting.mark.sql, waiting.mark.parameters) == 0:
            await connection.command("ROLLBACK")
            return None
        try:
            await carry_out_one_by_one(connection, waiting.steps)
        except (ApiError, Stale, TypeError) as failure:
            await connection.command("ROLLBACK")
            return failure
        except asyncpg.PostgresError as complaint:
            if is_unavailable(complaint):
                connection.close()
                raise
            await connection.command("ROLLBACK")
            return refusal(complaint)
        await connection.command("COMMIT")
        return None


async def _roll_back(connection: Connection) -> None:
    """Take everything back. Without a connection, the server does that by itself."""
    try:
        with connection.within(_TRANSACTION_SECONDS):
            await connection.command("ROLLBACK")
    except (ConnectionLost, asyncpg.PostgresError):
        connection.close()


def _fail(batch: Iterable[_Waiting], failure: Exception) -> None:
    for waiting in batch:
        waiting.fail(failure)
