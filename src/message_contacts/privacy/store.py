"""What privacy asks of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from message_contacts.delivery.outbox import CapturedMessage
from message_contacts.privacy.model import Person
from message_contacts.verification.model import Block


class PersonStore(Protocol):
    """Everything about one contact. Changes go through `changes.Committer`."""

    async def person(self, account_id: str, contact_id: str) -> Person:
        """All that is held on a contact; `Person.is_known` says whether that is anything."""
        ...

    async def erased_blocks(self, account_id: str) -> Sequence[Block]:
        """Blocks of a tenant whose addresses were erased."""
        ...

    async def messages(self, person: Person, *, after: str | None, limit: int) -> Sequence[CapturedMessage]:
        """Captured messages to a person (see `Person.messages`) by message id, those behind `after`."""
        ...

    def scrub(self) -> None:
        """Have what was deleted leave the database's files too, as soon as nobody reads in them. Returns at once."""
        ...
