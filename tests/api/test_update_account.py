"""UpdateAccount."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts import errors
from tests.api.directory_tree import NO_MEMBER, NOW, account_without_directory
from tests.assertions import assert_error
from tests.harness import Api

LATER = "2026-11-21T08:00:05.000Z"


async def account(api: Api, member_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await api.call("GetAccount", AccountId=member_id))["Account"]
    return shown


async def test_update_account_renames(api: Api) -> None:
    member_id = await api.create_member("Dev")
    before = await account(api, member_id)
    api.clock.advance(5)
    answer = await api.call("UpdateAccount", AccountId=member_id, NewDisplayName="Ops")
    assert answer == {
        "Account": {
            "AccountId": member_id,
            "AccountName": before["AccountName"],
            "DisplayName": "Ops",
            "FolderId": before["FolderId"],
            "ResourceDirectoryId": before["ResourceDirectoryId"],
            "Type": "ResourceAccount",
            "Status": "CreateSuccess",
            "JoinMethod": "created",
            "JoinTime": NOW,
            "ModifyTime": LATER,
        }
    }
    assert await account(api, member_id) == {**before, "DisplayName": "Ops", "ModifyTime": LATER}


async def test_update_account_to_its_own_name_succeeds_and_changes_nothing(api: Api) -> None:
    member_id = await api.create_member("Dev")
    before = await account(api, member_id)
    api.clock.advance(5)
    await api.call("UpdateAccount", AccountId=member_id, NewDisplayName="Dev")
    assert await account(api, member_id) == before


async def test_update_account_switches_the_type_there_and_back(api: Api) -> None:
    member_id = await api.create_member("Dev")
    api.clock.advance(5)
    for new_type in ("CloudAccount", "ResourceAccount"):
        answer = await api.call("UpdateAccount", AccountId=member_id, NewAccountType=new_type)
        assert answer["Account"]["Type"] == new_type
        assert answer["Account"]["Status"] == "SwitchSuccess"
        assert answer["Account"]["ModifyTime"] == LATER
        assert answer["Account"].items() <= (await account(api, member_id)).items()


@pytest.mark.parametrize("change", [{"NewDisplayName": "Ops"}, {"NewAccountType": "CloudAccount"}])
async def test_update_account_as_a_dry_run_answers_and_changes_nothing(api: Api, change: dict[str, str]) -> None:
    member_id = await api.create_member("Dev")
    before = await account(api, member_id)
    (value,) = change.values()
    answer = await api.call("UpdateAccount", AccountId=member_id, DryRun=True, **change)
    assert value in answer["Account"].values()
    assert await account(api, member_id) == before


@pytest.mark.parametrize("dry_run", [False, True])
async def test_update_account_refuses_what_does_not_fit_the_member(api: Api, dry_run: bool) -> None:
    member_id = await api.create_member("Dev")
    await api.create_member("Ops")
    refusal = await api.error("UpdateAccount", AccountId=member_id, NewDisplayName="Ops", DryRun=dry_run)
    assert_error(refusal, errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED)
    refusal = await api.error("UpdateAccount", AccountId=member_id, NewAccountType="ResourceAccount", DryRun=dry_run)
    assert_error(refusal, errors.ACCOUNT_TYPE_MISMATCH)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, errors.missing("AccountId")),
        ({"AccountId": "123", "NewDisplayName": "Ops"}, errors.invalid("AccountId")),
        ({"AccountId": NO_MEMBER, "NewDisplayName": "a@b"}, errors.invalid("NewDisplayName")),
        ({"AccountId": NO_MEMBER, "NewDisplayName": "a"}, errors.invalid("NewDisplayName")),
        ({"AccountId": NO_MEMBER, "NewAccountType": "Account"}, errors.invalid("NewAccountType")),
        ({"AccountId": NO_MEMBER}, errors.MISSING_DISPLAY_NAME_OR_ACCOUNT_TYPE),
        (
            {"AccountId": NO_MEMBER, "NewDisplayName": "Ops", "NewAccountType": "CloudAccount"},
            errors.MISSING_DISPLAY_NAME_OR_ACCOUNT_TYPE,
        ),
        ({"AccountId": NO_MEMBER, "NewDisplayName": "Ops"}, errors.ENTITY_NOT_EXISTS_ACCOUNT),
        ({"AccountId": NO_MEMBER, "NewDisplayName": "Ops", "DryRun": "x"}, errors.invalid("DryRun")),
    ],
)
async def test_update_account_refuses_what_it_cannot_use(
    api: Api, parameters: dict[str, Any], expected: errors.ErrorDefinition
) -> None:
    assert_error(await api.error("UpdateAccount", **parameters), expected)


async def test_update_account_refuses_accounts_without_directory(api: Api) -> None:
    member_id = await api.create_member("Shop")
    for caller in (await account_without_directory(api), await api.as_account(member_id)):
        refusal = await caller.error("UpdateAccount", AccountId=member_id, NewDisplayName="Ops")
        assert_error(refusal, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)
