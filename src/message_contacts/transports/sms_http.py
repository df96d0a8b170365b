"""Text messages through an HTTP gateway of the operator's choice.

Each message is one request, `POST` with the JSON body `{"to": "+8613900001234", "text": "..."}`, signed by the Standard
Webhooks rule: `webhook-id` is the same for every retry of a message, so that a gateway can send it once; the signature
is HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`. The secret stands in the URL's password, percent-encoded:
`https://:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw@gateway.example.com/sms`. Without one nothing is signed, and the log
says so.

Source: Standard Webhooks 1.0, sections "Signature scheme" and "Webhook headers".
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit, urlunsplit

import aiohttp
import orjson
import structlog

from message_contacts.clock import Clock, Instant
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Verdict
from message_contacts.protocol.standard_webhooks import secret_bytes, signature
from message_contacts.transports.http_answers import reason_of, seconds_to_wait

log = structlog.get_logger()

#: Requests to the gateway at once: one for each that a worker is at, so that none waits for a slow one of another.
CONNECTIONS = 24
#: Bytes of an answer's body that are read, only so that its connection can be used again.
_BODY_READ = 65_536
_NUMBER = re.compile(r"([0-9]{1,4})-([0-9]{4,20})")

AGAIN = Verdict.TRY_AGAIN
NEVER = Verdict.NEVER

#: Status -> outcome. Sorted; what is not listed is told by `OTHERWISE`. A gateway that does not know us or is not where
#: the setting says is the operator's to mend: that costs delay, not messages.
STATUSES: dict[int, Outcome] = {
    400: Outcome(NEVER, "message-refused"),
    401: Outcome(AGAIN, "login-refused"),
    403: Outcome(AGAIN, "login-refused"),
    404: Outcome(AGAIN, "gateway-not-found"),
    405: Outcome(AGAIN, "gateway-not-found"),
    408: Outcome(AGAIN, "timed-out"),
    409: Outcome(AGAIN, "gateway-busy"),
    410: Outcome(AGAIN, "gateway-not-found"),
    413: Outcome(NEVER, "message-too-large"),
    422: Outcome(NEVER, "message-refused"),
    425: Outcome(AGAIN, "gateway-busy"),
    429: Outcome(AGAIN, "throttled"),
    503: Outcome(AGAIN, "gateway-busy"),
    504: Outcome(AGAIN, "gateway-busy"),
}

#: First digit -> outcome of statuses that are not listed. Redirects are not followed: they would take a signed message,
#: and the number in it, to a place that nobody chose.
OTHERWISE: dict[int, Outcome] = {
    2: Outcome(Verdict.ACCEPTED, "accepted"),
    3: Outcome(AGAIN, "redirect-refused"),
    4: Outcome(NEVER, "message-refused"),
    5: Outcome(AGAIN, "gateway-error"),
}
NOT_UNDERSTOOD = Outcome(AGAIN, "answer-not-understood")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsGateway:
    """Where text messages are handed over, read from the setting SMS_URL."""

    #: The URL without its secret.
    url: str
    #: Key of the signatures; None: not signed.
    secret: bytes | None = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an `http(s)://[:whsec_SECRET@]host[:port]/path` URL.

        Raises:
            ValueError: It is no such URL. The text never holds the secret.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment:
            raise ValueError("an SMS gateway is http(s)://[:whsec_SECRET@]host[:port]/path")
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("the port in the URL of an SMS gateway is not a number up to 65535") from None
        _, _, place = parts.netloc.rpartition("@")
        bare = urlunsplit((parts.scheme, place, parts.path or "/", parts.query, ""))
        if parts.username:
            raise ValueError("the URL of an SMS gateway has a secret, :whsec_SECRET@, and no user")
        return cls(url=bare, secret=None if parts.password is None else _secret(unquote(parts.password)))


class SmsHttpTransport:
    """Hands text messages to one gateway."""

    captures = False

    def __init__(
        self, gateway: SmsGateway, clock: Clock, *, connect_seconds: float = 10.0, send_seconds: float = 30.0
    ) -> None:
        """Take the gateway; nothing is opened before the first message.

        Args:
            connect_seconds: How long connecting may take.
            send_seconds: How long one message may take altogether.
        """
        self._gateway = gateway
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=send_seconds, connect=connect_seconds)
        self._session: aiohttp.ClientSession | None = None
        if gateway.secret is None:
            log.warning("sms_gateway_unsigned")

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Hand one text message over; see `Transport.send`."""
        number = _NUMBER.fullmatch(message.recipient)
        if number is None:
            return Outcome(NEVER, "number-not-callable")
        body = orjson.dumps({"to": f"+{number[1]}{number[2]}", "text": message.text})
        if self._session is None:
            self._session = self._open()
        try:
            async with self._session.post(
                self._gateway.url,
                data=body,
                headers=self._headers(message.message_id, body),
                allow_redirects=False,
                timeout=self._timeout,
            ) as response:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    await response.content.read(_BODY_READ)  # the status is the answer, however the body ends
                return outcome_of_status(response.status, response.headers.get("Retry-After"), now=self._clock.now())
        except TimeoutError as failure:
            connecting = isinstance(failure, aiohttp.ConnectionTimeoutError)
            return Outcome(AGAIN, "connect-timed-out" if connecting else "timed-out")
        except aiohttp.ClientError as failure:
            return Outcome(AGAIN, reason_of(failure))

    async def close(self) -> None:
        """Close idle connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    def _headers(self, message_id: str, body: bytes) -> dict[str, str]:
        timestamp = str(self._clock.now() // 1000)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "message-contacts",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
        }
        if self._gateway.secret is not None:
            headers["webhook-signature"] = signature(self._gateway.secret, message_id, timestamp, body)
        return headers


def outcome_of_status(status: int, retry_after: str | None, *, now: Instant) -> Outcome:
    """What a gateway's answer means.

    Args:
        retry_after: The header of that name: seconds or a date; anything else is as if absent.
    """
    outcome = STATUSES.get(status) or OTHERWISE.get(status // 100) or NOT_UNDERSTOOD
    if outcome.verdict is not Verdict.TRY_AGAIN or retry_after is None:
        return outcome
    return Outcome(outcome.verdict, outcome.reason, seconds_to_wait(retry_after, now))


def _secret(text: str) -> bytes:
    """The bytes of the secret in a URL. Raises: ValueError."""
    try:
        return secret_bytes(text)
    except ValueError:
        raise ValueError(
            "the secret of an SMS gateway is whsec_ and the base64 of 24 to 64 random bytes, percent-encoded in the URL"
        ) from None
