"""RemoveCloudAccount."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import (
    NO_MEMBER,
    account_without_directory,
    copies_naming,
    directory_of,
    make_cloud_account,
    verified_contact,
)
from tests.assertions import assert_error
from tests.harness import Api


async def cloud_account(api: Api, name: str, folder_id: str | None = None) -> str:
    member_id = await api.create_member(name, folder_id)
    await make_cloud_account(api, member_id)
    return member_id


async def test_remove_cloud_account_takes_the_member_out(api: Api) -> None:
    member_id = await cloud_account(api, "Dev")
    assert await api.call("RemoveCloudAccount", AccountId=member_id) == {}
    assert_error(await api.error("GetAccount", AccountId=member_id), errors.ENTITY_NOT_EXISTS_ACCOUNT)
    assert_error(await api.error("RemoveCloudAccount", AccountId=member_id), errors.ENTITY_NOT_EXISTS_ACCOUNT)
    await api.create_member("Dev")


async def test_remove_cloud_account_leaves_the_member_what_it_had(api: Api) -> None:
    directory = await directory_of(api)
    folder_id, other_id = await api.create_folder("sales"), await api.create_folder("market")
    member_id = await cloud_account(api, "Dev", folder_id)
    direct = await verified_contact(api, "Direct", member_id, directory["RootFolderId"])
    await verified_contact(api, "Inherited", folder_id)
    await verified_contact(api, "Everywhere", directory["ResourceDirectoryId"])
    await verified_contact(api, "Elsewhere", other_id)
    unverified = await api.add_contact(Name="Unverified", EmailAddress="u@example.com")
    await api.call("AssociateMembers", ContactId=unverified, Members=[member_id])
    await api.call("RemoveCloudAccount", AccountId=member_id)
    assert sorted(await copies_naming(api, member_id)) == ["Direct", "Everywhere", "Inherited"]
    assert (await api.contact(direct))["Members"] == [directory["RootFolderId"]]
    assert (await api.contact(unverified))["Members"] == []


async def test_remove_cloud_account_leaves_the_member_the_copies_it_had(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    member_id = await cloud_account(api, "Dev", folder_id)
    contact_id = await verified_contact(api, "Ann", folder_id)
    await api.call("DeleteMessageContact", ContactId=contact_id)
    await api.call("RemoveCloudAccount", AccountId=member_id)
    assert await copies_naming(api, member_id) == ["Ann"]


async def test_remove_cloud_account_leaves_no_copy_of_a_contact_that_is_being_taken_out(api: Api) -> None:
    member_id = await cloud_account(api, "Dev")
    contact_id = await verified_contact(api, "Ann", member_id)
    await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=False)
    await api.call("RemoveCloudAccount", AccountId=member_id)
    assert await copies_naming(api, member_id) == []
    assert (await api.contact(contact_id))["Members"] == []
    await api.work()
    assert_error(await api.error("GetMessageContact", ContactId=contact_id), errors.ENTITY_NOT_EXISTS_CONTACT)


async def test_remove_cloud_account_refuses_a_resource_account(api: Api) -> None:
    member_id = await api.create_member("Dev")
    refusal = await api.error("RemoveCloudAccount", AccountId=member_id)
    assert_error(refusal, errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, errors.MISSING_PARAMETER_ACCOUNT_ID),
        ({"AccountId": "123"}, errors.INVALID_PARAMETER_ACCOUNT_ID),
        ({"AccountId": NO_MEMBER}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
    ],
)
async def test_remove_cloud_account_refuses_what_it_cannot_find(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("RemoveCloudAccount", **parameters), expected)


async def test_remove_cloud_account_refuses_accounts_without_directory(api: Api) -> None:
    member_id = await cloud_account(api, "Shop")
    for caller in (await account_without_directory(api), await api.as_account(member_id)):
        refusal = await caller.error("RemoveCloudAccount", AccountId=member_id)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
