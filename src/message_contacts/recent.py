"""A bounded memory of what was looked up lately."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by name, as many as its capacity at most; those not asked for lately give way first.

    Two dictionaries: when the newer one is half of the capacity, it becomes the older one, and what was in that and not
    asked for again is gone. A single one that loses its first entry again and again gets slow: Python walks over the
    places of entries that are gone.
    """

    __slots__ = ("_half", "_newer", "_older")

    def __init__(self, capacity: int) -> None:
        """Keep that many values, at least 2."""
        self._half = capacity // 2
        self._newer: dict[str, T] = {}
        self._older: dict[str, T] = {}

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._newer.keys() | self._older.keys())

    def __contains__(self, name: str) -> bool:
        """Whether a value is kept; does not count as asking for it."""
        return name in self._newer or name in self._older

    def get(self, name: str) -> T | None:
        """The value of that name, if it is still kept."""
        value = self._newer.get(name)
        if value is None:
            value = self._older.get(name)
            if value is not None:
                self.put(name, value)
        return value

    def put(self, name: str, value: T) -> None:
        """Keep a value, instead of the one there was."""
        if len(self._newer) >= self._half and name not in self._newer:
            self._older, self._newer = self._newer, {}
        self._newer[name] = value
