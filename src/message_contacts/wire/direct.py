"""Answering a call without the detours of ASGI: no task for a call that waits for nothing, one write for its answer.

Most calls are reads, which find what they need without waiting. A task, a queue of messages and two writes for each
would cost as much as the call itself. A call that does wait goes on in a task from where it stands.

Source: docs/adr/0013-calls-are-answered-directly.md.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterable, MutableMapping
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from message_contacts.wire.rendering import Response

Answering = Coroutine[Any, Any, Response]


class Direct(Protocol):
    """An application that can answer some requests directly, beside all of them by ASGI."""

    def direct(self, scope: MutableMapping[str, Any], body: bytes) -> Answering | None:
        """What answers this request, not begun; None when ASGI has to."""
        ...


def direct_of(app: object) -> Callable[[MutableMapping[str, Any], bytes], Answering | None] | None:
    """The application's way of answering directly, if it has one."""
    return getattr(app, "direct", None)


def refusals_of(app: object) -> Callable[[str], None] | None:
    """Whom the application wants to be told the code of each request that is refused unread, if it does."""
    return getattr(app, "refused_unread", None)


class Begun:
    """A coroutine that has run up to its first wait, to be awaited from there by a task."""

    __slots__ = ("_coroutine", "_waits_for")

    def __init__(self, coroutine: Answering, waits_for: object) -> None:
        """Take the coroutine and what its first `send` gave."""
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Response]:
        waits_for: Any = self._waits_for
        try:
            while True:
                try:
                    result = yield waits_for
                except BaseException as failure:  # noqa: BLE001 - cancellation, most of all: the coroutine decides
                    waits_for = self._coroutine.throw(failure)
                else:
                    waits_for = self._coroutine.send(result)
        except StopIteration as finished:
            response: Response = finished.value
            return response


def answer_bytes(response: Response, default_headers: Iterable[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
    """The whole answer as it goes over the wire.

    Args:
        default_headers: What the server adds to every answer, the date above all.
    """
    fields = b"".join([b"%b: %b\r\n" % header for header in (*default_headers, *response.headers)])
    end = b"\r\n" if keep_alive else b"connection: close\r\n\r\n"
    return b"%b%b%b%b" % (STATUS_LINE[response.status], fields, end, response.body)
