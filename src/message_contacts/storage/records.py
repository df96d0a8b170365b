"""From a record to the steps that insert, change or delete it: one pattern for all records.

A record is one row with a version; two kinds (contacts and detached copies) have parts in a second table, which their
own modules add. Nothing here knows an engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from message_contacts.storage.engine import DECIDE_AGAIN, Parameters, Step


class Versioned(Protocol):
    """A record that can be changed."""

    @property
    def version(self) -> int:
        """Raised by the store with every change."""
        ...


R = TypeVar("R", bound=Versioned)


def no_parts(_record: object) -> list[Step]:
    """Steps for the parts of a record that has none."""
    return []


def same_parts(_before: object, _after: object) -> list[Step]:
    """Steps for the changed parts of a record that has none."""
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Generic[R]):
    """How one kind of record is written.

    Parameters of `insert` and `update` are the values, the key and the version; those of `delete` and `rely_on` the key
    and the version. The version is the one that was read; the statement of `update` raises it.
    """

    insert: str
    update: str
    delete: str
    rely_on: str
    key: Callable[[R], Parameters]
    values: Callable[[R], Parameters]
    #: Steps after the insert.
    insert_parts: Callable[[R], list[Step]] = no_parts
    #: Steps after the update.
    update_parts: Callable[[R, R], list[Step]] = same_parts
    #: Steps before the delete.
    delete_parts: Callable[[R], list[Step]] = no_parts

    def inserted(self, row: R) -> list[Step]:
        """Steps of `changes.Insert`: constraints say what a refusal means."""
        return [Step(self.insert, (*self.values(row), *self.key(row), row.version)), *self.insert_parts(row)]

    def updated(self, before: R, after: R) -> list[Step]:
        """Steps of `changes.Update`."""
        key = self.key(before)
        if key != self.key(after):
            raise ValueError(f"an update changes the key of a record: {type(before).__name__}")
        return [
            Step(self.update, (*self.values(after), *key, before.version), DECIDE_AGAIN),
            *self.update_parts(before, after),
        ]

    def deleted(self, row: R) -> list[Step]:
        """Steps of `changes.Delete`."""
        return [*self.delete_parts(row), Step(self.delete, (*self.key(row), row.version), DECIDE_AGAIN)]

    def relied_on(self, row: R) -> list[Step]:
        """Steps of `changes.RelyOn`."""
        return [Step(self.rely_on, (*self.key(row), row.version), DECIDE_AGAIN, finds=True)]
