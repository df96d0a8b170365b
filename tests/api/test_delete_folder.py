"""DeleteFolder."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_FOLDER, account_without_directory, chain
from tests.assertions import assert_error
from tests.harness import Api


async def test_delete_folder_leaves_nothing(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    assert await api.call("DeleteFolder", FolderId=folder_id) == {}
    assert_error(await api.error("GetFolder", FolderId=folder_id), errors.ENTITY_NOT_EXISTS_FOLDER)
    await api.create_folder("sales")


async def test_delete_folder_takes_the_bindings_to_it_along(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    root_id = await api.root_folder()
    contact_id = await api.add_contact()
    await api.call("AssociateMembers", ContactId=contact_id, Members=[folder_id, root_id])
    await api.call("DeleteFolder", FolderId=folder_id)
    assert (await api.contact(contact_id))["Members"] == [root_id]


async def test_delete_folder_refuses_one_with_folders_before_one_with_members(api: Api) -> None:
    first, second = await chain(api, 2)
    await api.create_member("Shop", first)
    refusal = await api.error("DeleteFolder", FolderId=first)
    assert_error(refusal, errors.DELETE_CONFLICT_FOLDER_SUB_FOLDER)
    await api.call("DeleteFolder", FolderId=second)
    assert_error(await api.error("DeleteFolder", FolderId=first), errors.DELETE_CONFLICT_FOLDER_ACCOUNT)


async def test_delete_folder_does_not_delete_root(api: Api) -> None:
    refusal = await api.error("DeleteFolder", FolderId=await api.root_folder())
    assert_error(refusal, errors.INVALID_PARAMETER_FOLDER_ID)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, errors.MISSING_PARAMETER_FOLDER_ID),
        ({"FolderId": "sales"}, errors.INVALID_PARAMETER_FOLDER_ID),
        ({"FolderId": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_FOLDER),
    ],
)
async def test_delete_folder_refuses_what_it_cannot_find(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("DeleteFolder", **parameters), expected)


async def test_delete_folder_refuses_accounts_without_directory(api: Api) -> None:
    for caller in (await account_without_directory(api), await api.as_account(await api.create_member("Shop"))):
        refusal = await caller.error("DeleteFolder", FolderId=NO_FOLDER)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
