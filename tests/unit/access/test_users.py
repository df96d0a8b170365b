from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.access import ram_errors, users
from message_contacts.access.users import Holdings, NewFields
from message_contacts.changes import CountDown, CountUp, Delete, Insert, Update
from message_contacts.clock import Instant
from message_contacts.errors import ApiError, ErrorDefinition
from tests.fakes.clock import START
from tests.unit.access.ram_values import make_attachment, make_user, make_user_key

LATER = Instant(START + 1000)


def test_a_user_is_added_within_the_accounts_limit() -> None:
    user = make_user()
    decision = users.create(user)
    assert decision.result is user
    inserted, quota = decision.changes
    assert inserted == Insert(user)
    assert isinstance(quota, CountUp)
    assert (quota.limit, quota.error) == (1000, ram_errors.LIMIT_EXCEEDED_USER)


def test_what_is_not_given_stays_as_it_is() -> None:
    user = make_user(email="a@example.com", comments="old")
    decision = users.update(user, NewFields(name="reports", comments=""), LATER)
    assert decision.result == replace(user, name="reports", comments="", updated_at=LATER)
    assert decision.changes == (Update(user, decision.result),)


def test_an_unknown_user_is_neither_changed_nor_deleted() -> None:
    for refused in (lambda: users.update(None, NewFields(), LATER), lambda: users.delete(Holdings(None, (), ()))):
        with pytest.raises(ApiError) as refusal:
            refused()
        assert refusal.value.definition is ram_errors.ENTITY_NOT_EXIST_USER


def test_a_user_without_keys_and_policies_is_deleted_and_counted_down() -> None:
    user = make_user()
    decision = users.delete(Holdings(user, (), ()))
    assert decision.changes == (Delete(user), CountDown(user.account_id, users.USERS))


@pytest.mark.parametrize(
    ("holdings", "expected"),
    [
        (
            Holdings(make_user(), [make_user_key()], [make_attachment()]),
            ram_errors.DELETE_CONFLICT_USER_ACCESS_KEY,
        ),
        (Holdings(make_user(), (), [make_attachment()]), ram_errors.DELETE_CONFLICT_USER_POLICY),
    ],
)
def test_a_user_that_holds_something_is_not_deleted(holdings: Holdings, expected: ErrorDefinition) -> None:
    with pytest.raises(ApiError) as refusal:
        users.delete(holdings)
    assert refusal.value.definition is expected
