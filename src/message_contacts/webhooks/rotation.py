"""Webhooks after the server's key was replaced: their endpoints are sealed anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from message_contacts.webhooks.model import SealedEndpoint, Webhook
from message_contacts.webhooks.sealing import EndpointSeal
from message_contacts.webhooks.store import WebhookStore


class AllWebhooks(Protocol):
    """Webhooks of all tenants: for the operator's commands only."""

    async def webhooks_after(self, after: tuple[str, str], limit: int) -> Sequence[Webhook]:
        """Webhooks behind that account id and webhook id, in their order; ("", "") begins."""
        ...


@dataclass(frozen=True, slots=True)
class SealedWebhooks:
    """`access.rotation.SealedRows` of webhooks: the endpoint in force, and one that waits to be confirmed."""

    store: AllWebhooks
    webhooks: WebhookStore
    seal: EndpointSeal
    noun: str = "webhook"

    async def after(self, after: tuple[str, str], limit: int) -> Sequence[Webhook]:
        return await self.store.webhooks_after(after, limit)

    async def again(self, row: Webhook) -> Webhook | None:
        return await self.webhooks.webhook(row.account_id, row.webhook_id)

    def place(self, row: Webhook) -> tuple[str, str]:
        return row.account_id, row.webhook_id

    def opened_by(self, row: Webhook) -> Sequence[bytes]:
        kept = (row.endpoint, row.waiting)
        return [self.seal.opened_by(each, row.webhook_id) for each in kept if each is not None]

    def sealed_anew(self, row: Webhook) -> Webhook:
        return replace(
            row,
            endpoint=self._anew(row.endpoint, row.webhook_id),
            waiting=None if row.waiting is None else self._anew(row.waiting, row.webhook_id),
        )

    def _anew(self, endpoint: SealedEndpoint, webhook_id: str) -> SealedEndpoint:
        """The same endpoint; its digest is made anew too, so that nothing is left of an earlier key."""
        return self.seal.close(self.seal.open(endpoint, webhook_id), webhook_id)
