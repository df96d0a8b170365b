"""ListAncestors."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_FOLDER, NO_MEMBER, NOW, account_without_directory, chain
from tests.assertions import assert_error
from tests.harness import Api


def shown(folder_id: str, name: str) -> dict[str, str]:
    return {"FolderId": folder_id, "FolderName": name, "CreateTime": NOW}


async def test_list_ancestors_shows_the_folders_above_root_first(api: Api) -> None:
    first, second, third = await chain(api, 3)
    root_id = await api.root_folder()
    above = [shown(root_id, "root"), shown(first, "level1"), shown(second, "level2")]
    assert await api.call("ListAncestors", ChildId=third) == {"Folders": {"Folder": above}}
    assert await api.call("ListAncestors", ChildId=root_id) == {"Folders": {"Folder": []}}


async def test_list_ancestors_of_a_member_ends_with_its_folder(api: Api) -> None:
    (first,) = await chain(api, 1)
    member_id = await api.create_member("Shop", first)
    above = [shown(await api.root_folder(), "root"), shown(first, "level1")]
    assert await api.call("ListAncestors", ChildId=member_id) == {"Folders": {"Folder": above}}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, errors.MISSING_PARAMETER_CHILD_ID),
        ({"ChildId": "rd-AbCdEf"}, errors.INVALID_PARAMETER_CHILD_ID),
        ({"ChildId": "123"}, errors.INVALID_PARAMETER_CHILD_ID),
        ({"ChildId": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_FOLDER),
        ({"ChildId": NO_MEMBER}, errors.ENTITY_NOT_EXISTS_FOLDER),
    ],
)
async def test_list_ancestors_refuses_what_it_cannot_find(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("ListAncestors", **parameters), expected)


async def test_list_ancestors_refuses_accounts_without_directory(api: Api) -> None:
    for caller in (await account_without_directory(api), await api.as_account(await api.create_member("Shop"))):
        refusal = await caller.error("ListAncestors", ChildId=NO_FOLDER)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
