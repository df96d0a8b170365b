"""GetAccountDeletionStatus."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_MEMBER, account_without_directory, make_cloud_account
from tests.assertions import assert_error
from tests.harness import Api


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


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, errors.MISSING_PARAMETER_ACCOUNT_ID),
        ({"AccountId": "123"}, errors.INVALID_PARAMETER_ACCOUNT_ID),
        ({"AccountId": NO_MEMBER}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
    ],
)
async def test_get_account_deletion_status_refuses_what_it_cannot_find(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("GetAccountDeletionStatus", **parameters), expected)


async def test_get_account_deletion_status_refuses_accounts_without_directory(api: Api) -> None:
    member_id = await api.create_member("Shop")
    for caller in (await account_without_directory(api), await api.as_account(member_id)):
        refusal = await caller.error("GetAccountDeletionStatus", AccountId=member_id)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
