"""Posts to webhooks: places that callers chose, so nothing about them is trusted.

TLS only (without it only to private networks that the operator allows), addresses judged when connecting, no redirects,
no cookies, no proxies, limits of time and size. Of an answer remain a status and a word.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from message_contacts.clock import Clock
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Verdict
from message_contacts.transports.guarded_connections import AddressRefusedError, GuardedResolver, guarded_sockets
from message_contacts.transports.http_answers import reason_of
from message_contacts.transports.webhook_answers import has_codes, outcome_of_answer
from message_contacts.transports.webhook_forms import Request, request_for
from message_contacts.webhooks.addresses import Address, Network, is_among, is_public

#: Requests at once, to all webhooks and to one host.
CONNECTIONS = 16
CONNECTIONS_TO_ONE_HOST = 4
#: Bytes of an answer's body that are read: products' codes stand in much less.
BODY_READ = 16_384
#: Bytes of an answer's line and of a header field that are taken.
_LINE_READ = 8_190
_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "message-contacts",
    "Accept-Encoding": "identity",
}

ADDRESS_REFUSED = Outcome(Verdict.NEVER, "address-refused")
SCHEME_REFUSED = Outcome(Verdict.NEVER, "scheme-refused")
NOT_ADDRESSED = Outcome(Verdict.NEVER, "webhook-not-found")


class WebhookTransport:
    """Hands messages to webhooks."""

    captures = False

    def __init__(
        self,
        clock: Clock,
        *,
        private_networks: Sequence[Network] = (),
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
        connect_seconds: float = 5.0,
        send_seconds: float = 10.0,
    ) -> None:
        """Put it together; nothing is opened before the first message.

        Args:
            private_networks: Networks that may be reached though they are not public, also without TLS.
            tls: Whom to trust; the machine's authorities by default.
            resolver: Looks names up; the machine's by default.
            connect_seconds: How long connecting may take.
            send_seconds: How long one message may take altogether.
        """
        self._clock = clock
        self._networks = tuple(private_networks)
        self._tls = tls
        self._resolver = resolver
        self._timeout = aiohttp.ClientTimeout(total=send_seconds, sock_connect=connect_seconds)
        #: One for TLS and one without it, whose connections are not held to the same addresses.
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Post one message; see `Transport.send`."""
        post = message.webhook
        if post is None:
            return NOT_ADDRESSED
        is_plain = post.endpoint.url.is_plain
        if is_plain and not self._networks:
            return SCHEME_REFUSED
        request = request_for(message, post, self._clock.now())
        try:
            status, retry_after, body = await self._answer(request, is_plain=is_plain, with_body=has_codes(post.form))
        except TimeoutError as failure:
            connecting = isinstance(failure, aiohttp.ConnectionTimeoutError)
            return Outcome(Verdict.TRY_AGAIN, "connect-timed-out" if connecting else "timed-out")
        except aiohttp.ClientConnectorError as failure:
            refused = isinstance(failure.os_error, AddressRefusedError)
            return ADDRESS_REFUSED if refused else Outcome(Verdict.TRY_AGAIN, reason_of(failure))
        except aiohttp.InvalidURL:  # its text has the URL, so it must not get any further
            return NOT_ADDRESSED
        except aiohttp.ClientError as failure:
            return Outcome(Verdict.TRY_AGAIN, reason_of(failure))
        return outcome_of_answer(post.form, status, retry_after, body, now=self._clock.now())

    async def close(self) -> None:
        """Close idle connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def _answer(self, request: Request, *, is_plain: bool, with_body: bool) -> tuple[int, str | None, bytes]:
        """Status, Retry-After and the beginning of the body of an answer."""
        async with self._session(is_plain=is_plain).post(
            URL(request.url, encoded=True),
            data=request.body,
            headers={**_HEADERS, **request.headers},
            allow_redirects=False,
            timeout=self._timeout,
        ) as response:
            body = await _beginning(response) if with_body else b""
            return response.status, response.headers.get("Retry-After"), body

    def _session(self, *, is_plain: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(is_plain)
        if session is None:
            session = self._sessions[is_plain] = self._open(is_plain=is_plain)
        return session

    def _open(self, *, is_plain: bool) -> aiohttp.ClientSession:
        def allows(address: Address) -> bool:
            return is_among(address, self._networks) or (not is_plain and is_public(address))

        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS,
            limit_per_host=CONNECTIONS_TO_ONE_HOST,
            ssl=self._tls or True,
            resolver=GuardedResolver(self._resolver or aiohttp.ThreadedResolver(), allows),
            socket_factory=guarded_sockets(allows),
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            max_line_size=_LINE_READ,
            max_field_size=_LINE_READ,
        )


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """The first bytes of a body, as many as are read of any."""
    body = bytearray()
    while len(body) < BODY_READ and (piece := await response.content.read(BODY_READ - len(body))):
        body += piece
    return bytes(body)
