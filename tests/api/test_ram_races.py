"""Two calls about the same user or policy: the second happens between the first one's decision and its commit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from message_contacts.access import ram_errors
from message_contacts.operations.registry import RAM
from tests.api.ram_rows import DOCUMENT, POLICY, USER
from tests.api.test_directory_races import Meanwhile
from tests.assertions import assert_error
from tests.harness import Api, open_api

ATTACHMENT = {"PolicyName": POLICY, "PolicyType": "Custom", "UserName": USER}
SYSTEM_ATTACHMENT = {"PolicyName": "ReadOnlyAccess", "PolicyType": "System", "UserName": USER}


@pytest.fixture
def meanwhile() -> Meanwhile:
    return Meanwhile()


@pytest.fixture
async def api(database_path: Path, meanwhile: Meanwhile) -> AsyncIterator[Api]:
    async with open_api(database_path, seam=meanwhile) as opened:
        await opened.call("CreateUser", RAM, UserName=USER)
        await opened.call("CreatePolicy", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT)
        yield opened


async def keys(api: Api) -> int:
    return len((await api.call("ListAccessKeys", RAM, UserName=USER))["AccessKeys"]["AccessKey"])


async def test_a_user_that_got_a_key_meanwhile_is_not_deleted(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.call("CreateAccessKey", RAM, UserName=USER))
    refusal = await api.error("DeleteUser", RAM, UserName=USER)
    assert_error(refusal, ram_errors.DELETE_CONFLICT_USER_ACCESS_KEY, product="Ram")


async def test_a_user_that_went_meanwhile_gets_no_key(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.call("DeleteUser", RAM, UserName=USER))
    refusal = await api.error("CreateAccessKey", RAM, UserName=USER)
    assert_error(refusal, ram_errors.ENTITY_NOT_EXIST_USER, product="Ram")


async def test_a_user_gets_no_third_key_by_two_calls_at_once(api: Api, meanwhile: Meanwhile) -> None:
    await api.call("CreateAccessKey", RAM, UserName=USER)
    meanwhile.do(lambda: api.call("CreateAccessKey", RAM, UserName=USER))
    refusal = await api.error("CreateAccessKey", RAM, UserName=USER)
    assert_error(refusal, ram_errors.LIMIT_EXCEEDED_USER_ACCESS_KEY, product="Ram")
    assert await keys(api) == 2


async def test_the_account_gets_no_sixth_key_by_two_calls_at_once(api: Api, meanwhile: Meanwhile) -> None:
    for _ in range(3):
        await api.call("CreateAccessKey", RAM)
    meanwhile.do(lambda: api.call("CreateAccessKey", RAM))
    refusal = await api.error("CreateAccessKey", RAM)
    assert_error(refusal, ram_errors.LIMIT_EXCEEDED_USER_ACCESS_KEY, product="Ram")


async def test_a_key_that_went_meanwhile_is_not_switched(api: Api, meanwhile: Meanwhile) -> None:
    key = (await api.call("CreateAccessKey", RAM, UserName=USER))["AccessKey"]["AccessKeyId"]
    mine = {"UserName": USER, "UserAccessKeyId": key}
    meanwhile.do(lambda: api.call("DeleteAccessKey", RAM, **mine))
    refusal = await api.error("UpdateAccessKey", RAM, **mine, Status="Inactive")
    assert_error(refusal, ram_errors.ENTITY_NOT_EXIST_USER_ACCESS_KEY, product="Ram")


@pytest.mark.parametrize("attachment", [ATTACHMENT, SYSTEM_ATTACHMENT])
async def test_a_user_that_got_a_policy_meanwhile_is_not_deleted(
    attachment: dict[str, str], api: Api, meanwhile: Meanwhile
) -> None:
    meanwhile.do(lambda: api.call("AttachPolicyToUser", RAM, **attachment))
    refusal = await api.error("DeleteUser", RAM, UserName=USER)
    assert_error(refusal, ram_errors.DELETE_CONFLICT_USER_POLICY, product="Ram")


@pytest.mark.parametrize("attachment", [ATTACHMENT, SYSTEM_ATTACHMENT])
async def test_a_user_that_went_meanwhile_gets_no_policy(
    attachment: dict[str, str], api: Api, meanwhile: Meanwhile
) -> None:
    meanwhile.do(lambda: api.call("DeleteUser", RAM, UserName=USER))
    refusal = await api.error("AttachPolicyToUser", RAM, **attachment)
    assert_error(refusal, ram_errors.ENTITY_NOT_EXIST_USER, product="Ram")


async def test_a_policy_that_went_meanwhile_is_not_attached(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.call("DeletePolicy", RAM, PolicyName=POLICY))
    refusal = await api.error("AttachPolicyToUser", RAM, **ATTACHMENT)
    assert_error(refusal, ram_errors.ENTITY_NOT_EXIST_POLICY, product="Ram")


async def test_a_policy_that_somebody_got_meanwhile_is_not_deleted(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.call("AttachPolicyToUser", RAM, **ATTACHMENT))
    refusal = await api.error("DeletePolicy", RAM, PolicyName=POLICY)
    assert_error(refusal, ram_errors.DELETE_CONFLICT_POLICY_USER, product="Ram")


async def test_a_policy_is_attached_once(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.call("AttachPolicyToUser", RAM, **ATTACHMENT))
    refusal = await api.error("AttachPolicyToUser", RAM, **ATTACHMENT)
    assert_error(refusal, ram_errors.ENTITY_ALREADY_EXISTS_USER_POLICY, product="Ram")


async def test_a_policy_is_detached_once(api: Api, meanwhile: Meanwhile) -> None:
    await api.call("AttachPolicyToUser", RAM, **ATTACHMENT)
    meanwhile.do(lambda: api.call("DetachPolicyFromUser", RAM, **ATTACHMENT))
    refusal = await api.error("DetachPolicyFromUser", RAM, **ATTACHMENT)
    assert_error(refusal, ram_errors.ENTITY_NOT_EXIST_USER_POLICY, product="Ram")


async def test_a_user_name_is_given_once(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.call("CreateUser", RAM, UserName="pipeline"))
    refusal = await api.error("UpdateUser", RAM, UserName=USER, NewUserName="pipeline")
    assert_error(refusal, ram_errors.ENTITY_ALREADY_EXISTS_USER, product="Ram")


async def test_a_policy_name_is_given_once(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.call("CreatePolicy", RAM, PolicyName="other", PolicyDocument=DOCUMENT))
    refusal = await api.error("CreatePolicy", RAM, PolicyName="other", PolicyDocument=DOCUMENT)
    assert_error(refusal, ram_errors.ENTITY_ALREADY_EXISTS_POLICY, product="Ram")


async def test_two_new_versions_at_once_have_two_numbers(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.call("CreatePolicyVersion", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT))
    answer = await api.call("CreatePolicyVersion", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT)
    assert answer["PolicyVersion"]["VersionId"] == "v3"


async def test_a_version_that_was_put_in_force_meanwhile_is_not_deleted(api: Api, meanwhile: Meanwhile) -> None:
    await api.call("CreatePolicyVersion", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT)
    meanwhile.do(lambda: api.call("SetDefaultPolicyVersion", RAM, PolicyName=POLICY, VersionId="v2"))
    refusal = await api.error("DeletePolicyVersion", RAM, PolicyName=POLICY, VersionId="v2")
    assert_error(refusal, ram_errors.DELETE_CONFLICT_POLICY_VERSION_DEFAULT, product="Ram")


async def test_a_version_that_went_meanwhile_is_not_put_in_force(api: Api, meanwhile: Meanwhile) -> None:
    await api.call("CreatePolicyVersion", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT)
    meanwhile.do(lambda: api.call("DeletePolicyVersion", RAM, PolicyName=POLICY, VersionId="v2"))
    refusal = await api.error("SetDefaultPolicyVersion", RAM, PolicyName=POLICY, VersionId="v2")
    assert_error(refusal, ram_errors.ENTITY_NOT_EXIST_POLICY_VERSION, product="Ram")


async def test_a_policy_does_not_go_while_it_gets_a_version(api: Api, meanwhile: Meanwhile) -> None:
    meanwhile.do(lambda: api.call("CreatePolicyVersion", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT))
    refusal = await api.error("DeletePolicy", RAM, PolicyName=POLICY)
    assert_error(refusal, ram_errors.DELETE_CONFLICT_POLICY_VERSION, product="Ram")
