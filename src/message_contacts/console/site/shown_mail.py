"""Mail as it looks, in a frame that can do nothing: no scripts, no forms, nothing fetched; links open outside of it."""

from __future__ import annotations

import re

from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

_HEAD = re.compile(r"<head(\s[^>]*)?>", re.IGNORECASE)
_OUTSIDE = '<base target="_blank">'
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
#: Addresses in plain text, without the punctuation that follows them.
_ADDRESS = re.compile(r"https?://[^\s<>\"'“”‘’，。；、（）]+[^\s<>\"'“”‘’，。；、（）.,;:!?)\]}]")


def shown_mail(html: str) -> Response:
    """The HTML of a mail as a page for a frame."""
    head = _HEAD.search(html)
    page = f"{html[: head.end()]}{_OUTSIDE}{html[head.end() :]}" if head else f"{_OUTSIDE}{html}"
    return HTMLResponse(page, headers=_HEADERS)


def linked(text: str) -> Markup:
    """Plain text with its web addresses as links that open outside."""
    parts, end = [], 0
    for found in _ADDRESS.finditer(text):
        parts.append(escape(text[end : found.start()]))
        parts.append(Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>').format(found[0]))
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])
