"""PreviewChange. That it foretells what a change does is in `test_reach_machine.py`, for changes of all kinds."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from message_contacts.errors import ErrorDefinition
from message_contacts.operations import preview
from message_contacts.operations.copies import NO_DETACHED_CONTACT
from message_contacts.operations.own_parameters import missing_parameter
from tests.api.directory_tree import NO_FOLDER, NO_MEMBER, verified_contact
from tests.assertions import assert_own_error
from tests.harness import Api

OURS = "2026-11-01"
NOBODY = "c-zzzzzzzzzzzzzzzz"


async def previewed(api: Api, change: str, **parameters: Any) -> dict[str, Any]:
    return await api.call("PreviewChange", OURS, Change=change, **parameters)


async def test_unbinding_the_only_contact_of_a_folder_leaves_its_members_with_nobody(api: Api) -> None:
    sales = await api.create_folder("Sales")
    first, second = await api.create_member("First", sales), await api.create_member("Second", sales)
    anna = await verified_contact(api, "Anna", sales)
    await verified_contact(api, "Ben", second)

    answer = await previewed(api, "Unbind", ContactId=anna, Members=[sales])

    assert answer == {
        "Summary": {
            "MembersLeftWithout": 1,
            "MessageTypes": [{"MessageType": "SecurityMessage", "MembersLeftWithout": 1}],
        },
        "Members": [{"MemberId": first, "DisplayName": "First", "MessageTypes": ["SecurityMessage"]}],
    }


async def test_a_preview_changes_nothing(api: Api) -> None:
    shop = await api.create_member("Shop")
    anna = await verified_contact(api, "Anna", shop)
    before = await api.contact(anna)

    await previewed(api, "DeleteContact", ContactId=anna, RetainContactInMembers=False)
    await previewed(api, "DeleteContact", ContactId=anna)
    await previewed(api, "ChangeTypes", ContactId=anna, MessageTypes=["FaultMessage"])

    assert await api.contact(anna) == before
    assert (await api.call("ListDetachedContacts", OURS))["DetachedContacts"] == []


async def test_a_deletion_with_retention_leaves_nobody_without(api: Api) -> None:
    shop = await api.create_member("Shop")
    anna = await verified_contact(api, "Anna", shop)

    kept = await previewed(api, "DeleteContact", ContactId=anna)
    taken = await previewed(api, "DeleteContact", ContactId=anna, RetainContactInMembers=False)

    assert kept["Summary"] == {"MembersLeftWithout": 0, "MessageTypes": []}
    assert taken["Summary"]["MembersLeftWithout"] == 1


async def test_members_left_without_come_in_pages(api: Api) -> None:
    members = sorted([await api.create_member(f"Member {number}") for number in range(3)])
    anna = await verified_contact(api, "Anna", await api.root_folder())

    first = await previewed(api, "ChangeTypes", ContactId=anna, MessageTypes=["FaultMessage"], MaxResults=2)
    rest = await previewed(
        api,
        "ChangeTypes",
        ContactId=anna,
        MessageTypes=["FaultMessage"],
        MaxResults=2,
        NextToken=first["NextToken"],
    )

    assert [entry["MemberId"] for entry in first["Members"] + rest["Members"]] == members
    assert "NextToken" not in rest
    assert first["Summary"] == rest["Summary"]


MOVED = {"Change": "MoveMember", "AccountId": NO_MEMBER}
UNBOUND = {"Change": "Unbind", "ContactId": NOBODY}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, preview.MISSING_CHANGE),
        ({"Change": "Bind"}, preview.INVALID_CHANGE),
        ({"Change": "Unbind", "DryRun": "false"}, preview.INVALID_DRY_RUN),
        ({"Change": "Unbind", "DryRun": "maybe"}, preview.INVALID_DRY_RUN),
        ({"Change": "DeleteContact"}, errors.MISSING_PARAMETER_CONTACT_ID),
        ({"Change": "DeleteContact", "ContactId": "x"}, errors.INVALID_PARAMETER_CONTACT_ID),
        ({"Change": "DeleteContact", "ContactId": NOBODY}, errors.ENTITY_NOT_EXISTS_CONTACT),
        (UNBOUND, missing_parameter("Members")),
        ({**UNBOUND, "Members": ["x"]}, errors.INVALID_PARAMETER_MEMBERS),
        ({**UNBOUND, "Members": [NO_MEMBER, NO_MEMBER]}, errors.INVALID_PARAMETER_MEMBERS_DUPLICATE),
        ({**UNBOUND, "Members": [f"fd-{n}" for n in range(6)]}, errors.INVALID_PARAMETER_MEMBERS_LENGTH),
        ({"Change": "ChangeTypes", "ContactId": NOBODY}, errors.MISSING_PARAMETER_MESSAGE_TYPES),
        (
            {"Change": "ChangeTypes", "ContactId": NOBODY, "MessageTypes": ["x"]},
            errors.INVALID_PARAMETER_MESSAGE_TYPES,
        ),
        ({"Change": "MoveMember"}, errors.MISSING_PARAMETER_ACCOUNT_ID),
        ({"Change": "RemoveMember", "AccountId": "x"}, errors.INVALID_PARAMETER_ACCOUNT_ID),
        ({"Change": "DeleteMember", "AccountId": NO_MEMBER}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
        (MOVED, errors.MISSING_PARAMETER_DESTINATION_FOLDER_ID),
        ({**MOVED, "DestinationFolderId": "x"}, errors.INVALID_PARAMETER_DESTINATION_FOLDER_ID),
        ({**MOVED, "DestinationFolderId": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
        ({"Change": "DeleteCopy"}, missing_parameter("DetachedContactId")),
        ({"Change": "DeleteCopy", "DetachedContactId": "dc-x"}, NO_DETACHED_CONTACT),
    ],
)
async def test_a_call_is_refused_with_the_error_of_its_table(
    api: Api, given: dict[str, Any], expected: ErrorDefinition
) -> None:
    assert_own_error(await api.error("PreviewChange", OURS, **given), expected)


async def test_a_preview_fails_as_the_change_would(api: Api) -> None:
    shop = await api.create_member("Shop")
    anna = await verified_contact(api, "Anna", shop)
    refused = await api.error("PreviewChange", OURS, Change="RemoveMember", AccountId=shop)
    assert_own_error(refused, errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH)
    cloud = await api.create_member("Cloud")
    await api.call("UpdateAccount", AccountId=cloud, NewAccountType="CloudAccount")
    refused = await api.error("PreviewChange", OURS, Change="DeleteMember", AccountId=cloud)
    assert_own_error(refused, errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH)
    refused = await api.error("PreviewChange", OURS, Change="MoveMember", AccountId=shop, DestinationFolderId=NO_FOLDER)
    assert_own_error(refused, errors.ENTITY_NOT_EXISTS_FOLDER)
    refused = await api.error("PreviewChange", OURS, Change="Unbind", ContactId=anna, Members=[NO_MEMBER])
    assert_own_error(refused, errors.INVALID_MEMBER)

    await api.call("DeleteMessageContact", ContactId=anna, RetainContactInMembers=False)

    refused = await api.error(
        "PreviewChange", OURS, Change="ChangeTypes", ContactId=anna, MessageTypes=["FaultMessage"]
    )
    assert_own_error(refused, errors.CONTACT_STATUS_MISMATCH_ACTION)
    refused = await api.error("PreviewChange", OURS, Change="DeleteContact", ContactId=anna)
    assert_own_error(refused, errors.CONCURRENT_CALL_NOT_SUPPORTED)
