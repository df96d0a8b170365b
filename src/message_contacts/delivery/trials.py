"""Trying a channel: a short test message, handed over at once, whose answer is for who asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from message_contacts.access.keys import SealBrokenError
from message_contacts.contacts.model import Channel, Contact
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Transport
from message_contacts.delivery.texts.message_texts import MessageTexts
from message_contacts.delivery.webhook_posts import UNREADABLE, WebhookPosts
from message_contacts.webhooks.model import Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Sends test messages. Nothing is recorded here."""

    #: In all languages of the settings.
    texts: Callable[[], MessageTexts]
    webhooks: WebhookPosts
    transports: Mapping[Channel, Transport]

    async def by_address(
        self, contact: Contact, channel: Channel, address: str, organisation: str, job_id: str
    ) -> Outcome:
        """Send one to an address of a contact, and say what the channel answers."""
        texts = self.texts()
        return await self.transports[channel].send(
            OutgoingMessage(
                account_id=contact.account_id,
                channel=channel,
                recipient=address,
                message_id=job_id,
                subject="" if channel is Channel.SMS else texts.test_subject(organisation),
                text=texts.test_text(organisation),
                contact_id=contact.contact_id,
            )
        )

    async def by_webhook(self, webhook: Webhook, organisation: str, job_id: str) -> Outcome:
        """Post one to a webhook, and say what it answers."""
        texts = self.texts()
        try:
            post = self.webhooks.test(webhook, texts.test_subject(organisation), texts.test_text(organisation), job_id)
        except SealBrokenError:
            return UNREADABLE
        return await self.transports[Channel.WEBHOOK].send(post)
