"""From the changes that somebody makes to the event that is committed with them.

Form of `AuditEvent.details`, a list: `action` (insert, update, delete, retry, erase), `type`, `id`, and `fields`: of an
update each changed one `before` and `after`, else each one that is not empty. `personal` names the fields whose values
stand in the personal part, which has the same form; `withheld` those that changed and are secret, or are personal in a
record that names nobody.
"""

from __future__ import annotations

import os
from typing import Any

import orjson

from message_contacts.audit.description import DESCRIPTIONS
from message_contacts.audit.keeping import Keeper, Salted, canonical
from message_contacts.audit.kind import Description
from message_contacts.audit.message_description import BOOKKEEPING
from message_contacts.audit.model import AuditEvent, EventKind, PersonalPart
from message_contacts.changes import Cause, Change, Delete, EraseTraces, Insert, RelyOn, Requeue, Update
from message_contacts.clock import Clock
from message_contacts.ids import Ids

SALT_BYTES = 16
_CHANGE = EventKind.CHANGE

Told = dict[str, Any]


class AuditTrail:
    """`changes.Trail`."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    def event(self, cause: Cause, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """The event that tells of these changes, and its personal parts; nothing when no record differs afterwards."""
        visited = bool(cause.visitor_address)
        teller = _Teller(visited=visited)
        for change in changes:
            if type(change) is Insert:
                teller.whole("insert", change.row)
            elif type(change) is Update:
                teller.difference(change.before, change.after)
            elif type(change) is Delete:
                teller.whole("delete", change.row)
            elif type(change) is Requeue:
                teller.whole("retry", change.job)
            elif type(change) is EraseTraces:
                teller.erasure(change)
            elif type(change) is RelyOn and visited:
                teller.meet(change.row)
        if not teller.told:
            return ()
        now = self._clock.now()
        event_id = self._ids.audit_event(now)
        parts: list[Change] = []
        digests = {}
        for person_id, (salted, told) in teller.people.items():
            if person_id == teller.erased:
                continue
            about: Told = {"changes": told}
            if visited:
                about["source_address"] = cause.visitor_address
            text = canonical(about).decode()
            digests[person_id] = salted.digest(text)
            parts.append(
                Insert(
                    PersonalPart(
                        account_id=teller.account_id,
                        person_id=person_id,
                        event_id=event_id,
                        salt=salted.salt,
                        details=text,
                    )
                )
            )
        event = AuditEvent(
            account_id=teller.account_id,
            event_id=event_id,
            happened_at=now,
            kind=_CHANGE,
            operation=cause.operation,
            access_key_id=cause.access_key_id,
            user_id=cause.user_id,
            source_address=cause.source_address,
            request_id=cause.request_id,
            targets=orjson.dumps(list(dict.fromkeys((*teller.targets, *cause.about)))).decode(),
            details=canonical(teller.told).decode(),
            personal_digests=canonical(digests).decode(),
        )
        return (Insert(event), *parts)


class _Teller:
    """Collects what is told of one change set."""

    __slots__ = ("account_id", "erased", "people", "targets", "told", "visited")

    def __init__(self, *, visited: bool) -> None:
        #: Whether a person at a page makes the changes: then whoever they are about is a person of the event.
        self.visited = visited
        #: Of the first record told of: a change set belongs to one account.
        self.account_id = ""
        #: Ids, in the order of the changes; a mapping because each is named once.
        self.targets: dict[str, None] = {}
        self.told: list[Told] = []
        #: The person that the changes erase: of them nothing is kept.
        self.erased: str | None = None
        #: Salt and what is told, by person.
        self.people: dict[str, tuple[Salted, list[Told]]] = {}

    def whole(self, action: str, record: Any) -> None:
        """A record that comes or goes: all that is not empty."""
        kind = type(record)
        if kind in BOOKKEEPING:
            return
        description = DESCRIPTIONS[kind]
        if description.is_bookkeeping is not None and description.is_bookkeeping(record):
            return
        fields = {name: value for name, value_of in description.shown if (value := value_of(record))}
        told = self._tell(action, description, record, fields)
        if description.person is not None:
            given = [
                (name, value, keep) for name, value_of, keep in description.personal if (value := value_of(record))
            ]
            person_id = description.person(record)
            if given and not person_id:
                told["withheld"] = [name for name, _, _ in given]
            elif given:
                salted, about = self._person(person_id)
                told["personal"] = [name for name, _, _ in given]
                about.append(
                    {
                        "action": action,
                        "fields": {name: keep(value, salted) for name, value, keep in given},
                        "id": told["id"],
                        "type": description.type,
                    }
                )

    def difference(self, before: Any, after: Any) -> None:
        """A record that changes: the fields that differ. A record that is only touched is not told of."""
        if before is after:
            if self.visited:
                self.meet(after)
            return
        kind = type(after)
        if kind in BOOKKEEPING:
            return
        description = DESCRIPTIONS[kind]
        fields: Told = {}
        for name, value_of in description.shown:
            old, new = value_of(before), value_of(after)
            if old != new:
                fields[name] = {"after": new, "before": old}
        changed = [
            (name, old, new, keep)
            for name, value_of, keep in description.personal
            if (old := value_of(before)) != (new := value_of(after))
        ]
        withheld = [name for name, value_of in description.withheld if value_of(before) != value_of(after)]
        person_id = "" if description.person is None else description.person(after)
        if changed and not person_id:
            withheld += [name for name, _, _, _ in changed]
            changed = []
        if not (fields or changed or withheld):
            return
        told = self._tell("update", description, after, fields)
        if withheld:
            told["withheld"] = withheld
        if changed:
            salted, about = self._person(person_id)
            told["personal"] = [name for name, _, _, _ in changed]
            about.append(
                {
                    "action": "update",
                    "fields": {
                        name: {"after": _kept(new, keep, salted), "before": _kept(old, keep, salted)}
                        for name, old, new, keep in changed
                    },
                    "id": told["id"],
                    "type": description.type,
                }
            )
        elif self.visited:
            self.meet(after)

    def erasure(self, change: EraseTraces) -> None:
        """A person of whom everything goes: how much that was."""
        self.erased = change.person_id
        if not self.told:
            self.account_id = change.account_id
        self.targets[change.person_id] = None
        counts = {kind: count for kind, count in change.counts.items() if count}
        self.told.append({"action": "erase", "fields": counts, "id": change.person_id, "type": "Person"})

    def meet(self, record: Any) -> None:
        """A record that stays as it is: the person at the page may be the one that it is about, and so is the event."""
        if type(record) in BOOKKEEPING:
            return
        description = DESCRIPTIONS[type(record)]
        if description.person is not None and (person_id := description.person(record)):
            self.targets[person_id] = None
            self._person(person_id)

    def _tell(self, action: str, description: Description, record: Any, fields: Told) -> Told:
        targets = description.targets(record)
        if not self.told:
            self.account_id = record.account_id
        for target in targets:
            if target:
                self.targets[target] = None
        told: Told = {"action": action, "fields": fields, "id": targets[0], "type": description.type}
        self.told.append(told)
        return told

    def _person(self, person_id: str) -> tuple[Salted, list[Told]]:
        """The salt and the story of a person."""
        known = self.people.get(person_id)
        if known is None:
            known = self.people[person_id] = (Salted.of(os.urandom(SALT_BYTES)), [])
        return known


def _kept(value: Any, keep: Keeper, salted: Salted) -> object:
    """What the personal part holds of a value; None when there is none."""
    return keep(value, salted) if value else None
