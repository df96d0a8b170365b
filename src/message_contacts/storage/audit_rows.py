"""Audit events, their personal parts and chains as rows, and back."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from message_contacts.audit.model import AuditEvent, Chain, KeptEvent, PersonalPart, Seal
from message_contacts.clock import Instant
from message_contacts.storage.engine import Parameters, Row


def event_row(event: AuditEvent) -> Parameters:
    """Parameters of `INSERT_EVENT`."""
    return (
        event.account_id,
        event.event_id,
        event.happened_at,
        str(event.kind),
        event.operation,
        event.access_key_id,
        event.user_id,
        event.source_address,
        event.request_id,
        event.targets,
        event.details,
        event.personal_digests,
        event.times,
    )


def personal_part_row(part: PersonalPart) -> Parameters:
    """Parameters of `INSERT_PERSONAL_PART`."""
    return part.account_id, part.person_id, part.event_id, part.salt, part.details


def people(event: AuditEvent) -> Sequence[str]:
    """The persons that an event has personal parts about, erased or not."""
    return named_in(event.personal_digests)


def named_in(personal_digests: str) -> Sequence[str]:
    """The persons whose digests these are: `AuditEvent.personal_digests`."""
    if personal_digests == "{}":
        return ()
    try:
        digests = orjson.loads(personal_digests)
    except orjson.JSONDecodeError:  # somebody was at the database: the chain will tell, and must be able to
        return ()
    return list(digests) if isinstance(digests, dict) else ()


def kept_from_row(row: Row) -> KeptEvent:
    """An event from its row, as it stands: what somebody did to it at the database is for who verifies it to tell."""
    account_id, event_id, happened_at = row[:3]
    kind, operation, access_key_id, user_id, source_address, request_id, targets, details, personal_digests = [
        value if type(value) is str else repr(value) for value in row[3:12]
    ]
    times, sequence, hash_ = row[12:]
    return KeptEvent(
        event=AuditEvent(
            account_id=text_of(account_id),
            event_id=text_of(event_id),
            happened_at=Instant(_number(happened_at)),
            kind=kind,
            operation=operation,
            access_key_id=access_key_id,
            user_id=user_id,
            source_address=source_address,
            request_id=request_id,
            targets=targets,
            details=details,
            personal_digests=personal_digests,
            times=_number(times),
        ),
        seal=None if sequence is None else Seal(sequence=_number(sequence), hash=_bytes(hash_)),
    )


def part_from_row(row: Row) -> PersonalPart:
    """A personal part from its row, as it stands."""
    account_id, person_id, event_id, salt, details = row
    return PersonalPart(
        account_id=account_id,
        person_id=person_id,
        event_id=event_id,
        salt=_bytes(salt),
        details=details if isinstance(details, str) else repr(details),
    )


# SQLite lets anybody who is at the database put a value of any type into a column.


def text_of(value: object) -> str:
    """Text; what else it is, as it is written."""
    return value if isinstance(value, str) else repr(value)


def _number(value: object) -> int:
    """A number; 0, which none of these ever is, for anything else."""
    return value if isinstance(value, int) else 0


def _bytes(value: object) -> bytes:
    """Bytes; none for anything else."""
    return value if isinstance(value, bytes) else b""


def end_from_row(sequence: object, hash_: object) -> Seal | None:
    """The end of a chain from its columns; None: there is none."""
    return None if sequence is None else Seal(sequence=_number(sequence), hash=_bytes(hash_))


def chain_from_row(row: Row) -> Chain:
    """A chain from its row."""
    account_id, sequence, hash_, pruned_sequence, pruned_hash = row
    return Chain(
        account_id=account_id,
        sequence=_number(sequence),
        hash=_bytes(hash_),
        pruned_sequence=_number(pruned_sequence),
        pruned_hash=_bytes(pruned_hash),
    )
