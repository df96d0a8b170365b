"""From a template to an answer: language, links, and the headers that keep a page to itself."""

from __future__ import annotations

import base64
import hashlib
from datetime import tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from message_contacts.verification.service import View
from message_contacts.verification.texts.catalogue import LANGUAGES, environments
from message_contacts.verification.texts.shown import shown_moment, shown_organisation

_NAMES = {"zh": "中文", "en": "English"}
#: How the paths of pages begin.
_PAGES = ("/verify/", "/unsubscribe/", "/preferences/")
_FOLDER = Path(__file__).parent


class PageRenderer:
    """Renders pages in the visitor's language."""

    def __init__(self, *, public_url: str, zone: tzinfo, default_language: str = "zh") -> None:
        """Load templates and words.

        Args:
            public_url: Where visitors reach this server; decides links and which origin is our own.
            zone: In which moments are shown.
            default_language: For visitors whose browser asks for none that we have.
        """
        parts = urlsplit(public_url)
        #: Scheme, host and port of our own pages.
        self.origin = f"{parts.scheme}://{parts.netloc}"
        #: Path below which all pages are, without the slash at its end.
        self.base = parts.path.rstrip("/")
        #: Path of the form for reference and code.
        self.code_page = self.base + "/verify/"
        self._zone = zone
        self._default_language = default_language
        self._environments = environments(_FOLDER, tuple(LANGUAGES))
        style = (_FOLDER / "templates" / "verification.css").read_text(encoding="utf-8")
        for environment in self._environments.values():
            environment.globals["style"] = Markup(style)  # noqa: S704 - our own file
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
        #: Headers of every answer.
        self.headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
                "frame-ancestors 'none'"
            ),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept-Language",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex, nofollow, noarchive",
        }

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int,
        view: View | None = None,
        may_refuse: bool = False,
        **fields: Any,
    ) -> Response:
        """An answer with a page.

        Args:
            template: Its name without `.html`.
            view: What the page is about, if it is about a verification.
            may_refuse: Whether "this was not me" is offered.
        """
        token = request.path_params.get("token")
        query = self.language_query(request)
        link = self.code_page + quote(token, safe="") if token else None
        here = self.here(request)
        if view is not None:
            fields |= {
                "view": view,
                "organisation": shown_organisation(view.organisation),
                "valid_until": None if view.valid_until is None else shown_moment(view.valid_until, self._zone),
                "confirmed_at": None if view.confirmed_at is None else shown_moment(view.confirmed_at, self._zone),
            }
        return self.render(
            request,
            template,
            status=status,
            **fields,
            code_page=self.code_page + query,
            confirm=f"{link}{query}",
            # On /take-back a page may again offer to confirm, so its form does not just go where it came from.
            here=(link if link and template == "ready" else here) + query,
            not_me=f"{link}/not-me{query}" if link and may_refuse else None,
            take_back=f"{link}/take-back{query}" if link else None,
        )

    def render(self, request: Request, template: str, *, status: int, language: str = "", **fields: Any) -> Response:
        """An answer with any page of ours.

        Args:
            template: Its name without `.html`.
            language: That of the visitor; empty when it is not known; what the page was asked for in goes before it.
        """
        spoken = (
            self._asked_language(request)
            or language
            or accepted_language(request.headers.get("accept-language", ""))
            or self._default_language
        )
        here = self.here(request)
        languages = [(LANGUAGES[name], _NAMES[name], f"{here}?lang={name}") for name in LANGUAGES]
        html = (
            self._environments[spoken]
            .get_template(f"{template}.html")
            .render(**fields, languages=languages, language_names=_NAMES)
        )
        return HTMLResponse(html, status, headers={**self.headers, "Content-Language": LANGUAGES[spoken]})

    def language_query(self, request: Request) -> str:
        """What links have to end with so that a chosen language stays."""
        chosen = self._asked_language(request)
        return f"?lang={chosen}" if chosen else ""

    @staticmethod
    def _asked_language(request: Request) -> str | None:
        asked = request.query_params.get("lang")
        return asked if asked in LANGUAGES else None

    def here(self, request: Request) -> str:
        """The path of this page as the visitor sees it: from the name of the page on, below our own."""
        path = request.url.path
        for name in _PAGES:
            _, found, rest = path.partition(name)
            if found:
                return self.base + name + quote(rest, safe="/")
        return self.code_page


def accepted_language(header: str) -> str | None:
    """The language of ours that a browser's Accept-Language likes best; None when it names none of them."""
    best, best_weight = None, 0.0
    for entry in header[:400].split(","):
        tag, _, parameter = entry.partition(";")
        language = tag.strip().lower().partition("-")[0]
        name, _, value = parameter.partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best
