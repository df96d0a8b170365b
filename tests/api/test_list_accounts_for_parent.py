"""ListAccountsForParent."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_FOLDER, NOW, account_without_directory, directory_of
from tests.assertions import assert_error
from tests.harness import Api


async def names(api: Api, **parameters: Any) -> list[str]:
    listed = await api.call("ListAccountsForParent", **parameters)
    return [account["DisplayName"] for account in listed["Accounts"]["Account"]]


async def test_list_accounts_for_parent_shows_direct_members_only(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    directory_id = (await directory_of(api))["ResourceDirectoryId"]
    created = await api.call(
        "CreateResourceAccount",
        DisplayName="Dev",
        AccountNamePrefix="alice",
        ParentFolderId=folder_id,
        Tag=[{"Key": "k", "Value": "v"}],
    )
    await api.create_member("Ops")
    shown = {
        "AccountId": created["Account"]["AccountId"],
        "AccountName": f"alice@{directory_id.lower()}.aliyunid.com",
        "DisplayName": "Dev",
        "FolderId": folder_id,
        "ResourceDirectoryId": directory_id,
        "Type": "ResourceAccount",
        "Status": "CreateSuccess",
        "JoinMethod": "created",
        "JoinTime": NOW,
        "ModifyTime": NOW,
        "DeletionStatus": "",
    }
    page = {"TotalCount": 1, "PageSize": 10, "PageNumber": 1}
    assert await api.call("ListAccountsForParent", ParentFolderId=folder_id) == {
        **page,
        "Accounts": {"Account": [shown]},
    }
    assert await api.call("ListAccountsForParent", ParentFolderId=folder_id, IncludeTags=True) == {
        **page,
        "Accounts": {"Account": [{**shown, "Tags": {"Tag": [{"Key": "k", "Value": "v"}]}}]},
    }
    assert await names(api) == ["Ops"]


async def test_list_accounts_for_parent_pages_and_finds(api: Api) -> None:
    for name in ["dev 1", "dev 2", "ops"]:
        await api.call("CreateResourceAccount", DisplayName=name, Tag=[{"Key": "k", "Value": name}])
        api.clock.advance(1)
    assert await names(api, PageSize=2) == ["dev 1", "dev 2"]
    assert await names(api, PageSize=2, PageNumber=2) == ["ops"]
    assert await names(api, QueryKeyword="dev") == ["dev 1", "dev 2"]
    assert await names(api, Tag=[{"Key": "k", "Value": "ops"}]) == ["ops"]
    found = await api.call("ListAccountsForParent", QueryKeyword="dev", PageSize=1, PageNumber=5)
    assert found == {"TotalCount": 2, "PageSize": 1, "PageNumber": 5, "Accounts": {"Account": []}}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"ParentFolderId": "sales"}, errors.INVALID_PARAMETER_PARENT_FOLDER_ID),
        ({"ParentFolderId": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_FOLDER),
        ({"PageNumber": -1}, errors.invalid("PageNumber")),
        ({"PageSize": 1000}, errors.invalid("PageSize")),
    ],
)
async def test_list_accounts_for_parent_refuses_what_it_cannot_use(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("ListAccountsForParent", **parameters), expected)


async def test_list_accounts_for_parent_refuses_accounts_without_directory(api: Api) -> None:
    for caller in (await account_without_directory(api), await api.as_account(await api.create_member("Shop"))):
        assert_error(await caller.error("ListAccountsForParent"), errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
