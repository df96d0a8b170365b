"""The person whom a contact's addresses belong to: reads what was captured, opens the link, presses the button."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tests.conformance.driving import Driver

#: Version of our own operations.
_OWN = "2026-11-01"
#: Seconds that a message may take to arrive.
_PATIENCE = 10.0
_LINK = re.compile(r"https?://\S+")


class Person:
    """Somebody with a mailbox and a phone, both captured by the service."""

    def __init__(self, operator: Driver, base_url: str) -> None:
        self._operator = operator
        self._base_url = base_url

    def open_link(self, address: str) -> Page:
        """Open the link of the newest message to an address, more than once, as mail scanners do."""
        link = self._newest_link(address)
        assert link.startswith(f"{self._base_url}/verify/"), link
        visit("HEAD", link)
        visit("GET", link)
        status, headers, text = visit("GET", link)
        assert status == 200, text
        assert headers["Referrer-Policy"] == "no-referrer"
        return Page(link, text)

    def _newest_link(self, address: str) -> str:
        deadline = time.monotonic() + _PATIENCE
        while True:
            answer = self._operator.call("ListInboxMessages", {"Recipient": address}, version=_OWN)
            assert answer["ok"], answer
            if messages := answer["body"]["Messages"]:
                link = _LINK.search(messages[-1]["Text"])
                assert link, messages[-1]
                return link[0]
            assert time.monotonic() < deadline, f"nothing arrived for {address}"


@dataclass
class Form:
    """A form of a page that posts."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Page:
    """A page with one form that posts."""

    def __init__(self, url: str, text: str) -> None:
        forms = _Forms()
        forms.feed(text)
        assert len(forms.posting) == 1, text
        self._form = forms.posting[0]
        self._url = url

    def press_button(self) -> None:
        """Send the form."""
        content = urlencode(self._form.fields)
        status, _, text = visit("POST", urljoin(self._url, self._form.action), content)
        assert status == 200, text


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.posting: list[Form] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        if tag == "form":
            self._inside = given.get("method", "get").lower() == "post"
            if self._inside:
                self.posting.append(Form(given.get("action") or ""))
        elif tag in ("input", "button") and self._inside and given.get("name"):
            self.posting[-1].fields[given["name"]] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def visit(method: str, url: str, form: str | None = None) -> tuple[int, http.client.HTTPMessage, str]:
    """What a browser without scripts gets."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        headers = {} if form is None else {"content-type": "application/x-www-form-urlencoded"}
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, form, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()
