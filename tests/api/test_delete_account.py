"""CheckAccountDelete, GetAccountDeletionCheckResult, DeleteAccount and GetAccountDeletionStatus."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from message_contacts.directory.members import MEMBERS
from message_contacts.operations.registry import PRODUCTS, RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER
from tests.api.directory_tree import (
    NO_MEMBER,
    NOW,
    account_without_directory,
    copies_naming,
    make_cloud_account,
    verified_contact,
)
from tests.api.publishing import OURS
from tests.assertions import assert_error
from tests.harness import Api

VERSIONS = pytest.mark.parametrize("version", [RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER])
EVERY_OPERATION = pytest.mark.parametrize(
    "action", ["CheckAccountDelete", "GetAccountDeletionCheckResult", "DeleteAccount", "GetAccountDeletionStatus"]
)


async def members_counted(api: Api) -> int:
    return await api.service.storage.verification.count(api.account_id, MEMBERS, "")


@VERSIONS
async def test_a_member_is_checked_and_deleted_and_the_deletion_is_told_of(api: Api, version: str) -> None:
    member_id = await api.create_member("Dev")
    assert await api.call("CheckAccountDelete", version, AccountId=member_id) == {}
    assert await api.call("GetAccountDeletionCheckResult", version, AccountId=member_id) == {
        "AccountDeletionCheckResultInfo": {
            "AllowDelete": "true",
            "Status": "PreCheckComplete",
            "AbandonableChecks": [],
            "NotAllowReason": [],
        }
    }
    given = {"AccountId": member_id, "AbandonableCheckId": ["NON_SP_cs"]}
    assert await api.call("DeleteAccount", version, **given) == {"DeletionType": "0"}
    assert await api.call("GetAccountDeletionStatus", version, AccountId=member_id) == {
        "RdAccountDeletionStatus": {
            "AccountId": member_id,
            "CreateTime": NOW,
            "DeletionTime": NOW,
            "DeletionType": "0",
            "Status": "Success",
            "FailReasonList": [],
        }
    }
    for action in ("GetAccount", "CheckAccountDelete", "GetAccountDeletionCheckResult", "DeleteAccount"):
        refusal = await api.error(action, version, AccountId=member_id)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_ACCOUNT, product=PRODUCTS[version])


async def test_a_deleted_member_makes_room_for_others(api: Api) -> None:
    folder_id = await api.create_folder("sales")
    member_id = await api.create_member("Dev", folder_id)
    before = await members_counted(api)
    await api.call("DeleteAccount", AccountId=member_id)
    assert await members_counted(api) == before - 1
    assert await api.create_member("Dev") != member_id
    await api.call("DeleteFolder", FolderId=folder_id)


async def test_contacts_are_unbound_and_leave_no_copies(api: Api) -> None:
    folder_id, other_id = await api.create_folder("sales"), await api.create_member("Ops")
    member_id = await api.create_member("Dev", folder_id)
    direct = await verified_contact(api, "Direct", member_id, other_id)
    inherited = await verified_contact(api, "Inherited", folder_id)
    await api.call("DeleteAccount", AccountId=member_id)
    assert (await api.contact(direct))["Members"] == [other_id]
    assert (await api.contact(inherited))["Members"] == [folder_id]
    assert (await api.call("ListDetachedContacts", OURS))["DetachedContacts"] == []


async def test_copies_lose_the_name_of_the_member_and_go_with_their_last_one(api: Api) -> None:
    member_id, other_id = await api.create_member("Dev"), await api.create_member("Ops")
    for name, bound_to in (("Both", [member_id, other_id]), ("Alone", [member_id]), ("Other", [other_id])):
        await api.call("DeleteMessageContact", ContactId=await verified_contact(api, name, *bound_to))
    assert sorted(await copies_naming(api, member_id)) == ["Alone", "Both"]
    await api.call("DeleteAccount", AccountId=member_id)
    assert await copies_naming(api, member_id) == []
    listed = (await api.call("ListDetachedContacts", OURS))["DetachedContacts"]
    assert sorted((copy["Name"], copy["Members"]) for copy in listed) == [("Both", [other_id]), ("Other", [other_id])]


async def test_a_contact_that_is_being_taken_out_ends_as_it_would_have(api: Api) -> None:
    member_id = await api.create_member("Dev")
    contact_id = await verified_contact(api, "Ann", member_id)
    await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=False)
    await api.call("DeleteAccount", AccountId=member_id)
    assert (await api.contact(contact_id))["Members"] == []
    await api.work()
    assert_error(await api.error("GetMessageContact", ContactId=contact_id), errors.ENTITY_NOT_EXISTS_CONTACT)


async def test_webhooks_are_unbound(api: Api) -> None:
    member_id = await api.create_member("Dev")
    root_id = await api.root_folder()
    given = {"Form": "DingTalk", "Url": "https://oapi.dingtalk.com/robot/send?access_token=one"}
    made = await api.call(
        "CreateWebhook", OURS, Name="chat", MessageTypes=["SecurityMessage"], Members=[member_id, root_id], **given
    )
    await api.call("DeleteAccount", AccountId=member_id)
    shown = await api.call("GetWebhook", OURS, WebhookId=made["Webhook"]["WebhookId"])
    assert shown["Webhook"]["Members"] == [root_id]


async def test_a_cloud_account_stays(api: Api) -> None:
    member_id = await api.create_member("Dev")
    await make_cloud_account(api, member_id)
    assert await api.call("CheckAccountDelete", AccountId=member_id) == {}
    checked = await api.call("GetAccountDeletionCheckResult", AccountId=member_id)
    result = checked["AccountDeletionCheckResultInfo"]
    assert (result["AllowDelete"], result["Status"]) == ("false", "PreCheckComplete")
    assert [sorted(reason) for reason in result["NotAllowReason"]] == [["CheckId", "CheckName", "Description"]]
    refusal = await api.error("DeleteAccount", AccountId=member_id)
    assert_error(refusal, errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH)
    await api.call("GetAccount", AccountId=member_id)


async def test_members_that_were_never_deleted_have_no_deletion_to_tell_of(api: Api) -> None:
    present, removed = await api.create_member("Dev"), await api.create_member("Ops")
    await make_cloud_account(api, removed)
    await api.call("RemoveCloudAccount", AccountId=removed)
    for member_id in (present, removed):
        refusal = await api.error("GetAccountDeletionStatus", AccountId=member_id)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_ACCOUNT)


async def test_deletions_are_forgotten_with_the_directory(api: Api) -> None:
    member_id = await api.create_member("Dev")
    await api.call("DeleteAccount", AccountId=member_id)
    await api.call("DestroyResourceDirectory")
    refusal = await api.error("GetAccountDeletionStatus", AccountId=member_id)
    assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
    await api.call("EnableResourceDirectory", EnableMode="CurrentAccount")
    refusal = await api.error("GetAccountDeletionStatus", AccountId=member_id)
    assert_error(refusal, errors.ENTITY_NOT_EXISTS_ACCOUNT)


async def test_the_audit_trail_tells_of_a_deletion(api: Api) -> None:
    member_id = await api.create_member("Dev")
    await api.call("DeleteAccount", AccountId=member_id)
    events = (await api.call("ListAuditEvents", OURS, TargetId=member_id))["Events"]
    assert sorted(event["Operation"] for event in events) == ["CreateResourceAccount", "DeleteAccount"]


@EVERY_OPERATION
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, errors.MISSING_PARAMETER_ACCOUNT_ID),
        ({"AccountId": "123"}, errors.INVALID_PARAMETER_ACCOUNT_ID),
        ({"AccountId": NO_MEMBER}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
    ],
)
async def test_what_cannot_be_found_is_refused(
    api: Api, action: str, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error(action, **parameters), expected)


@EVERY_OPERATION
async def test_accounts_without_directory_are_refused(api: Api, action: str) -> None:
    member_id = await api.create_member("Shop")
    for caller in (await account_without_directory(api), await api.as_account(member_id)):
        refusal = await caller.error(action, AccountId=member_id)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
