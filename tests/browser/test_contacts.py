"""Contacts, in a real browser: add, search, confirm, bind, delete, and the same for many."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from message_contacts.console.site import contact_bulk
from tests.browser.confirming import verified_contact
from tests.browser.conftest import PHONE, CheckPage, Complaints, OpenTab, Tenant, sign_in
from tests.fakes.http_server import running
from tests.harness import open_api

TYPES = ["SecurityMessage", "FaultMessage"]


def add(tenant: Tenant, name: str, **parameters: object) -> str:
    """A contact that nobody has confirmed."""
    given = {"Name": name, "EmailAddress": f"{name}@example.com", "Title": "CEO", "MessageTypes": TYPES, **parameters}
    contact_id: str = tenant.call("AddMessageContact", **given)["Contact"]["ContactId"]
    return contact_id


def tree(tenant: Tenant) -> tuple[str, str, str]:
    """A folder in a folder with a member; their ids."""
    outer = tenant.call("CreateFolder", FolderName="outer")["Folder"]["FolderId"]
    inner = tenant.call("CreateFolder", FolderName="inner", ParentFolderId=outer)["Folder"]["FolderId"]
    member = tenant.call("CreateResourceAccount", DisplayName="shop", ParentFolderId=inner)["Account"]["AccountId"]
    return outer, inner, member


async def test_a_contact_is_added_by_keyboard_after_what_was_wrong_was_put_right(
    tab: Page, tenant: Tenant, check_page: CheckPage, complaints: Complaints
) -> None:
    await tab.goto(f"{tenant.console}/contacts")
    await expect(tab.get_by_text("No contacts yet")).to_be_visible()
    await check_page(tab)
    await tab.get_by_role("link", name="Add a contact").first.click()
    await tab.get_by_label("Contact name").fill("Anna1")
    await tab.keyboard.press("Tab")
    await tab.keyboard.type("anna@example.com")
    await tab.get_by_label("Job title").select_option("TechnicalDirector")
    await tab.get_by_label("Security").focus()
    await tab.keyboard.press("Space")
    await tab.keyboard.press("Enter")

    name = tab.get_by_label("Contact name")
    await expect(name).to_be_focused()
    await expect(name).to_have_accessible_description(re.compile("InvalidParameter.Name"))
    complaints.lines.clear()  # browsers note that the form was answered with 400
    await check_page(tab)
    await name.fill("Anna")
    await tab.keyboard.press("Enter")

    await expect(tab.get_by_role("heading", level=1)).to_contain_text("Anna")
    await expect(tab.get_by_text("1 message sent, the last one")).to_be_visible()
    await check_page(tab)


async def test_an_address_is_replaced_asked_for_again_and_dropped(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    contact = verified_contact(tenant, "Anna", "anna@example.com", types=TYPES)
    await tab.goto(f"{tenant.console}/contacts/{contact}")
    await tab.get_by_role("link", name="Change").click()
    await tab.get_by_label("E-mail address").fill("new@example.com")
    await tab.get_by_role("button", name="Save").click()
    mail = tab.get_by_role("region", name="E-mail address")
    await expect(mail).to_contain_text("Gets messages anna@example.com")
    await expect(mail).to_contain_text("Waits for confirmation new@example.com")

    await mail.get_by_role("button", name="Ask for confirmation").click()
    await expect(mail).to_contain_text("9 more may be sent to it this minute")
    await mail.get_by_role("button", name="Send again").click()
    await expect(mail).to_contain_text("8 more may be sent to it this minute")
    await check_page(tab)
    await mail.get_by_role("button", name="Drop this address").click()

    await expect(tab.get_by_role("status")).to_have_text("The address that waited was dropped.")
    await expect(mail).not_to_contain_text("new@example.com")


async def test_the_table_is_searched_filtered_and_ordered(tab: Page, tenant: Tenant, check_page: CheckPage) -> None:
    for name in ("Carl", "anna", "Bob"):
        add(tenant, name)
    verified_contact(tenant, "Dora", "dora@example.com", types=["ActivityMessage"])
    await tab.goto(f"{tenant.console}/contacts")
    rows = tab.get_by_role("rowheader")
    await expect(rows).to_have_text([re.compile(name) for name in ("anna", "Bob", "Carl", "Dora")])
    await tab.get_by_role("link", name="Contact name").click()
    await expect(tab.get_by_role("columnheader", name="Contact name")).to_have_attribute("aria-sort", "descending")
    await expect(rows).to_have_text([re.compile(name) for name in ("Dora", "Carl", "Bob", "anna")])

    await tab.get_by_role("searchbox", name="Search").fill("ANNA@")
    await tab.keyboard.press("Enter")
    await expect(rows).to_have_text([re.compile("anna")])
    await check_page(tab)
    await tab.get_by_role("link", name="Clear").click()
    await tab.get_by_label("State").select_option("Active")
    await tab.get_by_label("Gets").select_option("ActivityMessage")
    await tab.get_by_role("button", name="Filter").click()
    await expect(rows).to_have_text([re.compile("Dora")])
    async with tab.expect_download() as download:
        await tab.get_by_role("link", name="CSV").click()

    text = (await (await download.value).path()).read_text("utf-8-sig")
    assert "dora@example.com" in text
    assert "bob@example.com" not in text


async def test_a_contact_is_bound_in_the_tree_by_keyboard_and_unbound_with_a_warning(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    _, _, member = tree(tenant)
    contact = verified_contact(tenant, "Anna", "anna@example.com", types=TYPES)
    await tab.goto(f"{tenant.console}/contacts/{contact}/bind")
    for folder in ("outer", "inner"):
        toggle = tab.get_by_role("button", name=f"Contents of {folder}")
        await toggle.focus()
        await tab.keyboard.press("Enter")
        await expect(toggle).to_have_attribute("aria-expanded", "true")
        await expect(toggle).to_be_focused()
    await tab.get_by_role("checkbox", name="shop").focus()
    await tab.keyboard.press("Space")
    await check_page(tab)
    await tab.get_by_role("button", name="Contents of outer").click()
    await expect(tab.get_by_role("checkbox", name="shop")).to_be_hidden()
    await tab.get_by_role("button", name="Bind", exact=True).click()
    await expect(tab.get_by_role("status")).to_have_text("Bound to 1 object.")
    assert tenant.call("GetMessageContact", ContactId=contact)["Contact"]["Members"] == [member]

    await tab.get_by_role("button", name="Unbind…").click()
    await expect(tab.get_by_text("1 member would be left with nobody:")).to_be_visible()
    await tab.get_by_text("Which members").click()
    await expect(tab.get_by_role("rowheader", name="shop")).to_be_visible()
    await check_page(tab)
    await tab.get_by_role("button", name="Unbind").click()

    await expect(tab.get_by_text("Bound to nothing", exact=True)).to_be_visible()


async def test_without_scripts_the_tree_opens_and_searches_as_well(open_tab: OpenTab, tenant: Tenant) -> None:
    outer, _, member = tree(tenant)
    contact = add(tenant, "Anna")
    page = await open_tab(java_script_enabled=False)
    await sign_in(page, tenant)
    await page.goto(f"{tenant.console}/contacts/{contact}/bind")
    await page.get_by_role("checkbox", name="outer").check()
    for folder in ("outer", "inner"):
        await page.get_by_role("button", name=f"Contents of {folder}").click()
    await expect(page.get_by_role("checkbox", name="shop")).to_be_visible()
    await page.get_by_role("searchbox", name="Find members").fill("sho")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("1 member found")).to_be_visible()
    await page.get_by_role("checkbox", name="shop").first.check()
    await page.get_by_role("button", name="Bind", exact=True).click()

    await expect(page.get_by_role("status")).to_have_text("Bound to 2 objects.")
    assert set(tenant.call("GetMessageContact", ContactId=contact)["Contact"]["Members"]) == {outer, member}


async def test_a_contact_is_deleted_from_its_members_after_both_ways_were_compared(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    outer, _, _ = tree(tenant)
    contact = verified_contact(tenant, "Anna", "anna@example.com", outer, types=TYPES)
    await tab.goto(f"{tenant.console}/contacts/{contact}")
    await tab.get_by_role("link", name="Delete").click()
    await expect(tab.get_by_text("No member would be left with nobody because of this.")).to_be_visible()
    await expect(tab.get_by_text("1 member would be left with nobody:")).to_be_visible()
    await check_page(tab)
    await tab.get_by_role("radio", name="Taken out of the members as well").check()
    await tab.get_by_role("button", name="Delete").click()

    await expect(tab.get_by_text(re.compile("The contact is deleted.|This does not exist"))).to_be_visible()
    await tab.goto(f"{tenant.console}/contacts")
    await expect(tab.get_by_text("No contacts yet")).to_be_visible()


async def test_many_contacts_are_bound_and_then_deleted_with_progress(
    tab: Page, tenant: Tenant, check_page: CheckPage
) -> None:
    tree(tenant)
    for number in range(12):
        add(tenant, f"Anna{chr(97 + number)}")
    await tab.goto(f"{tenant.console}/contacts")
    await tab.get_by_role("checkbox", name="Tick", exact=True).check()
    await expect(tab.get_by_text("12 ticked")).to_be_visible()
    await check_page(tab)
    await tab.get_by_role("button", name="Bind…", exact=True).click()
    await tab.get_by_role("checkbox", name="outer").check()
    await check_page(tab)
    await tab.get_by_role("button", name="Bind contacts").click()
    await expect(tab.get_by_role("status")).to_contain_text("Finished. 12 changed")
    await expect(tab.get_by_role("cell", name="Bound to 1 object.")).to_have_count(12)
    await check_page(tab)

    await tab.get_by_role("link", name="Back to the contacts").click()
    await tab.get_by_role("checkbox", name="Tick", exact=True).check()
    await tab.get_by_role("checkbox", name="Tick Annaa").uncheck()
    await tab.get_by_role("button", name="Delete…").click()
    await expect(tab.get_by_text("These are too many to look at each.")).to_be_visible()
    await tab.get_by_role("button", name="Delete contacts").click()
    await expect(tab.get_by_role("status")).to_contain_text("Finished. 11 changed")
    await tab.get_by_role("link", name="Back to the contacts").click()

    await expect(tab.get_by_role("rowheader")).to_have_text([re.compile("Annaa")])


async def test_an_action_on_many_goes_on_by_itself(
    open_tab: OpenTab, database_path: Path, check_page: CheckPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_bulk, "_SECONDS", 0.0)  # one contact in each request
    async with open_api(database_path) as api, running(api.service.app) as server:
        url = f"http://127.0.0.1:{server.port}"
        tenant = Tenant(url, api.account_id, api.key_id, api.secret, f"{url}/console")
        await api.call("CreateFolder", FolderName="outer")
        for name in ("Anna", "Bella", "Clara", "Dora"):
            await api.call(
                "AddMessageContact", Name=name, EmailAddress=f"{name}@example.com", Title="CEO", MessageTypes=TYPES
            )
        page = await open_tab()
        await sign_in(page, tenant)
        await page.goto(f"{tenant.console}/contacts")
        await page.get_by_role("checkbox", name="Tick", exact=True).check()
        await page.get_by_role("button", name="Bind…", exact=True).click()
        await page.get_by_role("checkbox", name="outer").check()
        await page.get_by_role("button", name="Bind contacts").click()

        await expect(page.get_by_role("status")).to_contain_text("Finished. 4 changed")
        await expect(page.get_by_role("cell", name="Bound to 1 object.")).to_have_count(4)
        await check_page(page)
        await page.context.close()


async def test_without_scripts_an_action_on_many_goes_on_by_a_button(open_tab: OpenTab, tenant: Tenant) -> None:
    for number in range(3):
        add(tenant, f"Anna{chr(97 + number)}")
    page = await open_tab(java_script_enabled=False)
    await sign_in(page, tenant)
    await page.goto(f"{tenant.console}/contacts")
    for name in ("Annaa", "Annac"):
        await page.get_by_role("checkbox", name=f"Tick {name}").check()
    await page.get_by_role("button", name="Ask for confirmation…").click()
    await page.get_by_role("button", name="Ask for confirmation").click()
    while await page.get_by_role("button", name="Continue").count():
        await page.get_by_role("button", name="Continue").click()

    await expect(page.get_by_role("status")).to_contain_text("Finished. 2 changed")


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_contacts_are_fit_for_a_phone_in_chinese(
    open_tab: OpenTab, tenant: Tenant, check_page: CheckPage, scheme: str
) -> None:
    outer, _, _ = tree(tenant)
    contact = verified_contact(tenant, "王芳", "wangfang.with.a.long.name@subsidiary.example.com", outer, types=TYPES)
    tenant.call("UpdateMessageContact", ContactId=contact, EmailAddress="another.long.address@subsidiary.example.com")
    page = await open_tab(viewport=PHONE, color_scheme=scheme, locale="zh-CN")
    await sign_in_chinese(page, tenant)
    for path in (
        "",
        "/add",
        f"/{contact}",
        f"/{contact}/edit",
        f"/{contact}/bind",
        f"/{contact}/delete",
        "/by-binding",
    ):
        await page.goto(f"{tenant.console}/contacts{path}")
        await check_page(page)


async def sign_in_chinese(page: Page, tenant: Tenant) -> None:
    """Sign in where the labels are Chinese."""
    await page.goto(f"{tenant.console}/sign-in")
    await page.locator("[name=access_key_id]").fill(tenant.key_id)
    await page.locator("[name=access_key_secret]").fill(tenant.secret)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: "/sign-in" not in url)
