from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.changes import Delete, Insert, RelyOn, Stale, Update
from message_contacts.clock import Instant
from message_contacts.contacts.model import (
    Binding,
    Contact,
    ContactName,
    Deletion,
    DeletionState,
    MessageType,
    Slot,
    Title,
    WithdrawalFailure,
)
from message_contacts.errors import ApiError
from message_contacts.storage import Storage
from tests.factories import ACCOUNT, BY_PERSON, EMAIL, FROM_INBOX, OTHER_EMAIL, OTHER_PHONE, PHONE, make_contact
from tests.fakes.clock import START
from tests.storage.making import (
    MEMBER,
    OTHER_ACCOUNT,
    ROOT,
    after,
    commit,
    make_folder,
    make_member,
    named_contact,
    other_directory,
    plant,
)

FULL = make_contact(
    name=ContactName("张三丰"),
    title=Title.OTHER,
    message_types=(MessageType.PRODUCT_MESSAGE, MessageType.SECURITY_MESSAGE, MessageType.ACTIVITY_MESSAGE),
    email=Slot(shown=EMAIL, verified=BY_PERSON, waiting=OTHER_EMAIL, verification_id="verify0001"),
    phone=Slot(shown=PHONE, verified=FROM_INBOX, waiting=OTHER_PHONE, verification_id="verify0002"),
    bindings=(Binding("rd-AbCdEf", START), Binding(ROOT, START), Binding(MEMBER, after(5))),
    deletion=Deletion(
        DeletionState.FAILED,
        (WithdrawalFailure(MEMBER, (MessageType.ACCOUNT_EXPENSES, MessageType.SECURITY_MESSAGE)),),
    ),
)


@pytest.mark.parametrize("contact", [make_contact(), FULL], ids=["plain", "everything"])
async def test_a_contact_is_read_as_it_was_written(storage: Storage, contact: Contact) -> None:
    await plant(storage, make_member(), contact)

    assert await storage.contacts.contact(ACCOUNT, contact.contact_id) == contact


async def test_a_contact_of_another_tenant_is_not_found(storage: Storage) -> None:
    await plant(storage, make_contact())

    assert await storage.contacts.contact(OTHER_ACCOUNT, "c-0000000000000001") is None


@pytest.mark.parametrize(("before", "changed"), [(make_contact(), FULL), (FULL, make_contact())], ids=["fill", "empty"])
async def test_an_update_writes_every_field_and_raises_the_version(
    storage: Storage, before: Contact, changed: Contact
) -> None:
    await plant(storage, make_member(), before)

    await commit(storage, Update(before, changed))

    assert await storage.contacts.contact(ACCOUNT, before.contact_id) == replace(changed, version=2)


async def test_an_update_of_a_contact_changed_since_it_was_read_is_stale(storage: Storage) -> None:
    await plant(storage, make_contact())
    read = await storage.contacts.contact(ACCOUNT, "c-0000000000000001")
    assert read is not None
    await commit(storage, Update(read, replace(read, title=Title.OTHER)))

    with pytest.raises(Stale):
        await commit(storage, Update(read, replace(read, title=Title.FINANCE_DIRECTOR)))
    with pytest.raises(Stale):
        await commit(storage, Delete(read))
    with pytest.raises(Stale):
        await commit(storage, RelyOn(read))

    found = await storage.contacts.contact(ACCOUNT, "c-0000000000000001")
    assert found is not None
    assert (found.title, found.version) == (Title.OTHER, 2)


async def test_relying_on_a_contact_as_it_is_changes_nothing(storage: Storage) -> None:
    await plant(storage, make_contact())

    await commit(storage, RelyOn(make_contact()))

    assert await storage.contacts.contact(ACCOUNT, "c-0000000000000001") == make_contact()


async def test_an_update_that_changes_the_key_is_a_bug(storage: Storage) -> None:
    with pytest.raises(ValueError, match="changes the key"):
        await commit(storage, Update(make_contact(), make_contact(contact_id="c-0000000000000002")))


async def test_bindings_keep_their_order_whatever_is_taken_out_and_added(storage: Storage) -> None:
    folders = [make_folder(f"fd-000000000{number}") for number in range(4)]
    first, second, third, fourth = (Binding(folder.folder_id, START) for folder in folders)
    await plant(storage, *folders, make_contact(bindings=(third, first)))
    before = make_contact(bindings=(third, first))

    await commit(storage, Update(before, replace(before, bindings=(first, fourth, second))))

    found = await storage.contacts.contact(ACCOUNT, before.contact_id)
    assert found is not None
    assert found.bindings == (first, fourth, second)
    assert await storage.contacts.contacts_bound_to(ACCOUNT, [third.node_id]) == []
    assert await storage.contacts.contacts_bound_to(ACCOUNT, [fourth.node_id]) == [found]


async def test_a_deleted_contact_takes_its_bindings_along(storage: Storage) -> None:
    contact = make_contact(bindings=(Binding(ROOT, START),))
    await plant(storage, contact)

    await commit(storage, Delete(contact))

    assert await storage.contacts.contact(ACCOUNT, contact.contact_id) is None
    page, total = await storage.contacts.contact_page(ACCOUNT, contact_id=None, node_id=ROOT, offset=0, limit=10)
    assert (page, total) == ([], 0)


@pytest.mark.parametrize("node_id", ["fd-0000000009", "2000000000000009"])
async def test_binding_to_a_node_that_is_gone_is_stale(storage: Storage, node_id: str) -> None:
    await plant(storage)

    with pytest.raises(Stale):
        await commit(storage, Insert(make_contact(bindings=(Binding(node_id, START),))))

    assert await storage.contacts.contact(ACCOUNT, "c-0000000000000001") is None


async def test_a_contact_without_a_directory_is_stale(storage: Storage) -> None:
    with pytest.raises(Stale):
        await commit(storage, Insert(make_contact()))


async def test_a_name_already_used_in_the_directory_is_refused(storage: Storage) -> None:
    await plant(storage, named_contact(1))

    with pytest.raises(ApiError) as refused:
        await commit(storage, Insert(named_contact(2, name=named_contact(1).name)))

    assert refused.value.definition.code == "InvalidParameter.Name.AlreadyUsed"


async def test_the_same_name_in_another_case_or_tenant_is_another_name(storage: Storage) -> None:
    await plant(storage, named_contact(1, name=ContactName("tom")))
    await commit(storage, Insert(other_directory()))

    await commit(storage, Insert(named_contact(2, name=ContactName("Tom"))))
    await commit(storage, Insert(named_contact(1, name=ContactName("tom"), account_id=OTHER_ACCOUNT)))


async def test_a_contact_id_already_drawn_is_stale(storage: Storage) -> None:
    await plant(storage, named_contact(1))

    with pytest.raises(Stale):
        await commit(storage, Insert(named_contact(1, name=ContactName("other"))))


async def test_a_page_goes_by_creation_date_then_id_and_counts_all(storage: Storage) -> None:
    contacts = [named_contact(number, created_at=Instant(START + number // 2)) for number in range(7)]
    await plant(storage, *reversed(contacts))
    await commit(storage, Insert(other_directory()))
    await commit(storage, Insert(named_contact(1, account_id=OTHER_ACCOUNT)))

    async def page(offset: int) -> tuple[list[Contact], int]:
        found, total = await storage.contacts.contact_page(
            ACCOUNT, contact_id=None, node_id=None, offset=offset, limit=3
        )
        return list(found), total

    assert await page(0) == (contacts[:3], 7)
    assert await page(6) == (contacts[6:], 7)
    assert await page(9) == ([], 7)


async def test_a_page_of_a_node_has_only_those_bound_directly_to_it(storage: Storage) -> None:
    folder = make_folder()
    to_root = [named_contact(number, bindings=(Binding(ROOT, START),)) for number in (1, 2, 3)]
    to_both = named_contact(4, bindings=(Binding(folder.folder_id, START), Binding(ROOT, START)))
    await plant(storage, folder, *to_root, to_both, named_contact(5))

    of_root = await storage.contacts.contact_page(ACCOUNT, contact_id=None, node_id=ROOT, offset=2, limit=9)
    of_folder = await storage.contacts.contact_page(
        ACCOUNT, contact_id=None, node_id=folder.folder_id, offset=0, limit=9
    )

    assert of_root == ([to_root[2], to_both], 4)
    assert of_folder == ([to_both], 1)


@pytest.mark.parametrize(
    ("contact_id", "node_id", "offset", "found"),
    [
        ("c-0000000000000001", None, 0, True),
        ("c-0000000000000001", ROOT, 0, True),
        ("c-0000000000000001", "rd-AbCdEf", 0, False),
        ("c-0000000000000009", None, 0, False),
    ],
)
async def test_a_page_of_one_contact_also_asks_for_its_node(
    storage: Storage, contact_id: str, node_id: str | None, offset: int, found: bool
) -> None:
    contact = named_contact(1, bindings=(Binding(ROOT, START),))
    await plant(storage, contact)

    page = await storage.contacts.contact_page(ACCOUNT, contact_id=contact_id, node_id=node_id, offset=offset, limit=10)

    assert page == (([contact], 1) if found else ([], 0))


async def test_a_page_behind_the_one_contact_is_empty_and_counts_it(storage: Storage) -> None:
    await plant(storage, named_contact(1))

    page = await storage.contacts.contact_page(
        ACCOUNT, contact_id="c-0000000000000001", node_id=None, offset=10, limit=10
    )

    assert page == ([], 1)


async def test_contacts_bound_to_many_nodes_come_once_each_oldest_first(storage: Storage) -> None:
    """More nodes than one statement looks for."""
    folders = [make_folder(f"fd-00000000{number:02d}") for number in range(20)]
    early = named_contact(1, bindings=(Binding("fd-0000000019", START), Binding("fd-0000000000", START)))
    late = named_contact(2, bindings=(Binding("fd-0000000000", START),))
    await plant(storage, *folders, late, early, named_contact(3))

    assert await storage.contacts.contacts_bound_to(ACCOUNT, [folder.folder_id for folder in folders]) == [early, late]
    assert await storage.contacts.contacts_bound_to(ACCOUNT, ["fd-0000000019"]) == [early]
    assert await storage.contacts.contacts_bound_to(ACCOUNT, []) == []
