from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from message_contacts.access import custom_policies, ram_errors
from message_contacts.access.custom_policies import PolicyState
from message_contacts.changes import CountDown, CountUp, Delete, Insert, Update
from message_contacts.clock import Instant
from message_contacts.errors import ApiError, ErrorDefinition
from tests.factories import ACCOUNT
from tests.fakes.clock import START
from tests.unit.access.ram_values import make_policy, make_policy_version

LATER = Instant(START + 1000)
POLICY = make_policy()
VERSION = make_policy_version()
NOBODYS = PolicyState(None, ())


def refusal_of(refused: Callable[[], object]) -> ErrorDefinition:
    with pytest.raises(ApiError) as refusal:
        refused()
    return refusal.value.definition


def with_versions(*numbers: int, in_force: int) -> PolicyState:
    policy = make_policy(default_version_id=f"v{in_force}", versions_made=max(numbers))
    return PolicyState(policy, [make_policy_version(f"v{number}") for number in numbers])


def test_a_new_policy_has_its_first_version_in_force() -> None:
    decision = custom_policies.create(
        None, account_id=ACCOUNT, name="read-contacts", description="", document="{}", now=START
    )
    policy, version, quota = decision.changes
    assert (policy, version) == (Insert(POLICY), Insert(VERSION))
    assert isinstance(quota, CountUp)
    assert (quota.limit, quota.error) == (1500, ram_errors.LIMIT_EXCEEDED_POLICY)


def test_a_policy_of_that_name_is_not_made_twice() -> None:
    refused = refusal_of(
        lambda: custom_policies.create(
            POLICY, account_id=ACCOUNT, name=POLICY.name, description="", document="{}", now=START
        )
    )
    assert refused is ram_errors.ENTITY_ALREADY_EXISTS_POLICY


def test_a_policy_goes_with_its_only_version() -> None:
    decision = custom_policies.delete(PolicyState(POLICY, [VERSION]), with_versions=False)
    assert decision.changes == (Delete(VERSION), Delete(POLICY), CountDown(ACCOUNT, custom_policies.POLICIES))


def test_versions_that_are_not_in_force_go_only_when_told() -> None:
    state = with_versions(1, 2, in_force=2)
    refused = refusal_of(lambda: custom_policies.delete(state, with_versions=False))
    assert refused is ram_errors.DELETE_CONFLICT_POLICY_VERSION
    gone = custom_policies.delete(state, with_versions=True).changes
    assert [change.row for change in gone if isinstance(change, Delete)] == [*state.versions, state.policy]


def test_a_policy_that_somebody_has_is_not_deleted_even_with_its_versions() -> None:
    state = PolicyState(POLICY, [VERSION], is_attached=True)
    refused = refusal_of(lambda: custom_policies.delete(state, with_versions=True))
    assert refused is ram_errors.DELETE_CONFLICT_POLICY_USER


@pytest.mark.parametrize(("in_force", "expected"), [(False, "v1"), (True, "v2")])
def test_a_new_version_counts_only_when_told(in_force: bool, expected: str) -> None:
    decision = custom_policies.add_version(
        PolicyState(POLICY, [VERSION]), "{...}", LATER, in_force=in_force, rotate=False
    )
    after = replace(POLICY, versions_made=2, default_version_id=expected, updated_at=LATER)
    added = make_policy_version("v2", document="{...}", created_at=LATER)
    assert decision.changes == (Update(POLICY, after), Insert(added))
    assert decision.result == added


def test_a_number_is_never_given_twice() -> None:
    state = with_versions(1, in_force=1)
    assert state.policy is not None
    state = state._replace(policy=replace(state.policy, versions_made=4))
    assert custom_policies.add_version(state, "{}", LATER, in_force=False, rotate=False).result.version_id == "v5"


def test_a_sixth_version_is_refused_without_rotation() -> None:
    state = with_versions(1, 2, 3, 4, 5, in_force=1)
    refused = refusal_of(lambda: custom_policies.add_version(state, "{}", LATER, in_force=True, rotate=False))
    assert refused is ram_errors.LIMIT_EXCEEDED_POLICY_VERSION


@pytest.mark.parametrize(("in_force", "gone"), [(1, "v2"), (3, "v1")])
def test_rotation_takes_the_oldest_version_that_is_not_in_force(in_force: int, gone: str) -> None:
    state = with_versions(1, 2, 3, 4, 5, in_force=in_force)
    changes = custom_policies.add_version(state, "{}", LATER, in_force=True, rotate=True).changes
    assert [change.row for change in changes if isinstance(change, Delete)] == [make_policy_version(gone)]


def test_an_earlier_version_is_put_in_force_again() -> None:
    state = with_versions(1, 2, in_force=2)
    assert state.policy is not None
    decision = custom_policies.put_in_force(state, "v1", LATER)
    after = replace(state.policy, default_version_id="v1", updated_at=LATER)
    assert decision.changes == (Update(state.policy, after),)


def test_the_version_in_force_is_not_deleted() -> None:
    state = with_versions(1, 2, in_force=2)
    refused = refusal_of(lambda: custom_policies.delete_version(state, "v2", LATER))
    assert refused is ram_errors.DELETE_CONFLICT_POLICY_VERSION_DEFAULT
    assert Delete(make_policy_version("v1")) in custom_policies.delete_version(state, "v1", LATER).changes


@pytest.mark.parametrize(
    "refused",
    [
        lambda: custom_policies.describe(None, "", LATER),
        lambda: custom_policies.delete(NOBODYS, with_versions=True),
        lambda: custom_policies.add_version(NOBODYS, "{}", LATER, in_force=True, rotate=True),
        lambda: custom_policies.put_in_force(NOBODYS, "v1", LATER),
        lambda: custom_policies.delete_version(NOBODYS, "v1", LATER),
    ],
)
def test_an_unknown_policy_does_not_exist(refused: Callable[[], object]) -> None:
    assert refusal_of(refused) is ram_errors.ENTITY_NOT_EXIST_POLICY


@pytest.mark.parametrize(
    "refused",
    [
        lambda: custom_policies.put_in_force(PolicyState(POLICY, [VERSION]), "v2", LATER),
        lambda: custom_policies.delete_version(PolicyState(POLICY, [VERSION]), "v2", LATER),
    ],
)
def test_an_unknown_version_does_not_exist(refused: Callable[[], object]) -> None:
    assert refusal_of(refused) is ram_errors.ENTITY_NOT_EXIST_POLICY_VERSION
