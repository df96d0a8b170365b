from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.access.model import KeyInPlace, KeyStatus
from message_contacts.changes import Delete, Insert, RelyOn, Stale, Update
from message_contacts.storage import Storage
from tests.factories import ACCOUNT, make_directory
from tests.storage.making import MEMBER, OTHER_ACCOUNT, after, commit, make_account, make_key


async def test_an_access_key_is_found_by_its_id_whichever_account_has_it(storage: Storage) -> None:
    key = make_key(account_id=MEMBER)
    await commit(storage, Insert(key))

    assert await storage.access.access_key("MCkey") == key
    assert await storage.access.access_key("mckey") is None


async def test_an_access_key_comes_with_the_directory_of_its_account_as_it_is_now(storage: Storage) -> None:
    key = make_key(account_id=OTHER_ACCOUNT)
    await commit(storage, Insert(key))
    assert await storage.access.key_in_place("MCkey") == KeyInPlace(key, None)

    directory = make_directory(account_id=OTHER_ACCOUNT)
    await commit(storage, Insert(directory))
    found = await storage.access.key_in_place("MCkey")
    assert found == KeyInPlace(key, directory)
    assert await storage.access.key_in_place("MCkey") is found

    await commit(storage, Delete(directory))
    assert await storage.access.key_in_place("MCkey") == KeyInPlace(key, None)
    assert await storage.access.key_in_place("MCother") is None


async def test_keys_of_an_account_come_oldest_first(storage: Storage) -> None:
    late, early = make_key("MC1", created_at=after(2)), make_key("MC2", created_at=after(1))
    await commit(storage, Insert(late), Insert(early), Insert(make_key("MC3", account_id=OTHER_ACCOUNT)))

    assert await storage.access.access_keys(ACCOUNT) == [early, late]


async def test_a_key_id_already_drawn_is_stale_in_any_account(storage: Storage) -> None:
    await commit(storage, Insert(make_key()))

    with pytest.raises(Stale):
        await commit(storage, Insert(make_key(account_id=OTHER_ACCOUNT)))


async def test_an_access_key_changes_and_goes(storage: Storage) -> None:
    before = make_key()
    switched = replace(before, status=KeyStatus.INACTIVE, sealed_secret=b"other")
    await commit(storage, Insert(before))

    await commit(storage, Update(before, switched))
    changed = await storage.access.access_key("MCkey")

    assert changed == replace(switched, version=2)
    with pytest.raises(Stale):
        await commit(storage, Delete(before))
    await commit(storage, RelyOn(changed), Delete(changed))
    assert await storage.access.access_key("MCkey") is None


async def test_accounts_come_oldest_first(storage: Storage) -> None:
    late, early = make_account(created_at=after(2)), make_account(OTHER_ACCOUNT, created_at=after(1))
    await commit(storage, Insert(late), Insert(early))

    assert await storage.access.accounts() == [early, late]
    assert await storage.access.account(ACCOUNT) == late
    assert await storage.access.account(MEMBER) is None


async def test_an_account_changes_and_goes(storage: Storage) -> None:
    before = make_account()
    await commit(storage, Insert(before))

    await commit(storage, Update(before, replace(before, name="renamed")))
    changed = await storage.access.account(ACCOUNT)

    assert changed == replace(before, name="renamed", version=2)
    with pytest.raises(Stale):
        await commit(storage, RelyOn(before))
    await commit(storage, RelyOn(changed), Delete(changed))
    assert await storage.access.account(ACCOUNT) is None
