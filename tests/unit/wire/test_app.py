"""The application as a server calls it: what goes where, and the start and end of the service."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from message_contacts.health import Ailment
from message_contacts.wire.app import App, Message
from message_contacts.wire.operator_pages import OperatorPages
from tests.fakes.gateway import HOST, World
from tests.fakes.operator_pages import PAGES, metrics


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
    app = App(gateway=world.gateway, operator=PAGES)
    status, _, body = await request(app, method="POST", bodies=(b"Na", b"me=t", b"om"), headers=headers)
    assert (status, orjson.loads(body)["Thing"]["Name"]) == (200, "tom")


async def test_a_body_over_the_limit_is_refused_whatever_the_server_let_through():
    app = App(gateway=World().gateway, operator=PAGES)
    status, _, body = await request(app, method="POST", bodies=(bytes(600_000),) * 3)
    assert status == 413
    assert b"<Code>RequestBodyTooLarge</Code>" in body


async def test_a_client_that_goes_away_gets_no_answer():
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await App(gateway=World().gateway, operator=PAGES)({"type": "http", "path": "/"}, receive, send)
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
    answered, _, body = await request(App(gateway=World().gateway, operator=PAGES), path, method=method)
    assert answered == status
    assert b"<Code>" + code + b"</Code>" in body


async def test_pages_get_their_paths_unchanged():
    async def pages(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    app = App(gateway=World().gateway, operator=PAGES, pages=pages, page_prefixes=("/verify/", "/console/"))
    for path in ("/verify/abc", "/console/"):
        assert (await request(app, path))[2] == path.encode()
    assert (await request(app, "/verify"))[0] == 404


async def test_readiness_says_in_words_what_is_wrong_and_health_does_not_ask():
    async def ill() -> Sequence[Ailment]:
        return (Ailment.DISK_FULL, Ailment.WORKER_STALLED)

    gateway = World().gateway
    assert (await request(App(gateway=gateway, operator=PAGES), "/readyz"))[::2] == (200, b"ok\n")
    app = App(gateway=gateway, operator=OperatorPages(ailments=ill, impairments=tuple, metrics=metrics))
    assert (await request(app, "/healthz"))[0] == 200
    assert (await request(app, "/readyz"))[::2] == (503, b"disk-full\nworker-stalled\n")
    assert (await request(app, "/readyz", method="HEAD"))[::2] == (503, b"")


LOCAL = {"client": ("127.0.0.1", 5000), "headers": [(b"host", b"localhost:8080"), (b"accept", b"text/plain")]}


@pytest.mark.parametrize(
    "scope",
    [
        {"client": ("192.0.2.7", 5000)},
        {"client": None},
        {"headers": [(b"host", b"localhost:8080"), (b"x-forwarded-for", b"127.0.0.1")]},
        {"headers": [(b"host", b"localhost:8080"), (b"via", b"1.1 proxy")]},
        {"headers": [(b"host", b"contacts.example.com")]},
        {"headers": [(b"host", b"127.0.0.1.example.com")]},
        {"method": "POST"},
    ],
)
async def test_metrics_beside_the_api_are_for_this_machine_only(scope: dict[str, Any]):
    app = App(gateway=World().gateway, operator=PAGES, metrics_for_local=True)
    for host in (b"localhost:8080", b"127.0.0.1", b"[::1]:8080"):
        given = LOCAL | {"headers": [(b"host", host), (b"accept", b"text/plain")]}
        assert (await request(app, "/metrics", **given))[::2] == (200, b"asked text/plain\n")
    assert (await request(app, "/metrics", **LOCAL | scope))[0] == 404


async def test_metrics_are_not_beside_the_api_unless_that_is_said():
    assert (await request(App(gateway=World().gateway, operator=PAGES), "/metrics", **LOCAL))[0] == 404


async def test_the_port_of_metrics_has_the_operators_pages_and_nothing_else():
    app = App(gateway=World().gateway, operator=PAGES, metrics_port=9464)
    there = {"server": ("10.0.0.5", 9464)}
    assert (await request(app, "/metrics", **there))[0] == 200
    assert (await request(app, "/readyz", **there))[0] == 200
    assert (await request(app, "/", **there))[::2] == (404, b"not found\n")
    assert (await request(app, "/metrics", method="POST", **there))[0] == 405
    assert app.direct({"path": "/", **there}, b"") is None
    beside = {"server": ("10.0.0.5", 8080)}
    assert (await request(app, "/metrics", **LOCAL | beside))[0] == 404
    assert (await request(app, "/readyz", **beside))[0] == 200


async def test_a_trusted_proxy_tells_source_and_transport():
    world = World(needs_tls=True)
    app = App(gateway=world.gateway, operator=PAGES, trusted_proxies=(ip_network("192.0.2.0/24"),))
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
        await App(gateway=World().gateway, operator=PAGES)({"type": "websocket"}, None, None)  # type: ignore[arg-type]
