"""The one thread that writes to an SQLite file: it carries out what waits in one commit.

The commit's wait for the disk is what costs; shared, it costs each change little. Everybody is answered after the
commit that holds their change, all of a commit by one call into the event loop.

Few changes are refused. So all of a commit are first carried out one behind the other; when one of them is refused,
all are taken back and carried out again, each behind a savepoint of its own, to which that one alone is taken back. A
savepoint makes SQLite keep every page as it was, which costs a fifth of the change or more (docs/adr/0021).

What the event loop decides in one turn reaches the thread at once and together. Handed over one by one, the thread
would wake for the first and then contend with the loop for the interpreter, statement by statement.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

import apsw
import structlog

from message_contacts.changes import Stale
from message_contacts.errors import ErrorDefinition
from message_contacts.metrics import Metrics
from message_contacts.storage.engine import Row, Step
from message_contacts.storage.sqlite_connection import UNAVAILABLE, refusal, unavailable

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: Change sets in one commit, at most: bounds how long the first one waits for the last one's statements.
_MOST_AT_ONCE = 256

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


class _Waiting:
    """Something to be written, and who waits for it."""

    __slots__ = ("committed", "failure", "future", "loop", "statement", "steps", "written")

    def __init__(
        self,
        *,
        steps: Sequence[Step] = (),
        statement: Step | None = None,
        committed: Callable[[], None] | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Written] = self.loop.create_future()
        self.steps = steps
        #: A single statement whose rows are wanted; then there are no steps.
        self.statement = statement
        self.committed = committed
        self.written: Written = ([], 0)
        self.failure: Exception | None = None


class Writer:
    """Writes to one file, from a thread of its own."""

    def __init__(
        self,
        connection: apsw.Connection,
        *,
        seam: WriterSeam | None = None,
        committed: Callable[[], None],
        metrics: Metrics | None = None,
    ) -> None:
        """Take over the connection; `committed` is called on the writer's thread after each commit."""
        #: What the database said when a commit last failed through nobody's bug; None since one has succeeded.
        self.complaint: Exception | None = None
        self._metrics = metrics
        self._connection = connection
        self._cursor = connection.cursor()
        self._seam = seam
        self._after_commit = committed
        self._queue: SimpleQueue[list[_Waiting] | None] = SimpleQueue()
        #: What the present turn of an event loop has asked for.
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        self._closed = False
        #: Whether the last commit had a change that was refused: others may follow, so each gets its savepoint at once.
        self._refused = False
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    def commit(self, steps: Sequence[Step], committed: Callable[[], None] | None = None) -> asyncio.Future[Written]:
        """See `engine.Database.commit`; the result says nothing."""
        return self._put(_Waiting(steps=steps, committed=committed))

    def write(self, statement: Step) -> asyncio.Future[Written]:
        """See `engine.Database.write`."""
        return self._put(_Waiting(statement=statement))

    def _put(self, waiting: _Waiting) -> asyncio.Future[Written]:
        if self._closed:
            raise RuntimeError("the storage is closed")
        gathered = self._gathered.get(waiting.loop)
        if gathered is None:
            self._gathered[waiting.loop] = [waiting]
            waiting.loop.call_soon(self._hand_over, waiting.loop)
        else:
            gathered.append(waiting)
        return waiting.future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        gathered = self._gathered.pop(loop, None)
        if gathered:
            self._queue.put(gathered)

    def close(self) -> None:
        """Finish what waits, then end the thread and close the connection."""
        if not self._closed:
            self._closed = True
            for loop in list(self._gathered):
                self._hand_over(loop)
            self._queue.put(None)
            self._thread.join()
            self._connection.close()

    def _run(self) -> None:
        open_ = True
        while open_:
            first = self._queue.get()
            if first is None:
                return
            waiting = first
            try:
                while len(waiting) < _MOST_AT_ONCE:
                    following = self._queue.get_nowait()
                    if following is None:
                        open_ = False
                        break
                    waiting += following
            except Empty:
                pass
            for start in range(0, len(waiting), _MOST_AT_ONCE):
                self._write(waiting[start : start + _MOST_AT_ONCE])

    def _write(self, batch: Sequence[_Waiting]) -> None:
        try:
            self._commit(batch)
        except Exception as bug:  # noqa: BLE001 - the thread must live on, and whoever waits must hear of it
            self._take_all_back()
            for waiting in batch:
                waiting.failure = waiting.failure or bug
        _answer(batch)
        try:
            self._after_commit()
        except Exception:  # the same for the thread
            log.exception("after_commit_failed")

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        """Carry out a batch in one transaction; failures are left with those they concern."""
        execute = self._cursor.execute
        started = time.perf_counter()
        try:
            if self._refused or not self._carry_out_together(batch):
                self._carry_out_apart(batch)
                self._refused = any(waiting.failure is not None for waiting in batch)
            if self._seam is not None:
                self._seam.committing(self._connection)
            execute(COMMIT)
            self.complaint = None
            if self._metrics is not None:
                self._metrics.committed(len(batch), time.perf_counter() - started)
        except UNAVAILABLE as complaint:
            self.complaint = complaint
            if self._metrics is not None:
                self._metrics.commit_failed()
            self._take_all_back()
            # The trace would say no more.
            log.error("commit_failed", complaint=type(complaint).__name__, change_sets=len(batch))  # noqa: TRY400
            for waiting in batch:
                waiting.failure = unavailable(complaint)

    def _carry_out_together(self, batch: Sequence[_Waiting]) -> bool:
        """Begin a transaction with all of these; False, and no transaction, when one of them was refused."""
        execute = self._cursor.execute
        execute(BEGIN)
        try:
            for waiting in batch:
                self._carry_out(waiting)
        except UNAVAILABLE:
            raise
        except Exception:  # noqa: BLE001 - it will happen again, and then be its waiter's
            self._take_all_back()
            return False
        return True

    def _carry_out_apart(self, batch: Sequence[_Waiting]) -> None:
        """Begin a transaction with all of these that are not refused; refusals are left with those they concern."""
        execute = self._cursor.execute
        execute(BEGIN)
        for waiting in batch:
            execute(SAVEPOINT)
            try:
                self._carry_out(waiting)
            except UNAVAILABLE:
                raise
            except Exception as failure:  # noqa: BLE001 - the waiter's refusal, or a bug that the waiter raises
                waiting.failure = failure
                execute(TAKE_BACK)
            execute(RELEASE)

    def _carry_out(self, waiting: _Waiting) -> None:
        connection, execute = self._connection, self._cursor.execute
        try:
            if waiting.statement is not None:
                rows = execute(waiting.statement.sql, waiting.statement.parameters).fetchall()
                waiting.written = (rows, connection.changes())
                return
            for sql, parameters, refused_with, finds in waiting.steps:
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


def _answer(batch: Sequence[_Waiting]) -> None:
    """Tell those who wait: one call into each event loop, which is one in service."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for waiting in batch:
        by_loop.setdefault(waiting.loop, []).append(waiting)
    for loop, share in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, share)
        except RuntimeError:  # the loop is closed: nobody waits any more, and what was committed stays
            log.warning("commit_unheard", change_sets=len(share))


def _resolve(share: Sequence[_Waiting]) -> None:
    """On the event loop: hand over results, then wake whoever works on what was enqueued."""
    for waiting in share:
        if not waiting.future.done():  # else the waiter was cancelled
            if waiting.failure is None:
                waiting.future.set_result(waiting.written)
            else:
                waiting.future.set_exception(waiting.failure)
    for waiting in share:
        if waiting.committed is not None and waiting.failure is None:
            waiting.committed()
