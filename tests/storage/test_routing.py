"""The tree, contacts and copies as routing reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest

from message_contacts.changes import Insert
from message_contacts.contacts.model import Binding
from message_contacts.delivery.ground import InEffect
from message_contacts.delivery.routing import Placed
from message_contacts.storage import Storage, open_sqlite
from message_contacts.storage import routing as statements
from tests.factories import ACCOUNT
from tests.fakes.clock import START, FakeClock
from tests.storage.making import (
    MEMBER,
    OTHER_ACCOUNT,
    ROOT,
    after,
    commit,
    make_copy,
    make_folder,
    make_member,
    named_contact,
    plant,
)

DIRECTORY = "rd-AbCdEf"
FOLDERS = [f"fd-000000000{level}" for level in range(1, 6)]
OTHER_FOLDER = "fd-other"


def bound(number: int, *nodes: str) -> Any:
    return named_contact(number, bindings=tuple(Binding(node, START) for node in nodes))


async def plant_deep(storage: Storage, *rows: object) -> None:
    """Five folders, each in the one before, with a member in the last; one more folder in Root."""
    parents = [ROOT, *FOLDERS[:-1]]
    await plant(
        storage,
        *(make_folder(folder, parent_id=parent) for folder, parent in zip(FOLDERS, parents, strict=True)),
        make_folder(OTHER_FOLDER),
        make_member(folder_id=FOLDERS[-1], placed_at=after(7)),
        *rows,
    )


async def in_effect(storage: Storage, node_id: str, **page: Any) -> InEffect:
    found = await storage.routing.in_effect(ACCOUNT, node_id, **{"after": None, "limit": 100, **page})
    assert found is not None
    return found


def ids(found: InEffect) -> Sequence[str]:
    return [contact.contact_id for contact in found.contacts] + [copy.detached_id for copy in found.copies]


async def test_what_reaches_a_member_is_bound_to_it_or_to_anything_above_it(storage: Storage) -> None:
    contacts = [bound(number, node) for number, node in enumerate([MEMBER, *FOLDERS, ROOT, DIRECTORY])]
    twice, elsewhere, nowhere = bound(20, MEMBER, ROOT), bound(21, OTHER_FOLDER), bound(22)
    await plant_deep(storage, *contacts, twice, elsewhere, nowhere)

    found = await in_effect(storage, MEMBER)

    assert found.inherited == (DIRECTORY, ROOT, *FOLDERS)
    assert found.placed_at == after(7)
    assert list(found.contacts) == [*contacts, twice]
    assert found.next_after is None


async def test_what_reaches_a_folder_is_bound_to_it_or_above_it_and_no_copies(storage: Storage) -> None:
    here, above, below = bound(1, FOLDERS[1]), bound(2, FOLDERS[0], DIRECTORY), bound(3, FOLDERS[2], MEMBER)
    await plant_deep(storage, here, above, below, make_copy(node_ids=(FOLDERS[1],)))

    found = await in_effect(storage, FOLDERS[1])

    assert (found.inherited, found.placed_at) == ((DIRECTORY, ROOT, *FOLDERS[:2]), None)
    assert (list(found.contacts), list(found.copies)) == ([here, above], [])


async def test_copies_that_name_a_member_or_anything_above_it_come_behind_the_contacts(storage: Storage) -> None:
    copies = [
        make_copy(f"dc-{number}", node_ids=nodes)
        for number, nodes in enumerate([(MEMBER, ROOT), (FOLDERS[4],), (DIRECTORY,), (OTHER_FOLDER,), ()])
    ]
    await plant_deep(storage, bound(1, ROOT), *copies)

    found = await in_effect(storage, MEMBER)

    assert ids(found) == ["c-0000000000000001", "dc-0", "dc-1", "dc-2"]
    assert list(found.copies) == copies[:3]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
async def test_pages_of_any_size_bring_everybody_once(storage: Storage, limit: int) -> None:
    contacts = [bound(number, MEMBER, ROOT) for number in range(3)]
    copies = [make_copy(f"dc-{number}", node_ids=(MEMBER, ROOT)) for number in range(2)]
    await plant_deep(storage, *contacts, *copies)
    found: list[str] = []
    last: str | None = None
    while True:
        page = await in_effect(storage, MEMBER, after=last, limit=limit)
        assert len(ids(page)) <= limit
        found += ids(page)
        last = page.next_after
        if last is None:
            break

    assert found == [*(contact.contact_id for contact in contacts), "dc-0", "dc-1"]


async def test_nothing_reaches_what_is_not_there_or_another_tenants(storage: Storage) -> None:
    await plant_deep(storage, make_copy(node_ids=("2000000000000009",)))

    assert await storage.routing.in_effect(ACCOUNT, "2000000000000009", after=None, limit=9) is None
    assert await storage.routing.in_effect(ACCOUNT, "fd-nowhere", after=None, limit=9) is None
    assert await storage.routing.in_effect(OTHER_ACCOUNT, MEMBER, after=None, limit=9) is None
    assert await storage.routing.in_effect(OTHER_ACCOUNT, ROOT, after=None, limit=9) is None


async def test_the_folder_tree_knows_when_the_oldest_member_of_each_folder_came(storage: Storage) -> None:
    await plant_deep(
        storage,
        *(
            make_member(f"20000000000000{number}", folder_id=OTHER_FOLDER, placed_at=after(number))
            for number in (30, 20)
        ),
    )

    tree = await storage.routing.folder_tree(ACCOUNT)

    assert tree is not None
    assert tree.lineages[FOLDERS[4]] == (DIRECTORY, ROOT, *FOLDERS)
    assert tree.oldest == {FOLDERS[4]: after(7), OTHER_FOLDER: after(20)}
    assert await storage.routing.folder_tree(OTHER_ACCOUNT) is None


async def test_any_number_of_members_is_found_where_they_are(storage: Storage) -> None:
    members = [make_member(f"30000000000000{number:02d}", placed_at=after(number)) for number in range(40)]
    await plant(storage, *members)
    wanted = [member.member_id for member in members[:35]]

    assert await storage.routing.placed(ACCOUNT, [*wanted, "2999999999999999"]) == {
        member.member_id: Placed(ROOT, member.placed_at) for member in members[:35]
    }
    assert await storage.routing.display_names(ACCOUNT, wanted[:2]) == {
        member.member_id: member.display_name for member in members[:2]
    }
    assert await storage.routing.placed(ACCOUNT, []) == {}
    assert await storage.routing.placed(OTHER_ACCOUNT, wanted) == {}


async def test_all_contacts_come_by_id(storage: Storage) -> None:
    contacts = [named_contact(number) for number in range(5)]
    await plant(storage, *reversed(contacts))

    assert await storage.routing.contacts_after(ACCOUNT, None, limit=2) == contacts[:2]
    assert await storage.routing.contacts_after(ACCOUNT, contacts[1].contact_id, limit=9) == contacts[2:]
    assert await storage.routing.contacts_after(OTHER_ACCOUNT, None, limit=9) == []


async def test_the_copies_of_one_contact_come_by_id(storage: Storage) -> None:
    copies = [make_copy(f"dc-{number}", contact_id="c-one") for number in range(3)]
    await commit(storage, *(Insert(copy) for copy in [*reversed(copies), make_copy("dc-9", contact_id="c-two")]))

    assert await storage.routing.copies_of(ACCOUNT, "c-one") == copies
    assert await storage.routing.copies_of(OTHER_ACCOUNT, "c-one") == []


async def test_the_ground_is_all_that_decides_who_is_reached(storage: Storage) -> None:
    here, unbound, copy = bound(1, MEMBER), bound(2), make_copy(node_ids=(ROOT,))
    await plant_deep(storage, here, unbound, copy)

    ground = await storage.routing.ground(ACCOUNT)

    assert ground is not None
    assert ground.tree.lineages[OTHER_FOLDER] == (DIRECTORY, ROOT, OTHER_FOLDER)
    assert ground.tree.oldest == {FOLDERS[4]: after(7)}
    assert ground.members == {MEMBER: Placed(FOLDERS[4], after(7))}
    assert (ground.contacts, ground.copies) == ([here], [copy])
    assert await storage.routing.ground(OTHER_ACCOUNT) is None


async def test_what_reaches_a_member_costs_the_same_in_a_small_and_a_large_directory(
    database_path: Path, clock: FakeClock
) -> None:
    """Counted in steps of SQLite's machine, which do not depend on how busy this one is."""
    with open_sqlite(database_path, clock) as storage:
        await look_at_a_growing_directory(storage, database_path)


async def look_at_a_growing_directory(storage: Storage, database_path: Path) -> None:
    await plant_deep(storage, bound(0, MEMBER), bound(1, FOLDERS[2]), bound(2, DIRECTORY))
    taken = []
    for several in (range(10, 60), range(60, 300), range(300, 550), range(550, 800)):
        await commit(
            storage,
            *(
                row
                for number in several
                for row in (
                    Insert(make_member(f"3{number:015d}", folder_id=FOLDERS[number % 5])),
                    Insert(bound(number, f"3{number:015d}", OTHER_FOLDER)),
                    Insert(make_copy(f"dc-{number:06d}", node_ids=(f"3{number:015d}",))),
                )
            ),
        )
        taken.append(steps(database_path))

    assert taken == [taken[0]] * 4


def steps(path: Path) -> int:
    """Steps of the machine that `in_effect` takes for the member."""
    connection = apsw.Connection(str(path))
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    taken = []
    connection.trace_v2(
        apsw.SQLITE_TRACE_PROFILE, lambda event: taken.append(event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"])
    )
    connection.execute(statements.LINEAGE_OF_NODE, (ACCOUNT, MEMBER)).fetchall()
    for sql in (statements.CONTACTS_IN_EFFECT, statements.COPIES_IN_EFFECT):
        connection.execute(sql, (ACCOUNT, DIRECTORY, ROOT, *FOLDERS, MEMBER, "", 51)).fetchall()
    connection.trace_v2(0, None)
    connection.close()
    assert len(taken) == 3
    return sum(taken)
