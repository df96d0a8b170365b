"""GetResourceDirectory."""

from __future__ import annotations

from message_contacts import errors
from tests.api.directory_tree import NOW, account_without_directory, directory_of, make_cloud_account
from tests.assertions import assert_error
from tests.harness import ACCOUNT_ID, ACCOUNT_NAME, Api


async def test_get_resource_directory_shows_all_there_is(api: Api) -> None:
    answer = await api.call("GetResourceDirectory")
    directory = answer["ResourceDirectory"]
    assert answer == {
        "ResourceDirectory": {
            "ResourceDirectoryId": directory["ResourceDirectoryId"],
            "MasterAccountId": ACCOUNT_ID,
            "MasterAccountName": ACCOUNT_NAME,
            "RootFolderId": directory["RootFolderId"],
            "CreateTime": NOW,
            "ControlPolicyStatus": "Disabled",
            "MemberDeletionStatus": "Enabled",
            "MemberAccountDisplayNameSyncStatus": "Disabled",
            "IdentityInformation": "",
        }
    }


async def test_get_resource_directory_shows_a_member_its_directory(api: Api) -> None:
    member = await api.as_account(await api.create_member("Shop"))
    assert await directory_of(member) == await directory_of(api)


async def test_get_resource_directory_refuses_an_account_without_one(api: Api) -> None:
    stranger = await account_without_directory(api)
    assert_error(await stranger.error("GetResourceDirectory"), errors.RESOURCE_DIRECTORY_NOT_IN_USE)


async def test_get_resource_directory_refuses_a_member_that_was_removed(api: Api) -> None:
    member_id = await api.create_member("Shop")
    member = await api.as_account(member_id)
    await make_cloud_account(api, member_id)
    await api.call("RemoveCloudAccount", AccountId=member_id)
    assert_error(await member.error("GetResourceDirectory"), errors.RESOURCE_DIRECTORY_NOT_IN_USE)
