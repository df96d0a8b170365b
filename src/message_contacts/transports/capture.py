"""Captured messages: what would be sent lands in the tenant's inbox and goes nowhere."""

from __future__ import annotations

from message_contacts.clock import Clock
from message_contacts.delivery.outbox import CapturedMessage, Inbox
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Verdict


class CaptureTransport:
    """Keeps messages instead of sending them; for developers and for tests of an organisation's own systems."""

    captures = True

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Put the message into the inbox; a retry of it changes nothing there."""
        await self._inbox.put(
            CapturedMessage(
                account_id=message.account_id,
                message_id=message.message_id,
                channel=message.channel,
                recipient=message.recipient,
                subject=message.subject,
                text=message.text,
                html=message.html,
                captured_at=self._clock.now(),
                verification_id=message.verification_id,
            )
        )
        return Outcome(Verdict.ACCEPTED, "captured")

    async def close(self) -> None:
        """Nothing is held open."""
