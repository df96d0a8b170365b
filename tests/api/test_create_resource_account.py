"""CreateResourceAccount."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_FOLDER, NOW, account_without_directory, directory_of
from tests.assertions import assert_error
from tests.harness import Api, open_api

ALL = {
    "DisplayName": "Dev team 1",
    "AccountNamePrefix": "alice",
    "PayerAccountId": "1000000000000001",
    "ResellAccountType": "non_resell",
    "Tag": [{"Key": "k", "Value": "v"}],
}


async def test_create_resource_account_returns_the_member(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    directory_id = (await directory_of(api))["ResourceDirectoryId"]
    answer = await api.call("CreateResourceAccount", **ALL, ParentFolderId=folder_id)
    member_id = answer["Account"]["AccountId"]
    assert re.fullmatch(r"1[0-9]{15}", member_id)
    shown = {
        "AccountId": member_id,
        "AccountName": f"alice@{directory_id.lower()}.aliyunid.com",
        "DisplayName": "Dev team 1",
        "FolderId": folder_id,
        "ResourceDirectoryId": directory_id,
        "Type": "ResourceAccount",
        "Status": "CreateSuccess",
        "JoinMethod": "created",
        "JoinTime": NOW,
        "ModifyTime": NOW,
    }
    assert answer == {"Account": shown}
    kept = (await api.call("GetAccount", AccountId=member_id, IncludeTags=True))["Account"]
    assert shown.items() <= kept.items()
    assert kept["Tags"] == ALL["Tag"]


async def test_create_resource_account_with_a_name_only_goes_to_root_under_a_random_login_name(api: Api) -> None:
    account = (await api.call("CreateResourceAccount", DisplayName="Dev"))["Account"]
    assert account["FolderId"] == await api.root_folder()
    assert re.fullmatch(r"[0-9a-z]{12}@rd-[0-9a-z]{6}\.aliyunid\.com", account["AccountName"])


async def test_create_resource_account_as_a_dry_run_answers_and_changes_nothing(api: Api) -> None:
    answer = await api.call("CreateResourceAccount", **ALL, DryRun="True")
    assert answer["Account"]["DisplayName"] == "Dev team 1"
    assert (await api.call("ListAccounts"))["TotalCount"] == 0
    await api.call("CreateResourceAccount", **ALL, DryRun="False")


@pytest.mark.parametrize("dry_run", [False, True])
async def test_create_resource_account_refuses_names_that_are_taken(api: Api, dry_run: bool) -> None:
    await api.call("CreateResourceAccount", DisplayName="Dev", AccountNamePrefix="dev")
    refusal = await api.error("CreateResourceAccount", DisplayName="Dev", AccountNamePrefix="dev", DryRun=dry_run)
    assert_error(refusal, errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED)
    refusal = await api.error("CreateResourceAccount", DisplayName="Ops", AccountNamePrefix="dev", DryRun=dry_run)
    assert_error(refusal, errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY_ACCOUNT)


async def test_create_resource_account_takes_a_name_of_another_tenant(api: Api) -> None:
    other = await api.other_tenant()
    await other.call("CreateResourceAccount", DisplayName="Dev", AccountNamePrefix="dev")
    await api.call("CreateResourceAccount", DisplayName="Dev", AccountNamePrefix="dev")


async def test_create_resource_account_refuses_more_than_the_quota_and_takes_one_again_after_a_removal(
    database_path: Path,
) -> None:
    async with open_api(database_path, {"members_per_directory": 1}) as api:
        member_id = await api.create_member("Dev")
        for dry_run in (False, True):
            refusal = await api.error("CreateResourceAccount", DisplayName="Ops", DryRun=dry_run)
            assert_error(refusal, errors.LIMIT_EXCEEDED_ACCOUNT)
        refusal = await api.error("CreateResourceAccount", DisplayName="Dev")
        assert_error(refusal, errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED)
        await api.call("UpdateAccount", AccountId=member_id, NewAccountType="CloudAccount")
        await api.call("RemoveCloudAccount", AccountId=member_id)
        await api.create_member("Ops")


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"DisplayName": None, "ParentFolderId": "x"}, errors.MISSING_PARAMETER_ACCOUNT_DISPLAY_NAME),
        ({"DisplayName": "a@b", "ParentFolderId": "x"}, errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME),
        ({"DisplayName": "a", "ParentFolderId": "x"}, errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_LENGTH),
        ({"AccountNamePrefix": "-a", "ParentFolderId": "x"}, errors.INVALID_PARAMETER_PARENT_FOLDER_ID),
        ({"AccountNamePrefix": "-a"}, errors.INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX),
        ({"AccountNamePrefix": "a"}, errors.INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX_LENGTH),
        ({"ParentFolderId": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_FOLDER),
        ({"PayerAccountId": "me"}, errors.invalid("PayerAccountId")),
        ({"ResellAccountType": "both"}, errors.invalid("ResellAccountType")),
        ({"Tag.1.Value": "v"}, errors.invalid("Tag")),
        ({"DryRun": "1"}, errors.invalid("DryRun")),
    ],
)
async def test_create_resource_account_refuses_what_it_cannot_use(
    api: Api, wrong: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("CreateResourceAccount", **{"DisplayName": "Dev", **wrong}), expected)


async def test_create_resource_account_refuses_accounts_without_directory(api: Api) -> None:
    for caller in (await account_without_directory(api), await api.as_account(await api.create_member("Shop"))):
        refusal = await caller.error("CreateResourceAccount", DisplayName="Dev")
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
