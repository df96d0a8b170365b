"""Source address and TLS of a request: what a proxy says counts only if it is trusted."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from message_contacts.wire.proxies import Networks, Origin, origin, source_address

TRUSTED: Networks = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


def seen(client: str, *forwarded: str, proto: str | None = None, trusted: Networks = TRUSTED) -> Origin:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    if proto is not None:
        headers.append((b"x-forwarded-proto", proto.encode()))
    return origin((client, 1234), "http", headers, trusted)


@pytest.mark.parametrize("trusted", [(), TRUSTED])
def test_headers_of_a_stranger_are_ignored(trusted: Networks):
    assert seen("192.0.2.1", "198.51.100.1", proto="https", trusted=trusted) == Origin("192.0.2.1", is_secure=False)


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db9::1]:4711"], "2001:db9::1"),
        ("2001:db8::1", ["2001:db9::1"], "2001:db9::1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
    ],
)
def test_the_nearest_address_that_is_no_trusted_proxy_is_the_source(client: str, forwarded: list[str], expected: str):
    assert seen(client, *forwarded).address == expected


def test_a_trusted_proxy_says_whether_the_client_used_tls():
    assert seen("10.0.0.1", proto="https").is_secure
    assert seen("10.0.0.1", proto="http, HTTPS").is_secure
    assert not seen("10.0.0.1", proto="http").is_secure
    assert origin(("192.0.2.1", 1), "https", [], ()).is_secure


def test_a_connection_without_an_address_has_none():
    assert source_address({"client": None, "scheme": "http", "headers": []}, TRUSTED) == ""
