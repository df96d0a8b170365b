"""TagResources and UntagResources, which set the tags that ListTagResources shows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from message_contacts import errors
from message_contacts.operations.registry import RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER
from tests.api.directory_tree import NO_FOLDER, NO_MEMBER, account_without_directory
from tests.assertions import assert_error
from tests.harness import Api

VERSIONS = pytest.mark.parametrize("version", [RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER])


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


async def tags_of(api: Api, kind: str, resource_id: str) -> dict[str, str]:
    listed = await api.call("ListTagResources", ResourceType=kind, ResourceId=[resource_id], MaxResults=100)
    return {entry["TagKey"]: entry["TagValue"] for entry in listed["TagResources"]}


@VERSIONS
async def test_tags_come_get_other_values_and_go(api: Api, version: str) -> None:
    first, second = await api.create_member("Dev"), await api.create_member("Ops")
    about = {"ResourceType": "Account", "ResourceId": [first, second]}
    assert await api.call("TagResources", version, **about, Tag=tags(team="a", stage="test")) == {}
    assert await api.call("TagResources", version, **about, Tag=tags(team="项目", cost="7")) == {}
    for member_id in (first, second):
        assert await tags_of(api, "Account", member_id) == {"team": "项目", "stage": "test", "cost": "7"}
    assert await api.call("UntagResources", version, **about, TagKey=["team", "never there"]) == {}
    assert await tags_of(api, "Account", second) == {"stage": "test", "cost": "7"}
    assert await api.call("UntagResources", version, ResourceType="Account", ResourceId=[first], All=True) == {}
    assert await tags_of(api, "Account", first) == {}
    assert await tags_of(api, "Account", second) == {"stage": "test", "cost": "7"}
    shown = await api.call("ListAccounts", Tag=tags(cost="7"), IncludeTags=True)
    assert [account["AccountId"] for account in shown["Accounts"]["Account"]] == [second]


@VERSIONS
async def test_folders_have_tags_too(api: Api, version: str) -> None:
    folder_id = await api.create_folder("sales")
    about = {"ResourceType": "Folder", "ResourceId": [folder_id]}
    assert await api.call("TagResources", version, **about, Tag=[{"Key": "k"}]) == {}
    assert await tags_of(api, "Folder", folder_id) == {"k": ""}
    assert await api.call("UntagResources", version, **about, All=True, TagKey=["other"]) == {}
    assert await tags_of(api, "Folder", folder_id) == {}


async def test_all_resources_are_tagged_or_none(api: Api) -> None:
    member_id = await api.create_member("Dev")
    await api.call("TagResources", ResourceType="Account", ResourceId=[member_id], Tag=tags(k="v"))
    folder_id = await api.create_folder("sales")
    for action, change in (("TagResources", {"Tag": tags(k="other")}), ("UntagResources", {"All": True})):
        for missing in (NO_MEMBER, folder_id):
            about = {"ResourceType": "Account", "ResourceId": [member_id, missing]}
            assert_error(await api.error(action, **about, **change), errors.ENTITY_NOT_EXISTS_ACCOUNT)
        about = {"ResourceType": "Folder", "ResourceId": [folder_id, NO_FOLDER]}
        assert_error(await api.error(action, **about, **change), errors.ENTITY_NOT_EXISTS_FOLDER)
    assert await tags_of(api, "Account", member_id) == {"k": "v"}


async def test_a_resource_has_at_most_twenty_tags(api: Api) -> None:
    member_id = await api.create_member("Dev")
    about = {"ResourceType": "Account", "ResourceId": [member_id]}
    twenty = tags(**{f"k{number}": "v" for number in range(20)})
    await api.call("TagResources", **about, Tag=twenty)
    await api.call("TagResources", **about, Tag=tags(k7="other"))
    assert_error(await api.error("TagResources", **about, Tag=tags(k20="v")), errors.invalid("Tag"))
    assert len(await tags_of(api, "Account", member_id)) == 20


async def test_same_tags_again_change_nothing_and_leave_no_event(api: Api) -> None:
    member_id = await api.create_member("Dev")
    about = {"ResourceType": "Account", "ResourceId": [member_id]}

    async def told() -> Counter[str]:
        events = await api.call("ListAuditEvents", "2026-11-01", TargetId=member_id)
        return Counter(event["Operation"] for event in events["Events"])

    for _ in range(2):
        await api.call("TagResources", **about, Tag=tags(k="v"))
        await api.call("UntagResources", **about, TagKey=["other"])
    assert await told() == {"CreateResourceAccount": 1, "TagResources": 1}


@pytest.mark.parametrize(
    ("action", "parameters", "expected"),
    [
        ("TagResources", {"ResourceId": [NO_MEMBER], "Tag": tags(k="v")}, errors.missing("ResourceType")),
        (
            "TagResources",
            {"ResourceType": "ResourceGroup", "ResourceId": ["rg-1"], "Tag": tags(k="v")},
            errors.invalid("ResourceType"),
        ),
        ("TagResources", {"ResourceType": "Account", "Tag": tags(k="v")}, errors.missing("ResourceId")),
        ("TagResources", {"ResourceType": "Account", "ResourceId": [NO_MEMBER]}, errors.missing("Tag")),
        (
            "TagResources",
            {"ResourceType": "Account", "ResourceId": [NO_MEMBER], "Tag": [{"Value": "v"}]},
            errors.invalid("Tag"),
        ),
        ("UntagResources", {"ResourceType": "Account", "ResourceId": [NO_MEMBER]}, errors.missing("TagKey")),
        (
            "UntagResources",
            {"ResourceType": "Account", "ResourceId": [NO_MEMBER], "TagKey": [str(number) for number in range(21)]},
            errors.invalid("TagKey"),
        ),
        (
            "UntagResources",
            {"ResourceType": "Account", "ResourceId": [str(number) for number in range(51)], "All": True},
            errors.invalid("ResourceId"),
        ),
    ],
)
async def test_what_cannot_be_used_is_refused(
    api: Api, action: str, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error(action, **parameters), expected)


async def test_without_a_directory_there_is_nothing_to_tag(api: Api) -> None:
    stranger = await account_without_directory(api)
    about = {"ResourceType": "Account", "ResourceId": [NO_MEMBER]}
    for action, change in (("TagResources", {"Tag": tags(k="v")}), ("UntagResources", {"All": True})):
        refusal = await stranger.error(action, **about, **change)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
