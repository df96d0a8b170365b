"""The console, opened as browsers open it, without a server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.harness import KEY_ID, SECRET, Api, open_api

HOST = "127.0.0.1:8080"
#: Elements that have no end.
_VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass
class Element:
    """A tag, and what stands in it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)


class Page(HTMLParser):
    """What a page is made of, as far as tests ask; refuses tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert [element.tag for element in self._open] == [], "elements without an end"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value if value is not None else "" for name, value in attrs})
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "li", "dt", "dd", "option", "tr", "td", "th"}:
            while self._open[-1].tag != tag:
                assert self._open[-1].tag in {"p", "li", "dt", "dd", "option"}, (tag, self._open[-1])
                self._open.pop()
        assert self._open[-1].tag == tag, (tag, self._open[-1])
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of a tag with these attributes; `class_` and the like lose their underscore."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(
                value in element.get(name).split() if name == "class" else element.attributes.get(name) == value
                for name, value in wanted.items()
            )
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        """The only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, (tag, attributes, [element.attributes for element in self.all(tag)])
        return found[0]

    @property
    def text(self) -> str:
        return " ".join(self.all("body")[0].text.split())

    @property
    def title(self) -> str:
        return " ".join(self.one("h1").text.split())

    def value(self, name: str) -> str:
        """What a field of a form holds."""
        found = [element for element in self.elements if element.get("name") == name]
        assert found, name
        first = found[0]
        return first.text.removeprefix("\n") if first.tag == "textarea" else first.get("value")


@dataclass
class Answer:
    """What the console answered."""

    status: int
    headers: dict[str, str]
    body: bytes
    #: Set-Cookie lines.
    cookies: list[str] = field(default_factory=list)

    @property
    def html(self) -> str:
        return self.body.decode("utf-8")

    @property
    def page(self) -> Page:
        return Page(self.html)


@dataclass
class Console:
    """A browser without scripts, on a service in this process."""

    api: Api
    jar: dict[str, str] = field(default_factory=dict)
    language: str = "en"

    async def sign_in(self, key_id: str = KEY_ID, secret: str = SECRET) -> Answer:
        """Sign in as people do."""
        return await self.request(
            "POST", "/console/sign-in", fields={"access_key_id": key_id, "access_key_secret": secret}
        )

    async def listen(self, path: str, until: str) -> Answer:
        """What a stream tells, up to where it has told this text; all of it if it ends before."""
        return await self.request("GET", _whole(path), until=until)

    async def open(self, path: str, **headers: str) -> Answer:
        """A page, after redirects; paths are the console's (`/contacts`) or whole ones."""
        answer = await self.request("GET", _whole(path), headers=headers)
        for _ in range(5):
            if answer.status not in {302, 303, 307, 308}:
                return answer
            answer = await self.request("GET", answer.headers["location"], headers=headers)
        raise AssertionError("redirected for ever")

    async def submit(self, path: str, fields: Mapping[str, Any] | None = None, *, follow: bool = True) -> Answer:
        """Send a form as one of the console's pages would, its token included; lists repeat their name."""
        token = (await self.request("GET", "/console/session")).page.all("input", name="csrf")[0]["value"]
        answer = await self.request("POST", _whole(path), fields={"csrf": token, **(fields or {})})
        if follow and answer.status == 303:
            return await self.open(answer.headers["location"])
        return answer

    async def request(
        self,
        method: str,
        path: str,
        *,
        fields: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        until: str | None = None,
    ) -> Answer:
        """One request, as it goes over the wire; redirects are not followed.

        Args:
            until: Hang up as soon as the answer has this text in it.
        """
        body = b"" if fields is None else urlencode(fields, doseq=True).encode()
        sent = {"host": HOST, "accept-language": self.language, **(headers or {})}
        if fields is not None:
            sent["content-type"] = "application/x-www-form-urlencoded"
        if method == "POST":
            sent.setdefault("sec-fetch-site", "same-origin")
        if self.jar:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        path, _, query = path.partition("?")
        path = re.sub(r"^https?://[^/]+", "", path)
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "server": ("127.0.0.1", 8080),
            "client": ("203.0.113.9", 50000),
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in sent.items()],
        }
        waiting = [{"type": "http.request", "body": body, "more_body": False}]
        got: dict[str, Any] = {"status": 0, "headers": [], "body": b""}

        answered = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if not waiting:
                await answered.wait()
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                got["status"], got["headers"] = message["status"], message["headers"]
            else:
                got["body"] += message.get("body", b"")
                if not message.get("more_body") or (until is not None and until.encode() in got["body"]):
                    answered.set()

        await self.api.service.app(scope, receive, send)
        cookies = [value.decode() for name, value in got["headers"] if name == b"set-cookie"]
        for line in cookies:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.jar.pop(name, None)
                else:
                    self.jar[name] = morsel.value
        plain = {name.decode().lower(): value.decode() for name, value in got["headers"]}
        return Answer(got["status"], plain, got["body"], cookies)


def _whole(path: str) -> str:
    return path if path.startswith(("/console", "http")) else "/console" + path


@pytest.fixture
async def console(api: Api) -> Console:
    """The console of the tests' service, signed in with the root key."""
    opened = Console(api)
    assert (await opened.sign_in()).status == 303
    return opened


@pytest.fixture
async def stranger(api: Api) -> Console:
    """The same, not signed in."""
    return Console(api)


@pytest.fixture
async def safe_console(database_path: Path) -> AsyncIterator[Console]:
    """The console of a service that is reached over TLS, not signed in."""
    async with open_api(database_path, {"public_url": "https://contacts.example.com", "allow_capture": True}) as api:
        yield Console(api)
