"""Which policies users have. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.access import attachments, custom_policies, ram_errors
from message_contacts.access.attachments import Grant
from message_contacts.access.model import Attachment, Policy, PolicyType
from message_contacts.access.system_policies import SYSTEM_POLICIES, SystemPolicy
from message_contacts.operations import ram_parameters as given
from message_contacts.operations.call import Call
from message_contacts.operations.ram_fields import ATTACHED_POLICY_FIELDS, HOLDER_FIELDS, attached_policy, holder
from message_contacts.operations.ram_parameters import POLICY_RESOURCE, SOURCE, USER_RESOURCE, VERSIONS, table
from message_contacts.operations.ram_policies import existing_system_policy
from message_contacts.operations.ram_users import existing_user
from message_contacts.operations.registry import Access, Field, Items, Operation, operation

_ONE_POLICY = (given.POLICY_NAME.needed(), given.POLICY_TYPE.needed())
_GRANT = (*_ONE_POLICY, given.USER_NAME.needed(), given.RESOURCE_GROUP_ID)
_ONE_USER = (given.USER_NAME.needed(),)


async def _grant(call: Call, type_: PolicyType, policy_name: str, user_name: str) -> Grant:
    """The user of that name with its attachments, and the policy. Raises: ENTITY_NOT_EXIST_USER."""
    ram = call.services.ram
    user = await existing_user(call, user_name)
    policy = await ram.policy(call.account_id, policy_name) if type_ is PolicyType.CUSTOM else None
    return Grant(user, await ram.attachments(call.account_id, user.user_id), type_, policy_name, policy)


@operation(
    "AttachPolicyToUser",
    access=Access.WRITE,
    doc="Gives a user a policy, from its next call on.",
    source=SOURCE,
    parameters=_GRANT,
    raises=table(
        _GRANT,
        ram_errors.ENTITY_NOT_EXIST_USER,
        ram_errors.ENTITY_NOT_EXIST_POLICY,
        ram_errors.ENTITY_ALREADY_EXISTS_USER_POLICY,
        ram_errors.LIMIT_EXCEEDED_USER_POLICY,
    ),
    resources=[USER_RESOURCE, POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def attach_policy_to_user(
    call: Call, *, policy_name: str, policy_type: PolicyType, user_name: str, resource_group_id: None
) -> Mapping[str, Any]:
    await call.change(
        lambda: _grant(call, policy_type, policy_name, user_name),
        lambda grant: attachments.attach(grant, call.now),
    )
    return {}


@operation(
    "DetachPolicyFromUser",
    access=Access.WRITE,
    doc="Takes a policy from a user, from its next call on.",
    source=SOURCE,
    parameters=_GRANT,
    raises=table(
        _GRANT,
        ram_errors.ENTITY_NOT_EXIST_USER,
        ram_errors.ENTITY_NOT_EXIST_POLICY,
        ram_errors.ENTITY_NOT_EXIST_USER_POLICY,
    ),
    resources=[USER_RESOURCE, POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def detach_policy_from_user(
    call: Call, *, policy_name: str, policy_type: PolicyType, user_name: str, resource_group_id: None
) -> Mapping[str, Any]:
    await call.change(lambda: _grant(call, policy_type, policy_name, user_name), attachments.detach)
    return {}


@operation(
    "ListPoliciesForUser",
    access=Access.READ,
    doc="Lists the policies a user has, in the order in which it got them.",
    source=SOURCE,
    parameters=_ONE_USER,
    raises=table(_ONE_USER, ram_errors.ENTITY_NOT_EXIST_USER),
    returns={"Policies": {"Policy": Items(ATTACHED_POLICY_FIELDS)}},
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def list_policies_for_user(call: Call, *, user_name: str) -> Mapping[str, Any]:
    user = await existing_user(call, user_name)
    attached = await call.services.ram.attachments(call.account_id, user.user_id)
    policies = [(await _policy(call, one), one) for one in attached]
    # One that has gone meanwhile had been taken from the user before.
    return {"Policies": {"Policy": [attached_policy(policy, one) for policy, one in policies if policy is not None]}}


async def _policy(call: Call, attachment: Attachment) -> Policy | SystemPolicy | None:
    if attachment.policy_type is PolicyType.SYSTEM:
        return SYSTEM_POLICIES.get(attachment.policy_name)
    return await call.services.ram.policy(call.account_id, attachment.policy_name)


@operation(
    "ListEntitiesForPolicy",
    access=Access.READ,
    doc="Lists the users that have a policy. There are no groups and no roles, so those lists are empty.",
    source=SOURCE,
    parameters=_ONE_POLICY,
    raises=table(_ONE_POLICY, ram_errors.ENTITY_NOT_EXIST_POLICY),
    returns={
        "Users": {"User": Items(HOLDER_FIELDS)},
        "Groups": {
            "Group": Items(
                {
                    "GroupName": Field("string", "Name of the group.", ""),
                    "Comments": Field("string", "What the group is for.", ""),
                    "AttachDate": Field("string", "When it got the policy.", ""),
                }
            )
        },
        "Roles": {
            "Role": Items(
                {
                    "RoleId": Field("string", "Id of the role.", ""),
                    "RoleName": Field("string", "Name of the role.", ""),
                    "Arn": Field("string", "Full name of the role.", ""),
                    "Description": Field("string", "What the role is for.", ""),
                    "AttachDate": Field("string", "When it got the policy.", ""),
                }
            )
        },
    },
    resources=[POLICY_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def list_entities_for_policy(call: Call, *, policy_name: str, policy_type: PolicyType) -> Mapping[str, Any]:
    if policy_type is PolicyType.SYSTEM:
        existing_system_policy(policy_name)
    else:
        custom_policies.existing(await call.services.ram.policy(call.account_id, policy_name))
    found = await call.services.ram.holders(call.account_id, policy_type, policy_name)
    return {
        "Users": {"User": [holder(user, attachment) for user, attachment in found]},
        "Groups": {"Group": []},
        "Roles": {"Role": []},
    }


OPERATIONS: tuple[Operation, ...] = (
    attach_policy_to_user,
    detach_policy_from_user,
    list_policies_for_user,
    list_entities_for_policy,
)
