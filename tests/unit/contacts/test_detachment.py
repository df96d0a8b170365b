"""What becomes of contacts when a folder goes, or a member moves, leaves or is deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts import errors
from message_contacts.changes import CountDown, Delete, Insert, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.contacts import detachment
from message_contacts.contacts.detachment import Belongings, FolderContents, Place
from message_contacts.contacts.model import Binding, ContactName, Deletion, DeletionState, DetachedContact, Slot
from message_contacts.directory.model import DeletedMember, MemberType
from message_contacts.errors import ApiError
from message_contacts.ids import RandomIds
from tests.factories import ACCOUNT, BY_PERSON, EMAIL, FROM_INBOX, PHONE, make_contact, make_directory
from tests.fakes.clock import START
from tests.unit.directory.values import MEMBER, ROOT, make_folder, make_lineage, make_member

NOW = Instant(START + 60_000)
DIRECTORY = make_directory()
LINEAGE = make_lineage(2)
FOLDER = LINEAGE[-1]
TARGET = make_folder(folder_id="fd-target", name="target")
HERE = make_member(folder_id=FOLDER.folder_id)
CLOUD = replace(HERE, type=MemberType.CLOUD_ACCOUNT)
VERIFIED = Slot(shown=EMAIL, verified=BY_PERSON)


def bound_to(*node_ids, **fields):
    return make_contact(bindings=tuple(Binding(node_id, START) for node_id in node_ids), **fields)


def a_copy(*node_ids, detached_at=START, **fields):
    return DetachedContact(
        **{
            "account_id": ACCOUNT,
            "detached_id": "dc-0000000000000001",
            "contact_id": "c-0000000000000009",
            "name": ContactName("Ann"),
            "title": make_contact().title,
            "message_types": make_contact().message_types,
            "email": EMAIL,
            "email_captured": False,
            "phone": None,
            "phone_captured": False,
            "node_ids": node_ids,
            "detached_at": detached_at,
            **fields,
        }
    )


def at(member, *, contacts=(), detached=(), lineage=LINEAGE, directory=DIRECTORY):
    return Place(directory=directory, member=member, lineage=lineage, contacts=contacts, detached=detached)


def move(place, destination=TARGET):
    return detachment.move_member(place, destination, now=NOW).changes


def remove(place):
    return detachment.remove_member(place, now=NOW, ids=RandomIds()).changes


def refused(call, *arguments):
    with pytest.raises(ApiError) as refusal:
        call(*arguments)
    return refusal.value.definition


# Folders


def contents(**fields):
    return FolderContents(**{"folder": FOLDER, "has_subfolders": False, "has_members": False, "contacts": (), **fields})


def test_a_deleted_folder_takes_its_bindings_along():
    contact = bound_to(ROOT.folder_id, FOLDER.folder_id)
    assert detachment.delete_folder(contents(contacts=[contact])).changes == (
        Update(contact, replace(contact, bindings=(Binding(ROOT.folder_id, START),))),
        Delete(FOLDER),
        CountDown(ACCOUNT, "folders"),
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"folder": None, "has_subfolders": True}, errors.ENTITY_NOT_EXISTS_FOLDER),
        ({"has_subfolders": True, "has_members": True}, errors.DELETE_CONFLICT_FOLDER_SUB_FOLDER),
        ({"has_members": True}, errors.DELETE_CONFLICT_FOLDER_ACCOUNT),
    ],
)
def test_delete_folder_refuses_one_that_is_missing_or_not_empty(fields, expected):
    assert refused(detachment.delete_folder, contents(**fields)) is expected


# Moves


def test_a_move_relies_on_the_directory_and_dates_the_new_place():
    moved = replace(HERE, folder_id=TARGET.folder_id, placed_at=NOW, modified_at=NOW)
    assert move(at(HERE)) == (RelyOn(DIRECTORY), Update(HERE, moved))


def test_a_move_to_where_the_member_is_changes_nothing_even_while_a_contact_is_being_taken_out():
    leaving = bound_to(FOLDER.folder_id, deletion=Deletion(DeletionState.DELETING))
    assert move(at(HERE, contacts=[leaving]), FOLDER) == (RelyOn(HERE),)


def test_a_move_is_refused_while_a_contact_of_the_present_folder_is_being_taken_out():
    leaving = bound_to(FOLDER.folder_id, deletion=Deletion(DeletionState.DELETING))
    assert refused(move, at(HERE, contacts=[leaving])) is errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH


@pytest.mark.parametrize("node_id", [MEMBER, ROOT.folder_id, DIRECTORY.directory_id])
def test_a_move_goes_on_while_a_contact_bound_elsewhere_is_being_taken_out(node_id):
    leaving = bound_to(node_id, deletion=Deletion(DeletionState.DELETING))
    assert RelyOn(leaving) not in move(at(HERE, contacts=[leaving]))


def test_a_move_goes_on_after_a_deletion_that_failed_and_relies_on_the_contact():
    stayed = bound_to(FOLDER.folder_id, deletion=Deletion(DeletionState.FAILED))
    assert RelyOn(stayed) in move(at(HERE, contacts=[stayed]))


@pytest.mark.parametrize("node_id", [DIRECTORY.directory_id, ROOT.folder_id, FOLDER.folder_id])
def test_a_moving_member_keeps_the_copies_that_reach_it(node_id):
    copy = a_copy(node_id, "fd-elsewhere")
    assert Update(copy, replace(copy, node_ids=(node_id, "fd-elsewhere", MEMBER))) in move(at(HERE, detached=[copy]))


def test_a_moving_member_gets_no_copy_that_is_older_than_its_place():
    copy = a_copy(FOLDER.folder_id, detached_at=Instant(START - 1))
    assert not any(isinstance(change, Update) and change.before == copy for change in move(at(HERE, detached=[copy])))


@pytest.mark.parametrize("node_ids", [("fd-elsewhere",), (FOLDER.folder_id, MEMBER)], ids=["elsewhere", "named"])
def test_a_moving_member_needs_no_copy_that_does_not_reach_it_or_names_it(node_ids):
    assert len(move(at(HERE, detached=[a_copy(*node_ids)]))) == 2


@pytest.mark.parametrize(
    ("place", "destination", "expected"),
    [
        (at(None, directory=None), None, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY),
        (at(None), None, errors.ENTITY_NOT_EXISTS_ACCOUNT),
        (at(HERE), None, errors.ENTITY_NOT_EXISTS_FOLDER),
    ],
)
def test_a_move_needs_directory_member_and_folder_in_this_order(place, destination, expected):
    assert refused(move, place, destination) is expected


# Removals


def test_a_removed_member_keeps_a_copy_of_every_contact_in_effect_for_it():
    direct = bound_to(MEMBER, email=VERIFIED)
    inherited = bound_to(
        DIRECTORY.directory_id,
        contact_id="c-0000000000000002",
        email=Slot(shown=EMAIL),
        phone=Slot(shown=PHONE, verified=FROM_INBOX),
    )
    relied, unbound, kept, first, second, *rest = remove(at(CLOUD, contacts=[direct, inherited]))
    assert relied == RelyOn(DIRECTORY)
    assert unbound == Update(direct, replace(direct, bindings=()))
    assert kept == RelyOn(inherited)
    assert rest == [Delete(CLOUD), CountDown(ACCOUNT, "members")]
    copies = [change.row for change in (first, second) if isinstance(change, Insert)]
    assert copies == [
        a_copy(
            MEMBER,
            detached_id=copies[0].detached_id,
            contact_id=direct.contact_id,
            name=direct.name,
            detached_at=NOW,
        ),
        a_copy(
            MEMBER,
            detached_id=copies[1].detached_id,
            contact_id=inherited.contact_id,
            name=inherited.name,
            detached_at=NOW,
            email=None,
            phone=PHONE,
            phone_captured=True,
        ),
    ]


def test_a_removed_member_keeps_nothing_of_a_contact_without_a_verified_address():
    contact = bound_to(FOLDER.folder_id)
    assert remove(at(CLOUD, contacts=[contact])) == (
        RelyOn(DIRECTORY),
        RelyOn(contact),
        Delete(CLOUD),
        CountDown(ACCOUNT, "members"),
    )


def test_a_removed_member_keeps_nothing_of_a_contact_that_is_being_taken_out_but_its_binding_goes():
    contact = bound_to(MEMBER, email=VERIFIED, deletion=Deletion(DeletionState.DELETING))
    changes = remove(at(CLOUD, contacts=[contact]))
    assert Update(contact, replace(contact, bindings=())) in changes
    assert not any(isinstance(change, Insert) for change in changes)


def test_a_removed_member_keeps_a_contact_whose_deletion_failed():
    contact = bound_to(MEMBER, email=VERIFIED, deletion=Deletion(DeletionState.FAILED))
    assert sum(isinstance(change, Insert) for change in remove(at(CLOUD, contacts=[contact]))) == 1


def test_a_removed_member_keeps_the_copies_that_reach_it():
    copy = a_copy(FOLDER.folder_id)
    assert Update(copy, replace(copy, node_ids=(FOLDER.folder_id, MEMBER))) in remove(at(CLOUD, detached=[copy]))


def test_a_resource_account_cannot_be_removed():
    assert refused(remove, at(HERE)) is errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (at(None, directory=None), errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY),
        (at(None), errors.ENTITY_NOT_EXISTS_ACCOUNT),
    ],
)
def test_a_removal_needs_directory_and_member(place, expected):
    assert refused(remove, place) is expected


# Deletion


def delete(member, *, contacts=(), detached=()):
    belongings = Belongings(member=member, contacts=contacts, detached=detached)
    return detachment.delete_member(belongings, now=NOW).changes


def test_a_deleted_member_goes_for_good_and_is_remembered():
    direct = bound_to(ROOT.folder_id, MEMBER)
    assert delete(HERE, contacts=[direct]) == (
        Update(direct, replace(direct, bindings=(Binding(ROOT.folder_id, START),))),
        Delete(HERE),
        CountDown(ACCOUNT, "members"),
        Insert(DeletedMember(account_id=ACCOUNT, member_id=MEMBER, deleted_at=NOW)),
    )


def test_copies_lose_the_deleted_member_and_go_when_nobody_else_keeps_them():
    shared, own = a_copy(MEMBER, "fd-elsewhere"), a_copy(MEMBER, detached_id="dc-0000000000000002")
    changes = delete(HERE, detached=[shared, own])
    assert changes[:2] == (Update(shared, replace(shared, node_ids=("fd-elsewhere",))), Delete(own))


@pytest.mark.parametrize(
    ("member", "expected"),
    [(None, errors.ENTITY_NOT_EXISTS_ACCOUNT), (CLOUD, errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH)],
)
def test_delete_member_refuses_one_that_is_missing_or_a_cloud_account(member, expected):
    assert refused(delete, member) is expected
