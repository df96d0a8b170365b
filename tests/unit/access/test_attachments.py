from __future__ import annotations

import pytest

from message_contacts.access import attachments, ram_errors
from message_contacts.access.attachments import Grant
from message_contacts.access.model import PolicyType
from message_contacts.changes import Delete, Insert, Update
from message_contacts.errors import ApiError, ErrorDefinition
from tests.fakes.clock import START
from tests.unit.access.ram_values import make_attachment, make_policy, make_user

USER, POLICY = make_user(), make_policy()
OURS = Grant(USER, (), PolicyType.CUSTOM, POLICY.name, POLICY)
SYSTEM = Grant(USER, (), PolicyType.SYSTEM, "ReadOnlyAccess", None)
TOUCHED = (Update(USER, USER), Update(POLICY, POLICY))


def test_attaching_touches_the_user_and_the_policy() -> None:
    assert attachments.attach(OURS, START).changes == (*TOUCHED, Insert(make_attachment()))


def test_attaching_a_system_policy_touches_the_user() -> None:
    added = make_attachment("ReadOnlyAccess", policy_type=PolicyType.SYSTEM)
    assert attachments.attach(SYSTEM, START).changes == (Update(USER, USER), Insert(added))


def test_detaching_touches_the_user_and_the_policy() -> None:
    found = make_attachment()
    assert attachments.detach(OURS._replace(attachments=[found])).changes == (*TOUCHED, Delete(found))


@pytest.mark.parametrize(
    ("grant", "attaching", "detaching"),
    [
        (OURS._replace(user=None), ram_errors.ENTITY_NOT_EXIST_USER, ram_errors.ENTITY_NOT_EXIST_USER),
        (OURS._replace(policy=None), ram_errors.ENTITY_NOT_EXIST_POLICY, ram_errors.ENTITY_NOT_EXIST_POLICY),
        (
            SYSTEM._replace(policy_name="read-contacts"),
            ram_errors.ENTITY_NOT_EXIST_POLICY,
            ram_errors.ENTITY_NOT_EXIST_POLICY,
        ),
        (
            OURS._replace(attachments=[make_attachment()]),
            ram_errors.ENTITY_ALREADY_EXISTS_USER_POLICY,
            None,
        ),
        (OURS, None, ram_errors.ENTITY_NOT_EXIST_USER_POLICY),
        (
            OURS._replace(attachments=[make_attachment(policy_type=PolicyType.SYSTEM)]),
            None,
            ram_errors.ENTITY_NOT_EXIST_USER_POLICY,
        ),
    ],
)
def test_what_can_be_attached_and_detached(
    grant: Grant, attaching: ErrorDefinition | None, detaching: ErrorDefinition | None
) -> None:
    for expected, decide in (
        (attaching, lambda: attachments.attach(grant, START)),
        (detaching, lambda: attachments.detach(grant)),
    ):
        if expected is None:
            assert decide().changes
            continue
        with pytest.raises(ApiError) as refusal:
            decide()
        assert refusal.value.definition is expected


@pytest.mark.parametrize(("grant", "limit"), [(OURS, 10), (SYSTEM, 20)])
def test_policies_of_each_type_are_limited_on_their_own(grant: Grant, limit: int) -> None:
    other = PolicyType.SYSTEM if grant.policy_type is PolicyType.CUSTOM else PolicyType.CUSTOM
    others = [make_attachment(f"other-{number}", policy_type=other) for number in range(30)]
    same = [make_attachment(f"same-{number}", policy_type=grant.policy_type) for number in range(limit)]
    assert attachments.attach(grant._replace(attachments=[*others, *same[1:]]), START).changes
    with pytest.raises(ApiError) as refusal:
        attachments.attach(grant._replace(attachments=same), START)
    assert refusal.value.definition is ram_errors.LIMIT_EXCEEDED_USER_POLICY
