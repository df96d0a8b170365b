"""Mail over SMTP: a few connections, kept and used again; some of them for verifications and codes only."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import cast

import aiosmtplib

from message_contacts.clock import Clock
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Verdict
from message_contacts.transports.mail import MailComposer, Sender, is_mail_address
from message_contacts.transports.smtp_answers import Step, outcome_of_answer
from message_contacts.transports.smtp_conversation import ConnectionLost, Conversation, Envelope, Refused
from message_contacts.transports.smtp_server import Encryption, SmtpServer

#: Connections to the mail server at once that carry deliveries of messages: one for each that a worker is at.
CONNECTIONS = 12
#: Further ones for everything else: somebody waits for it, and must not wait behind a message to many.
PROMPT_CONNECTIONS = 4
#: Seconds after which an unused connection is not trusted any more: many servers hang up after a minute.
IDLE_SECONDS = 30.0
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
        self._closed = False

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Hand one mail over; see `Transport.send`. What an answer means is in `smtp_answers`."""
        if not is_mail_address(message.recipient):
            return Outcome(Verdict.NEVER, "address-not-mailable")
        content = self._composer.compose(message, now=self._clock.now())
        places = self._prompt_places if message.delivery_id is None else self._places
        async with places:
            sender = message.return_path or self._composer.sender.address
            end = asyncio.get_running_loop().time() + self._send_seconds
            return await self._hand_over(Envelope(sender, message.recipient, content), end)

    async def close(self) -> None:
        """Say goodbye on all idle connections, together: a server that does not answer holds up the end only once."""
        self._closed = True
        idle, self._idle = self._idle, []
        await asyncio.gather(*(each.talk.say_goodbye(_GOODBYE_SECONDS) for each in idle if each.talk is not None))
        for connection in idle:
            connection.close()

    async def _hand_over(self, mail: Envelope, end: float) -> Outcome:
        kept = self._take_idle()
        connection = kept or self._fresh()
        outcome = await self._converse(connection, mail, end)
        if kept is not None and connection.step is Step.SENDER and outcome.reason in _HUNG_UP:
            # The server had closed the kept connection; nothing of this mail's content was said on it.
            outcome = await self._converse(self._fresh(), mail, end)
        return outcome

    async def _converse(self, connection: _Connection, mail: Envelope, end: float) -> Outcome:
        """One mail on one connection, connecting first if needed; it is kept if another mail can be said on it."""
        usable = False
        try:
            if connection.talk is None:
                async with asyncio.timeout_at(end):
                    await self._connect(connection)
            talk = connection.opened()
            try:
                await talk.hand_over(mail, end)
            except Refused as refusal:
                usable = refusal.usable and await talk.forget()
                talk.step = refusal.step
                return outcome_of_answer(refusal.step, refusal.answer.code, refusal.answer.text)
            usable = True
            return Outcome(Verdict.ACCEPTED, "accepted")
        except aiosmtplib.SMTPResponseException as refusal:
            return outcome_of_answer(connection.step, refusal.code, refusal.message)
        except (aiosmtplib.SMTPException, ConnectionLost, OSError) as failure:
            return Outcome(Verdict.TRY_AGAIN, _reason_of(failure, connection.step))
        finally:
            self._put_back(connection, usable=usable)

    async def _connect(self, connection: _Connection) -> None:
        client, server = connection.client, self._server
        await client.connect(timeout=min(self._step_seconds, 10.0))
        await _greet(client)
        if server.encryption in {Encryption.REQUIRE, Encryption.OFFERED}:
            if client.supports_extension("starttls"):
                connection.connecting = Step.TLS
                await client.starttls()
                connection.connecting = Step.GREETING
                await _greet(client)
            elif server.encryption is Encryption.REQUIRE:
                raise _Unfit("starttls-missing")
        if server.username is not None:
            connection.connecting = Step.LOGIN
            if not client.supported_auth_methods:
                raise _Unfit("login-missing")
            await client.login(server.username, server.password or "")
        if client.transport is not None:
            connection.talk = Conversation(
                cast("asyncio.Transport", client.transport),  # not an instance of it with uvloop, which has its own
                pipelining=client.supports_extension("pipelining"),
                step_seconds=self._step_seconds,
            )

    def _fresh(self) -> _Connection:
        """A connection that is opened when it is needed."""
        return _Connection(
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

    def _put_back(self, connection: _Connection, *, usable: bool) -> None:
        """After a mail: keep the connection for another one, or close it."""
        connection.mails += 1
        if usable and connection.stands and not self._closed and connection.mails < MAILS_PER_CONNECTION:
            connection.idle_since = self._clock.monotonic()
            self._idle.append(connection)
        else:
            connection.close()

    def _take_idle(self) -> _Connection | None:
        """The connection used last, if any is still good."""
        oldest = self._clock.monotonic() - IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.stands and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None


@dataclass(slots=True)
class _Connection:
    #: Connects, greets and logs in.
    client: aiosmtplib.SMTP
    #: How far it has come in that.
    connecting: Step = Step.GREETING
    #: Says the mails; None: not connected yet.
    talk: Conversation | None = None
    #: Mails it carried, refused ones included.
    mails: int = 0
    idle_since: float = 0.0

    @property
    def step(self) -> Step:
        return self.connecting if self.talk is None else self.talk.step

    @property
    def stands(self) -> bool:
        return self.talk is not None and self.talk.stands

    def opened(self) -> Conversation:
        if self.talk is None:  # it has gone the moment it was there
            raise ConnectionLost
        return self.talk

    def close(self) -> None:
        if self.talk is not None:
            self.talk.close()
        self.client.close()


class _Unfit(aiosmtplib.SMTPException):
    """The server lacks what the setting demands; the message is the reason."""


#: Seconds for the server's own goodbye.
_GOODBYE_SECONDS = 2.0
#: Reasons that mean a kept connection was closed by the server before the mail began.
_HUNG_UP = frozenset({"connection-lost", "server-busy"})


async def _greet(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as refusal:
        if refusal.code in {421, -1}:  # closing down, or no answer at all
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
    if isinstance(failure, aiosmtplib.SMTPServerDisconnected | ConnectionLost):
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
