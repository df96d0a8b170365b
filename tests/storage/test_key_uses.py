from __future__ import annotations

import asyncio

from message_contacts.changes import Delete, Insert
from message_contacts.clock import Instant
from message_contacts.storage import Storage, open_postgres
from tests.factories import ACCOUNT
from tests.fakes.clock import FakeClock
from tests.storage.making import commit, make_key


async def test_the_latest_use_is_kept(storage: Storage) -> None:
    key = make_key()
    await commit(storage, Insert(key))
    assert await storage.key_uses.last_uses(ACCOUNT) == {}
    await storage.key_uses.note_uses({key.access_key_id: Instant(7)})
    await storage.key_uses.note_uses({key.access_key_id: Instant(5)})
    assert await storage.key_uses.last_uses(ACCOUNT) == {key.access_key_id: 7}
    assert await storage.key_uses.last_use(ACCOUNT, key.access_key_id) == 7
    assert await storage.key_uses.last_use(ACCOUNT, "another") is None


async def test_a_key_that_is_gone_leaves_no_use_and_is_not_in_the_way(storage: Storage) -> None:
    key = make_key()
    await commit(storage, Insert(key))
    await storage.key_uses.note_uses({key.access_key_id: Instant(7)})
    await commit(storage, Delete(key))
    assert await storage.key_uses.last_uses(ACCOUNT) == {}
    await storage.key_uses.note_uses({key.access_key_id: Instant(8), "never there": Instant(8)})
    assert await storage.key_uses.last_uses(ACCOUNT) == {}


async def test_many_uses_are_noted_at_once(storage: Storage) -> None:
    keys = [make_key(f"key{number}") for number in range(1200)]
    await commit(storage, *(Insert(key) for key in keys))
    await storage.key_uses.note_uses({key.access_key_id: Instant(1) for key in keys})
    assert len(await storage.key_uses.last_uses(ACCOUNT)) == 1200


async def test_two_processes_that_note_the_same_keys_are_not_in_each_others_way(postgres_url: str) -> None:
    keys = [make_key(f"key{number}") for number in range(1000)]
    storages = [open_postgres(postgres_url, FakeClock()) for _ in range(2)]
    try:
        await commit(storages[0], *(Insert(key) for key in keys))
        for moment in range(1, 4):
            await asyncio.gather(
                storages[0].key_uses.note_uses({key.access_key_id: Instant(moment) for key in keys}),
                storages[1].key_uses.note_uses({key.access_key_id: Instant(moment) for key in reversed(keys)}),
            )
            assert set((await storages[0].key_uses.last_uses(ACCOUNT)).values()) == {moment}
    finally:
        for storage in storages:
            await storage.finish()
            storage.close()
