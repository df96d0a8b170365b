"""Links and return paths: whoever has not got one cannot make one."""

from __future__ import annotations

import re
from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery.links import Linked, Links, Purpose
from message_contacts.delivery.return_path import ReturnPaths

ALL = frozenset(MessageType)
LINKS = Links(b"k" * 32, "https://contacts.example.com/base/", ALL)
PATHS = ReturnPaths(b"k" * 32, "Bounces.Example.com")
ACCOUNT = "1000000000000001"
DELIVERY = "d-019aa8a5598094250d04b0b8000001"
TOKEN = re.compile(r"[A-Za-z0-9_\-]+")

linked = st.builds(
    Linked,
    account_id=st.from_regex(r"[0-9]{16}", fullmatch=True),
    channel=st.sampled_from(Channel),
    address_key=st.from_regex(r"[a-z0-9+_.\-]{1,64}@[a-z0-9.\-]{1,180}", fullmatch=True),
    contact_id=st.from_regex(r"(c-[0-9A-Za-z]{1,64})?", fullmatch=True),
    message_type=st.none() | st.sampled_from(MessageType),
)


@given(linked, st.sampled_from(Purpose))
def test_what_a_link_is_about_comes_out_again_for_its_purpose_only(about, purpose):
    token = LINKS.token(purpose, about)
    assert TOKEN.fullmatch(token)
    assert LINKS.read(purpose, token) == about
    (other,) = set(Purpose) - {purpose}
    assert LINKS.read(other, token) is None
    assert Links(b"x" * 32, "https://x", ALL).read(purpose, token) is None


@given(linked, st.data())
def test_a_link_that_was_changed_is_none(about, data):
    token = LINKS.token(Purpose.PREFERENCES, about)
    position = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("abcXYZ019-_").filter(lambda each: each != token[position]))
    assert LINKS.read(Purpose.PREFERENCES, token[:position] + letter + token[position + 1 :]) is None
    assert LINKS.read(Purpose.PREFERENCES, token[:position]) is None


@given(st.text(alphabet=printable, max_size=80) | st.text(max_size=40))
def test_other_texts_are_no_links(text):
    assert LINKS.read(Purpose.UNSUBSCRIBE, text) is None


def test_a_link_says_nothing_of_the_address_and_is_made_the_same_again():
    urls = {LINKS.preferences(ACCOUNT, Channel.EMAIL, "tom@example.com", "c-1") for _ in range(2)}
    (url,) = urls
    assert url.startswith("https://contacts.example.com/base/preferences/")
    assert "tom" not in url


def test_there_is_no_link_for_a_type_that_nobody_can_be_without():
    links = Links(b"k" * 32, "https://x", ALL - {MessageType.SECURITY_MESSAGE})
    assert links.unsubscribe(ACCOUNT, Channel.EMAIL, "a@b.example", MessageType.SECURITY_MESSAGE) is None
    assert links.unsubscribe(ACCOUNT, Channel.EMAIL, "a@b.example", MessageType.FAULT_MESSAGE) is not None


@given(st.from_regex(r"[0-9]{16}", fullmatch=True), st.from_regex(r"d-[0-9a-f]{30}", fullmatch=True))
def test_a_return_path_says_which_delivery_it_was_whatever_its_case(account_id, delivery_id):
    path = PATHS.address(account_id, delivery_id)
    local_part, _, domain = path.rpartition("@")
    assert len(local_part) <= 64
    assert domain == "bounces.example.com"
    for shown in (path, path.upper(), f"<{path}>"):
        assert PATHS.read(shown) == (account_id, delivery_id)
        assert PATHS.takes(shown)
    assert ReturnPaths(b"x" * 32, "bounces.example.com").read(path) is None
    assert ReturnPaths(b"k" * 32, "other.example.com").read(path) is None


@given(st.data())
def test_a_return_path_that_was_changed_is_none(data):
    path = PATHS.address(ACCOUNT, DELIVERY)
    position = data.draw(st.integers(7, 7 + 50))
    letter = data.draw(st.sampled_from("abcxyz234567").filter(lambda each: each != path[position]))
    assert PATHS.read(path[:position] + letter + path[position + 1 :]) is None


@pytest.mark.parametrize(
    "address", ["", "@", "bounce+@bounces.example.com", "tom@bounces.example.com", "bounce+" + "a" * 52]
)
def test_other_addresses_are_not_taken(address):
    assert PATHS.read(address) is None
    assert not PATHS.takes(address)


@pytest.mark.parametrize("delivery_id", ["", "m-019aa8a5598094250d04b0b8", "d-019aa8a5598094250d04b0b800000G"])
def test_only_a_delivery_has_a_return_path(delivery_id):
    with pytest.raises(ValueError, match="not the id of a delivery"):
        PATHS.address(ACCOUNT, delivery_id)
