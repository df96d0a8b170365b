"""What the audit trail has to know of a kind of record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from message_contacts.audit.keeping import Keeper

#: Gets a field's value from a record; None, "", () and False are "nothing" and are left out where nothing changed.
Getter = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is told of one kind of record."""

    #: As the trail names it, e.g. `Contact`.
    type: str
    #: Ids of what a change of it is about, its own first; empty ones are left out.
    targets: Callable[[Any], tuple[str, ...]]
    #: Contact or RAM user that its personal fields are about; None: nobody. An empty id: nobody is named by this
    #: record, so that its personal fields are withheld.
    person: Callable[[Any], str] | None = None
    #: Whether a record that comes or goes is not told of; None: all are.
    is_bookkeeping: Callable[[Any], bool] | None = None
    #: Name and value, in the order of the names.
    shown: tuple[tuple[str, Getter], ...] = ()
    #: Name, value and what is kept of it, in the order of the names.
    personal: tuple[tuple[str, Getter, Keeper], ...] = ()
    #: Name and value of what is never told.
    withheld: tuple[tuple[str, Getter], ...] = ()
