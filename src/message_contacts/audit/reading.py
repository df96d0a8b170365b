"""Looking for events: newest first, a bounded number of them for each answer."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from message_contacts.audit.model import AuditEvent, EventKind, KeptEvent
from message_contacts.audit.store import AuditStore
from message_contacts.clock import Instant

#: Behind every event id.
_BEHIND_ALL = "ae-g"
#: Events that one answer looks at, at most; and how many of them at a time.
LOOKED_AT = 2_000
_AT_A_TIME = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events are asked for. None: any."""

    kind: EventKind | None = None
    operation: str | None = None
    access_key_id: str | None = None
    user_id: str | None = None
    target: str | None = None
    #: Happened then or later.
    start: Instant | None = None
    #: Happened before then.
    end: Instant | None = None

    def includes(self, event: AuditEvent) -> bool:
        """Whether an event is asked for, times aside."""
        return (
            (self.kind is None or event.kind == self.kind)
            and (self.operation is None or event.operation == self.operation)
            and (self.access_key_id is None or event.access_key_id == self.access_key_id)
            and (self.user_id is None or event.user_id == self.user_id)
            and (self.target is None or orjson.dumps(self.target).decode() in event.targets)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """Some events, and how to go on."""

    events: tuple[KeptEvent, ...]
    #: Id of the last event that was looked at; None: there are no more.
    next: str | None


def first_id(moment: Instant) -> str:
    """The least id that an event of that moment can have."""
    return f"ae-{max(moment, 0):012x}"


async def find(store: AuditStore, account_id: str, wanted: Wanted, *, after: str | None, limit: int) -> Found:
    """Events of an account, newest first, with personal parts.

    Looks at `LOOKED_AT` events at most: then there may be fewer than `limit`, or none, and still more to come.

    Args:
        after: Where an earlier answer ended.
    """
    before = after or (_BEHIND_ALL if wanted.end is None else first_id(wanted.end))
    start = "" if wanted.start is None else first_id(wanted.start)
    found: list[KeptEvent] = []
    looked_at = 0
    while looked_at < LOOKED_AT:
        span = await store.events_before(account_id, before=before, start=start, limit=_AT_A_TIME)
        for kept in span:
            before = kept.event.event_id
            if wanted.includes(kept.event):
                found.append(kept)
                if len(found) == limit:
                    return Found(tuple(await store.with_personal_parts(found)), before)
        looked_at += len(span)
        if len(span) < _AT_A_TIME:
            return Found(tuple(await store.with_personal_parts(found)), None)
    return Found(tuple(await store.with_personal_parts(found)), before)
