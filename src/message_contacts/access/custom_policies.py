"""Custom policies and their versions.

Every change of a version touches the policy's row, and so does every attachment of the policy: what a decision saw of
them still holds when it is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from message_contacts.access import ram_errors
from message_contacts.access.model import Policy, PolicyVersion
from message_contacts.changes import CountDown, CountUp, Decision, Delete, Insert, Update
from message_contacts.clock import Instant

#: Counter of an account's custom policies, and how many it may have.
POLICIES = "custom policies"
MOST_POLICIES = 1500
#: Versions that a policy may have.
MOST_VERSIONS = 5


class PolicyState(NamedTuple):
    """A custom policy and its versions, oldest first."""

    policy: Policy | None
    versions: Sequence[PolicyVersion]
    #: Whether any user has it; only looked at before it is deleted.
    is_attached: bool = False


def create(
    existing_policy: Policy | None, *, account_id: str, name: str, description: str, document: str, now: Instant
) -> Decision[Policy]:
    """A new policy whose first version is in force.

    Raises: ENTITY_ALREADY_EXISTS_POLICY.
    """
    if existing_policy is not None:
        raise ram_errors.ENTITY_ALREADY_EXISTS_POLICY(policy_name=name)
    policy = Policy(
        account_id=account_id,
        name=name,
        description=description,
        default_version_id="v1",
        versions_made=1,
        created_at=now,
        updated_at=now,
    )
    quota = CountUp(account_id, POLICIES, "", MOST_POLICIES, ram_errors.LIMIT_EXCEEDED_POLICY)
    return Decision((Insert(policy), Insert(_version(policy, document, now)), quota), policy)


def describe(policy: Policy | None, description: str, now: Instant) -> Decision[Policy]:
    """The policy with another description.

    Raises: ENTITY_NOT_EXIST_POLICY.
    """
    before = existing(policy)
    after = replace(before, description=description, updated_at=now)
    return Decision((Update(before, after),), after)


def delete(state: PolicyState, *, with_versions: bool) -> Decision[None]:
    """The policy goes, and its versions with it.

    Args:
        with_versions: Whether versions that are not in force may go too; else they are in the way.
    Raises: ENTITY_NOT_EXIST_POLICY, DELETE_CONFLICT_POLICY_USER, DELETE_CONFLICT_POLICY_VERSION.
    """
    policy = existing(state.policy)
    if state.is_attached:
        raise ram_errors.DELETE_CONFLICT_POLICY_USER(policy_name=policy.name)
    if len(state.versions) > 1 and not with_versions:
        raise ram_errors.DELETE_CONFLICT_POLICY_VERSION(policy_name=policy.name)
    versions = (Delete(version) for version in state.versions)
    return Decision((*versions, Delete(policy), CountDown(policy.account_id, POLICIES)), None)


def add_version(
    state: PolicyState, document: str, now: Instant, *, in_force: bool, rotate: bool
) -> Decision[PolicyVersion]:
    """A new version of the policy.

    Args:
        in_force: Whether it counts from now on.
        rotate: Whether the oldest version that is not in force gives way when there are too many.
    Raises: ENTITY_NOT_EXIST_POLICY, LIMIT_EXCEEDED_POLICY_VERSION.
    """
    before = existing(state.policy)
    gone: tuple[Delete, ...] = ()
    if len(state.versions) >= MOST_VERSIONS:
        if not rotate:
            raise ram_errors.LIMIT_EXCEEDED_POLICY_VERSION(policy_name=before.name)
        gone = (Delete(next(one for one in state.versions if one.version_id != before.default_version_id)),)
    after = replace(before, versions_made=before.versions_made + 1, updated_at=now)
    version = _version(after, document, now)
    if in_force:
        after = replace(after, default_version_id=version.version_id)
    return Decision((Update(before, after), *gone, Insert(version)), version)


def put_in_force(state: PolicyState, version_id: str, now: Instant) -> Decision[None]:
    """That version counts from now on.

    Raises: ENTITY_NOT_EXIST_POLICY, ENTITY_NOT_EXIST_POLICY_VERSION.
    """
    before = existing(state.policy)
    version = existing_version(state.versions, version_id)
    after = replace(before, default_version_id=version.version_id, updated_at=now)
    return Decision((Update(before, after),), None)


def delete_version(state: PolicyState, version_id: str, now: Instant) -> Decision[None]:
    """A version that is not in force goes.

    Raises: ENTITY_NOT_EXIST_POLICY, ENTITY_NOT_EXIST_POLICY_VERSION, DELETE_CONFLICT_POLICY_VERSION_DEFAULT.
    """
    before = existing(state.policy)
    version = existing_version(state.versions, version_id)
    if version_id == before.default_version_id:
        raise ram_errors.DELETE_CONFLICT_POLICY_VERSION_DEFAULT(policy_name=before.name)
    return Decision((Update(before, replace(before, updated_at=now)), Delete(version)), None)


def existing(policy: Policy | None) -> Policy:
    """The policy. Raises: ENTITY_NOT_EXIST_POLICY."""
    if policy is None:
        raise ram_errors.ENTITY_NOT_EXIST_POLICY()
    return policy


def existing_version(versions: Sequence[PolicyVersion], version_id: str) -> PolicyVersion:
    """The version of that id. Raises: ENTITY_NOT_EXIST_POLICY_VERSION."""
    for version in versions:
        if version.version_id == version_id:
            return version
    raise ram_errors.ENTITY_NOT_EXIST_POLICY_VERSION(version_id=version_id)


def _version(policy: Policy, document: str, now: Instant) -> PolicyVersion:
    return PolicyVersion(
        account_id=policy.account_id,
        policy_name=policy.name,
        version_id=f"v{policy.versions_made}",
        document=document,
        created_at=now,
    )
