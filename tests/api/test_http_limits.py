"""Limits of one HTTP connection, over real sockets: what is refused, how, and what must go on working."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest

from message_contacts.wire.app import App
from tests.fakes.gateway import World
from tests.fakes.http_server import Answer, Connection, running
from tests.fakes.operator_pages import PAGES

PLAIN = b"POST /?Name=tom HTTP/1.1\r\nHost: contacts.example.com\r\n"


class Echo:
    """Answers what it was sent, as JSON; `/wait` only when `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked = asyncio.Event()
        self.waiting = asyncio.Event()

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            assert message["type"] == "http.request"
            body += message["body"]
            more = message["more_body"]
        self.asked.set()
        if scope["path"] == "/wait":
            self.waiting.set()
            await self.go.wait()
        answer = orjson.dumps(
            {
                "method": scope["method"],
                "path": scope["path"],
                "query": scope["query_string"].decode(),
                "headers": {name.decode(): value.decode("latin-1") for name, value in scope["headers"]},
                "length": len(body),
                "start": body[:20].decode("latin-1"),
            }
        )
        if scope["path"] == "/flood":
            answer = bytes(50_000_000)
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def assert_refused(answer: Answer, status: int, code: str) -> None:
    """That the answer is the vendor's error body, and the last one of its connection."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert answer.headers["connection"] == "close"
    assert "keep-alive" not in answer.headers
    body = orjson.loads(answer.body)
    assert list(body) == ["RequestId", "Message", "HostId", "Code", "Recommend"]
    assert body["Code"] == code
    assert body["RequestId"] == answer.headers["x-acs-request-id"]


def echoed(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    body: dict[str, Any] = orjson.loads(answer.body)
    return body


async def test_signed_requests_are_answered_on_one_connection():
    world = World()
    async with running(App(gateway=world.gateway, operator=PAGES)) as server, server.connected() as connection:
        for _ in range(3):
            request = world.signed("SetThing")
            lines = [f"{request.method} {request.target} HTTP/1.1"]
            lines += [f"{name}: {value}" for name, value in request.headers.items()]
            await connection.send("\r\n".join([*lines, "", ""]).encode())
            answer = await connection.answer()
            assert orjson.loads(answer.body)["Thing"] == {"Name": "tom", "Tags": ["a", "b"], "Good": True}
            assert answer.headers["keep-alive"] == "timeout=25"


# Bytes


@pytest.mark.parametrize(
    "head",
    [
        PLAIN + b"X-Long: " + b"a" * 1000 + b"\r\n\r\n",
        PLAIN + b"".join(b"X-%d: a\r\n" % number for number in range(200)) + b"\r\n",
        b"GET /?" + b"a" * 1000 + b" HTTP/1.1\r\n\r\n",
        b"GET /?" + b"a" * 1000,
        PLAIN + b"X-Long: " + b"a" * 1000,
        PLAIN + b"X" * 1000,
    ],
    ids=["one header", "many headers", "request line", "endless line", "endless value", "endless name"],
)
async def test_headers_over_the_limit_are_refused(head: bytes):
    async with running(Echo(), head_bytes=800) as server:
        assert_refused(await server.exchange(head), 431, "RequestHeadersTooLarge")
        async with server.connected() as connection:  # the same in small pieces
            for start in range(0, len(head), 100):
                await connection.send(head[start : start + 100])
                await asyncio.sleep(0)
            assert_refused(await connection.answer(), 431, "RequestHeadersTooLarge")


async def test_32_kib_of_query_and_headers_up_to_the_limit_are_accepted():
    async with running(Echo()) as server:
        query = b"a" * 32_768
        head = b"GET /?" + query + b" HTTP/1.1\r\nX-Long: " + b"a" * 32_000 + b"\r\n\r\n"
        assert len(echoed(await server.exchange(head))["query"]) == 32_768


async def test_headers_behind_a_large_body_on_the_same_connection_are_counted_alone():
    async with running(Echo(), head_bytes=1000) as server, server.connected() as connection:
        body = b"b" * 50_000
        await connection.send(PLAIN + b"Content-Length: 50000\r\n\r\n" + body + PLAIN + b"X-A: " + b"a" * 500)
        assert echoed(await connection.answer())["length"] == 50_000
        await connection.send(b"\r\n\r\n")
        assert echoed(await connection.answer())["length"] == 0


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
async def test_an_announced_body_over_the_limit_is_refused_before_it_comes(expect: bytes):
    async with running(Echo(), body_bytes=1000) as server:
        answer = await server.exchange(PLAIN + expect + b"Content-Length: 1001\r\n\r\n")
        assert_refused(answer, 413, "RequestBodyTooLarge")


async def test_a_chunked_body_over_the_limit_is_refused_while_it_comes():
    async with running(Echo(), body_bytes=1000) as server, server.connected() as connection:
        await connection.send(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(11):
            await connection.send(b"64\r\n" + b"a" * 100 + b"\r\n")
        assert_refused(await connection.answer(), 413, "RequestBodyTooLarge")


async def test_a_body_of_exactly_the_limit_is_accepted():
    async with running(Echo()) as server:
        body = b"a" * 1_048_576
        assert echoed(await server.exchange(PLAIN + b"Content-Length: 1048576\r\n\r\n" + body))["length"] == 1_048_576


async def test_a_refused_client_that_goes_on_sending_reads_the_refusal():
    async with running(Echo(), body_bytes=1000) as server, server.connected() as connection:
        await connection.send(PLAIN + b"Content-Length: 5000000\r\n\r\n")
        for _ in range(50):
            await connection.send(b"a" * 100_000)
        assert_refused(await connection.answer(), 413, "RequestBodyTooLarge")
        assert await connection.rest() == b""


async def test_trailers_without_end_are_refused():
    async with running(Echo(), head_bytes=1000) as server, server.connected() as connection:
        await connection.send(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n")
        for number in range(200):
            await connection.send(b"X-Trailer-%d: a\r\n" % number)
            await asyncio.sleep(0)
        assert_refused(await connection.answer(), 431, "RequestHeadersTooLarge")


# Seconds


async def test_headers_that_do_not_end_in_time_are_refused_however_they_dribble():
    async with running(Echo(), head_seconds=0.3) as server, server.connected() as connection:
        await connection.send(PLAIN)

        async def dribble() -> None:
            while True:
                await connection.send(b"X-A: a\r\n")
                await asyncio.sleep(0.02)

        dribbling = asyncio.create_task(dribble())
        answer = await connection.answer()
        dribbling.cancel()
        assert_refused(answer, 408, "RequestTimeout")
        assert orjson.loads(answer.body)["HostId"] == "contacts.example.com"


async def test_a_connection_that_says_nothing_is_refused():
    async with running(Echo(), head_seconds=0.1) as server, server.connected() as connection:
        assert_refused(await connection.answer(), 408, "RequestTimeout")
        assert await connection.rest() == b""


async def test_later_requests_of_a_connection_have_the_same_time():
    async with running(Echo(), head_seconds=0.2, keep_alive_seconds=60) as server, server.connected() as connection:
        await connection.send(PLAIN + b"\r\n")
        assert echoed(await connection.answer())
        await connection.send(PLAIN)
        assert_refused(await connection.answer(), 408, "RequestTimeout")


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 10\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]
)
async def test_a_body_that_does_not_end_in_time_is_refused(framing: bytes):
    async with running(Echo(), body_seconds=0.2) as server:
        assert_refused(await server.exchange(PLAIN + framing), 408, "RequestTimeout")


async def test_an_idle_connection_is_closed_without_a_word():
    async with running(Echo(), keep_alive_seconds=0.2) as server, server.connected() as connection:
        await connection.send(PLAIN + b"\r\n")
        assert echoed(await connection.answer())
        assert await connection.rest() == b""


async def test_the_time_of_an_answer_is_not_the_clients():
    echo = Echo()
    times = {"head_seconds": 0.1, "body_seconds": 0.1, "keep_alive_seconds": 0.1, "linger_seconds": 0.1}
    async with running(echo, **times) as server, server.connected() as connection:
        await connection.send(b"GET /wait HTTP/1.1\r\n\r\n" + PLAIN)  # and the next one has begun
        await asyncio.sleep(0.4)
        echo.go.set()
        assert echoed(await connection.answer())["path"] == "/wait"


async def test_a_client_that_does_not_take_its_answer_is_dropped():
    echo = Echo()
    limits = {"linger_seconds": 0.1, "keep_alive_seconds": 0.1}
    async with running(echo, **limits) as server, server.connected() as connection:
        connection.writer.transport.pause_reading()
        await connection.send(b"GET /flood HTTP/1.1\r\n\r\n")
        await echo.asked.wait()
        await server.until_nobody_is_connected()


# What is no HTTP


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"BREW / HTTP/1.1\r\n\r\n",
        PLAIN + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        PLAIN + b"Content-Length: x\r\n\r\n",
        PLAIN + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        PLAIN + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
    ],
)
async def test_malformed_http_is_refused(data: bytes):
    async with running(Echo()) as server:
        assert_refused(await server.exchange(data), 400, "InvalidRequest")


async def test_a_tunnel_is_refused():
    async with running(Echo()) as server:
        assert_refused(await server.exchange(b"CONNECT a:1 HTTP/1.1\r\n\r\n"), 405, "UnsupportedHTTPMethod")


async def test_a_refusal_is_xml_where_the_query_or_accept_asks_for_it():
    async with running(Echo(), body_bytes=10) as server:
        for head in (b"POST /?Format=XML HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nAccept: text/xml\r\n"):
            answer = await server.exchange(head + b"Host: h\r\nContent-Length: 11\r\n\r\n")
            assert answer.headers["content-type"] == "text/xml;charset=utf-8"
            assert ElementTree.fromstring(answer.body).findtext("Code") == "RequestBodyTooLarge"


# What has to go on working


async def test_a_chunked_body_arrives_whole_and_its_trailers_are_not_headers():
    data = PLAIN + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nAuthorization: late\r\n\r\n"
    async with running(Echo()) as server, server.connected() as connection:
        for start in range(0, len(data), 7):
            await connection.send(data[start : start + 7])
            await asyncio.sleep(0)
        answer = echoed(await connection.answer())
        assert (answer["length"], answer["start"]) == (5, "abcde")
        assert "authorization" not in answer["headers"]


async def test_requests_sent_at_once_are_answered_in_order():
    echo = Echo()
    async with running(echo) as server, server.connected() as connection:
        await connection.send(b"GET /wait HTTP/1.1\r\n\r\n")
        pieces = [b"POST /%d HTTP/1.1\r\nContent-Length: 2\r\n\r\nab" % number for number in range(300)]
        await connection.send(b"".join(pieces))
        await echo.asked.wait()
        echo.go.set()
        paths = [echoed(await connection.answer())["path"] for _ in range(301)]
        assert paths == ["/wait", *(f"/{number}" for number in range(300))]


async def test_nothing_is_read_ahead_without_bound_while_requests_wait():
    echo = Echo()
    async with running(echo) as server, server.connected() as connection:
        await connection.send(b"GET /wait HTTP/1.1\r\n\r\n")
        await echo.asked.wait()
        data = b"GET /next HTTP/1.1\r\n\r\n" * 5000
        with pytest.raises(TimeoutError):  # as soon as the buffers between the two are full
            await asyncio.wait_for(connection.send(data * 500), 0.3)
        (protocol,) = server.server.server_state.connections
        assert len(protocol.pipeline) < 50_000
        connection.writer.transport.abort()
        echo.go.set()


@pytest.mark.parametrize(
    ("second", "status", "code"),
    [
        (b"rubbish\r\n\r\n", 400, "InvalidRequest"),
        (PLAIN + b"Content-Length: 2000000\r\n\r\n", 413, "RequestBodyTooLarge"),
        (PLAIN + b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431, "RequestHeadersTooLarge"),
    ],
)
async def test_a_refusal_waits_for_the_answers_before_it(second: bytes, status: int, code: str):
    echo = Echo()
    async with running(echo) as server, server.connected() as connection:
        await connection.send(b"GET /wait HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\n\r\n" + second)
        await echo.asked.wait()
        echo.go.set()
        assert echoed(await connection.answer())["path"] == "/wait"
        assert echoed(await connection.answer())["path"] == "/next"
        assert_refused(await connection.answer(), status, code)


async def _continue_and_send(connection: Connection) -> dict[str, Any]:
    assert await connection.line() == b"HTTP/1.1 100 Continue\r\n"
    assert await connection.line() == b"\r\n"
    await connection.send(b"abc")
    return echoed(await connection.answer())


async def test_a_client_that_waits_for_100_continue_gets_it():
    head = PLAIN + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    echo = Echo()
    async with running(echo) as server, server.connected() as connection:
        await connection.send(head)
        assert (await _continue_and_send(connection))["start"] == "abc"
        await connection.send(head + b"abc")  # not if the body is here already
        assert echoed(await connection.answer())["start"] == "abc"
        await connection.send(b"GET /wait HTTP/1.1\r\n\r\n" + head)  # and not in the middle of an earlier answer
        await echo.asked.wait()
        echo.go.set()
        assert echoed(await connection.answer())["path"] == "/wait"
        assert (await _continue_and_send(connection))["start"] == "abc"


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
)
async def test_a_request_that_would_rather_speak_http2_is_answered_in_http1(framing: bytes):
    data = PLAIN + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + framing
    async with running(Echo()) as server, server.connected() as connection:
        await connection.send(data + PLAIN + b"\r\n")
        assert echoed(await connection.answer())["start"] == "abc"
        assert echoed(await connection.answer())["length"] == 0


async def test_a_client_that_closes_its_side_still_gets_its_answer():
    echo = Echo()
    async with running(echo) as server, server.connected() as connection:
        await connection.send(b"GET /wait HTTP/1.1\r\n\r\n")
        connection.writer.write_eof()
        await echo.asked.wait()
        await asyncio.sleep(0.05)
        echo.go.set()
        assert echoed(await connection.answer())["path"] == "/wait"
        assert await connection.rest() == b""


async def test_http_1_0_and_connection_close_end_after_the_answer():
    async with running(Echo()) as server:
        for head in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"):
            async with server.connected() as connection:
                await connection.send(head)
                assert (await connection.answer()).headers["connection"] == "close"
                assert await connection.rest() == b""


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/a%20b/%E6%B1%A4+c%26?x=%20#part", "/a b/汤+c&", "x=%20"),
        (b"http://host/p?x=1", "/p", "x=1"),
        (b"http://host?x=1", "/", "x=1"),
        (b"/?", "/", ""),
    ],
)
async def test_targets_are_split_into_path_and_query(target: bytes, path: str, query: str):
    async with running(Echo()) as server:
        answer = echoed(await server.exchange(b"GET " + target + b" HTTP/1.1\r\n\r\n"))
        assert (answer["path"], answer["query"]) == (path, query)


async def test_stopping_answers_what_has_begun_and_closes_what_is_idle():
    echo = Echo()
    async with (
        running(echo) as server,
        server.connected() as idle,
        server.connected() as waiting,
        server.connected() as sending,
    ):
        await idle.send(PLAIN + b"\r\n")
        assert echoed(await idle.answer())
        await waiting.send(b"GET /wait HTTP/1.1\r\n\r\n")
        await sending.send(PLAIN + b"Content-Length: 3\r\n\r\na")
        await echo.waiting.wait()
        server.server.should_exit = True
        assert await idle.rest() == b""
        echo.go.set()
        await sending.send(b"bc")
        for connection in (waiting, sending):
            assert (await connection.answer()).headers["connection"] == "close"
            assert await connection.rest() == b""


# More than a request needs


async def test_more_headers_than_a_request_may_have_are_refused_however_short():
    async with running(Echo(), headers=20) as server:
        head = PLAIN + b"".join(b"X-%d:\r\n" % number for number in range(18))
        assert len(echoed(await server.exchange(head + b"X-18:\r\n\r\n"))["headers"]) == 20
        assert_refused(await server.exchange(head + b"X-18:\r\nX-19:\r\n\r\n"), 431, "RequestHeadersTooLarge")


async def test_a_name_that_repeats_counts_each_time():
    async with running(Echo()) as server:
        assert_refused(await server.exchange(PLAIN + b"a:\r\n" * 200 + b"\r\n"), 431, "RequestHeadersTooLarge")


async def test_a_body_in_crumbs_is_refused_when_there_is_more_packing_than_a_head_may_have():
    """Six bytes for one of the body, a call of the parser for each."""
    crumb = b"1\r\na\r\n"
    async with running(Echo(), head_bytes=2_000) as server, server.connected() as connection:
        await connection.send(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            await connection.send(crumb * 10)
            await asyncio.sleep(0)
        assert_refused(await connection.answer(), 431, "RequestHeadersTooLarge")


async def test_a_large_body_in_pieces_of_ordinary_size_is_accepted():
    async with running(Echo(), head_bytes=2_000) as server, server.connected() as connection:
        await connection.send(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            await connection.send(b"1000\r\n" + b"a" * 4096 + b"\r\n")
        await connection.send(b"0\r\n\r\n")
        assert echoed(await connection.answer())["length"] == 409_600


async def test_only_so_many_requests_wait_on_one_connection():
    echo = Echo()
    async with running(echo, waiting=5) as server, server.connected() as connection:
        await connection.send(b"GET /wait HTTP/1.1\r\n\r\n" + b"GET /next HTTP/1.1\r\n\r\n" * 20)
        await echo.asked.wait()
        (protocol,) = server.server.server_state.connections
        assert len(protocol.pipeline) <= 5
        echo.go.set()
        paths = [echoed(await connection.answer())["path"] for _ in range(6)]
        assert paths == ["/wait", *["/next"] * 5]
        assert_refused(await connection.answer(), 400, "InvalidRequest")


async def test_a_few_requests_to_change_the_protocol_are_answered_and_a_flood_of_them_is_refused():
    """Each one is read again together with everything behind it."""
    upgrade = PLAIN + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    async with running(Echo()) as server, server.connected() as connection:
        await connection.send(upgrade * 8)
        for _ in range(8):
            assert echoed(await connection.answer())
    async with running(Echo()) as server, server.connected() as connection:
        await connection.send(upgrade * 2_000)
        for _ in range(8):
            assert echoed(await connection.answer())
        assert_refused(await connection.answer(), 400, "InvalidRequest")
