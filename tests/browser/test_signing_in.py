"""Signing in and out, in a real browser."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, CheckPage, OpenTab, Tenant, sign_in


async def test_a_visitor_signs_in_and_out_by_keyboard(open_tab: OpenTab, tenant: Tenant, check_page: CheckPage) -> None:
    page = await open_tab()
    await sign_in(page, tenant)
    await page.goto(f"{tenant.console}/session")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Signed in")
    await check_page(page)

    await page.get_by_role("button", name="Sign out", exact=True).focus()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await page.goto(f"{tenant.console}/session")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_signing_in_is_fit_for_a_phone_in_the_dark_in_chinese(
    open_tab: OpenTab, tenant: Tenant, check_page: CheckPage
) -> None:
    page = await open_tab(viewport=PHONE, color_scheme="dark", locale="zh-CN")
    await page.goto(f"{tenant.console}/sign-in")

    await expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    await check_page(page)


async def test_signing_in_works_without_scripts(open_tab: OpenTab, tenant: Tenant) -> None:
    page = await open_tab(java_script_enabled=False)

    await sign_in(page, tenant)

    await page.goto(f"{tenant.console}/session")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Signed in")


async def test_signing_out_everywhere_ends_the_other_browser_too(
    tab: Page, open_tab: OpenTab, tenant: Tenant, check_page: CheckPage
) -> None:
    other = await open_tab()
    await sign_in(other, tenant)
    await tab.goto(f"{tenant.console}/session")
    await expect(tab.locator("tbody tr")).to_have_count(2)
    await check_page(tab)

    await tab.get_by_role("button", name="Sign out everywhere").click()

    await other.goto(f"{tenant.console}/session")
    await expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_on_a_phone_the_present_area_is_in_sight(open_tab: OpenTab, tenant: Tenant) -> None:
    page = await open_tab(viewport=PHONE)
    await sign_in(page, tenant)

    await page.goto(f"{tenant.console}/audit")

    await expect(page.get_by_role("link", name="Audit", exact=True)).to_be_in_viewport(ratio=1)
