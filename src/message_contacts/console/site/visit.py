"""One request of somebody who is signed in: what pages work with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from message_contacts.access.console_sessions import ConsoleSession
from message_contacts.access.model import Caller
from message_contacts.console.site.calls import Answered, Calls, Given
from message_contacts.console.site.form import Form
from message_contacts.console.site.frame import Frame
from message_contacts.errors import ApiError


class Attempt(NamedTuple):
    """An operation's answer, or what it was refused with."""

    fields: Mapping[str, Any] | None
    refusal: ApiError | None


class Event(NamedTuple):
    """Something that a page in the browser is told while it stays open."""

    #: Kind of event, e.g. `message`.
    name: str
    #: Text, usually HTML of ours or JSON.
    data: str
    #: What the browser names when it asks again; empty: nothing new.
    event_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request with a session. Everything a page does, it does by `call`, with the rights of the session's key."""

    request: Request
    session: ConsoleSession
    caller: Caller
    calls: Calls
    frame: Frame
    language: str
    #: IP address the visitor comes from, and whether over TLS, as far as trusted proxies tell.
    source_address: str
    secure: bool
    #: Token that forms carry, so that other sites cannot send them.
    csrf: str
    query: Form
    #: Whether the session is still open and its key still calls.
    is_signed_in: Callable[[], Awaitable[bool]]
    posted: Form = field(default_factory=Form)

    @property
    def path(self) -> Mapping[str, str]:
        """What the route's placeholders stand for."""
        return self.request.path_params

    @property
    def _(self) -> Callable[[str], str]:
        """Says a text in the visitor's language."""
        return self.frame.words(self.language).gettext

    @property
    def ngettext(self) -> Callable[[str, str, int], str]:
        """Says a text with a number in the visitor's language."""
        return self.frame.words(self.language).ngettext

    async def call(
        self, operation: str, given: Given | None = None, *, version: str | None = None
    ) -> Mapping[str, Any]:
        """Carry out an operation.

        Args:
            given: By parameter; None and empty lists are left out.
            version: The first that has the operation, unless named.
        Raises:
            ApiError: Shown as a page of its own when nobody catches it.
        """
        answered = await self.answer(operation, given, version=version)
        if answered.refusal is not None:
            raise answered.refusal
        return answered.fields or {}

    async def attempt(self, operation: str, given: Given | None = None, *, version: str | None = None) -> Attempt:
        """Carry out an operation; what it is refused with comes back as a value, to be shown beside a field."""
        answered = await self.answer(operation, given, version=version)
        return Attempt(answered.fields, answered.refusal)

    async def answer(
        self, operation: str, given: Given | None = None, *, version: str | None = None, is_limited: bool = False
    ) -> Answered:
        """Carry out an operation and tell all about it.

        Args:
            is_limited: Whether it counts towards the calls a second, as those of programs do.
        """
        return await self.calls.answer(
            self.caller,
            operation,
            given or {},
            version=version or self.calls.version_of(operation),
            source_address=self.source_address,
            secure=self.secure,
            is_limited=is_limited,
        )

    async def form(self) -> Form:
        """The fields of the form that was sent: by one of our own pages, which was checked."""
        return self.posted

    def url(self, path: str, **query: object) -> str:
        """Where a page of the console is: `url("/contacts", page=2)`. Empty values are left out."""
        return self.frame.url(path, **query)

    def page(self, template: str, *, title: str, status: int = 200, **values: Any) -> Response:
        """A page from a template that extends `frame.html`."""
        return self.frame.page(self, template, title=title, status=status, **values)

    def go(self, path: str, *, said: str = "", **query: object) -> Response:
        """Send the browser on after a change, with a notice there."""
        return self.frame.go(self.url(path, **query), said=said)

    def refused(self, refusal: ApiError) -> Response:
        """The page about a refusal: permission, absence, or whatever else it is."""
        return self.frame.refused(self, refusal)

    def stream(self, events: AsyncIterator[Event]) -> Response:
        """Events for a page that stays open; the browser asks again when they end or take too long.

        They end with the session: nothing is told to somebody who has signed out, or whose key was switched off.
        """
        return self.frame.stream(self._while_signed_in(events))

    async def _while_signed_in(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if not await self.is_signed_in():
                return
            yield event
