"""Users, keys and policies, in a real browser: from nobody to a key that may do exactly one thing."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, CheckPage, Complaints, OpenTab, Tenant, sign_in

RAM = "2015-05-01"
DOCUMENT = (
    '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "resourcemanager:GetFolder", "Resource": "*"}]}'
)


async def test_a_user_gets_a_key_that_is_shown_once_and_a_policy(
    tab: Page, open_tab: OpenTab, tenant: Tenant, check_page: CheckPage
) -> None:
    await tab.goto(f"{tenant.console}/access")
    await check_page(tab)
    await tab.get_by_role("link", name="New user").first.click()
    await check_page(tab)
    await tab.get_by_label("Name").first.fill("dashboard")
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", level=1)).to_have_text("dashboard")

    await tab.get_by_label("Give it a policy").select_option("System/ReadOnlyAccess")
    await tab.get_by_role("button", name="Attach").click()
    await expect(tab.get_by_role("row", name="ReadOnlyAccess")).to_be_visible()
    await tab.get_by_role("button", name="New access key").click()
    await check_page(tab)
    key_id = await tab.locator("#key-id").inner_text()
    secret = await tab.locator("#key-secret").inner_text()
    await tab.get_by_role("link", name="I have written it down").click()
    await expect(tab.get_by_text(secret)).to_have_count(0)
    await check_page(tab)

    other = await open_tab()
    await sign_in(other, tenant.as_key(key_id, secret))
    await other.goto(f"{tenant.console}/directory")
    await expect(other.get_by_role("heading", level=1)).to_have_text("Directory")

    await tab.get_by_role("button", name=f"Switch off {key_id}").click()
    await expect(tab.get_by_role("row", name=key_id)).to_contain_text("Switched off")
    await other.reload()
    await expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_a_policy_is_written_with_what_is_wrong_told_at_the_editor(
    tab: Page, tenant: Tenant, check_page: CheckPage, complaints: Complaints
) -> None:
    await tab.goto(f"{tenant.console}/access/policies")
    await tab.get_by_role("link", name="New policy").first.click()
    await tab.get_by_label("Name").fill("one-folder")
    editor = tab.get_by_label("Document")
    await editor.fill('{"Version": "1", ')
    await expect(tab.get_by_text(re.compile("Not JSON yet: "))).to_be_visible()
    await check_page(tab)
    await editor.fill('{"Version": "1", "Statement": [{"Effect": "Perhaps"}]}')
    await tab.get_by_role("button", name="Create").click()
    await expect(tab.get_by_text("The Effect element of a policy statement must be Allow or Deny.")).to_be_visible()
    await expect(editor).to_be_focused()
    complaints.lines.clear()  # the browser tells of every answer that is a refusal
    await check_page(tab)

    await editor.fill(DOCUMENT)
    await tab.get_by_role("button", name="Tidy up").click()
    assert "\n  " in await editor.input_value()
    await tab.get_by_role("button", name="Create").click()

    await expect(tab.get_by_role("heading", level=1)).to_have_text("one-folder")
    await check_page(tab)


async def test_what_a_key_may_do_is_asked_and_what_lacks_becomes_a_policy(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    tenant.call("CreateUser", RAM, UserName="dashboard")
    key_id = tenant.call("CreateAccessKey", RAM, UserName="dashboard")["AccessKey"]["AccessKeyId"]

    await tab.goto(f"{tenant.console}/access/evaluate")
    await check_page(tab)
    await tab.get_by_label("Asked about").select_option("key")
    await tab.get_by_label("User name or access key ID").fill(key_id)
    await tab.get_by_label("Operation").select_option("2022-04-19/GetFolder")
    await tab.get_by_label("About what").fill("folder/fd-1")
    await tab.get_by_role("button", name="Ask").click()
    await expect(tab.get_by_role("heading", name="No This call would be refused")).to_be_visible()
    await check_page(tab)

    await tab.get_by_role("link", name="Make a policy of it").click()
    await tab.get_by_label("Name").fill("one-folder")
    await tab.get_by_role("button", name="Create").click()
    await tab.goto(f"{tenant.console}/access/users/dashboard")
    await tab.get_by_label("Give it a policy").select_option("Custom/one-folder")
    await tab.get_by_role("button", name="Attach").click()
    await tab.goto(
        f"{tenant.console}/access/evaluate?by=key&who={key_id}&operation=2022-04-19/GetFolder&resources=folder/fd-1"
    )

    await expect(tab.get_by_role("heading", name="Yes This call would be let pass")).to_be_visible()
    await expect(tab.get_by_text("one-folder v1, statement 1")).to_be_visible()
    await check_page(tab)


async def test_access_is_fit_for_a_phone_in_the_dark_in_chinese(
    open_tab: OpenTab, tenant: Tenant, check_page: CheckPage
) -> None:
    tenant.call("CreateUser", RAM, UserName="dashboard", Comments="Reads the contacts for the dashboard")
    tenant.call("CreateAccessKey", RAM, UserName="dashboard")
    tenant.call("CreatePolicy", RAM, PolicyName="one-folder", PolicyDocument=DOCUMENT)
    page = await open_tab(viewport=PHONE, color_scheme="dark")
    await sign_in(page, tenant)
    await page.goto(f"{tenant.console}/language?to=zh")
    for path in (
        "access",
        "access/users/dashboard",
        "access/users/dashboard/delete",
        "access/policies",
        "access/policies/Custom/one-folder",
        "access/keys",
        "access/evaluate?who=dashboard&operation=2022-04-19/GetFolder",
    ):
        await page.goto(f"{tenant.console}/{path}")
        await check_page(page)
