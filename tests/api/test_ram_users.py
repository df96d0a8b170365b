"""RAM users through signed calls."""

from __future__ import annotations

import pytest

from message_contacts import errors
from message_contacts.operations.registry import PRODUCTS, RAM, STS
from tests.api.ram_rows import DOCUMENT, POLICY, USER
from tests.assertions import assert_error
from tests.conftest import ENGINES
from tests.harness import ACCOUNT_ID, Api

CREATED = "2026-11-21T08:00:00Z"
LATER = "2026-11-21T08:00:05Z"


async def test_a_user_is_shown_as_it_was_made(api: Api) -> None:
    given = {
        "UserName": USER,
        "DisplayName": "仪表板",
        "MobilePhone": "86-18688880000",
        "Email": "alice@example.com",
        "Comments": "reads",
    }
    created = (await api.call("CreateUser", RAM, **given))["User"]
    user_id = created.pop("UserId")
    assert user_id.isdigit()
    assert created == {**given, "CreateDate": CREATED}
    shown = (await api.call("GetUser", RAM, UserName=USER))["User"]
    assert shown == {**created, "UserId": user_id, "UpdateDate": CREATED, "LastLoginDate": ""}


async def test_a_user_needs_nothing_but_a_name(api: Api) -> None:
    created = (await api.call("CreateUser", RAM, UserName=USER))["User"]
    del created["UserId"]
    assert created == {
        "UserName": USER,
        "DisplayName": "",
        "MobilePhone": "",
        "Email": "",
        "Comments": "",
        "CreateDate": CREATED,
    }


async def test_an_update_changes_what_is_given_and_clears_what_is_given_empty(api: Api) -> None:
    await api.call("CreateUser", RAM, UserName=USER, DisplayName="Dash", Email="a@example.com", Comments="reads")
    api.clock.advance(5)
    updated = (await api.call("UpdateUser", RAM, UserName=USER, NewUserName="reports", NewComments="", NewEmail=""))[
        "User"
    ]
    assert updated.pop("UserId").isdigit()
    assert updated == {
        "UserName": "reports",
        "DisplayName": "Dash",
        "MobilePhone": "",
        "Email": "",
        "Comments": "",
        "CreateDate": CREATED,
        "UpdateDate": LATER,
    }
    assert (await api.error("GetUser", RAM, UserName=USER))[0] == 404


async def test_a_renamed_user_keeps_its_id_keys_and_policies(api: Api) -> None:
    await api.call("CreateUser", RAM, UserName=USER)
    await api.call("AttachPolicyToUser", RAM, PolicyName="ReadOnlyAccess", PolicyType="System", UserName=USER)
    caller = await api.as_user(USER)
    before = await caller.call("GetCallerIdentity", STS)
    await api.call("UpdateUser", RAM, UserName=USER, NewUserName="reports")
    after = await caller.call("GetCallerIdentity", STS)
    assert after == {**before, "Arn": f"acs:ram::{ACCOUNT_ID}:user/reports"}
    assert len((await api.call("ListPoliciesForUser", RAM, UserName="reports"))["Policies"]["Policy"]) == 1


async def test_a_name_may_stay_the_same_in_an_update(api: Api) -> None:
    """Terraform always sends it."""
    await api.call("CreateUser", RAM, UserName=USER)
    await api.call("UpdateUser", RAM, UserName=USER, NewUserName=USER, NewComments="why")
    assert (await api.call("GetUser", RAM, UserName=USER))["User"]["Comments"] == "why"


async def test_users_are_listed_by_name_page_by_page(api: Api) -> None:
    for name in ("c", "a", "b", "A.1"):
        await api.call("CreateUser", RAM, UserName=name)
    names, marker = [], None
    while True:
        page = await api.call("ListUsers", RAM, MaxItems=2, Marker=marker)
        names += [user["UserName"] for user in page["Users"]["User"]]
        marker = page.get("Marker")
        assert page["IsTruncated"] == (marker is not None)
        if marker is None:
            break
    assert names == ["A.1", "a", "b", "c"]


async def test_a_list_of_no_users_is_empty(api: Api) -> None:
    assert await api.call("ListUsers", RAM) == {"IsTruncated": False, "Users": {"User": []}}


async def test_a_user_is_in_no_group(api: Api) -> None:
    await api.call("CreateUser", RAM, UserName=USER)
    assert await api.call("ListGroupsForUser", RAM, UserName=USER) == {"Groups": {"Group": []}}


async def test_a_deleted_users_name_and_place_are_free_again(api: Api) -> None:
    first = (await api.call("CreateUser", RAM, UserName=USER))["User"]["UserId"]
    assert await api.call("DeleteUser", RAM, UserName=USER) == {}
    second = (await api.call("CreateUser", RAM, UserName=USER))["User"]["UserId"]
    assert first != second


async def test_a_tenants_users_and_policies_are_its_own(api: Api) -> None:
    await api.call("CreateUser", RAM, UserName=USER)
    await api.call("CreatePolicy", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT)
    other = await api.other_tenant()
    assert (await other.call("ListUsers", RAM))["Users"]["User"] == []
    assert (await other.error("GetUser", RAM, UserName=USER))[1]["Code"] == "EntityNotExist.User"
    assert (await other.call("ListPolicies", RAM, PolicyType="Custom"))["Policies"]["Policy"] == []
    await other.call("CreateUser", RAM, UserName=USER)
    attached = {"PolicyName": POLICY, "PolicyType": "Custom", "UserName": USER}
    assert (await other.error("AttachPolicyToUser", RAM, **attached))[1]["Code"] == "EntityNotExist.Policy"


async def test_an_account_needs_no_directory_for_its_users(api: Api) -> None:
    account = await api.service.administration.create_account("no-directory", account_id="1000000000000007")
    await (await api.as_account(account.account_id)).call("CreateUser", RAM, UserName=USER)


@pytest.mark.parametrize("operation", ["ListRoles", "CreateGroup", "GetLoginProfile", "AssumeRole"])
async def test_what_is_not_there_is_not_found(operation: str, api: Api) -> None:
    for version in (RAM, STS):
        status, body = await api.error(operation, version)
        assert (status, body["Code"]) == (404, "InvalidAction.NotFound")


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
@pytest.mark.parametrize(
    ("operation", "parameter", "others"),
    [
        ("CreateUser", "Comments", {"UserName": "reports"}),
        ("UpdateUser", "NewComments", {"UserName": USER}),
        ("CreatePolicy", "Description", {"PolicyName": "reports", "PolicyDocument": DOCUMENT}),
        ("UpdatePolicyDescription", "NewDescription", {"PolicyName": POLICY}),
    ],
)
async def test_a_text_that_not_every_database_can_keep_is_refused(
    operation: str, parameter: str, others: dict[str, str], api: Api
) -> None:
    await api.call("CreateUser", RAM, UserName=USER)
    await api.call("CreatePolicy", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT)
    refusal = await api.error(operation, RAM, **others, **{parameter: "a\0b"})
    assert_error(refusal, errors.invalid(parameter), product=PRODUCTS[RAM])
