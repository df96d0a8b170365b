"""Identifiers in the order they are asked for."""

from __future__ import annotations

from itertools import count

from message_contacts.ids import RandomIds


class CountingIds(RandomIds):
    """Contacts and jobs count up, so that tests can foresee their order; the other ids stay random."""

    def __init__(self) -> None:
        self._contacts = count(1)
        self._jobs = count(1)

    def contact(self) -> str:
        return f"c-{next(self._contacts):016}"

    def job(self, now: int) -> str:
        return f"j-{now:012x}{next(self._jobs):012}"
