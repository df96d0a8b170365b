"""Writing, publishing and following a message, in a real browser."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.confirming import verified_contact
from tests.browser.conftest import PHONE, CheckPage, OpenTab, Tenant, sign_in

OURS = "2026-11-01"


async def test_a_message_is_written_tried_out_published_and_followed_to_its_delivery(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    folder = tenant.call("CreateFolder", FolderName="Sales")["Folder"]["FolderId"]
    tenant.call("CreateResourceAccount", DisplayName="shop", ParentFolderId=folder)
    verified_contact(tenant, "Tom", "tom@example.com", folder, types=["FaultMessage"])
    await tab.goto(f"{tenant.console}/messages")
    await check_page(tab)

    await tab.get_by_role("link", name="Write a message").first.click()
    await tab.get_by_label("Type", exact=True).select_option("FaultMessage")
    await tab.get_by_label("Subject").fill("Disk full")
    await tab.get_by_label("Text", exact=False).first.fill("The disk of the database is full.")
    await tab.get_by_text("Format the mail").click()
    await tab.get_by_label("The mail is made of").select_option("markdown")
    await tab.get_by_label("Markdown or HTML").fill("The disk is **full**: see https://status.example.com")
    await tab.get_by_label("Part of a name").fill("sho")
    await tab.keyboard.press("Enter")
    await tab.get_by_role("checkbox", name=re.compile("shop")).check()
    await expect(tab.locator(".chosen")).to_contain_text("shop")
    await check_page(tab)
    await tab.get_by_role("button", name="Preview and dry run").click()

    await expect(tab.get_by_text("Reaches everybody")).to_be_visible()
    await expect(tab.get_by_role("row", name=re.compile("tom@example.com"))).to_contain_text("Has this type")
    mail = tab.frame_locator("iframe[name=mail]")
    await expect(mail.locator("strong")).to_have_text("full")
    await check_page(tab)
    await tab.get_by_role("button", name="Publish", exact=True).click()

    await expect(tab.get_by_role("heading", level=1)).to_have_text("Disk full")
    await expect(tab.locator("#counts")).to_contain_text("1 of 1 deliveries have come to an end.")
    await expect(tab.get_by_role("link", name="tom@example.com")).to_be_visible()
    await check_page(tab)
    await tab.get_by_role("link", name="tom@example.com").click()

    await expect(tab.locator(".timeline")).to_contain_text("Captured in the inbox")
    await check_page(tab)
    assert len(tenant.call("ListMessages", OURS)["Messages"]) == 1


async def test_targets_are_chosen_by_keyboard_and_dropped_again(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    sales = tenant.call("CreateFolder", FolderName="Sales")["Folder"]["FolderId"]
    tenant.call("CreateResourceAccount", DisplayName="shop", ParentFolderId=sales)
    await tab.goto(f"{tenant.console}/messages/new")

    await tab.get_by_role("button", name="Open the folder Sales").focus()
    await tab.keyboard.press("Enter")
    shop = tab.get_by_role("checkbox", name=re.compile("shop"))
    await shop.focus()
    await tab.keyboard.press("Space")
    await expect(tab.locator(".chosen li")).to_have_count(1)
    await check_page(tab)
    await shop.focus()
    await tab.keyboard.press("Space")

    await expect(tab.locator(".chosen li")).to_have_count(0)
    await expect(tab.locator(".offered")).to_contain_text("shop")


async def test_a_message_is_published_without_scripts(open_tab: OpenTab, tenant: Tenant) -> None:
    folder = tenant.call("CreateFolder", FolderName="Sales")["Folder"]["FolderId"]
    tenant.call("CreateResourceAccount", DisplayName="shop", ParentFolderId=folder)
    verified_contact(tenant, "Tom", "tom@example.com", folder, types=["ServiceMessage"])
    page = await open_tab(java_script_enabled=False)
    await sign_in(page, tenant)
    await page.goto(f"{tenant.console}/messages/new")

    await page.get_by_label("Subject").fill("Hello")
    await page.get_by_label("Text", exact=False).first.fill("Something happened.")
    await page.get_by_role("button", name="Open the folder Sales").click()
    await expect(page.get_by_label("Subject")).to_have_value("Hello")
    await page.get_by_role("checkbox", name=re.compile("All of Sales")).check()
    await page.get_by_role("button", name="Preview and dry run").click()
    await page.get_by_role("button", name="Show the mail").click()
    await expect(page.frame_locator("iframe[name=mail]").locator("h1")).to_have_text("Hello")
    await page.get_by_role("button", name="Publish", exact=True).click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Hello")


async def test_what_messages_leave_is_fit_for_a_phone_in_the_dark_in_chinese(
    open_tab: OpenTab, tenant: Tenant, check_page: CheckPage
) -> None:
    member = tenant.call("CreateResourceAccount", DisplayName="shop")["Account"]["AccountId"]
    verified_contact(tenant, "Tom", "tom@example.com", member, types=["FaultMessage"])
    tenant.call("PublishMessage", OURS, MessageType="FaultMessage", Subject="Disk", Text="Full.", Targets=[member])
    page = await open_tab(viewport=PHONE, color_scheme="dark", locale="zh-CN")
    await sign_in_chinese(page, tenant)

    for path in (
        "/messages",
        "/messages/new",
        "/messages/deliveries",
        "/messages/incidents",
        "/messages/failed",
        "/messages/suspensions",
        "/messages/hand-overs",
        "/messages/fallback",
        "/messages/webhooks",
        "/messages/webhooks/new",
        "/messages/test",
    ):
        await page.goto(tenant.console + path)
        await check_page(page)


async def sign_in_chinese(page: Page, tenant: Tenant) -> None:
    """Sign in where the words are Chinese."""
    await page.goto(f"{tenant.console}/sign-in")
    await page.locator("#access_key_id").fill(tenant.key_id)
    await page.locator("#access_key_secret").fill(tenant.secret)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: "/sign-in" not in url)


async def test_the_fallback_address_is_set_with_the_code_from_the_inbox(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    await tab.goto(f"{tenant.console}/messages/fallback")
    await tab.get_by_label("E-mail address").fill("duty@example.com")
    await tab.get_by_role("button", name="Send the code").click()
    (mail,) = tenant.call("ListInboxMessages", OURS, Recipient="duty@example.com", WaitSeconds=20)["Messages"]
    await tab.get_by_label("Code from the mail").fill(re.findall(r"\b[0-9]{6}\b", mail["Text"])[0])
    await tab.get_by_role("button", name="Confirm", exact=True).click()

    await expect(tab.locator("main")).to_contain_text("The fallback address is in force.")
    await check_page(tab)
