"""From a template to an answer: language, links, and the headers that keep a page to itself."""

from __future__ import annotations

import base64
import hashlib
from datetime import tzinfo
from pathlib import Path
from urllib.parse import quote, urlsplit

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from message_contacts.verification.service import View
from message_contacts.verification.texts.catalogue import LANGUAGES, environments
from message_contacts.verification.texts.shown import shown_moment, shown_organisation

_NAMES = {"zh": "中文", "en": "English"}
_FOLDER = Path(__file__).parent


class PageRenderer:
    """Renders verification pages in the visitor's language."""

    def __init__(self, *, public_url: str, zone: tzinfo, default_language: str) -> None:
        parts = urlsplit(public_url)
        #: Scheme, host and port of our own pages.
        self.origin = f"{parts.scheme}://{parts.netloc}"
        #: Path of the form for reference and code.
        self.code_page = parts.path.rstrip("/") + "/verify/"
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
        **fields: object,
    ) -> Response:
        """An answer with a page.

        Args:
            template: Its name without `.html`.
            view: What the page is about, if it is about a verification.
            may_refuse: Whether "this was not me" is offered.
        """
        asked = request.query_params.get("lang")
        chosen = asked if asked in LANGUAGES else None
        language = chosen or accepted_language(request.headers.get("accept-language", "")) or self._default_language
        token = request.path_params.get("token")
        query = f"?lang={chosen}" if chosen else ""
        link = self.code_page + quote(token, safe="") if token else None
        here = self._here(request)
        if view is not None:
            fields |= {
                "view": view,
                "organisation": shown_organisation(view.organisation),
                "valid_until": None if view.valid_until is None else shown_moment(view.valid_until, self._zone),
                "confirmed_at": None if view.confirmed_at is None else shown_moment(view.confirmed_at, self._zone),
            }
        html = (
            self._environments[language]
            .get_template(f"{template}.html")
            .render(
                **fields,
                languages=[(LANGUAGES[name], _NAMES[name], f"{here}?lang={name}") for name in LANGUAGES],
                code_page=self.code_page + query,
                confirm=f"{link}{query}",
                # On /take-back a page may again offer to confirm, so its form does not just go where it came from.
                here=(link if link and template == "ready" else here) + query,
                not_me=f"{link}/not-me{query}" if link and may_refuse else None,
                take_back=f"{link}/take-back{query}" if link else None,
            )
        )
        return HTMLResponse(html, status, headers={**self.headers, "Content-Language": LANGUAGES[language]})

    def _here(self, request: Request) -> str:
        """The path of this page as the visitor sees it: what follows `/verify/`, below our own."""
        _, _, rest = request.url.path.partition("/verify/")
        return self.code_page + quote(rest, safe="/")


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
