"""The recipient's side of verifications without rules: the token names the state that its page shows."""

from __future__ import annotations

from message_contacts.clock import DAY, HOUR, Instant
from message_contacts.contacts.model import Channel
from message_contacts.verification.challenge import PageState, Visitor
from message_contacts.verification.service import View
from tests.fakes.clock import START


class FakeVerifications:
    """Answers with what it is told to, and remembers every call that could change something."""

    def __init__(self, *, organisation: str = "platform-team", channel: Channel = Channel.EMAIL) -> None:
        self.organisation = organisation
        self.channel = channel
        #: Name and arguments of each call but looks.
        self.changes: list[tuple[str, ...]] = []
        self.looks = 0
        self.visitor: Visitor | None = None
        #: What the next call raises, if anything.
        self.failure: Exception | None = None

    async def look(self, token: str) -> View:
        self._fail()
        self.looks += 1
        return self._view(PageState(token) if token in set(PageState) else PageState.UNKNOWN)

    async def confirm(self, token: str, visitor: Visitor) -> View:
        return self._changed(PageState.CONFIRMED if token == "ready" else PageState(token), visitor, "confirm", token)

    async def refuse(self, token: str, visitor: Visitor) -> View:
        return self._changed(PageState.BLOCKED, visitor, "refuse", token)

    async def take_back(self, token: str, _visitor: Visitor) -> View:
        return self._changed(PageState.READY, _visitor, "take_back", token)

    async def confirm_by_code(self, reference: str, code: str, visitor: Visitor) -> View:
        fits = code == "123456"
        state = PageState.CONFIRMED if fits else PageState.CODE_REFUSED
        return self._changed(state, visitor, "confirm_by_code", reference, code)

    def _changed(self, state: PageState, visitor: Visitor, *call: str) -> View:
        self._fail()
        self.changes.append(call)
        self.visitor = visitor
        return self._view(state)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _view(self, state: PageState) -> View:
        if state in {PageState.UNKNOWN, PageState.CODE_REFUSED}:
            return View(state=state)
        confirmed = state in {PageState.CONFIRMED, PageState.ALREADY_CONFIRMED}
        return View(
            state=state,
            organisation=self.organisation,
            contact_name="Tom",
            channel=self.channel,
            masked_address="t***@example.com" if self.channel is Channel.EMAIL else "86-***34",
            valid_until=Instant(START + DAY),
            confirmed_at=Instant(START + HOUR) if confirmed else None,
        )
