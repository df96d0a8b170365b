"""Frozen dataclasses that cost no more to make than plain ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from message_contacts.quick import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    x: int
    y: int = 2
    names: list[str] = field(default_factory=list)


@quickly_made
@dataclass(frozen=True, slots=True)
class Pair:
    left: int
    right: int = 0


def test_defaults_positions_and_keywords_are_as_declared() -> None:
    assert (Point(x=1).y, Pair(1, 2).right, Pair(left=3).right) == (2, 2, 0)
    assert Point(x=1).names is not Point(x=1).names
    with pytest.raises(TypeError):
        Point(1)  # type: ignore[misc]


def test_values_compare_hash_and_replace_as_before() -> None:
    assert Pair(1, 2) == Pair(1, 2) != Pair(2, 1)
    assert hash(Pair(1, 2)) == hash(Pair(1, 2))
    assert replace(Pair(1, 2), right=5) == Pair(1, 5)
    assert repr(Pair(1, 2)) == "Pair(left=1, right=2)"


def test_class_with_work_after_making_is_refused() -> None:
    with pytest.raises(TypeError, match="has work to do"):

        @quickly_made
        @dataclass(frozen=True)
        class Working:
            def __post_init__(self) -> None:
                """Whatever."""
