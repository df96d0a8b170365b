"""Answers that do not pass through ASGI: the same order, the same endings, and no task where nothing waits."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

from structlog.testing import capture_logs

from message_contacts.wire.rendering import Response
from tests.fakes.http_server import running

ASK = b" HTTP/1.1\r\nHost: contacts.example.com\r\n"


class Application:
    """Answers paths below `/direct` directly, the rest by ASGI; `/direct/wait` only when `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.waiting = asyncio.Event()
        self.tasks: list[bool] = []
        self.cancelled = False

    def direct(self, scope: Any, body: bytes) -> Any:
        return self._answer(scope["path"], body) if scope["path"].startswith("/direct") else None

    async def _answer(self, path: str, body: bytes) -> Response:
        self.tasks.append(asyncio.current_task() is not None)
        if path == "/direct/bug":
            raise RuntimeError("a bug")
        if path == "/direct/wait":
            self.waiting.set()
            try:
                await self.go.wait()
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                self.cancelled = True
                raise
            if body == b"bug":
                raise RuntimeError("a bug behind a wait")
        text = f"{path} {body.decode()}".encode()
        return Response(200, ((b"content-length", b"%d" % len(text)), (b"x-way", b"direct")), text)

    async def __call__(self, scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        text = scope["path"].encode()
        headers = [(b"content-length", b"%d" % len(text)), (b"x-way", b"asgi")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text})


async def test_answer_that_waits_for_nothing_needs_no_task() -> None:
    application = Application()
    async with running(application) as server, server.connected() as connection:
        for number in range(3):
            await connection.send(b"POST /direct" + ASK + b"Content-Length: 1\r\n\r\n%d" % number)
            answer = await connection.answer()
            assert (answer.status, answer.body) == (200, b"/direct %d" % number)
            assert answer.headers["x-way"] == "direct"
            assert "date" in answer.headers
            assert "connection" not in answer.headers
    assert application.tasks == [False] * 3


async def test_answers_keep_the_order_of_their_requests_whatever_way_they_take() -> None:
    application = Application()
    async with running(application) as server, server.connected() as connection:
        paths = [b"/direct/wait", b"/direct/second", b"/elsewhere", b"/direct/last"]
        await connection.send(b"".join(b"GET " + path + ASK + b"\r\n" for path in paths))
        await application.waiting.wait()
        application.go.set()
        answers = [await connection.answer() for _ in paths]
    assert [answer.body.split()[0] for answer in answers] == paths
    assert [answer.headers["x-way"] for answer in answers] == ["direct", "direct", "asgi", "direct"]


async def test_many_requests_in_one_packet_are_answered_one_after_the_other() -> None:
    """However many there are, none answers inside another one's answer."""
    application = Application()
    count = 1500
    async with running(application) as server, server.connected() as connection:
        await connection.send((b"GET /direct/wait" + ASK + b"\r\n") + (b"GET /direct" + ASK + b"\r\n") * count)
        await application.waiting.wait()
        application.go.set()
        for _ in range(count + 1):
            assert (await connection.answer()).status == 200


async def test_head_is_left_to_asgi() -> None:
    async with running(Application()) as server, server.connected() as connection:
        await connection.send(b"HEAD /direct" + ASK + b"Connection: close\r\n\r\n")
        assert b"x-way: asgi" in await connection.rest()


async def test_client_that_wants_the_connection_closed_is_obeyed() -> None:
    for ending in (b"GET /direct" + ASK + b"Connection: close\r\n\r\n", b"GET /direct HTTP/1.0\r\n\r\n"):
        async with running(Application()) as server, server.connected() as connection:
            await connection.send(ending)
            answer = await connection.answer()
            assert answer.headers["connection"] == "close"
            assert await connection.rest() == b""


async def test_failure_that_the_application_let_out_is_logged_and_ends_the_connection() -> None:
    application = Application()
    application.go.set()
    async with running(application) as server:
        for request in (
            b"GET /direct/bug" + ASK + b"\r\n",
            b"POST /direct/wait" + ASK + b"Content-Length: 3\r\n\r\nbug",
        ):
            with capture_logs() as logs:
                async with server.connected() as connection:
                    await connection.send(request)
                    assert await connection.rest() == b""
            assert [entry["event"] for entry in logs] == ["connection_failed"]


async def test_call_whose_client_has_gone_is_carried_out_all_the_same() -> None:
    application = Application()
    async with running(application) as server:
        async with server.connected() as connection:
            await connection.send(b"GET /direct/wait" + ASK + b"\r\n")
            await application.waiting.wait()
            # A reset, not an orderly end: behind that the client could still be waiting for its answer.
            client = connection.writer.get_extra_info("socket")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.writer.transport.abort()
            await server.until_nobody_is_connected()
        application.go.set()
        assert (await server.exchange(b"GET /direct" + ASK + b"\r\n")).status == 200
    assert not application.cancelled
