"""An audit store that keeps events that go with no change."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.audit.model import AuditEvent


class FakeAuditStore:
    """The part of `audit.store.AuditStore` that writes refusals; out of order when told."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.failure: BaseException | None = None

    async def add(self, events: Sequence[AuditEvent]) -> None:
        if self.failure is not None:
            raise self.failure
        self.events += events
