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
from message_contacts.verification.tokens import OneKey

ALL = frozenset(MessageType)
LINKS = Links(OneKey(b"k" * 32), "https://contacts.example.com/base/", ALL)
PATHS = ReturnPaths(OneKey(b"k" * 32), "Bounces.Example.com")
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
    assert Links(OneKey(b"x" * 32), "https://x", ALL).read(purpose, token) is None


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
    links = Links(OneKey(b"k" * 32), "https://x", ALL - {MessageType.SECURITY_MESSAGE})
    assert links.unsubscribe(ACCOUNT, Channel.EMAIL, "a@b.example", MessageType.SECURITY_MESSAGE) is None
    assert links.unsubscribe(ACCOUNT, Channel.EMAIL, "a@b.example", MessageType.FAULT_MESSAGE) is not None


class Rotating:
    """Keys of which the next ones are found when somebody looks for them, and how often somebody did."""

    def __init__(self, *keys: bytes) -> None:
        self.keys = keys
        self.found: tuple[bytes, ...] = ()
        self.asked = 0

    def current(self) -> bytes:
        self.refresh()
        return self.keys[0]

    def accepted(self) -> tuple[bytes, ...]:
        return self.keys

    def refresh(self) -> bool:
        self.asked += 1
        found, self.found = self.found, ()
        self.keys = found or self.keys
        return bool(found)


OLD, NEW = b"k" * 32, b"n" * 32
ABOUT = Linked(account_id=ACCOUNT, channel=Channel.EMAIL, address_key="tom@example.com", contact_id="c-1")


def test_links_of_every_key_that_is_kept_are_read_and_new_ones_are_made_with_the_current_key():
    keys = Rotating(OLD)
    links = Links(keys, "https://x", ALL)
    old = links.token(Purpose.PREFERENCES, ABOUT)
    assert old == LINKS.token(Purpose.PREFERENCES, ABOUT)
    keys.found = (NEW, OLD)
    new = links.token(Purpose.PREFERENCES, ABOUT)
    assert new == Links(OneKey(NEW), "https://x", ALL).token(Purpose.PREFERENCES, ABOUT) != old
    assert links.read(Purpose.PREFERENCES, old) == links.read(Purpose.PREFERENCES, new) == ABOUT
    running = Links(late := Rotating(OLD), "https://x", ALL)
    assert running.read(Purpose.PREFERENCES, new) is None
    late.found = (NEW, OLD)
    assert running.read(Purpose.PREFERENCES, new) == ABOUT
    late.found = (NEW,)
    assert running.read(Purpose.PREFERENCES, new[:-4] + "AAAA") is None
    assert running.read(Purpose.PREFERENCES, old) is None, "forgotten"


def test_return_paths_of_every_key_that_is_kept_are_read_and_new_ones_are_made_with_the_current_key():
    keys = Rotating(OLD)
    paths = ReturnPaths(keys, "bounces.example.com")
    old = paths.address(ACCOUNT, DELIVERY)
    assert old == PATHS.address(ACCOUNT, DELIVERY)
    keys.found = (NEW, OLD)
    new = paths.address(ACCOUNT, DELIVERY)
    assert new == ReturnPaths(OneKey(NEW), "bounces.example.com").address(ACCOUNT, DELIVERY) != old
    assert paths.named_in(f"{old} {new}") == (old, new)
    running = ReturnPaths(late := Rotating(OLD), "bounces.example.com")
    assert not running.takes(new)
    late.found = (NEW, OLD)
    assert running.takes(new)


def test_what_nobody_made_is_looked_up_once():
    keys = Rotating(NEW, OLD)
    token = Links(OneKey(b"x" * 32), "https://x", ALL).token(Purpose.PREFERENCES, ABOUT)
    path = ReturnPaths(OneKey(b"x" * 32), "bounces.example.com").address(ACCOUNT, DELIVERY)
    assert Links(keys, "https://x", ALL).read(Purpose.PREFERENCES, token) is None
    assert ReturnPaths(keys, "bounces.example.com").read(path) is None
    assert keys.asked == 2


@given(st.from_regex(r"[0-9]{16}", fullmatch=True), st.from_regex(r"d-[0-9a-f]{30}", fullmatch=True))
def test_a_return_path_says_which_delivery_it_was_whatever_its_case(account_id, delivery_id):
    path = PATHS.address(account_id, delivery_id)
    local_part, _, domain = path.rpartition("@")
    assert len(local_part) <= 64
    assert domain == "bounces.example.com"
    for shown in (path, path.upper(), f"<{path}>"):
        assert PATHS.read(shown) == (account_id, delivery_id)
        assert PATHS.takes(shown)
    assert ReturnPaths(OneKey(b"x" * 32), "bounces.example.com").read(path) is None
    assert ReturnPaths(OneKey(b"k" * 32), "other.example.com").read(path) is None


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
