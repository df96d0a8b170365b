"""A real HTTPS server that stands for a product; an authority and names that only these tests know."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from message_contacts.contacts.model import Channel
from message_contacts.delivery.outcome import OutgoingMessage
from message_contacts.transports.webhook import WebhookTransport
from message_contacts.webhooks.addresses import Url
from message_contacts.webhooks.model import Endpoint, WebhookForm, WebhookPost
from tests.fakes.clock import FakeClock

#: The name under which the server is known, and for which its certificate is.
HOST = "hooks.test"
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass(frozen=True)
class Authority:
    """Certificates of the test's own making."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
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
            x509.SubjectAlternativeName([x509.DNSName(HOST), x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key_file)
    return Authority(server, ssl.create_default_context(cafile=str(certificate)))


@dataclass
class Seen:
    """A request that arrived."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Product:
    """What stands behind a webhook: keeps what it gets, answers as a test says."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    peers: set[object] = field(default_factory=set)

    def answers(self, body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer everything like this."""

        async def answer(_request: web.Request) -> web.StreamResponse:
            return web.json_response(body, status=status, headers=headers)

        self.answer = answer

    def url(self, path: str = "/hook?access_token=secret-token", *, host: str = HOST, scheme: str = "https") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


async def _serve(product: Product, context: ssl.SSLContext | None) -> web.AppRunner:
    async def take(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        product.seen.append(Seen(request.path, dict(request.query), headers, await request.read()))
        product.peers.add(request.transport.get_extra_info("peername"))
        return await product.answer(request) if product.answer else web.json_response({"errcode": 0, "code": 0})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    product.port = runner.addresses[0][1]
    return runner


@pytest.fixture
async def product(authority: Authority) -> AsyncIterator[Product]:
    product = Product()
    runner = await _serve(product, authority.server)
    yield product
    await runner.cleanup()


@pytest.fixture
async def plain_product() -> AsyncIterator[Product]:
    """The same without TLS."""
    product = Product()
    runner = await _serve(product, None)
    yield product
    await runner.cleanup()


class Names(AbstractResolver):
    """Knows the names of a test; each look-up gets the next answer, the last one for ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        given = self.answers.get(host)
        if given is None:
            raise OSError("no such name")
        found = given.pop(0) if len(given) > 1 else given[0]
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
            for address in found
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def connect(clock: FakeClock, authority: Authority) -> AsyncIterator[Callable[..., WebhookTransport]]:
    """Makes transports that may reach the server, and closes them."""
    made: list[WebhookTransport] = []

    def make(**parameters: object) -> WebhookTransport:
        transport = WebhookTransport(
            clock,
            **{
                "private_networks": LOOPBACK,
                "tls": authority.client,
                "resolver": Names(hooks_test=[["127.0.0.1"]]),
                **parameters,
            },
        )
        made.append(transport)
        return transport

    yield make
    for transport in made:
        await transport.close()
    # Connections that were cut off end their TLS in the next turns of the loop.
    await asyncio.sleep(0)


def post_to(
    url: str, form: WebhookForm = WebhookForm.GENERIC, secret: str | None = None, **fields: object
) -> OutgoingMessage:
    """A message for a webhook."""
    return OutgoingMessage(
        **{
            "account_id": "1000000000000001",
            "channel": Channel.WEBHOOK,
            "recipient": "wh-0000000000000001",
            "message_id": "j-0123456789ab",
            "subject": "Disk full / 磁盘已满",
            "text": 'The disk is <full> & hot.\n<at user_id="all">all</at>\n',
            "webhook": WebhookPost(
                form=form,
                endpoint=Endpoint(Url(url), secret),
                event="message.published",
                data={"messageId": "m-1"},
            ),
            **fields,
        }
    )
