"""MoveAccount."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import (
    NO_FOLDER,
    NO_MEMBER,
    account_without_directory,
    copies_naming,
    directory_of,
    verified_contact,
)
from tests.assertions import assert_error
from tests.harness import Api


async def folder_of(api: Api, member_id: str) -> str:
    folder_id: str = (await api.call("GetAccount", AccountId=member_id))["Account"]["FolderId"]
    return folder_id


async def test_move_account_moves_there_and_back_to_root(api: Api) -> None:
    member_id, folder_id, root_id = (
        await api.create_member("Dev"),
        await api.create_folder("s"),
        await api.root_folder(),
    )
    for target in (folder_id, root_id):
        assert await api.call("MoveAccount", AccountId=member_id, DestinationFolderId=target) == {}
        assert await folder_of(api, member_id) == target


async def test_move_account_dates_the_change_only_when_there_is_one(api: Api) -> None:
    member_id, folder_id = await api.create_member("Dev"), await api.create_folder("sales")
    api.clock.advance(5)
    await api.call("MoveAccount", AccountId=member_id, DestinationFolderId=folder_id)
    moved = (await api.call("GetAccount", AccountId=member_id))["Account"]
    assert moved["ModifyTime"] == "2026-11-21T08:00:05.000Z"
    api.clock.advance(5)
    await api.call("MoveAccount", AccountId=member_id, DestinationFolderId=folder_id)
    assert (await api.call("GetAccount", AccountId=member_id))["Account"] == moved


async def test_move_account_takes_direct_bindings_along(api: Api) -> None:
    member_id, folder_id = await api.create_member("Dev"), await api.create_folder("sales")
    contact_id = await api.add_contact()
    await api.call("AssociateMembers", ContactId=contact_id, Members=[member_id])
    await api.call("MoveAccount", AccountId=member_id, DestinationFolderId=folder_id)
    assert (await api.contact(contact_id))["Members"] == [member_id]


@pytest.mark.parametrize("node", ["directory", "root", "folder"])
async def test_move_account_keeps_the_copies_that_the_member_had_where_it_was(api: Api, node: str) -> None:
    directory = await directory_of(api)
    folder_id = await api.create_folder("sales")
    member_id = await api.create_member("Dev", folder_id)
    bound_to = {"directory": directory["ResourceDirectoryId"], "root": directory["RootFolderId"], "folder": folder_id}
    contact_id = await verified_contact(api, "Ann", bound_to[node])
    await api.call("DeleteMessageContact", ContactId=contact_id)
    assert await copies_naming(api, member_id) == []
    await api.call("MoveAccount", AccountId=member_id, DestinationFolderId=await api.create_folder("market"))
    assert await copies_naming(api, member_id) == ["Ann"]


async def test_move_account_brings_no_copy_that_is_older_than_the_members_place(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    contact_id = await verified_contact(api, "Ann", folder_id)
    await api.call("DeleteMessageContact", ContactId=contact_id)
    api.clock.advance(1)
    member_id = await api.create_member("Dev")
    await api.call("MoveAccount", AccountId=member_id, DestinationFolderId=folder_id)
    await api.call("MoveAccount", AccountId=member_id, DestinationFolderId=await api.root_folder())
    assert await copies_naming(api, member_id) == []


async def test_move_account_waits_for_a_contact_that_is_being_taken_out_of_its_folder(api: Api) -> None:
    folder_id, root_id = await api.create_folder("sales"), await api.root_folder()
    member_id = await api.create_member("Dev", folder_id)
    contact_id = await verified_contact(api, "Ann", folder_id)
    await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=False)
    refusal = await api.error("MoveAccount", AccountId=member_id, DestinationFolderId=root_id)
    assert_error(refusal, errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH)
    await api.call("MoveAccount", AccountId=member_id, DestinationFolderId=folder_id)
    await api.work()
    await api.call("MoveAccount", AccountId=member_id, DestinationFolderId=root_id)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, errors.MISSING_PARAMETER_ACCOUNT_ID),
        ({"AccountId": "123"}, errors.MISSING_PARAMETER_DESTINATION_FOLDER_ID),
        ({"AccountId": "123", "DestinationFolderId": "x"}, errors.INVALID_PARAMETER_ACCOUNT_ID),
        ({"AccountId": NO_MEMBER, "DestinationFolderId": "x"}, errors.INVALID_PARAMETER_DESTINATION_FOLDER_ID),
        ({"AccountId": NO_MEMBER, "DestinationFolderId": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
    ],
)
async def test_move_account_refuses_in_the_order_of_its_table(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("MoveAccount", **parameters), expected)


async def test_move_account_refuses_a_folder_that_does_not_exist(api: Api) -> None:
    member_id = await api.create_member("Dev")
    refusal = await api.error("MoveAccount", AccountId=member_id, DestinationFolderId=NO_FOLDER)
    assert_error(refusal, errors.ENTITY_NOT_EXISTS_FOLDER)


async def test_move_account_refuses_accounts_without_directory(api: Api) -> None:
    member_id = await api.create_member("Shop")
    for caller in (await account_without_directory(api), await api.as_account(member_id)):
        refusal = await caller.error("MoveAccount", AccountId=member_id, DestinationFolderId=NO_FOLDER)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
