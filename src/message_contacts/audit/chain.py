"""The chain: how an event is sealed into it, and how both are written out. What shows a change is `audit.verifying`.

Each hash covers the hash before it and the event, without its personal parts but with their digests. Whoever can write
to the database can also make a whole new chain; what shows that is a head, sequence and hash, noted somewhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import orjson

from message_contacts.audit.keeping import canonical
from message_contacts.audit.model import AuditEvent, Chain, KeptEvent


def sealed_text(event: AuditEvent, sequence: int | None, json: Callable[[str], object] = orjson.Fragment) -> bytes:
    """The event as its hash covers it: canonical JSON, `audit.keeping.canonical`.

    Args:
        sequence: None: not sealed yet.
        json: How the columns are taken in that hold JSON.
    """
    return canonical(
        {
            "access_key_id": event.access_key_id,
            "account_id": event.account_id,
            "details": json(event.details),
            "event_id": event.event_id,
            "happened_at": event.happened_at,
            "kind": event.kind,
            "operation": event.operation,
            "personal_digests": json(event.personal_digests),
            "request_id": event.request_id,
            "sequence": sequence,
            "source_address": event.source_address,
            "targets": json(event.targets),
            "times": event.times,
            "user_id": event.user_id,
        }
    )


def _readable(text: str) -> object:
    """JSON as it stands; what is none, as a text: the line can be read even if somebody was at the database."""
    try:
        canonical(orjson.loads(text))
    except (TypeError, ValueError):  # too deep to be written again, or no JSON
        return text
    return orjson.Fragment(text)


def chained(hash_before: bytes, text: bytes) -> bytes:
    """The hash of an event behind another one."""
    return hashlib.sha256(hash_before + text).digest()


def chain_line(chain: Chain, *, again: bool = False) -> bytes:
    """The first line of an export: where the chain begins and ends.

    Args:
        again: Whether it is the same chain once more, of which retention has meanwhile taken away what was to come
            next: it is written from its new beginning on.
    """
    return canonical(
        {
            "chain": {
                "account_id": _written(chain.account_id),
                "hash": chain.hash.hex(),
                "pruned_hash": chain.pruned_hash.hex(),
                "pruned_sequence": chain.pruned_sequence,
                "sequence": chain.sequence,
            }
            | ({"again": True} if again else {})
        }
    )


def event_line(kept: KeptEvent) -> bytes:
    """A line of an export: an event with its hash and what is left of its personal parts."""
    seal = kept.seal
    return canonical(
        {
            "event": orjson.Fragment(sealed_text(kept.event, None if seal is None else seal.sequence, _readable)),
            "hash": None if seal is None else seal.hash.hex(),
            "personal": [
                {"details": _readable(part.details), "person_id": part.person_id, "salt": part.salt.hex()}
                for part in kept.personal
            ],
        }
    )


def _written(account_id: object) -> str:
    """An account's id; what is no text, as the id in its events is written."""
    return account_id if isinstance(account_id, str) else repr(account_id)


def stray_line(person_id: str, event_id: str) -> bytes:
    """A line of an export: a personal part that its event does not name, without what it says."""
    return canonical({"stray": {"event_id": str(event_id), "person_id": str(person_id)}})


def stuck_line(where: str) -> bytes:
    """A line of an export: whoever wrote it could not go on behind a place, since nothing there has one in order."""
    return canonical({"stuck": where})
