"""The directory operations of version 2020-03-31, read with the vendor's own client models."""

from __future__ import annotations

from typing import Any

import pytest
from alibabacloud_resourcemanager20200331 import models

from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import RESOURCE_MANAGER
from tests.api.directory_tree import NO_MEMBER, NOW, account_without_directory, make_cloud_account
from tests.harness import ACCOUNT_ID, ACCOUNT_NAME, Api

TAGS = [{"Key": "k", "Value": "v"}, {"Key": "team", "Value": "项目"}]


async def call(api: Api, action: str, **parameters: Any) -> dict[str, Any]:
    """The answer, which the vendor's client must understand to the last field."""
    answer = await api.call(action, RESOURCE_MANAGER, **parameters)
    body = getattr(models, f"{action}ResponseBody")()
    assert body.from_map(answer).to_map() == answer
    return answer


async def refusal(api: Api, action: str, **parameters: Any) -> tuple[int, str]:
    status, body = await api.error(action, RESOURCE_MANAGER, **parameters)
    assert "product=ResourceManager&" in body["Recommend"]
    return status, body["Code"]


def known_fields(model: type[Any]) -> set[str]:
    """Names on the wire of all that a model of the client can hold."""
    return set(model().from_map({}).__dict__)


@pytest.mark.parametrize(
    "operation",
    [entry for version, entry in REGISTRY.all() if version == RESOURCE_MANAGER],
    ids=lambda entry: entry.name,
)
def test_the_clients_parameters_are_declared_and_no_others(operation: Any) -> None:
    request = getattr(models, f"{operation.name}Request", None)
    known = {name.replace("_", "").lower() for name in known_fields(request)} if request else set()
    declared = {parameter.name.lower() for parameter in operation.parameters}
    assert declared == known


async def test_a_directory_lives_under_the_older_version(api: Api) -> None:
    stranger = await account_without_directory(api)
    enabled = (await call(stranger, "InitResourceDirectory"))["ResourceDirectory"]
    assert enabled.keys() == {
        "ResourceDirectoryId",
        "MasterAccountId",
        "MasterAccountName",
        "RootFolderId",
        "CreateTime",
    }
    shown = (await call(stranger, "GetResourceDirectory"))["ResourceDirectory"]
    assert shown == {
        **enabled,
        "ControlPolicyStatus": "Disabled",
        "MemberDeletionStatus": "Enabled",
        "IdentityInformation": "",
    }
    assert await refusal(stranger, "InitResourceDirectory") == (409, "EntityAlreadyExists.ResourceDirectory")
    assert await call(stranger, "DestroyResourceDirectory") == {}
    assert await refusal(stranger, "GetResourceDirectory") == (404, "ResourceDirectoryNotInUse")
    await call(stranger, "EnableResourceDirectory", EnableMode="CurrentAccount")
    member = await api.as_account(await api.create_member("Shop"))
    assert await refusal(member, "InitResourceDirectory") == (409, "NotSupport.AccountInAnotherResourceDirectory")


async def test_folders_live_under_the_older_version(api: Api) -> None:
    root_id = await api.root_folder()
    created = (await call(api, "CreateFolder", FolderName="sales", ParentFolderId=root_id, Tag=TAGS))["Folder"]
    folder_id = created["FolderId"]
    assert created == {"FolderId": folder_id, "FolderName": "sales", "ParentFolderId": root_id, "CreateTime": NOW}
    renamed = (await call(api, "UpdateFolder", FolderId=folder_id, NewFolderName="market"))["Folder"]
    assert renamed == {**created, "FolderName": "market"}
    assert renamed.items() <= (await call(api, "GetFolder", FolderId=folder_id))["Folder"].items()
    listed = await call(api, "ListFoldersForParent", QueryKeyword="mark")
    entry = {"FolderId": folder_id, "FolderName": "market", "CreateTime": NOW}
    assert listed == {"TotalCount": 1, "PageSize": 10, "PageNumber": 1, "Folders": {"Folder": [entry]}}
    above = await call(api, "ListAncestors", ChildId=folder_id)
    assert [folder["FolderName"] for folder in above["Folders"]["Folder"]] == ["root"]
    assert (await api.call("ListFoldersForParent"))["Folders"]["Folder"][0]["Tags"] == {"Tag": []}
    assert await call(api, "DeleteFolder", FolderId=folder_id) == {}
    assert await refusal(api, "GetFolder", FolderId=folder_id) == (404, "EntityNotExists.Folder")


async def test_members_live_under_the_older_version(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    created = await call(
        api, "CreateResourceAccount", DisplayName="Dev", AccountNamePrefix="alice", Tag=TAGS, PayerAccountId=ACCOUNT_ID
    )
    member_id = created["Account"]["AccountId"]
    assert await call(api, "MoveAccount", AccountId=member_id, DestinationFolderId=folder_id) == {}
    updated = (await call(api, "UpdateAccount", AccountId=member_id, NewDisplayName="Ops"))["Account"]
    assert updated == {**created["Account"], "DisplayName": "Ops", "FolderId": folder_id}
    shown = (await call(api, "GetAccount", AccountId=member_id, IncludeTags=True))["Account"]
    newer = (await api.call("GetAccount", AccountId=member_id, IncludeTags=True))["Account"]
    assert newer == {**shown, "HasSecureMobilePhone": False, "SecureMobilePhone": ""}
    listed = (await call(api, "ListAccounts", IncludeTags=True))["Accounts"]["Account"]
    entry = {name: value for name, value in updated.items() if name != "AccountName"} | {"Tags": {"Tag": TAGS}}
    assert listed == [{**entry, "ResourceDirectoryPath": shown["ResourceDirectoryPath"]}]
    in_folder = await call(api, "ListAccountsForParent", ParentFolderId=folder_id, IncludeTags=True)
    assert in_folder["Accounts"]["Account"] == [entry]
    await make_cloud_account(api, member_id)
    assert await call(api, "RemoveCloudAccount", AccountId=member_id) == {}
    assert await refusal(api, "GetAccount", AccountId=member_id) == (404, "EntityNotExists.Account")


async def test_parameters_of_the_newer_version_are_ignored_in_the_older(api: Api) -> None:
    member_id = (await call(api, "CreateResourceAccount", DisplayName="Dev", DryRun=True))["Account"]["AccountId"]
    await call(api, "UpdateAccount", AccountId=member_id, NewDisplayName="Ops", DryRun=True)
    listed = await call(api, "ListAccounts", QueryKeyword="nothing", MaxResults=1)
    assert [account["DisplayName"] for account in listed["Accounts"]["Account"]] == ["Ops"]
    assert listed["PageNumber"] == 1


async def test_nobody_pays_for_a_member(api: Api) -> None:
    member_id = await api.create_member("Dev")
    assert await call(api, "GetPayerForAccount", AccountId=member_id) == {}
    assert await refusal(api, "GetPayerForAccount") == (400, "MissingAccountId")
    assert await refusal(api, "GetPayerForAccount", AccountId="me") == (400, "InvalidAccountId")
    assert await refusal(api, "GetPayerForAccount", AccountId=NO_MEMBER) == (404, "EntityNotExists.Account")
    stranger = await account_without_directory(api)
    assert await refusal(stranger, "GetPayerForAccount", AccountId=member_id) == (
        404,
        "EntityNotExists.ResourceDirectory",
    )


async def test_tags_of_members_and_folders_are_listed(api: Api) -> None:
    first = (await api.call("CreateResourceAccount", DisplayName="Dev", Tag=TAGS))["Account"]["AccountId"]
    second = await api.create_member("Ops")
    folder_id = (await api.call("CreateFolder", FolderName="sales", Tag=TAGS[:1]))["Folder"]["FolderId"]
    entries = [
        {"ResourceId": first, "ResourceType": "Account", "TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in TAGS
    ]
    asked = {"ResourceType": "Account", "ResourceId": [first, second, NO_MEMBER]}
    assert await call(api, "ListTagResources", **asked) == {"TagResources": entries}
    assert await call(api, "ListTagResources", **asked, Tag=TAGS[1:]) == {"TagResources": entries}
    assert await call(api, "ListTagResources", **asked, Tag=[{"Key": "k", "Value": "x"}]) == {"TagResources": []}
    page = await call(api, "ListTagResources", **asked, MaxResults=1)
    assert page == {"TagResources": entries[:1], "NextToken": "1"}
    assert await call(api, "ListTagResources", **asked, MaxResults=1, NextToken="1") == {"TagResources": entries[1:]}
    of_folder = await call(api, "ListTagResources", ResourceType="Folder", ResourceId=[folder_id])
    assert of_folder["TagResources"] == [
        {"ResourceId": folder_id, "ResourceType": "Folder", "TagKey": "k", "TagValue": "v"}
    ]
    assert await call(api, "ListTagResources", ResourceId=["rg-1"]) == {"TagResources": []}


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"ResourceType": "Account"}, "MissingResourceId"),
        ({"ResourceType": "Server", "ResourceId": ["x"]}, "InvalidResourceType"),
        ({"ResourceId": [str(number) for number in range(51)]}, "InvalidResourceId"),
        ({"ResourceId": ["x"], "MaxResults": 0}, "InvalidMaxResults"),
        ({"ResourceId": ["x"], "NextToken": "x"}, "InvalidNextToken"),
    ],
)
async def test_list_tag_resources_refuses_what_it_cannot_use(api: Api, parameters: dict[str, Any], code: str) -> None:
    assert await refusal(api, "ListTagResources", **parameters) == (400, code)


async def test_the_management_account_is_named(api: Api) -> None:
    shown = (await call(api, "GetResourceDirectory"))["ResourceDirectory"]
    assert (shown["MasterAccountId"], shown["MasterAccountName"]) == (ACCOUNT_ID, ACCOUNT_NAME)
