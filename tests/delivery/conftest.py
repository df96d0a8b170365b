"""Real servers on ports of their own: a mail server, a mail server that misbehaves by script, an SMS gateway."""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import aiosmtpd.smtp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from message_contacts.contacts.model import Channel
from message_contacts.delivery.outcome import OutgoingMessage
from message_contacts.transports.mail import Sender
from message_contacts.transports.smtp import SmtpTransport
from message_contacts.transports.smtp_server import SmtpServer
from tests.fakes.clock import FakeClock

#: Seconds after which a test gives up; nothing here takes that long.
PATIENCE = 30


class Offered:
    """What the mail servers here offer beyond the least there can be."""

    pipelining = False


@pytest.fixture(params=[False, True], ids=["one-by-one", "in-one-breath"])
def pipelining(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the mail servers take several commands in one breath: a test that uses this is run with both."""
    monkeypatch.setattr(Offered, "pipelining", request.param)
    return bool(request.param)


def greeting(*lines: str) -> str:
    """The answer to EHLO by which a server of that name and these extensions tells what it offers."""
    told = [*lines, "PIPELINING"] if Offered.pipelining else list(lines)
    return "\r\n".join(f"250{' ' if line is told[-1] else '-'}{line}" for line in told)


async def until(condition: Callable[[], bool]) -> None:
    """Let the sockets work until something is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "this did not happen"
        await asyncio.sleep(0)


def make_message(**fields: object) -> OutgoingMessage:
    return OutgoingMessage(
        **{
            "account_id": "1000000000000001",
            "channel": Channel.EMAIL,
            "recipient": "tom@example.com",
            "message_id": "j-0123456789ab",
            "subject": "Please confirm / 请确认",
            "text": "Hello Tom,\n\nhttps://contacts.example.com/verify/x\n.\n..dots\n",
            "html": "<p>您好</p>\n",
            **fields,
        }
    )


@dataclass
class Mailbox:
    """The handler of the mail server: keeps mails, refuses what a test wants refused."""

    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    #: Whether each mail came over TLS, and as whom.
    encrypted: list[bool] = field(default_factory=list)
    users: list[object] = field(default_factory=list)
    #: Answers by command, instead of 250.
    answers: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    greeted_as: str = ""

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802 - aiosmtpd's name
        self.greeted_as = session.host_name = hostname
        if Offered.pipelining:
            responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.raw.append(envelope.original_content)
        self.mails.append(message_from_bytes(envelope.original_content, policy=policy.default))
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.encrypted.append(session.ssl is not None)
        self.users.append(session.auth_data)
        return "250 OK"


class _ImplicitTls(aiosmtpd.smtp.SMTP):
    """Knows that a connection that began with TLS is encrypted."""

    def connection_made(self, transport):
        super().connection_made(transport)
        self.session.ssl = transport.get_extra_info("sslcontext")
        self._over_ssl = True


def _authenticate(server, session, envelope, mechanism, data):
    login, password = data.login.decode(), data.password.decode()
    if (login, password) == ("mailer@x", "p/w:"):
        return aiosmtpd.smtp.AuthResult(success=True, auth_data=login)
    return aiosmtpd.smtp.AuthResult(success=False, handled=False)


@asynccontextmanager
async def mail_server(
    *, port: int = 0, tls: ssl.SSLContext | None = None, implicit: bool = False, auth: bool = False
) -> AsyncIterator[tuple[Mailbox, int]]:
    """A real mail server in this loop."""
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    protocols: list[aiosmtpd.smtp.SMTP] = []

    def protocol() -> aiosmtpd.smtp.SMTP:
        mailbox.connections += 1
        kind = _ImplicitTls if implicit else aiosmtpd.smtp.SMTP
        made = kind(
            mailbox,
            loop=loop,
            hostname="mail.test",
            tls_context=None if implicit else tls,
            authenticator=_authenticate if auth else None,
            auth_require_tls=True,
        )
        protocols.append(made)
        return made

    server = await loop.create_server(protocol, "127.0.0.1", port, ssl=tls if implicit else None)
    try:
        yield mailbox, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        for made in protocols:
            if made.transport is not None:
                made.transport.abort()
            handling = made._handler_coroutine
            if handling is not None:
                handling.cancel()
                await asyncio.wait([handling])


async def _content(reader: asyncio.StreamReader) -> bytes:
    """All lines up to a dot of its own; nothing when the connection ends before."""
    lines = [await reader.readline()]
    while lines[-1] not in {b".\r\n", b""}:
        lines.append(await reader.readline())
    return b"".join(lines) if lines[-1] else b""


#: A script: what to answer to what was said (None: the connection just began); None hangs up, "" says nothing.
Script = Callable[[int, str | None], str | None]


@asynccontextmanager
async def scripted_server(script: Script) -> AsyncIterator[int]:
    """A mail server that answers by a script, given the number of the connection and the line said."""
    connections = 0
    open_ones: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        number = connections
        open_ones.add(writer)
        said: str | None = None
        in_data = False
        try:
            while (answer := script(number, said)) is not None:
                if answer:
                    writer.write(answer.encode() + b"\r\n")
                in_data = answer.startswith("354")
                line = await (_content(reader) if in_data else reader.readline())
                if not line:
                    break
                said = "." if in_data else line.decode().strip()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            open_ones.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in list(open_ones):
            writer.close()
        await until(lambda: not open_ones)
        await server.wait_closed()


def polite(line: str | None) -> str | None:
    """What a server says that takes every mail; the part of a script that does not matter."""
    if line is None:
        return "220 ready"
    if line == ".":
        return "250 taken"
    if line.startswith("EHLO"):
        return greeting("mail.test")
    return {"DATA": "354 go on", "QUIT": "221 bye"}.get(line, "250 OK")


@dataclass(frozen=True)
class Certificate:
    """A certificate for this machine that only who is told trusts."""

    file: Path
    key_file: Path
    server: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key_file)
    return Certificate(file, key_file, context)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def connect(clock: FakeClock) -> AsyncIterator[Callable[..., SmtpTransport]]:
    """Makes transports from URLs, and closes them."""
    made: list[SmtpTransport] = []

    def make(url: str, **seconds: float) -> SmtpTransport:
        sender = Sender.parse("Message Contacts <contacts@example.com>")
        transport = SmtpTransport(SmtpServer.parse(url), sender, clock, **seconds)
        made.append(transport)
        return transport

    yield make
    for transport in made:
        await transport.close()


@dataclass
class Gateway:
    """An SMS gateway that keeps what it gets."""

    url: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[], Awaitable[web.StreamResponse]] | None = None
    peers: set[object] = field(default_factory=set)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    gateway = Gateway()

    async def take(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        gateway.requests.append((headers, await request.read()))
        gateway.peers.add(request.transport.get_extra_info("peername"))
        return await gateway.answer() if gateway.answer else web.json_response({"id": "1"})

    application = web.Application()
    application.router.add_post("/sms", take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gateway.url = f"127.0.0.1:{runner.addresses[0][1]}/sms"
    yield gateway
    await runner.cleanup()


SECRET = base64.b64encode(b"0123456789abcdef/+0123456789abcd").decode()
