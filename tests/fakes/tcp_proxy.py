"""A relay between the service and PostgreSQL that loses the connection when it hurts most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum

#: How the driver asks for it: a simple query.
_COMMIT = b"COMMIT\0"


class Loss(Enum):
    """When the connection of the next COMMIT is lost."""

    NEVER = "never"
    #: The server never hears of the COMMIT.
    BEFORE = "before"
    #: The server has committed, its answer gets lost.
    AFTER = "after"
    #: The server has committed, and nothing more is heard of it.
    SILENT = "silent"


async def _nothing() -> None:
    return None


class TcpProxy:
    """Relays connections to a port of this machine."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._relays: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        #: What happens to the next COMMIT; once.
        self.loss = Loss.NEVER
        #: Done when it has happened; until it is done nobody can connect.
        self.then: Callable[[], Awaitable[None]] = _nothing
        #: While clear, nothing comes back from the server.
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._accepts = True

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def cut(self) -> None:
        """Lose all connections."""
        for writer in list(self._writers):
            writer.transport.abort()

    def _lose(self) -> None:
        self._accepts = False
        self._relays.add(asyncio.create_task(self._then()))
        raise _Lost

    async def _then(self) -> None:
        await self.then()
        self._accepts = True

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        if not self._accepts:
            writer.transport.abort()
            return
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers |= {writer, server_writer}
        state = _State()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(reader, server_writer, state))
                group.create_task(self._answers(server_reader, writer, state))
        except* (ConnectionError, _Lost):
            pass
        finally:
            for each in (writer, server_writer):
                self._writers.discard(each)
                each.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: _State) -> None:
        while request := await reader.read(65536):
            if _COMMIT in request:
                state.loss, self.loss = self.loss, Loss.NEVER
                if state.loss is Loss.BEFORE:
                    writer.transport.abort()
                    self._lose()
            writer.write(request)
        raise _Lost

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: _State) -> None:
        while answer := await reader.read(65536):
            if state.loss is Loss.SILENT:
                continue
            if state.loss is Loss.AFTER:
                self._lose()
            await self.flowing.wait()
            writer.write(answer)
        raise _Lost


class _State:
    loss = Loss.NEVER


class _Lost(Exception):  # noqa: N818 - nobody hears of it
    """The connection ends."""


@asynccontextmanager
async def tcp_proxy(target_port: int) -> AsyncIterator[TcpProxy]:
    """A relay to that port."""
    proxy = TcpProxy(target_port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
