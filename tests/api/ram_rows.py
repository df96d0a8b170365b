"""How each row of RAM's error tables is provoked: (operation, code) -> a call refused with it.

Every row starts from a tenant with one user, `dashboard`, that has a key and the policy `read-contacts`, and with a
policy `spare` of two versions that nobody has. Calls about what is missing or malformed are made of a call that
succeeds; the others are declared one by one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from message_contacts.access import custom_policies, ram_errors, users
from message_contacts.changes import Change, CountUp, Delete, Insert
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import RAM, STS, Operation
from tests.harness import ACCOUNT_ID, Api
from tests.unit.access.ram_values import make_attachment

USER = "dashboard"
POLICY = "read-contacts"
SPARE = "spare"
DOCUMENT = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "resourcemanager:Get*", "Resource": "*"}]}'

Refusal = tuple[int, dict[str, Any]]
Provocation = Callable[[Api], Awaitable[Refusal]]

DECLARED: Mapping[str, Operation] = {
    operation.name: operation for version, operation in REGISTRY.all() if version in (RAM, STS)
}


async def prepare(api: Api) -> str:
    """The tenant that every row starts from; returns the id of the user's key."""
    await api.call("CreateUser", RAM, UserName=USER)
    await api.call("CreatePolicy", RAM, PolicyName=POLICY, PolicyDocument=DOCUMENT)
    await api.call("CreatePolicy", RAM, PolicyName=SPARE, PolicyDocument=DOCUMENT)
    await api.call("CreatePolicyVersion", RAM, PolicyName=SPARE, PolicyDocument=DOCUMENT)
    await api.call("AttachPolicyToUser", RAM, PolicyName=POLICY, PolicyType="Custom", UserName=USER)
    key_id: str = (await api.call("CreateAccessKey", RAM, UserName=USER))["AccessKey"]["AccessKeyId"]
    return key_id


_CUSTOM = {"PolicyName": POLICY, "PolicyType": "Custom"}
_SPARE = {"PolicyName": SPARE, "PolicyType": "Custom"}

#: A call of each operation that gets past all checks of its parameters; `{key}` stands for the id of the user's key.
VALID: Mapping[str, Mapping[str, Any]] = {
    "CreateUser": {"UserName": "pipeline"},
    "GetUser": {"UserName": USER},
    "UpdateUser": {"UserName": USER},
    "ListUsers": {},
    "DeleteUser": {"UserName": USER},
    "ListGroupsForUser": {"UserName": USER},
    "DeleteLoginProfile": {"UserName": USER},
    "UnbindMFADevice": {"UserName": USER},
    "CreateAccessKey": {"UserName": USER},
    "ListAccessKeys": {"UserName": USER},
    "UpdateAccessKey": {"UserName": USER, "UserAccessKeyId": "{key}", "Status": "Inactive"},
    "DeleteAccessKey": {"UserName": USER, "UserAccessKeyId": "{key}"},
    "GetAccessKeyLastUsed": {"UserName": USER, "UserAccessKeyId": "{key}"},
    "CreatePolicy": {"PolicyName": "other", "PolicyDocument": DOCUMENT},
    "GetPolicy": _CUSTOM,
    "ListPolicies": {},
    "UpdatePolicyDescription": {"PolicyName": POLICY},
    "DeletePolicy": {"PolicyName": POLICY},
    "CreatePolicyVersion": {"PolicyName": POLICY, "PolicyDocument": DOCUMENT},
    "GetPolicyVersion": {**_SPARE, "VersionId": "v2"},
    "ListPolicyVersions": _SPARE,
    "SetDefaultPolicyVersion": {"PolicyName": SPARE, "VersionId": "v2"},
    "DeletePolicyVersion": {"PolicyName": SPARE, "VersionId": "v2"},
    "AttachPolicyToUser": {**_SPARE, "UserName": USER},
    "DetachPolicyFromUser": {**_CUSTOM, "UserName": USER},
    "ListPoliciesForUser": {"UserName": USER},
    "ListEntitiesForPolicy": _CUSTOM,
    "GetCallerIdentity": {},
    "DecodeDiagnosticMessage": {"EncodedDiagnosticMessage": "made up"},
}

#: A value that a code refuses, by the parameter.
_REFUSED: Mapping[str, tuple[str, Any]] = {
    "InvalidParameter.UserName.InvalidChars": ("UserName", "dash board"),
    "InvalidParameter.UserName.Length": ("UserName", "a" * 65),
    "InvalidParameter.DisplayName.InvalidChars": ("DisplayName", "two\nlines"),
    "InvalidParameter.DisplayName.Length": ("DisplayName", "a" * 129),
    "InvalidParameter.MobilePhone.Format": ("MobilePhone", "13900001234"),
    "InvalidParameter.Email.Format": ("Email", "alice"),
    "InvalidComments": ("Comments", "nothing\0"),
    "InvalidParameter.Comments.Length": ("Comments", "a" * 129),
    "InvalidParameter.NewUserName.InvalidChars": ("NewUserName", "用户"),
    "InvalidParameter.NewUserName.Length": ("NewUserName", "a" * 65),
    "InvalidParameter.NewDisplayName.InvalidChars": ("NewDisplayName", "\t"),
    "InvalidParameter.NewDisplayName.Length": ("NewDisplayName", "a" * 129),
    "InvalidParameter.NewMobilePhone.Format": ("NewMobilePhone", "+86-13900001234"),
    "InvalidParameter.NewEmail.Format": ("NewEmail", "@example.com"),
    "InvalidNewComments": ("NewComments", "nothing\0"),
    "InvalidParameter.NewComments.Length": ("NewComments", "a" * 129),
    "InvalidParameter.PolicyName.InvalidChars": ("PolicyName", "read_contacts"),
    "InvalidParameter.PolicyName.Length": ("PolicyName", "a" * 129),
    "InvalidParameter.PolicyType": ("PolicyType", "custom"),
    "InvalidParameter.PolicyDocument.Length": ("PolicyDocument", DOCUMENT + " " * 6144),
    "MalformedPolicyDocument": ("PolicyDocument", "{"),
    "InvalidDescription": ("Description", "nothing\0"),
    "InvalidParameter.Description.Length": ("Description", "a" * 1025),
    "InvalidNewDescription": ("NewDescription", "nothing\0"),
    "InvalidParameter.NewDescription.Length": ("NewDescription", "a" * 1025),
    "InvalidParameter.VersionId.Format": ("VersionId", "2"),
    "InvalidStatus": ("Status", "active"),
    "InvalidMarker": ("Marker", "\u00e9"),
    "InvalidMaxItems": ("MaxItems", "1001"),
    "InvalidSetAsDefault": ("SetAsDefault", "yes"),
    "InvalidRotateStrategy": ("RotateStrategy", "DeleteAll"),
    "InvalidCascadingDelete": ("CascadingDelete", "1"),
    "InvalidResourceGroupId": ("ResourceGroupId", "rg-acfmxyz"),
    "InvalidTag": ("Tag", [{"Key": "team", "Value": "data"}]),
}

_NO_USER = {"UserName": "nobody"}
_NO_POLICY = {"PolicyName": "nothing"}

#: What the other rows change in the call that succeeds.
_CHANGED: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "CreateUser": {"EntityAlreadyExists.User": {"UserName": USER}},
    "GetUser": {"EntityNotExist.User": _NO_USER},
    "UpdateUser": {"EntityNotExist.User": _NO_USER},
    "DeleteUser": {"EntityNotExist.User": _NO_USER, "DeleteConflict.User.AccessKey": {}},
    "ListGroupsForUser": {"EntityNotExist.User": _NO_USER},
    "DeleteLoginProfile": {"EntityNotExist.User": _NO_USER, "EntityNotExist.User.LoginProfile": {}},
    "UnbindMFADevice": {"EntityNotExist.User": _NO_USER, "EntityNotExist.User.MFADevice": {}},
    "CreateAccessKey": {"EntityNotExist.User": _NO_USER},
    "ListAccessKeys": {"EntityNotExist.User": _NO_USER},
    "UpdateAccessKey": {
        "EntityNotExist.User": _NO_USER,
        "EntityNotExist.User.AccessKey": {"UserAccessKeyId": "MCnobodys"},
    },
    "DeleteAccessKey": {
        "EntityNotExist.User": _NO_USER,
        "EntityNotExist.User.AccessKey": {"UserName": None},  # then it would have to be a key of the account itself
    },
    "GetAccessKeyLastUsed": {
        "EntityNotExist.User": _NO_USER,
        "EntityNotExist.User.AccessKey": {"UserAccessKeyId": "MCnobodys"},
    },
    "CreatePolicy": {"EntityAlreadyExists.Policy": {"PolicyName": POLICY}},
    "GetPolicy": {"EntityNotExist.Policy": {"PolicyType": "System"}},
    "UpdatePolicyDescription": {"EntityNotExist.Policy": _NO_POLICY},
    "DeletePolicy": {
        "EntityNotExist.Policy": {"PolicyName": "AdministratorAccess"},
        "DeleteConflict.Policy.User": {"CascadingDelete": "true"},
        "DeleteConflict.Policy.Version": {"PolicyName": SPARE},
    },
    "CreatePolicyVersion": {"EntityNotExist.Policy": _NO_POLICY},
    "GetPolicyVersion": {
        "EntityNotExist.Policy": _NO_POLICY,
        "EntityNotExist.Policy.Version": {"PolicyName": "ReadOnlyAccess", "PolicyType": "System"},
    },
    "ListPolicyVersions": {"EntityNotExist.Policy": _NO_POLICY},
    "SetDefaultPolicyVersion": {
        "EntityNotExist.Policy": _NO_POLICY,
        "EntityNotExist.Policy.Version": {"VersionId": "v3"},
    },
    "DeletePolicyVersion": {
        "EntityNotExist.Policy": _NO_POLICY,
        "EntityNotExist.Policy.Version": {"VersionId": "v3"},
        "DeleteConflict.Policy.Version.Default": {"VersionId": "v1"},
    },
    "AttachPolicyToUser": {
        "EntityNotExist.User": _NO_USER,
        "EntityNotExist.Policy": {"PolicyName": "ReadOnlyAccess"},
        "EntityAlreadyExists.User.Policy": {"PolicyName": POLICY},
    },
    "DetachPolicyFromUser": {
        "EntityNotExist.User": _NO_USER,
        "EntityNotExist.Policy": _NO_POLICY,
        "EntityNotExist.User.Policy": {"PolicyName": SPARE},
    },
    "ListPoliciesForUser": {"EntityNotExist.User": _NO_USER},
    "ListEntitiesForPolicy": {"EntityNotExist.Policy": _NO_POLICY},
    "DecodeDiagnosticMessage": {"InvalidEncodedDiagnosticMessage": {}},
}


def parameters_of(operation: str, key_id: str) -> dict[str, Any]:
    """The call of that operation that succeeds."""
    return {name: key_id if value == "{key}" else value for name, value in VALID[operation].items()}


def _calling(operation: str, changed: Mapping[str, Any]) -> Provocation:
    async def provoke(api: Api) -> Refusal:
        key_id = await prepare(api)
        return await api.error(operation, DECLARED[operation].versions[0], **parameters_of(operation, key_id) | changed)

    return provoke


def _rows() -> dict[tuple[str, str], Provocation]:
    rows: dict[tuple[str, str], Provocation] = {}
    for name, operation in DECLARED.items():
        for parameter in operation.parameters:
            if parameter.required:
                rows[name, parameter.missing_error.code] = _calling(name, {parameter.name: ""})
        for error in operation.errors:
            if error.code in _REFUSED:
                parameter_name, value = _REFUSED[error.code]
                rows[name, error.code] = _calling(name, {parameter_name: value})
        for code, changed in _CHANGED.get(name, {}).items():
            rows[name, code] = _calling(name, changed)
    return rows


ROWS = _rows()


def row(operation: str, code: str) -> Callable[[Provocation], Provocation]:
    """Register the decorated function as the way to provoke a row."""

    def register(provocation: Provocation) -> Provocation:
        if (operation, code) in ROWS:
            raise ValueError(f"{operation} has two ways to provoke {code}")
        ROWS[operation, code] = provocation
        return provocation

    return register


async def _commit(api: Api, *changes: Change) -> None:
    await api.service.storage.committer.commit(changes, None)


def _counted(counter: str, times: int) -> list[Change]:
    return [CountUp(ACCOUNT_ID, counter, "", times, ram_errors.LIMIT_EXCEEDED_USER) for _ in range(times)]


@row("CreateUser", "LimitExceeded.User")
async def create_a_user_too_many(api: Api) -> Refusal:
    await _commit(api, *_counted(users.USERS, users.MOST_USERS))
    return await api.error("CreateUser", RAM, UserName="pipeline")


@row("UpdateUser", "EntityAlreadyExists.User")
async def take_another_users_name(api: Api) -> Refusal:
    await prepare(api)
    await api.call("CreateUser", RAM, UserName="pipeline")
    return await api.error("UpdateUser", RAM, UserName="pipeline", NewUserName=USER)


@row("DeleteUser", "DeleteConflict.User.Policy")
async def delete_a_user_that_has_a_policy(api: Api) -> Refusal:
    key_id = await prepare(api)
    await api.call("DeleteAccessKey", RAM, UserName=USER, UserAccessKeyId=key_id)
    return await api.error("DeleteUser", RAM, UserName=USER)


@row("CreateAccessKey", "LimitExceeded.User.AccessKey")
async def make_a_third_key(api: Api) -> Refusal:
    await prepare(api)
    await api.call("CreateAccessKey", RAM, UserName=USER)
    return await api.error("CreateAccessKey", RAM, UserName=USER)


@row("CreatePolicy", "LimitExceeded.Policy")
async def create_a_policy_too_many(api: Api) -> Refusal:
    await _commit(api, *_counted(custom_policies.POLICIES, custom_policies.MOST_POLICIES))
    return await api.error("CreatePolicy", RAM, PolicyName="other", PolicyDocument=DOCUMENT)


@row("CreatePolicyVersion", "LimitExceeded.Policy.Version")
async def make_a_sixth_version(api: Api) -> Refusal:
    await prepare(api)
    for _ in range(3):
        await api.call("CreatePolicyVersion", RAM, PolicyName=SPARE, PolicyDocument=DOCUMENT)
    return await api.error("CreatePolicyVersion", RAM, PolicyName=SPARE, PolicyDocument=DOCUMENT)


@row("AttachPolicyToUser", "LimitExceeded.User.Policy")
async def attach_an_eleventh_policy(api: Api) -> Refusal:
    await prepare(api)
    user = await api.service.storage.ram.user_by_name(ACCOUNT_ID, USER)
    assert user is not None
    others = [make_attachment(f"p{number}", account_id=ACCOUNT_ID, user_id=user.user_id) for number in range(9)]
    await _commit(api, *map(Insert, others))
    return await api.error("AttachPolicyToUser", RAM, PolicyName=SPARE, PolicyType="Custom", UserName=USER)


@row("GetCallerIdentity", "EntityNotExist.User")
async def ask_with_a_key_whose_user_has_vanished(api: Api) -> Refusal:
    """No call can bring this about: a user with a key is not deleted."""
    await api.call("CreateUser", RAM, UserName=USER)
    caller = await api.as_user(USER)
    user = await api.service.storage.ram.user_by_name(ACCOUNT_ID, USER)
    await _commit(api, Delete(user))
    return await caller.error("GetCallerIdentity", STS)
