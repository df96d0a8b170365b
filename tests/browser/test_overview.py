"""The first page, in a real browser."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, CheckPage, OpenTab, Tenant, sign_in


async def test_the_first_page_begins_with_what_to_do_and_then_shows_who_is_reached(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    await tab.goto(f"{tenant.console}/")
    await expect(tab.get_by_role("heading", name="Where to begin")).to_be_visible()
    await check_page(tab)
    sales = tenant.call("CreateFolder", FolderName="Sales")["Folder"]["FolderId"]
    tenant.call("CreateResourceAccount", DisplayName="shop", ParentFolderId=sales)

    await tab.reload()
    await check_page(tab)
    await tab.get_by_role("link", name="Sales (folder)").click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Coverage")
    await check_page(tab)
    await tab.get_by_label("Wanted for each type").select_option("2")
    await expect(tab).to_have_url(re.compile(f"folder={sales}&at_least=2"))
    await tab.get_by_role("link", name="shop").click()

    await expect(tab.get_by_role("heading", level=1)).to_have_text("shop")
    await check_page(tab)


async def test_the_first_page_is_fit_for_a_phone_in_the_dark(
    open_tab: OpenTab, tenant: Tenant, check_page: CheckPage
) -> None:
    tenant.call("CreateResourceAccount", DisplayName="shop")
    page = await open_tab(viewport=PHONE, color_scheme="dark")
    await sign_in(page, tenant)
    await page.goto(f"{tenant.console}/")

    await expect(page.get_by_role("table").first).to_be_visible()
    await check_page(page)
