"""Values built from rows, kept while their rows stay the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from message_contacts.recent import Recent
from message_contacts.storage.engine import Row

T = TypeVar("T")

#: Values kept.
_CAPACITY = 10_000


class Remembered(Generic[T]):
    """Spares building what nearly every call needs. The row is read each time, so that a change counts at once."""

    def __init__(self, build: Callable[[Row], T]) -> None:
        """Build values with this function, which has to give equal values for equal rows."""
        self._build = build
        self._known: Recent[tuple[Row, T]] = Recent(_CAPACITY)

    def value(self, key: str, row: Row) -> T:
        """The value of a row; the very same object as before if the row of this key is as it was before."""
        known = self._known.get(key)
        if known is not None and known[0] == row:
            return known[1]
        value = self._build(row)
        self._known.put(key, (row, value))
        return value
