"""A real HTTP server in this process, on a port of its own, with limits that suit a test; and a client of bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from message_contacts.wire.app import ASGIApp
from message_contacts.wire.connection import LimitedProtocol
from message_contacts.wire.limits import Limits
from message_contacts.wire.server import Listening, Server, bind, configure

#: Seconds after which a test gives up waiting for the server.
PATIENCE = 10


@dataclass
class Running:
    """A started server."""

    port: int
    server: Server

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """A connection to it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Connection(reader, writer)
        finally:
            writer.close()

    async def until_nobody_is_connected(self) -> None:
        """Return when the server has no connection left."""
        async with asyncio.timeout(PATIENCE):
            while self.server.server_state.connections:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)

    async def exchange(self, data: bytes) -> Answer:
        """Send on a connection of its own and read one answer."""
        async with self.connected() as connection:
            await connection.send(data)
            return await connection.answer()


@dataclass
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Connection:
    """The client's end, byte by byte."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def line(self) -> bytes:
        """The next line, as it comes."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readline()

    async def answer(self) -> Answer:
        """The next answer."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(int(head[0].split(" ")[1]), headers, body)

    async def rest(self) -> bytes:
        """Everything until the server ends the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()


def started_and_stopped(app: ASGIApp) -> ASGIApp:
    """The application with the start and end that a server expects, which do nothing."""

    async def whole(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    if (direct := getattr(app, "direct", None)) is not None:
        whole.direct = direct  # type: ignore[attr-defined]
    return whole


@asynccontextmanager
async def running(app: ASGIApp, **limits: Any) -> AsyncIterator[Running]:
    """Serve an application until the block ends, then stop gracefully.

    Args:
        limits: Fields of `Limits` that are not to be as usual.
    """

    class Protocol(LimitedProtocol):
        pass

    Protocol.limits = Limits(**limits)
    listener = bind("127.0.0.1", 0)
    listening = Listening(host="127.0.0.1", port=listener.getsockname()[1], is_tls=False)
    started = asyncio.Event()
    server = Server(configure(started_and_stopped(app), protocol=Protocol), listening, lambda _: started.set())
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(PATIENCE):
            await started.wait()
        yield Running(listening.port, server)
    finally:
        server.should_exit = True
        async with asyncio.timeout(PATIENCE):
            await task
