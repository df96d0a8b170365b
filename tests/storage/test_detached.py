from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.changes import Delete, Insert, Stale, Update
from message_contacts.contacts.model import DetachedContact, EmailAddress
from message_contacts.storage import Storage
from tests.factories import ACCOUNT, PHONE
from tests.storage.making import MEMBER, OTHER_ACCOUNT, ROOT, after, commit, make_copy


@pytest.mark.parametrize(
    "copy",
    [
        make_copy(),
        make_copy(node_ids=(MEMBER, ROOT, "fd-0000000001"), phone=PHONE, phone_captured=True, email_captured=True),
        make_copy(email=None, node_ids=()),
    ],
    ids=["plain", "everything", "nobody"],
)
async def test_a_detached_copy_is_read_as_it_was_written(storage: Storage, copy: DetachedContact) -> None:
    """It needs no directory: it outlives it."""
    await commit(storage, Insert(copy))

    assert await storage.contacts.detached_contact(ACCOUNT, copy.detached_id) == copy
    assert await storage.contacts.detached_contact(OTHER_ACCOUNT, copy.detached_id) is None


async def test_an_update_of_a_detached_copy_changes_where_it_is_found(storage: Storage) -> None:
    copy = make_copy(node_ids=(ROOT, MEMBER))
    changed = replace(copy, node_ids=("fd-0000000001",), email=EmailAddress("tom@example.org"))
    await commit(storage, Insert(copy))

    await commit(storage, Update(copy, changed))

    assert await storage.contacts.detached_contacts(ACCOUNT, [ROOT, MEMBER]) == []
    assert await storage.contacts.detached_contacts(ACCOUNT, ["fd-0000000001"]) == [replace(changed, version=2)]
    with pytest.raises(Stale):
        await commit(storage, Update(copy, changed))


async def test_a_deleted_detached_copy_is_gone_with_its_nodes(storage: Storage) -> None:
    await commit(storage, Insert(make_copy()))

    await commit(storage, Delete(make_copy()))

    assert await storage.contacts.detached_contacts(ACCOUNT, [ROOT]) == []
    await commit(storage, Insert(make_copy()))


async def test_detached_copies_of_many_nodes_come_once_each_oldest_first(storage: Storage) -> None:
    nodes = [f"fd-00000000{number:02d}" for number in range(20)]
    early = make_copy("dc-0000000000000002", node_ids=(nodes[0], nodes[19]), detached_at=after(1))
    late = make_copy("dc-0000000000000001", node_ids=(nodes[0],), detached_at=after(2))
    await commit(storage, Insert(late), Insert(early), Insert(make_copy("dc-0000000000000003")))

    assert await storage.contacts.detached_contacts(ACCOUNT, nodes) == [early, late]


async def test_a_page_of_detached_copies_goes_by_id(storage: Storage) -> None:
    copies = [make_copy(f"dc-{number:016d}") for number in range(5)]
    await commit(storage, *(Insert(copy) for copy in copies))

    assert await storage.contacts.detached_page(ACCOUNT, after=None, limit=2) == copies[:2]
    assert await storage.contacts.detached_page(ACCOUNT, after=copies[1].detached_id, limit=9) == copies[2:]
    assert await storage.contacts.detached_page(OTHER_ACCOUNT, after=None, limit=9) == []
