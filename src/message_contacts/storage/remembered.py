"""Values built from rows, kept while their rows stay the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from message_contacts.storage.engine import Row

T = TypeVar("T")

#: Values kept; the oldest one gives way.
_CAPACITY = 10_000


class Remembered(Generic[T]):
    """Spares building what nearly every call needs. The row is read each time, so that a change counts at once."""

    def __init__(self, build: Callable[[Row], T]) -> None:
        """Build values with this function, which has to give equal values for equal rows."""
        self._build = build
        self._known: dict[str, tuple[Row, T]] = {}

    def value(self, key: str, row: Row) -> T:
        """The value of a row; the very same object as before if the row of this key is as it was before."""
        known = self._known.get(key)
        if known is not None and known[0] == row:
            return known[1]
        value = self._build(row)
        if len(self._known) >= _CAPACITY and key not in self._known:
            del self._known[next(iter(self._known))]
        self._known[key] = (row, value)
        return value
