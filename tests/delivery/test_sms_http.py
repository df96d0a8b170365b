"""Text messages handed to a real HTTP gateway that checks signatures by itself."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Callable
from urllib.parse import quote

import pytest
import structlog
from aiohttp import web

from message_contacts.contacts.model import Channel
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.transports.sms_http import CONNECTIONS, SmsGateway, SmsHttpTransport
from tests.delivery.conftest import SECRET, make_message
from tests.fakes.clock import START

ACCEPTED = Outcome(Verdict.ACCEPTED, "accepted")
SMS = {"channel": Channel.SMS, "recipient": "86-13900001234", "subject": "", "text": "请确认：https://x/", "html": None}
USERINFO = f":whsec_{quote(SECRET, safe='')}@"


@pytest.fixture
async def connect(clock) -> AsyncIterator[Callable[..., SmsHttpTransport]]:
    made: list[SmsHttpTransport] = []

    def make(place: str, userinfo: str = USERINFO, **seconds: float) -> SmsHttpTransport:
        made.append(SmsHttpTransport(SmsGateway.parse(f"http://{userinfo}{place}"), clock, **seconds))
        return made[-1]

    yield make
    for transport in made:
        await transport.close()


async def test_message_is_one_json_request_with_the_number_as_networks_write_it(connect, gateway):
    assert await connect(gateway.url).send(make_message(**SMS)) == ACCEPTED
    ((headers, body),) = gateway.requests
    assert json.loads(body) == {"to": "+8613900001234", "text": "请确认：https://x/"}
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers


async def test_signature_is_what_standard_webhooks_says(connect, gateway):
    """Worked out here from the rule's text, with nothing of the transport."""
    await connect(gateway.url).send(make_message(**SMS))
    ((headers, body),) = gateway.requests
    assert headers["webhook-id"] == "j-0123456789ab"
    assert headers["webhook-timestamp"] == str(START // 1000)
    content = headers["webhook-id"] + "." + headers["webhook-timestamp"] + "." + body.decode()
    mac = hmac.new(base64.b64decode(SECRET), content.encode(), hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()


def test_signature_vector_of_the_rule():
    """The example of the Standard Webhooks reference libraries."""
    gateway = SmsGateway.parse("https://:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw@gateway.example.com/")
    message = b'{"test": 2432232314}'
    from message_contacts.transports.sms_http import signature  # noqa: PLC0415 - beside the vector it is for

    made = signature(gateway.secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", message)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_retry_has_the_same_id(connect, gateway, clock):
    transport = connect(gateway.url)
    await transport.send(make_message(**SMS))
    clock.advance(60)
    await transport.send(make_message(**SMS))
    first, second = (headers for headers, _ in gateway.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


async def test_without_a_secret_nothing_is_signed_and_the_log_says_so(connect, gateway):
    with structlog.testing.capture_logs() as lines:
        assert await connect(gateway.url, "").send(make_message(**SMS)) == ACCEPTED
    assert "webhook-signature" not in gateway.requests[0][0]
    assert [line["event"] for line in lines] == ["sms_gateway_unsigned"]


async def test_connections_are_used_again_and_few(connect, gateway):
    transport = connect(gateway.url)
    for _ in range(5):
        await transport.send(make_message(**SMS))
    assert len(gateway.peers) == 1
    await asyncio.gather(*(transport.send(make_message(**SMS)) for _ in range(40)))
    assert len(gateway.peers) <= CONNECTIONS
    assert len(gateway.requests) == 45


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (202, ACCEPTED),
        (400, Outcome(Verdict.NEVER, "message-refused")),
        (401, Outcome(Verdict.TRY_AGAIN, "login-refused")),
        (404, Outcome(Verdict.TRY_AGAIN, "gateway-not-found")),
        (500, Outcome(Verdict.TRY_AGAIN, "gateway-error")),
        (503, Outcome(Verdict.TRY_AGAIN, "gateway-busy")),
    ],
)
async def test_status_tells_what_becomes_of_the_message(connect, gateway, status, outcome):
    async def answer() -> web.Response:
        return web.Response(status=status, text="x" * 100_000)

    gateway.answer = answer
    assert await connect(gateway.url).send(make_message(**SMS)) == outcome


async def test_wait_that_the_gateway_asks_for_is_told(connect, gateway):
    async def answer() -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "120"})

    gateway.answer = answer
    assert await connect(gateway.url).send(make_message(**SMS)) == Outcome(Verdict.TRY_AGAIN, "throttled", 120.0)


async def test_redirect_is_not_followed(connect, gateway):
    async def answer() -> web.Response:
        raise web.HTTPTemporaryRedirect(f"http://{gateway.url}?elsewhere")

    gateway.answer = answer
    outcome = await connect(gateway.url).send(make_message(**SMS))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "redirect-refused")
    assert len(gateway.requests) == 1


async def test_gateway_that_does_not_answer_is_given_up_in_time(connect, gateway):
    release = asyncio.Event()

    async def answer() -> web.Response:
        await release.wait()
        return web.Response()

    gateway.answer = answer
    outcome = await connect(gateway.url, send_seconds=0.05).send(make_message(**SMS))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "timed-out")
    release.set()


async def test_gateway_that_hangs_up_delays_the_message(connect):
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        outcome = await connect(place).send(make_message(**SMS))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "connection-lost")


async def test_gateway_that_is_not_there_delays_the_message(connect):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}/"
    assert await connect(place).send(make_message(**SMS)) == Outcome(Verdict.TRY_AGAIN, "connection-refused")


@pytest.mark.parametrize("recipient", ["tom@example.com", "13900001234", "86-139000012345678901234567", ""])
async def test_number_that_cannot_be_called_is_never_tried(connect, recipient):
    outcome = await connect("127.0.0.1:9/").send(make_message(**{**SMS, "recipient": recipient}))
    assert outcome == Outcome(Verdict.NEVER, "number-not-callable")


async def test_secret_is_in_no_representation(connect):
    gateway = SmsGateway.parse(f"http://{USERINFO}127.0.0.1/sms")
    assert SECRET[:8] not in repr(gateway)
    assert "whsec" not in gateway.url
