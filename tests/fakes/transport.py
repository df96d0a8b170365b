"""A way to reach people that does what a test says, and keeps what it was given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Verdict

ACCEPTED = Outcome(Verdict.ACCEPTED, "accepted")


class ScriptedTransport:
    """Answers as scripted by address, then accepts."""

    captures = False

    def __init__(self) -> None:
        self.sent: list[OutgoingMessage] = []
        #: By recipient, the outcomes of the next tries.
        self.script: dict[str, list[Outcome]] = {}
        #: Called before each try.
        self.before: Callable[[OutgoingMessage], None] = lambda _message: None
        #: Whether tries never end.
        self.hangs = False

    async def send(self, message: OutgoingMessage) -> Outcome:
        self.before(message)
        if self.hangs:
            await asyncio.Event().wait()
        outcomes = self.script.get(message.recipient)
        outcome = outcomes.pop(0) if outcomes else ACCEPTED
        if outcome.verdict is Verdict.ACCEPTED:
            self.sent.append(message)
        return outcome

    async def close(self) -> None:
        pass

    def accepted_by(self, recipient: str) -> list[str]:
        """Ids of the messages that the address was sent, in order."""
        return [message.message_id for message in self.sent if message.recipient == recipient]
