"""Policies, their versions and who has them, through signed calls."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts.access.system_policies import SYSTEM_POLICIES
from message_contacts.operations.registry import RAM
from tests.api.ram_rows import DOCUMENT, POLICY, USER
from tests.api.ram_users import policy_document, ram_user, statement
from tests.harness import ACCOUNT_ID, Api

CREATED = "2026-11-21T08:00:00Z"
LATER = "2026-11-21T08:00:05Z"
CUSTOM = {"PolicyName": POLICY, "PolicyType": "Custom"}
OTHER_DOCUMENT = DOCUMENT.replace("Get*", "List*")


@pytest.fixture
async def policy(api: Api) -> dict[str, Any]:
    """A new policy, as the answer shows it."""
    answer = await api.call("CreatePolicy", RAM, PolicyName=POLICY, Description="why", PolicyDocument=DOCUMENT)
    created: dict[str, Any] = answer["Policy"]
    return created


async def versions(api: Api, **named: str) -> list[tuple[str, bool]]:
    answer = await api.call("ListPolicyVersions", RAM, **(named or CUSTOM))
    return [(one["VersionId"], one["IsDefaultVersion"]) for one in answer["PolicyVersions"]["PolicyVersion"]]


async def test_a_policy_is_shown_as_it_was_made(api: Api, policy: dict[str, Any]) -> None:
    assert policy == {
        **CUSTOM,
        "Description": "why",
        "DefaultVersion": "v1",
        "CreateDate": CREATED,
    }
    assert await api.call("GetPolicy", RAM, **CUSTOM) == {
        "Policy": {**policy, "UpdateDate": CREATED, "AttachmentCount": 0},
        "DefaultPolicyVersion": {
            "VersionId": "v1",
            "IsDefaultVersion": True,
            "PolicyDocument": DOCUMENT,
            "CreateDate": CREATED,
        },
    }


@pytest.mark.parametrize("name", SYSTEM_POLICIES)
async def test_a_system_policy_is_shown_without_being_made(name: str, api: Api) -> None:
    named = {"PolicyName": name, "PolicyType": "System"}
    answer = await api.call("GetPolicy", RAM, **named)
    assert answer["Policy"]["AttachmentCount"] == 0
    assert answer["DefaultPolicyVersion"]["PolicyDocument"] == SYSTEM_POLICIES[name].document
    assert await versions(api, **named) == [("v1", True)]
    shown = await api.call("GetPolicyVersion", RAM, **named, VersionId="v1")
    assert shown["PolicyVersion"] == answer["DefaultPolicyVersion"]


async def test_policies_are_listed_page_by_page_the_accounts_own_first(api: Api) -> None:
    for name in ("b", "a", "Z"):
        await api.call("CreatePolicy", RAM, PolicyName=name, PolicyDocument=DOCUMENT)
    expected = [*(("Custom", name) for name in "Zab"), *(("System", name) for name in sorted(SYSTEM_POLICIES))]
    for size in (1, 2, 3, 4, 100):
        found, marker = [], None
        while True:
            page = await api.call("ListPolicies", RAM, MaxItems=size, Marker=marker)
            assert len(page["Policies"]["Policy"]) <= size
            found += [(one["PolicyType"], one["PolicyName"]) for one in page["Policies"]["Policy"]]
            marker = page.get("Marker")
            assert page["IsTruncated"] == (marker is not None)
            if marker is None:
                break
        assert found == expected


@pytest.mark.parametrize(("type_", "expected"), [("Custom", [POLICY]), ("System", sorted(SYSTEM_POLICIES))])
async def test_policies_are_listed_by_type(type_: str, expected: list[str], api: Api, policy: dict[str, Any]) -> None:
    answer = await api.call("ListPolicies", RAM, PolicyType=type_)
    assert [one["PolicyName"] for one in answer["Policies"]["Policy"]] == expected


async def test_a_description_is_replaced_and_cleared(api: Api, policy: dict[str, Any]) -> None:
    api.clock.advance(5)
    answer = await api.call("UpdatePolicyDescription", RAM, PolicyName=POLICY, NewDescription="other")
    assert answer["Policy"] == {**policy, "Description": "other", "UpdateDate": LATER}
    await api.call("UpdatePolicyDescription", RAM, PolicyName=POLICY)
    assert (await api.call("GetPolicy", RAM, **CUSTOM))["Policy"]["Description"] == ""


async def test_a_new_version_waits_until_it_is_put_in_force(api: Api, policy: dict[str, Any]) -> None:
    answer = await api.call("CreatePolicyVersion", RAM, PolicyName=POLICY, PolicyDocument=OTHER_DOCUMENT)
    assert answer["PolicyVersion"] == {
        "VersionId": "v2",
        "IsDefaultVersion": False,
        "PolicyDocument": OTHER_DOCUMENT,
        "CreateDate": CREATED,
    }
    assert await versions(api) == [("v1", True), ("v2", False)]
    await api.call("SetDefaultPolicyVersion", RAM, PolicyName=POLICY, VersionId="v2")
    assert await versions(api) == [("v1", False), ("v2", True)]
    assert (await api.call("GetPolicy", RAM, **CUSTOM))["Policy"]["DefaultVersion"] == "v2"
    await api.call("DeletePolicyVersion", RAM, PolicyName=POLICY, VersionId="v1")
    assert await versions(api) == [("v2", True)]


async def test_rotation_makes_room_for_a_sixth_version(api: Api, policy: dict[str, Any]) -> None:
    new = {"PolicyName": POLICY, "PolicyDocument": DOCUMENT, "SetAsDefault": "true"}
    for _ in range(4):
        await api.call("CreatePolicyVersion", RAM, **new)
    assert (await api.error("CreatePolicyVersion", RAM, **new, RotateStrategy="None"))[0] == 409
    rotating = {**new, "RotateStrategy": "DeleteOldestNonDefaultVersionWhenLimitExceeded"}
    assert (await api.call("CreatePolicyVersion", RAM, **rotating))["PolicyVersion"]["VersionId"] == "v6"
    assert await versions(api) == [*((f"v{number}", False) for number in range(2, 6)), ("v6", True)]


async def test_a_deleted_policy_is_gone_with_its_versions(api: Api, policy: dict[str, Any]) -> None:
    await api.call("CreatePolicyVersion", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT)
    assert await api.call("DeletePolicy", RAM, PolicyName=POLICY, CascadingDelete="true") == {}
    assert (await api.error("GetPolicy", RAM, **CUSTOM))[0] == 404
    await api.call("CreatePolicy", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT)
    assert await versions(api) == [("v1", True)]


async def test_policies_and_users_name_each_other(api: Api, policy: dict[str, Any]) -> None:
    user = (await api.call("CreateUser", RAM, UserName=USER, DisplayName="Dash"))["User"]
    await api.call("AttachPolicyToUser", RAM, **CUSTOM, UserName=USER)
    api.clock.advance(5)
    system = {"PolicyName": "ReadOnlyAccess", "PolicyType": "System"}
    await api.call("AttachPolicyToUser", RAM, **system, UserName=USER)
    assert (await api.call("ListPoliciesForUser", RAM, UserName=USER))["Policies"]["Policy"] == [
        {**CUSTOM, "Description": "why", "DefaultVersion": "v1", "AttachDate": CREATED},
        {
            **system,
            "Description": SYSTEM_POLICIES["ReadOnlyAccess"].description,
            "DefaultVersion": "v1",
            "AttachDate": LATER,
        },
    ]
    for named, attached in ((CUSTOM, CREATED), (system, LATER)):
        assert await api.call("ListEntitiesForPolicy", RAM, **named) == {
            "Users": {
                "User": [{"UserId": user["UserId"], "UserName": USER, "DisplayName": "Dash", "AttachDate": attached}]
            },
            "Groups": {"Group": []},
            "Roles": {"Role": []},
        }
        assert (await api.call("GetPolicy", RAM, **named))["Policy"]["AttachmentCount"] == 1
    counts = {
        one["PolicyName"]: one["AttachmentCount"] for one in (await api.call("ListPolicies", RAM))["Policies"]["Policy"]
    }
    assert {name for name, count in counts.items() if count} == {POLICY, "ReadOnlyAccess"}
    await api.call("DetachPolicyFromUser", RAM, **CUSTOM, UserName=USER)
    assert (await api.call("ListEntitiesForPolicy", RAM, **CUSTOM))["Users"]["User"] == []
    assert len((await api.call("ListPoliciesForUser", RAM, UserName=USER))["Policies"]["Policy"]) == 1


async def test_a_policy_counts_from_the_next_call_on_and_so_does_taking_it(api: Api, policy: dict[str, Any]) -> None:
    await api.call("CreateUser", RAM, UserName=USER)
    user = await api.as_user(USER)

    async def may_look() -> bool:
        status, _ = await user.answer("GetResourceDirectory")
        return status == 200

    assert not await may_look()
    await api.call("AttachPolicyToUser", RAM, **CUSTOM, UserName=USER)
    assert await may_look()
    await api.call("CreatePolicyVersion", RAM, PolicyName=POLICY, PolicyDocument=OTHER_DOCUMENT, SetAsDefault="true")
    assert not await may_look()
    await api.call("SetDefaultPolicyVersion", RAM, PolicyName=POLICY, VersionId="v1")
    assert await may_look()
    await api.call("DetachPolicyFromUser", RAM, **CUSTOM, UserName=USER)
    assert not await may_look()


#: Calls that change a policy of the account, which have no PolicyType: there are no others to change.
CHANGES = {
    "CreatePolicyVersion": {"PolicyDocument": policy_document(statement("Allow", "*")), "SetAsDefault": "true"},
    "SetDefaultPolicyVersion": {"VersionId": "v1"},
    "DeletePolicyVersion": {"VersionId": "v1"},
    "UpdatePolicyDescription": {"NewDescription": "mine now"},
    "DeletePolicy": {"CascadingDelete": "true"},
}


@pytest.mark.parametrize("operation", CHANGES)
async def test_calling_an_accounts_policy_one_of_the_system_opens_nothing(operation: str, api: Api) -> None:
    """Neither around what denies it, nor for whoever may only work with the policies of the program."""
    await api.call("CreatePolicy", RAM, PolicyName="protected", PolicyDocument=policy_document(statement("Deny", "*")))
    policy = {"PolicyName": "protected", **CHANGES[operation]}
    kept_out = await ram_user(
        api,
        "mallory",
        statement("Allow", "*"),
        statement("Deny", "ram:*Policy*", f"acs:ram:*:{ACCOUNT_ID}:policy/protected"),
    )
    of_the_program = await ram_user(api, "narrow", statement("Allow", "ram:*", "acs:ram:*:system:policy/*"))

    for caller, verdict in ((kept_out, "ExplicitDeny"), (of_the_program, "ImplicitDeny")):
        for more in ({}, {"PolicyType": "System"}):
            _, body = await caller.error(operation, RAM, **policy, **more)
            assert (body["Code"], body["AccessDeniedDetail"]["NoPermissionType"]) == ("NoPermission", verdict)


@pytest.mark.parametrize("operation", ["ListUsers", "ListPolicies"])
async def test_what_is_no_marker_does_not_begin_the_list_anew(operation: str, api: Api) -> None:
    await api.call("CreateUser", RAM, UserName="dashboard")
    # Names of neither: `dash board`, `Other/dashboard`, `Custom/dash board`, 3,750 times A.
    nowhere = ["ZGFzaCBib2FyZA", "T3RoZXIvZGFzaGJvYXJk", "Q3VzdG9tL2Rhc2ggYm9hcmQ", "QUFB" * 1_250]
    for marker in ("@@", " ", "A" * 5_000, *nowhere):
        status, body = await api.error(operation, RAM, Marker=marker, MaxItems=1)
        assert (status, body["Code"]) == (400, "InvalidMarker"), marker
