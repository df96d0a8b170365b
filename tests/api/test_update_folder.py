"""UpdateFolder."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_FOLDER, NOW, account_without_directory
from tests.assertions import assert_error
from tests.harness import Api


async def test_update_folder_renames(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    api.clock.advance(5)
    answer = await api.call("UpdateFolder", FolderId=folder_id, NewFolderName="market")
    shown = {
        "FolderId": folder_id,
        "FolderName": "market",
        "ParentFolderId": await api.root_folder(),
        "CreateTime": NOW,
    }
    assert answer == {"Folder": shown}
    assert shown.items() <= (await api.call("GetFolder", FolderId=folder_id))["Folder"].items()


async def test_update_folder_to_its_own_name_succeeds(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    answer = await api.call("UpdateFolder", FolderId=folder_id, NewFolderName="sales")
    assert answer["Folder"]["FolderName"] == "sales"


async def test_update_folder_refuses_a_name_that_a_sibling_has(api: Api) -> None:
    await api.create_folder("sales")
    folder_id = await api.create_folder("market")
    refusal = await api.error("UpdateFolder", FolderId=folder_id, NewFolderName="sales")
    assert_error(refusal, errors.INVALID_PARAMETER_FOLDER_NAME_ALREADY_USED)


async def test_update_folder_does_not_rename_root(api: Api) -> None:
    refusal = await api.error("UpdateFolder", FolderId=await api.root_folder(), NewFolderName="top")
    assert_error(refusal, errors.INVALID_PARAMETER_FOLDER_ID)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"FolderId": None, "NewFolderName": None}, errors.MISSING_PARAMETER_FOLDER_NAME),
        ({"FolderId": None, "NewFolderName": "a/b"}, errors.MISSING_PARAMETER_FOLDER_ID),
        ({"FolderId": "x", "NewFolderName": "a/b"}, errors.INVALID_PARAMETER_FOLDER_NAME),
        ({"FolderId": "x", "NewFolderName": "x" * 25}, errors.INVALID_PARAMETER_FOLDER_NAME_LENGTH),
        ({"FolderId": "x"}, errors.INVALID_PARAMETER_FOLDER_ID),
        ({}, errors.ENTITY_NOT_EXISTS_FOLDER),
    ],
)
async def test_update_folder_refuses_in_the_order_of_its_table(
    api: Api, wrong: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    refusal = await api.error("UpdateFolder", **{"FolderId": NO_FOLDER, "NewFolderName": "market", **wrong})
    assert_error(refusal, expected)


async def test_update_folder_refuses_accounts_without_directory(api: Api) -> None:
    for caller in (await account_without_directory(api), await api.as_account(await api.create_member("Shop"))):
        refusal = await caller.error("UpdateFolder", FolderId=NO_FOLDER, NewFolderName="market")
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
