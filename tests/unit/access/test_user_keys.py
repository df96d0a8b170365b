from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.access import ram_errors, user_keys
from message_contacts.access.model import KeyStatus
from message_contacts.access.user_keys import KeyOwner
from message_contacts.changes import Delete, Insert, Update
from message_contacts.errors import ApiError
from tests.unit.access.ram_values import make_user, make_user_key

USER = make_user()
FIRST, SECOND = make_user_key("MC1"), make_user_key("MC2")


def test_a_new_key_touches_its_user() -> None:
    decision = user_keys.create(KeyOwner(USER, [FIRST]), SECOND)
    assert decision.changes == (Insert(SECOND), Update(USER, USER))


def test_a_new_key_of_the_account_touches_the_accounts_oldest() -> None:
    decision = user_keys.create(KeyOwner(None, [FIRST, SECOND]), make_user_key("MC3", user_id=None))
    assert decision.changes[1:] == (Update(FIRST, FIRST),)


@pytest.mark.parametrize(("user", "limit"), [(USER, 2), (None, 5)])
def test_keys_are_limited(user: object, limit: int) -> None:
    keys = [make_user_key(f"MC{number}") for number in range(limit)]
    owner = KeyOwner(USER if user else None, keys)
    with pytest.raises(ApiError) as refusal:
        user_keys.create(owner, make_user_key("MCnew"))
    assert refusal.value.definition is ram_errors.LIMIT_EXCEEDED_USER_ACCESS_KEY
    assert user_keys.create(owner._replace(keys=keys[1:]), make_user_key("MCnew")).changes


def test_switching_a_key_changes_its_status_only() -> None:
    decision = user_keys.switch(KeyOwner(USER, [FIRST, SECOND]), "MC2", KeyStatus.INACTIVE)
    assert decision.changes == (Update(SECOND, replace(SECOND, status=KeyStatus.INACTIVE)),)


def test_switching_a_key_to_what_it_is_changes_nothing() -> None:
    assert user_keys.switch(KeyOwner(USER, [FIRST]), "MC1", KeyStatus.ACTIVE).changes == ()


def test_a_key_that_the_owner_does_not_have_does_not_exist() -> None:
    owner = KeyOwner(USER, [FIRST])
    for refused in (
        lambda: user_keys.switch(owner, "MC2", KeyStatus.ACTIVE),
        lambda: user_keys.delete(owner, "MC2"),
    ):
        with pytest.raises(ApiError) as refusal:
            refused()
        assert refusal.value.definition is ram_errors.ENTITY_NOT_EXIST_USER_ACCESS_KEY
    assert user_keys.delete(owner, "MC1").changes == (Delete(FIRST),)
