"""Every race we thought about, made to happen: the other side wins between a decision and its commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from message_contacts import errors
from message_contacts.changes import Cause, Change, Decision, Delete, Insert, RelyOn, Seam, Settler, Update
from message_contacts.contacts.model import Binding, Contact, Title
from message_contacts.directory.model import Folder, Member
from message_contacts.errors import ApiError
from message_contacts.storage import Storage
from tests.factories import ACCOUNT, make_contact
from tests.fakes.clock import START, FakeClock
from tests.storage.making import MEMBER, commit, make_folder, make_member, named_contact, plant

FOLDER = make_folder()
CONTACT = make_contact()


class Overtaking(Seam):
    """Lets the other side commit after the first decision."""

    def __init__(self, overtake: Callable[[], Awaitable[None]]) -> None:
        self._overtake = overtake
        self.decisions = 0

    async def decided(self) -> None:
        self.decisions += 1
        if self.decisions == 1:
            await self._overtake()


async def settle(
    storage: Storage,
    clock: FakeClock,
    read: Callable[[], Awaitable[object]],
    decide: Callable[[object], tuple[Change, ...]],
    overtake: Callable[[], Awaitable[None]],
) -> int:
    """Decide and commit while the other side overtakes; how many decisions it took."""
    seam = Overtaking(overtake)
    settler = Settler(storage.committer, clock, seam=seam)
    await settler.settle(read, lambda found: Decision(decide(found), None), cause=Cause(operation="test"))
    return seam.decisions


async def contact_now(storage: Storage) -> Contact:
    found = await storage.contacts.contact(ACCOUNT, CONTACT.contact_id)
    assert found is not None
    return found


async def test_of_two_updates_the_later_decides_again_on_what_the_first_left(
    storage: Storage, other: Storage, clock: FakeClock
) -> None:
    await plant(storage, CONTACT)

    decisions = await settle(
        storage,
        clock,
        lambda: contact_now(storage),
        lambda found: (Update(found, replace(found, title=Title.OTHER)),),  # type: ignore[type-var]
        lambda: commit(other, Update(CONTACT, replace(CONTACT, email=replace(CONTACT.email, verification_id="v")))),
    )

    found = await contact_now(storage)
    assert (decisions, found.title, found.email.verification_id, found.version) == (2, Title.OTHER, "v", 3)


async def test_binding_to_a_folder_that_is_just_deleted_finds_it_gone(
    storage: Storage, other: Storage, clock: FakeClock
) -> None:
    await plant(storage, CONTACT, FOLDER)

    def bind(folder: object) -> tuple[Change, ...]:
        if folder is None:
            raise errors.INVALID_MEMBER()
        return (Update(CONTACT, replace(CONTACT, bindings=(Binding(FOLDER.folder_id, START),))),)

    with pytest.raises(ApiError, match="InvalidMember"):
        await settle(
            storage,
            clock,
            lambda: storage.directory.folder(ACCOUNT, FOLDER.folder_id),
            bind,
            lambda: commit(other, Delete(FOLDER)),
        )

    assert (await contact_now(storage)).bindings == ()


async def test_deleting_a_folder_that_was_just_bound_unbinds_it_too(
    storage: Storage, other: Storage, clock: FakeClock
) -> None:
    await plant(storage, CONTACT, FOLDER)
    bound = replace(CONTACT, bindings=(Binding(FOLDER.folder_id, START),))

    def delete(contacts: object) -> tuple[Change, ...]:
        unbound = tuple(Update(contact, replace(contact, bindings=())) for contact in contacts)  # type: ignore[attr-defined]
        return (*unbound, Delete(FOLDER))

    decisions = await settle(
        storage,
        clock,
        lambda: storage.contacts.contacts_bound_to(ACCOUNT, [FOLDER.folder_id]),
        delete,
        lambda: commit(other, Update(CONTACT, bound)),
    )

    assert decisions == 2
    assert await storage.directory.folder(ACCOUNT, FOLDER.folder_id) is None
    assert (await contact_now(storage)).bindings == ()


@pytest.mark.parametrize(
    "moved_in",
    [make_member(folder_id=FOLDER.folder_id), make_folder("fd-0000000002", parent_id=FOLDER.folder_id)],
    ids=["member", "folder"],
)
async def test_deleting_a_folder_that_just_got_something_in_it_is_decided_again(
    storage: Storage, other: Storage, clock: FakeClock, moved_in: Member | Folder
) -> None:
    await plant(storage, FOLDER)

    async def occupied() -> object:
        directory = storage.directory
        return await directory.has_members(ACCOUNT, FOLDER.folder_id) or await directory.has_subfolders(
            ACCOUNT, FOLDER.folder_id
        )

    def delete(occupied: object) -> tuple[Change, ...]:
        if occupied:
            raise errors.CONCURRENT_CALL_NOT_SUPPORTED()
        return (Delete(FOLDER),)

    with pytest.raises(ApiError):
        await settle(storage, clock, occupied, delete, lambda: commit(other, Insert(moved_in)))

    assert await storage.directory.folder(ACCOUNT, FOLDER.folder_id) == FOLDER


async def test_moving_a_member_into_a_folder_that_is_just_deleted_does_not_happen(
    storage: Storage, other: Storage, clock: FakeClock
) -> None:
    member = make_member()
    await plant(storage, member, FOLDER)

    def move(folder: object) -> tuple[Change, ...]:
        if folder is None:
            raise errors.INVALID_MEMBER()
        return (Update(member, replace(member, folder_id=FOLDER.folder_id)),)

    with pytest.raises(ApiError):
        await settle(
            storage,
            clock,
            lambda: storage.directory.folder(ACCOUNT, FOLDER.folder_id),
            move,
            lambda: commit(other, Delete(FOLDER)),
        )

    assert await storage.directory.member(ACCOUNT, MEMBER) == member


async def test_a_decision_that_relied_on_a_row_is_made_again_when_that_row_changed(
    storage: Storage, other: Storage, clock: FakeClock
) -> None:
    await plant(storage, FOLDER)

    decisions = await settle(
        storage,
        clock,
        lambda: storage.directory.folder(ACCOUNT, FOLDER.folder_id),
        lambda folder: (RelyOn(folder), Insert(make_member())),
        lambda: commit(other, Update(FOLDER, replace(FOLDER, name="renamed"))),
    )

    assert decisions == 2
    assert await storage.directory.member(ACCOUNT, MEMBER) == make_member()


async def test_of_two_contacts_with_one_name_the_later_is_refused(
    storage: Storage, other: Storage, clock: FakeClock
) -> None:
    await plant(storage)
    first, second = named_contact(1), named_contact(2, name=named_contact(1).name)

    async def nothing() -> None:
        return None

    with pytest.raises(ApiError, match="AlreadyUsed"):
        await settle(storage, clock, nothing, lambda _: (Insert(second),), lambda: commit(other, Insert(first)))


async def test_a_contact_added_to_a_directory_that_is_just_destroyed_is_not_left_behind(
    storage: Storage, other: Storage, clock: FakeClock
) -> None:
    await plant(storage)
    directory = await storage.directory.directory(ACCOUNT)
    root = await storage.directory.folder(ACCOUNT, "r-AbCdEf")

    def add(directory: object) -> tuple[Change, ...]:
        if directory is None:
            raise errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY()
        return (Insert(CONTACT),)

    with pytest.raises(ApiError, match="EntityNotExists"):
        await settle(
            storage,
            clock,
            lambda: storage.directory.directory(ACCOUNT),
            add,
            lambda: commit(other, Delete(root), Delete(directory)),
        )

    assert await storage.contacts.contact(ACCOUNT, CONTACT.contact_id) is None
