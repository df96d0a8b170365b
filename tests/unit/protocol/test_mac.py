"""What is made by hand is what the library makes."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.protocol.mac import MacKey


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_it_agrees_with_the_library(key: bytes, text: bytes) -> None:
    assert MacKey.of(key).hexdigest(text) == hmac.digest(key, text, "sha256").hex()


@pytest.mark.parametrize("length", [0, 63, 64, 65, 128])
def test_keys_around_the_length_of_a_block(length: int) -> None:
    key = b"k" * length
    assert MacKey.of(key).hexdigest(b"text") == hmac.digest(key, b"text", "sha256").hex()
