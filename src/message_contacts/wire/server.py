"""Running the application: one process or several on one socket, stopped gracefully by SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from message_contacts.wire.app import ASGIApp
from message_contacts.wire.connection import LimitedProtocol

#: Seconds that requests have to end after the signal to stop; then they are cancelled.
GRACE_SECONDS = 30
#: Seconds that a worker process has to start.
START_SECONDS = 60
#: Connections that wait to be accepted.
BACKLOG = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where a started server can be reached."""

    host: str
    port: int
    is_tls: bool


Started = Callable[[Listening], None]


class StartError(Exception):
    """The server did not start; the log says why."""


def serve(
    app: ASGIApp | str,
    *,
    host: str,
    port: int,
    beside: Sequence[socket.socket] = (),
    workers: int = 1,
    ssl_certfile: Path | None = None,
    ssl_keyfile: Path | None = None,
    on_started: Started | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then answer what has begun and return.

    Args:
        app: The application; or `module:function`, a factory without arguments. Several workers need the factory: each
            calls it in a process of its own.
        port: 0 lets the system choose; `on_started` is told.
        beside: Further listening sockets of the same application, as `bind` makes them.
        on_started: Called once, when requests are answered (by all workers).
    Raises:
        OSError: The address cannot be bound, or a certificate cannot be read.
        StartError: The application's start failed.
    """
    if ssl_certfile is not None:  # here it is an error to be told; in a worker it would be one more worker that died
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(ssl_certfile, ssl_keyfile)
    config = configure(app, workers=workers, ssl_certfile=ssl_certfile, ssl_keyfile=ssl_keyfile)
    listener = bind(host, port)
    listening = Listening(host=host, port=listener.getsockname()[1], is_tls=ssl_certfile is not None)
    with listener:
        if workers == 1:
            server = Server(config, listening, on_started)
            try:
                server.run(sockets=[listener, *beside])
            except SystemExit as stopped:  # uvicorn's way of saying that the start failed
                raise StartError from stopped
            return
        if not isinstance(app, str):
            raise TypeError("several workers need the application as module:function")
        supervisor = Supervisor(config, [listener, *beside], listening, on_started)
        supervisor.run()
        if supervisor.has_failed:
            raise StartError


def configure(
    app: ASGIApp | str,
    *,
    protocol: type[LimitedProtocol] = LimitedProtocol,
    lifespan: Literal["on", "off"] = "on",
    workers: int = 1,
    ssl_certfile: Path | None = None,
    ssl_keyfile: Path | None = None,
) -> uvicorn.Config:
    """uvicorn's settings for this application; `protocol` may be a subclass with other limits."""
    return uvicorn.Config(
        cast("str", app),
        factory=isinstance(app, str),
        http=protocol,
        ws="none",
        loop="uvloop",
        lifespan=lifespan,
        interface="asgi3",
        workers=workers,
        ssl_certfile=ssl_certfile,
        ssl_keyfile=ssl_keyfile,
        # One line a request is written by the gateway; uvicorn's own loggers are left to the service's logging.
        access_log=False,
        log_config=None,
        # The application decides itself whom it believes.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
    )


@contextlib.asynccontextmanager
async def serving_beside(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Answer on this socket while the block runs, in an event loop that does other things too."""
    server = _Guest(configure(app, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="serving beside")
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, made before any worker so that all of them share it.

    Raises: OSError.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


class Server(uvicorn.Server):
    """uvicorn's server that tells when it answers and returns after a signal instead of dying of it."""

    def __init__(self, config: uvicorn.Config, listening: Listening, on_started: Started | None) -> None:
        super().__init__(config)
        self._listening = listening
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; from here on requests are answered."""
        await super().startup(sockets)
        # What was loaded stays for good: the collector need not go through it again and again.
        gc.collect()
        gc.freeze()
        if self._on_started is not None:
            self._on_started(self._listening)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop gracefully on SIGTERM and SIGINT. uvicorn would raise the signal again, past what still has to close."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Guest(uvicorn.Server):
    """uvicorn's server in a process whose signals are others' business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Supervisor(Multiprocess):
    """uvicorn's supervisor of worker processes that tells when all of them answer."""

    def __init__(
        self, config: uvicorn.Config, listeners: list[socket.socket], listening: Listening, on_started: Started | None
    ) -> None:
        super().__init__(config, listeners)
        self._is_broken = False
        self._listening = listening
        self._on_started = on_started

    def init_processes(self) -> None:
        """Start the workers and wait until they answer."""
        super().init_processes()
        if all(process.wait_until_ready(START_SECONDS, self.should_exit) for process in self.processes):
            if self._on_started is not None:
                self._on_started(self._listening)
        elif not self.signal_queue:  # nobody told it to stop: whatever it was would happen to the next one too
            self._is_broken = True
            self.should_exit.set()

    @property
    def has_failed(self) -> bool:
        """Whether it ended because a worker could not start."""
        return self._is_broken or any(process.exitcode == STARTUP_FAILURE for process in self.processes)
