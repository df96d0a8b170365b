"""What the webhook rules ask of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from message_contacts.webhooks.model import Webhook


class WebhookStore(Protocol):
    """Webhooks of one tenant at a time. Changes go through `changes.Committer`."""

    async def webhook(self, account_id: str, webhook_id: str) -> Webhook | None:
        """The webhook with its bindings, or None."""
        ...

    async def webhook_page(self, account_id: str, *, after: str | None, limit: int) -> Sequence[Webhook]:
        """Webhooks by id, those behind `after`."""
        ...

    async def webhooks_bound_to(self, account_id: str, node_id: str) -> Sequence[Webhook]:
        """All webhooks bound directly to an object, by id."""
        ...
