"""How much a request may cost before anybody knows which call it carries, and the answer when it costs more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from message_contacts.errors import ErrorDefinition
from message_contacts.protocol.parameters import parse_form
from message_contacts.wire.reading import MAX_BODY, Format, RawHeaders, Scheme, asked_format, collected
from message_contacts.wire.rendering import KEEP_ALIVE_SECONDS, ErrorPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a request may have before it is refused. Bytes and seconds."""

    #: Request line and headers together; and all of a chunked body that is not body: lengths, extensions, trailers.
    head_bytes: int = 65_536
    #: Headers of one request.
    headers: int = 200
    body_bytes: int = MAX_BODY
    #: Requests that wait on one connection until those before them are answered.
    waiting: int = 2_000
    #: From the connection, or the first byte of a later request, to the end of the headers.
    head_seconds: float = 10.0
    #: From the end of the headers to the end of the body.
    body_seconds: float = 30.0
    #: Between an answer and the next request.
    keep_alive_seconds: float = float(KEEP_ALIVE_SECONDS)
    #: For a refused client to read why, and for any client to take an answer that the connection cannot hold.
    linger_seconds: float = 5.0


def refusal(
    error: ErrorDefinition,
    *,
    page: ErrorPage,
    request_id: str,
    url: bytes,
    headers: RawHeaders,
    default_headers: Iterable[tuple[bytes, bytes]],
) -> bytes:
    """The whole HTTP answer to a request that is refused unread, after which the connection ends.

    Args:
        url: Target of the request, as far as it has come.
        headers: Its headers, as far as they have come.
        default_headers: What the server adds to every answer, the date above all.
    """
    known = collected(headers)
    # Where the parameters cannot be read, nobody knows the format that RPC version 1 asks for: most clients read JSON.
    query, _ = parse_form(url.decode("latin-1").partition("?")[2][:65_536])
    response = page.refuse(
        error,
        request_id=request_id,
        host=known.get(b"host", b"").decode("latin-1"),
        answer_format=asked_format(Scheme.V3, query, known) or Format.XML,
    )
    lines = [STATUS_LINE[response.status]]
    for name, value in (*default_headers, *response.headers, (b"connection", b"close")):
        if name != b"keep-alive":
            lines += (name, b": ", value, b"\r\n")
    return b"".join([*lines, b"\r\n", response.body])
