from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.access import ram_errors
from message_contacts.access.model import PolicyType
from message_contacts.changes import Delete, Insert, RelyOn, Stale, Update
from message_contacts.errors import ApiError
from message_contacts.storage import Storage
from tests.factories import ACCOUNT
from tests.storage.making import OTHER_ACCOUNT, after, commit, make_key
from tests.unit.access.ram_values import (
    USER_ID,
    make_attachment,
    make_policy,
    make_policy_version,
    make_user,
    make_user_key,
)


async def test_a_user_is_found_by_id_and_by_name_in_its_account_only(storage: Storage) -> None:
    user = make_user(mobile_phone="86-18688880000", email="a@example.com", comments="why")
    await commit(storage, Insert(user))
    assert await storage.ram.user(ACCOUNT, USER_ID) == user
    assert await storage.ram.user_by_name(ACCOUNT, "dashboard") == user
    assert await storage.ram.user(OTHER_ACCOUNT, USER_ID) is None
    assert await storage.ram.user_by_name(OTHER_ACCOUNT, "dashboard") is None


async def test_a_user_name_is_given_once_in_an_account(storage: Storage) -> None:
    await commit(storage, Insert(make_user()), Insert(make_user(account_id=OTHER_ACCOUNT)))
    with pytest.raises(ApiError) as refusal:
        await commit(storage, Insert(make_user("200000000000000002")))
    assert refusal.value.definition is ram_errors.ENTITY_ALREADY_EXISTS_USER


async def test_a_user_changes_and_goes(storage: Storage) -> None:
    before = make_user()
    after_ = replace(before, name="reports", updated_at=after(1))
    await commit(storage, Insert(before))
    await commit(storage, Update(before, after_))
    changed = await storage.ram.user(ACCOUNT, USER_ID)
    assert changed == replace(after_, version=2)
    with pytest.raises(Stale):
        await commit(storage, Delete(before))
    await commit(storage, RelyOn(changed), Delete(changed))
    assert await storage.ram.user(ACCOUNT, USER_ID) is None


async def test_users_come_by_name_page_by_page(storage: Storage) -> None:
    users = [make_user(f"20000000000000000{number}", name=name) for number, name in enumerate("cab")]
    await commit(storage, *map(Insert, users), Insert(make_user(account_id=OTHER_ACCOUNT)))
    assert [user.name for user in await storage.ram.user_page(ACCOUNT, after="", limit=2)] == ["a", "b"]
    assert [user.name for user in await storage.ram.user_page(ACCOUNT, after="b", limit=2)] == ["c"]


async def test_keys_belong_to_a_user_or_to_the_account(storage: Storage) -> None:
    late, early = make_user_key("MC1", created_at=after(2)), make_user_key("MC2", created_at=after(1))
    root = make_key("MC3")
    await commit(storage, *map(Insert, [late, early, root, make_key("MC4", account_id=OTHER_ACCOUNT)]))
    assert await storage.ram.keys(ACCOUNT, USER_ID) == [early, late]
    assert await storage.ram.keys(ACCOUNT, None) == [root]
    assert await storage.ram.keys(OTHER_ACCOUNT, USER_ID) == []
    assert await storage.access.access_key("MC1") == late


async def test_a_policy_comes_with_its_versions_in_the_order_they_were_made(storage: Storage) -> None:
    policy = make_policy(versions_made=10, description="why")
    versions = [make_policy_version(f"v{number}", document=f"{number}") for number in (10, 9, 2)]
    await commit(storage, Insert(policy), *map(Insert, versions))
    assert await storage.ram.policy(ACCOUNT, policy.name) == policy
    assert await storage.ram.policy_with_versions(ACCOUNT, policy.name) == (policy, versions[::-1])
    assert await storage.ram.policy_with_versions(OTHER_ACCOUNT, policy.name) == (None, [])


async def test_a_policy_does_not_go_before_its_versions(storage: Storage) -> None:
    policy, version = make_policy(), make_policy_version()
    await commit(storage, Insert(policy), Insert(version))
    with pytest.raises(Stale):
        await commit(storage, Delete(policy))
    await commit(storage, RelyOn(version), Update(version, version), RelyOn(policy))
    await commit(storage, Delete(replace(version, version=2)), Delete(policy))
    assert await storage.ram.policy(ACCOUNT, policy.name) is None


async def test_policies_come_by_name_with_the_number_of_their_users(storage: Storage) -> None:
    policies = [make_policy(name) for name in ("b", "a", "c")]
    await commit(
        storage,
        Insert(make_user()),
        *map(Insert, policies),
        Insert(make_attachment("b")),
        Insert(make_attachment("c", policy_type=PolicyType.SYSTEM)),
    )
    page = await storage.ram.policy_page(ACCOUNT, after="", limit=2)
    assert [(policy.name, count) for policy, count in page] == [("a", 0), ("b", 1)]
    rest = await storage.ram.policy_page(ACCOUNT, after="b", limit=2)
    assert [(policy.name, count) for policy, count in rest] == [("c", 0)]
    assert await storage.ram.attachment_count(ACCOUNT, PolicyType.SYSTEM, "c") == 1
    assert await storage.ram.attachment_count(OTHER_ACCOUNT, PolicyType.SYSTEM, "c") == 0


async def test_a_users_policies_come_in_the_order_it_got_them(storage: Storage) -> None:
    late = make_attachment("a", attached_at=after(2))
    early = make_attachment("b", attached_at=after(1), policy_type=PolicyType.SYSTEM)
    await commit(storage, Insert(make_user()), Insert(late), Insert(early))
    assert await storage.ram.attachments(ACCOUNT, USER_ID) == [early, late]


async def test_the_users_of_a_policy_are_found(storage: Storage) -> None:
    first, second = make_user(), make_user("200000000000000002", name="pipeline")
    attachment = make_attachment(user_id=second.user_id)
    await commit(storage, Insert(first), Insert(second), Insert(attachment))
    assert await storage.ram.holders(ACCOUNT, PolicyType.CUSTOM, "read-contacts") == [(second, attachment)]
    assert await storage.ram.holders(ACCOUNT, PolicyType.SYSTEM, "read-contacts") == []


async def test_a_user_does_not_go_before_its_policies(storage: Storage) -> None:
    user, attachment = make_user(), make_attachment()
    await commit(storage, Insert(user), Insert(attachment))
    with pytest.raises(Stale):
        await commit(storage, Insert(attachment))
    with pytest.raises(Stale):
        await commit(storage, Delete(user))
    await commit(storage, RelyOn(attachment), Update(attachment, replace(attachment, attached_at=after(1))))
    (changed,) = await storage.ram.attachments(ACCOUNT, USER_ID)
    await commit(storage, Delete(changed), Delete(user))


async def test_a_policy_is_not_given_to_a_user_that_does_not_exist(storage: Storage) -> None:
    with pytest.raises(Stale):
        await commit(storage, Insert(make_attachment()))
