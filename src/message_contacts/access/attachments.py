"""Which policies a user has.

A change touches the rows of the user and, if it is a custom one, of the policy: neither can be deleted meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from message_contacts.access import ram_errors, users
from message_contacts.access.custom_policies import existing as existing_policy
from message_contacts.access.model import Attachment, Policy, PolicyType, User
from message_contacts.access.system_policies import SYSTEM_POLICIES
from message_contacts.changes import Change, Decision, Delete, Insert, Update
from message_contacts.clock import Instant

#: Policies of each type that a user may have.
MOST_ATTACHED = {PolicyType.SYSTEM: 20, PolicyType.CUSTOM: 10}


class Grant(NamedTuple):
    """A user with all its attachments, and the policy in question."""

    user: User | None
    attachments: Sequence[Attachment]
    policy_type: PolicyType
    policy_name: str
    #: The custom policy of that name; None for a system policy, or when there is none.
    policy: Policy | None


def attach(grant: Grant, now: Instant) -> Decision[None]:
    """The user has the policy from now on.

    Raises: ENTITY_NOT_EXIST_USER, ENTITY_NOT_EXIST_POLICY, ENTITY_ALREADY_EXISTS_USER_POLICY,
        LIMIT_EXCEEDED_USER_POLICY.
    """
    user = users.existing(grant.user)
    touched = _touched(user, grant)
    if _found(grant) is not None:
        raise ram_errors.ENTITY_ALREADY_EXISTS_USER_POLICY(policy_name=grant.policy_name)
    of_type = [one for one in grant.attachments if one.policy_type is grant.policy_type]
    if len(of_type) >= MOST_ATTACHED[grant.policy_type]:
        raise ram_errors.LIMIT_EXCEEDED_USER_POLICY(user_id=user.user_id)
    attachment = Attachment(
        account_id=user.account_id,
        user_id=user.user_id,
        policy_type=grant.policy_type,
        policy_name=grant.policy_name,
        attached_at=now,
    )
    return Decision((*touched, Insert(attachment)), None)


def detach(grant: Grant) -> Decision[None]:
    """The user no longer has the policy.

    Raises: ENTITY_NOT_EXIST_USER, ENTITY_NOT_EXIST_POLICY, ENTITY_NOT_EXIST_USER_POLICY.
    """
    touched = _touched(users.existing(grant.user), grant)
    found = _found(grant)
    if found is None:
        raise ram_errors.ENTITY_NOT_EXIST_USER_POLICY(policy_name=grant.policy_name)
    return Decision((*touched, Delete(found)), None)


def _found(grant: Grant) -> Attachment | None:
    for one in grant.attachments:
        if (one.policy_type, one.policy_name) == (grant.policy_type, grant.policy_name):
            return one
    return None


def _touched(user: User, grant: Grant) -> tuple[Change, ...]:
    if grant.policy_type is PolicyType.SYSTEM:
        if grant.policy_name not in SYSTEM_POLICIES:
            raise ram_errors.ENTITY_NOT_EXIST_POLICY(policy_name=grant.policy_name)
        return (Update(user, user),)
    policy = existing_policy(grant.policy)
    return (Update(user, user), Update(policy, policy))
