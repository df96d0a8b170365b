"""Reads that several calls make in one turn of the event loop: those by the same statement go as one.

What a read costs is the trip to the server, not the look into an index. See docs/adr/0022-reads-on-postgresql.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from message_contacts import errors
from message_contacts.errors import ApiError
from message_contacts.storage.engine import Parameters, Row
from message_contacts.storage.postgres_connection import Connection
from message_contacts.storage.postgres_statements import for_each

#: Reads in one statement, at most: more of a turn are divided among connections.
MOST_TOGETHER = 64

#: The rows of each read.
Found = list[list[Row]]
#: Does something with a connection that reads, and returns what that found.
Borrow = Callable[[Callable[[Connection], Awaitable[Found]]], Awaitable[Found]]


class Queries:
    """Carries out queries, one of them for many who ask."""

    def __init__(self) -> None:
        #: The form for many, by query, once it was needed.
        self._for_each: dict[str, str] = {}

    async def carry_out(self, connection: Connection, sql: str, asked: Sequence[Parameters]) -> Found:
        """The rows of each, all of one moment. For several, the query is one that `can_be_grouped`.

        Raises as `Connection.fetch`.
        """
        if len(asked) == 1:
            return [[tuple(row) for row in await connection.fetch(sql, asked[0])]]
        form = self._for_each.get(sql)
        if form is None:
            form = self._for_each[sql] = for_each(sql, await connection.parameter_types(sql))
        found: list[list[Row]] = [[] for _ in asked]
        for row in await connection.fetch(form, tuple(zip(*asked, strict=True))):
            found[row[0] - 1].append(tuple(row)[1:])
        return found


class _Group:
    """The reads by one statement that came in one turn of the loop."""

    __slots__ = ("_left", "asked", "sql", "task", "waiting")

    def __init__(self, sql: str) -> None:
        self.sql = sql
        #: Parameters of each read.
        self.asked: list[Parameters] = []
        #: Who waits for each, in the same order.
        self.waiting: list[asyncio.Future[list[Row]]] = []
        self.task: asyncio.Task[None] | None = None
        #: How many went away before their answer came.
        self._left = 0

    def join(self, parameters: Parameters, waiting: asyncio.Future[list[Row]]) -> None:
        """Ask for rows too."""
        self.asked.append(parameters)
        self.waiting.append(waiting)

    def leave(self) -> None:
        """Wait no longer. When nobody does, the connection is of more use to others."""
        self._left += 1
        if self.task is not None and self._left == len(self.waiting):
            self.task.cancel()

    def answer(self, found: Found) -> None:
        """Give everybody the rows of their own read."""
        for waiting, rows in zip(self.waiting, found, strict=True):
            if not waiting.done():
                waiting.set_result(rows)

    def fail(self, failure: BaseException) -> None:
        """Tell everybody why there is no answer."""
        for waiting in self.waiting:
            if not waiting.done():
                waiting.set_exception(failure)

    def cancel(self) -> None:
        """Nobody will get an answer."""
        for waiting in self.waiting:
            waiting.cancel()


class Together:
    """Answers reads in groups. Each is sent after it was asked for, so that it sees what was committed before."""

    def __init__(self, queries: Queries, borrow: Borrow) -> None:
        """Read over connections that this lends, which also knows what their failures mean."""
        self._queries = queries
        self._borrow = borrow
        #: What came in this turn of the loop, by statement.
        self._coming: dict[str, _Group] = {}
        self._working: set[asyncio.Task[None]] = set()

    async def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        """The rows of a query that `can_be_grouped`."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[list[Row]] = loop.create_future()
        group = self._coming.get(sql)
        if group is None or len(group.asked) == MOST_TOGETHER:
            group = self._coming[sql] = _Group(sql)
            loop.call_soon(self._begin, group)
        group.join(parameters, waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            group.leave()
            raise

    def _begin(self, group: _Group) -> None:
        if self._coming.get(group.sql) is group:
            del self._coming[group.sql]
        group.task = asyncio.get_running_loop().create_task(self._work(group))
        self._working.add(group.task)
        group.task.add_done_callback(self._working.discard)

    async def _work(self, group: _Group) -> None:
        try:
            group.answer(
                await self._borrow(lambda connection: self._queries.carry_out(connection, group.sql, group.asked))
            )
        except asyncio.CancelledError:
            group.cancel()
            raise
        except Exception as failure:  # noqa: BLE001 - whoever waits has to hear of it, whatever it is
            is_everybodys = isinstance(failure, ApiError) and failure.definition is errors.SERVICE_UNAVAILABLE
            if len(group.asked) == 1 or is_everybodys:
                group.fail(failure)
                return
            for parameters, waiting in zip(group.asked, group.waiting, strict=True):  # it is not known whose it is
                alone = _Group(group.sql)
                alone.join(parameters, waiting)
                self._begin(alone)
