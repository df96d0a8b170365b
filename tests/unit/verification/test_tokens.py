"""Links and codes that only this server can make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.ids import READABLE, RandomIds
from message_contacts.verification.tokens import Tokens, read_reference

TOKENS = Tokens(b"k" * 32)
VERIFICATION_ID = "3zzbpbhjfx"


@given(st.text(READABLE, min_size=10, max_size=10), st.integers(1, 999_999))
def test_token_reads_back_as_what_it_was_made_of(verification_id: str, generation: int) -> None:
    assert TOKENS.read(TOKENS.token(verification_id, generation)) == (verification_id, generation)


def test_retry_derives_the_same_link_and_code_and_a_resend_others() -> None:
    again = Tokens(b"k" * 32)
    assert again.token(VERIFICATION_ID, 1) == TOKENS.token(VERIFICATION_ID, 1)
    assert again.code(VERIFICATION_ID, 1) == TOKENS.code(VERIFICATION_ID, 1)
    assert TOKENS.token(VERIFICATION_ID, 2) != TOKENS.token(VERIFICATION_ID, 1)
    assert TOKENS.code(VERIFICATION_ID, 2) != TOKENS.code(VERIFICATION_ID, 1)


def test_another_servers_key_makes_other_links_and_codes() -> None:
    other = Tokens(b"x" * 32)
    assert TOKENS.read(other.token(VERIFICATION_ID, 1)) is None
    assert other.code(VERIFICATION_ID, 1) != TOKENS.code(VERIFICATION_ID, 1)


def test_changing_any_character_of_a_token_makes_it_void() -> None:
    token = TOKENS.token(VERIFICATION_ID, 7)
    for position, character in enumerate(token):
        changed = "0" if character != "0" else "1"
        assert TOKENS.read(token[:position] + changed + token[position + 1 :]) != (VERIFICATION_ID, 7)


@pytest.mark.parametrize("token", ["", "3zzbpbhjfx", "3zzbpbhjfx1-", "../../etc", "汤" * 33, "\udcff" * 33])
def test_read_takes_anything_a_stranger_sends(token: str) -> None:
    assert TOKENS.read(token) is None


def test_code_is_six_digits_compared_as_text() -> None:
    code = TOKENS.code(VERIFICATION_ID, 1)
    assert len(code) == 6
    assert code.isdigit()
    assert TOKENS.is_code(code, VERIFICATION_ID, 1)
    assert not TOKENS.is_code(code[:-1], VERIFICATION_ID, 1)
    assert not TOKENS.is_code("１２３４５６", VERIFICATION_ID, 1)


@pytest.mark.parametrize("typed", ["3zzbp-bhjfx", " 3ZZBP BHJFX ", "3zzbpbhjfx"])
def test_reference_is_read_as_people_type_it(typed: str) -> None:
    assert read_reference(typed) == VERIFICATION_ID


def test_reference_forgives_letters_that_look_like_digits() -> None:
    assert read_reference("Oil0123456") == "0110123456"


def test_verification_ids_hold_no_letters_that_look_like_others() -> None:
    assert set(RandomIds().verification()) <= set(READABLE)
    assert not set("ilou") & set(READABLE)


class Rotating:
    """Keys of which the next one is found when somebody looks for it."""

    def __init__(self, *keys: bytes) -> None:
        self.keys = keys
        self.found: tuple[bytes, ...] = ()

    def current(self) -> bytes:
        self.refresh()
        return self.keys[0]

    def accepted(self) -> tuple[bytes, ...]:
        return self.keys

    def refresh(self) -> bool:
        found, self.found = self.found, ()
        self.keys = found or self.keys
        return bool(found)


OLD, NEW = b"o" * 32, b"n" * 32


def test_links_and_codes_of_an_accepted_key_are_good_and_new_ones_are_made_with_the_current_key() -> None:
    tokens = Tokens(Rotating(NEW, OLD))
    assert tokens.read(Tokens(OLD).token(VERIFICATION_ID, 1)) == (VERIFICATION_ID, 1)
    assert tokens.is_code(Tokens(OLD).code(VERIFICATION_ID, 1), VERIFICATION_ID, 1)
    assert tokens.token(VERIFICATION_ID, 1) == Tokens(NEW).token(VERIFICATION_ID, 1)
    assert tokens.code(VERIFICATION_ID, 1) == Tokens(NEW).code(VERIFICATION_ID, 1)


def test_a_link_of_a_key_that_another_process_has_just_made_is_good() -> None:
    for try_it in (
        lambda tokens: tokens.read(Tokens(NEW).token(VERIFICATION_ID, 1)) is not None,
        lambda tokens: tokens.is_code(Tokens(NEW).code(VERIFICATION_ID, 1), VERIFICATION_ID, 1),
    ):
        keys = Rotating(OLD)
        assert not try_it(Tokens(keys))
        keys.found = (NEW, OLD)
        assert try_it(Tokens(keys))


def test_a_link_of_a_forgotten_key_is_void() -> None:
    assert Tokens(Rotating(NEW)).read(Tokens(OLD).token(VERIFICATION_ID, 1)) is None
