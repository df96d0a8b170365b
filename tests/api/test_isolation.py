"""Every operation of every version, asked with every kind of id of another tenant: it finds nothing.

For each parameter that takes text, the answer about what another tenant owns has to be the answer about what nobody
owns, to the letter; nothing private may stand in it; and the other tenant's rows stay as they were.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from message_contacts.delivery import fallback
from message_contacts.ids import RandomIds
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import Kind, Operation, Parameter
from message_contacts.storage import migrate
from message_contacts.webhooks import webhook_errors
from tests.api.tenant_world import Tenant, rows_of, settle
from tests.harness import open_api

#: Of each kind of id: one of the same form that nobody owns.
NOBODYS = {
    "user": "user-z",
    "user id": "299999999999999999",
    "user without anything": "leaver-z",
    "user's key": "MCyyyyyyyyyyyyyyyyyyyyyy",
    "policy": "policy-z",
    "policy without users": "spare-z",
    "directory": "rd-zzzzzz",
    "root folder": "r-zzzzzz",
    "folder": "fd-zzzzzzzzzz",
    "other folder": "fd-zzzzzzzzzy",
    "empty folder": "fd-zzzzzzzzzx",
    "member": "1999999999999998",
    "deleted member": "1999999999999997",
    "account": "1999999999999999",
    "contact": "c-zzzzzzzzzzzzzzzz",
    "contact without phone": "c-zzzzzzzzzzzzzzzy",
    "detached contact": "dc-zzzzzzzzzzzzzzzz",
    "failed job": "j-019aa8a55980ffffffffffff",
    "address": "tom@z.example.com",
    "waiting address": "new-tom@z.example.com",
    "phone": "86-13900009999",
    "blocked address": "no@z.example.com",
    "message": "m-019aa8a55980ffffffffffff",
    "client token": "client-z",
    "delivery": "d-019aa8a55980ffffffffffff000001",
    "incident": "i-019aa8a55980ffffffffffff",
    "hand-over": "h-019aa8a55980ffffffffffff",
    "fallback address": "duty@z.example.com",
    "webhook": "wh-zzzzzzzzzzzzzzzz",
    "access key": "MCzzzzzzzzzzzzzzzzzzzzzz",
}
#: What the caller gives for a parameter that is not the one under test: something of its own, by kind.
OWN = {
    "AccountId": "member",
    "Address": "address",
    "ChildId": "member",
    "ContactId": "contact",
    "DeliveryId": "delivery",
    "DestinationFolderId": "other folder",
    "DetachedContactId": "detached contact",
    "EmailAddress": "address",
    "FolderId": "folder",
    "HandOverId": "hand-over",
    "IncidentId": "incident",
    "JobId": "failed job",
    "Member": "folder",
    "MessageId": "message",
    "Node": "folder",
    "EncodedDiagnosticMessage": "diagnostic message",
    "ParentFolderId": "root folder",
    "PolicyName": "policy",
    "ResourceId": "folder",
    "UserAccessKeyId": "user's key",
    "UserName": "user",
    "WebhookId": "webhook",
}
CALLS = [pytest.param(version, operation, id=f"{operation.name}-{version}") for version, operation in REGISTRY.all()]


#: The same for one operation, or for something that need not be given.
OWN_FOR: Mapping[str, Mapping[str, str]] = {
    "AttachPolicyToUser": {"PolicyName": "policy without users"},
    "DeleteAccessKey": {"UserName": "user"},
    "DeleteFolder": {"FolderId": "empty folder"},
    "DeletePolicy": {"PolicyName": "policy without users"},
    "DeleteUser": {"UserName": "user without anything"},
    "GetAccessKeyLastUsed": {"UserName": "user"},
    "GetAccountDeletionStatus": {"AccountId": "deleted member"},
    "UpdateAccessKey": {"UserName": "user"},
    "ExplainDelivery": {"Target": "folder", "ContactId": "contact"},
    "ListEffectiveContacts": {"Member": "member"},
    "PreviewChange": {"ContactId": "contact"},
    "SendTestMessage": {"ContactId": "contact"},
    "SimulateAccess": {"UserName": "user"},
    "DeleteVerificationBlock": {"Target": "blocked address"},
    "SendEmailVerificationForMessageContact": {"EmailAddress": "waiting address"},
    "SendPhoneVerificationForMessageContact": {"PhoneNumber": "phone"},
}
#: Values that an example does not show or that the examples hide behind asterisks.
GIVEN: Mapping[str, Mapping[str, Any]] = {
    "AttachPolicyToUser": {"PolicyType": "Custom"},
    "CreatePolicy": {"PolicyName": "new"},
    "CreateUser": {"UserName": "new"},
    "CreateWebhook": {"Url": "https://oapi.dingtalk.com/robot/send?access_token=one"},
    "DeletePolicy": {"CascadingDelete": "true"},
    "DeletePolicyVersion": {"VersionId": "v2"},
    "DetachPolicyFromUser": {"PolicyType": "Custom"},
    "ExplainDelivery": {"MessageType": "SecurityMessage"},
    "GetPolicy": {"PolicyType": "Custom"},
    "GetPolicyVersion": {"PolicyType": "Custom"},
    "ListEntitiesForPolicy": {"PolicyType": "Custom"},
    "ListPolicyVersions": {"PolicyType": "Custom"},
    "PreviewChange": {"Change": "DeleteContact"},
    "SendTestMessage": {"Channel": "email"},
    "TagResources": {"ResourceType": "Folder"},
    "UntagResources": {"ResourceType": "Folder", "TagKey": ["k"]},
    "UpdateAccount": {"NewDisplayName": "renamed"},
}
#: What may be wrong with the call about the own things: never that they do not exist.
FINE: Mapping[str, tuple[str, ...]] = {
    "ConfirmFallbackAddress": (fallback.CODE_REFUSED.code,),
    "ConfirmWebhook": (webhook_errors.INVALID_CODE.code,),
    "DestroyResourceDirectory": ("DeleteConflict.ResourceDirectory.Account",),
    "EnableResourceDirectory": ("EntityAlreadyExists.ResourceDirectory",),
    "InitResourceDirectory": ("EntityAlreadyExists.ResourceDirectory",),
    "DeleteLoginProfile": ("EntityNotExist.User.LoginProfile",),
    "RemoveCloudAccount": ("AccountTypeOrStatusMismatch",),
    "UnbindMFADevice": ("EntityNotExist.User.MFADevice",),
}
#: These name something new: any text is as good as another, whoever else has it.
NEW_NAMES = {"AccountNamePrefix", "DisplayName", "FolderName", "Name", "NewDisplayName", "NewUserName"}
#: The same of one operation.
NAMED_ANEW = {"CreatePolicy": {"PolicyName"}, "CreateUser": {"UserName"}}
#: Of these the first one stays, so that answers go on showing what the caller itself gave with an earlier call.
KEPT = {"Note"}
#: What else is given, by kind or as it is, when a parameter is tested that goes only with something else; None: left
#: out.
BESIDE: Mapping[str, Mapping[str, Mapping[str, str | None]]] = {
    # A member that is there can be deleted only once, and the answers to two calls are compared.
    "DeleteAccount": {"AbandonableCheckId": {"AccountId": "deleted member"}},
    "ExplainDelivery": {"MessageId": {"Target": None, "MessageType": None}, "Address": {"ContactId": None}},
    "ListEffectiveContacts": {"Folder": {"Member": None}},
    "PreviewChange": {
        "AccountId": {"Change": "RemoveMember", "ContactId": None},
        "DestinationFolderId": {"Change": "MoveMember", "AccountId": "member", "ContactId": None},
        "DetachedContactId": {"Change": "DeleteCopy", "ContactId": None},
        "Members": {"Change": "Unbind"},
    },
    "SendTestMessage": {"WebhookId": {"ContactId": None, "Channel": None}},
    "SimulateAccess": {"UserAccessKeyId": {"UserName": None}},
}


def arguments(operation: Operation, own: Mapping[str, str]) -> dict[str, Any]:
    """What makes a call of this operation get as far as it can: the caller's own things, else the examples."""
    given: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.name in OWN and parameter.required:
            given[parameter.name] = own[OWN[parameter.name]]
        elif parameter.name == "Targets":
            given[parameter.name] = [own["folder"]]
        elif parameter.name == "Members" and operation.name != "PreviewChange":
            given[parameter.name] = [own["other folder"]]
        elif parameter.required:
            given[parameter.name] = parameter.example
    of_its_own = {name: own[kind] for name, kind in OWN_FOR.get(operation.name, {}).items()}
    return {**given, **of_its_own, **GIVEN.get(operation.name, {})}


def beside(operation: Operation, parameter: Parameter, own: Mapping[str, str]) -> dict[str, Any]:
    """What goes with a parameter that is tested."""
    given = BESIDE.get(operation.name, {}).get(parameter.name, {})
    return {name: value and own.get(value, value) for name, value in given.items()}


def nobodys(kind: str, theirs: str) -> str:
    """An id of that kind that nobody owns."""
    return theirs[-5::-1] + theirs[-4:] if kind == "diagnostic message" else NOBODYS[kind]


def with_id(parameter: Parameter, value: str) -> Any:
    """The value in the form that the parameter takes."""
    return [value] if parameter.kind is Kind.TEXTS else value


async def asked(tenant: Tenant, operation: Operation, version: str, given: Mapping[str, Any], word: str) -> Any:
    """Status and body, without what differs from call to call and without the word that was asked with."""
    status, body = await tenant.api.answer(operation.name, version, **given)
    if status == 200:
        private = repr(body).replace(word, "")
        return status, sorted(body), private
    return status, body["Code"], body["Message"].replace(word, "")


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tenant, Tenant]:
    """Two tenants, settled once; each test goes on from a copy of their database."""
    path = tmp_path_factory.mktemp("settled") / "contacts.db"
    migrate(f"sqlite:///{path}")

    async def build() -> tuple[Tenant, Tenant]:
        async with open_api(path) as api:
            return await settle(api, "a"), await settle(await api.other_tenant(), "b")

    caller, other = asyncio.run(build())
    return path, caller, other


@pytest.fixture
async def tenants(settled: tuple[Path, Tenant, Tenant], database_path: Path) -> AsyncIterator[tuple[Tenant, Tenant]]:
    """The two tenants on a service of this test's own."""
    path, *both = settled
    shutil.copyfile(path, database_path)
    async with open_api(database_path, ids=RandomIds()) as api:
        caller, other = (
            replace(tenant, api=replace(tenant.api, service=api.service, clock=api.clock)) for tenant in both
        )
        yield caller, other


@pytest.mark.parametrize(("version", "operation"), CALLS)
async def test_another_tenants_ids_are_nobodys(
    version: str, operation: Operation, tenants: tuple[Tenant, Tenant], database_path: Path
) -> None:
    caller, other = tenants
    before = rows_of(database_path, other.api.account_id)
    naming = NEW_NAMES | NAMED_ANEW.get(operation.name, set())
    new_names = map("".join, product("abcdefgh", repeat=6))

    def base() -> dict[str, Any]:
        """The call's other parameters; what it may create is new each time."""
        given = arguments(operation, caller.ids)
        return {**given, **{name: next(new_names) for name in naming & set(given)}}

    for parameter in operation.parameters:
        if parameter.kind not in (Kind.TEXT, Kind.TEXTS) or parameter.choices:
            continue
        for kind, word in other.ids.items():
            theirs, nothing = [
                await asked(
                    caller,
                    operation,
                    version,
                    {**base(), **beside(operation, parameter, caller.ids), parameter.name: with_id(parameter, given)},
                    given,
                )
                for given in (word, nobodys(kind, word))
            ]

            if parameter.name not in naming:
                assert theirs[:2] == nothing[:2], (parameter.name, kind)
                assert theirs[0] == 200 or theirs == nothing, (parameter.name, kind)
            if parameter.name not in KEPT:
                assert not [secret for secret in other.private if secret != word and secret in theirs[2]]

    assert rows_of(database_path, other.api.account_id) == before


@pytest.mark.parametrize(("version", "operation"), CALLS)
async def test_the_same_call_about_ones_own_gets_further(
    version: str, operation: Operation, tenants: tuple[Tenant, Tenant]
) -> None:
    """Else the test above would compare two refusals that have nothing to do with the id."""
    caller, _ = tenants

    status, body = await caller.api.answer(operation.name, version, **arguments(operation, caller.ids))

    assert status == 200 or body["Code"] in FINE.get(operation.name, ()), body
