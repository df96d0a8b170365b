"""What all pages of the console have around them: language, navigation, notices, headers, and pages about refusals."""

from __future__ import annotations

import asyncio
import gettext
from collections.abc import AsyncIterator
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode, urlsplit

import structlog
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from message_contacts import errors
from message_contacts.console.page_renderer import accepted_language
from message_contacts.console.site.files import Files
from message_contacts.console.site.private_words import PrivateWords
from message_contacts.console.site.words import environments, mark, words
from message_contacts.errors import ApiError
from message_contacts.verification.texts.catalogue import LANGUAGES

if TYPE_CHECKING:
    from message_contacts.console.site.visit import Event, Visit

log = structlog.get_logger(__name__)

LANGUAGE_COOKIE = "console-language"
_SAID_COOKIE = "console-said"
_LANGUAGE_NAMES = {"zh": "中文", "en": "English"}
#: Characters of a notice.
_LONGEST_NOTICE = 500
#: Seconds after which an open stream ends, so that a server that stops need not wait; browsers ask again by themselves.
STREAM_SECONDS = 15.0

#: Path and name of the areas, in the order of the navigation. The names are translated where they are shown.
AREAS = (
    ("/", mark("Overview")),
    ("/contacts", mark("Contacts")),
    ("/directory", mark("Directory")),
    ("/messages", mark("Messages")),
    ("/inbox", mark("Inbox")),
    ("/explorer", mark("API explorer")),
    ("/access", mark("Access")),
    ("/audit", mark("Audit")),
)


class Frame:
    """Renders pages of the console."""

    def __init__(
        self,
        *,
        public_url: str,
        zone: tzinfo,
        default_language: str,
        captures: bool,
        version: str,
        private_words: PrivateWords,
    ) -> None:
        """Render pages.

        Args:
            public_url: Where visitors reach this server.
            zone: In which moments are shown.
            default_language: For visitors whose browser asks for none that we have.
            captures: Whether anything that would be sent lands in the inbox instead.
            version: Of the program.
            private_words: Seals what people search for.
        """
        parts = urlsplit(public_url)
        #: Scheme, host and port of our own pages.
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.public_url = public_url
        #: Path of the console, without the slash at its end.
        self.base = parts.path.rstrip("/") + "/console"
        #: Whether visitors come over TLS, so that cookies can be kept from everything else.
        self.is_secure = parts.scheme == "https"
        self.zone = zone
        self.captures = captures
        self.private_words = private_words
        self.files = Files()
        self._default_language = default_language
        self._environments = environments()
        for language, environment in self._environments.items():
            environment.globals |= {
                "url": self.url,
                "file": self._file,
                "stylesheet": self._stylesheet,
                "script": self._script,
                "areas": [(path, words(language).gettext(name)) for path, name in AREAS],
                "captures": captures,
                "program_version": version,
                "public_url": public_url,
            }
            environment.filters["moment"] = self.moment
        self._headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            ),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Referrer-Policy": "same-origin",
            "Vary": "Accept-Language, Cookie",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex, nofollow, noarchive",
        }

    def url(self, path: str, **query: object) -> str:
        """Where a page of the console is.

        Empty values are left out, lists repeat their name, personal ones are sealed.
        """
        given = {name: value for name, value in query.items() if value not in (None, "", False, [], ())}
        given = {name: 1 if value is True else self.private_words.sealed(name, value) for name, value in given.items()}
        return self.base + quote(path, safe="/") + ("?" + urlencode(given, doseq=True) if given else "")

    def words(self, language: str) -> gettext.NullTranslations:
        """The catalogue of a language."""
        return words(language)

    def language_of(self, request: Request) -> str:
        """The language that a visitor chose, or whose browser asks for."""
        for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
            if chosen in LANGUAGES:
                return chosen
        return accepted_language(request.headers.get("accept-language", "")) or self._default_language

    def moment(self, text: str | int | None) -> Markup:
        """A moment of the API (ISO 8601, or milliseconds) as an element that shows it in the operator's zone."""
        if text in (None, ""):
            return Markup("–")
        if isinstance(text, int):
            moment = datetime.fromtimestamp(text / 1000, UTC)
        else:
            try:
                moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
            except ValueError:
                return escape(str(text))
            moment = moment if moment.tzinfo else moment.replace(tzinfo=self.zone)
        shown = moment.astimezone(self.zone)
        return Markup('<time datetime="{}">{}</time>').format(
            moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"), f"{shown:%Y-%m-%d %H:%M}"
        )

    def page(self, visit: Visit, template: str, *, title: str, status: int = 200, **values: Any) -> Response:
        """A page for somebody signed in."""
        said = unquote(visit.request.cookies.get(_SAID_COOKIE, ""))[:_LONGEST_NOTICE]
        response = self._render(
            visit.request,
            visit.language,
            template,
            status=status,
            title=title,
            said=said,
            visit=visit,
            csrf_token=visit.csrf,
            **values,
        )
        if said:
            response.delete_cookie(_SAID_COOKIE, path=self.base + "/")
        return response

    def open_page(self, request: Request, template: str, *, title: str, status: int = 200, **values: Any) -> Response:
        """A page for somebody who is not signed in."""
        language = self.language_of(request)
        title = words(language).gettext(title)
        return self._render(
            request, language, template, status=status, title=title, said="", visit=None, csrf_token="", **values
        )

    def go(self, where: str, *, said: str = "") -> Response:
        """Send the browser on, with a notice there."""
        response = RedirectResponse(where, 303, headers={"Cache-Control": "no-store"})
        if said:
            response.set_cookie(
                _SAID_COOKIE,
                quote(said[:_LONGEST_NOTICE]),
                max_age=60,
                path=self.base + "/",
                secure=self.is_secure,
                httponly=True,
                samesite="lax",
            )
        return response

    def refused(self, visit: Visit, refusal: ApiError) -> Response:
        """The page about a refusal."""
        _ = words(visit.language).gettext
        definition = refusal.definition
        if definition is errors.NO_PERMISSION:
            kind, title = "permission", _("You may not do this")
        elif definition is errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY:
            kind, title = "directory", _("There is no directory yet")
        elif definition.status == 404:
            kind, title = "missing", _("This does not exist")
        elif definition.status >= 500:
            kind, title = "trouble", _("That did not work")
        else:
            kind, title = "refused", _("That was refused")
        return self.page(visit, "refused.html", title=title, status=definition.status, kind=kind, refusal=refusal)

    def stream(self, events: AsyncIterator[Event]) -> Response:
        """Server-sent events, for a while."""
        headers = {name: value for name, value in self._headers.items() if name != "Content-Security-Policy"}
        return StreamingResponse(_sent(events), headers=headers, media_type="text/event-stream")

    def _render(self, request: Request, language: str, template: str, *, status: int, **values: Any) -> Response:
        path = request.url.path
        _, _, below = path.partition("/console")
        languages = [
            (LANGUAGES[name], _LANGUAGE_NAMES[name], self.url("/language", to=name, back=below or "/"))
            for name in LANGUAGES
        ]
        html = (
            self._environments[language]
            .get_template(template)
            .render(**values, languages=languages, here=below or "/", area=_area(below))
        )
        return HTMLResponse(html, status, headers={**self._headers, "Content-Language": LANGUAGES[language]})

    def _file(self, name: str) -> str:
        return f"{self.base}/static/{self.files.name(name)}"

    def _stylesheet(self, name: str) -> Markup:
        return Markup('<link rel="stylesheet" href="{}">').format(self._file(name))

    def _script(self, name: str) -> Markup:
        return Markup('<script type="module" src="{}"></script>').format(self._file(name))


def _area(below: str) -> str:
    """The area of the navigation that a path belongs to; empty for none."""
    found = [path for path, _ in AREAS if below == path or (path != "/" and below.startswith(path + "/"))]
    return found[0] if found else ""


async def _sent(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    """Events as they stand on the wire, until they end or the time is up."""
    yield b"retry: 1000\n\n"
    deadline = asyncio.get_running_loop().time() + STREAM_SECONDS
    try:
        while True:
            async with asyncio.timeout_at(deadline):
                event = await anext(events)
            lines = "".join(f"data: {line}\n" for line in event.data.split("\n"))
            named = f"id: {event.event_id}\n" if event.event_id else ""
            yield f"{named}event: {event.name}\n{lines}\n".encode()
    except (TimeoutError, StopAsyncIteration):
        return
    except ApiError as refusal:  # the right was taken away meanwhile: the page finds out when it asks again
        log.info("console_stream_ended", code=refusal.definition.code)
