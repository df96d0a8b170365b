"""The console as an application: who is signed in, which page is meant, and what may not be sent from elsewhere.

    GET  /console/sign-in            asks for an access key        POST  opens a session
    GET  /console/sign-in/{ticket}   shows a button                POST  opens a session, once
    GET  /console/session            who is signed in, and where   POST  /sign-out, /sign-out-everywhere

All else needs a session. Looking changes nothing; every POST carries the session's token and comes from our own pages.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route as HttpRoute
from starlette.types import Scope

from message_contacts import errors
from message_contacts.access.console_sessions import ConsoleSessions, SignedIn
from message_contacts.console.forms import FormRefused, is_from_elsewhere
from message_contacts.console.site.calls import Calls
from message_contacts.console.site.form import Form, read_form, read_query
from message_contacts.console.site.frame import LANGUAGE_COOKIE, Frame
from message_contacts.console.site.routes import Handler, Route
from message_contacts.console.site.visit import Visit
from message_contacts.console.site.words import mark
from message_contacts.errors import ApiError
from message_contacts.verification.texts.catalogue import LANGUAGES

log = structlog.get_logger(__name__)

#: Name of the form field with the session's token.
CSRF_FIELD = "csrf"
_A_YEAR = 365 * 24 * 3600


class ConsoleSite:
    """Answers everything below `/console/`."""

    def __init__(
        self,
        *,
        frame: Frame,
        sessions: ConsoleSessions,
        calls: Calls,
        source_address: Callable[[Scope], str],
        is_secure: Callable[[Scope], bool],
        routes: Sequence[Route],
    ) -> None:
        """Answer pages.

        Args:
            source_address: Where a visitor comes from, as far as trusted proxies tell.
            is_secure: Whether over TLS, as far as they tell.
            routes: The pages of all areas.
        """
        self._frame = frame
        self._sessions = sessions
        self._calls = calls
        self._source_address = source_address
        self._is_secure = is_secure
        #: `__Host-` keeps other hosts and plain HTTP from setting it.
        self.cookie = "__Host-console" if frame.is_secure else "console"
        self._routes = (
            *routes,
            Route("POST", "/find", _find),
            Route("GET", "/session", self._session_page),
            Route("POST", "/sign-out", self._sign_out),
            Route("POST", "/sign-out-everywhere", self._sign_out_everywhere),
        )

    def application(self) -> Starlette:
        """The pages as an ASGI application; give it requests below `/console` with their path as it came."""
        handlers: list[HttpRoute] = [
            HttpRoute("/console/static/{name}", self._frame.files.answer, methods=["GET"]),
            HttpRoute("/console/language", self._language, methods=["GET"]),
            HttpRoute("/console/sign-in", self._sign_in_page, methods=["GET"]),
            HttpRoute("/console/sign-in", self._sign_in, methods=["POST"]),
            HttpRoute("/console/sign-in/{ticket}", self._ticket_page, methods=["GET"]),
            HttpRoute("/console/sign-in/{ticket}", self._redeem, methods=["POST"]),
        ]
        handlers += [
            HttpRoute("/console" + route.path, self._visiting(route.handler), methods=[route.method])
            for route in self._routes
        ]
        return Starlette(
            routes=handlers,
            exception_handlers={HTTPException: self._not_here, FormRefused: self._form_refused, Exception: self._bug},
        )

    def _visiting(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """A page that needs a session; without one the visitor is asked to sign in and comes back."""

        async def answer(request: Request) -> Response:
            cookie = request.cookies.get(self.cookie, "")
            found = await self._sessions.find(cookie) if cookie else None
            if found is None:
                return self._to_sign_in(request)
            session, caller = found

            async def is_signed_in() -> bool:
                return await self._sessions.find(cookie) is not None

            csrf = _csrf(cookie)
            posted = Form()
            if request.method == "POST":
                posted = await self._own_form(request)
                if not hmac.compare_digest(posted.raw(CSRF_FIELD).encode(), csrf.encode()):
                    raise FormRefused("origin", 403)
            visit = Visit(
                request=request,
                session=session,
                caller=caller,
                calls=self._calls,
                frame=self._frame,
                language=self._frame.language_of(request),
                source_address=self._source_address(request.scope),
                secure=self._is_secure(request.scope),
                csrf=csrf,
                query=self._frame.private_words.opened(read_query(request.url.query)),
                posted=posted,
                is_signed_in=is_signed_in,
            )
            try:
                return await handler(visit)
            except ApiError as refusal:
                return visit.refused(refusal)

        return answer

    async def _own_form(self, request: Request) -> Form:
        """The form of one of our own pages. Raises: FormRefused."""
        if is_from_elsewhere(request.headers, own_origin=self._frame.origin):
            raise FormRefused("origin", 403)
        return await read_form(request)

    def _to_sign_in(self, request: Request) -> Response:
        _, _, below = request.url.path.partition("/console")
        wanted = below + (f"?{request.url.query}" if request.url.query else "")
        back = wanted if request.method == "GET" and wanted not in {"", "/"} else ""
        response = RedirectResponse(self._frame.url("/sign-in", back=back), 303, headers={"Cache-Control": "no-store"})
        if request.headers.get("accept", "").startswith("text/event-stream"):
            return Response(status_code=401)  # the page that listens finds out when somebody looks at it again
        return response

    async def _language(self, request: Request) -> Response:
        response = RedirectResponse(self._frame.base + _within(request.query_params.get("back", "")), 303)
        chosen = request.query_params.get("to", "")
        if chosen in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE,
                chosen,
                max_age=_A_YEAR,
                path=self._frame.base + "/",
                secure=self._frame.is_secure,
                httponly=True,
                samesite="lax",
            )
        return response

    async def _sign_in_page(self, request: Request) -> Response:
        back = _within(request.query_params.get("back", ""))
        return self._frame.open_page(request, "sign_in.html", title=mark("Sign in"), back=back, problem="", key_id="")

    async def _sign_in(self, request: Request) -> Response:
        form = await self._own_form(request)
        key_id, back = form.text("access_key_id"), _within(form.text("back"))
        try:
            opened = await self._sessions.sign_in(
                key_id, form.text("access_key_secret"), self._source_address(request.scope)
            )
        except ApiError as refusal:
            status, problem = refusal.definition.status, refusal.message
            if refusal.definition is errors.THROTTLING_USER:
                problem = mark("There are too many calls with this access key. Please wait a moment.")
        else:
            if opened is not None:
                return self._signed_in(opened, back)
            status, problem = 403, mark("This access key and secret do not go together, or the key is not active.")
        return self._frame.open_page(
            request,
            "sign_in.html",
            title=mark("Sign in"),
            status=status,
            back=back,
            problem=problem,
            key_id=key_id[:128],
        )

    async def _ticket_page(self, request: Request) -> Response:
        # Nothing is looked up: programs that open links learn nothing, and use nothing up.
        return self._frame.open_page(request, "ticket.html", title=mark("Sign in"))

    async def _redeem(self, request: Request) -> Response:
        await self._own_form(request)
        opened = await self._sessions.redeem(request.path_params["ticket"], self._source_address(request.scope))
        if opened is None:
            return self._frame.open_page(request, "ticket_used.html", title=mark("This link has been used"), status=403)
        return self._signed_in(opened, "/")

    def _signed_in(self, opened: SignedIn, back: str) -> Response:
        response = RedirectResponse(self._frame.base + back, 303, headers={"Cache-Control": "no-store"})
        response.set_cookie(
            self.cookie, opened.cookie, path="/", secure=self._frame.is_secure, httponly=True, samesite="lax"
        )
        return response

    async def _session_page(self, visit: Visit) -> Response:
        sessions = await self._sessions.of_key(visit.caller)
        who, _ = await visit.attempt("GetCallerIdentity")
        return visit.page(
            "session.html", title=visit._("Signed in"), sessions=sessions, current=visit.session.digest, who=who
        )

    async def _sign_out(self, visit: Visit) -> Response:
        await self._sessions.sign_out(visit.session, visit.caller, visit.source_address)
        return self._signed_out()

    async def _sign_out_everywhere(self, visit: Visit) -> Response:
        await self._sessions.sign_out_everywhere(visit.caller, visit.source_address)
        return self._signed_out()

    def _signed_out(self) -> Response:
        response = RedirectResponse(
            self._frame.url("/sign-in"), 303, headers={"Cache-Control": "no-store", "Clear-Site-Data": '"cache"'}
        )
        response.delete_cookie(self.cookie, path="/", secure=self._frame.is_secure, httponly=True, samesite="lax")
        return response

    async def _not_here(self, request: Request, problem: Exception) -> Response:
        """An address or a method that there is not."""
        status = problem.status_code if isinstance(problem, HTTPException) else 404
        if request.url.path in {"/console", self._frame.base}:
            return RedirectResponse(self._frame.base + "/", 308)
        return self._frame.open_page(request, "trouble.html", title=mark("No such page"), status=status, kind="missing")

    async def _form_refused(self, request: Request, problem: Exception) -> Response:
        """A form that none of our pages sent, or that cannot be read."""
        trouble, status = (problem.trouble, problem.status) if isinstance(problem, FormRefused) else ("form", 400)
        log.info("console_form_refused", trouble=trouble, status=status)
        return self._frame.open_page(
            request, "trouble.html", title=mark("This form was not accepted"), status=status, kind=trouble
        )

    async def _bug(self, request: Request, problem: Exception) -> Response:
        """Anything else is a bug of ours; Starlette raises it again behind the answer."""
        log.error("console_failed", path=request.url.path, exc_info=problem)
        return self._frame.open_page(
            request, "trouble.html", title=mark("That did not work"), status=500, kind=errors.INTERNAL_ERROR.code
        )


async def _find(visit: Visit) -> Response:
    """Lead to a list with what was searched for sealed in its address; a form sent by GET would leave it readable."""
    form = visit.posted
    fields = {name: form.text(name) for name, _ in form if name not in {"to", CSRF_FIELD}}
    return RedirectResponse(visit.url(_within(form.text("to")).partition("?")[0], **fields), 303)


def _csrf(cookie: str) -> str:
    """What forms of a session carry: worked out from what only its browser has."""
    return hashlib.sha256(b"console form\x00" + cookie.encode()).hexdigest()


def _within(path: str) -> str:
    """A path of the console to go back to; its first page for anything that may lead elsewhere."""
    if not path.startswith("/") or path.startswith(("//", "/\\", "/sign-in")) or any(c < " " for c in path):
        return "/"
    return path
