"""Places that callers chose: where posts may go, and what servers can do to whoever posts to them."""

from __future__ import annotations

import asyncio
import logging
import ssl
from ipaddress import ip_network

import aiohttp
import pytest
import structlog
from aiohttp import web

from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.transports.guarded_connections import AddressRefusedError, GuardedResolver
from message_contacts.transports.webhook import BODY_READ, CONNECTIONS_TO_ONE_HOST
from message_contacts.webhooks.addresses import is_public
from message_contacts.webhooks.model import WebhookForm
from tests.webhooks.conftest import Names, post_to

ACCEPTED = Outcome(Verdict.ACCEPTED, "accepted")
REFUSED = Outcome(Verdict.NEVER, "address-refused")

#: One of each range that is not of the public internet, in every way of writing it.
PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001::1",
    "2001:db8::1", "2002:7f00:1::1", "3fff::1", "64:ff9b:1::1", "100::1", "5f00::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:0",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_stands_for_a_private_address_is_refused(connect, address):
    transport = connect(private_networks=(), resolver=Names(hooks_test=[[address]]))
    assert await transport.send(post_to("https://hooks.test:1/x")) == REFUSED


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_private_address_in_the_url_is_refused(connect, address):
    host = f"[{address}]" if ":" in address else address
    names = Names()
    assert await connect(private_networks=(), resolver=names).send(post_to(f"https://{host}:1/x")) == REFUSED
    assert names.asked == []


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f000001", "0177.0.0.1", "017700000001"])
async def test_other_ways_of_writing_an_address_lead_nowhere(connect, host):
    """Such a URL cannot be given to a webhook; if it could, it would not get anywhere."""
    transport = connect(private_networks=(), resolver=aiohttp.ThreadedResolver())
    outcome = await transport.send(post_to(f"https://{host}:1/x"))
    assert outcome.verdict is Verdict.NEVER


async def test_localhost_is_refused_by_the_machines_own_names(connect, product):
    transport = connect(private_networks=(), resolver=None)
    assert await transport.send(post_to(product.url(host="localhost"))) == REFUSED
    assert product.seen == []


async def test_only_the_public_ones_of_several_addresses_are_tried(connect, product):
    """127.0.0.2 is public here, 127.0.0.1, where the server is, is not."""
    only = (ip_network("127.0.0.2/32"),)
    names = Names(hooks_test=[["127.0.0.1", "127.0.0.2", "::1"]])
    outcome = await connect(private_networks=only, resolver=names).send(post_to(product.url()))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "connection-refused")
    assert product.seen == []


async def test_only_what_may_be_reached_comes_out_of_a_look_up():
    names = Names(mixed_test=[["127.0.0.1", "1.1.1.1", "::1", "2606:4700::1111", "no address"]])
    guarded = GuardedResolver(names, is_public)
    assert [entry["host"] for entry in await guarded.resolve("mixed.test")] == ["1.1.1.1", "2606:4700::1111"]
    with pytest.raises(AddressRefusedError):
        await GuardedResolver(names, lambda _: False).resolve("mixed.test")


async def test_a_name_that_changes_between_two_looks_gains_nothing(connect, product):
    """The first answer is judged and is what is connected to; the second would be the inside."""
    names = Names(hooks_test=[["127.0.0.2"], ["127.0.0.1"]])
    transport = connect(private_networks=(ip_network("127.0.0.2/32"),), resolver=names)
    assert (await transport.send(post_to(product.url()))).reason == "connection-refused"
    assert names.asked == ["hooks.test"]
    transport = connect(private_networks=(ip_network("127.0.0.2/32"),), resolver=names)
    assert await transport.send(post_to(product.url())) == REFUSED
    assert product.seen == []


async def test_every_socket_is_judged_again(connect, product, monkeypatch):
    """Even if a look-up's judgement were got around."""
    from message_contacts.transports import guarded_connections  # noqa: PLC0415 - patched

    async def unguarded(self, host, port=0, family=0):
        return await self._resolver.resolve(host, port, family)

    monkeypatch.setattr(guarded_connections.GuardedResolver, "resolve", unguarded)
    assert await connect(private_networks=()).send(post_to(product.url())) == REFUSED
    assert product.seen == []


async def test_the_certificate_has_to_be_the_names(connect, product):
    names = Names(other_test=[["127.0.0.1"]])
    outcome = await connect(resolver=names).send(post_to(product.url(host="other.test")))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "certificate-not-trusted")
    assert product.seen == []


async def test_an_authority_that_nobody_knows_is_not_trusted(connect, product):
    outcome = await connect(tls=ssl.create_default_context()).send(post_to(product.url()))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "certificate-not-trusted")


async def test_without_tls_only_where_a_private_network_is_allowed(connect, plain_product):
    url = plain_product.url(scheme="http")
    assert await connect(private_networks=()).send(post_to(url)) == Outcome(Verdict.NEVER, "scheme-refused")
    assert await connect().send(post_to(url)) == ACCEPTED
    names = Names(hooks_test=[["93.184.215.14"]])
    assert await connect(resolver=names).send(post_to(url)) == REFUSED
    assert len(plain_product.seen) == 1


async def test_tls_that_is_none_is_no_answer(connect, plain_product):
    outcome = await connect().send(post_to(plain_product.url()))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "tls-failed")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(connect, product, plain_product, status):
    product.answers({}, status=status, headers={"Location": plain_product.url("/stolen", scheme="http")})
    assert await connect().send(post_to(product.url())) == Outcome(Verdict.NEVER, "redirect-refused")
    assert len(product.seen) == 1
    assert plain_product.seen == []


async def test_a_name_that_is_unknown_is_tried_again(connect):
    outcome = await connect(resolver=Names()).send(post_to("https://hooks.test/x"))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "host-unknown")


async def test_a_server_that_says_nothing_is_given_up(connect, product):
    async def silent(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    product.answer = silent
    assert await connect(send_seconds=0.3).send(post_to(product.url())) == Outcome(Verdict.TRY_AGAIN, "timed-out")


async def test_a_server_that_drips_is_given_up(connect, product):
    """A byte now and then does not keep a worker for ever."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    product.answer = drip
    outcome = await connect(send_seconds=0.3).send(post_to(product.url(), WebhookForm.DING_TALK))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "timed-out")


async def test_a_huge_body_is_not_read(connect, product):
    sent = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(4096):
            await response.write(b"x" * 65_536)
            sent += 65_536
        return response

    product.answer = flood
    transport = connect()
    assert (await transport.send(post_to(product.url(), WebhookForm.DING_TALK))).reason == "answer-not-understood"
    assert await transport.send(post_to(product.url())) == ACCEPTED
    assert sent < 64 * 1024 * 1024
    assert BODY_READ < 65_536


async def test_a_compressed_body_is_not_unpacked(connect, product):
    async def bomb(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"\x1f\x8b" + b"\0" * 100, headers={"Content-Encoding": "gzip"})

    product.answer = bomb
    outcome = await connect().send(post_to(product.url(), WebhookForm.DING_TALK))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "answer-not-understood")
    assert product.seen[0].headers["accept-encoding"] == "identity"


async def test_huge_headers_are_no_answer(connect, product):
    product.answers({}, headers={"X-Long": "x" * 100_000})
    assert await connect().send(post_to(product.url())) == Outcome(Verdict.TRY_AGAIN, "connection-lost")


async def test_a_server_that_is_no_http_server_is_no_answer(connect, authority):
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"SSH-2.0 secret-token\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0, ssl=authority.server)
    async with server:
        port = server.sockets[0].getsockname()[1]
        outcome = await connect().send(post_to(f"https://hooks.test:{port}/x"))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "connection-lost")


async def test_cookies_are_not_sent_back(connect, product):
    product.answers({}, headers={"Set-Cookie": "a=b"})
    transport = connect()
    await transport.send(post_to(product.url()))
    await transport.send(post_to(product.url()))
    assert "cookie" not in product.seen[1].headers


async def test_proxies_of_the_environment_are_not_used(connect, product, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert await connect().send(post_to(product.url())) == ACCEPTED


async def test_connections_are_used_again_and_few(connect, product):
    transport = connect()
    for _ in range(4):
        await transport.send(post_to(product.url()))
    assert len(product.peers) == 1
    await asyncio.gather(*(transport.send(post_to(product.url())) for _ in range(20)))
    assert len(product.peers) <= CONNECTIONS_TO_ONE_HOST


async def test_nothing_secret_is_in_logs_outcomes_or_reprs(connect, product, caplog):
    caplog.set_level(logging.DEBUG)
    names = Names(hooks_test=[["127.0.0.1"]], inside_test=[["10.0.0.1"]])
    transport = connect(resolver=names, send_seconds=0.3)
    message = post_to(product.url(), WebhookForm.DING_TALK, "SECRET-KEY")
    product.answers({"errcode": 310000, "errmsg": "secret-token said SECRET-KEY"})
    with structlog.testing.capture_logs() as lines:
        outcomes = [
            await transport.send(message),
            await transport.send(post_to(product.url(host="inside.test"))),
            await transport.send(post_to(product.url(host="unknown.test"))),
            await transport.send(post_to("https://127.1/hook?access_token=secret-token")),
        ]
    said = f"{lines}{outcomes}{message!r}{caplog.text}"
    assert "secret-token" not in said
    assert "SECRET-KEY" not in said


async def test_a_message_for_no_webhook_is_refused(connect):
    outcome = await connect().send(post_to("https://x/", webhook=None))
    assert outcome == Outcome(Verdict.NEVER, "webhook-not-found")
