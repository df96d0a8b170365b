"""Two calls about the same part of the tree: the second happens between the first one's decision and its commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from message_contacts import errors
from message_contacts.changes import Seam
from tests.api.directory_tree import (
    account_without_directory,
    copies_naming,
    directory_of,
    make_cloud_account,
    verified_contact,
)
from tests.assertions import assert_error
from tests.conftest import ENGINES
from tests.harness import Api, open_api

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)


class Meanwhile(Seam):
    """Does one thing between the next decision and its commit."""

    def __init__(self) -> None:
        self._then: Callable[[], Awaitable[object]] | None = None

    def do(self, then: Callable[[], Awaitable[object]]) -> None:
        self._then = then

    async def decided(self) -> None:
        if self._then is not None:
            then, self._then = self._then, None
            await then()


@pytest.fixture
def meanwhile() -> Meanwhile:
    return Meanwhile()


@pytest.fixture
async def api(database_url: str, meanwhile: Meanwhile) -> AsyncIterator[Api]:
    async with open_api(database_url, seam=meanwhile) as opened:
        yield opened


async def test_a_directory_is_enabled_once(api: Api, meanwhile: Meanwhile) -> None:
    stranger = await account_without_directory(api)
    meanwhile.do(lambda: stranger.call("EnableResourceDirectory", EnableMode="CurrentAccount"))
    refusal = await stranger.error("EnableResourceDirectory", EnableMode="CurrentAccount")
    assert_error(refusal, errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY)


async def test_a_directory_that_got_a_member_meanwhile_is_not_destroyed(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.create_member("Shop"))
    refusal = await api.error("DestroyResourceDirectory")
    assert_error(refusal, errors.DELETE_CONFLICT_RESOURCE_DIRECTORY_ACCOUNT)


async def test_a_directory_that_got_a_contact_meanwhile_is_destroyed_with_it(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(api.add_contact)
    await api.call("DestroyResourceDirectory")
    await api.call("EnableResourceDirectory", EnableMode="CurrentAccount")
    assert (await api.call("ListMessageContacts"))["TotalCount"] == 0


async def test_a_folder_is_not_created_in_one_that_went_meanwhile(api: Api, meanwhile: Meanwhile) -> None:
    parent_id = await api.create_folder("sales")
    meanwhile.do(lambda: api.call("DeleteFolder", FolderId=parent_id))
    refusal = await api.error("CreateFolder", FolderName="north", ParentFolderId=parent_id)
    assert_error(refusal, errors.ENTITY_NOT_EXISTS_FOLDER)


async def test_a_folder_that_got_a_folder_meanwhile_is_not_deleted(api: Api, meanwhile: Meanwhile) -> None:
    folder_id = await api.create_folder("sales")
    meanwhile.do(lambda: api.create_folder("north", folder_id))
    assert_error(await api.error("DeleteFolder", FolderId=folder_id), errors.DELETE_CONFLICT_FOLDER_SUB_FOLDER)


async def test_a_folder_that_got_a_member_meanwhile_is_not_deleted(api: Api, meanwhile: Meanwhile) -> None:
    folder_id, member_id = await api.create_folder("sales"), await api.create_member("Shop")
    meanwhile.do(lambda: api.call("MoveAccount", AccountId=member_id, DestinationFolderId=folder_id))
    assert_error(await api.error("DeleteFolder", FolderId=folder_id), errors.DELETE_CONFLICT_FOLDER_ACCOUNT)


async def test_a_folder_takes_a_binding_along_that_was_made_meanwhile(api: Api, meanwhile: Meanwhile) -> None:
    folder_id, contact_id = await api.create_folder("sales"), await api.add_contact()
    meanwhile.do(lambda: api.call("AssociateMembers", ContactId=contact_id, Members=[folder_id]))
    await api.call("DeleteFolder", FolderId=folder_id)
    assert (await api.contact(contact_id))["Members"] == []


async def test_a_display_name_is_given_once(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.create_member("Dev"))
    refusal = await api.error("CreateResourceAccount", DisplayName="Dev")
    assert_error(refusal, errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED)


async def test_a_login_name_is_given_once(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.call("CreateResourceAccount", DisplayName="Dev", AccountNamePrefix="dev"))
    refusal = await api.error("CreateResourceAccount", DisplayName="Ops", AccountNamePrefix="dev")
    assert_error(refusal, errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY_ACCOUNT)


async def test_a_member_is_not_moved_into_a_folder_that_went_meanwhile(api: Api, meanwhile: Meanwhile) -> None:
    folder_id, member_id = await api.create_folder("sales"), await api.create_member("Dev")
    meanwhile.do(lambda: api.call("DeleteFolder", FolderId=folder_id))
    refusal = await api.error("MoveAccount", AccountId=member_id, DestinationFolderId=folder_id)
    assert_error(refusal, errors.ENTITY_NOT_EXISTS_FOLDER)
    assert (await api.call("GetAccount", AccountId=member_id))["Account"]["FolderId"] == await api.root_folder()


async def test_a_moving_member_keeps_a_contact_that_is_deleted_meanwhile(api: Api, meanwhile: Meanwhile) -> None:
    folder_id = await api.create_folder("sales")
    member_id = await api.create_member("Dev", folder_id)
    contact_id = await verified_contact(api, "Ann", await api.root_folder())
    meanwhile.do(lambda: api.call("DeleteMessageContact", ContactId=contact_id))
    await api.call("MoveAccount", AccountId=member_id, DestinationFolderId=await api.root_folder())
    assert await copies_naming(api, member_id) == ["Ann"]


async def test_a_member_is_not_moved_when_a_contact_of_its_folder_is_taken_out_meanwhile(
    api: Api, meanwhile: Meanwhile
) -> None:
    folder_id = await api.create_folder("sales")
    member_id = await api.create_member("Dev", folder_id)
    contact_id = await verified_contact(api, "Ann", folder_id)
    meanwhile.do(lambda: api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=False))
    refusal = await api.error("MoveAccount", AccountId=member_id, DestinationFolderId=await api.root_folder())
    assert_error(refusal, errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH)


async def test_a_leaving_member_keeps_one_copy_of_a_contact_that_is_deleted_meanwhile(
    api: Api, meanwhile: Meanwhile
) -> None:
    member_id = await api.create_member("Dev")
    await make_cloud_account(api, member_id)
    directory_id = (await directory_of(api))["ResourceDirectoryId"]
    contact_id = await verified_contact(api, "Ann", directory_id)
    meanwhile.do(lambda: api.call("DeleteMessageContact", ContactId=contact_id))
    await api.call("RemoveCloudAccount", AccountId=member_id)
    assert await copies_naming(api, member_id) == ["Ann"]


async def test_a_leaving_member_loses_a_binding_that_is_made_meanwhile_and_keeps_a_copy(
    api: Api, meanwhile: Meanwhile
) -> None:
    member_id = await api.create_member("Dev")
    await make_cloud_account(api, member_id)
    contact_id = await verified_contact(api, "Ann")
    meanwhile.do(lambda: api.call("AssociateMembers", ContactId=contact_id, Members=[member_id]))
    await api.call("RemoveCloudAccount", AccountId=member_id)
    assert await copies_naming(api, member_id) == ["Ann"]
    assert (await api.contact(contact_id))["Members"] == []


async def test_a_member_is_removed_once(api: Api, meanwhile: Meanwhile) -> None:
    member_id = await api.create_member("Dev")
    await make_cloud_account(api, member_id)
    meanwhile.do(lambda: api.call("RemoveCloudAccount", AccountId=member_id))
    refusal = await api.error("RemoveCloudAccount", AccountId=member_id)
    assert_error(refusal, errors.ENTITY_NOT_EXISTS_ACCOUNT)


async def test_a_deleted_member_is_not_named_by_the_copy_of_a_contact_that_is_deleted_meanwhile(
    api: Api, meanwhile: Meanwhile
) -> None:
    member_id = await api.create_member("Dev")
    contact_id = await verified_contact(api, "Ann", member_id)
    meanwhile.do(lambda: api.call("DeleteMessageContact", ContactId=contact_id))
    await api.call("DeleteAccount", AccountId=member_id)
    assert await copies_naming(api, member_id) == []


async def test_a_deleted_member_is_not_named_by_a_copy_that_a_move_gave_it_meanwhile(
    api: Api, meanwhile: Meanwhile
) -> None:
    folder_id, root_id = await api.create_folder("sales"), await api.root_folder()
    member_id = await api.create_member("Dev", folder_id)
    contact_id = await verified_contact(api, "Ann", folder_id)
    await api.call("DeleteMessageContact", ContactId=contact_id)
    meanwhile.do(lambda: api.call("MoveAccount", AccountId=member_id, DestinationFolderId=root_id))
    await api.call("DeleteAccount", AccountId=member_id)
    assert await copies_naming(api, member_id) == []


async def test_a_deleted_member_loses_a_binding_that_is_made_meanwhile(api: Api, meanwhile: Meanwhile) -> None:
    member_id = await api.create_member("Dev")
    contact_id = await verified_contact(api, "Ann")
    meanwhile.do(lambda: api.call("AssociateMembers", ContactId=contact_id, Members=[member_id]))
    await api.call("DeleteAccount", AccountId=member_id)
    assert (await api.contact(contact_id))["Members"] == []


async def test_a_member_is_deleted_once(api: Api, meanwhile: Meanwhile) -> None:
    member_id = await api.create_member("Dev")
    meanwhile.do(lambda: api.call("DeleteAccount", AccountId=member_id))
    refusal = await api.error("DeleteAccount", AccountId=member_id)
    assert_error(refusal, errors.ENTITY_NOT_EXISTS_ACCOUNT)


async def test_an_account_that_is_made_a_cloud_account_meanwhile_stays(api: Api, meanwhile: Meanwhile) -> None:
    member_id = await api.create_member("Dev")
    meanwhile.do(lambda: make_cloud_account(api, member_id))
    refusal = await api.error("DeleteAccount", AccountId=member_id)
    assert_error(refusal, errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH)
    await api.call("GetAccount", AccountId=member_id)
