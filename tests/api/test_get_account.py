"""GetAccount."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_MEMBER, NOW, account_without_directory, chain, directory_of
from tests.assertions import assert_error
from tests.harness import ACCOUNT_ID, Api


async def test_get_account_shows_all_there_is(api: Api) -> None:
    first, second = await chain(api, 2)
    directory = await directory_of(api)
    created = await api.call(
        "CreateResourceAccount",
        DisplayName="Dev",
        AccountNamePrefix="alice",
        ParentFolderId=second,
        Tag=[{"Key": "k", "Value": "v"}],
    )
    member_id = created["Account"]["AccountId"]
    shown = {
        "AccountId": member_id,
        "AccountName": f"alice@{directory['ResourceDirectoryId'].lower()}.aliyunid.com",
        "DisplayName": "Dev",
        "FolderId": second,
        "ResourceDirectoryId": directory["ResourceDirectoryId"],
        "Type": "ResourceAccount",
        "Status": "CreateSuccess",
        "JoinMethod": "created",
        "JoinTime": NOW,
        "ModifyTime": NOW,
        "ResourceDirectoryPath": "/".join(
            [directory["ResourceDirectoryId"], directory["RootFolderId"], first, second, member_id]
        ),
        "IdentityInformation": "",
        "Location": "root/level1/level2",
        "EmailStatus": "",
        "HasSecureMobilePhone": False,
        "SecureMobilePhone": "",
    }
    assert await api.call("GetAccount", AccountId=member_id) == {"Account": shown}
    with_tags = await api.call("GetAccount", AccountId=member_id, IncludeTags=True)
    assert with_tags == {"Account": {**shown, "Tags": [{"Key": "k", "Value": "v"}]}}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, errors.MISSING_PARAMETER_ACCOUNT_ID),
        ({"AccountId": ""}, errors.MISSING_PARAMETER_ACCOUNT_ID),
        ({"AccountId": "123"}, errors.INVALID_PARAMETER_ACCOUNT_ID),
        ({"AccountId": "17000000000000xx"}, errors.INVALID_PARAMETER_ACCOUNT_ID),
        ({"AccountId": NO_MEMBER}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
        ({"AccountId": ACCOUNT_ID}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
        ({"AccountId": NO_MEMBER, "IncludeTags": "yes"}, errors.invalid("IncludeTags")),
    ],
)
async def test_get_account_refuses_what_it_cannot_find(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("GetAccount", **parameters), expected)


async def test_get_account_refuses_a_member_of_another_tenant(api: Api) -> None:
    other = await api.other_tenant()
    member_id = await other.create_member("Dev")
    assert_error(await api.error("GetAccount", AccountId=member_id), errors.ENTITY_NOT_EXISTS_ACCOUNT)


async def test_get_account_refuses_accounts_without_directory(api: Api) -> None:
    member_id = await api.create_member("Shop")
    for caller in (await account_without_directory(api), await api.as_account(member_id)):
        refusal = await caller.error("GetAccount", AccountId=member_id)
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
