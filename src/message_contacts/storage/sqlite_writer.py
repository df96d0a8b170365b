"""Writing to an SQLite file: what waits goes into one commit, whose wait for the disk is a thread's.

The commit's wait for the disk is what costs; shared, it costs each change little. Everybody is answered after the
commit that holds their change, all of a commit by one call into the event loop.

Short change sets are carried out on the event loop that decided them; the thread only commits, which needs no
interpreter. Carried out on the thread, each statement contends with the loop for the interpreter, and a call waits for
its turn as often as it writes (docs/adr/0025). Statements whose length nobody knows are carried out on the thread, and
so is everything while another process writes: an event loop never waits for a lock.

What the event loop decides in one turn goes into one commit, unless that is much, and what it decides while a commit is
under way into the next one.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from queue import SimpleQueue
from typing import NamedTuple

import structlog

from message_contacts.storage.behind_commit import behind_commit
from message_contacts.storage.engine import Step
from message_contacts.storage.sqlite_checkpoint import Checkpointer
from message_contacts.storage.sqlite_transaction import Begun, Transactions, Waiting, Written

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: Steps in one commit, more only if they are one change set's: bounds how long the first one waits for the last one's,
#: and the event loop for all of them.
MOST_STEPS = 256
#: Change sets for which a commit begins before the loop's turn is over: it goes on deciding meanwhile. When all callers
#: share one commit, loop and disk wait for each other.
_WORTH_A_COMMIT = 16
#: Steps of a change set that is short: those of a call about a few rows, and the settling of a dozen deliveries.
FEW_STEPS = 128

_Loop = asyncio.AbstractEventLoop


class _Order(NamedTuple):
    """What the thread is to do."""

    batch: Sequence[Waiting]
    #: Whether its statements are carried out already, so that it only has to be committed.
    begun: bool


class Writer:
    """Writes to one file, for any number of event loops; one in service."""

    def __init__(self, transactions: Transactions, checkpointer: Checkpointer, *, busy_seconds: float) -> None:
        """Take over what writes, and tell the other one of each commit.

        Args:
            busy_seconds: When a commit has failed for a lock, whoever has waited for that long is refused with it.
        """
        self._busy_seconds = busy_seconds
        self._transactions = transactions
        self._checkpointer = checkpointer
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        #: What the present turn of an event loop has asked for.
        self._gathered: dict[_Loop, list[Waiting]] = {}
        #: Held for a moment, by a loop or the thread, around the next two.
        self._lock = threading.Lock()
        #: What was asked for and is in no batch yet.
        self._waiting: list[Waiting] = []
        #: Whether a batch is under way: the transactions are then its alone.
        self._busy = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    @property
    def complaint(self) -> Exception | None:
        """What the database said when a commit last failed through nobody's bug; None since one has succeeded."""
        return self._transactions.complaint

    def commit(self, steps: Sequence[Step], committed: Callable[[], None] | None = None) -> asyncio.Future[Written]:
        """See `engine.Database.commit`; the result says nothing."""
        return self._put(Waiting(steps=steps, committed=committed))

    def write(self, statement: Step) -> asyncio.Future[Written]:
        """See `engine.Database.write`."""
        return self._put(Waiting(statement=statement))

    def close(self) -> None:
        """Finish what waits, then end the thread and close the connection."""
        if self._closed:
            return
        self._closed = True
        with self._lock:
            for gathered in self._gathered.values():
                self._waiting += gathered
        self._gathered.clear()
        self._orders.put(None)
        self._thread.join()
        self._transactions.close()

    def _put(self, waiting: Waiting) -> asyncio.Future[Written]:
        if self._closed:
            raise RuntimeError("the storage is closed")
        gathered = self._gathered.get(waiting.loop)
        if gathered is None:
            self._gathered[waiting.loop] = [waiting]
            waiting.loop.call_soon(self._hand_over, waiting.loop)
        else:
            gathered.append(waiting)
            if len(gathered) >= _WORTH_A_COMMIT and not self._busy:
                self._hand_over(waiting.loop)
        return waiting.future

    def _hand_over(self, loop: _Loop) -> None:
        gathered = self._gathered.pop(loop, None)
        if gathered:
            with self._lock:
                self._waiting += gathered
            self._go_on(loop)

    def _go_on(self, loop: _Loop) -> None:
        """Begin the next batch, unless there is none or one is under way; what takes long is left to the thread."""
        while not self._closed and (batch := self._taken()) is not None:
            begun = Begun.LOCKED
            if all(_is_short(waiting) for waiting in batch):
                begun = self._transactions.begin(batch, wait=False)
            if begun is not Begun.FAILED:
                self._orders.put(_Order(batch, begun=begun is Begun.YES))
                return
            self._over()
            self._answer(batch)

    def _taken(self) -> list[Waiting] | None:
        with self._lock:
            if self._busy or not self._waiting:
                return None
            self._busy = True
            return _split_off(self._waiting)

    def _over(self) -> set[_Loop]:
        """The batch is no longer under way. Returns: The loops of those who wait now."""
        with self._lock:
            self._busy = False
            return {waiting.loop for waiting in self._waiting}

    def _run(self) -> None:
        """On the thread: all orders, and when there are to be no more, what still waits."""
        while (order := self._orders.get()) is not None:
            following: _Order | None = order
            while following is not None:
                following = self._fulfil(following)
        while (batch := self._taken()) is not None:
            self._fulfil(_Order(batch, begun=False))

    def _fulfil(self, order: _Order) -> _Order | None:
        """Carry out what was left to the thread, and commit. Returns: What no loop is left to order, if it is due."""
        batch: Sequence[Waiting] = order.batch
        if order.begun or self._transactions.begin(batch, wait=True) is Begun.YES:
            self._transactions.commit(batch)
        elif self._transactions.locked_out:
            batch = [*batch, *self._refused()]
        if behind_commit(self._checkpointer.committed):
            self._answer(batch)
            batch = ()
            behind_commit(self._checkpointer.force)
        if self._answer(batch, self._over()):
            return None
        taken = self._taken()
        return None if taken is None else _Order(taken, begun=False)

    def _refused(self) -> Sequence[Waiting]:
        """Those who have waited for the lock as well, each for as long as anybody should: all of them, when closing."""
        latest = math.inf if self._closed else time.monotonic() - self._busy_seconds
        with self._lock:
            overdue = [waiting for waiting in self._waiting if waiting.asked_at <= latest]
            self._waiting = [waiting for waiting in self._waiting if waiting.asked_at > latest]
        self._transactions.refuse(overdue)
        return overdue

    def _answer(self, batch: Iterable[Waiting], following: Iterable[_Loop] = ()) -> bool:
        """Tell those who wait, and have the loops of those who wait now go on: one call into each loop.

        Returns: Whether somebody goes on, or nobody has to; False when all of those loops are closed.
        """
        by_loop: dict[_Loop, list[Waiting]] = {}
        for waiting in batch:
            by_loop.setdefault(waiting.loop, []).append(waiting)
        for loop in following:
            by_loop.setdefault(loop, [])
        goes_on = not following
        for loop, share in by_loop.items():
            try:
                loop.call_soon_threadsafe(self._resolve, loop, share)
            except RuntimeError:  # the loop is closed: nobody waits any more, and what was committed stays
                log.warning("commit_unheard", change_sets=len(share))
            else:
                goes_on = True
        return goes_on

    def _resolve(self, loop: _Loop, share: Sequence[Waiting]) -> None:
        """On the event loop: hand over results, wake whoever works on what was enqueued, and go on."""
        for waiting in share:
            if not waiting.future.done():  # else the waiter was cancelled
                if waiting.failure is None:
                    waiting.future.set_result(waiting.written)
                else:
                    waiting.future.set_exception(waiting.failure)
        for waiting in share:
            if waiting.committed is not None and waiting.failure is None:
                behind_commit(waiting.committed)
        self._go_on(loop)


def _is_short(waiting: Waiting) -> bool:
    """Whether it takes hardly any time: steps by key, and few. A statement of its own may be about many rows."""
    steps = waiting.steps
    return waiting.statement is None and len(steps) <= FEW_STEPS and not any(step.many for step in steps)


def _split_off(waiting: list[Waiting]) -> list[Waiting]:
    """Take from the front what goes into one commit: at least one."""
    count = steps = 0
    for each in waiting:
        steps += len(each.steps) or 1
        if count and steps > MOST_STEPS:
            break
        count += 1
    batch = waiting[:count]
    del waiting[:count]
    return batch
