"""The ASGI application: `/` is the API, beside it health checks and whatever pages are put in.

The API does not pass through a routing framework; pages may.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from message_contacts.wire.direct import Answering
from message_contacts.wire.operator_pages import OperatorPages, is_local
from message_contacts.wire.pipeline import Gateway
from message_contacts.wire.proxies import Networks, origin
from message_contacts.wire.reading import MAX_BODY
from message_contacts.wire.rendering import Response

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One service as an ASGI application."""

    gateway: Gateway
    #: `/healthz`, `/readyz`, `/metrics`.
    operator: OperatorPages
    #: Where metrics are told, and nothing but the operator's pages; None: on this machine, beside the API.
    metrics_port: int | None = None
    #: Whether requests from this machine to this machine may have metrics beside the API.
    metrics_for_local: bool = False
    #: Answers every path that begins with one of `page_prefixes`; the path reaches it unchanged.
    pages: ASGIApp | None = None
    page_prefixes: tuple[str, ...] = ("/verify/",)
    #: Proxies whose word about source address and TLS is believed.
    trusted_proxies: Networks = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Whoever opens the service also answers for its start and end."""
        if scope["type"] == "http":
            path = scope["path"]
            if self._is_for_operator(scope) or self._is_operators_page(scope):
                await self.operator(scope, receive, send)
            elif path == "/":
                await self._api(scope, receive, send)
            elif self.pages is not None and path.startswith(self.page_prefixes):
                await self.pages(scope, receive, send)
            else:
                await self._api(scope, receive, send)  # which knows how to refuse
        else:
            raise ValueError(f"cannot serve {scope['type']}")

    def direct(self, scope: Scope, body: bytes) -> Answering | None:
        """What answers a call of the API; None for everything else."""
        return self._answering(scope, body) if scope["path"] == "/" and not self._is_for_operator(scope) else None

    def refused_unread(self, code: str) -> None:
        """See `wire.direct.refusals_of`."""
        if self.gateway.metrics is not None:
            self.gateway.metrics.refused_unauthenticated(code)

    def _is_for_operator(self, scope: Scope) -> bool:
        """Whether it came in where the operator's pages are, and nothing else is."""
        return self.metrics_port is not None and scope["server"][1] == self.metrics_port

    def _is_operators_page(self, scope: Scope) -> bool:
        """Whether it is one of the operator's pages that are shown beside the API."""
        path = scope["path"]
        shown = {"/healthz", "/readyz", "/metrics"} if self.metrics_for_local else {"/healthz", "/readyz"}
        if path not in shown or scope["method"] not in {"GET", "HEAD"}:
            return False
        return path != "/metrics" or is_local(scope)

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
