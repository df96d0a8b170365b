"""A real browser (Debian's Chromium, driven by Playwright) on a real service, as one person at a time uses it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Request, async_playwright, expect

from message_contacts.cli.api_client import Endpoint
from message_contacts.protocol.parameters import flattened
from tests.conformance.service import RunningService, running_service

#: Where Debian's and other distributions' Chromium may be.
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
#: What axe calls serious; lesser findings are advice.
_SERIOUS = {"serious", "critical"}


@dataclass(frozen=True)
class Tenant:
    """An account of the running service that no other test uses, and its root key."""

    base_url: str
    account_id: str
    key_id: str
    secret: str
    #: The console's address.
    console: str

    def call(self, action: str, version: str = "2022-04-19", **parameters: Any) -> dict[str, Any]:
        """A signed call of the API."""
        endpoint = Endpoint(url=self.base_url, access_key_id=self.key_id, access_key_secret=self.secret)
        return endpoint.call(version, action, flattened(parameters))

    def as_key(self, key_id: str, secret: str) -> Tenant:
        """The same account, called with another key."""
        return Tenant(self.base_url, self.account_id, key_id, secret, self.console)


@pytest.fixture(scope="module")
def service_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module's service keeps everything."""
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def service(service_folder: Path) -> Iterator[RunningService]:
    """One service for all tests of a module."""
    with running_service(service_folder) as running:
        yield running


@pytest.fixture
def tenant(service: RunningService, service_folder: Path, request: pytest.FixtureRequest) -> Tenant:
    """An account of this test's own, with an enabled directory."""
    command = [str(Path(sys.executable).with_name("message-contacts")), "account", "create"]
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("MESSAGE_CONTACTS_")},
        "MESSAGE_CONTACTS_DATABASE_URL": f"sqlite:///{service_folder / 'contacts.db'}",
    }
    made = subprocess.run(
        [*command, name, "--json"], env=environment, cwd=service_folder, check=True, capture_output=True, text=True
    )
    found = json.loads(made.stdout)
    return Tenant(
        service.base_url,
        found["AccountId"],
        found["AccessKeyId"],
        found["AccessKeySecret"],
        f"{service.base_url}/console",
    )


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium of this test's own."""
    program = next((path for path in map(shutil.which, _CHROMIUM) if path), None)
    assert program, "Chromium is missing: on Debian, apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        await browser.close()


@dataclass
class Complaints:
    """What the browser said about a page that it should not have had to say."""

    lines: list[str]


@pytest.fixture
def complaints() -> Complaints:
    """Errors on the browser's console, of all pages of the test."""
    return Complaints([])


#: Lines of the service's log that the report of a failure shows.
_LOG_SHOWN = 40


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Have a failure tell what the browser and the service said: by then, both are gone."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        complaints, folder = item.funcargs.get("complaints"), item.funcargs.get("service_folder")
        if complaints is not None:
            report.sections.append(("said by the browser", "\n".join(complaints.lines)))
        if folder is not None:
            logged = (folder / "service.log").read_text().splitlines()[-_LOG_SHOWN:]
            report.sections.append(("logged by the service", "\n".join(logged)))
    return report


OpenTab = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_tab(browser: Browser, complaints: Complaints) -> AsyncIterator[OpenTab]:
    """Opens a page that nobody has signed in to."""
    contexts = []

    async def open_(**options: Any) -> Page:
        context = await browser.new_context(**{"viewport": DESKTOP, "locale": "en-GB", **options})
        context.set_default_timeout(15_000)
        expect.set_options(timeout=15_000)  # its own default is 5 s, which a busy machine may take to delete a contact
        contexts.append(context)
        page = await context.new_page()
        page.on("console", lambda said: complaints.lines.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.lines.append(str(error)))
        page.on("requestfailed", lambda request: complaints.lines.extend(_failed(request)))
        return page

    yield open_
    for context in contexts:
        await context.close()


def _failed(request: Request) -> list[str]:
    # A page that is left ends what it still listens to.
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.url}: {request.failure}"]


async def sign_in(page: Page, tenant: Tenant) -> None:
    """Sign in by keyboard, as people with a password manager would not."""
    await page.goto(f"{tenant.console}/sign-in")
    await page.get_by_label("Access key ID").fill(tenant.key_id)
    await page.get_by_label("Access key secret").fill(tenant.secret)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: "/sign-in" not in url)


@pytest.fixture
async def tab(open_tab: OpenTab, tenant: Tenant) -> Page:
    """A page on a desktop, signed in with the tenant's root key."""
    page = await open_tab()
    await sign_in(page, tenant)
    return page


CheckPage = Callable[[Page], Awaitable[None]]


@pytest.fixture
def check_page(complaints: Complaints) -> CheckPage:
    """Fails for serious findings of axe, errors of the browser, or a page wider than its window."""

    async def check(page: Page) -> None:
        # What is still fading in has less contrast than it will have.
        await page.evaluate("Promise.allSettled(document.getAnimations().map((each) => each.finished))")
        found = (await Axe().run(page)).response["violations"]
        serious = [
            f"{entry['id']}: {node['html']} ({node['failureSummary']})"
            for entry in found
            if entry["impact"] in _SERIOUS
            for node in entry["nodes"]
        ]
        assert serious == []
        assert complaints.lines == []
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"the page is {wide} pixels wider than its window"

    return check
