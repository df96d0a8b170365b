"""GetFolder."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_FOLDER, NOW, account_without_directory, chain, directory_of
from tests.assertions import assert_error
from tests.harness import Api


async def test_get_folder_shows_the_folder_and_its_path(api: Api) -> None:
    first, second = await chain(api, 2)
    directory = await directory_of(api)
    assert await api.call("GetFolder", FolderId=second) == {
        "Folder": {
            "FolderId": second,
            "FolderName": "level2",
            "ParentFolderId": first,
            "CreateTime": NOW,
            "ResourceDirectoryPath": f"{directory['ResourceDirectoryId']}/{directory['RootFolderId']}/{first}/{second}",
        }
    }


async def test_get_folder_shows_root_without_a_parent(api: Api) -> None:
    directory = await directory_of(api)
    assert await api.call("GetFolder", FolderId=directory["RootFolderId"]) == {
        "Folder": {
            "FolderId": directory["RootFolderId"],
            "FolderName": "root",
            "CreateTime": NOW,
            "ResourceDirectoryPath": f"{directory['ResourceDirectoryId']}/{directory['RootFolderId']}",
        }
    }


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, errors.MISSING_PARAMETER_FOLDER_ID),
        ({"FolderId": ""}, errors.MISSING_PARAMETER_FOLDER_ID),
        ({"FolderId": "rd-AbCdEf"}, errors.INVALID_PARAMETER_FOLDER_ID),
        ({"FolderId": "fd-" + "x" * 65}, errors.INVALID_PARAMETER_FOLDER_ID),
        ({"FolderId": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_FOLDER),
    ],
)
async def test_get_folder_refuses_what_it_cannot_find(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("GetFolder", **parameters), expected)


async def test_get_folder_refuses_a_folder_of_another_tenant(api: Api) -> None:
    other = await api.other_tenant()
    folder_id = await other.create_folder("sales")
    assert_error(await api.error("GetFolder", FolderId=folder_id), errors.ENTITY_NOT_EXISTS_FOLDER)


async def test_get_folder_refuses_accounts_without_directory(api: Api) -> None:
    for caller in (await account_without_directory(api), await api.as_account(await api.create_member("Shop"))):
        refusal = await caller.error("GetFolder", FolderId=await api.root_folder())
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
