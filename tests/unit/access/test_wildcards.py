"""Patterns: what they match, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.access.wildcards import Patterns

FEW = st.text("ab*?", max_size=12)


class CountedText(str):
    """A text that counts how often one of its characters is looked at, and where pieces of it are looked for."""

    __slots__ = ("looks", "searches")

    def __new__(cls, text: str) -> CountedText:
        made = super().__new__(cls, text)
        made.looks = 0
        made.searches = []
        return made

    def find(self, piece: str, *bounds: Any) -> int:
        self.searches.append(bounds[0])
        return super().find(piece, *bounds)

    def __iter__(self) -> Iterator[str]:
        for character in super().__iter__():
            self.looks += 1
            yield character


def described(pattern: str, text: str) -> bool:
    """The definition, word for word; exponential."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(described(pattern[1:], text[start:]) for start in range(len(text) + 1))
    fits = pattern[0] == text[:1] or (pattern[0] == "?" and text[:1] not in {"", "*"})
    return fits and described(pattern[1:], text[1:])


@given(FEW, st.text("abc*", max_size=8))
def test_a_pattern_matches_what_its_definition_says(pattern: str, text: str) -> None:
    assert Patterns([pattern]).match(text) is described(pattern, text)


@given(st.lists(FEW, max_size=4), st.text("abc*", max_size=6))
def test_several_match_what_one_of_them_matches(patterns: list[str], text: str) -> None:
    assert Patterns(patterns).match(text) is any(described(pattern, text) for pattern in patterns)


@given(st.text(max_size=20))
def test_every_text_without_wildcards_matches_itself_alone(text: str) -> None:
    plain = text.replace("*", "").replace("?", "")

    assert Patterns([plain]).match(plain)
    assert not Patterns([plain]).match(plain + "x")


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*", "", True),
        ("*", "acs:ram:*:1:user/x", True),
        ("", "", True),
        ("", "a", False),
        ("?", "", False),
        ("?", "é", True),
        ("?", "*", False),
        ("acs:*:folder/?", "acs:resourcemanager:*:1:folder/*", False),
        ("acs:*:folder/*", "acs:resourcemanager:*:1:folder/*", True),
        ("acs:?:folder/?", "acs:x:folder/y", True),
        ("ecs:Describe*", "ecs:DescribeInstances", True),
        ("ecs:Describe*", "ecs:Describe", True),
        ("ecs:Describe*", "ECS:DescribeInstances", False),
        ("acs:*:folder/fd-?", "acs:resourcemanager:*:1:folder/fd-1", True),
        ("acs:*:folder/fd-?", "acs:resourcemanager:*:1:folder/fd-12", False),
        ("a*b*c", "abcbc", True),
        ("a*b*c", "abcb", False),
        ("**a**", "bab", True),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("a\n*", "a\nb", True),
    ],
)
def test_examples(pattern: str, text: str, matches: bool) -> None:
    assert Patterns([pattern]).match(text) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        "*a" * 1_000 + "b",
        "a*" * 1_000 + "b",
        "*?" * 1_000 + "b",
        "?*a" * 700 + "b*b",
        "*" * 3_000 + "b?",
        "*" + "a" * 3_000 + "b*",
    ],
)
def test_a_hostile_pattern_never_goes_back(pattern: str) -> None:
    """It looks at each character once, or for each of its pieces once and behind the one before."""
    text = CountedText("a" * 2_000)

    assert not Patterns([pattern]).match(text)
    assert text.looks <= len(text)
    assert len(text.searches) <= len(pattern)
    assert text.searches == sorted(text.searches)
