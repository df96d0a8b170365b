"""GetCoverage. That its numbers are right after changes of all kinds is in `test_reach_machine.py`."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.coverage import INVALID_AT_LEAST
from message_contacts.operations.reach_parameters import INVALID_FOLDER, INVALID_MESSAGE_TYPE, INVALID_SEVERITY
from message_contacts.operations.token_paging import INVALID_MAX_RESULTS, INVALID_NEXT_TOKEN
from tests.api.directory_tree import NO_FOLDER, verified_contact
from tests.assertions import assert_own_error
from tests.harness import Api

OURS = "2026-11-01"


async def coverage(api: Api, **parameters: Any) -> dict[str, Any]:
    return await api.call("GetCoverage", OURS, **parameters)


async def test_members_with_nobody_come_first_and_the_summary_counts_them(api: Api) -> None:
    sales, tech = await api.create_folder("Sales"), await api.create_folder("Tech")
    shop, lab = await api.create_member("Shop", sales), await api.create_member("Lab", tech)
    anna = await verified_contact(api, "Anna", sales)

    answer = await coverage(api, MessageType="SecurityMessage")

    assert answer == {
        "Summary": {
            "MemberCount": 2,
            "MembersBelow": 1,
            "MembersWithout": 1,
            "MessageTypes": [{"MessageType": "SecurityMessage", "MembersBelow": 1, "MembersWithout": 1}],
        },
        "Members": [
            {
                "MemberId": lab,
                "DisplayName": "Lab",
                "MessageTypes": [{"MessageType": "SecurityMessage", "ContactCount": 0, "Contacts": []}],
            },
            {
                "MemberId": shop,
                "DisplayName": "Shop",
                "MessageTypes": [
                    {
                        "MessageType": "SecurityMessage",
                        "ContactCount": 1,
                        "Contacts": [{"ContactId": anna, "Name": "Anna"}],
                    }
                ],
            },
        ],
    }


async def test_a_member_with_too_few_counts_as_below_and_comes_behind_those_with_nobody(api: Api) -> None:
    one, two, none = [await api.create_member(name) for name in ("One", "Two", "Nobody")]
    await verified_contact(api, "Anna", one, two)
    await verified_contact(api, "Ben", two)

    answer = await coverage(api, MessageType="SecurityMessage", AtLeast=2)

    assert [entry["MemberId"] for entry in answer["Members"]] == [none, one, two]
    assert (answer["Summary"]["MembersBelow"], answer["Summary"]["MembersWithout"]) == (2, 1)


async def test_without_a_type_all_types_are_looked_at(api: Api) -> None:
    await api.create_member("Shop")

    answer = await coverage(api)

    assert [entry["MessageType"] for entry in answer["Summary"]["MessageTypes"]] == [
        entry["MessageType"] for entry in answer["Members"][0]["MessageTypes"]
    ]
    assert len(answer["Summary"]["MessageTypes"]) == 6


async def test_only_members_below_the_folder_are_looked_at(api: Api) -> None:
    sales = await api.create_folder("Sales")
    north = await api.create_folder("North", sales)
    inside = await api.create_member("Inside", north)
    await api.create_member("Outside")

    answer = await coverage(api, Folder=sales)

    assert [entry["MemberId"] for entry in answer["Members"]] == [inside]
    assert answer["Summary"]["MemberCount"] == 1


async def test_a_copy_is_named_among_those_who_are_reached(api: Api) -> None:
    shop = await api.create_member("Shop")
    anna = await verified_contact(api, "Anna", shop)
    await api.call("DeleteMessageContact", ContactId=anna)

    answer = await coverage(api, MessageType="SecurityMessage")

    ((who,),) = [kind["Contacts"] for member in answer["Members"] for kind in member["MessageTypes"]]
    assert who["ContactId"] == anna
    assert who["DetachedContactId"].startswith("dc-")


async def test_pages_together_show_every_member_once_in_one_order(api: Api) -> None:
    members = [await api.create_member(f"Member {number}") for number in range(5)]
    await verified_contact(api, "Anna", members[1], members[3])
    whole = [entry["MemberId"] for entry in (await coverage(api))["Members"]]
    found: list[str] = []
    token = None
    for _ in range(3):
        page = await coverage(api, MaxResults=2, NextToken=token)
        found += [entry["MemberId"] for entry in page["Members"]]
        token = page.get("NextToken")

    assert token is None
    assert found == whole
    assert sorted(found) == sorted(members)
    assert set(found[:3]) == set(members) - {members[1], members[3]}


async def test_a_directory_without_members_is_covered(api: Api) -> None:
    answer = await coverage(api, MessageType="FaultMessage")

    assert answer["Members"] == []
    assert (answer["Summary"]["MemberCount"], answer["Summary"]["MembersBelow"]) == (0, 0)


async def test_another_tenants_members_are_not_looked_at(api: Api) -> None:
    await api.create_member("Shop")
    other = await api.other_tenant()

    assert (await coverage(other))["Summary"]["MemberCount"] == 0
    refused = await other.error("GetCoverage", OURS, Folder=await api.root_folder())
    assert_own_error(refused, errors.ENTITY_NOT_EXISTS_FOLDER)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"MessageType": "x"}, INVALID_MESSAGE_TYPE),
        ({"Folder": "x"}, INVALID_FOLDER),
        ({"Severity": "x"}, INVALID_SEVERITY),
        ({"AtLeast": 0}, INVALID_AT_LEAST),
        ({"AtLeast": 101}, INVALID_AT_LEAST),
        ({"MaxResults": 101}, INVALID_MAX_RESULTS),
        ({"NextToken": "Yy1x"}, INVALID_NEXT_TOKEN),
        ({"NextToken": "%"}, INVALID_NEXT_TOKEN),
        ({"Folder": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_FOLDER),
    ],
)
async def test_a_call_is_refused_with_the_error_of_its_table(
    api: Api, given: dict[str, Any], expected: ErrorDefinition
) -> None:
    assert_own_error(await api.error("GetCoverage", OURS, **given), expected)
