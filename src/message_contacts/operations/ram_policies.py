"""Policies, those of the account and those that come with the service. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.access import custom_policies, ram_errors
from message_contacts.access.custom_policies import PolicyState
from message_contacts.access.model import Policy, PolicyType
from message_contacts.access.system_policies import SYSTEM_POLICIES, SystemPolicy
from message_contacts.operations import ram_parameters as given
from message_contacts.operations.call import Call
from message_contacts.operations.ram_fields import (
    CHANGED_POLICY_FIELDS,
    NEW_POLICY_FIELDS,
    PAGE_FIELDS,
    POLICY_FIELDS,
    POLICY_VERSION_FIELDS,
    changed_policy,
    new_policy,
    page,
    policy_type,
    shown_policy,
    shown_version,
    system_version,
)
from message_contacts.operations.ram_parameters import ANY_POLICY_RESOURCE, POLICY_RESOURCE, SOURCE, VERSIONS, table
from message_contacts.operations.registry import Access, Items, Operation, operation

_CREATE = (given.POLICY_NAME.needed(), given.DESCRIPTION, given.POLICY_DOCUMENT.needed(), given.TAG)
_ONE_POLICY = (given.POLICY_NAME.needed(), given.POLICY_TYPE.needed())
_LIST = (given.POLICY_TYPE, given.MARKER_OF_POLICIES, given.MAX_ITEMS, given.TAG)
_DESCRIBE = (given.POLICY_NAME.needed(), given.NEW_DESCRIPTION)
_DELETE = (given.POLICY_NAME.needed(), given.CASCADING_DELETE)


def existing_system_policy(name: str) -> SystemPolicy:
    """The system policy of that name. Raises: ENTITY_NOT_EXIST_POLICY."""
    if name not in SYSTEM_POLICIES:
        raise ram_errors.ENTITY_NOT_EXIST_POLICY(policy_name=name)
    return SYSTEM_POLICIES[name]


async def policy_state(call: Call, name: str) -> PolicyState:
    """A custom policy with its versions."""
    return PolicyState(*await call.services.ram.policy_with_versions(call.account_id, name))


async def existing_versions(
    call: Call, type_: PolicyType, name: str
) -> tuple[Policy | SystemPolicy, list[dict[str, Any]]]:
    """The policy of that type and name, and its versions as answers show them. Raises: ENTITY_NOT_EXIST_POLICY."""
    if type_ is PolicyType.SYSTEM:
        system_policy = existing_system_policy(name)
        return system_policy, [system_version(system_policy)]
    state = await policy_state(call, name)
    policy = custom_policies.existing(state.policy)
    return policy, [
        shown_version(version, in_force=version.version_id == policy.default_version_id) for version in state.versions
    ]


@operation(
    "CreatePolicy",
    access=Access.WRITE,
    doc="Makes a policy, whose first version is in force. It counts for users once it is attached to them.",
    source=SOURCE,
    parameters=_CREATE,
    raises=table(_CREATE, ram_errors.ENTITY_ALREADY_EXISTS_POLICY, ram_errors.LIMIT_EXCEEDED_POLICY),
    returns={"Policy": NEW_POLICY_FIELDS},
    resources=[ANY_POLICY_RESOURCE],
    deniable_on=[POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def create_policy(
    call: Call, *, policy_name: str, description: str | None, policy_document: str, tag: None
) -> Mapping[str, Any]:
    policy = await call.change(
        lambda: call.services.ram.policy(call.account_id, policy_name),
        lambda found: custom_policies.create(
            found,
            account_id=call.account_id,
            name=policy_name,
            description=description or "",
            document=policy_document,
            now=call.now,
        ),
    )
    return {"Policy": new_policy(policy)}


@operation(
    "GetPolicy",
    access=Access.READ,
    doc="Shows a policy and the version of it that is in force.",
    source=SOURCE,
    parameters=_ONE_POLICY,
    raises=table(_ONE_POLICY, ram_errors.ENTITY_NOT_EXIST_POLICY),
    returns={"Policy": POLICY_FIELDS, "DefaultPolicyVersion": POLICY_VERSION_FIELDS},
    resources=[POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def get_policy(call: Call, *, policy_name: str, policy_type: PolicyType) -> Mapping[str, Any]:
    policy, versions = await existing_versions(call, policy_type, policy_name)
    count = await call.services.ram.attachment_count(call.account_id, policy_type, policy_name)
    (in_force,) = (version for version in versions if version["IsDefaultVersion"])
    return {"Policy": shown_policy(policy, count), "DefaultPolicyVersion": in_force}


@operation(
    "ListPolicies",
    access=Access.READ,
    doc="Lists policies: the account's own by name, then those that come with the service.",
    source=SOURCE,
    parameters=_LIST,
    raises=table(_LIST),
    returns={**PAGE_FIELDS, "Policies": {"Policy": Items(POLICY_FIELDS)}},
    resources=[ANY_POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def list_policies(
    call: Call, *, policy_type: PolicyType | None, marker: str | None, max_items: int, tag: None
) -> Mapping[str, Any]:
    last_type, _, last_name = (marker or "").partition("/")
    found: list[tuple[Policy | SystemPolicy, int]] = []
    if policy_type is not PolicyType.SYSTEM and last_type != PolicyType.SYSTEM:
        found += await call.services.ram.policy_page(call.account_id, after=last_name, limit=max_items + 1)
    if policy_type is not PolicyType.CUSTOM and len(found) <= max_items:
        found += await _system_policies(call, after=last_name if last_type == PolicyType.SYSTEM else "")
    shown = [shown_policy(policy, count) for policy, count in found[:max_items]]
    return {**page(found, max_items, _position), "Policies": {"Policy": shown}}


async def _system_policies(call: Call, *, after: str) -> list[tuple[Policy | SystemPolicy, int]]:
    """System policies by name, each with the number of users that have it."""
    ram = call.services.ram
    return [
        (SYSTEM_POLICIES[name], await ram.attachment_count(call.account_id, PolicyType.SYSTEM, name))
        for name in sorted(SYSTEM_POLICIES)
        if name > after
    ]


def _position(entry: tuple[Policy | SystemPolicy, int]) -> str:
    policy, _ = entry
    return f"{policy_type(policy)}/{policy.name}"


@operation(
    "UpdatePolicyDescription",
    access=Access.WRITE,
    doc="Describes a policy of the account anew.",
    source=SOURCE,
    parameters=_DESCRIBE,
    raises=table(_DESCRIBE, ram_errors.ENTITY_NOT_EXIST_POLICY),
    returns={"Policy": CHANGED_POLICY_FIELDS},
    resources=[POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def update_policy_description(call: Call, *, policy_name: str, new_description: str | None) -> Mapping[str, Any]:
    policy = await call.change(
        lambda: call.services.ram.policy(call.account_id, policy_name),
        lambda policy: custom_policies.describe(policy, new_description or "", call.now),
    )
    return {"Policy": changed_policy(policy)}


@operation(
    "DeletePolicy",
    access=Access.WRITE,
    doc="Deletes a policy of the account that no user has any more.",
    source=SOURCE,
    parameters=_DELETE,
    raises=table(
        _DELETE,
        ram_errors.ENTITY_NOT_EXIST_POLICY,
        ram_errors.DELETE_CONFLICT_POLICY_USER,
        ram_errors.DELETE_CONFLICT_POLICY_VERSION,
    ),
    resources=[POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def delete_policy(call: Call, *, policy_name: str, cascading_delete: bool) -> Mapping[str, Any]:
    async def read() -> PolicyState:
        state = await policy_state(call, policy_name)
        attached = await call.services.ram.attachment_count(call.account_id, PolicyType.CUSTOM, policy_name)
        return state._replace(is_attached=attached > 0)

    await call.change(read, lambda state: custom_policies.delete(state, with_versions=cascading_delete))
    return {}


OPERATIONS: tuple[Operation, ...] = (
    create_policy,
    get_policy,
    list_policies,
    update_policy_description,
    delete_policy,
)
