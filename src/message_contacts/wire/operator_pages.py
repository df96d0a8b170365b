"""`/healthz`, `/readyz` and `/metrics`: for those who run the service, in plain text and without a signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from message_contacts.health import Ailment, Impairment
from message_contacts.wire.rendering import Response

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]

_TEXT = "text/plain;charset=utf-8"
#: What a proxy adds.
_FORWARDED = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorPages:
    """The pages, as an ASGI application of their own; paths beside them are not found."""

    #: Why the service cannot do its work now; empty: it can.
    ailments: Callable[[], Awaitable[Sequence[Ailment]]]
    #: What does not work beside.
    impairments: Callable[[], Sequence[Impairment]]
    #: From the Accept header to content type and text of the metrics.
    metrics: Callable[[str], Awaitable[tuple[str, bytes]]]

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer one request, whatever its body."""
        response = await self.answer(scope["method"], scope["path"], scope["headers"])
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})

    async def answer(self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]]) -> Response:
        """The page of that path.

        `/healthz`: the process answers. `/readyz`: it can do its work; if not, the words why, one a line. Behind `ok`
        come words about what does not work beside.
        """
        if method not in {"GET", "HEAD"}:
            return _page(405, b"method not allowed\n")
        if path == "/healthz":
            return _page(200, b"ok\n")
        if path == "/readyz":
            ailments = await self.ailments()
            words = [word.value for word in ailments or self.impairments()]
            status, first = (503, ()) if ailments else (200, ("ok",))
            return _page(status, "".join(f"{word}\n" for word in (*first, *words)).encode())
        if path == "/metrics":
            accept = b",".join(value for name, value in headers if name == b"accept").decode("latin-1")
            content_type, text = await self.metrics(accept)
            return _page(200, text, content_type)
        return _page(404, b"not found\n")


def is_local(scope: Scope) -> bool:
    """Whether a request comes from this machine to an address of this machine, as far as can be seen.

    A proxy on the same machine shows itself by what it adds, or by the name it was asked for; so does a browser that
    was told a stranger's name for 127.0.0.1. A proxy that hides all of that has no business in front of a service that
    says it is on loopback.
    """
    client = scope["client"]
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if not client or not _is_loopback(client[0]) or any(name in _FORWARDED for name, _ in scope["headers"]):
        return False
    return all(_is_loopback(_without_port(host)) for host in hosts)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _page(status: int, body: bytes, content_type: str = _TEXT) -> Response:
    headers = (
        (b"content-type", content_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    )
    return Response(status, headers, body)
