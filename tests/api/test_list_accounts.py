"""ListAccounts."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NOW, account_without_directory, directory_of, make_cloud_account
from tests.assertions import assert_error
from tests.harness import Api


def names(listed: dict[str, Any]) -> list[str]:
    return [account["DisplayName"] for account in listed["Accounts"]["Account"]]


async def members(api: Api, *display_names: str) -> list[str]:
    """Members that joined a second apart."""
    member_ids = []
    for name in display_names:
        member_ids.append(await api.create_member(name))
        api.clock.advance(1)
    return member_ids


async def test_list_accounts_shows_members_of_all_folders_with_their_paths(api: Api) -> None:
    directory = await directory_of(api)
    directory_id, root_id = directory["ResourceDirectoryId"], directory["RootFolderId"]
    folder_id = await api.create_folder("sales")
    created = await api.call(
        "CreateResourceAccount",
        DisplayName="Dev",
        AccountNamePrefix="alice",
        ParentFolderId=folder_id,
        Tag=[{"Key": "k", "Value": "v"}],
    )
    member_id = created["Account"]["AccountId"]
    api.clock.advance(1)
    other_id = await api.create_member("Ops")
    shown = {
        "AccountId": member_id,
        "AccountName": f"alice@{directory_id.lower()}.aliyunid.com",
        "DisplayName": "Dev",
        "FolderId": folder_id,
        "ResourceDirectoryId": directory_id,
        "Type": "ResourceAccount",
        "Status": "CreateSuccess",
        "JoinMethod": "created",
        "JoinTime": NOW,
        "ModifyTime": NOW,
        "ResourceDirectoryPath": f"{directory_id}/{root_id}/{folder_id}/{member_id}",
        "DeletionStatus": "",
    }
    listed = await api.call("ListAccounts")
    assert listed["Accounts"]["Account"][0] == shown
    assert listed["Accounts"]["Account"][1]["ResourceDirectoryPath"] == f"{directory_id}/{root_id}/{other_id}"
    del listed["Accounts"]
    assert listed == {"TotalCount": 2, "PageSize": 10, "PageNumber": 1}
    with_tags = (await api.call("ListAccounts", IncludeTags=True))["Accounts"]["Account"]
    assert with_tags[0] == {**shown, "Tags": {"Tag": [{"Key": "k", "Value": "v"}]}}
    assert with_tags[1]["Tags"] == {"Tag": []}


async def test_list_accounts_shows_an_empty_list(api: Api) -> None:
    assert await api.call("ListAccounts") == {
        "TotalCount": 0,
        "PageSize": 10,
        "PageNumber": 1,
        "Accounts": {"Account": []},
    }


async def test_list_accounts_pages_by_joining_date(api: Api) -> None:
    await members(api, "c1", "b1", "a1")
    listed = await api.call("ListAccounts", PageSize=2)
    assert names(listed) == ["c1", "b1"]
    assert "NextToken" not in listed
    assert names(await api.call("ListAccounts", PageSize=2, PageNumber=2)) == ["a1"]


async def test_list_accounts_by_token_goes_through_all_and_wins_over_page_numbers(api: Api) -> None:
    await members(api, "c1", "b1", "a1")
    first = await api.call("ListAccounts", MaxResults=2, PageNumber=9, PageSize=1)
    assert names(first) == ["c1", "b1"]
    token = first.pop("NextToken")
    del first["Accounts"]
    assert first == {"TotalCount": 3, "PageSize": 2}
    second = await api.call("ListAccounts", MaxResults=2, NextToken=token)
    assert names(second) == ["a1"]
    assert "NextToken" not in second
    assert names(await api.call("ListAccounts", NextToken=token)) == ["a1"]
    assert "NextToken" not in await api.call("ListAccounts", MaxResults=3)


async def test_list_accounts_goes_on_behind_a_member_that_has_left(api: Api) -> None:
    _, second, _ = await members(api, "c1", "b1", "a1")
    token = (await api.call("ListAccounts", MaxResults=2))["NextToken"]
    await make_cloud_account(api, second)
    await api.call("RemoveCloudAccount", AccountId=second)
    assert names(await api.call("ListAccounts", MaxResults=2, NextToken=token)) == ["a1"]


async def test_list_accounts_finds_by_keyword_and_tags(api: Api) -> None:
    await api.call("CreateResourceAccount", DisplayName="dev north", Tag=[{"Key": "k", "Value": "1"}])
    await api.call("CreateResourceAccount", DisplayName="dev south", Tag=[{"Key": "k", "Value": "2"}])
    assert names(await api.call("ListAccounts", QueryKeyword="south")) == ["dev south"]
    assert names(await api.call("ListAccounts", Tag=[{"Key": "k", "Value": "1"}])) == ["dev north"]
    assert names(await api.call("ListAccounts", Tag=[{"Key": "k", "Value": "1"}], QueryKeyword="south")) == []


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"PageNumber": "x"}, errors.invalid("PageNumber")),
        ({"PageSize": 0}, errors.invalid("PageSize")),
        ({"MaxResults": 101}, errors.invalid("MaxResults")),
        ({"NextToken": "~"}, errors.invalid("NextToken")),
        ({"NextToken": "eDo5"}, errors.invalid("NextToken")),
        ({"NextToken": "YWJj"}, errors.invalid("NextToken")),
        ({"IncludeTags": "2"}, errors.invalid("IncludeTags")),
    ],
)
async def test_list_accounts_refuses_what_it_cannot_use(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("ListAccounts", **parameters), expected)


async def test_list_accounts_shows_no_member_of_another_tenant(api: Api) -> None:
    await (await api.other_tenant()).create_member("Dev")
    assert names(await api.call("ListAccounts")) == []


async def test_list_accounts_refuses_accounts_without_directory(api: Api) -> None:
    for caller in (await account_without_directory(api), await api.as_account(await api.create_member("Shop"))):
        assert_error(await caller.error("ListAccounts"), errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
