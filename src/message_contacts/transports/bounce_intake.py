"""Where mail that could not be delivered comes back: a small SMTP or LMTP server that takes reports and nothing else.

A recipient that is no signed return path is refused at once, so it relays nothing and keeps nothing. What it takes is
recorded before it says so; when that fails, the sending server is told to come again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog

from message_contacts.delivery.bounces import Bounces, Taken
from message_contacts.delivery.return_path import ReturnPaths
from message_contacts.errors import ApiError

log = structlog.get_logger()

#: Bytes of a report: the mail that was sent back is often in it.
LARGEST_REPORT = 1024 * 1024
#: Connections at once; further ones are closed.
_MOST_CONNECTIONS = 50
#: Recipients of one mail.
_MOST_RECIPIENTS = 10
#: Seconds after which a client that says nothing is left.
_PATIENCE_SECONDS = 60.0
_LISTEN = re.compile(r"(smtp|lmtp)://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.\-]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where to listen."""

    is_lmtp: bool
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Listen:
        """Read `smtp://0.0.0.0:25` or `lmtp://127.0.0.1:24`. Raises: ValueError."""
        parts = _LISTEN.fullmatch(text)
        if parts is None or int(parts[3]) > 65535:
            raise ValueError(f"reports are taken at smtp://host:port or lmtp://host:port, not at {text!r}")
        return cls(is_lmtp=parts[1] == "lmtp", host=parts[2].strip("[]"), port=int(parts[3]))


class BounceIntake:
    """The server."""

    def __init__(self, bounces: Bounces, return_paths: ReturnPaths, listen: Listen, hostname: str) -> None:
        """Take what it needs; nothing is opened before `serving`.

        Args:
            hostname: What it calls itself.
        """
        self._handler = _Handler(bounces, return_paths, is_lmtp=listen.is_lmtp)
        self._listen = listen
        self._hostname = hostname
        #: Port that it listens on while it serves.
        self.port = listen.port

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Take reports until the block ends. Several processes may listen on one port.

        Raises:
            OSError: The address cannot be listened on.
        """
        from aiosmtpd.lmtp import LMTP  # noqa: PLC0415 - only who takes reports pays for it
        from aiosmtpd.smtp import SMTP  # noqa: PLC0415

        # It would log every recipient.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        kind = LMTP if self._listen.is_lmtp else SMTP
        loop = asyncio.get_running_loop()
        open_ones: set[Any] = set()

        def protocol() -> asyncio.BaseProtocol:
            if len(open_ones) >= _MOST_CONNECTIONS:
                return _Busy()
            made = _counted(kind, open_ones)(
                self._handler,
                hostname=self._hostname,
                ident="message-contacts",
                data_size_limit=LARGEST_REPORT,
                timeout=_PATIENCE_SECONDS,
                loop=loop,
            )
            assert isinstance(made, asyncio.BaseProtocol)  # noqa: S101 - aiosmtpd has no types
            return made

        server = await loop.create_server(protocol, self._listen.host, self._listen.port, reuse_port=True)
        self.port = server.sockets[0].getsockname()[1]
        log.info("bounce_intake_listens", port=self.port)
        try:
            yield
        finally:
            server.close()
            for connection in list(open_ones):
                await _end(connection)
            await server.wait_closed()


def _counted(kind: type[Any], open_ones: set[Any]) -> type[Any]:
    """The protocol, keeping the connections that are open."""

    class Counted(kind):  # type: ignore[misc]
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            open_ones.add(self)
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            open_ones.discard(self)
            super().connection_lost(error)

    return Counted


async def _end(connection: Any) -> None:
    """Leave a client in the middle of what it says; servers that send mail come again."""
    handling = connection._handler_coroutine  # noqa: SLF001 - aiosmtpd offers no other way
    if connection.transport is not None:
        connection.transport.abort()
    if handling is not None:
        handling.cancel()
        await asyncio.wait([handling])


class _Busy(asyncio.Protocol):
    """Says that there are too many, and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - for the type checker
        transport.write(b"421 Too many connections, come again later\r\n")
        transport.close()


class _Handler:
    """What the server answers. Method names are aiosmtpd's."""

    def __init__(self, bounces: Bounces, return_paths: ReturnPaths, *, is_lmtp: bool) -> None:
        self._bounces = bounces
        self._return_paths = return_paths
        self._is_lmtp = is_lmtp

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if not self._return_paths.takes(address):
            return "550 5.1.1 No such mailbox"
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        content = envelope.original_content or envelope.content
        try:
            taken = await self._bounces.take(content, envelope.rcpt_tos)
        except ApiError as refusal:
            log.warning("bounce_not_recorded", code=refusal.definition.code)
            return self._for_each(envelope, "451 4.3.0 Not recorded, come again later")
        except Exception:  # one report's bug must not stop the others, and the report must come again
            log.exception("bounce_failed")
            return self._for_each(envelope, "451 4.3.0 Not recorded, come again later")
        if taken is Taken.TOO_EARLY:
            return self._for_each(envelope, "451 4.3.0 The mail is still being recorded, come again later")
        # What is no report is taken and dropped: to refuse it would only send a bounce of a bounce.
        return self._for_each(envelope, "250 2.0.0 OK")

    def _for_each(self, envelope: Any, answer: str) -> str:
        """LMTP answers once for each recipient."""
        return "\r\n".join([answer] * len(envelope.rcpt_tos)) if self._is_lmtp else answer
