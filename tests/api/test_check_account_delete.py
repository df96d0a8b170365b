"""CheckAccountDelete."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_MEMBER, account_without_directory, make_cloud_account
from tests.assertions import assert_error
from tests.harness import Api


async def test_check_account_delete_takes_members_of_both_types(api: Api) -> None:
    """What it found is told by GetAccountDeletionCheckResult."""
    member_id = await api.create_member("Dev")
    assert await api.call("CheckAccountDelete", AccountId=member_id) == {}
    await make_cloud_account(api, member_id)
    assert await api.call("CheckAccountDelete", AccountId=member_id) == {}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, errors.MISSING_PARAMETER_ACCOUNT_ID),
        ({"AccountId": "123"}, errors.INVALID_PARAMETER_ACCOUNT_ID),
        ({"AccountId": NO_MEMBER}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
    ],
)
async def test_check_account_delete_refuses_what_it_cannot_find(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("CheckAccountDelete", **parameters), expected)


async def test_check_account_delete_refuses_accounts_without_directory(api: Api) -> None:
    member_id = await api.create_member("Shop")
    for caller in (await account_without_directory(api), await api.as_account(member_id)):
        refusal = await caller.error("CheckAccountDelete", AccountId=member_id)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
