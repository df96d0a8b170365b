"""The directory's pages: the tree, members and who is reached for them, and every change of them."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest

from message_contacts.console.site.directory_members import RULES
from message_contacts.delivery import rules
from message_contacts.delivery.explanation import EXISTS
from tests.api.ram_users import ram_user, statement
from tests.console.conftest import Console, Page
from tests.harness import Api, open_api


def rows(page: Page) -> list[str]:
    """What stands in each row of a table, with a space between cells."""
    found = re.findall(r"<tr>(.*?)</tr>", page.html, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]*>", " ", row)).split()) for row in found]


async def test_the_tree_shows_folders_members_and_contacts_where_they_are_bound(console: Console, api: Api) -> None:
    finance = await api.create_folder("Finance")
    payroll = await api.create_folder("Payroll", finance)
    member = await api.create_member("Books", payroll)
    await api.add_verified_contact(finance, Name="Anna", EmailAddress="anna@example.com")
    await api.add_contact(Name="Bert", EmailAddress="bert@example.com")

    page = (await console.open(f"/directory/folders/{payroll}")).page

    tree = [element.text.strip() for element in page.all("a") if "/directory" in element.get("href")]
    assert {"Root", "Finance", "Payroll", "Books"} <= set(tree)
    assert [element.text for element in page.all("a", aria_current="page") if element.text != "Directory"] == [
        "Payroll"
    ]
    assert any(f"Books {member}" in row and row.endswith("0") for row in rows(page))
    own, _, inherited = page.text.partition("Inherited from above")
    assert "No contacts are bound to this folder itself." in own
    assert "Anna" in inherited
    assert "Bert" not in page.text


async def test_a_branch_opens_alone(console: Console, api: Api) -> None:
    finance = await api.create_folder("Finance")
    await api.create_folder("Payroll", finance)

    answer = await console.open(f"/directory/branches/{finance}")

    assert "Payroll" in answer.html
    assert "<html" not in answer.html


async def test_an_account_without_a_directory_begins_one(console: Console, api: Api) -> None:
    await api.call("DestroyResourceDirectory")

    page = (await console.open("/directory")).page
    assert "There is no directory yet" in page.text
    begun = await console.submit("/directory/enable")

    assert "The directory is enabled." in begun.page.text
    assert (await api.call("GetResourceDirectory"))["ResourceDirectory"]


async def test_a_directory_ends_only_for_those_who_type_its_id(console: Console, api: Api) -> None:
    directory = (await api.call("GetResourceDirectory"))["ResourceDirectory"]["ResourceDirectoryId"]

    wrong = await console.submit("/directory/destroy", {"directory_id": "rd-other"})
    assert (wrong.status, "This is not the id of the directory." in wrong.page.text) == (400, True)

    gone = await console.submit("/directory/destroy", {"directory_id": directory})
    assert "There is no directory yet" in gone.page.text


async def test_a_directory_with_members_does_not_end(console: Console, api: Api) -> None:
    await api.create_member("Books")
    directory = (await api.call("GetResourceDirectory"))["ResourceDirectory"]["ResourceDirectoryId"]

    answer = await console.submit("/directory/destroy", {"directory_id": directory})

    assert answer.status == 409
    assert "DeleteConflict.ResourceDirectory.Account" in answer.page.text


async def test_folders_are_created_renamed_and_deleted(console: Console, api: Api) -> None:
    root = await api.root_folder()

    made = await console.submit(f"/directory/folders/{root}/new-folder", {"name": "Finance"})
    assert (made.page.title, "Folder created." in made.page.text) == ("Finance", True)
    (folder,) = (await api.call("ListFoldersForParent"))["Folders"]["Folder"]

    renamed = await console.submit(f"/directory/folders/{folder['FolderId']}/rename", {"name": "Money"})
    assert renamed.page.title == "Money"

    asked = await console.open(f"/directory/folders/{folder['FolderId']}/delete")
    assert "no member loses anybody" in asked.page.text
    gone = await console.submit(f"/directory/folders/{folder['FolderId']}/delete")
    assert "Folder deleted." in gone.page.text
    assert (await api.call("ListFoldersForParent"))["TotalCount"] == 0


@pytest.mark.parametrize(
    ("page", "fields", "expected"),
    [
        ("folders/{root}/new-folder", {"name": ""}, ("name", "You must specify")),
        ("folders/{root}/new-folder", {"name": "x" * 25}, ("name", "length")),
        ("folders/{root}/new-folder", {"name": "Finance"}, ("name", "already exists")),
        ("folders/{folder}/rename", {"name": "no/slash"}, ("name", "invalid")),
        ("folders/{root}/new-member", {"name": "x"}, ("name", "length")),
        ("folders/{root}/new-member", {"name": "Books"}, ("name", "has been used")),
        ("folders/{root}/new-member", {"name": "Other", "prefix": "no space"}, ("prefix", "invalid")),
        ("members/{member}/rename", {"name": "Shop"}, ("name", "has been used")),
        ("members/{member}/rename", {"name": ""}, ("name", "must be specified")),
    ],
)
async def test_what_is_wrong_stands_at_its_field(
    page: str, fields: dict[str, str], expected: tuple[str, str], console: Console, api: Api
) -> None:
    field, text = expected
    folder = await api.create_folder("Finance")
    member = await api.create_member("Books")
    await api.create_member("Shop")
    path = page.format(root=await api.root_folder(), folder=folder, member=member)

    answer = await console.submit(f"/directory/{path}", fields)

    assert answer.status in {400, 409}
    assert text in answer.page.one("p", id=f"{field}-error").text
    assert answer.page.one("input", id=field)["aria-invalid"] == "true"
    assert answer.page.value("name") == fields["name"]


async def test_a_folder_that_is_not_empty_says_what_is_in_it(console: Console, api: Api) -> None:
    folder = await api.create_folder("Finance")
    await api.create_member("Books", folder)

    asked = await console.open(f"/directory/folders/{folder}/delete")
    refused = await console.submit(f"/directory/folders/{folder}/delete")

    assert "Only an empty folder can be deleted." in asked.page.text
    assert "1 member" in asked.page.text
    assert (refused.status, "DeleteConflict.Folder.Account" in refused.page.text) == (409, True)


async def test_members_are_created_renamed_found_and_removed(console: Console, api: Api) -> None:
    root = await api.root_folder()
    made = await console.submit(f"/directory/folders/{root}/new-member", {"name": "Books", "prefix": "books"})
    assert (made.page.title, "Member created." in made.page.text) == ("Books", True)
    (member,) = (await api.call("ListAccounts"))["Accounts"]["Account"]
    base = f"/directory/members/{member['AccountId']}"

    assert (await console.submit(f"{base}/rename", {"name": "Ledger"})).page.title == "Ledger"
    assert "Ledger" in (await console.open("/directory/members?q=edge")).page.text
    assert (await console.open(f"/directory/members?q={member['AccountId']}")).page.title == "Ledger"
    assert "No member is called like that" in (await console.open("/directory/members?q=Books")).page.text

    asked = await console.open(f"{base}/remove")
    assert "Turn it into a cloud account first" in asked.page.text
    switched = await console.submit(f"{base}/type", {"type": "CloudAccount"})
    assert "keeps copies of the contacts" in switched.page.text
    removed = await console.submit(f"{base}/remove")
    assert "Member removed." in removed.page.text
    assert (await api.call("ListAccounts"))["TotalCount"] == 0


async def test_a_resource_account_can_be_deleted_and_a_cloud_account_cannot(console: Console, api: Api) -> None:
    member = await api.create_member("Books")
    contact = await api.add_verified_contact(member, Name="Anna", EmailAddress="anna@example.com")
    base = f"/directory/members/{member}"
    asked = await console.open(f"{base}/remove")
    assert asked.page.one("a", href=f"/console{base}/delete")

    await api.call("UpdateAccount", AccountId=member, NewAccountType="CloudAccount")
    assert "AccountTypeOrStatusMismatch" in (await console.open(f"{base}/delete")).page.text
    refused = await console.submit(f"{base}/delete")
    assert (refused.status, "AccountTypeOrStatusMismatch" in refused.page.text) == (409, True)

    await api.call("UpdateAccount", AccountId=member, NewAccountType="ResourceAccount")
    asked = await console.open(f"{base}/delete")
    assert asked.page.title == "Delete the member Books?"
    assert "Nobody would be left without contacts." in asked.page.text
    deleted = await console.submit(f"{base}/delete")
    assert "Member deleted." in deleted.page.text
    assert (await api.call("ListAccounts"))["TotalCount"] == 0
    assert (await api.contact(contact))["Members"] == []


async def test_a_member_shows_who_is_reached_and_through_what(console: Console, api: Api) -> None:
    folder = await api.create_folder("Finance")
    member = await api.create_member("Books", folder)
    own = await api.add_verified_contact(member, Name="Anna", EmailAddress="anna@example.com")
    await api.add_verified_contact(
        folder, Name="Bert", EmailAddress="bert@example.com", MessageTypes=["FaultMessage", "SecurityMessage"]
    )
    waiting = await api.add_contact(Name="Cleo", EmailAddress="cleo@example.com")
    await api.call("AssociateMembers", ContactId=waiting, Members=[member])

    page = (await console.open(f"/directory/members/{member}")).page

    assert "Nobody is reached for 4 of 6 types of messages." in page.text
    assert any("Anna anna@example.com reached Bound to the member" in row for row in rows(page))
    assert any("Bert bert@example.com reached Through the folder Finance" in row for row in rows(page))
    assert "Cleo Not confirmed" in page.text
    assert page.all("a", href=f"/console/directory/members/{member}/explain?who={own}&type=SecurityMessage")


async def test_why_nobody_is_reached_is_told_rule_by_rule(console: Console, api: Api) -> None:
    member = await api.create_member("Books")
    waiting = await api.add_contact(Name="Cleo", EmailAddress="cleo@example.com")
    await api.call("AssociateMembers", ContactId=waiting, Members=[member])

    query = urlencode({"who": "cleo@example.com", "type": "SecurityMessage"})
    page = (await console.open(f"/directory/members/{member}/explain?{query}")).page

    assert "not reached" in page.text
    assert any(row == "The address was confirmed No The address was not confirmed" for row in rows(page))
    unknown = (await console.open(f"/directory/members/{member}/explain?who=nobody@example.com")).page
    assert "There is no contact of that id or address." in unknown.text


async def test_who_gets_it_since_nobody_has_the_type_is_reached(console: Console, api: Api) -> None:
    member = await api.create_member("Books")
    await api.add_verified_contact(member, Name="Cleo", EmailAddress="cleo@example.com")

    query = urlencode({"who": "cleo@example.com", "type": "FaultMessage"})
    page = (await console.open(f"/directory/members/{member}/explain?{query}")).page

    assert "not reached" not in page.text
    why = "Does not have this type, but nobody who has it can be reached"
    assert f"It goes out another way Yes {why}" in rows(page)


def test_every_rule_has_a_name() -> None:
    assert {rule.name for rule in rules.RULES} | {EXISTS} == set(RULES)


async def test_moving_a_member_says_first_who_would_be_left_without_anybody(console: Console, api: Api) -> None:
    finance, empty = await api.create_folder("Finance"), await api.create_folder("Empty")
    member = await api.create_member("Books", finance)
    await api.add_verified_contact(finance, Name="Anna", EmailAddress="anna@example.com")
    base = f"/directory/members/{member}/move"

    picking = (await console.open(f"{base}?at={await api.root_folder()}")).page
    assert "it is here now" in picking.text
    assert picking.all("a", href=f"/console{base}?at={await api.root_folder()}&to={empty}")

    preview = (await console.open(f"{base}?to={empty}")).page
    assert "1 member would be left without anybody for some messages." in preview.text
    assert "Books: Security" in preview.text

    moved = await console.submit(base, {"to": empty})
    assert "Member moved." in moved.page.text
    assert (await api.call("GetAccount", AccountId=member))["Account"]["FolderId"] == empty


async def test_a_move_that_hurts_nobody_says_so(console: Console, api: Api) -> None:
    member = await api.create_member("Books")
    folder = await api.create_folder("Finance")

    page = (await console.open(f"/directory/members/{member}/move?to={folder}")).page

    assert "Nobody would be left without contacts." in page.text


async def test_a_narrow_key_sees_what_it_may_and_which_permission_lacks(api: Api) -> None:
    user = await ram_user(
        api,
        "narrow",
        statement("Allow", ["resourcemanager:GetResourceDirectory", "resourcemanager:GetFolder"]),
        statement("Allow", ["resourcemanager:ListFoldersForParent"]),
    )
    member = await api.create_member("Books")
    console = Console(api)
    await console.sign_in(user.key_id, user.secret)

    page = (await console.open("/directory")).page
    forbidden = await console.open(f"/directory/members/{member}")

    assert "Your key may not see this." in page.text
    assert "resourcemanager:ListAccountsForParent" in page.text
    assert "resourcemanager:ListMessageContacts" in page.text
    assert forbidden.status == 403
    assert "resourcemanager:GetAccount" in forbidden.page.text


@pytest.mark.parametrize(
    "path", ["folders/fd-nothinghere", "members/1999999999999999", "members/1999999999999999/move"]
)
async def test_what_is_not_there_has_a_page_that_says_so(path: str, console: Console) -> None:
    answer = await console.open(f"/directory/{path}")

    assert (answer.status, answer.page.title) == (404, "This does not exist")


async def test_members_are_shown_page_by_page(database_path: Path) -> None:
    async with open_api(database_path, {"members_per_directory": 40}) as api:
        for number in range(27):
            await api.create_member(f"Member {number}")
        console = Console(api)
        await console.sign_in()

        first = (await console.open("/directory")).page
        second = (await console.open(first.one("a", rel="next")["href"])).page

        assert len([row for row in rows(first) if row.startswith("Member ") and "20" in row]) == 25
        assert len([row for row in rows(second) if row.startswith("Member ") and "20" in row]) == 2
        assert second.all("a", rel="prev")


async def test_the_pages_speak_chinese(console: Console, api: Api) -> None:
    console.language = "zh-CN"
    member = await api.create_member("Books")

    page = (await console.open(f"/directory/members/{member}")).page

    assert "通知到谁" in page.text
    assert page.one("html")["lang"].startswith("zh")
