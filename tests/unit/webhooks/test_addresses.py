"""URLs of webhooks, and the addresses they may lead to."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.errors import ApiError
from message_contacts.webhooks.addresses import Url, is_among, is_public

INSIDE = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def code(text, networks=()):
    try:
        Url.parse(text, networks)
    except ApiError as refusal:
        return refusal.definition.code
    return ""


@pytest.mark.parametrize(
    "text",
    [
        "https://oapi.dingtalk.com/robot/send?access_token=0123abcd",
        "https://open.feishu.cn/open-apis/bot/v2/hook/8a-b_c",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a-91f6",
        "https://hooks.slack.com/services/T0/B0/xyz",
        "HTTPS://Example.COM:8443/",
        "https://93.184.215.14/x",
        "https://[2606:2800:21f::1]:8443/x",
        "https://a.example/%E6%BB%A1?x=%2B&y",
        "https://under_score.example/x",
    ],
)
def test_urls_of_the_products_are_taken(text):
    assert code(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hooks.example.com/x",
        "http://hooks.example.com/x",
        "ftp://hooks.example.com/x",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://hooks.example.com",
        "https://hooks.example.com?x=1",
        "https://user@hooks.example.com/x",
        "https://user:password@hooks.example.com/x",
        "https://hooks.example.com@10.0.0.1/x",
        "https://hooks.example.com/x#fragment",
        "https://hooks.example.com:0/x",
        "https://hooks.example.com:99999/x",
        "https://hooks.example.com:a/x",
        "https://hooks example.com/x",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nHost: x",
        "https://hooks.example.com\\@10.0.0.1/x",
        "https://hooks..example.com/x",
        "https://-a.example/x",
        "https://满.example/x",
        "https://2130706433/x",
        "https://127.1/x",
        "https://0x7f.0.0.1/x",
        "https://0x7f000001/x",
        "https://0177.0.0.1/x",
        "https://[fe80::1%25eth0]/x",
        "https://[::1/x",
        "https://" + "a" * 250 + ".example/x",
        "https://hooks.example.com/" + "x" * 2048,
    ],
)
def test_other_urls_are_refused(text):
    assert code(text) == "InvalidParameter.Url"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[fd00::1]"]
)
def test_a_private_address_in_a_url_is_refused(host):
    assert code(f"https://{host}/x") == "InvalidParameter.Url.Address"


def test_private_networks_that_are_allowed_are_reached_also_without_tls():
    assert code("https://10.0.0.1/x", INSIDE) == ""
    assert code("http://10.0.0.1/x", INSIDE) == ""
    assert code("http://[::ffff:10.0.0.1]/x", INSIDE) == ""
    assert code("http://[fd00::1]/x", INSIDE) == ""
    assert code("http://chat.internal/x", INSIDE) == ""
    assert code("https://192.168.0.1/x", INSIDE) == "InvalidParameter.Url.Address"
    assert code("http://93.184.215.14/x", INSIDE) == "InvalidParameter.Url.Address"
    assert code("https://93.184.215.14/x", INSIDE) == ""


def test_what_is_shown_has_no_secret():
    url = Url.parse("https://oapi.dingtalk.com:443/robot/send?access_token=secret", ())
    assert url.masked() == "https://oapi.dingtalk.com:443/***"
    assert "secret" not in repr(url)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "93.184.215.14", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1",
     "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2001:200::1", "2400:3200::1", "64:ff9b::808:808",
     "::ffff:8.8.8.8"],
)  # fmt: skip
def test_addresses_of_the_internet_are_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255", "127.0.0.1", "169.254.169.254",
     "172.16.0.0", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.255.255", "198.19.255.255",
     "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "fe80::1",
     "fec0::1", "fd00:ec2::254", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "64:ff9b:1::1",
     "100::1", "5f00::1"],
)  # fmt: skip
def test_all_other_addresses_are_not(address):
    assert not is_public(ip_address(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_calls_private(address):
    if (
        address.is_private
        or address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
    ):
        translated = address.version == 6 and address in ip_network("64:ff9b::/96")
        mapped = address.version == 6 and address.ipv4_mapped is not None
        assert not is_public(address) or translated or mapped


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_all_its_forms(address):
    number = int(address)
    mapped = ip_address((0xFFFF << 32) | number)
    translated = ip_address((0x64FF9B << 96) | number)
    for form in (mapped, translated):
        assert form.version == 6
        assert is_public(form) == is_public(address)
        assert is_among(form, INSIDE) == is_among(address, INSIDE)
