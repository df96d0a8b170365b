"""Transactions on the one connection that writes to an SQLite file: many change sets in each.

Few changes are refused. So all of a commit are first carried out one behind the other; when one of them is refused,
all are taken back and carried out again, each behind a savepoint of its own, to which that one alone is taken back. A
savepoint makes SQLite keep every page as it was, which costs a fifth of the change or more (docs/adr/0021).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from enum import Enum

import apsw
import structlog

from message_contacts.changes import Stale
from message_contacts.errors import ErrorDefinition
from message_contacts.metrics import Metrics
from message_contacts.storage.behind_commit import behind_commit
from message_contacts.storage.engine import Row, Step
from message_contacts.storage.sqlite_connection import UNAVAILABLE, Patience, refusal, unavailable

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

BEGIN = "BEGIN IMMEDIATE"
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"
SAVEPOINT = "SAVEPOINT change_set"
RELEASE = "RELEASE change_set"
TAKE_BACK = "ROLLBACK TO change_set"

Written = tuple[list[Row], int]


class WriterSeam:
    """A place where a test looks at, or spoils, a commit: on the writer's thread. Does nothing in service."""

    def committing(self, connection: apsw.Connection) -> None:
        """Called when all statements of a commit are carried out, before the commit."""


class Waiting:
    """Something to be written, and who waits for it."""

    __slots__ = ("asked_at", "committed", "failure", "future", "loop", "statement", "steps", "written")

    def __init__(
        self,
        *,
        steps: Sequence[Step] = (),
        statement: Step | None = None,
        committed: Callable[[], None] | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Written] = self.loop.create_future()
        #: On the monotonic clock, in seconds.
        self.asked_at = time.monotonic()
        self.steps = steps
        #: A single statement whose rows are wanted; then there are no steps.
        self.statement = statement
        self.committed = committed
        self.written: Written = ([], 0)
        self.failure: Exception | None = None


class Begun(Enum):
    """How it went to carry out a batch."""

    #: It is to be committed now.
    YES = "yes"
    #: There is no transaction, and everybody in the batch has a failure.
    FAILED = "failed"
    #: Somebody else writes, and nobody wanted to wait: nothing has happened.
    LOCKED = "locked"


class Transactions:
    """Carries out batches, one at a time; any thread may call, no two at once."""

    def __init__(
        self,
        connection: apsw.Connection,
        patience: Patience,
        *,
        busy_seconds: float,
        seam: WriterSeam | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """Take over the connection.

        Args:
            patience: Its busy handler.
            busy_seconds: How long to wait for other processes' commits.
        """
        #: What the database said when a commit last failed through nobody's bug; None since one has succeeded.
        self.complaint: Exception | None = None
        self._connection = connection
        self._cursor = connection.cursor()
        self._patience = patience
        self._busy_seconds = busy_seconds
        self._seam = seam
        self._metrics = metrics
        self._started = 0.0
        #: Whether the last commit had a change that was refused: others may follow, so each gets its savepoint at once.
        self._refused = False

    def begin(self, batch: Sequence[Waiting], *, wait: bool) -> Begun:
        """Begin a transaction and carry out a batch in it; refusals are left with those they concern.

        Args:
            wait: Whether to wait while another process writes.
        """
        self._started = time.perf_counter()
        self._patience.seconds = self._busy_seconds if wait else 0.0
        try:
            if self._refused or not self._carry_out_together(batch):
                self._carry_out_apart(batch)
                self._refused = any(waiting.failure is not None for waiting in batch)
        except UNAVAILABLE as complaint:
            if isinstance(complaint, apsw.BusyError) and not wait:
                self._take_all_back()
                for waiting in batch:
                    waiting.failure = None
                return Begun.LOCKED
            self._fail(batch, complaint)
            return Begun.FAILED
        except Exception as bug:  # noqa: BLE001 - set on the future of everybody who waits, who raises it
            self._spoil(batch, bug)
            return Begun.FAILED
        return Begun.YES

    def commit(self, batch: Sequence[Waiting]) -> None:
        """Make durable what was begun; failures are left with those they concern."""
        try:
            if self._seam is not None:
                self._seam.committing(self._connection)
            self._cursor.execute(COMMIT)
        except UNAVAILABLE as complaint:
            self._fail(batch, complaint)
        except Exception as bug:  # noqa: BLE001 - set on the future of everybody who waits, who raises it
            self._spoil(batch, bug)
        else:
            self.complaint = None
            metrics, seconds = self._metrics, time.perf_counter() - self._started
            if metrics is not None:
                behind_commit(lambda: metrics.committed(len(batch), seconds))

    @property
    def locked_out(self) -> bool:
        """Whether the last commit failed since another process held the lock for writers for too long."""
        return isinstance(self.complaint, apsw.BusyError)

    def refuse(self, batch: Sequence[Waiting]) -> None:
        """Fail these as the last commit failed, without trying."""
        if self.complaint is not None:
            for waiting in batch:
                waiting.failure = unavailable(self.complaint)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _fail(self, batch: Sequence[Waiting], complaint: Exception) -> None:
        self.complaint = complaint
        if self._metrics is not None:
            behind_commit(self._metrics.commit_failed)
        self._take_all_back()
        log.error("commit_failed", complaint=type(complaint).__name__, change_sets=len(batch))
        for waiting in batch:
            waiting.failure = unavailable(complaint)

    def _spoil(self, batch: Sequence[Waiting], bug: Exception) -> None:
        self._take_all_back()
        for waiting in batch:
            waiting.failure = waiting.failure or bug

    def _carry_out_together(self, batch: Sequence[Waiting]) -> bool:
        """Begin a transaction with all of these; False, and no transaction, when one of them was refused."""
        self._cursor.execute(BEGIN)
        try:
            for waiting in batch:
                self._carry_out(waiting)
        except UNAVAILABLE:
            raise
        except Exception:  # noqa: BLE001 - raised again when each is carried out apart, and then set on its future
            self._take_all_back()
            return False
        return True

    def _carry_out_apart(self, batch: Sequence[Waiting]) -> None:
        """Begin a transaction with all of these that are not refused; refusals are left with those they concern."""
        execute = self._cursor.execute
        execute(BEGIN)
        for waiting in batch:
            execute(SAVEPOINT)
            try:
                self._carry_out(waiting)
            except UNAVAILABLE:
                raise
            except Exception as failure:  # noqa: BLE001 - a refusal or a bug: set on the future of who waits
                waiting.failure = failure
                execute(TAKE_BACK)
            execute(RELEASE)

    def _carry_out(self, waiting: Waiting) -> None:
        connection, execute = self._connection, self._cursor.execute
        try:
            if waiting.statement is not None:
                rows = execute(waiting.statement.sql, waiting.statement.parameters).fetchall()
                waiting.written = (rows, connection.changes())
                return
            for sql, parameters, refused_with, finds, _ in waiting.steps:
                if finds:
                    met = bool(execute(sql, parameters).fetchall())
                else:
                    execute(sql, parameters)
                    met = refused_with is None or connection.changes() == 1
                if not met and refused_with is not None:
                    raise refused_with() if isinstance(refused_with, ErrorDefinition) else Stale
        except apsw.ConstraintError as complaint:
            raise refusal(complaint) from None

    def _take_all_back(self) -> None:
        """End the transaction without a trace. SQLite may have ended it already."""
        if self._connection.in_transaction:
            try:
                self._cursor.execute(ROLLBACK)
            except apsw.Error:
                log.exception("rollback_failed")
