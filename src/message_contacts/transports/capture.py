"""Captured messages: what would be sent lands in the tenant's inbox and goes nowhere."""

from __future__ import annotations

from message_contacts.clock import Clock
from message_contacts.contacts.model import Channel
from message_contacts.delivery.outbox import CapturedMessage, Inbox
from message_contacts.delivery.outcome import COMPLAINED, Outcome, OutgoingMessage, Verdict

#: Tries that fail at an address that defers without saying how often.
_DEFERRED_TIMES = 2


class CaptureTransport:
    """Keeps messages instead of sending them; for developers and for tests of an organisation's own systems."""

    captures = True

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Put the message into the inbox; a retry of it changes nothing there.

        Published messages to magic addresses do not arrive, or not at once, or are complained of: `magic`.
        """
        refusal = magic(message)
        if refusal is not None and refusal.verdict is not Verdict.ACCEPTED:
            return refusal
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
                delivery_id=message.delivery_id,
                contact_id=message.contact_id,
            )
        )
        return refusal or Outcome(Verdict.ACCEPTED, "captured")

    async def close(self) -> None:
        """Nothing is held open."""


def magic(message: OutgoingMessage) -> Outcome | None:
    """What happens to a message on purpose, by its recipient's address; None: nothing but that it is captured.

    `bounce+...@` has no mailbox, `full+...@` never has room, `defer+...@` takes it at the third try (`defer+5@` at the
    sixth), `complain+...@` takes it and reports it as unwanted. Only what was published: requests to confirm an address
    always arrive, or such an address could never be confirmed.
    """
    if message.delivery_id is None or message.channel is not Channel.EMAIL:
        return None
    name, plus, rest = message.recipient.rpartition("@")[0].lower().partition("+")
    if not plus:
        return None
    if name == "bounce":
        return Outcome(Verdict.NEVER, "mailbox-unknown", status="5.1.1")
    if name == "full":
        return Outcome(Verdict.NEVER, "mailbox-full", status="5.2.2")
    if name == "defer":
        times = int(rest) if rest.isdecimal() and len(rest) <= 2 else _DEFERRED_TIMES
        return Outcome(Verdict.TRY_AGAIN, "mailbox-busy", status="4.2.1") if message.attempt <= times else None
    if name == "complain":
        return Outcome(Verdict.ACCEPTED, COMPLAINED)
    return None
