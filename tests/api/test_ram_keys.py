"""Access keys of RAM users through signed calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import structlog

from message_contacts.operations.registry import RAM, STS
from tests.api.ram_rows import USER
from tests.harness import ACCOUNT_ID, KEY_ID, Api


@pytest.fixture
async def user(api: Api) -> Api:
    """A user that may do everything, calling."""
    await api.call("CreateUser", RAM, UserName=USER)
    await api.call("AttachPolicyToUser", RAM, PolicyName="AdministratorAccess", PolicyType="System", UserName=USER)
    return await api.as_user(USER)


async def key_ids(api: Api, **parameters: Any) -> list[str]:
    answer = await api.call("ListAccessKeys", RAM, **parameters)
    return [key["AccessKeyId"] for key in answer["AccessKeys"]["AccessKey"]]


async def test_a_new_key_works_and_its_secret_is_shown_once(api: Api) -> None:
    created = await api.call("CreateUser", RAM, UserName=USER)
    key = (await api.call("CreateAccessKey", RAM, UserName=USER))["AccessKey"]
    assert {name: key[name] for name in ("Status", "CreateDate")} == {
        "Status": "Active",
        "CreateDate": "2026-11-21T08:00:00Z",
    }
    caller = replace(api, key_id=key["AccessKeyId"], secret=key["AccessKeySecret"])
    assert await caller.call("GetCallerIdentity", STS) == {
        "IdentityType": "RAMUser",
        "AccountId": ACCOUNT_ID,
        "UserId": created["User"]["UserId"],
        "PrincipalId": created["User"]["UserId"],
        "Arn": f"acs:ram::{ACCOUNT_ID}:user/{USER}",
    }
    (listed,) = (await api.call("ListAccessKeys", RAM, UserName=USER))["AccessKeys"]["AccessKey"]
    assert listed == {name: value for name, value in key.items() if name != "AccessKeySecret"}


async def test_the_account_itself_is_told_that_it_is_the_account(api: Api) -> None:
    assert await api.call("GetCallerIdentity", STS) == {
        "IdentityType": "Account",
        "AccountId": ACCOUNT_ID,
        "UserId": ACCOUNT_ID,
        "PrincipalId": ACCOUNT_ID,
        "Arn": f"acs:ram::{ACCOUNT_ID}:root",
    }


async def test_a_user_without_policies_may_ask_who_it_is_and_nothing_else(api: Api) -> None:
    await api.call("CreateUser", RAM, UserName=USER)
    caller = await api.as_user(USER)
    assert (await caller.call("GetCallerIdentity", STS))["IdentityType"] == "RAMUser"
    assert (await caller.error("ListAccessKeys", RAM))[1]["Code"] == "NoPermission"


async def test_a_key_that_is_switched_off_is_refused_until_it_is_switched_on(api: Api, user: Api) -> None:
    mine = {"UserName": USER, "UserAccessKeyId": user.key_id}
    await api.call("UpdateAccessKey", RAM, **mine, Status="Inactive")
    assert (await user.error("GetCallerIdentity", STS))[1]["Code"] == "InvalidAccessKeyId.Inactive"
    (listed,) = (await api.call("ListAccessKeys", RAM, UserName=USER))["AccessKeys"]["AccessKey"]
    assert listed["Status"] == "Inactive"
    await api.call("UpdateAccessKey", RAM, **mine, Status="Active")
    await user.call("GetCallerIdentity", STS)


async def test_a_deleted_key_is_refused_from_the_next_call_on(api: Api, user: Api) -> None:
    await user.call("GetCallerIdentity", STS)
    assert await api.call("DeleteAccessKey", RAM, UserName=USER, UserAccessKeyId=user.key_id) == {}
    assert (await user.error("GetCallerIdentity", STS))[1]["Code"] == "InvalidAccessKeyId.NotFound"


async def test_without_a_name_the_account_manages_keys_of_its_own(api: Api, user: Api) -> None:
    assert await key_ids(api) == [KEY_ID]
    new = (await api.call("CreateAccessKey", RAM))["AccessKey"]
    root = replace(api, key_id=new["AccessKeyId"], secret=new["AccessKeySecret"])
    assert (await root.call("GetCallerIdentity", STS))["IdentityType"] == "Account"
    assert sorted(await key_ids(api)) == sorted([KEY_ID, root.key_id])
    await api.call("UpdateAccessKey", RAM, UserAccessKeyId=root.key_id, Status="Inactive")
    await api.call("DeleteAccessKey", RAM, UserAccessKeyId=root.key_id)
    assert await key_ids(api) == [KEY_ID]


async def test_without_a_name_a_user_manages_keys_of_its_own(api: Api, user: Api) -> None:
    second = (await user.call("CreateAccessKey", RAM))["AccessKey"]["AccessKeyId"]
    assert sorted(await key_ids(user)) == sorted([user.key_id, second])
    assert sorted(await key_ids(api, UserName=USER)) == sorted([user.key_id, second])
    await user.call("UpdateAccessKey", RAM, UserAccessKeyId=second, Status="Inactive")
    await user.call("DeleteAccessKey", RAM, UserAccessKeyId=second)
    assert await key_ids(user) == [user.key_id]


@pytest.mark.parametrize("operation", ["UpdateAccessKey", "DeleteAccessKey"])
async def test_no_user_reaches_the_accounts_keys_whatever_its_policies(operation: str, user: Api) -> None:
    more = {"Status": "Inactive"} if operation == "UpdateAccessKey" else {}
    for name in ({}, {"UserName": USER}):
        refusal = await user.error(operation, RAM, **name, UserAccessKeyId=KEY_ID, **more)
        assert refusal[1]["Code"] == "EntityNotExist.User.AccessKey"


@pytest.mark.parametrize("operation", ["UpdateAccessKey", "DeleteAccessKey"])
async def test_a_key_of_another_user_or_account_does_not_exist(operation: str, api: Api, user: Api) -> None:
    more = {"Status": "Inactive"} if operation == "UpdateAccessKey" else {}
    await api.call("CreateUser", RAM, UserName="pipeline")
    other = await api.other_tenant()
    await other.call("CreateUser", RAM, UserName=USER)
    for caller, name in ((api, "pipeline"), (other, USER), (api, None), (other, None)):
        refusal = await caller.error(operation, RAM, UserName=name, UserAccessKeyId=user.key_id, **more)
        assert refusal[1]["Code"] == "EntityNotExist.User.AccessKey"
    assert await key_ids(api, UserName=USER) == [user.key_id]


async def test_calls_make_up_to_five_keys_of_the_account(api: Api) -> None:
    """Those that the operator made count too; the operator may make more."""
    await api.service.administration.create_access_key(ACCOUNT_ID)
    for _ in range(3):
        await api.call("CreateAccessKey", RAM)
    assert (await api.error("CreateAccessKey", RAM))[1]["Code"] == "LimitExceeded.User.AccessKey"
    await api.service.administration.create_access_key(ACCOUNT_ID)
    assert len(await key_ids(api)) == 6


async def test_no_log_line_has_the_secret_of_a_new_key(api: Api) -> None:
    await api.call("CreateUser", RAM, UserName=USER)
    with structlog.testing.capture_logs() as lines:
        secret = (await api.call("CreateAccessKey", RAM, UserName=USER))["AccessKey"]["AccessKeySecret"]
    assert lines
    assert secret not in str(lines)
    stored = await api.service.storage.ram.keys(ACCOUNT_ID, None)
    assert secret not in repr(stored)


async def test_the_last_use_of_a_key_is_told_once_it_is_noted(api: Api, user: Api) -> None:
    asked = {"UserName": USER, "UserAccessKeyId": user.key_id}
    never = await api.call("GetAccessKeyLastUsed", RAM, **asked)
    api.clock.advance(5)
    await user.call("GetCallerIdentity", STS)
    await api.service.uses.note()

    used = await api.call("GetAccessKeyLastUsed", RAM, **asked)

    assert never == {"AccessKeyLastUsed": {"LastUsedDate": ""}}
    assert used == {"AccessKeyLastUsed": {"LastUsedDate": "2026-11-21T08:00:05Z"}}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"UserName": USER, "UserAccessKeyId": KEY_ID}, "EntityNotExist.User.AccessKey"),
        ({"UserName": "nobody", "UserAccessKeyId": KEY_ID}, "EntityNotExist.User"),
        ({"UserName": USER}, "MissingUserAccessKeyId"),
    ],
)
async def test_the_last_use_of_a_key_that_is_not_there_is_not_told(
    asked: dict[str, str], code: str, api: Api, user: Api
) -> None:
    assert (await api.error("GetAccessKeyLastUsed", RAM, **asked))[1]["Code"] == code
