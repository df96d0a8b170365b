"""A trail and its events, for tests."""

from __future__ import annotations

from typing import Any

import orjson

from message_contacts.audit.model import AuditEvent, EventKind, PersonalPart
from message_contacts.audit.trail import AuditTrail
from message_contacts.changes import Cause, Change
from message_contacts.clock import Instant
from message_contacts.ids import RandomIds
from tests.factories import ACCOUNT
from tests.fakes.clock import START, FakeClock

CAUSE = Cause(operation="UpdateMessageContact", access_key_id="MCkey", source_address="203.0.113.9", request_id="R")


def written(*changes: Change, cause: Cause = CAUSE) -> tuple[AuditEvent, list[PersonalPart]]:
    """The event that goes with these changes, and its personal parts."""
    event, *parts = [change.row for change in AuditTrail(FakeClock(), RandomIds()).event(cause, changes)]  # type: ignore[union-attr]
    assert isinstance(event, AuditEvent)
    assert all(isinstance(part, PersonalPart) for part in parts)
    return event, parts  # type: ignore[return-value]


def details(event: AuditEvent) -> list[dict[str, Any]]:
    """What it tells."""
    told: list[dict[str, Any]] = orjson.loads(event.details)
    return told


def about(part: PersonalPart) -> dict[str, Any]:
    """What it tells of the person."""
    told: dict[str, Any] = orjson.loads(part.details)
    return told


def make_event(number: int = 1, **fields: Any) -> AuditEvent:
    """An event; ids and moments ascend with the number."""
    return AuditEvent(
        **{
            "account_id": ACCOUNT,
            "event_id": f"ae-{START + number:012x}{number:012x}",
            "happened_at": Instant(START + number),
            "kind": EventKind.CHANGE,
            "operation": "CreateFolder",
            "access_key_id": "MCkey",
            "user_id": "",
            "source_address": "203.0.113.9",
            "request_id": f"R{number}",
            "targets": '["fd-0000000001"]',
            "details": '[{"action":"delete","fields":{},"id":"fd-0000000001","type":"Folder"}]',
            "personal_digests": "{}",
            **fields,
        }
    )
