"""The pages about access: users, keys, policies, and whether a key may do something."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.ram_users import add_policy, policy_document, ram_user, statement
from tests.console.conftest import Console
from tests.harness import KEY_ID, Api

RAM = "2015-05-01"
READ = policy_document(statement("Allow", "resourcemanager:Get*"))


async def users(api: Api) -> list[str]:
    return [user["UserName"] for user in (await api.call("ListUsers", RAM))["Users"]["User"]]


async def keys(api: Api, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.call("ListAccessKeys", RAM, UserName=name))["AccessKeys"]["AccessKey"]
    return found


async def policies(api: Api, name: str) -> list[str]:
    found = (await api.call("ListPoliciesForUser", RAM, UserName=name))["Policies"]["Policy"]
    return [policy["PolicyName"] for policy in found]


async def test_users_are_made_shown_changed_and_deleted(console: Console, api: Api) -> None:
    assert "No users yet" in (await console.open("/access")).page.text
    fields = {"name": "alice", "display_name": "Alice", "comments": "Reads the contacts"}

    made = await console.submit("/access/new-user", fields)
    assert (made.page.title, "It may do nothing until it has a policy" in made.page.text) == ("alice", True)
    assert "Reads the contacts" in (await console.open("/access")).page.text

    changed = await console.submit("/access/users/alice/edit", {"name": "alicia", "display_name": "", "comments": "x"})
    assert changed.page.title == "alicia"
    assert (await api.call("GetUser", RAM, UserName="alicia"))["User"]["DisplayName"] == ""

    assert "neither keys nor policies" in (await console.open("/access/users/alicia/delete")).page.text
    assert "User deleted." in (await console.submit("/access/users/alicia/delete")).page.text
    assert await users(api) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "no space"}, "name"),
        ({"name": "taken"}, "name"),
        ({"name": "alice", "email": "nowhere"}, "email"),
        ({"name": "alice", "phone": "12"}, "phone"),
        ({"name": "alice", "comments": "x" * 129}, "comments"),
    ],
)
async def test_what_is_wrong_with_a_user_stands_at_its_field(
    fields: dict[str, str], field: str, console: Console, api: Api
) -> None:
    await api.call("CreateUser", RAM, UserName="taken")

    answer = await console.submit("/access/new-user", fields)

    assert answer.status in {400, 409}
    assert answer.page.one("p", id=f"{field}-error").text
    assert answer.page.value("name") == fields["name"]
    assert await users(api) == ["taken"]


async def test_a_keys_secret_is_shown_once_and_works(console: Console, api: Api) -> None:
    await api.call("CreateUser", RAM, UserName="alice")

    answer = await console.submit("/access/users/alice/keys")

    key_id, secret = answer.page.one("code", id="key-id").text, answer.page.one("code", id="key-secret").text
    assert (await Console(api).sign_in(key_id, secret)).status == 303
    assert "shown this once" in answer.page.text
    assert answer.headers["cache-control"] == "no-store"
    for path in ("/access/users/alice", "/audit", f"/access/users/alice/keys/{key_id}/delete"):
        shown = await console.open(path)
        assert key_id in shown.html
        assert secret not in shown.html


async def test_keys_are_switched_and_deleted_and_tell_their_last_use(console: Console, api: Api) -> None:
    user = await ram_user(api, "alice", statement("Allow", "*"))
    base = f"/access/users/alice/keys/{user.key_id}"
    assert "never" in (await console.open("/access/users/alice")).page.text
    await user.call("GetResourceDirectory")
    await api.service.uses.note()
    assert "never" not in (await console.open("/access/users/alice")).page.text

    off = await console.submit(f"{base}/status", {"status": "Inactive"})
    assert "Key switched off; calls with it are refused." in off.page.text
    assert (await keys(api, "alice"))[0]["Status"] == "Inactive"
    await console.submit(f"{base}/status", {"status": "Active"})
    assert (await keys(api, "alice"))[0]["Status"] == "Active"

    assert "switch it off first" in (await console.open(f"{base}/delete")).page.text
    assert "Key deleted." in (await console.submit(f"{base}/delete")).page.text
    assert await keys(api, "alice") == []
    assert (await console.open(f"{base}/delete")).status == 404


async def test_a_third_key_of_a_user_is_refused_with_the_reason(console: Console, api: Api) -> None:
    await api.call("CreateUser", RAM, UserName="alice")
    for _ in range(2):
        await api.call("CreateAccessKey", RAM, UserName="alice")

    answer = await console.submit("/access/users/alice/keys")

    assert (answer.status, "LimitExceeded.User.AccessKey" in answer.page.text) == (409, True)


async def test_the_accounts_own_keys_have_a_page(console: Console) -> None:
    page = (await console.open("/access/keys")).page
    assert f"{KEY_ID} you are signed in with it" in page.text
    assert "deleting it signs you out" in (await console.open(f"/access/keys/{KEY_ID}/delete")).page.text

    made = (await console.submit("/access/keys")).page.one("code", id="key-id").text
    await console.submit(f"/access/keys/{made}/status", {"status": "Inactive"})
    gone = await console.submit(f"/access/keys/{made}/delete")

    assert "Key deleted." in gone.page.text
    assert made not in gone.html


async def test_policies_are_attached_and_detached(console: Console, api: Api) -> None:
    await api.call("CreateUser", RAM, UserName="alice")
    await api.call("CreatePolicy", RAM, PolicyName="readers", PolicyDocument=READ)

    await console.submit("/access/users/alice/attach", {"policy": "Custom/readers"})
    answer = await console.submit("/access/users/alice/attach", {"policy": "System/ReadOnlyAccess"})

    assert sorted(await policies(api, "alice")) == ["ReadOnlyAccess", "readers"]
    offered = [option["value"] for option in answer.page.all("option")]
    assert "System/AdministratorAccess" in offered
    assert "Custom/readers" not in offered
    await console.submit("/access/users/alice/detach", {"policy": "Custom/readers"})
    assert await policies(api, "alice") == ["ReadOnlyAccess"]
    again = await console.submit("/access/users/alice/detach", {"policy": "Custom/readers"})
    assert (again.status, "EntityNotExist.User.Policy" in again.page.text) == (404, True)


async def test_a_user_goes_with_keys_and_policies_only_when_that_is_asked(console: Console, api: Api) -> None:
    user = await ram_user(api, "alice", statement("Allow", "*"), system=["ReadOnlyAccess"])

    asked = await console.open("/access/users/alice/delete")
    assert user.key_id in asked.page.text
    assert "alice-policy" in asked.page.text
    refused = await console.submit("/access/users/alice/delete")
    assert (refused.status, "DeleteConflict.User.AccessKey" in refused.page.text) == (409, True)

    gone = await console.submit("/access/users/alice/delete", {"everything": "yes"})
    assert "User deleted." in gone.page.text
    assert await users(api) == []
    assert (await user.error("GetResourceDirectory"))[1]["Code"] == "InvalidAccessKeyId.NotFound"


async def test_policies_are_made_described_and_deleted(console: Console, api: Api) -> None:
    form = (await console.open("/access/new-policy")).page
    assert json.loads(form.value("document"))["Version"] == "1"

    made = await console.submit("/access/new-policy", {"name": "readers", "document": READ, "description": "Old"})
    assert "Policy created." in made.page.text
    described = await console.submit("/access/policies/Custom/readers/describe", {"description": "For the dashboard"})
    assert "For the dashboard" in described.page.text
    assert "readers" in (await console.open("/access/policies?type=Custom")).page.text

    gone = await console.submit("/access/policies/Custom/readers/delete")
    assert "Policy deleted." in gone.page.text
    assert "No policies of your own yet" in (await console.open("/access/policies?type=Custom")).page.text


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{", "not valid JSON"),
        ('{"Version": "2"}', 'must be "1"'),
        (policy_document({"Effect": "Allow", "Action": "fly", "Resource": "*"}), "fly is not an action"),
    ],
)
async def test_what_is_wrong_with_a_document_stands_at_the_editor(
    document: str, text: str, console: Console, api: Api
) -> None:
    await api.call("CreatePolicy", RAM, PolicyName="readers", PolicyDocument=READ)
    new = await console.submit("/access/new-policy", {"name": "writers", "document": document})
    version = await console.submit("/access/policies/Custom/readers/versions", {"document": document})

    for answer in (new, version):
        assert answer.status == 400
        assert text in answer.page.one("p", id="document-error").text
        assert answer.page.value("document") == document


async def test_versions_are_added_put_in_force_and_deleted(console: Console, api: Api) -> None:
    await api.call("CreatePolicy", RAM, PolicyName="readers", PolicyDocument=READ)
    base = "/access/policies/Custom/readers"
    other = policy_document(statement("Allow", "resourcemanager:List*"))

    saved = await console.submit(f"{base}/versions", {"document": other})
    assert "Version v2 saved." in saved.page.text
    assert "resourcemanager:List*" in saved.page.one("pre").text
    assert "resourcemanager:Get*" in (await console.open(base)).page.one("pre").text  # v1 is still in force

    await console.submit(f"{base}/versions/v2/default")
    assert "resourcemanager:List*" in (await console.open(base)).page.one("pre").text
    refused = await console.submit(f"{base}/versions/v2/delete")
    assert (refused.status, "DeleteConflict.Policy.Version.Default" in refused.page.text) == (409, True)
    await console.submit(f"{base}/versions/v1/delete")
    versions = await api.call("ListPolicyVersions", RAM, PolicyName="readers", PolicyType="Custom")
    assert [version["VersionId"] for version in versions["PolicyVersions"]["PolicyVersion"]] == ["v2"]


async def test_a_sixth_version_takes_the_place_of_the_oldest_when_that_is_asked(console: Console, api: Api) -> None:
    await api.call("CreatePolicy", RAM, PolicyName="readers", PolicyDocument=READ)
    for _ in range(4):
        await api.call("CreatePolicyVersion", RAM, PolicyName="readers", PolicyDocument=READ)
    base = "/access/policies/Custom/readers"

    refused = await console.submit(f"{base}/versions", {"document": READ})
    saved = await console.submit(f"{base}/versions", {"document": READ, "rotate": "yes", "default": "yes"})

    assert "LimitExceeded.Policy.Version" in refused.page.text
    assert "Version v6 saved." in saved.page.text
    assert "v2" not in [link.text for link in saved.page.all("a")]


async def test_a_policy_in_use_says_who_has_it_and_stays(console: Console, api: Api) -> None:
    await ram_user(api, "alice", statement("Allow", "*"))

    asked = await console.open("/access/policies/Custom/alice-policy/delete")
    refused = await console.submit("/access/policies/Custom/alice-policy/delete")

    assert "1 user has it. Detach it there first." in asked.page.text
    assert (refused.status, "DeleteConflict.Policy.User" in refused.page.text) == (409, True)
    assert (await console.open("/access/policies/Custom/alice-policy")).page.all(
        "a", href="/console/access/users/alice"
    )


async def test_policies_of_the_service_are_shown_and_cannot_be_changed(console: Console) -> None:
    page = (await console.open("/access/policies/System/ReadOnlyAccess")).page

    assert "resourcemanager:Get*" in page.one("pre").text
    assert not page.all("textarea")
    assert not page.all("a", class_="danger")


async def test_whether_a_user_may_do_something_is_told_with_the_statement_that_decides(
    console: Console, api: Api
) -> None:
    user = await ram_user(api, "alice", statement("Allow", "resourcemanager:Get*"))
    asked = {"operation": "2022-04-19/GetMessageContact", "resources": "messagecontact/c-1"}

    by_name = (await console.open("/access/evaluate?" + urlencode({"by": "user", "who": "alice", **asked}))).page
    by_key = (await console.open("/access/evaluate?" + urlencode({"by": "key", "who": user.key_id, **asked}))).page

    for page in (by_name, by_key):
        assert "Yes This call would be let pass" in page.text
        assert "alice-policy v1, statement 1" in page.text
        assert json.loads(page.one("pre").text) == statement("Allow", "resourcemanager:Get*")


async def test_what_is_missing_can_be_made_a_policy(console: Console, api: Api) -> None:
    await ram_user(
        api,
        "alice",
        statement("Allow", "resourcemanager:Get*", condition={"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}),
    )
    asked = {"who": "alice", "operation": "2022-04-19/GetFolder", "resources": "folder/fd-1", "ip": "192.0.2.1"}
    question = "/access/evaluate?" + urlencode(asked)

    page = (await console.open(question)).page
    assert "No This call would be refused" in page.text
    assert "IpAddress acs:SourceIp 10.0.0.0/8 the call has: 192.0.2.1" in page.text

    (link,) = [element["href"] for element in page.all("a", class_="button") if "new-policy" in element["href"]]
    document = (await console.open(link)).page.value("document")
    await console.submit("/access/new-policy", {"name": "missing", "document": document})
    await console.submit("/access/users/alice/attach", {"policy": "Custom/missing"})

    assert "This call would be let pass" in (await console.open(question)).page.text


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"who": "nobody", "operation": "2022-04-19/GetFolder"}, "who"),
        ({"by": "key", "who": "MCnobody", "operation": "2022-04-19/GetFolder"}, "who"),
        ({"who": "alice", "operation": "2022-04-19/GetFolder", "resources": "contact/c-1"}, "resources"),
        ({"who": "alice", "operation": "2022-04-19/GetFolder", "ip": "home"}, "ip"),
    ],
)
async def test_what_is_wrong_with_a_question_stands_at_its_field(
    asked: dict[str, str], field: str, console: Console, api: Api
) -> None:
    await api.call("CreateUser", RAM, UserName="alice")

    answer = await console.open("/access/evaluate?" + urlencode(asked))

    assert answer.status in {400, 404}
    assert answer.page.one("p", id=f"{field}-error").text
    assert answer.page.value("who") == asked["who"]


async def test_a_key_without_permission_is_told_which_one_lacks(api: Api) -> None:
    user = await ram_user(api, "alice", statement("Allow", ["ram:GetUser", "ram:ListUsers"]))
    console = Console(api)
    await console.sign_in(user.key_id, user.secret)

    assert "ram:ListPolicies" in (await console.open("/access/policies")).page.text
    page = (await console.open("/access/users/alice")).page
    assert "ram:ListAccessKeys" in page.text
    assert "ram:ListPoliciesForUser" in page.text
    asked = await console.open("/access/evaluate?who=alice&operation=2022-04-19/GetFolder")
    assert (asked.status, "messagecontacts:SimulateAccess" in asked.page.text) == (403, True)


async def test_users_are_shown_page_by_page(console: Console, api: Api) -> None:
    for number in range(51):
        await api.call("CreateUser", RAM, UserName=f"user-{number:02}")

    first = (await console.open("/access")).page
    second = (await console.open(first.one("a", rel="next")["href"])).page

    assert len(re.findall("user-[0-9]{2}</a>", first.html)) == 50
    assert re.findall("user-[0-9]{2}</a>", second.html) == ["user-50</a>"]


async def test_the_api_says_no_more_than_the_page(console: Console, api: Api) -> None:
    """The page acts with the session's key: what that key may not do, the page cannot."""
    await api.call("CreateUser", RAM, UserName="bob")
    user = await ram_user(api, "alice", statement("Allow", ["ram:Get*", "ram:List*"]))
    reading = Console(api)
    await reading.sign_in(user.key_id, user.secret)

    answer = await reading.submit("/access/users/bob/delete")

    assert (answer.status, "ram:DeleteUser" in answer.page.text) == (403, True)
    assert "bob" in await users(api)
    await add_policy(api, "alice", "deleters", statement("Allow", "ram:DeleteUser"))
    assert "User deleted." in (await reading.submit("/access/users/bob/delete")).page.text
