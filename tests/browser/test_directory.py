"""The directory, in a real browser: growing the tree, moving a member, and seeing who is reached."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, CheckPage, OpenTab, Tenant, sign_in


async def test_the_tree_grows_and_opens_by_keyboard(tab: Page, tenant: Tenant, check_page: CheckPage) -> None:
    await tab.goto(f"{tenant.console}/directory")
    await check_page(tab)
    await tab.get_by_role("link", name="New folder").click()
    await tab.get_by_label("Name").fill("Finance")
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Finance")
    await tab.get_by_role("link", name="New folder").click()
    await check_page(tab)
    await tab.get_by_label("Name").fill("Payroll")
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Payroll")

    await tab.goto(f"{tenant.console}/directory")
    tree = tab.get_by_role("navigation", name="Folders")
    await expect(tree.get_by_role("link", name="Payroll")).to_have_count(0)
    twig = tree.get_by_role("button", name="Folders in Finance")
    await twig.focus()
    await tab.keyboard.press("Enter")
    await expect(tree.get_by_role("link", name="Payroll")).to_be_visible()
    await expect(twig).to_have_attribute("aria-expanded", "true")
    await check_page(tab)
    await tab.keyboard.press("Enter")
    await expect(tree.get_by_role("link", name="Payroll")).to_have_count(0)


async def test_a_wrong_name_is_told_at_its_field_which_has_the_focus(tab: Page, tenant: Tenant) -> None:
    await tab.goto(f"{tenant.console}/directory")
    await tab.get_by_role("link", name="New folder").click()
    await tab.get_by_label("Name").fill("no/slash")
    await tab.keyboard.press("Enter")

    field = tab.get_by_label("Name")
    await expect(field).to_be_focused()
    await expect(field).to_have_accessible_description(
        "1 to 24 letters, digits or . _ -; no other folder beside it has it. The Name of folder is invalid."
    )


async def test_a_member_is_moved_past_a_warning(tab: Page, tenant: Tenant, check_page: CheckPage) -> None:
    folders = {
        name: tenant.call("CreateFolder", FolderName=name)["Folder"]["FolderId"] for name in ("Finance", "Empty")
    }
    member = tenant.call("CreateResourceAccount", DisplayName="Books", ParentFolderId=folders["Finance"])
    member_id = member["Account"]["AccountId"]

    await tab.goto(f"{tenant.console}/directory/members?q=Boo")
    await tab.get_by_role("link", name="Books").click()
    await check_page(tab)
    await tab.get_by_role("link", name="Move", exact=True).click()
    await tab.get_by_role("navigation", name="Where you are").nth(1).get_by_role("link", name="Root").click()
    await tab.get_by_role("link", name="Choose Empty").click()
    await expect(tab.get_by_text("Nobody would be left without contacts.")).to_be_visible()
    await check_page(tab)
    await tab.get_by_role("button", name="Move", exact=True).click()

    await expect(tab.get_by_role("status")).to_have_text("Member moved.")
    account = tenant.call("GetAccount", AccountId=member_id)["Account"]
    assert account["FolderId"] == folders["Empty"]


async def test_why_somebody_is_not_reached_is_told(tab: Page, tenant: Tenant, check_page: CheckPage) -> None:
    member = tenant.call("CreateResourceAccount", DisplayName="Books")["Account"]["AccountId"]
    contact = tenant.call(
        "AddMessageContact",
        Name="Anna",
        EmailAddress="anna@example.com",
        Title="CEO",
        MessageTypes=["SecurityMessage"],
    )["Contact"]["ContactId"]
    tenant.call("AssociateMembers", ContactId=contact, Members=[member])

    await tab.goto(f"{tenant.console}/directory/members/{member}")
    await expect(tab.get_by_text("Nobody is reached for 6 of 6 types of messages.")).to_be_visible()
    await tab.get_by_role("link", name="Why, or why not").click()
    await tab.get_by_label("Contact id, address or webhook id").fill("anna@example.com")
    await tab.get_by_role("button", name="Explain").click()

    row = tab.get_by_role("row", name="The address was confirmed")
    await expect(row).to_contain_text("The address was not confirmed")
    await check_page(tab)


async def test_the_directory_is_fit_for_a_phone_in_the_dark_in_chinese(
    open_tab: OpenTab, tenant: Tenant, check_page: CheckPage
) -> None:
    folder = tenant.call("CreateFolder", FolderName="Finance")["Folder"]["FolderId"]
    member = tenant.call("CreateResourceAccount", DisplayName="Books", ParentFolderId=folder)["Account"]["AccountId"]
    page = await open_tab(viewport=PHONE, color_scheme="dark")
    await sign_in(page, tenant)
    await page.goto(f"{tenant.console}/language?to=zh")
    for path in (
        "directory",
        f"directory/folders/{folder}",
        f"directory/members/{member}",
        f"directory/members/{member}/move",
    ):
        await page.goto(f"{tenant.console}/{path}")
        await check_page(page)


async def test_the_directory_works_without_scripts(open_tab: OpenTab, tenant: Tenant) -> None:
    page = await open_tab(java_script_enabled=False)
    await sign_in(page, tenant)
    await page.goto(f"{tenant.console}/directory")
    await page.get_by_role("link", name="New folder").click()
    await page.get_by_label("Name").fill("Finance")
    await page.get_by_role("button", name="Create").click()
    await page.get_by_role("link", name="Delete").click()
    await page.get_by_role("button", name="Delete").click()

    await expect(page.get_by_role("status")).to_have_text("Folder deleted.")
