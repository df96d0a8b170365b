"""What users may do, and how they are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from message_contacts import errors
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import Access, Implied, Kind, Operation, Target
from message_contacts.protocol.parameters import flattened
from tests import signing
from tests.api.ram_users import RAM, add_policy, policy_document, ram_user, statement, user_id
from tests.assertions import REQUEST_ID
from tests.harness import ACCOUNT_ID, Api

REFUSED = "NoPermission"
OPERATIONS = [(version, entry) for version, entry in REGISTRY.all() if not entry.always_allowed]

#: Operations that read and are not in the system policies for reading, each with the reason.
NOT_FOR_READERS = {
    "messagecontacts:ListInboxMessages": "whoever reads the inbox can confirm any address in the contact's place",
    "messagecontacts:ExportPerson": "hands out all that is held on a person at once",
    "ram:DecodeDiagnosticMessage": "tells which policy of somebody else denies",
}


def resource(name: str, family: str = "resourcemanager") -> str:
    return f"acs:{family}:*:{ACCOUNT_ID}:{name}"


def example(operation: Operation) -> dict[str, Any]:
    """The parameters of the reference's example."""
    return {parameter.name: parameter.example for parameter in operation.parameters if parameter.required}


async def code_of(api: Api, version: str, operation: Operation) -> str:
    """What an operation answers to its own example: `OK`, or the code of the error."""
    request = signing.v3(
        operation.name,
        flattened(example(operation)),
        key_id=api.key_id,
        secret=api.secret,
        now_ms=api.clock.now(),
        version=version,
    )
    body = orjson.loads((await api.send(request)).body)
    code: str = body.get("Code", "OK")
    assert code != errors.INTERNAL_ERROR.code
    return code


def masked(body: Mapping[str, Any]) -> dict[str, Any]:
    """An answer without what differs from call to call."""
    text = orjson.dumps(body).decode().replace(body["RequestId"], "<request>")
    return dict(orjson.loads(re.sub(r'("EncodedDiagnosticMessage":)"[A-Za-z0-9+/=]{200,}"', r'\1"<sealed>"', text)))


def no_permission(user: str, permission: str, *, product: str, explicit: bool = False) -> dict[str, Any]:
    """The whole body of a refusal."""
    return {
        "RequestId": "<request>",
        "Message": "You are not authorized to perform this operation.",
        "HostId": "contacts.test",
        "Code": "NoPermission",
        "Recommend": f"https://api.aliyun.com/troubleshoot?q=NoPermission&product={product}&requestId=<request>",
        "AccessDeniedDetail": {
            "AuthAction": permission,
            "AuthPrincipalDisplayName": user,
            "AuthPrincipalOwnerId": ACCOUNT_ID,
            "AuthPrincipalType": "SubUser",
            "EncodedDiagnosticMessage": "<sealed>",
            "NoPermissionType": "ExplicitDeny" if explicit else "ImplicitDeny",
            "PolicyType": "AccountLevelIdentityBasedPolicy",
        },
    }


async def test_a_user_without_policies_is_refused_everything(api: Api) -> None:
    """In every operation of every version, before anything is said about its parameters or the directory."""
    user = await ram_user(api)
    name = await user_id(api)
    products = {"2022-04-19": "ResourceDirectoryMaster", "2020-03-31": "ResourceManager", RAM: "Ram"}

    for version, operation in OPERATIONS:
        status, body = await user.answer(operation.name, version)
        assert status == 403
        assert masked(body) == no_permission(
            name, operation.permission, product=products.get(version, "MessageContacts")
        )


async def test_the_account_itself_needs_no_permission(api: Api) -> None:
    await add_policy(api, (await _user(api)), "nothing", statement("Deny", "*"))

    for version, operation in OPERATIONS:
        if operation.access is Access.READ:
            assert await code_of(api, version, operation) != REFUSED


async def _user(api: Api) -> str:
    await ram_user(api, "other")
    return "other"


@pytest.mark.parametrize(
    ("policy", "families", "kept_back"),
    [
        ("ReadOnlyAccess", {"resourcemanager", "messagecontacts", "ram"}, set()),
        # They show users, keys and what policies say, which is not the directory's.
        (
            "AliyunResourceDirectoryReadOnlyAccess",
            {"resourcemanager", "messagecontacts"},
            {"messagecontacts:SimulateAccess", "messagecontacts:ListAuditEvents"},
        ),
        ("AliyunRAMReadOnlyAccess", {"ram"}, set()),
    ],
)
async def test_a_read_only_user_reads_everything_and_changes_nothing(
    api: Api, policy: str, families: set[str], kept_back: set[str]
) -> None:
    """In every operation of the families its policy is about, but for the few that are named above."""
    reader = await ram_user(api, system=[policy])

    for version, operation in OPERATIONS:
        refused = await code_of(reader, version, operation) == REFUSED
        is_for_readers = (
            operation.access is Access.READ
            and operation.family in families
            and operation.permission not in {*NOT_FOR_READERS, *kept_back}
        )
        assert refused is not is_for_readers, operation.name


@pytest.mark.parametrize(
    ("policy", "families"),
    [
        ("AdministratorAccess", {"resourcemanager", "messagecontacts", "ram"}),
        ("AliyunResourceDirectoryFullAccess", {"resourcemanager", "messagecontacts"}),
        ("AliyunRAMFullAccess", {"ram"}),
    ],
)
async def test_a_policy_for_everything_of_a_family(api: Api, policy: str, families: set[str]) -> None:
    user = await ram_user(api, system=[policy])

    for version, operation in OPERATIONS:
        if operation.name not in {"DeleteUser", "DetachPolicyFromUser", "DeleteAccessKey"}:  # of the user itself
            refused = await code_of(user, version, operation) == REFUSED
            assert refused is (operation.family not in families), operation.name


async def test_every_user_may_ask_who_it_is(api: Api) -> None:
    user = await ram_user(api, "dashboard", statement("Deny", "*"))

    assert (await user.call("GetCallerIdentity", "2015-04-01"))["IdentityType"] == "RAMUser"


async def test_a_narrow_key_sees_one_contact_and_one_folder(api: Api) -> None:
    contact, other = await api.add_contact(), await api.add_contact(Name="Ann", EmailAddress="ann@example.com")
    folder = await api.create_folder("Mine")
    narrow = await ram_user(
        api,
        "pipeline",
        statement(
            "Allow",
            "resourcemanager:*",
            [resource(f"messagecontact/{contact}"), resource(f"folder/{folder}"), resource("account/*")],
        ),
    )

    await narrow.call("GetMessageContact", ContactId=contact)
    await narrow.call("UpdateMessageContact", ContactId=contact, Title="TechnicalDirector")
    await narrow.call("CreateFolder", FolderName="Below", ParentFolderId=folder)
    member = (await narrow.call("CreateResourceAccount", DisplayName="dev", ParentFolderId=folder))["Account"]
    for action, parameters in [
        ("GetMessageContact", {"ContactId": other}),
        ("GetMessageContact", {"ContactId": "c-doesnotexist0000"}),
        ("GetMessageContact", {"ContactId": f"{contact}x"}),
        ("GetMessageContact", {"ContactId": "c" * 5_000}),
        ("GetMessageContact", {}),
        ("DeleteMessageContact", {"ContactId": other}),
        ("ListMessageContacts", {}),
        ("CreateFolder", {"FolderName": "Beside"}),
        ("GetFolder", {"FolderId": await api.root_folder()}),
        ("MoveAccount", {"AccountId": member["AccountId"], "DestinationFolderId": await api.root_folder()}),
        ("AssociateMembers", {"ContactId": contact, "Members": [folder]}),
    ]:
        _, body = await narrow.error(action, **parameters)
        assert body["Code"] == REFUSED, action
    assert (await api.contact(other))["Title"] == "CEO"


async def test_a_move_needs_permission_for_both_ends(api: Api) -> None:
    folder = await api.create_folder("Mine")
    member = await api.create_member("dev")
    move = "resourcemanager:MoveAccount"
    only_member = await ram_user(api, "one", statement("Allow", move, resource(f"account/{member}")))
    only_folder = await ram_user(api, "two", statement("Allow", move, resource(f"folder/{folder}")))
    both = await ram_user(
        api, "three", statement("Allow", move, [resource(f"account/{member}"), resource(f"folder/{folder}")])
    )

    for user in (only_member, only_folder):
        _, body = await user.error("MoveAccount", AccountId=member, DestinationFolderId=folder)
        assert body["Code"] == REFUSED
    await both.call("MoveAccount", AccountId=member, DestinationFolderId=folder)


#: Operations that take one particular thing for the parameter that names it when that is left out.
IMPLYING = [(version, entry) for version, entry in OPERATIONS if entry.implying]


async def _implied_resource(api: Api, operation: Operation, user_name: str) -> str:
    (target,) = operation.implying
    name = await api.root_folder() if target.implied is Implied.ROOT_FOLDER else user_name
    return resource(f"{target.before}{name}", operation.family)


@pytest.mark.parametrize(("version", "operation"), IMPLYING, ids=lambda value: getattr(value, "name", value))
async def test_what_is_denied_is_not_done_by_leaving_its_name_out(version: str, operation: Operation, api: Api) -> None:
    await api.call("CreateUser", RAM, UserName="aliced")
    named = await _implied_resource(api, operation, "alice")
    alice = await ram_user(
        api, "alice", statement("Allow", "*"), statement("Deny", operation.permission, [named, "acs:*:*:*:user/aliced"])
    )
    (naming,) = operation.implying[0].parameters
    given = {**example(operation), **({"UserAccessKeyId": alice.key_id} if operation.family == "ram" else {})}

    for more in ({}, {naming.name: ""}, {naming.name: named.rpartition("/")[2]}):
        _, body = await alice.error(operation.name, version, **given, **more)
        assert body["Code"] == REFUSED
        assert body["AccessDeniedDetail"]["NoPermissionType"] == "ExplicitDeny"
        sealed = body["AccessDeniedDetail"]["EncodedDiagnosticMessage"]
        decoded = await api.call("DecodeDiagnosticMessage", RAM, EncodedDiagnosticMessage=sealed)
        assert decoded["DecodedDiagnosticMessage"]["AuthResource"] == named
        answer = await api.call(
            "SimulateAccess", "2026-11-01", Operation=operation.name, OperationVersion=version, UserName="alice"
        )
        assert (answer["Reason"], answer["DecidedBy"]["Resource"]) == ("DeniedByPolicy", named)


@pytest.mark.parametrize(("version", "operation"), IMPLYING, ids=lambda value: getattr(value, "name", value))
async def test_what_is_denied_elsewhere_is_done_where_it_is_not(version: str, operation: Operation, api: Api) -> None:
    """Denied on another user, or on another folder; and allowing the one thing is not enough for not naming it."""
    elsewhere = resource(f"{operation.implying[0].before}other", operation.family)
    user = await ram_user(api, "alice", statement("Allow", "*"), statement("Deny", operation.permission, elsewhere))
    assert await code_of(user, version, operation) != REFUSED

    only_this = statement("Allow", operation.permission, await _implied_resource(api, operation, "bob"))
    bob = await ram_user(api, "bob", only_this)
    assert await code_of(bob, version, operation) == REFUSED


#: Operations that name more than their resource, each with one such thing.
NAMING = [(version, entry, target) for version, entry in OPERATIONS for target in entry.naming]
IDS = {"account": "1817610956900001", "folder": "fd-0123456789", "messagecontact": "c-qL4HqKONzOM7wxyz"}


@pytest.mark.parametrize(("version", "operation", "target"), NAMING, ids=lambda value: getattr(value, "name", None))
async def test_what_is_denied_is_not_done_by_an_operation_about_something_else(
    version: str, operation: Operation, target: Target, api: Api
) -> None:
    (parameter,) = target.parameters
    id_ = IDS.get(target.before.rstrip("/"), "other1234")
    given = {**example(operation), parameter.name: [id_] if parameter.kind is Kind.TEXTS else id_}
    named = resource(f"{target.before}{id_}", operation.family)
    everything = statement("Allow", "*")
    kept_out = await ram_user(api, "alice", everything, statement("Deny", operation.permission, named))
    let_in = await ram_user(api, "bob", everything, statement("Deny", operation.permission, f"{named}x"))

    _, body = await kept_out.error(operation.name, version, **given)
    assert (body["Code"], body["AccessDeniedDetail"]["NoPermissionType"]) == (REFUSED, "ExplicitDeny")
    _, answer = await let_in.answer(operation.name, version, **given)
    assert answer.get("Code") != REFUSED
    simulated = await api.call(
        "SimulateAccess",
        "2026-11-01",
        Operation=operation.name,
        OperationVersion=version,
        UserName="alice",
        Resources=[f"{target.before}{id_}"],
    )
    assert simulated["DecidedBy"]["Resource"] == named


async def test_what_is_denied_on_root_is_not_done_where_there_is_no_directory(api: Api) -> None:
    user = await ram_user(
        api, "alice", statement("Allow", "*"), statement("Deny", "*", resource(f"folder/{await api.root_folder()}"))
    )
    await api.call("DestroyResourceDirectory")

    _, body = await user.error("ListFoldersForParent")

    assert body["Code"] == errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY.code


async def test_a_test_of_a_webhook_is_a_test_about_that_webhook(api: Api) -> None:
    send = "messagecontacts:SendTestMessage"
    tested = [
        resource(f"testmessage/{name}", "messagecontacts") for name in ("wh-4fxkpq9tmz2ab7cd", "wh-0000000000000000")
    ]
    kept_out = await ram_user(api, "alice", statement("Allow", "*"), statement("Deny", send, tested[0]))
    narrow = await ram_user(api, "bob", statement("Allow", send, tested[0]))

    async def code(user: Api, **given: str) -> str:
        return str((await user.error("SendTestMessage", "2026-11-01", **given))[1]["Code"])

    assert await code(kept_out, WebhookId="wh-4fxkpq9tmz2ab7cd") == REFUSED
    assert await code(kept_out, WebhookId="wh-0000000000000000") == "EntityNotExists.Webhook"
    assert await code(narrow, WebhookId="wh-4fxkpq9tmz2ab7cd") == "EntityNotExists.Webhook"
    for given in ({}, {"WebhookId": "wh-0000000000000000"}, {"ContactId": "c-qL4HqKONzOM7wxyz", "Channel": "email"}):
        assert await code(narrow, **given) == REFUSED


async def test_what_one_policy_denies_no_other_one_allows(api: Api) -> None:
    contact = await api.add_contact()
    user = await ram_user(api, system=["AdministratorAccess"])
    await add_policy(api, "dashboard", "no-deletion", statement("Deny", "*:Delete*"))

    status, body = await user.error("DeleteMessageContact", ContactId=contact)

    assert status == 403
    assert masked(body) == no_permission(
        await user_id(api),
        "resourcemanager:DeleteMessageContact",
        product="ResourceDirectoryMaster",
        explicit=True,
    )
    assert (await user.contact(contact))["ContactId"] == contact


async def test_the_older_version_of_an_operation_needs_the_same_permission(api: Api) -> None:
    folder = await api.create_folder("Mine")
    user = await ram_user(api, "x", statement("Allow", "resourcemanager:GetFolder", resource(f"folder/{folder}")))

    assert (await user.call("GetFolder", FolderId=folder)) is not None
    assert (await user.call("GetFolder", "2020-03-31", FolderId=folder)) is not None
    for version in ("2022-04-19", "2020-03-31"):
        _, body = await user.error("DeleteFolder", version, FolderId=folder)
        assert body["AccessDeniedDetail"]["AuthAction"] == "resourcemanager:DeleteFolder"


async def test_what_is_given_and_taken_counts_from_the_next_call_on(api: Api) -> None:
    contact = await api.add_contact()
    user = await ram_user(api)

    async def code() -> str:
        _, body = await user.answer("GetMessageContact", ContactId=contact)
        return str(body.get("Code", "OK"))

    async def new_version(*statements: Any) -> None:
        await api.call(
            "CreatePolicyVersion",
            RAM,
            PolicyName="reading",
            PolicyDocument=policy_document(*statements),
            SetAsDefault="true",
        )

    assert await code() == REFUSED
    await add_policy(api, "dashboard", "reading", statement("Allow", "resourcemanager:Get*"))
    assert await code() == "OK"
    await new_version(statement("Allow", "resourcemanager:List*"))
    assert await code() == REFUSED
    await api.call("SetDefaultPolicyVersion", RAM, PolicyName="reading", VersionId="v1")
    assert await code() == "OK"
    await api.call("DetachPolicyFromUser", RAM, PolicyType="Custom", PolicyName="reading", UserName="dashboard")
    assert await code() == REFUSED


@pytest.mark.parametrize(
    ("condition", "peer", "secure", "allowed"),
    [
        ({"IpAddress": {"acs:SourceIp": "203.0.113.0/24"}}, "203.0.113.9", False, True),
        ({"IpAddress": {"acs:SourceIp": "203.0.113.0/24"}}, "198.51.100.1", False, False),
        ({"IpAddress": {"acs:SourceIp": "203.0.113.0/24"}}, "", False, False),
        ({"NotIpAddress": {"acs:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}, "2001:db8::7", False, False),
        ({"Bool": {"acs:SecureTransport": "true"}}, "203.0.113.9", True, True),
        ({"Bool": {"acs:SecureTransport": "true"}}, "203.0.113.9", False, False),
        ({"DateLessThan": {"acs:CurrentTime": "2999-01-01T00:00:00Z"}}, "203.0.113.9", False, True),
        ({"DateLessThan": {"acs:CurrentTime": "2001-01-01T00:00:00Z"}}, "203.0.113.9", False, False),
    ],
)
async def test_conditions_see_where_and_how_a_call_came(
    api: Api, condition: Mapping[str, Any], peer: str, secure: bool, allowed: bool
) -> None:
    user = await ram_user(api, "dashboard", statement("Allow", "*", condition=condition))
    request = signing.v3("GetResourceDirectory", {}, key_id=user.key_id, secret=user.secret, now_ms=user.clock.now())
    headers = [(name.encode(), value.encode()) for name, value in request.headers]

    response = await user.service.gateway.handle(
        request.method, request.target, headers, request.body, peer, secure=secure
    )

    assert (response.status == 200) is allowed


async def test_a_permission_ends_at_its_moment(api: Api) -> None:
    end = signing.timestamp(api.clock.now() + 60_000)
    user = await ram_user(api, "guest", statement("Allow", "*", condition={"DateLessThan": {"acs:CurrentTime": end}}))

    await user.call("GetResourceDirectory")
    api.clock.advance(60)
    _, body = await user.error("GetResourceDirectory")

    assert body["Code"] == REFUSED


async def test_permission_comes_before_directory_and_parameters(api: Api) -> None:
    """A caller that may not do something learns nothing about what is there."""
    user = await ram_user(api)
    await api.call("DestroyResourceDirectory")

    for parameters in ({}, {"ContactId": "not an id"}, {"ContactId": "c-aaaaaaaaaaaaaaaa"}):
        _, body = await user.error("GetMessageContact", **parameters)
        assert body["Code"] == REFUSED
    await add_policy(api, "dashboard", "reading", statement("Allow", "*"))
    _, body = await user.error("GetMessageContact", ContactId="not an id")
    assert body["Code"] == errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY.code


async def test_a_refused_change_writes_nothing_and_may_be_repeated_later(api: Api) -> None:
    user = await ram_user(api)
    contact = {"Name": "Tom", "EmailAddress": "t@example.com", "Title": "CEO", "MessageTypes": ["SecurityMessage"]}

    _, body = await user.error("AddMessageContact", **contact)
    assert body["Code"] == REFUSED
    assert (await api.call("ListMessageContacts"))["Contacts"] == []
    await add_policy(api, "dashboard", "adding", statement("Allow", "resourcemanager:Add*"))
    await user.call("AddMessageContact", **contact)


async def test_a_refusal_in_xml(api: Api) -> None:
    user = await ram_user(api)
    request = signing.v1(
        "GetMessageContact", {}, key_id=user.key_id, secret=user.secret, now_ms=user.clock.now(), response_format="XML"
    )

    response = await user.send(request)

    text = response.body.decode()
    request_id = REQUEST_ID.search(text)
    assert request_id is not None
    text = re.sub(r"(<EncodedDiagnosticMessage>)[A-Za-z0-9+/=]{200,}<", r"\1sealed<", text.replace(request_id[0], "R"))
    assert response.status == 403
    assert text == (
        '<?xml version="1.0" encoding="UTF-8"?><Error><RequestId>R</RequestId><HostId>contacts.test</HostId>'
        "<Code>NoPermission</Code><Message>You are not authorized to perform this operation.</Message>"
        "<Recommend>https://api.aliyun.com/troubleshoot?q=NoPermission&amp;product=ResourceDirectoryMaster"
        "&amp;requestId=R</Recommend>"
        "<AccessDeniedDetail><AuthAction>resourcemanager:GetMessageContact</AuthAction>"
        f"<AuthPrincipalDisplayName>{await user_id(api)}</AuthPrincipalDisplayName>"
        f"<AuthPrincipalOwnerId>{ACCOUNT_ID}</AuthPrincipalOwnerId><AuthPrincipalType>SubUser</AuthPrincipalType>"
        "<EncodedDiagnosticMessage>sealed</EncodedDiagnosticMessage><NoPermissionType>ImplicitDeny</NoPermissionType>"
        "<PolicyType>AccountLevelIdentityBasedPolicy</PolicyType></AccessDeniedDetail></Error>"
    )


async def test_a_refusal_of_the_older_signature_in_json(api: Api) -> None:
    user = await ram_user(api)
    request = signing.v1("GetMessageContact", {}, key_id=user.key_id, secret=user.secret, now_ms=user.clock.now())

    response = await user.send(request)

    assert response.status == 403
    assert masked(orjson.loads(response.body)) == no_permission(
        await user_id(api), "resourcemanager:GetMessageContact", product="ResourceDirectoryMaster"
    )


async def test_who_manages_the_account_reads_why_a_call_was_refused(api: Api) -> None:
    user = await ram_user(
        api, "dashboard", statement("Allow", "*"), statement("Deny", "*:Get*", resource("messagecontact/*"))
    )
    sealed = (await user.error("GetMessageContact"))[1]["AccessDeniedDetail"]["EncodedDiagnosticMessage"]

    decoded = await api.call("DecodeDiagnosticMessage", RAM, EncodedDiagnosticMessage=sealed)

    assert decoded == {
        "DecodedDiagnosticMessage": {
            "AuthAction": "resourcemanager:GetMessageContact",
            "AuthResource": resource("messagecontact/*"),
            "AuthPrincipal": {
                "AuthPrincipalType": "SubUser",
                "AuthPrincipalOwnerId": ACCOUNT_ID,
                "AuthPrincipalDisplayName": await user_id(api),
            },
            "AuthConditions": [
                {"ConditionKey": "acs:SourceIp", "ConditionValues": ["203.0.113.9"]},
                {"ConditionKey": "acs:CurrentTime", "ConditionValues": [signing.timestamp(api.clock.now())]},
                {"ConditionKey": "acs:SecureTransport", "ConditionValues": ["false"]},
            ],
            "ExplicitDeny": True,
            "MatchedPolicies": [
                {
                    "PolicyIdentifier": "dashboard-policy",
                    "PolicyType": "Custom",
                    "PolicyVersion": "v1",
                    "Effect": "Deny",
                }
            ],
            "NoPermissionPolicyType": "AccountLevelIdentityBasedPolicy",
        }
    }


async def test_nobody_reads_why_a_call_of_another_account_was_refused(api: Api) -> None:
    user = await ram_user(api)
    other = await api.other_tenant()
    sealed = (await user.error("GetMessageContact"))[1]["AccessDeniedDetail"]["EncodedDiagnosticMessage"]

    for message in (sealed, "AQAA", "no base64", "A" * 20_000):
        status, body = await other.error("DecodeDiagnosticMessage", RAM, EncodedDiagnosticMessage=message)
        assert (status, body["Code"]) == (400, "InvalidEncodedDiagnosticMessage")


async def test_a_key_whose_user_is_gone_is_nobodys(api: Api) -> None:
    """It goes with its user; should one be left, it opens nothing."""
    user = await ram_user(api)
    known = user.service.gateway.keys
    key = await known.find(user.key_id)
    assert key is not None
    await api.call("DeleteAccessKey", RAM, UserName="dashboard", UserAccessKeyId=user.key_id)
    await api.call("DeleteUser", RAM, UserName="dashboard")

    class Remembering:
        async def find(self, _access_key_id: str) -> object:
            return key

    object.__setattr__(user.service.gateway, "keys", Remembering())
    try:
        status, body = await user.error("GetMessageContact")
    finally:
        object.__setattr__(user.service.gateway, "keys", known)
    assert (status, body["Code"]) == (404, "InvalidAccessKeyId.NotFound")


async def test_who_may_give_away_the_accounts_policies_may_not_give_away_the_programs(api: Api) -> None:
    user = await ram_user(api, "delegate", statement("Allow", "ram:*", f"acs:ram:*:{ACCOUNT_ID}:*"))
    await api.call(
        "CreatePolicy", RAM, PolicyName="reading", PolicyDocument=policy_document(statement("Allow", "*:Get*"))
    )

    await user.call("AttachPolicyToUser", RAM, PolicyType="Custom", PolicyName="reading", UserName="delegate")
    _, body = await user.error(
        "AttachPolicyToUser", RAM, PolicyType="System", PolicyName="AdministratorAccess", UserName="delegate"
    )

    assert body["Code"] == REFUSED
