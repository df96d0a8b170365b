"""Mail over SMTP: a few connections, kept and used again; some of them for verifications and codes only."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiosmtplib

from message_contacts.clock import Clock
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Verdict
from message_contacts.transports.mail import MailComposer, Sender, is_mail_address
from message_contacts.transports.smtp_answers import Step, outcome_of_answer
from message_contacts.transports.smtp_server import Encryption, SmtpServer

#: Connections to the mail server at once that carry deliveries of messages: one for each that a worker is at.
CONNECTIONS = 12
#: Further ones for everything else: somebody waits for it, and must not wait behind a message to many.
PROMPT_CONNECTIONS = 4
#: Seconds after which an unused connection is not trusted any more: many servers hang up after a minute.
IDLE_SECONDS = 30.0
#: How many times as long to wait for the answer to a mail's content as for others: servers that look through it take
#: their time, and each answer that is not waited for costs a copy.
_CONTENT_STEPS = 3
#: Mails after which a connection is changed, so that a pool behind one name is used evenly.
MAILS_PER_CONNECTION = 500


class SmtpTransport:
    """Hands mails to one mail server."""

    captures = False

    def __init__(
        self,
        server: SmtpServer,
        sender: Sender,
        clock: Clock,
        *,
        step_seconds: float = 30.0,
        send_seconds: float = 90.0,
    ) -> None:
        """Take the server; nothing is opened before the first mail.

        Args:
            step_seconds: How long to wait for the connection and for each answer; three times that for the last one.
            send_seconds: How long one mail may take altogether.
        Raises:
            ValueError: The file with certificates cannot be read.
        """
        self._server = server
        self._composer = MailComposer(sender)
        self._clock = clock
        self._step_seconds = step_seconds
        self._send_seconds = send_seconds
        self._tls = server.tls_context()
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._prompt_places = asyncio.Semaphore(PROMPT_CONNECTIONS)
        self._idle: list[_Connection] = []

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Hand one mail over; see `Transport.send`. What an answer means is in `smtp_answers`."""
        if not is_mail_address(message.recipient):
            return Outcome(Verdict.NEVER, "address-not-mailable")
        content = self._composer.compose(message, now=self._clock.now())
        places = self._prompt_places if message.delivery_id is None else self._places
        try:
            async with places, asyncio.timeout(self._send_seconds) as limit:
                sender = message.return_path or self._composer.sender.address
                mail = _Mail(sender, message.recipient, content, _Patience(limit, self._step_seconds))
                return await self._hand_over(mail)
        except TimeoutError:
            return Outcome(Verdict.TRY_AGAIN, "timed-out")

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        idle, self._idle = self._idle, []
        for connection in idle:
            with contextlib.suppress(aiosmtplib.SMTPException, TimeoutError):
                await connection.client.quit(timeout=2.0)
            connection.client.close()

    async def _hand_over(self, mail: _Mail) -> Outcome:
        async with self._connection() as connection:
            reused = connection.mails > 0
            outcome = await self._converse(connection, mail)
        if reused and connection.step is Step.SENDER and outcome.reason in _HUNG_UP:
            # The server had closed the kept connection; nothing of this mail was said on it.
            async with self._connection(fresh=True) as connection:
                outcome = await self._converse(connection, mail)
        return outcome

    async def _converse(self, connection: _Connection, mail: _Mail) -> Outcome:
        """One mail on one connection, connecting first if needed; leaves `connection.mails` telling if it is usable."""
        client, patience = connection.client, mail.patience
        try:
            if not client.is_connected:
                patience.with_all()  # the client bounds each of these steps itself
                await self._connect(connection)
            connection.step = Step.SENDER
            patience.with_answer()
            await _say(client, b"MAIL", b"FROM:", mail.sender)
            connection.step = Step.RECIPIENT
            patience.with_answer()
            await _say(client, b"RCPT", b"TO:", mail.recipient)
            connection.step = Step.CONTENT
            patience.with_answer(_CONTENT_STEPS)
            await _say_content(client, mail.content)
        except aiosmtplib.SMTPResponseException as refusal:
            patience.with_all()
            connection.clean = refusal.code not in _LAST_WORDS and await self._forget_mail(connection)
            return outcome_of_answer(connection.step, refusal.code, refusal.message)
        except (aiosmtplib.SMTPException, OSError) as failure:
            return Outcome(Verdict.TRY_AGAIN, _reason_of(failure, connection.step))
        connection.mails += 1
        connection.clean = True
        return Outcome(Verdict.ACCEPTED, "accepted")

    async def _connect(self, connection: _Connection) -> None:
        client, server = connection.client, self._server
        connection.step = Step.GREETING
        await client.connect(timeout=min(self._step_seconds, 10.0))
        await _greet(client)
        if server.encryption in {Encryption.REQUIRE, Encryption.OFFERED}:
            if client.supports_extension("starttls"):
                connection.step = Step.TLS
                await client.starttls()
                connection.step = Step.GREETING
                await _greet(client)
            elif server.encryption is Encryption.REQUIRE:
                raise _Unfit("starttls-missing")
        if server.username is not None:
            connection.step = Step.LOGIN
            if not client.supported_auth_methods:
                raise _Unfit("login-missing")
            await client.login(server.username, server.password or "")

    async def _forget_mail(self, connection: _Connection) -> bool:
        """Whether the connection can be used for another mail after a refusal."""
        if connection.step not in {Step.SENDER, Step.RECIPIENT, Step.CONTENT} or not connection.client.is_connected:
            return False
        try:
            await connection.client.rset()
        except (aiosmtplib.SMTPException, OSError):
            return False
        connection.mails += 1
        return True

    @contextlib.asynccontextmanager
    async def _connection(self, *, fresh: bool = False) -> AsyncIterator[_Connection]:
        """A connection for one mail; kept afterwards when the conversation ended cleanly, closed otherwise."""
        connection = None if fresh else self._take_idle()
        if connection is None:
            connection = _Connection(
                aiosmtplib.SMTP(
                    hostname=self._server.host,
                    port=self._server.port,
                    # The own name of a container says nothing; the sender's domain is known and valid.
                    local_hostname=self._composer.sender.host,
                    timeout=self._step_seconds,
                    use_tls=self._server.encryption is Encryption.TLS,
                    start_tls=False,
                    tls_context=self._tls,
                )
            )
        connection.clean = False
        try:
            yield connection
        finally:
            if connection.clean and connection.client.is_connected and connection.mails < MAILS_PER_CONNECTION:
                connection.idle_since = self._clock.monotonic()
                self._idle.append(connection)
            else:
                connection.client.close()

    def _take_idle(self) -> _Connection | None:
        """The connection used last, if any is still good."""
        oldest = self._clock.monotonic() - IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.client.is_connected and connection.idle_since >= oldest:
                return connection
            connection.client.close()
        return None


@dataclass(slots=True)
class _Connection:
    client: aiosmtplib.SMTP
    #: Mails it carried, refused ones included.
    mails: int = 0
    step: Step = Step.GREETING
    #: Whether the last conversation ended so that another can begin.
    clean: bool = False
    idle_since: float = 0.0


class _Patience:
    """Bounds every wait of one mail by one timer, which is put forward: the client's own, one an answer, cost more."""

    def __init__(self, limit: asyncio.Timeout, step_seconds: float) -> None:
        self._limit = limit
        self._end = limit.when()
        self._step_seconds = step_seconds

    def with_answer(self, steps: int = 1) -> None:
        """Wait no longer than so many steps from now."""
        step_end = asyncio.get_running_loop().time() + self._step_seconds * steps
        self._limit.reschedule(step_end if self._end is None else min(step_end, self._end))

    def with_all(self) -> None:
        """Wait until the time of the whole mail is used up."""
        self._limit.reschedule(self._end)


@dataclass(frozen=True, slots=True)
class _Mail:
    sender: str
    recipient: str
    content: bytes
    patience: _Patience


class _Unfit(aiosmtplib.SMTPException):
    """The server lacks what the setting demands; the message is the reason."""


#: Answers by which a server takes a sender or a recipient.
_AGREED = frozenset({250, 251})
#: Answer by which a server asks for the content.
_GO_ON = 354
#: Codes after which nothing more is said on a connection: closing down, and an answer that was no answer.
_LAST_WORDS = frozenset({421, -1})
#: Reasons that mean a kept connection was closed by the server before the mail began.
_HUNG_UP = frozenset({"connection-lost", "server-busy"})


async def _say(client: aiosmtplib.SMTP, command: bytes, word: bytes, address: str) -> None:
    """Name sender or recipient.

    The client's own functions for this parse the address as a header, which costs a tenth of all that a mail costs.

    Raises:
        ValueError: What is no mail address, and could say something else to the server: a bug of the caller.
    """
    if not is_mail_address(address):
        raise ValueError("an envelope has mail addresses only")
    # Without a time: the caller's patience bounds it.
    answer = await client.execute_command(command, word + b"<" + address.encode("ascii") + b">", timeout=None)
    if answer.code not in _AGREED:
        raise aiosmtplib.SMTPResponseException(answer.code, answer.message)


async def _say_content(client: aiosmtplib.SMTP, content: bytes) -> None:
    """Hand over the mail itself.

    The client's own function for this looks through the content by two regular expressions, which costs more than
    putting the mail together.

    Raises:
        ValueError: A line does not end by CRLF, so that a server might see an end where there is none: a bug of ours.
    """
    lines = content.count(b"\r\n")
    if (
        not content.endswith(b"\r\n")
        or content.startswith(b".")
        or not (content.count(b"\r") == content.count(b"\n") == lines)
    ):
        raise ValueError("the lines of a mail end by CRLF, and its first one is a header field")
    answer = await client.execute_command(b"DATA", timeout=None)
    if answer.code != _GO_ON:
        raise aiosmtplib.SMTPResponseException(answer.code, answer.message)
    protocol = client.protocol
    if protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    protocol.write(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    answer = await protocol.read_response(timeout=None)
    if answer.code not in _AGREED:
        raise aiosmtplib.SMTPResponseException(answer.code, answer.message)


async def _greet(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as refusal:
        if refusal.code in _LAST_WORDS:
            raise
        await client.helo()


def _reason_of(failure: Exception, step: Step) -> str:
    """The word for a conversation that broke off."""
    cause: BaseException | None = failure
    while cause is not None:
        for kind, reason in _FAILURES:
            if isinstance(cause, kind):
                return reason
        cause = cause.__cause__
    if isinstance(failure, _Unfit):
        return str(failure.args[0])
    if isinstance(failure, aiosmtplib.SMTPServerDisconnected):
        return "tls-failed" if step is Step.TLS else "connection-lost"
    return "login-unavailable" if step is Step.LOGIN else "connection-failed"


#: Exceptions, the telling ones first.
_FAILURES: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "certificate-not-trusted"),
    (ssl.SSLError, "tls-failed"),
    (aiosmtplib.SMTPConnectTimeoutError, "connect-timed-out"),
    (TimeoutError, "timed-out"),
    (socket.gaierror, "host-unknown"),
    (ConnectionRefusedError, "connection-refused"),
)
