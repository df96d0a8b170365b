"""A service as an application that a server process starts and stops."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import AsyncExitStack
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
        self._is_stopping = False

    def direct(self, scope: Message, body: bytes) -> Coroutine[Any, Any, Any] | None:
        """See `wire.direct.Direct`."""
        return self._app.direct(scope, body) if self._app is not None else None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if self._app is not None and scope["type"] != "lifespan":
            if self._is_stopping and scope["path"] == "/readyz":
                await _say_not_ready(send)
            else:
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
        if self._settings.stop_delay:
            self._delay_stop(self._settings.stop_delay.total_seconds())
        self._app = service.app
        # What is there now stays: the collector need not walk through it again and again.
        gc.collect()
        gc.freeze()
        # Calls leave next to no cycles behind. Walking through all that lives, every few seconds, only holds calls up.
        gc.set_threshold(20_000, 50, 1_000)

    def _delay_stop(self, seconds: float) -> None:
        """Have SIGTERM do what the server does at it only after so long, and be not ready at once.

        It may come twice: from whoever stops the service, and from the process above. Ctrl-C stops without delay.
        """
        stop = signal.getsignal(signal.SIGTERM)
        if not callable(stop):
            raise TypeError("the server does not listen to SIGTERM")
        loop = asyncio.get_running_loop()

        def begin() -> None:
            if not self._is_stopping:
                self._is_stopping = True
                log.info("stopping", seconds=seconds)
                loop.call_later(seconds, stop, signal.SIGTERM, None)

        signal.signal(signal.SIGTERM, lambda _number, _frame: loop.call_soon_threadsafe(begin))


async def _say_not_ready(send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"9"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"stopping\n"})


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
