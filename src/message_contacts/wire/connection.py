"""One HTTP connection within limits of bytes and seconds, each with an answer.

uvicorn's httptools protocol bounds neither headers nor bodies nor the time they take. This one does, hands a request to
the application only when it is complete, and keeps one timer a connection however many requests pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar

import httptools
import structlog
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from message_contacts import errors
from message_contacts.errors import ErrorDefinition
from message_contacts.ids import Ids, RandomIds
from message_contacts.protocol.parameters import parse_form
from message_contacts.wire.direct import Answering, Begun, answer_bytes, direct_of, refusals_of
from message_contacts.wire.limits import Limits, refusal
from message_contacts.wire.rendering import ErrorPage, Response

log = structlog.get_logger(__name__)


#: Methods whose answers have a body; the others are left to ASGI.
_WITH_BODIES = frozenset({"GET", "POST"})
#: Requests to change the protocol that one piece of bytes may hold; clients send one, and wait.
_MOST_UPGRADES = 8


class Phase(Enum):
    """Where the newest request of a connection stands."""

    WAITING = "nothing of it has come"
    HEAD = "its headers are coming"
    BODY = "its body is coming"
    COMPLETE = "all of it is here; its answer may not be"
    CLOSED = "nothing more is read"


# Members by names of their own: Python 3.11 takes about ten times as long to find one in its class.
_WAITING, _HEAD, _BODY, _COMPLETE, _CLOSED = Phase


class _Refused(Exception):  # noqa: N818 - leaves the parser, is never seen outside
    """Stops the parser in the middle of what it was fed."""


class _Flow(FlowControl):
    """Flow control that stays paused while requests wait behind others, whatever the running one says."""

    is_held = False

    def hold(self) -> None:
        self.is_held = True
        self.pause_reading()

    def release(self) -> None:
        self.is_held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


class LimitedProtocol(HttpToolsProtocol):
    """One HTTP connection within limits. Hand the class to uvicorn as `http`; a subclass may have other limits."""

    limits: ClassVar[Limits] = Limits()
    error_page: ClassVar[ErrorPage] = ErrorPage()
    ids: ClassVar[Ids] = RandomIds()

    flow: _Flow

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._phase = _WAITING
        self._is_fresh = True
        self._is_draining = False
        self._refusal: ErrorDefinition | None = None
        self._answering: RequestResponseCycle | None = None
        self._direct = direct_of(self.app)
        # Whether the present phase of the present request has its deadline.
        self._is_timed = True
        # Bytes of the piece being parsed, and whether a request ended in it: then nobody can say where the next began.
        self._piece = 0
        self._has_ended_one = False
        # At most so many bytes of the present head have come; so many of them may belong to the request before it.
        self._head_bytes = 0
        self._doubtful_bytes = 0
        # Bytes of the present request behind its head that did not belong to its body.
        self._beside_body = 0
        # Requests to change the protocol that are being read again, one inside the rest of the other.
        self._upgrades = 0
        self._deadline = self.loop.time() + self.limits.head_seconds
        self._timer_at = self._deadline
        self._timer = self.loop.call_at(self._timer_at, self._on_timer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override]  # asyncio reads the answer
        # A client may close its side and still wait for the answer; over TLS the transport closes in any case.
        last = self._last_unanswered()
        if last is None or self.scheme == "https":
            return None
        last.keep_alive = False
        self._phase = _CLOSED
        return True

    def shutdown(self) -> None:
        """Answer what has come, or begun to come; then close."""
        self._is_draining = True
        last = self._last_unanswered()
        if last is not None:
            last.keep_alive = False
        elif self._phase is _BODY:
            self.cycle.keep_alive = False
        elif self._phase is not _HEAD:
            self.transport.close()

    # Bytes

    def data_received(self, data: bytes) -> None:
        if self._phase is _CLOSED:
            return
        self._piece = len(data)
        self._has_ended_one = False
        self._beside_body += self._piece
        if self._phase is _HEAD:
            self._head_bytes += self._piece
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._read_again_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError:
            if self._refusal is None:  # a bug, not something the client sent
                log.exception("connection_failed")
            self._refuse(self._refusal or errors.INTERNAL_ERROR)
        except httptools.HttpParserError:
            self._refuse(errors.INVALID_REQUEST)
        else:
            if self._phase is _HEAD or self._phase is _BODY:
                self._check_incomplete()

    def _read_again_without_upgrade(self, rest: bytes) -> None:
        """Read a request that asks for another protocol as if it did not. The parser left it before its body."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(errors.UNSUPPORTED_HTTP_METHOD)
            return
        if self._upgrades >= _MOST_UPGRADES:  # each is copied with all that came behind it
            self._refuse(errors.INVALID_REQUEST)
            return
        lines = [method, b" ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            if name != b"upgrade":
                lines += (name, b": ", value, b"\r\n")
        self.parser = httptools.HttpRequestParser(self)
        self._phase = _WAITING
        self._upgrades += 1
        self.data_received(b"".join([*lines, b"\r\n", rest]))
        self._upgrades -= 1

    def _check_incomplete(self) -> None:
        """What to do about a request of which more has to come."""
        limits = self.limits
        if self._phase is _HEAD:
            if self._head_bytes - self._doubtful_bytes > limits.head_bytes:
                self._refuse(errors.REQUEST_HEADERS_TOO_LARGE)
                return
        elif self._beside_body > limits.head_bytes:  # trailers or extensions of chunks, without end
            self._refuse(errors.REQUEST_HEADERS_TOO_LARGE)
            return
        if not self._is_timed:
            if self._phase is _BODY and self._announced_body() > limits.body_bytes:
                self._refuse(errors.REQUEST_BODY_TOO_LARGE)
                return
            self._is_timed = True
            self._set_deadline(limits.head_seconds if self._phase is _HEAD else limits.body_seconds)
            self._continue_if_expected()

    def _announced_body(self) -> int:
        for name, value in self.scope["headers"]:
            if name == b"content-length":
                return int(value)  # the parser has made sure that it is a number
        return 0

    def _continue_if_expected(self) -> None:
        """Tell a client that waits for it to send its body, once nothing else has to be written before."""
        if self._phase is _BODY and self.expect_100_continue and self._answering is None:
            self.expect_100_continue = False
            if any(name == b"expect" and value.lower() == b"100-continue" for name, value in self.scope["headers"]):
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # Called by the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase = _HEAD
        self._is_timed = self._is_fresh
        self._is_fresh = False
        self._head_bytes = self._piece
        self._doubtful_bytes = self._piece if self._has_ended_one else 0

    def on_header(self, name: bytes, value: bytes) -> None:
        # Not uvicorn's, which looks for one name in every field of every request.
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._phase = _BODY
        self._is_timed = False
        self._beside_body = 0
        if len(self.headers) > self.limits.headers:
            raise self._refused(errors.REQUEST_HEADERS_TOO_LARGE)
        if self._head_bytes > self.limits.head_bytes:  # perhaps: now it can be counted
            head = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if head > self.limits.head_bytes:
                raise self._refused(errors.REQUEST_HEADERS_TOO_LARGE)
        # Whatever else the parser finds, trailers, is not part of what the application sees.
        self.headers = []
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]  # filled bit by bit
        scope["method"] = self.parser.get_method().decode("ascii")
        version = self.parser.get_http_version()
        scope["http_version"] = version
        self.expect_100_continue = version != "1.0"  # perhaps; looked at only where a body does not come by itself
        path, query = self._split_url()
        scope["raw_path"] = path
        scope["path"] = _decoded_path(path)
        scope["query_string"] = query
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,  # said above, as soon as the headers are there
            keep_alive=version != "1.0" and not self._is_draining and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )

    def _split_url(self) -> tuple[bytes, bytes]:
        if self.url.startswith(b"/"):  # nearly always; the general parser costs more than all of this method
            path, _, query = self.url.partition(b"#")[0].partition(b"?")
            return path, query
        try:
            parsed = httptools.parse_url(self.url)
        except httptools.HttpParserInvalidURLError:
            raise self._refused(errors.INVALID_REQUEST) from None
        return parsed.path or b"/", parsed.query or b""

    def on_body(self, body: bytes) -> None:
        self._beside_body = max(0, self._beside_body - len(body))  # the head's share of the first piece is not known
        self.cycle.body += body
        if len(self.cycle.body) > self.limits.body_bytes:
            raise self._refused(errors.REQUEST_BODY_TOO_LARGE)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._phase = _COMPLETE
        self._has_ended_one = True
        cycle = self.cycle
        cycle.more_body = False
        cycle.message_event.set()
        if self._answering is None:
            self._answer(cycle)
        elif len(self.pipeline) >= self.limits.waiting:
            raise self._refused(errors.INVALID_REQUEST)
        else:
            self.pipeline.appendleft((cycle, self.app))
            self.flow.hold()

    # Answers

    def _answer(self, cycle: RequestResponseCycle) -> None:
        self._answering = cycle
        # An application that hangs is not this class's business, a client that does not read is: see _on_timer.
        if self._direct is None or self.flow.write_paused or cycle.scope["method"] not in _WITH_BODIES:
            self._start_asgi_task(cycle, self.app)
        else:
            # Not at once: that would be in the middle of what the parser does.
            self.loop.call_soon(self._begin, cycle, self._direct)

    def _begin(self, cycle: RequestResponseCycle, direct: Callable[[Any, bytes], Answering | None]) -> None:
        """Answer directly what can be; a call that waits for something goes on in a task."""
        if cycle.disconnected:
            return
        try:
            answering = direct(cycle.scope, bytes(cycle.body))
            if answering is None:
                self._start_asgi_task(cycle, self.app)
                return
            waits_for = answering.send(None)
        except StopIteration as answered:
            self._write_answer(cycle, answered.value)
        except Exception:  # the application answers its own failures; this is one it could not
            log.exception("connection_failed")
            self.transport.close()
        else:
            task = self.loop.create_task(self._go_on(cycle, Begun(answering, waits_for)))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _go_on(self, cycle: RequestResponseCycle, begun: Begun) -> None:
        try:
            self._write_answer(cycle, await begun)
        except Exception:  # as above
            log.exception("connection_failed")
            self.transport.close()

    def _write_answer(self, cycle: RequestResponseCycle, response: Response) -> None:
        if cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        self.transport.write(answer_bytes(response, self.server_state.default_headers, keep_alive=cycle.keep_alive))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._answering = None
        if self.transport.is_closing():
            self._set_deadline(self.limits.linger_seconds)
            return
        if self.pipeline:
            cycle, _ = self.pipeline.pop()
            if not self.pipeline:
                self.flow.release()
            self._answer(cycle)
        elif self._refusal is not None:
            self._send_refusal(self._refusal)
        elif self._phase is _COMPLETE:
            self._phase = _WAITING
            self._set_deadline(self.limits.keep_alive_seconds)
        else:  # the next request has partly come; from here on it is the client's turn
            is_body = self._phase is _BODY
            self._set_deadline(self.limits.body_seconds if is_body else self.limits.head_seconds)
            self._continue_if_expected()

    def _last_unanswered(self) -> RequestResponseCycle | None:
        """The last complete request that waits for its answer."""
        return self.pipeline[0][0] if self.pipeline else self._answering

    # Refusals

    def _refused(self, error: ErrorDefinition) -> _Refused:
        self._refusal = error
        return _Refused()

    def _refuse(self, error: ErrorDefinition) -> None:
        """Read no more, and answer with this error when the requests before it have their answers."""
        self._phase = _CLOSED
        self._refusal = error
        if self._answering is None:
            self._send_refusal(error)
        else:
            self.flow.hold()

    def _send_refusal(self, error: ErrorDefinition) -> None:
        request_id = self.ids.request()
        log.info("connection_refused", code=error.code, request_id=request_id, source=self.client and self.client[0])
        told = refusals_of(self.app)
        if told is not None:
            told(error.code)
        self.transport.write(
            refusal(
                error,
                page=self.error_page,
                request_id=request_id,
                url=self.url if self.scope else b"",
                headers=self.scope["headers"] if self.scope else (),
                default_headers=self.server_state.default_headers,
            )
        )
        # A socket closed while the client still sends is reset, and the answer is lost with it. So only this side is
        # closed, and what still comes is thrown away for a moment.
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.flow.release()
        else:
            self.transport.close()
        self._set_deadline(self.limits.linger_seconds)

    # Time

    def _set_deadline(self, seconds: float) -> None:
        self._deadline = self.loop.time() + seconds
        if self._deadline < self._timer_at:
            self._timer.cancel()
            self._arm(self._deadline)

    def _arm(self, moment: float) -> None:
        self._timer_at = moment
        self._timer = self.loop.call_at(moment, self._on_timer)

    def _on_timer(self) -> None:
        now = self.loop.time()
        if now < self._deadline:  # set since the timer was; most requests never touch the timer itself
            self._arm(self._deadline)
            return
        self._deadline = now + self.limits.linger_seconds
        if self.transport.is_closing():  # for a while already, and still there: nobody reads
            self.transport.abort()
        elif self._answering is not None:
            # The time of an answer is not the client's. Taking it is.
            if self.flow.write_paused:
                self.transport.abort()
        elif self._phase is _CLOSED or (self._phase is _WAITING and not self._is_fresh):
            self.transport.close()
        else:
            self._refuse(errors.REQUEST_TIMEOUT)
        self._arm(self._deadline)


def _decoded_path(path: bytes) -> str:
    text = path.decode("latin-1")
    if "%" not in text and text.isascii():
        return text
    values, _ = parse_form("path=" + text.replace("+", "%2B").replace("&", "%26"))
    return values["path"]
