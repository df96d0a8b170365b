"""Versions of policies. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.access import custom_policies, ram_errors
from message_contacts.access.model import PolicyType
from message_contacts.operations import ram_parameters as given
from message_contacts.operations.call import Call
from message_contacts.operations.ram_fields import POLICY_VERSION_FIELDS, shown_version
from message_contacts.operations.ram_parameters import POLICY_RESOURCE, SOURCE, VERSIONS, table
from message_contacts.operations.ram_policies import existing_versions, policy_state
from message_contacts.operations.registry import Access, Items, Operation, operation

_CREATE = (
    given.POLICY_NAME.needed(),
    given.POLICY_DOCUMENT.needed(),
    given.SET_AS_DEFAULT,
    given.ROTATE_STRATEGY,
)
_ONE_POLICY = (given.POLICY_NAME.needed(), given.POLICY_TYPE.needed())
_ONE_VERSION = (*_ONE_POLICY, given.VERSION_ID.needed())
_OWN_VERSION = (given.POLICY_NAME.needed(), given.VERSION_ID.needed())


@operation(
    "CreatePolicyVersion",
    access=Access.WRITE,
    doc="Adds a version to a policy of the account; a policy has at most five.",
    source=SOURCE,
    parameters=_CREATE,
    raises=table(_CREATE, ram_errors.ENTITY_NOT_EXIST_POLICY, ram_errors.LIMIT_EXCEEDED_POLICY_VERSION),
    returns={"PolicyVersion": POLICY_VERSION_FIELDS},
    resources=[POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def create_policy_version(
    call: Call, *, policy_name: str, policy_document: str, set_as_default: bool, rotate_strategy: bool | None
) -> Mapping[str, Any]:
    version = await call.change(
        lambda: policy_state(call, policy_name),
        lambda state: custom_policies.add_version(
            state, policy_document, call.now, in_force=set_as_default, rotate=bool(rotate_strategy)
        ),
    )
    return {"PolicyVersion": shown_version(version, in_force=set_as_default)}


@operation(
    "GetPolicyVersion",
    access=Access.READ,
    doc="Shows a version of a policy.",
    source=SOURCE,
    parameters=_ONE_VERSION,
    raises=table(_ONE_VERSION, ram_errors.ENTITY_NOT_EXIST_POLICY, ram_errors.ENTITY_NOT_EXIST_POLICY_VERSION),
    returns={"PolicyVersion": POLICY_VERSION_FIELDS},
    resources=[POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def get_policy_version(
    call: Call, *, policy_name: str, policy_type: PolicyType, version_id: str
) -> Mapping[str, Any]:
    _, versions = await existing_versions(call, policy_type, policy_name)
    for version in versions:
        if version["VersionId"] == version_id:
            return {"PolicyVersion": version}
    raise ram_errors.ENTITY_NOT_EXIST_POLICY_VERSION(version_id=version_id)


@operation(
    "ListPolicyVersions",
    access=Access.READ,
    doc="Lists the versions of a policy, oldest first.",
    source=SOURCE,
    parameters=_ONE_POLICY,
    raises=table(_ONE_POLICY, ram_errors.ENTITY_NOT_EXIST_POLICY),
    returns={"PolicyVersions": {"PolicyVersion": Items(POLICY_VERSION_FIELDS)}},
    resources=[POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def list_policy_versions(call: Call, *, policy_name: str, policy_type: PolicyType) -> Mapping[str, Any]:
    _, versions = await existing_versions(call, policy_type, policy_name)
    return {"PolicyVersions": {"PolicyVersion": versions}}


@operation(
    "SetDefaultPolicyVersion",
    access=Access.WRITE,
    doc="Puts a version of a policy of the account in force, from the next call on.",
    source=SOURCE,
    parameters=_OWN_VERSION,
    raises=table(_OWN_VERSION, ram_errors.ENTITY_NOT_EXIST_POLICY, ram_errors.ENTITY_NOT_EXIST_POLICY_VERSION),
    resources=[POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def set_default_policy_version(call: Call, *, policy_name: str, version_id: str) -> Mapping[str, Any]:
    await call.change(
        lambda: policy_state(call, policy_name),
        lambda state: custom_policies.put_in_force(state, version_id, call.now),
    )
    return {}


@operation(
    "DeletePolicyVersion",
    access=Access.WRITE,
    doc="Deletes a version of a policy of the account that is not in force.",
    source=SOURCE,
    parameters=_OWN_VERSION,
    raises=table(
        _OWN_VERSION,
        ram_errors.ENTITY_NOT_EXIST_POLICY,
        ram_errors.ENTITY_NOT_EXIST_POLICY_VERSION,
        ram_errors.DELETE_CONFLICT_POLICY_VERSION_DEFAULT,
    ),
    resources=[POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def delete_policy_version(call: Call, *, policy_name: str, version_id: str) -> Mapping[str, Any]:
    await call.change(
        lambda: policy_state(call, policy_name),
        lambda state: custom_policies.delete_version(state, version_id, call.now),
    )
    return {}


OPERATIONS: tuple[Operation, ...] = (
    create_policy_version,
    get_policy_version,
    list_policy_versions,
    set_default_policy_version,
    delete_policy_version,
)
