"""The API explorer in a browser: trying operations, taking programs away, by keyboard and on a phone."""

from __future__ import annotations

import json

from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, CheckPage, OpenTab, Tenant, sign_in


async def test_developer_finds_an_operation_runs_it_and_takes_the_program_away(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    await tab.goto(f"{tenant.console}/explorer")
    await check_page(tab)
    await tab.get_by_role("searchbox").press_sequentially("adds contact phonenumber")
    await expect(tab.locator("#count")).to_have_text("One operation.")
    await tab.get_by_role("link", name="AddMessageContact").click()

    await tab.locator("#p-Name").fill("王小明")
    await tab.locator("#p-EmailAddress").fill("ming@example.com")
    await tab.locator("#p-Title").select_option("CEO")
    await tab.get_by_role("checkbox", name="SecurityMessage").check()
    # The program follows what is entered, and nothing is run for it.
    await expect(tab.locator("#sample-python")).to_contain_text("ming@example.com")
    assert tenant.call("ListMessageContacts")["TotalCount"] == 0
    await tab.get_by_role("group", name="Python", exact=True).wait_for()
    await tab.locator("details[data-sample=curl] summary").click()
    assert "王" not in (await tab.locator("#sample-curl").text_content() or "")  # percent-encoded
    assert tenant.secret not in await tab.content()
    await check_page(tab)

    await tab.get_by_role("button", name="Run and change").click()
    await tab.get_by_text("Carried out 200").wait_for()
    answer = json.loads(await tab.locator("#answer-json").text_content() or "")
    contact = tenant.call("GetMessageContact", ContactId=answer["Contact"]["ContactId"])["Contact"]
    assert contact["Name"] == "王小明"
    # The language that was opened last is open again.
    assert await tab.locator("details[data-sample=curl]").get_attribute("open") is not None
    await check_page(tab)


async def test_keyboard_alone_runs_a_read_and_shows_why_it_was_refused(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    await tab.goto(f"{tenant.console}/explorer/2022-04-19/GetMessageContact")
    await tab.locator("#p-ContactId").focus()
    await tab.keyboard.type("unheardof")
    # Enter in a field shows the call and runs nothing.
    await tab.keyboard.press("Enter")
    await tab.wait_for_url("**#code")
    assert "Nothing has been run yet." in (await tab.locator("#answer").text_content() or "")
    run = tab.get_by_role("button", name="Run", exact=True)
    await tab.locator("#p-ContactId").focus()
    for _ in range(3):
        await tab.keyboard.press("Tab")
        if await run.evaluate("element => element === document.activeElement"):
            break
    await tab.keyboard.press("Enter")
    await tab.wait_for_url("**#answer")
    assert "InvalidParameter.ContactId" in (await tab.locator("#answer").text_content() or "")
    await check_page(tab)
    await tab.locator("#answer").get_by_role("link", name="Errors and causes").click()
    await tab.wait_for_url("**/errors#InvalidParameter.ContactId")
    await check_page(tab)


async def test_what_takes_away_asks_once_more_and_can_be_left(tab: Page, tenant: Tenant, check_page: CheckPage) -> None:
    contact_id = tenant.call(
        "AddMessageContact", Name="tom", EmailAddress="tom@example.com", Title="CEO", MessageTypes=["SecurityMessage"]
    )["Contact"]["ContactId"]
    await tab.goto(f"{tenant.console}/explorer/2022-04-19/DeleteMessageContact?ContactId={contact_id}")
    await tab.get_by_role("button", name="Run and change").click()
    await tab.get_by_role("heading", name="Run DeleteMessageContact?").wait_for()
    await check_page(tab)
    await tab.get_by_role("button", name="Back, run nothing").click()
    assert await tab.locator("#p-ContactId").input_value() == contact_id
    assert tenant.call("ListMessageContacts")["TotalCount"] == 1
    await tab.get_by_role("button", name="Run and change").click()
    await tab.get_by_role("button", name="Run DeleteMessageContact").click()
    await tab.get_by_text("Carried out 200").wait_for()
    assert tenant.call("ListMessageContacts")["TotalCount"] == 0


async def test_explorer_works_on_a_phone_in_chinese_in_the_dark_without_scripts(
    open_tab: OpenTab, tenant: Tenant
) -> None:
    page = await open_tab(viewport=PHONE, locale="zh-CN", color_scheme="dark", java_script_enabled=False)
    await page.goto(f"{tenant.console}/sign-in")
    await page.locator("input[name=access_key_id]").fill(tenant.key_id)
    await page.locator("input[name=access_key_secret]").fill(tenant.secret)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: "/sign-in" not in url)
    await page.goto(f"{tenant.console}/explorer?q=CreateResourceAccount&version=2022-04-19")
    await page.get_by_role("link", name="CreateResourceAccount").click()
    await page.locator("#p-DisplayName").fill("测试成员")
    await page.get_by_label("Tag 1 Key").fill("阶段")
    await page.get_by_label("Tag 1 Value").fill("测试")
    await page.get_by_role("button", name="再加一行").click()
    assert await page.get_by_label("Tag 3 Key").count() == 1
    await page.get_by_role("button", name="运行并更改").click()
    await page.get_by_text("已执行 200").wait_for()
    answer = json.loads(await page.locator("#answer-json").text_content() or "")
    account = tenant.call("GetAccount", AccountId=answer["Account"]["AccountId"], IncludeTags=True)["Account"]
    assert account["Tags"] == [{"Key": "阶段", "Value": "测试"}]


async def test_pages_hold_on_a_phone_and_in_the_dark(open_tab: OpenTab, tenant: Tenant, check_page: CheckPage) -> None:
    for scheme in ("light", "dark"):
        page = await open_tab(viewport=PHONE, color_scheme=scheme)
        await sign_in(page, tenant)
        for path in (
            "/explorer",
            "/explorer/errors",
            "/explorer/changes",
            "/explorer/2026-11-01/PublishMessage",
            "/explorer/2022-04-19/CreateResourceAccount/errors",
        ):
            await page.goto(tenant.console + path)
            await check_page(page)
