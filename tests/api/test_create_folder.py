"""CreateFolder."""

from __future__ import annotations

import re
from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_FOLDER, NOW, account_without_directory, chain
from tests.assertions import assert_error
from tests.harness import Api, open_api


async def test_create_folder_returns_the_folder(api: Api) -> None:
    parent_id = await api.create_folder("sales")
    answer = await api.call("CreateFolder", FolderName="north", ParentFolderId=parent_id)
    folder_id = answer["Folder"]["FolderId"]
    assert re.fullmatch(r"fd-[0-9A-Za-z]{10}", folder_id)
    shown = {"FolderId": folder_id, "FolderName": "north", "ParentFolderId": parent_id, "CreateTime": NOW}
    assert answer == {"Folder": shown}
    assert shown.items() <= (await api.call("GetFolder", FolderId=folder_id))["Folder"].items()


async def test_create_folder_without_parent_goes_to_root(api: Api) -> None:
    answer = await api.call("CreateFolder", FolderName="sales")
    assert answer["Folder"]["ParentFolderId"] == await api.root_folder()


async def test_create_folder_keeps_tags(api: Api) -> None:
    tags = [{"Key": "team", "Value": "a b"}, {"Key": "empty", "Value": ""}]
    await api.call("CreateFolder", FolderName="sales", Tag=tags)
    listed = await api.call("ListFoldersForParent")
    assert listed["Folders"]["Folder"][0]["Tags"] == {"Tag": tags}


async def test_create_folder_takes_the_same_name_under_another_parent(api: Api) -> None:
    first, second = await api.create_folder("first"), await api.create_folder("second")
    assert await api.create_folder("same", first) != await api.create_folder("same", second)


async def test_create_folder_refuses_a_name_that_a_sibling_has(api: Api) -> None:
    await api.create_folder("sales")
    refusal = await api.error("CreateFolder", FolderName="sales")
    assert_error(refusal, errors.INVALID_PARAMETER_FOLDER_NAME_ALREADY_USED)


async def test_create_folder_refuses_a_sixth_level(api: Api) -> None:
    *_, fifth = await chain(api, 5)
    refusal = await api.error("CreateFolder", FolderName="deeper", ParentFolderId=fifth)
    assert_error(refusal, errors.LIMIT_EXCEEDED_FOLDER_DEPTH)


async def test_create_folder_refuses_more_than_the_quota_and_takes_one_again_after_a_deletion(
    database_path: Any,
) -> None:
    async with open_api(database_path, {"folders_per_directory": 2}) as api:
        first, second = await chain(api, 2)
        assert_error(await api.error("CreateFolder", FolderName="third"), errors.QUOTA_EXCEEDED_FOLDER_COUNT)
        refusal = await api.error("CreateFolder", FolderName="level1")
        assert_error(refusal, errors.INVALID_PARAMETER_FOLDER_NAME_ALREADY_USED)
        await api.call("DeleteFolder", FolderId=second)
        await api.create_folder("third", first)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"ParentFolderId": "sales"}, errors.INVALID_PARAMETER_PARENT_FOLDER_ID),
        ({"ParentFolderId": "rd-AbCdEf"}, errors.INVALID_PARAMETER_PARENT_FOLDER_ID),
        ({"FolderName": None, "ParentFolderId": "sales"}, errors.MISSING_PARAMETER_FOLDER_NAME),
        ({"FolderName": ""}, errors.MISSING_PARAMETER_FOLDER_NAME),
        ({"FolderName": "a/b"}, errors.INVALID_PARAMETER_FOLDER_NAME),
        ({"FolderName": "a/b", "ParentFolderId": "sales"}, errors.INVALID_PARAMETER_PARENT_FOLDER_ID),
        ({"FolderName": "x" * 25}, errors.INVALID_PARAMETER_FOLDER_NAME_LENGTH),
        ({"ParentFolderId": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_FOLDER),
        ({"Tag": [{"Value": "v"}]}, errors.invalid("Tag")),
        ({"Tag.1.Key": "k", "Tag.2.Key": "k"}, errors.invalid("Tag")),
    ],
)
async def test_create_folder_refuses_what_it_cannot_use(
    api: Api, wrong: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("CreateFolder", **{"FolderName": "sales", **wrong}), expected)


async def test_create_folder_refuses_a_parent_of_another_tenant(api: Api) -> None:
    other = await api.other_tenant()
    refusal = await api.error("CreateFolder", FolderName="sales", ParentFolderId=await other.root_folder())
    assert_error(refusal, errors.ENTITY_NOT_EXISTS_FOLDER)


async def test_create_folder_refuses_accounts_without_directory(api: Api) -> None:
    for caller in (await account_without_directory(api), await api.as_account(await api.create_member("Shop"))):
        refusal = await caller.error("CreateFolder")
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
