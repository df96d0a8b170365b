"""The application as a server calls it: what goes where, and the start and end of the service."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from message_contacts.wire.app import App, Message
from tests.fakes.gateway import HOST, World


async def ready() -> bool:
    return True


async def request(
    app: App, path: str = "/", *, method: str = "GET", bodies: tuple[bytes, ...] = (b"",), **scope: Any
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Hand over one request, its body in pieces; status, headers and body of the answer."""
    incoming = [
        {"type": "http.request", "body": body, "more_body": number < len(bodies)}
        for number, body in enumerate(bodies, start=1)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    given = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", HOST.encode())],
        "client": ("192.0.2.7", 1234),
        "scheme": "http",
    }
    await app(given | scope, receive, send)
    start, body = sent
    return start["status"], dict(start["headers"]), body["body"]


async def test_the_api_answers_at_the_root_with_its_body_put_together():
    world = World()
    signed = world.signed(parameters={}, body=b"Name=tom", content_type="application/x-www-form-urlencoded")
    headers = [(name.encode(), value.encode()) for name, value in signed.headers.items()]
    app = App(gateway=world.gateway, is_ready=ready)
    status, _, body = await request(app, method="POST", bodies=(b"Na", b"me=t", b"om"), headers=headers)
    assert (status, orjson.loads(body)["Thing"]["Name"]) == (200, "tom")


async def test_a_body_over_the_limit_is_refused_whatever_the_server_let_through():
    app = App(gateway=World().gateway, is_ready=ready)
    status, _, body = await request(app, method="POST", bodies=(bytes(600_000),) * 3)
    assert status == 413
    assert b"<Code>RequestBodyTooLarge</Code>" in body


async def test_a_client_that_goes_away_gets_no_answer():
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await App(gateway=World().gateway, is_ready=ready)({"type": "http", "path": "/"}, receive, send)
    assert sent == []


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/nowhere", "GET", 404, b"InvalidAction.NotFound"),
        ("/verify/x", "GET", 404, b"InvalidAction.NotFound"),
        ("/", "PUT", 405, b"UnsupportedHTTPMethod"),
        ("/healthz", "DELETE", 405, b"UnsupportedHTTPMethod"),
        ("/healthz", "POST", 404, b"InvalidAction.NotFound"),
    ],
)
async def test_what_is_not_there_is_refused_in_the_vendors_way(path: str, method: str, status: int, code: bytes):
    answered, _, body = await request(App(gateway=World().gateway, is_ready=ready), path, method=method)
    assert answered == status
    assert b"<Code>" + code + b"</Code>" in body


async def test_pages_get_their_paths_unchanged():
    async def pages(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    app = App(gateway=World().gateway, is_ready=ready, pages=pages, page_prefixes=("/verify/", "/console/"))
    for path in ("/verify/abc", "/console/"):
        assert (await request(app, path))[2] == path.encode()
    assert (await request(app, "/verify"))[0] == 404


async def test_health_and_readiness():
    async def fails() -> bool:
        raise OSError("database gone")

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    async def unready() -> bool:
        return False

    gateway = World().gateway
    assert (await request(App(gateway=gateway, is_ready=ready), "/readyz"))[0] == 200
    for check in (fails, hangs, unready):
        app = App(gateway=gateway, is_ready=check, readiness_patience=0.01)
        assert (await request(app, "/healthz"))[0] == 200
        with capture_logs():
            assert (await request(app, "/readyz"))[0] == 503
        assert (await request(app, "/readyz", method="HEAD"))[0] == 503


async def test_a_trusted_proxy_tells_source_and_transport():
    world = World(needs_tls=True)
    app = App(gateway=world.gateway, is_ready=ready, trusted_proxies=(ip_network("192.0.2.0/24"),))
    signed = world.signed()
    headers = [(name.encode(), value.encode()) for name, value in signed.headers.items()]
    headers += [(b"x-forwarded-for", b"198.51.100.1"), (b"x-forwarded-proto", b"https")]
    with capture_logs() as lines:
        status, _, _ = await request(
            app, method="POST", headers=headers, query_string=signed.target.partition("?")[2].encode()
        )
    assert status == 200
    assert lines[-1]["source"] == "198.51.100.1"


async def test_a_websocket_is_nothing_this_application_knows():
    with pytest.raises(ValueError, match="websocket"):
        await App(gateway=World().gateway, is_ready=ready)({"type": "websocket"}, None, None)  # type: ignore[arg-type]
