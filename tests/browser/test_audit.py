"""The audit trail, in a real browser: finding an event, checking the chain, taking events away."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

from playwright.async_api import Page, Route, expect

from tests.browser.conftest import PHONE, CheckPage, OpenTab, Tenant, sign_in

OWN = "2026-11-01"
_CSRF = re.compile(r'<input type="hidden" name="csrf" value="[^"]*">')
_CHECK = re.compile(r'<div id="check">.*(?=<p class="help">)', re.DOTALL)


def some_events(tenant: Tenant) -> str:
    """A folder that was renamed; its id."""
    folder: str = tenant.call("CreateFolder", FolderName="Finance")["Folder"]["FolderId"]
    tenant.call("UpdateFolder", FolderId=folder, NewFolderName="Money")
    return folder


async def test_an_event_is_found_and_shows_what_changed(tab: Page, tenant: Tenant, check_page: CheckPage) -> None:
    folder = some_events(tenant)
    await tab.goto(f"{tenant.console}/audit")
    await check_page(tab)
    await tab.get_by_label("About (id)").fill(folder)
    await tab.keyboard.press("Enter")
    rows = tab.locator("tbody tr")
    await expect(rows).to_have_count(2)
    await rows.filter(has_text="UpdateFolder").get_by_role("link").first.click()

    await expect(tab.get_by_role("heading", level=1)).to_have_text("UpdateFolder")
    await expect(tab.get_by_role("row", name="name Finance Money")).to_be_visible()
    await check_page(tab)


async def test_the_chain_is_checked_from_a_head_that_was_noted(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    some_events(tenant)
    await tab.goto(f"{tenant.console}/audit/check")
    await check_page(tab)
    await _sealed(tenant, 3)
    await tab.get_by_role("button", name="Check now").click()
    await expect(tab.get_by_role("heading", name="Unbroken Nothing was changed afterwards")).to_be_visible()
    await check_page(tab)
    head = await tab.locator("#head").inner_text()

    await tab.get_by_label("Heads noted earlier").fill(f"{head}\n1:{'ab' * 32}")
    await tab.get_by_role("button", name="Check again").click()

    await expect(tab.get_by_role("heading", name="Broken The chain is broken")).to_be_visible()
    await expect(tab.get_by_text("sequence 1 has another hash than the one noted")).to_be_visible()
    await check_page(tab)


async def _sealed(tenant: Tenant, events: int) -> None:
    """Wait until so many events of the tenant have their place in the chain."""
    for _ in range(100):
        if tenant.call("VerifyAuditTrail", OWN)["Head"]["Sequence"] >= events:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("nothing is sealed")


async def test_a_long_check_goes_on_by_itself(tab: Page, tenant: Tenant) -> None:
    """A server that looks at few events at a time is played: the page asks again until it is at the end."""
    await _sealed(tenant, 1)
    whole = "**/console/audit/check"
    asked = 0

    async def in_parts(route: Route) -> None:
        nonlocal asked
        if route.request.method == "GET":
            await route.continue_()
            return
        asked += 1
        answer = await route.fetch()
        html = await answer.text()
        if asked < 4:
            going_on = (
                '<div id="check"><h2 id="result">Looking …</h2><form method="post" '
                f'action="{tenant.console}/audit/check" data-go-on>{_CSRF.search(html)[0]}</form></div>'  # type: ignore[index]
            )
            html = _CHECK.sub(going_on, html)
        await route.fulfill(response=answer, body=html)

    await tab.route(whole, in_parts)
    await tab.goto(f"{tenant.console}/audit/check")
    await tab.get_by_role("button", name="Check now").click()

    await expect(tab.get_by_role("heading", name="Unbroken Nothing was changed afterwards")).to_be_visible()
    assert asked == 4


async def test_events_are_taken_away_as_json_lines(tab: Page, tenant: Tenant) -> None:
    some_events(tenant)
    await tab.goto(f"{tenant.console}/audit?operation=UpdateFolder")
    async with tab.expect_download() as taken:
        await tab.get_by_role("link", name="Export as JSON lines").click()

    lines = await asyncio.to_thread(Path(await (await taken.value).path()).read_text, "utf-8")
    (event,) = [json.loads(line) for line in lines.splitlines()]
    assert event["Operation"] == "UpdateFolder"


async def test_the_audit_is_fit_for_a_phone_in_the_dark_in_chinese(
    open_tab: OpenTab, tenant: Tenant, check_page: CheckPage
) -> None:
    some_events(tenant)
    event = tenant.call("ListAuditEvents", OWN, Operation="UpdateFolder")["Events"][0]["EventId"]
    page = await open_tab(viewport=PHONE, color_scheme="dark")
    await sign_in(page, tenant)
    await page.goto(f"{tenant.console}/language?to=zh")
    for path in ("audit", f"audit/events/{event}", "audit/check", "audit?kind=refusal"):
        await page.goto(f"{tenant.console}/{path}")
        await check_page(page)
