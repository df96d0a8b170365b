"""A service as an application that a server process starts and stops."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import AsyncExitStack
from types import FrameType
from typing import Any

import structlog

from message_contacts.bootstrap import Service, build
from message_contacts.cli.logs import configure_logs
from message_contacts.settings import Settings, load
from message_contacts.wire.app import App

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = structlog.get_logger(__name__)


def application() -> Hosted:
    """The application of one of several server processes; `serve` puts everything it was told into the environment."""
    settings = load(os.environ)
    configure_logs(settings)
    return Hosted(settings)


class Hosted:
    """Opens the service when the server starts and closes it when the server stops; between, passes requests on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open = AsyncExitStack()
        self._app: App | None = None

    def direct(self, scope: Message, body: bytes) -> Coroutine[Any, Any, Any] | None:
        """See `wire.direct.Direct`."""
        return self._app.direct(scope, body) if self._app is not None else None

    def refused_unread(self, code: str) -> None:
        """See `wire.direct.refusals_of`."""
        if self._app is not None:
            self._app.refused_unread(code)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if self._app is not None and scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "lifespan":
            raise RuntimeError("a request came before the start")
        await receive()
        try:
            await self._start()
        except Exception:
            log.exception("start_failed")
            await self._open.aclose()
            await send({"type": "lifespan.startup.failed"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._open.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> None:
        service = await self._open.enter_async_context(await build(self._settings))
        if self._settings.worker:
            working = asyncio.create_task(service.work(), name="worker")
            working.add_done_callback(_stop_when_broken)
            self._open.push_async_callback(_stop_working, working)
        attending = asyncio.create_task(service.attend(), name="attending")
        attending.add_done_callback(_stop_when_broken)
        self._open.push_async_callback(_stop_attending, attending, service)
        sharing = asyncio.create_task(service.meter.share(), name="sharing metrics")
        sharing.add_done_callback(_stop_when_broken)
        self._open.push_async_callback(_stop_working, sharing)
        _drain_first(service, self._settings.drain.total_seconds())
        self._app = service.app
        # What is there now stays: the collector need not walk through it again and again.
        gc.collect()
        gc.freeze()
        # Calls leave next to no cycles behind. Walking through all that lives, every few seconds, only holds calls up.
        gc.set_threshold(20_000, 50, 1_000)


def _drain_first(service: Service, seconds: float) -> None:
    """On SIGTERM, say at once that the service is not ready, and hand the signal to the server only after a while.

    Balancers need that while to see it; until then they send requests, which have to be answered. The server puts its
    own handler, or the one before, back when it ends.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # only there can signals be handled; the server has not tried either
    loop = asyncio.get_running_loop()
    server_stops = signal.getsignal(signal.SIGTERM)
    if not callable(server_stops):
        return

    def stop(number: int, frame: FrameType | None) -> None:
        is_first = not service.readiness.is_stopping
        service.readiness.stop()
        if is_first and seconds:
            log.info("draining", seconds=seconds)
            loop.call_soon_threadsafe(loop.call_later, seconds, server_stops, number, None)
        else:
            server_stops(number, frame)

    signal.signal(signal.SIGTERM, stop)


async def _stop_working(working: asyncio.Task[None]) -> None:
    working.cancel()
    await asyncio.wait([working])


async def _stop_attending(attending: asyncio.Task[None], service: Service) -> None:
    await _stop_working(attending)
    try:
        await service.uses.note()
    except Exception:  # of no weight compared with an orderly end
        log.exception("noting_key_uses_failed")


def _stop_when_broken(working: asyncio.Task[None]) -> None:
    """A task that ends by itself is a bug: stop the process, so that whoever watches it starts a sound one."""
    if not working.cancelled() and (failure := working.exception()) is not None:
        log.error("task_broken", task=working.get_name(), exc_info=failure)
        os.kill(os.getpid(), signal.SIGTERM)
