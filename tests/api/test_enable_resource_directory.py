"""EnableResourceDirectory."""

from __future__ import annotations

import re
from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NOW, STRANGER, account_without_directory, directory_of
from tests.assertions import assert_error
from tests.harness import Api

NEW_ACCOUNT = {
    "EnableMode": "NewManagementAccount",
    "MAName": "user01@rdadmin.aliyunid.com",
    "MASecureMobilePhone": "86-13900001234",
    "VerificationCode": "123456",
}


async def enable(api: Api, **parameters: Any) -> dict[str, Any]:
    answer = await api.call("EnableResourceDirectory", **{"EnableMode": "CurrentAccount", **parameters})
    assert answer.keys() == {"ResourceDirectory"}
    directory: dict[str, Any] = answer["ResourceDirectory"]
    return directory


async def test_enable_resource_directory_returns_the_new_directory(api: Api) -> None:
    stranger = await account_without_directory(api)
    directory = await enable(stranger)
    assert re.fullmatch(r"rd-[0-9A-Za-z]{6}", directory["ResourceDirectoryId"])
    assert re.fullmatch(r"r-[0-9A-Za-z]{6}", directory["RootFolderId"])
    assert directory == {
        "ResourceDirectoryId": directory["ResourceDirectoryId"],
        "MasterAccountId": STRANGER,
        "MasterAccountName": "stranger",
        "RootFolderId": directory["RootFolderId"],
        "CreateTime": NOW,
    }
    assert directory.items() <= (await directory_of(stranger)).items()
    root = (await stranger.call("GetFolder", FolderId=directory["RootFolderId"]))["Folder"]
    assert root == {
        "FolderId": directory["RootFolderId"],
        "FolderName": "root",
        "CreateTime": NOW,
        "ResourceDirectoryPath": f"{directory['ResourceDirectoryId']}/{directory['RootFolderId']}",
    }


async def test_enable_resource_directory_as_a_dry_run_answers_and_changes_nothing(api: Api) -> None:
    stranger = await account_without_directory(api)
    directory = await enable(stranger, DryRun=True)
    assert directory["MasterAccountName"] == "stranger"
    assert_error(await stranger.error("GetResourceDirectory"), errors.RESOURCE_DIRECTORY_NOT_IN_USE)
    await enable(stranger, DryRun=False)


@pytest.mark.parametrize("dry_run", [False, True])
async def test_enable_resource_directory_refuses_a_second_one(api: Api, dry_run: bool) -> None:
    refusal = await api.error("EnableResourceDirectory", EnableMode="CurrentAccount", DryRun=dry_run)
    assert_error(refusal, errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY)


async def test_enable_resource_directory_refuses_a_member(api: Api) -> None:
    member = await api.as_account(await api.create_member("Shop"))
    refusal = await member.error("EnableResourceDirectory", EnableMode="CurrentAccount")
    assert_error(refusal, errors.NOT_SUPPORT_ACCOUNT_IN_ANOTHER_RESOURCE_DIRECTORY)


async def test_enable_resource_directory_never_makes_a_new_management_account(api: Api) -> None:
    stranger = await account_without_directory(api)
    assert_error(await stranger.error("EnableResourceDirectory", **NEW_ACCOUNT), errors.INVALID_VERIFICATION_CODE)
    assert_error(await stranger.error("GetResourceDirectory"), errors.RESOURCE_DIRECTORY_NOT_IN_USE)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"MAName": "user01@example.com"}, errors.INVALID_PARAMETER_MANAGEMENT_ACCOUNT_NAME),
        ({"MAName": None}, errors.INVALID_PARAMETER_MANAGEMENT_ACCOUNT_NAME),
        ({"MASecureMobilePhone": "13900001234"}, errors.INVALID_PARAMETER_MANAGEMENT_ACCOUNT_SECURITY_INFO),
        ({"EnableMode": "Both"}, errors.invalid("EnableMode")),
        ({"EnableMode": None}, errors.missing("EnableMode")),
        ({"EnableMode": ""}, errors.missing("EnableMode")),
        ({"DryRun": "maybe"}, errors.invalid("DryRun")),
    ],
)
async def test_enable_resource_directory_refuses_parameters_of_wrong_form(
    api: Api, wrong: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("EnableResourceDirectory", **{**NEW_ACCOUNT, **wrong}), expected)
