"""ListEffectiveContacts. What it lists after changes of all kinds is in `test_reach_machine.py`."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from message_contacts.errors import ErrorDefinition
from message_contacts.operations import effective_contacts
from message_contacts.operations.reach_parameters import INVALID_FOLDER, INVALID_MESSAGE_TYPE, INVALID_SEVERITY
from message_contacts.operations.token_paging import INVALID_MAX_RESULTS, INVALID_NEXT_TOKEN
from message_contacts.verification.challenge import Visitor
from tests.api.directory_tree import NO_FOLDER, NO_MEMBER, chain, directory_of, verified_contact
from tests.assertions import assert_own_error
from tests.harness import Api

OURS = "2026-11-01"
ACTION = "ListEffectiveContacts"


async def listed(api: Api, **parameters: Any) -> list[dict[str, Any]]:
    """The contacts of the first page."""
    found: list[dict[str, Any]] = (await api.call(ACTION, OURS, **parameters))["EffectiveContacts"]
    return found


async def test_a_member_five_folders_deep_has_its_own_and_what_it_inherits(api: Api) -> None:
    folders = await chain(api, 5)
    member = await api.create_member("Shop", folders[-1])
    directory = (await directory_of(api))["ResourceDirectoryId"]
    near = await verified_contact(api, "Anna", folders[2], member)
    far = await verified_contact(api, "Ben", directory)
    await verified_contact(api, "Cleo", await api.create_folder("elsewhere"))

    assert await listed(api, Member=member) == [
        {
            "ContactId": near,
            "Name": "Anna",
            "MessageTypes": ["SecurityMessage"],
            "Addresses": [{"Channel": "email", "Address": "anna@example.com", "Outcome": "passed"}],
            "Reasons": [
                {"Because": "Folder", "ObjectId": folders[2]},
                {"Because": "Own", "ObjectId": member},
            ],
        },
        {
            "ContactId": far,
            "Name": "Ben",
            "MessageTypes": ["SecurityMessage"],
            "Addresses": [{"Channel": "email", "Address": "ben@example.com", "Outcome": "passed"}],
            "Reasons": [{"Because": "Directory", "ObjectId": directory}],
        },
    ]


async def test_a_folder_lists_what_a_member_that_joins_it_would_have(api: Api) -> None:
    folder = await api.create_folder("Sales")
    member = await api.create_member("Shop", folder)
    directory = (await directory_of(api))["ResourceDirectoryId"]
    wide = await verified_contact(api, "Anna", directory)
    here = await verified_contact(api, "Ben", folder)
    kept = await verified_contact(api, "Cleo", folder)
    await verified_contact(api, "Dora", member)
    await api.call("DeleteMessageContact", ContactId=kept)

    assert [entry["ContactId"] for entry in await listed(api, Folder=folder)] == [wide, here]
    newcomer = await api.create_member("Second", folder)
    api.clock.advance(1)
    assert kept in [entry["ContactId"] for entry in await listed(api, Member=member)]
    assert [entry["Name"] for entry in await listed(api, Member=newcomer)][:2] == ["Anna", "Ben"]
    assert [entry["Name"] for entry in await listed(api, Folder=await api.root_folder())] == ["Anna"]


async def test_a_copy_of_a_deleted_contact_is_listed_as_what_it_was(api: Api) -> None:
    member = await api.create_member("Shop")
    contact_id = await verified_contact(api, "Anna", member)
    await api.call("DeleteMessageContact", ContactId=contact_id)

    (entry,) = await listed(api, Member=member)

    (copy,) = (await api.call("ListDetachedContacts", OURS))["DetachedContacts"]
    assert entry["ContactId"] == contact_id
    assert entry["DetachedContactId"] == copy["DetachedContactId"]
    assert entry["Reasons"] == [{"Because": "Retained", "ObjectId": member}]
    assert entry["Addresses"] == [{"Channel": "email", "Address": "anna@example.com", "Outcome": "passed"}]


async def test_a_contact_without_a_verified_address_is_not_in_effect(api: Api) -> None:
    member = await api.create_member("Shop")
    contact_id = await api.add_contact()
    await api.call("AssociateMembers", ContactId=contact_id, Members=[member])

    assert await listed(api, Member=member) == []


async def test_a_contact_is_gone_from_the_moment_it_is_being_deleted(api: Api) -> None:
    member = await api.create_member("Shop")
    contact_id = await verified_contact(api, "Anna", member)

    answer = await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=False)

    assert answer["Status"] == "Deleting"
    assert await listed(api, Member=member) == []


async def test_the_verified_address_stays_listed_while_another_waits(api: Api) -> None:
    member = await api.create_member("Shop")
    contact_id = await verified_contact(api, "Anna", member)
    await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress="new@example.com")

    ((address,),) = [entry["Addresses"] for entry in await listed(api, Member=member)]

    assert address["Address"] == "anna@example.com"


async def test_a_phone_is_reached_by_critical_messages_alone(api: Api) -> None:
    member = await api.create_member("Shop")
    number = "86-13900001234"
    contact_id = await api.add_contact(PhoneNumber=number)
    await api.call("SendPhoneVerificationForMessageContact", ContactId=contact_id, PhoneNumber=number)
    await api.work()
    await api.service.verification.confirm(await api.token_sent_to(number), Visitor("198.51.100.4", ""))
    await api.call("AssociateMembers", ContactId=contact_id, Members=[member])

    for severity, outcome in (("Critical", "passed"), ("Normal", "channel-not-allowed"), (None, "passed")):
        (entry,) = await listed(api, Member=member, Severity=severity)
        assert entry["Addresses"] == [{"Channel": "sms", "Address": number, "Outcome": outcome}]


async def test_pages_together_list_everybody_once_whatever_the_filter_leaves(api: Api) -> None:
    member = await api.create_member("Shop")
    contacts = [await verified_contact(api, name, member) for name in ("Anna", "Ben", "Cleo", "Dora", "Emil")]
    await api.call("UpdateMessageContact", ContactId=contacts[0], MessageTypes=["FaultMessage"])
    await api.call("UpdateMessageContact", ContactId=contacts[2], MessageTypes=["FaultMessage"])
    await api.call("DeleteMessageContact", ContactId=contacts[4])
    found: list[str] = []
    token = None
    for _ in range(3):
        page = await api.call(ACTION, OURS, Member=member, MessageType="SecurityMessage", MaxResults=1, NextToken=token)
        found += [entry["ContactId"] for entry in page["EffectiveContacts"]]
        token = page.get("NextToken")

    assert token is None
    assert found == [contacts[1], contacts[3], contacts[4]]


async def test_members_and_folders_of_another_tenant_do_not_exist(api: Api) -> None:
    folder = await api.create_folder("Sales")
    member = await api.create_member("Shop", folder)
    other = await api.other_tenant()

    assert_own_error(await other.error(ACTION, OURS, Member=member), errors.ENTITY_NOT_EXISTS_MEMBER)
    assert_own_error(await other.error(ACTION, OURS, Folder=folder), errors.ENTITY_NOT_EXISTS_FOLDER)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, effective_contacts.MISSING_MEMBER_OR_FOLDER),
        ({"Member": NO_MEMBER, "Folder": NO_FOLDER}, effective_contacts.INVALID_MEMBER_AND_FOLDER),
        ({"Member": "x"}, errors.INVALID_PARAMETER_MEMBER),
        ({"Folder": "rd-AbCdEf"}, INVALID_FOLDER),
        ({"Member": NO_MEMBER, "MessageType": "x"}, INVALID_MESSAGE_TYPE),
        ({"Member": NO_MEMBER, "Severity": "x"}, INVALID_SEVERITY),
        ({"Member": NO_MEMBER, "MaxResults": 0}, INVALID_MAX_RESULTS),
        ({"Member": NO_MEMBER, "NextToken": "x"}, INVALID_NEXT_TOKEN),
        ({"Member": NO_MEMBER}, errors.ENTITY_NOT_EXISTS_MEMBER),
        ({"Folder": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_FOLDER),
    ],
)
async def test_a_call_is_refused_with_the_error_of_its_table(
    api: Api, given: dict[str, Any], expected: ErrorDefinition
) -> None:
    assert_own_error(await api.error(ACTION, OURS, **given), expected)
