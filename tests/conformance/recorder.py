"""A listener that carries out nothing: it keeps what clients send and answers with a request id."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

_ANSWER = b'{"RequestId":"2DFCE4C9-04A9-4C83-BB14-FE791275EC53"}'
_XML_ANSWER = (
    b'<?xml version="1.0" encoding="UTF-8"?><R><RequestId>2DFCE4C9-04A9-4C83-BB14-FE791275EC53</RequestId></R>'
)


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    headers: dict[str, str]
    query: dict[str, str]
    body: dict[str, str]


@dataclass
class Recorder:
    """Requests so far."""

    endpoint: str
    requests: list[Request] = field(default_factory=list)


@contextmanager
def recording() -> Iterator[Recorder]:
    """Listen on a free port of the loopback address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            body = self.body().decode()
            request = Request(
                self.command,
                {name.lower(): value for name, value in self.headers.items()},
                dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)),
                dict(parse_qsl(body, keep_blank_values=True)),
            )
            recorder.requests.append(request)
            as_xml = request.query.get("Format") == "XML"
            answer = _XML_ANSWER if as_xml else _ANSWER
            self.send_response(200)
            self.send_header("content-type", f"{'text/xml' if as_xml else 'application/json'};charset=utf-8")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length") or 0))
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        do_GET = do_POST = handle_request  # noqa: N815 - names of the standard library

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - name of the standard library
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recorder = Recorder(f"127.0.0.1:{server.server_port}")
    listener = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    listener.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        listener.join()
        server.server_close()
