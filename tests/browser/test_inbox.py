"""The captured inbox, in a real browser."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, CheckPage, OpenTab, Tenant, sign_in


async def test_mail_appears_by_itself_and_its_link_confirms_the_address(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    await tab.goto(f"{tenant.console}/inbox")
    await expect(tab.get_by_text("The inbox is empty")).to_be_visible()
    await check_page(tab)
    contact = tenant.call(
        "AddMessageContact",
        Name="Tom",
        EmailAddress="tom@example.com",
        Title="CEO",
        MessageTypes=["SecurityMessage"],
    )["Contact"]["ContactId"]
    tenant.call("SendEmailVerificationForMessageContact", ContactId=contact, EmailAddress="tom@example.com")

    entry = tab.locator("#messages li.new")
    await expect(entry).to_contain_text("tom@example.com")
    await expect(tab.get_by_text("The inbox is empty")).to_be_hidden()
    await entry.get_by_role("link").click()
    frame = tab.frame_locator("iframe.mail")
    await check_page(tab)
    async with tab.context.expect_page() as opened:
        await frame.locator("a[href*='/verify/']").first.click()
    page = await opened.value
    await page.locator("form button").first.click()
    await page.wait_for_load_state()

    shown = tenant.call("GetMessageContact", ContactId=contact)["Contact"]
    assert shown["Status"] == "Active"
    await expect(tab.locator("pre a[href*='/verify/']").first).to_be_visible()


async def test_the_inbox_is_read_on_a_phone_one_thing_at_a_time(
    open_tab: OpenTab, tenant: Tenant, check_page: CheckPage
) -> None:
    tenant.call("SetFallbackAddress", "2026-11-01", EmailAddress="duty@example.com")
    tenant.call("ListInboxMessages", "2026-11-01", WaitSeconds=20)
    page = await open_tab(viewport=PHONE, color_scheme="dark")
    await sign_in(page, tenant)
    await page.goto(f"{tenant.console}/inbox")

    await expect(page.locator("article.reader")).to_be_hidden()
    await check_page(page)
    await page.get_by_role("link", name=re.compile("duty@example.com")).click()
    await expect(page.locator("article.reader")).to_contain_text("duty@example.com")
    await expect(page.locator("section.list")).to_be_hidden()
    await check_page(page)
    await page.get_by_role("link", name="Back to the list").click()

    await expect(page.locator("section.list")).to_be_visible()


async def test_the_inbox_is_cleared_after_a_question(tab: Page, tenant: Tenant, check_page: CheckPage) -> None:
    tenant.call("SetFallbackAddress", "2026-11-01", EmailAddress="duty@example.com")
    tenant.call("ListInboxMessages", "2026-11-01", WaitSeconds=20)
    await tab.goto(f"{tenant.console}/inbox")

    await tab.get_by_role("link", name="Clear").click()
    await check_page(tab)
    await tab.get_by_role("button", name="Clear").click()

    await expect(tab.get_by_text("1 message was taken away.")).to_be_visible()
    await expect(tab.get_by_text("The inbox is empty")).to_be_visible()
