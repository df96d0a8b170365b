"""Identifiers in the order they are asked for."""

from __future__ import annotations

from itertools import count

from message_contacts.ids import RandomIds


class CountingIds(RandomIds):
    """Contacts, jobs, messages and incidents count up, so that tests can foresee their order; others stay random."""

    def __init__(self) -> None:
        self._contacts = count(1)
        self._jobs = count(1)
        self._messages = count(1)
        self._incidents = count(1)

    def contact(self) -> str:
        return f"c-{next(self._contacts):016}"

    def job(self, now: int) -> str:
        return f"j-{now:012x}{next(self._jobs):012}"

    def message(self, now: int) -> str:
        return f"m-{now:012x}{next(self._messages):012}"

    def incident(self, now: int) -> str:
        return f"i-{now:012x}{next(self._incidents):012}"
