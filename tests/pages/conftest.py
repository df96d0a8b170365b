"""The pages, opened as browsers open them, without a server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

from message_contacts.console.page_renderer import PageRenderer
from message_contacts.console.verification_pages import verification_pages
from tests.fakes.verifications import FakeVerifications

ORIGIN = "https://contacts.example.com"


def make_renderer(public_url: str = ORIGIN) -> PageRenderer:
    return PageRenderer(public_url=public_url, zone=timezone(timedelta(hours=8)))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def page(self) -> Page:
        page = Page()
        page.feed(self.text)
        page.close()
        return page


class Page(HTMLParser):
    """What a page is made of, as far as the tests ask."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


class Browser:
    """Opens addresses of the pages."""

    def __init__(self, application: Starlette) -> None:
        self._application = application

    async def open(
        self,
        path: str,
        method: str = "GET",
        *,
        fields: dict[str, str] | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        path, _, query = path.partition("?")
        sent = {"host": "contacts.example.com", **(headers or {})}
        if fields is not None:
            body = urlencode(fields).encode()
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": ("198.51.100.7", 4711),
            "server": ("127.0.0.1", 8080),
        }
        messages = []

        async def receive() -> dict:
            return {"type": "http.request", "body": body or b"", "more_body": False}

        async def send(message: dict) -> None:
            messages.append(message)

        await self._application(scope, receive, send)
        start = messages[0]
        return Answer(
            start["status"],
            {name.decode(): value.decode() for name, value in start["headers"]},
            b"".join(message.get("body", b"") for message in messages[1:]).decode(),
        )


@pytest.fixture
def service() -> FakeVerifications:
    return FakeVerifications()


@pytest.fixture
def browser(service: FakeVerifications) -> Browser:
    return Browser(verification_pages(service, make_renderer()))
