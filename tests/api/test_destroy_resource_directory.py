"""DestroyResourceDirectory."""

from __future__ import annotations

from message_contacts import errors
from message_contacts.verification.challenge import PageState, Visitor
from tests.api.directory_tree import (
    account_without_directory,
    copies_naming,
    directory_of,
    make_cloud_account,
    verified_contact,
)
from tests.assertions import assert_error
from tests.harness import Api


async def test_destroy_resource_directory_leaves_nothing_and_the_account_can_start_again(api: Api) -> None:
    before = await directory_of(api)
    assert await api.call("DestroyResourceDirectory") == {}
    assert_error(await api.error("GetResourceDirectory"), errors.RESOURCE_DIRECTORY_NOT_IN_USE)
    assert_error(await api.error("ListMessageContacts"), errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
    await api.call("EnableResourceDirectory", EnableMode="CurrentAccount")
    after = await directory_of(api)
    assert after["ResourceDirectoryId"] != before["ResourceDirectoryId"]
    assert after["RootFolderId"] != before["RootFolderId"]


async def test_destroy_resource_directory_takes_the_contacts_along_and_frees_their_number(api: Api) -> None:
    contact_id = await api.add_contact()
    await verified_contact(api, "Ann", (await directory_of(api))["ResourceDirectoryId"])
    await api.call("DestroyResourceDirectory")
    await api.call("EnableResourceDirectory", EnableMode="CurrentAccount")
    assert (await api.call("ListMessageContacts"))["Contacts"] == []
    assert_error(await api.error("GetMessageContact", ContactId=contact_id), errors.ENTITY_NOT_EXISTS_CONTACT)
    for letter in "abcdefghijklmnopqrst":
        await api.add_contact(Name=f"Full{letter}")


async def test_destroy_resource_directory_ends_waiting_verifications(api: Api) -> None:
    contact_id = await api.add_contact()
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress="tom@example.com")
    await api.work()
    token = await api.token_sent_to("tom@example.com")
    await api.call("DestroyResourceDirectory")
    view = await api.service.verification.confirm(token, Visitor("198.51.100.4", "Browser"))
    assert view.state is not PageState.CONFIRMED


async def test_destroy_resource_directory_leaves_the_copies_that_members_took_along(api: Api) -> None:
    member_id = await api.create_member("Shop")
    await verified_contact(api, "Ann", member_id)
    await make_cloud_account(api, member_id)
    await api.call("RemoveCloudAccount", AccountId=member_id)
    await api.call("DestroyResourceDirectory")
    assert await copies_naming(api, member_id) == ["Ann"]


async def test_destroy_resource_directory_refuses_while_there_is_a_member(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    await api.create_member("Shop", folder_id)
    refusal = await api.error("DestroyResourceDirectory")
    assert_error(refusal, errors.DELETE_CONFLICT_RESOURCE_DIRECTORY_ACCOUNT)


async def test_destroy_resource_directory_refuses_while_there_is_a_folder(api: Api) -> None:
    await api.create_folder("sales")
    assert_error(await api.error("DestroyResourceDirectory"), errors.DELETE_CONFLICT_FOLDER_SUB_FOLDER)


async def test_destroy_resource_directory_refuses_accounts_without_one(api: Api) -> None:
    for caller in (await account_without_directory(api), await api.as_account(await api.create_member("Shop"))):
        refusal = await caller.error("DestroyResourceDirectory")
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
