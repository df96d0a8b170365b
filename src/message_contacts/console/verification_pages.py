"""The pages behind the link in a verification message.

Whoever opens a link - a person, a mail scanner, a browser that looks ahead - changes nothing: only the button does. The
token in the path is all the authority there is; there are no cookies, no scripts and nothing from elsewhere. Neither
path nor token is logged.

    GET  /verify/                    form for reference and code         POST  confirm by code
    GET  /verify/{token}             what is asked, with one button      POST  confirm
    GET  /verify/{token}/not-me      "this was not me", with a button    POST  block
    GET  /verify/{token}/take-back   as /verify/{token}                  POST  take the block back
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ExceptionHandler, Scope

from message_contacts.console.forms import FormRefused, is_from_elsewhere, read_form
from message_contacts.console.page_renderer import PageRenderer
from message_contacts.errors import ApiError
from message_contacts.verification.challenge import PageState, Visitor
from message_contacts.verification.service import View

log = structlog.get_logger()

#: Status of the page for each state, unless the visitor has just asked for that very state.
STATUSES = {
    PageState.READY: 200,
    PageState.CONFIRMED: 200,
    PageState.ALREADY_CONFIRMED: 200,
    PageState.EXPIRED: 410,
    PageState.SUPERSEDED: 410,
    PageState.REPLACED: 410,
    PageState.BLOCKED: 403,
    PageState.UNKNOWN: 404,
    PageState.CODE_REFUSED: 403,
}
#: States in which "this was not me" can still be said.
_OPEN = frozenset({PageState.READY, PageState.EXPIRED, PageState.SUPERSEDED, PageState.REPLACED})


class Verifications(Protocol):
    """What the pages ask: `verification.service.VerificationService`."""

    async def look(self, token: str) -> View: ...

    async def confirm(self, token: str, visitor: Visitor) -> View: ...

    async def refuse(self, token: str, visitor: Visitor) -> View: ...

    async def take_back(self, token: str, _visitor: Visitor) -> View: ...

    async def confirm_by_code(self, reference: str, code: str, visitor: Visitor) -> View: ...


def verification_pages(
    service: Verifications, renderer: PageRenderer, source_address: Callable[[Scope], str] | None = None
) -> Starlette:
    """The pages as an ASGI application; give it requests below `/verify` with their path as it came.

    Args:
        source_address: Where a visitor comes from, as far as trusted proxies tell; the connection's other end if None.
    """
    pages = _Pages(service=service, renderer=renderer, source_address=source_address or _peer)
    handlers: Mapping[int | type[Exception], ExceptionHandler] = {
        HTTPException: pages.not_here,
        ApiError: pages.unavailable,
        FormRefused: pages.form_refused,
        Exception: pages.unavailable,
    }
    application = Starlette(
        routes=[
            Route("/verify", pages.to_code_form, methods=["GET"]),
            Route("/verify/", pages.code_form, methods=["GET"]),
            Route("/verify/", pages.confirm_by_code, methods=["POST"]),
            Route("/verify/{token}", pages.look, methods=["GET"]),
            Route("/verify/{token}", pages.confirm, methods=["POST"]),
            Route("/verify/{token}/not-me", pages.not_me_form, methods=["GET"]),
            Route("/verify/{token}/not-me", pages.refuse, methods=["POST"]),
            Route("/verify/{token}/take-back", pages.look, methods=["GET"]),
            Route("/verify/{token}/take-back", pages.take_back, methods=["POST"]),
        ],
        exception_handlers=handlers,
    )
    # Starlette would send visitors to the Host header's name; links are made from PUBLIC_URL only.
    application.router.redirect_slashes = False
    return application


class _Pages:
    """What each address does."""

    def __init__(
        self, *, service: Verifications, renderer: PageRenderer, source_address: Callable[[Scope], str]
    ) -> None:
        self._service = service
        self._renderer = renderer
        self._source_address = source_address

    async def look(self, request: Request) -> Response:
        """Show what a link is worth; changes nothing."""
        return self._state_page(request, await self._service.look(request.path_params["token"]), "look")

    async def confirm(self, request: Request) -> Response:
        await self._check_post(request)
        view = await self._service.confirm(request.path_params["token"], self._visitor(request))
        return self._state_page(request, view, "confirm")

    async def not_me_form(self, request: Request) -> Response:
        """Ask whether to block; changes nothing."""
        view = await self._service.look(request.path_params["token"])
        if view.state not in _OPEN:
            return self._state_page(request, view, "look")
        return self._renderer.page(request, "not_me", status=200, view=view)

    async def refuse(self, request: Request) -> Response:
        await self._check_post(request)
        view = await self._service.refuse(request.path_params["token"], self._visitor(request))
        status = 200 if view.state is PageState.BLOCKED else None
        return self._state_page(request, view, "refuse", status=status)

    async def take_back(self, request: Request) -> Response:
        await self._check_post(request)
        view = await self._service.take_back(request.path_params["token"], self._visitor(request))
        return self._state_page(request, view, "take-back", taken_back=True)

    async def to_code_form(self, request: Request) -> Response:
        return RedirectResponse(self._renderer.code_page, status_code=308, headers=self._renderer.headers)

    async def code_form(self, request: Request) -> Response:
        return self._renderer.page(request, "code", status=200, problem="", reference="")

    async def confirm_by_code(self, request: Request) -> Response:
        fields = await self._check_post(request)
        # Chinese keyboards may type full-width digits.
        reference = unicodedata.normalize("NFKC", fields.get("reference", "")).strip()
        code = "".join(unicodedata.normalize("NFKC", fields.get("code", "")).split())
        if not reference or not code:
            return self._renderer.page(request, "code", status=400, problem="incomplete", reference=reference)
        view = await self._service.confirm_by_code(reference, code, self._visitor(request))
        if view.state is PageState.CODE_REFUSED:
            log.info("verification_page", action="code", state=view.state.value)
            status = STATUSES[PageState.CODE_REFUSED]
            return self._renderer.page(request, "code", status=status, problem="refused", reference=reference)
        return self._state_page(request, view, "code")

    async def not_here(self, request: Request, problem: Exception) -> Response:
        """An address or a method that there is not."""
        status = problem.status_code if isinstance(problem, HTTPException) else 404
        template = "unknown" if status == 404 else "trouble"
        return self._renderer.page(request, template, status=status, trouble="form")

    async def form_refused(self, request: Request, problem: Exception) -> Response:
        """A form that is not ours."""
        trouble, status = (problem.trouble, problem.status) if isinstance(problem, FormRefused) else ("form", 400)
        log.info("verification_form_refused", trouble=trouble, status=status)
        return self._renderer.page(request, "trouble", status=status, trouble=trouble)

    async def unavailable(self, request: Request, problem: Exception) -> Response:
        """Something is wrong on our side; the exception itself goes on to where exceptions are logged."""
        status = 503 if isinstance(problem, ApiError) else 500
        if isinstance(problem, ApiError):
            log.warning("verification_page_unavailable", code=problem.definition.code)
        return self._renderer.page(request, "trouble", status=status, trouble="ours")

    def _state_page(
        self, request: Request, view: View, action: str, *, status: int | None = None, taken_back: bool = False
    ) -> Response:
        log.info("verification_page", action=action, state=view.state.value)
        return self._renderer.page(
            request,
            view.state.value,
            status=status or STATUSES[view.state],
            view=view,
            may_refuse=view.state in _OPEN,
            taken_back=taken_back,
        )

    async def _check_post(self, request: Request) -> Mapping[str, str]:
        """The fields of a form that one of these pages sent.

        Raises: FormRefused.
        """
        if is_from_elsewhere(request.headers, own_origin=self._renderer.origin):
            raise FormRefused("origin", 403)
        return await read_form(request)

    def _visitor(self, request: Request) -> Visitor:
        return Visitor(self._source_address(request.scope), request.headers.get("user-agent", "")[:200])


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
