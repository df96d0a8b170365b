"""Tokens of pages, and what is no token."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.errors import ApiError
from message_contacts.operations.call import Rules
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import Operation, Parameter
from message_contacts.operations.token_paging import next_token, read_token

KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=300)
#: Every parameter that says where a page begins.
PAGING = [
    (entry, parameter)
    for _, entry in REGISTRY.all()
    for parameter in entry.parameters
    if parameter.name in {"Marker", "NextToken"}
]


def written(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


NO_TOKENS = [
    "@@",
    " ",
    "=",
    "A" * 5_000,
    "A",
    "\u00e9",
    "ZGFz@@aGJvYXJk",
    "ZGFzaGJvYXJk\n",
    "ZGFzaGJvYXJkcw==",
    "ZGFzaGJvYXJkcx",
    written(b"dash\x00board"),
    written(b"dash\nboard"),
    written("d\u00e4sh".encode()),
    written(b"a" * 513),
]


@given(KEYS)
def test_a_token_is_read_as_the_key_that_it_was_made_of(key: str) -> None:
    token = next_token([key, "one more"], 1, str)["NextToken"]

    assert read_token(token) == key


@given(st.text(max_size=40))
def test_a_text_that_no_key_makes_is_no_token(text: str) -> None:
    try:
        key = read_token(text)
    except ValueError:
        return
    assert next_token([key, ""], 1, str) == {"NextToken": text}


@pytest.mark.parametrize("text", NO_TOKENS, ids=range(len(NO_TOKENS)))
@pytest.mark.parametrize(("entry", "parameter"), PAGING, ids=lambda value: value.name)
def test_what_is_no_token_is_refused_by_every_list(entry: Operation, parameter: Parameter, text: str) -> None:
    """And does not begin the list anew."""
    with pytest.raises((ApiError, ValueError)) as refused:
        parameter.parse(text, Rules())
    if isinstance(refused.value, ApiError):
        assert refused.value.definition in parameter.invalid, entry.name
