"""Whether somebody may do something: the same answer as a call would get, with what made it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from message_contacts.operations.catalogue import REGISTRY
from tests.api.ram_users import add_policy, ram_user, statement
from tests.conftest import ENGINES
from tests.harness import ACCOUNT_ID, Api

OWN = "2026-11-01"
RAM = "2015-05-01"
CONTACT = f"acs:resourcemanager:*:{ACCOUNT_ID}:messagecontact/"


async def simulated(api: Api, operation: str, **parameters: Any) -> dict[str, Any]:
    given = parameters if "UserAccessKeyId" in parameters else {"UserName": "dashboard", **parameters}
    return await api.call("SimulateAccess", OWN, Operation=operation, **given)


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_it_names_the_statement_that_allows(api: Api) -> None:
    await ram_user(api, "dashboard", statement("Allow", "ram:Get*"), statement("Allow", "resourcemanager:Get*"))

    answer = await simulated(api, "GetMessageContact", Resources=["messagecontact/c-1"])

    decided = answer.pop("DecidedBy")
    assert json.loads(decided.pop("Statement")) == statement("Allow", "resourcemanager:Get*")
    assert decided == {
        "PolicyName": "dashboard-policy",
        "PolicyType": "Custom",
        "VersionId": "v1",
        "Position": 2,
        "Resource": f"{CONTACT}c-1",
    }
    assert answer == {
        "Allowed": True,
        "Reason": "AllowedByPolicy",
        "Permission": "resourcemanager:GetMessageContact",
        "Resources": [f"{CONTACT}c-1"],
        "UserName": "dashboard",
    }


async def test_it_names_the_statement_that_denies_though_another_allows(api: Api) -> None:
    await ram_user(api, "dashboard", statement("Deny", "*:Delete*"), system=["AdministratorAccess"])

    answer = await simulated(api, "DeleteMessageContact")

    assert (answer["Allowed"], answer["Reason"]) == (False, "DeniedByPolicy")
    assert (answer["DecidedBy"]["PolicyName"], answer["DecidedBy"]["Position"]) == ("dashboard-policy", 1)
    assert "Missing" not in answer


async def test_it_shows_the_statement_of_a_system_policy(api: Api) -> None:
    await ram_user(api, "dashboard", system=["AliyunRAMReadOnlyAccess"])

    answer = await simulated(api, "ListUsers")

    assert answer["DecidedBy"]["PolicyType"] == "System"
    assert "ram:List*" in json.loads(answer["DecidedBy"]["Statement"])["Action"]


async def test_what_is_missing_is_a_statement_that_would_be_enough(api: Api) -> None:
    await ram_user(api, "dashboard")
    answer = await simulated(api, "GetMessageContact", Resources=["messagecontact/c-1"])
    assert (answer["Allowed"], answer["Reason"]) == (False, "NotAllowed")
    assert answer["Missing"]["NearMisses"] == []

    await add_policy(api, "dashboard", "more", json.loads(answer["Missing"]["Statement"]))

    assert (await simulated(api, "GetMessageContact", Resources=["messagecontact/c-1"]))["Allowed"]
    assert not (await simulated(api, "GetMessageContact", Resources=["messagecontact/c-2"]))["Allowed"]


async def test_near_misses_say_what_does_not_fit(api: Api) -> None:
    condition = {"IpAddress": {"acs:SourceIp": ["10.0.0.0/8"]}, "Bool": {"acs:SecureTransport": "true"}}
    await ram_user(
        api,
        "dashboard",
        statement("Allow", "resourcemanager:Get*", f"{CONTACT}c-2"),
        statement("Allow", "resourcemanager:Get*", condition=condition),
        statement("Allow", "resourcemanager:Delete*"),
    )

    answer = await simulated(api, "GetMessageContact", Resources=["messagecontact/c-1"], SourceIp="192.0.2.1")

    other_resource, elsewhere = answer["Missing"]["NearMisses"]
    assert (other_resource["Position"], other_resource["ResourceFits"], other_resource["UnmetConditions"]) == (
        1,
        False,
        [],
    )
    assert (elsewhere["Position"], elsewhere["ResourceFits"]) == (2, True)
    assert elsewhere["UnmetConditions"] == [
        {
            "Operator": "IpAddress",
            "ConditionKey": "acs:SourceIp",
            "ConditionValues": ["10.0.0.0/8"],
            "CallValue": "192.0.2.1",
        }
    ]


@pytest.mark.parametrize(
    ("circumstances", "allowed"),
    [
        ({"SourceIp": "10.1.2.3", "Time": "2026-12-01T00:00:00Z"}, True),
        ({"SourceIp": "10.1.2.3", "Time": "2026-12-01T00:00:00"}, True),
        ({"SourceIp": "10.1.2.3", "Time": "2027-01-01T00:00:00Z"}, False),
        ({"SourceIp": "10.1.2.3", "Time": "2026-12-01T00:00:00Z", "SecureTransport": "false"}, False),
        ({"SourceIp": "192.0.2.1", "Time": "2026-12-01T00:00:00Z"}, False),
        ({"SourceIp": "10.1.2.3"}, True),
        ({}, False),  # the test calls from somewhere else
    ],
)
async def test_circumstances_count_as_in_a_call(circumstances: dict[str, str], allowed: bool, api: Api) -> None:
    condition = {
        "IpAddress": {"acs:SourceIp": "10.0.0.0/8"},
        "Bool": {"acs:SecureTransport": "true"},
        "DateLessThan": {"acs:CurrentTime": "2027-01-01T00:00:00Z"},
    }
    await ram_user(api, "dashboard", statement("Allow", "*", condition=condition))

    assert (await simulated(api, "ListFoldersForParent", **circumstances))["Allowed"] is allowed


async def test_a_key_may_what_its_user_may_as_long_as_it_is_switched_on(api: Api) -> None:
    user = await ram_user(api, "dashboard", statement("Allow", "resourcemanager:*"))

    assert (await simulated(api, "CreateFolder", UserAccessKeyId=user.key_id))["Allowed"]
    await api.call("UpdateAccessKey", RAM, UserName="dashboard", UserAccessKeyId=user.key_id, Status="Inactive")

    answer = await simulated(api, "CreateFolder", UserAccessKeyId=user.key_id)
    assert (answer["Allowed"], answer["Reason"], answer["UserName"]) == (False, "KeyInactive", "dashboard")


async def test_the_accounts_own_key_may_do_everything(api: Api) -> None:
    answer = await simulated(api, "DestroyResourceDirectory", UserAccessKeyId=api.key_id)

    assert (answer["Allowed"], answer["Reason"], "UserName" in answer) == (True, "AccountItself", False)


async def test_what_everybody_may_needs_no_policy(api: Api) -> None:
    await ram_user(api, "dashboard")

    assert (await simulated(api, "GetCallerIdentity"))["Reason"] == "AllowedToEveryone"


@pytest.mark.parametrize(
    ("operation", "given", "about"),
    [
        ("GetMessageContact", [], ["resourcemanager:*:{}:messagecontact/*"]),
        ("GetMessageContact", ["*"], ["resourcemanager:*:{}:messagecontact/*"]),
        ("GetMessageContact", [f"{CONTACT}c-1"], ["resourcemanager:*:{}:messagecontact/c-1"]),
        ("AssociateMembers", [], ["resourcemanager:*:{}:*"]),
        (
            "MoveAccount",
            ["folder/fd-1"],
            ["resourcemanager:*:{}:account/*", "resourcemanager:*:{}:folder/fd-1"],
        ),
        (
            "MoveAccount",
            ["folder/fd-1", "account/1000000000000002"],
            ["resourcemanager:*:{}:account/1000000000000002", "resourcemanager:*:{}:folder/fd-1"],
        ),
        (
            "AttachPolicyToUser",
            ["user/bob", "acs:ram:*:system:policy/ReadOnlyAccess"],
            ["ram:*:{}:user/bob", "ram:*:system:policy/ReadOnlyAccess"],
        ),
        ("ListUsers", ["user/*"], ["ram:*:{}:user/*"]),
    ],
)
async def test_resources_are_those_that_a_call_would_name(
    operation: str, given: list[str], about: list[str], api: Api
) -> None:
    await ram_user(api, "dashboard")

    answer = await simulated(api, operation, Resources=given)

    assert answer["Resources"] == ["acs:" + resource.format(ACCOUNT_ID) for resource in about]


async def test_it_decides_as_a_call_is_decided(api: Api) -> None:
    """Every operation there is, asked both ways by a user that may do some of them."""
    user = await ram_user(
        api,
        "dashboard",
        statement("Allow", ["*:Get*", "*:List*", "ram:*User*"]),
        statement("Deny", "*:*Policy*"),
        statement("Deny", "ram:*AccessKey*", f"acs:ram:*:{ACCOUNT_ID}:user/dashboard"),
        statement("Deny", "*:*", f"acs:resourcemanager:*:{ACCOUNT_ID}:folder/{await api.root_folder()}"),
    )
    for version, operation in REGISTRY.all():
        answer = await simulated(api, operation.name, OperationVersion=version, SecureTransport="false")
        _, body = await user.answer(operation.name, version)
        assert answer["Allowed"] is (body.get("Code") != "NoPermission"), operation.name


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"UserName": "dashboard"}, 400, "MissingParameter.Operation"),
        ({"Operation": "GetFolder"}, 400, "MissingParameter.UserNameOrUserAccessKeyId"),
        (
            {"UserName": "dashboard", "UserAccessKeyId": "MCx", "Operation": "GetFolder"},
            400,
            "InvalidParameter.UserNameAndUserAccessKeyId",
        ),
        ({"UserName": "dashboard", "Operation": "Fly"}, 400, "InvalidParameter.Operation"),
        (
            {"UserName": "dashboard", "Operation": "GetFolder", "OperationVersion": RAM},
            400,
            "InvalidParameter.OperationVersion",
        ),
        (
            {"UserName": "dashboard", "Operation": "GetFolder", "Resources": ["messagecontact/c-1"]},
            400,
            "InvalidParameter.Resources",
        ),
        (
            {"UserName": "dashboard", "Operation": "GetFolder", "Resources": ["folder/a", "folder/b"]},
            400,
            "InvalidParameter.Resources",
        ),
        (
            {"UserName": "dashboard", "Operation": "GetFolder", "Resources": ["acs:ram:*:1000000000000001:folder/a"]},
            400,
            "InvalidParameter.Resources",
        ),
        (
            {
                "UserName": "dashboard",
                "Operation": "GetFolder",
                "Resources": ["acs:resourcemanager:*:1000000000000009:folder/a"],
            },
            400,
            "InvalidParameter.Resources",
        ),
        (
            {
                "UserName": "dashboard",
                "Operation": "CreatePolicyVersion",
                "Resources": ["acs:ram:*:system:policy/ReadOnlyAccess"],
            },
            400,
            "InvalidParameter.Resources",
        ),
        (
            {"UserName": "dashboard", "Operation": "GetUser", "Resources": ["acs:ram:*:system:user/bob"]},
            400,
            "InvalidParameter.Resources",
        ),
        (
            {"UserName": "dashboard", "Operation": "GetFolder", "SourceIp": "the office"},
            400,
            "InvalidParameter.SourceIp",
        ),
        ({"UserName": "dashboard", "Operation": "GetFolder", "Time": "soon"}, 400, "InvalidParameter.Time"),
        (
            {"UserName": "dashboard", "Operation": "GetFolder", "SecureTransport": "perhaps"},
            400,
            "InvalidParameter.SecureTransport",
        ),
        ({"UserName": "nobody", "Operation": "GetFolder"}, 404, "EntityNotExists.User"),
        ({"UserAccessKeyId": "MCnobody", "Operation": "GetFolder"}, 404, "EntityNotExists.AccessKey"),
    ],
)
async def test_it_refuses_what_is_no_question(parameters: dict[str, Any], status: int, code: str, api: Api) -> None:
    await ram_user(api, "dashboard")

    answered, body = await api.error("SimulateAccess", OWN, **parameters)

    assert (answered, body["Code"]) == (status, code)


async def test_it_takes_a_permission_of_its_own(api: Api) -> None:
    reader = await ram_user(api, "dashboard", system=["AliyunResourceDirectoryReadOnlyAccess"])
    auditor = await ram_user(api, "auditor", system=["ReadOnlyAccess"])

    _, refused = await reader.error("SimulateAccess", OWN, UserName="auditor", Operation="GetFolder")

    assert refused["AccessDeniedDetail"]["AuthAction"] == "messagecontacts:SimulateAccess"
    assert (await simulated(auditor, "GetFolder"))["Allowed"]
