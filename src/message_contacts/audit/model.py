"""An audit event, its personal parts, and the chain that the events of an account are sealed into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from message_contacts.clock import Instant
from message_contacts.quick import quickly_made

#: Stands before the first event of every chain.
NO_HASH = bytes(32)


class EventKind(StrEnum):
    #: Something was changed.
    CHANGE = "change"
    #: A call was refused because the caller may not do it.
    REFUSAL = "refusal"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """Who changed what, or who was refused. Holds nothing personal but digests."""

    account_id: str
    #: Ascends with time.
    event_id: str
    happened_at: Instant
    #: `EventKind`, unless somebody was at the database.
    kind: str
    #: Operation, or what else made a change: `changes.Cause.operation`.
    operation: str
    access_key_id: str
    user_id: str
    source_address: str
    request_id: str
    #: JSON: ids of what it was about, a list.
    targets: str
    #: JSON, keys sorted: what changed, a list; `audit.trail` says of what.
    details: str
    #: JSON: by person, HMAC-SHA256 over the personal part with its salt, in hexadecimal digits.
    personal_digests: str
    #: How many refusals it stands for; 1 for a change.
    times: int = 1


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalPart:
    """What an event says about one person. Goes when the person is erased; the event stays."""

    account_id: str
    #: Contact or RAM user.
    person_id: str
    event_id: str
    #: Random, of this row alone: key of the digests here and in the event.
    salt: bytes
    #: JSON, keys sorted.
    details: str


class PartNamed(NamedTuple):
    """That there is a personal part, without what it says."""

    person_id: str
    event_id: str
    #: Whether its event is there and names it; not, if somebody was at the database.
    is_named: bool


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """An event's place in the chain of its account."""

    #: Counts from 1, without gaps.
    sequence: int
    #: SHA-256 over the hash before it and the event with its sequence: `audit.chain.sealed_text`. Empty: somebody took
    #: it away at the database.
    hash: bytes


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event as it is stored, with what is left of its personal parts."""

    event: AuditEvent
    #: None: not sealed yet.
    seal: Seal | None
    personal: tuple[PersonalPart, ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Where the chain of an account begins and ends."""

    account_id: str
    #: Of the last sealed event.
    sequence: int
    hash: bytes
    #: Of the last event that retention took away; 0 and `NO_HASH` when there is none.
    pruned_sequence: int = 0
    pruned_hash: bytes = NO_HASH


class Span(NamedTuple):
    """Some sealed events, and where their chain begins and ends at the same moment."""

    #: None: it has not begun.
    chain: Chain | None
    events: Sequence[KeptEvent]


class Extension(NamedTuple):
    """What one account's chain is about to be extended by."""

    #: The end of the chain before; None: it has not begun.
    last: Seal | None
    #: Events of that account, at least one, each with its place.
    sealed: Sequence[tuple[AuditEvent, Seal]]
