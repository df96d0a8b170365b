"""The ASGI application: `/` is the API, beside it health checks and whatever pages are put in.

The API does not pass through a routing framework; pages may.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog

from message_contacts.wire.direct import Answering
from message_contacts.wire.pipeline import Gateway
from message_contacts.wire.proxies import Networks, origin
from message_contacts.wire.reading import MAX_BODY
from message_contacts.wire.rendering import Response

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger(__name__)

_TEXT = (b"content-type", b"text/plain;charset=utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One service as an ASGI application."""

    gateway: Gateway
    #: Whether the service can do its work now, the database above all.
    is_ready: Callable[[], Awaitable[bool]]
    #: Answers every path that begins with one of `page_prefixes`; the path reaches it unchanged.
    pages: ASGIApp | None = None
    page_prefixes: tuple[str, ...] = ("/verify/",)
    #: Proxies whose word about source address and TLS is believed.
    trusted_proxies: Networks = ()
    #: Seconds after which a readiness check that has not answered counts as failed.
    readiness_patience: float = 5.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Whoever opens the service also answers for its start and end."""
        if scope["type"] == "http":
            path = scope["path"]
            if path == "/":
                await self._api(scope, receive, send)
            elif path in {"/healthz", "/readyz"} and scope["method"] in {"GET", "HEAD"}:
                await _send(send, await self._health(path))
            elif self.pages is not None and path.startswith(self.page_prefixes):
                await self.pages(scope, receive, send)
            else:
                await self._api(scope, receive, send)  # which knows how to refuse
        else:
            raise ValueError(f"cannot serve {scope['type']}")

    def direct(self, scope: Scope, body: bytes) -> Answering | None:
        """What answers a call of the API; None for everything else."""
        return self._answering(scope, body) if scope["path"] == "/" else None

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole_body(receive)
        if body is not None:
            await _send(send, await self._answering(scope, body))

    def _answering(self, scope: Scope, body: bytes) -> Answering:
        query = scope["query_string"]
        target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
        headers = scope["headers"]
        source = origin(scope["client"], scope["scheme"], headers, self.trusted_proxies)
        return self.gateway.handle(
            scope["method"], target.decode("latin-1"), headers, body, source.address, secure=source.is_secure
        )

    async def _health(self, path: str) -> Response:
        """`/healthz`: the process answers. `/readyz`: it can do its work."""
        is_well = True
        if path == "/readyz":
            try:
                async with asyncio.timeout(self.readiness_patience):
                    is_well = await self.is_ready()
            except Exception:
                log.exception("readiness_check_failed")
                is_well = False
        body = b"ok\n" if is_well else b"not ready\n"
        headers = (_TEXT, (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store"))
        return Response(200 if is_well else 503, headers, body)


async def _whole_body(receive: Receive) -> bytes | None:
    """The body, cut just behind the limit so that it is seen to be too long; None when the client has gone."""
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts = [body]
    length = len(body)
    while message.get("more_body", False) and length <= MAX_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        length += len(parts[-1])
    return b"".join(parts)[: MAX_BODY + 1]


async def _send(send: Send, response: Response) -> None:
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})
