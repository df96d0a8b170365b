"""What the verification rules ask of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.verification.model import Block, Evidence, Verification


class VerificationStore(Protocol):
    """Verifications, their evidence and blocks. Changes go through `changes.Committer`."""

    async def verification(self, verification_id: str) -> Verification | None:
        """By its public id, whichever tenant it belongs to: one of the few look-ups that name no tenant."""
        ...

    async def block(self, account_id: str, channel: Channel, address_key: str) -> Block | None:
        """The block on an address, or None."""
        ...

    async def blocks(self, account_id: str) -> Sequence[Block]:
        """All blocks of a tenant, oldest first."""
        ...

    async def confirmed_at(self, account_id: str, verification_id: str) -> Instant | None:
        """When this verification was confirmed, by its evidence; None when it was not."""
        ...

    async def evidence_page(
        self, account_id: str, *, contact_id: str | None, after: str | None, limit: int
    ) -> Sequence[Evidence]:
        """Evidence by verification id, that behind `after`; of one contact, if given."""
        ...

    async def count(self, account_id: str, counter: str, period: str) -> int:
        """How far a counter stands (`changes.CountUp`); 0 when it was never raised."""
        ...
