"""GetCoverageMap: the numbers of GetCoverage, a folder at a time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from message_contacts import errors
from message_contacts.operations.coverage import INVALID_AT_LEAST
from message_contacts.operations.reach_parameters import INVALID_FOLDER, INVALID_SEVERITY
from message_contacts.operations.token_paging import INVALID_NEXT_TOKEN
from tests.api.directory_tree import NO_FOLDER, verified_contact
from tests.assertions import assert_own_error
from tests.conftest import ENGINES
from tests.harness import Api

OURS = "2026-11-01"
TYPES = ["SecurityMessage", "FaultMessage", "ServiceMessage"]


async def coverage_map(api: Api, **parameters: Any) -> dict[str, Any]:
    return await api.call("GetCoverageMap", OURS, **parameters)


def cell(row: dict[str, Any], message_type: str = "SecurityMessage") -> tuple[int, int, int]:
    """Below, without and the fewest of one type."""
    (found,) = [each for each in row["MessageTypes"] if each["MessageType"] == message_type]
    return found["MembersBelow"], found["MembersWithout"], found["Fewest"]


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_folders_are_counted_with_all_in_them_and_the_least_covered_comes_first(api: Api) -> None:
    root = await api.root_folder()
    sales, tech, empty = [await api.create_folder(name) for name in ("Sales", "Tech", "Empty")]
    asia = await api.create_folder("Asia", sales)
    for name, folder in (("ma", sales), ("mb", asia), ("mc", asia), ("md", tech), ("me", root)):
        await api.create_member(name, folder)
    await verified_contact(api, "Anna", asia)
    await verified_contact(api, "Bert", tech)
    await verified_contact(api, "Carl", tech)

    answer = await coverage_map(api)

    assert answer["Path"] == [{"FolderId": root, "FolderName": "root"}]
    assert answer["Summary"]["MemberCount"] == 5
    assert cell(answer["Summary"]) == (2, 2, 0)
    shown = [(each["Name"], each["MemberCount"], cell(each)) for each in answer["Entries"]]
    assert shown == [
        ("Sales", 3, (1, 1, 0)),
        ("Tech", 1, (0, 0, 2)),
        ("Empty", 0, (0, 0, 0)),
        ("me", 1, (1, 1, 0)),
    ]
    assert [("FolderId" in each, "MemberId" in each) for each in answer["Entries"]] == [(True, False)] * 3 + [
        (False, True)
    ]
    deeper = await coverage_map(api, Folder=sales, AtLeast=2)
    assert [step["FolderName"] for step in deeper["Path"]] == ["root", "Sales"]
    assert [(each["Name"], cell(each)) for each in deeper["Entries"]] == [("Asia", (2, 0, 1)), ("ma", (1, 1, 0))]
    assert (await coverage_map(api, Folder=empty))["Entries"] == []


async def test_its_numbers_are_those_of_coverage_wherever_one_looks(api: Api) -> None:
    chance = random.Random(7)
    folders = [await api.root_folder()]
    for number in range(6):
        folders.append(await api.create_folder(f"f{number}", chance.choice(folders[-2:])))
    members = [await api.create_member(f"m{number}", chance.choice(folders)) for number in range(12)]
    for number in range(8):
        contact = await api.add_verified_contact(
            *chance.sample([*folders, *members], 2),
            Name="C" + "abcdefgh"[number],
            EmailAddress=f"c{number}@example.com",
            MessageTypes=chance.sample(TYPES, 2),
        )
        if number == 3:
            await api.call("DeleteMessageContact", ContactId=contact, RetainContactInMembers="true")
    for folder in folders:
        for at_least in (1, 2):
            whole = (await api.call("GetCoverage", OURS, Folder=folder, AtLeast=at_least, MaxResults=100))["Summary"]
            found = (await coverage_map(api, Folder=folder, AtLeast=at_least))["Summary"]

            assert {name: found[name] for name in ("MemberCount", "MembersBelow", "MembersWithout")} == {
                name: whole[name] for name in ("MemberCount", "MembersBelow", "MembersWithout")
            }
            assert [(each["MembersBelow"], each["MembersWithout"]) for each in found["MessageTypes"]] == [
                (each["MembersBelow"], each["MembersWithout"]) for each in whole["MessageTypes"]
            ]


async def test_pages_show_each_entry_once(api: Api) -> None:
    names = []
    for number in range(5):
        names.append(f"folder{number}" if number % 2 else f"member{number}")
        await (api.create_folder if number % 2 else api.create_member)(names[-1])
    shown: list[str] = []
    token: str | None = None
    while True:
        page = await coverage_map(api, MaxResults=2, NextToken=token)
        shown += [each["Name"] for each in page["Entries"]]
        token = page.get("NextToken")
        if token is None:
            break

    assert sorted(shown) == sorted(names)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Folder": "nonsense"}, INVALID_FOLDER),
        ({"Folder": NO_FOLDER}, errors.ENTITY_NOT_EXISTS_FOLDER),
        ({"Severity": "Mild"}, INVALID_SEVERITY),
        ({"AtLeast": "0"}, INVALID_AT_LEAST),
        ({"NextToken": "x"}, INVALID_NEXT_TOKEN),
    ],
)
async def test_get_coverage_map_refuses(api: Api, given: dict[str, Any], expected: Any) -> None:
    assert_own_error(await api.error("GetCoverageMap", OURS, **given), expected)
