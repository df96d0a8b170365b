"""Posts to webhooks, ready for the transport: published messages, and codes to confirm them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from message_contacts.access.keys import SealBrokenError
from message_contacts.changes import Job
from message_contacts.clock import SECOND, Clock
from message_contacts.contacts.model import Channel
from message_contacts.delivery.candidates import Candidate, Reason, webhook_candidate
from message_contacts.delivery.messages import CAPTURED_BEFORE, Delivery, Message
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Transport, Verdict
from message_contacts.delivery.texts.webhook_texts import WebhookTexts
from message_contacts.directory.store import DirectoryStore
from message_contacts.verification.tokens import Tokens
from message_contacts.webhooks.model import Webhook, WebhookPost
from message_contacts.webhooks.sealing import EndpointSeal
from message_contacts.webhooks.store import WebhookStore

MESSAGE_PUBLISHED = "message.published"
WEBHOOK_VERIFICATION = "webhook.verification"
TEST = "webhook.test"

#: No encryption key opens the webhook's address: the operator may bring the key back, or somebody names the address
#: again.
UNREADABLE = Outcome(Verdict.TRY_AGAIN, "address-unreadable")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPosts:
    """What the sender of deliveries needs to know of webhooks."""

    webhooks: WebhookStore
    seal: EndpointSeal
    texts: Callable[[], WebhookTexts]

    async def candidates(self, account_id: str, webhook_id: str, reasons: Sequence[Reason]) -> list[Candidate]:
        """The webhook as the rules see it now; nothing when it is gone."""
        webhook = await self.webhooks.webhook(account_id, webhook_id)
        return [] if webhook is None else [webhook_candidate(webhook, reasons)]

    async def outgoing(
        self, message: Message, delivery: Delivery, organisation: str, job_id: str
    ) -> OutgoingMessage | None:
        """A published message for a webhook; None when that is gone.

        Raises: SealBrokenError, for which `UNREADABLE` is the outcome.
        """
        webhook = await self.webhooks.webhook(delivery.account_id, delivery.address_key)
        if webhook is None:
            return None
        return OutgoingMessage(
            account_id=delivery.account_id,
            channel=Channel.WEBHOOK,
            recipient=webhook.webhook_id,
            message_id=job_id,
            subject=message.subject,
            text=self.texts().notice(message, organisation),
            webhook=WebhookPost(
                form=webhook.form,
                endpoint=self.seal.open(webhook.endpoint, webhook.webhook_id),
                event=MESSAGE_PUBLISHED,
                data={
                    "accountId": message.account_id,
                    "webhookId": webhook.webhook_id,
                    "messageId": message.message_id,
                    "messageType": message.message_type.value,
                    "severity": message.severity.value,
                    "publishTime": datetime.fromtimestamp(message.published_at / SECOND, UTC).isoformat(
                        timespec="milliseconds"
                    ),
                },
            ),
        )

    def test(self, webhook: Webhook, subject: str, text: str, job_id: str) -> OutgoingMessage:
        """A test message for the endpoint in force.

        Raises: SealBrokenError, for which `UNREADABLE` is the outcome.
        """
        return OutgoingMessage(
            account_id=webhook.account_id,
            channel=Channel.WEBHOOK,
            recipient=webhook.webhook_id,
            message_id=job_id,
            subject=subject,
            text=text,
            webhook=WebhookPost(
                form=webhook.form,
                endpoint=self.seal.open(webhook.endpoint, webhook.webhook_id),
                event=TEST,
                data={"accountId": webhook.account_id, "webhookId": webhook.webhook_id},
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCodeSender:
    """Does jobs of kind `send-webhook-code`. A retry has the same code."""

    webhooks: WebhookStore
    directories: DirectoryStore
    seal: EndpointSeal
    tokens: Tokens
    texts: Callable[[], WebhookTexts]
    transports: Mapping[Channel, Transport]
    clock: Clock

    async def __call__(self, job: Job) -> Outcome:
        """Post the code unless it is not wanted any more."""
        webhook = await self.webhooks.webhook(job.account_id, str(job.payload["webhook_id"]))
        if webhook is None or not webhook.code.reference or webhook.code.generation != int(job.payload["generation"]):
            return Outcome(Verdict.ACCEPTED, "superseded")
        if self.clock.now() >= webhook.code.expires_at:
            return Outcome(Verdict.ACCEPTED, "expired")
        transport = self.transports[Channel.WEBHOOK]
        if job.payload.get("captured") and not transport.captures:
            return Outcome(Verdict.ACCEPTED, CAPTURED_BEFORE)
        pending = webhook.pending(captured_counts=transport.captures)
        directory = await self.directories.directory(job.account_id)
        if pending is None or directory is None:
            return Outcome(Verdict.ACCEPTED, "superseded")
        try:
            endpoint = self.seal.open(pending, webhook.webhook_id)
        except SealBrokenError:
            return UNREADABLE
        code = self.tokens.code(webhook.code.reference, webhook.code.generation)
        subject, text = self.texts().code(directory.account_name, webhook.name.text, code, webhook.code.expires_at)
        return await transport.send(
            OutgoingMessage(
                account_id=job.account_id,
                channel=Channel.WEBHOOK,
                recipient=webhook.webhook_id,
                message_id=job.job_id,
                subject=subject,
                text=text,
                webhook=WebhookPost(
                    form=webhook.form,
                    endpoint=endpoint,
                    event=WEBHOOK_VERIFICATION,
                    data={"accountId": job.account_id, "webhookId": webhook.webhook_id, "code": code},
                ),
            )
        )
