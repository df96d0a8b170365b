"""A few held connections, lent to one caller at a time. Those that ended are replaced when somebody needs one."""

from __future__ import annotations

import asyncio
from collections import deque

import structlog

from message_contacts import errors
from message_contacts.storage.engine import PoolUse
from message_contacts.storage.postgres_connection import Connection, PostgresAddress, connected

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Pool:
    """Connections to one database, opened as they are needed and kept."""

    def __init__(self, address: PostgresAddress, size: int, *, patience: float) -> None:
        """Make it; nothing is opened yet.

        Args:
            size: Connections at most.
            patience: Seconds that a caller waits for one to be free.
        """
        self._address = address
        self._size = size
        self._free_places = size
        self._patience = patience
        #: The one used last is used next: it is the warmest.
        self._idle: list[Connection] = []
        #: Who waits, first come first served; gets a connection, or None with a place to open one.
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._lent: set[Connection] = set()

    def use(self, name: str) -> PoolUse:
        """How much it is used now."""
        waiting = sum(not waiter.done() for waiter in self._waiting)
        return PoolUse(name, self._size, len(self._lent), len(self._idle), waiting)

    def take_idle(self) -> Connection | None:
        """A connection that is free now, if any."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.is_closed:
                self._lent.add(connection)
                return connection
            self._free_places += 1
        return None

    async def take(self) -> Connection:
        """A connection; give it back when done.

        Raises:
            ApiError: SERVICE_UNAVAILABLE, when none becomes free in time or the server cannot be reached.
        """
        connection = self.take_idle()
        if connection is not None:
            return connection
        if self._free_places > 0:
            self._free_places -= 1
        else:
            found = await self._wait()
            if found is not None:
                self._lent.add(found)
                return found
        try:
            connection = await asyncio.create_task(connected(self._address))  # which uses what wants a task
        except BaseException:
            self._place_is_free()
            raise
        self._lent.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Let others have it."""
        self._lent.discard(connection)
        if connection.is_closed:
            self._place_is_free()
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    async def finish(self) -> None:
        """End all connections that nobody uses."""
        while self._idle:
            await self._idle.pop().finish()

    def close(self) -> None:
        """End all connections at once."""
        for connection in (*self._idle, *self._lent):
            connection.close()
        self._idle.clear()

    async def _wait(self) -> Connection | None:
        # Not `asyncio.timeout`, which wants a task: calls run without one up to their first wait.
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        timer = loop.call_later(self._patience, self._give_up, waiter)
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:  # it came just then
                self._pass_on(waiter.result())
            raise
        finally:
            timer.cancel()
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _give_up(self, waiter: asyncio.Future[Connection | None]) -> None:
        if not waiter.done():
            log.error("connections_exhausted", waiting=len(self._waiting))
            waiter.set_exception(errors.SERVICE_UNAVAILABLE(complaint="no free connection"))

    def _pass_on(self, found: Connection | None) -> None:
        if found is None:
            self._place_is_free()
        else:
            self.give_back(found)

    def _place_is_free(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free_places += 1
