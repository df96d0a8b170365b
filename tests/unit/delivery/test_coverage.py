"""Coverage of a whole directory, held against each member on its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from message_contacts.changes import CountDown, Delete, Insert, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.contacts.model import (
    Binding,
    Contact,
    ContactName,
    DetachedContact,
    MessageType,
    Slot,
)
from message_contacts.delivery.candidates import contact_candidates, copy_candidates
from message_contacts.delivery.coverage import TYPES, Coverage, Loss, changed, losses
from message_contacts.delivery.ground import Ground
from message_contacts.delivery.routing import FolderTree, Placed, contact_reasons, copy_reasons, scope_of_member
from message_contacts.delivery.rules import Asked, Circumstances, Severity, Word, judge_standing
from tests.factories import BY_PERSON, EMAIL, PHONE, make_contact
from tests.fakes.clock import START
from tests.storage.making import after, make_copy, make_member

DIRECTORY, ROOT = "rd-AbCdEf", "r-AbCdEf"
FOLDERS = {ROOT: None, "fd-a": ROOT, "fd-b": "fd-a", "fd-c": ROOT}
MEMBERS = [f"20000000000000{number:02d}" for number in range(6)]
NODES = [DIRECTORY, *FOLDERS, *MEMBERS, "2000000000000099"]
NOTHING = Circumstances()
SECURITY, FAULT = MessageType.SECURITY_MESSAGE, MessageType.FAULT_MESSAGE


def ground(**parts: Any) -> Ground:
    return Ground(
        **{
            "tree": FolderTree(DIRECTORY, FOLDERS),
            "members": {member_id: Placed(ROOT, START) for member_id in MEMBERS[:2]},
            "contacts": (),
            "copies": (),
            **parts,
        }
    )


def tom(*nodes: str, **fields: Any) -> Contact:
    return make_contact(
        email=Slot(shown=EMAIL, verified=BY_PERSON),
        bindings=tuple(Binding(node, START) for node in nodes),
        **fields,
    )


def counts(coverage: Coverage) -> dict[str, dict[MessageType, int]]:
    return {
        entry.member_id: {kind: count for kind, count in zip(TYPES, entry.counts, strict=True) if count}
        for entry in coverage.members()
    }


some_nodes = st.lists(st.sampled_from(NODES), max_size=3, unique=True)
some_types = st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True).map(tuple)
instants = st.integers(0, 20).map(lambda ms: Instant(START + ms))
slots = st.sampled_from([Slot(shown=EMAIL), Slot(shown=EMAIL, verified=BY_PERSON)])
phones = st.sampled_from([Slot(), Slot(shown=PHONE), Slot(shown=PHONE, verified=BY_PERSON)])


@st.composite
def grounds(draw: st.DrawFn) -> Ground:
    contacts = [
        make_contact(
            contact_id=f"c-{number:016d}",
            name=ContactName(f"contact {number}"),
            email=draw(slots),
            phone=draw(phones),
            message_types=draw(some_types),
            bindings=tuple(Binding(node, START) for node in draw(some_nodes)),
        )
        for number in range(draw(st.integers(0, 5)))
    ]
    copies = [
        make_copy(
            f"dc-{number:016d}",
            message_types=draw(some_types),
            node_ids=tuple(draw(some_nodes)),
            detached_at=draw(instants),
        )
        for number in range(draw(st.integers(0, 5)))
    ]
    members = {member_id: Placed(draw(st.sampled_from(list(FOLDERS))), draw(instants)) for member_id in MEMBERS}
    return ground(members=members, contacts=contacts, copies=copies)


def one_by_one(place: Ground, member_id: str, message_type: MessageType, severity: Severity | None) -> set[str]:
    """Contacts and copies reached for a member, worked out for it alone."""
    placed = place.members[member_id]
    scope = scope_of_member(place.tree.lineage(placed.folder_id), member_id, placed.placed_at)
    asked = Asked(message_type=message_type, severity=severity)
    candidates = [
        candidate
        for contact in place.contacts
        for candidate in contact_candidates(contact, contact_reasons(scope, contact, {}))
    ] + [candidate for copy in place.copies for candidate in copy_candidates(copy, copy_reasons(scope, copy, {}))]
    return {
        candidate.detached_id or candidate.contact_id
        for candidate in candidates
        if judge_standing(candidate, asked, NOTHING) is Word.PASSED
    }


@settings(max_examples=200)
@given(place=grounds(), severity=st.sampled_from([None, *Severity]))
def test_coverage_is_what_each_member_has_on_its_own(place: Ground, severity: Severity | None) -> None:
    coverage = Coverage(place, NOTHING, severity)
    for entry in coverage.members():
        for position, message_type in enumerate(TYPES):
            alone = one_by_one(place, entry.member_id, message_type, severity)
            reached = [who.detached_id or who.contact_id for who in coverage.reached(entry.member_id, message_type)]

            assert entry.counts[position] == len(alone)
            assert sorted(reached) == sorted(alone)


def test_only_members_of_the_folder_and_the_folders_in_it_are_looked_at() -> None:
    place = ground(members={MEMBERS[0]: Placed("fd-b", START), MEMBERS[1]: Placed("fd-c", START)})

    assert [entry.member_id for entry in Coverage(place, NOTHING).members("fd-a")] == [MEMBERS[0]]


def test_a_contact_that_is_bound_to_a_folder_and_the_directory_counts_once() -> None:
    assert counts(Coverage(ground(contacts=[tom(ROOT, DIRECTORY, MEMBERS[0])]), NOTHING)) == {
        MEMBERS[0]: {SECURITY: 1},
        MEMBERS[1]: {SECURITY: 1},
    }


def test_a_member_that_loses_its_last_contact_for_a_type_is_named() -> None:
    place = ground(contacts=[tom(MEMBERS[0]), tom(DIRECTORY, contact_id="c-2", message_types=(FAULT,))])

    after_it = changed(place, [Delete(place.contacts[0]), Delete(place.contacts[1])])

    assert losses(Coverage(place, NOTHING), Coverage(after_it, NOTHING)) == [
        Loss(MEMBERS[0], (FAULT, SECURITY)),
        Loss(MEMBERS[1], (FAULT,)),
    ]


def test_a_member_that_had_nobody_loses_nothing_and_one_that_goes_is_not_named() -> None:
    place = ground(contacts=[tom(MEMBERS[0])])
    leaving = make_member(MEMBERS[0], folder_id=ROOT)

    after_it = changed(place, [Delete(leaving), Delete(place.contacts[0])])

    assert losses(Coverage(place, NOTHING), Coverage(after_it, NOTHING)) == []


def test_changes_of_contacts_copies_and_members_change_the_ground_and_nothing_else_does() -> None:
    contact, copy = tom(MEMBERS[0]), make_copy(node_ids=(ROOT,))
    new: DetachedContact = make_copy("dc-new", node_ids=(ROOT,))
    place = ground(contacts=[contact], copies=[copy])
    moved = make_member(MEMBERS[1], folder_id="fd-c", placed_at=after(5))

    there = changed(
        place,
        [
            Update(contact, replace(contact, bindings=())),
            Insert(new),
            Delete(copy),
            Update(make_member(MEMBERS[1]), moved),
            RelyOn(contact),
            CountDown("1", "contacts"),
        ],
    )

    assert there.contacts == [replace(contact, bindings=())]
    assert there.copies == [new]
    assert there.members == {MEMBERS[0]: Placed(ROOT, START), MEMBERS[1]: Placed("fd-c", after(5))}
    assert place.contacts == [contact]


def test_a_contact_with_only_a_phone_counts_for_critical_messages_alone() -> None:
    by_phone = make_contact(phone=Slot(shown=PHONE, verified=BY_PERSON), bindings=(Binding(DIRECTORY, START),))
    place = ground(contacts=[by_phone])

    assert counts(Coverage(place, NOTHING, Severity.CRITICAL))[MEMBERS[0]] == {SECURITY: 1}
    assert counts(Coverage(place, NOTHING, Severity.NORMAL))[MEMBERS[0]] == {}
