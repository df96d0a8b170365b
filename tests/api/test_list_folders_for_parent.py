"""ListFoldersForParent."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_FOLDER, NOW, account_without_directory, chain
from tests.assertions import assert_error
from tests.harness import Api


async def names(api: Api, **parameters: Any) -> list[str]:
    listed = await api.call("ListFoldersForParent", **parameters)
    return [folder["FolderName"] for folder in listed["Folders"]["Folder"]]


async def test_list_folders_for_parent_shows_direct_children_only(api: Api) -> None:
    first, second = await chain(api, 2)
    assert await api.call("ListFoldersForParent", ParentFolderId=first) == {
        "TotalCount": 1,
        "PageSize": 10,
        "PageNumber": 1,
        "Folders": {"Folder": [{"FolderId": second, "FolderName": "level2", "CreateTime": NOW, "Tags": {"Tag": []}}]},
    }
    assert await names(api) == ["level1"]


async def test_list_folders_for_parent_shows_an_empty_list(api: Api) -> None:
    assert await api.call("ListFoldersForParent", PageNumber=2, PageSize=5) == {
        "TotalCount": 0,
        "PageSize": 5,
        "PageNumber": 2,
        "Folders": {"Folder": []},
    }


async def test_list_folders_for_parent_pages_by_creation_date(api: Api) -> None:
    for name in ["c", "b", "a"]:
        await api.create_folder(name)
        api.clock.advance(1)
    assert await names(api, PageSize=2) == ["c", "b"]
    assert await names(api, PageSize=2, PageNumber=2) == ["a"]
    assert await names(api, PageSize=2, PageNumber=3) == []
    assert (await api.call("ListFoldersForParent", PageSize=2, PageNumber=3))["TotalCount"] == 3


async def test_list_folders_for_parent_finds_by_keyword_and_tags(api: Api) -> None:
    await api.call("CreateFolder", FolderName="sales-north", Tag=[{"Key": "k", "Value": "1"}])
    await api.call("CreateFolder", FolderName="sales-south", Tag=[{"Key": "k", "Value": "2"}])
    await api.create_folder("50_percent")
    assert sorted(await names(api, QueryKeyword="sales")) == ["sales-north", "sales-south"]
    assert await names(api, QueryKeyword="0_p") == ["50_percent"]
    assert await names(api, QueryKeyword="%") == []
    assert await names(api, Tag=[{"Key": "k", "Value": "2"}]) == ["sales-south"]
    assert await names(api, Tag=[{"Key": "k", "Value": "2"}], QueryKeyword="north") == []


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"ParentFolderId": "sales"}, errors.INVALID_PARAMETER_PARENT_FOLDER_ID),
        ({"ParentFolderId": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_FOLDER),
        ({"PageNumber": 0}, errors.invalid("PageNumber")),
        ({"PageSize": 101}, errors.invalid("PageSize")),
        ({"Tag.1.Value": "v"}, errors.invalid("Tag")),
    ],
)
async def test_list_folders_for_parent_refuses_what_it_cannot_use(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("ListFoldersForParent", **parameters), expected)


async def test_list_folders_for_parent_refuses_accounts_without_directory(api: Api) -> None:
    for caller in (await account_without_directory(api), await api.as_account(await api.create_member("Shop"))):
        refusal = await caller.error("ListFoldersForParent")
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
