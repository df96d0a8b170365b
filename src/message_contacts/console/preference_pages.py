"""The pages behind the links in published messages: unsubscribe, and what somebody wants of messages.

Looking changes nothing: mail scanners follow links. The token in the path is all the authority there is; there are no
cookies and no scripts. Neither path nor token is logged.

    GET  /unsubscribe/{token}              asks, with a button        POST  unsubscribe, by mail programs too
    GET  /unsubscribe/{token}/undo         as /unsubscribe/{token}    POST  subscribe again
    GET  /preferences/{token}              what you get, and why      POST  keep what was chosen
    GET  /preferences/{token}/hand-over    as /preferences/{token}    POST  ask the operator

Source: RFC 8058 for the POST of mail programs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol
from zoneinfo import available_timezones

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ExceptionHandler, Scope

from message_contacts.console.forms import LONGEST_FORM, FormRefused, is_from_elsewhere, read_form
from message_contacts.console.page_renderer import PageRenderer
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.preference_rules import Choice
from message_contacts.delivery.preference_views import UnsubscribeView, View
from message_contacts.delivery.preferences import WISH_LENGTH
from message_contacts.delivery.standing import QuietHours
from message_contacts.errors import ApiError
from message_contacts.verification.texts.catalogue import LANGUAGES
from message_contacts.verification.texts.shown import shown_organisation

log = structlog.get_logger()

#: Fields of the form of preferences: types, quiet hours, language.
_MOST_FIELDS = 20
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::[0-5][0-9])?")
_REGIONS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
_USUAL_ZONE = "Asia/Shanghai"


class Preferences(Protocol):
    """What the pages ask: `delivery.preferences.PreferenceService`."""

    async def look(self, token: str) -> View | None: ...

    async def choose(self, token: str, choice: Choice, source_address: str) -> View | None: ...

    async def ask_to_hand_over(self, token: str, wish: str, source_address: str) -> View | None: ...

    async def look_at_type(self, token: str) -> UnsubscribeView | None: ...

    async def unsubscribe(self, token: str, source_address: str) -> UnsubscribeView | None: ...

    async def subscribe_again(self, token: str, source_address: str) -> UnsubscribeView | None: ...


def preference_pages(service: Preferences, renderer: PageRenderer, source_address: Callable[[Scope], str]) -> Starlette:
    """The pages as an ASGI application; give it requests below these prefixes with their path as it came.

    Args:
        source_address: Where a visitor comes from, as far as trusted proxies tell.
    """
    pages = _Pages(service, renderer, source_address)
    handlers: Mapping[int | type[Exception], ExceptionHandler] = {
        HTTPException: pages.not_here,
        ApiError: pages.unavailable,
        FormRefused: pages.form_refused,
        Exception: pages.unavailable,
    }
    application = Starlette(
        routes=[
            Route("/unsubscribe/{token}", pages.ask, methods=["GET"]),
            Route("/unsubscribe/{token}", pages.unsubscribe, methods=["POST"]),
            Route("/unsubscribe/{token}/undo", pages.ask, methods=["GET"]),
            Route("/unsubscribe/{token}/undo", pages.undo, methods=["POST"]),
            Route("/preferences/{token}", pages.look, methods=["GET"]),
            Route("/preferences/{token}", pages.choose, methods=["POST"]),
            Route("/preferences/{token}/hand-over", pages.look, methods=["GET"]),
            Route("/preferences/{token}/hand-over", pages.hand_over, methods=["POST"]),
        ],
        exception_handlers=handlers,
    )
    application.router.redirect_slashes = False
    return application


class _Pages:
    """What each address does."""

    def __init__(self, service: Preferences, renderer: PageRenderer, source_address: Callable[[Scope], str]) -> None:
        self._service = service
        self._renderer = renderer
        self._source_address = source_address

    async def ask(self, request: Request) -> Response:
        """Ask whether to unsubscribe; changes nothing."""
        return self._unsubscribe_page(request, await self._service.look_at_type(_token(request)), asked=True)

    async def unsubscribe(self, request: Request) -> Response:
        """By our button, or by the mail program's one click, whose body and origin are its own affair."""
        await _drain(request)
        shown = await self._service.unsubscribe(_token(request), self._source_address(request.scope))
        return self._unsubscribe_page(request, shown)

    async def undo(self, request: Request) -> Response:
        await self._form(request)
        shown = await self._service.subscribe_again(_token(request), self._source_address(request.scope))
        return self._unsubscribe_page(request, shown, undone=True)

    async def look(self, request: Request) -> Response:
        """Show what somebody gets and why; changes nothing."""
        return self._preferences_page(request, await self._service.look(_token(request)))

    async def choose(self, request: Request) -> Response:
        fields = await self._form(request)
        problem, choice = _choice(fields)
        if choice is None:
            shown = await self._service.look(_token(request))
            return self._preferences_page(request, shown, problem=problem, status=400)
        kept = await self._service.choose(_token(request), choice, self._source_address(request.scope))
        return self._preferences_page(request, kept, said="saved")

    async def hand_over(self, request: Request) -> Response:
        fields = await self._form(request)
        wish = " ".join(unicodedata.normalize("NFC", fields.get("wish", "")).split())
        if not wish or len(wish) > WISH_LENGTH or not wish.isprintable():
            shown = await self._service.look(_token(request))
            return self._preferences_page(request, shown, problem="wish", status=400)
        asked = await self._service.ask_to_hand_over(_token(request), wish, self._source_address(request.scope))
        return self._preferences_page(request, asked, said="asked")

    async def not_here(self, request: Request, problem: Exception) -> Response:
        """An address or a method that there is not."""
        status = problem.status_code if isinstance(problem, HTTPException) else 404
        if status == 404:
            return self._renderer.render(request, "no_such_link", status=404)
        return self._renderer.render(request, "trouble", status=status, trouble="form")

    async def form_refused(self, request: Request, problem: Exception) -> Response:
        """A form that is not ours."""
        trouble, status = (problem.trouble, problem.status) if isinstance(problem, FormRefused) else ("form", 400)
        log.info("preference_form_refused", trouble=trouble, status=status)
        return self._renderer.render(request, "trouble", status=status, trouble=trouble)

    async def unavailable(self, request: Request, problem: Exception) -> Response:
        """Something is wrong on our side; the exception itself goes on to where exceptions are logged."""
        status = 503 if isinstance(problem, ApiError) else 500
        if isinstance(problem, ApiError):
            log.warning("preference_page_unavailable", code=problem.definition.code)
        return self._renderer.render(request, "trouble", status=status, trouble="ours")

    def _unsubscribe_page(
        self, request: Request, view: UnsubscribeView | None, *, asked: bool = False, undone: bool = False
    ) -> Response:
        if view is None:
            return self._renderer.render(request, "no_such_link", status=404)
        link = f"{self._renderer.base}/unsubscribe/{_token(request)}"
        query = self._renderer.language_query(request)
        return self._renderer.render(
            request,
            "unsubscribed" if view.unsubscribed else "unsubscribe",
            status=200,
            organisation=shown_organisation(view.organisation),
            address=view.masked_address,
            message_type=view.message_type.value,
            asked=asked,
            undone=undone,
            unwanted_by_contact=view.unwanted_by_contact,
            here=link + query,
            undo=f"{link}/undo{query}",
        )

    def _preferences_page(
        self, request: Request, view: View | None, *, said: str = "", problem: str = "", status: int = 200
    ) -> Response:
        if view is None:
            return self._renderer.render(request, "no_such_link", status=404)
        link = f"{self._renderer.base}/preferences/{_token(request)}"
        query = self._renderer.language_query(request)
        quiet = view.quiet
        return self._renderer.render(
            request,
            "preferences",
            status=status,
            language=view.language,
            view=view,
            organisation=shown_organisation(view.organisation),
            reasons=[
                (each.reason.because.value, f"{shown_organisation(each.name)} ({each.reason.node_id})".lstrip())
                for each in view.reasons
            ],
            types=[(kind.value, wanted.value) for kind, wanted in view.types],
            said=said,
            problem=problem,
            quiet=quiet is not None,
            starts=_shown_time(quiet.starts if quiet else 22 * 60),
            ends=_shown_time(quiet.ends if quiet else 7 * 60),
            zone=quiet.zone if quiet else _USUAL_ZONE,
            zones=_zones(),
            hold_urgent=quiet.hold_urgent if quiet else False,
            chosen_language=view.language,
            wish_length=WISH_LENGTH,
            here=link + query,
            hand_over=f"{link}/hand-over{query}",
        )

    async def _form(self, request: Request) -> Mapping[str, str]:
        """The fields of a form that one of these pages sent. Raises: FormRefused."""
        if is_from_elsewhere(request.headers, own_origin=self._renderer.origin):
            raise FormRefused("origin", 403)
        return await read_form(request, most_fields=_MOST_FIELDS)


def _token(request: Request) -> str:
    return str(request.path_params["token"])


async def _drain(request: Request) -> None:
    """Read a body of whatever form, and no more of it than a form has. Raises: FormRefused."""
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > LONGEST_FORM:
            raise FormRefused("form", 413)


def _choice(fields: Mapping[str, str]) -> tuple[str, Choice | None]:
    """What a form says, or what is wrong with it."""
    wanted = frozenset(kind for kind in MessageType if fields.get(f"type-{kind}") == "on")
    language = fields.get("language", "")
    quiet = None
    if fields.get("quiet") == "on":
        starts, ends = _minutes(fields.get("starts", "")), _minutes(fields.get("ends", ""))
        zone = fields.get("zone", "")
        if starts is None or ends is None or starts == ends:
            return "hours", None
        if zone not in _zones():
            return "zone", None
        quiet = QuietHours(starts=starts, ends=ends, zone=zone, hold_urgent=fields.get("hold-urgent") == "on")
    if language and language not in LANGUAGES:
        return "language", None
    return "", Choice(wanted=wanted, quiet=quiet, language=language)


def _minutes(text: str) -> int | None:
    """The minute of the day that `22:30` names; browsers may send seconds too."""
    found = _TIME.fullmatch(text)
    return int(found[1]) * 60 + int(found[2]) if found else None


def _shown_time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@cache
def _zones() -> tuple[str, ...]:
    """Zones to choose from."""
    return (*sorted(name for name in available_timezones() if name.startswith(_REGIONS)), "UTC")
