"""Whom a message is about, and through what contacts are in effect for them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from message_contacts.clock import Instant
from message_contacts.contacts.model import Binding
from message_contacts.delivery.candidates import Because, Reason
from message_contacts.delivery.routing import (
    FolderTree,
    Placed,
    contact_reasons,
    copy_reasons,
    scope_of_member,
    scope_of_targets,
    scope_within_folder,
)
from tests.factories import make_contact
from tests.fakes.clock import START
from tests.storage.making import after, make_copy

DIRECTORY, ROOT = "rd-AbCdEf", "r-AbCdEf"
SALES, NORTH, TECH = "fd-sales", "fd-north", "fd-tech"
PARENTS = {NORTH: SALES, ROOT: None, SALES: ROOT, TECH: ROOT}
IN_NORTH, IN_SALES, IN_TECH, GONE = (
    "2000000000000001",
    "2000000000000002",
    "2000000000000003",
    "2000000000000004",
)
MEMBERS = {IN_NORTH: Placed(NORTH, START), IN_SALES: Placed(SALES, after(10)), IN_TECH: Placed(TECH, after(20))}
TREE = FolderTree(DIRECTORY, PARENTS, {placed.folder_id: placed.placed_at for placed in MEMBERS.values()})
NODES = [DIRECTORY, *PARENTS, *MEMBERS, GONE]


def bound_to(*nodes: str) -> list[Binding]:
    return [Binding(node, START) for node in nodes]


def test_a_lineage_goes_from_the_directory_down_to_the_folder() -> None:
    assert TREE.lineages[NORTH] == (DIRECTORY, ROOT, SALES, NORTH)
    assert TREE.lineage("fd-made-since") == (DIRECTORY,)


def test_a_member_has_what_is_bound_to_it_and_all_above_it() -> None:
    scope = scope_of_member(TREE.lineage(NORTH), IN_NORTH, START)
    contact = make_contact(bindings=bound_to(TECH, IN_NORTH, DIRECTORY, IN_SALES, SALES))

    assert contact_reasons(scope, contact, {}) == (
        Reason(Because.OWN, IN_NORTH),
        Reason(Because.DIRECTORY, DIRECTORY),
        Reason(Because.FOLDER, SALES),
    )


def test_a_folder_itself_has_what_every_member_in_it_inherits() -> None:
    scope = scope_within_folder(TREE.lineage(SALES))

    assert contact_reasons(scope, make_contact(bindings=bound_to(NORTH, IN_SALES)), MEMBERS) == ()
    assert contact_reasons(scope, make_contact(bindings=bound_to(SALES, ROOT)), MEMBERS) == (
        Reason(Because.FOLDER, SALES),
        Reason(Because.FOLDER, ROOT),
    )
    assert copy_reasons(scope, make_copy(node_ids=(SALES,), detached_at=after(1_000)), MEMBERS) == ()


def test_a_target_folder_has_what_its_members_and_folders_have_too() -> None:
    scope = scope_of_targets(TREE, [SALES], {})

    assert contact_reasons(scope, make_contact(bindings=bound_to(NORTH, IN_NORTH, TECH, IN_TECH, GONE)), MEMBERS) == (
        Reason(Because.FOLDER, NORTH),
        Reason(Because.OWN, IN_NORTH),
    )


def test_an_empty_folder_below_a_target_is_part_of_it() -> None:
    tree = FolderTree(DIRECTORY, PARENTS)

    assert contact_reasons(scope_of_targets(tree, [DIRECTORY], {}), make_contact(bindings=bound_to(NORTH)), {}) == (
        Reason(Because.FOLDER, NORTH),
    )


def test_a_target_that_is_nowhere_stands_for_nobody() -> None:
    scope = scope_of_targets(TREE, ["fd-nowhere"], {})

    assert contact_reasons(scope, make_contact(bindings=bound_to(DIRECTORY, ROOT, IN_NORTH)), MEMBERS) == ()


def test_a_copy_holds_only_for_those_who_were_there() -> None:
    copy = make_copy(node_ids=(ROOT,), detached_at=after(10))

    assert copy_reasons(scope_of_targets(TREE, [SALES], {}), copy, MEMBERS) == (Reason(Because.RETAINED, ROOT),)
    assert copy_reasons(scope_of_targets(TREE, [TECH], {}), copy, MEMBERS) == ()
    assert copy_reasons(scope_of_member(TREE.lineage(SALES), IN_SALES, after(10)), copy, {}) != ()
    assert copy_reasons(scope_of_member(TREE.lineage(SALES), IN_SALES, after(11)), copy, {}) == ()


def test_a_copy_that_names_a_member_holds_whenever_that_came_and_is_dormant_when_it_left() -> None:
    everybody = scope_of_targets(TREE, [DIRECTORY], {})

    assert copy_reasons(everybody, make_copy(node_ids=(IN_TECH,), detached_at=START), MEMBERS) == (
        Reason(Because.RETAINED, IN_TECH),
    )
    assert copy_reasons(everybody, make_copy(node_ids=(GONE,), detached_at=after(99)), MEMBERS) == ()


node_lists = st.lists(st.sampled_from(NODES), max_size=4, unique=True)


@given(targets=st.lists(st.sampled_from([DIRECTORY, *PARENTS, *MEMBERS]), max_size=3), nodes=node_lists)
def test_a_scope_of_targets_has_the_contacts_of_each_member_in_it(targets: list[str], nodes: list[str]) -> None:
    named = {target: MEMBERS[target] for target in targets if target in MEMBERS}
    scope = scope_of_targets(TREE, targets, named)
    contact = make_contact(bindings=bound_to(*nodes))
    meant = {
        member_id: placed
        for member_id, placed in MEMBERS.items()
        if member_id in targets or not set(targets).isdisjoint(TREE.lineage(placed.folder_id))
    }

    one_by_one = {
        reason
        for member_id, placed in meant.items()
        for reason in contact_reasons(
            scope_of_member(TREE.lineage(placed.folder_id), member_id, placed.placed_at), contact, {}
        )
    }
    together = set(contact_reasons(scope, contact, MEMBERS))

    assert one_by_one <= together
    # Whatever is more comes of a target folder that has no members now, or of one in it.
    assert {reason.because for reason in together - one_by_one} <= {Because.FOLDER, Because.DIRECTORY}


@given(
    targets=st.lists(st.sampled_from([DIRECTORY, *PARENTS, *MEMBERS]), max_size=3),
    nodes=node_lists,
    made=st.integers(-1, 30),
)
def test_a_scope_of_targets_has_the_copies_of_each_member_in_it(
    targets: list[str], nodes: list[str], made: int
) -> None:
    named = {target: MEMBERS[target] for target in targets if target in MEMBERS}
    copy = make_copy(node_ids=tuple(nodes), detached_at=Instant(START + made))
    meant = [
        (member_id, placed)
        for member_id, placed in MEMBERS.items()
        if member_id in targets or not set(targets).isdisjoint(TREE.lineage(placed.folder_id))
    ]

    one_by_one = {
        reason
        for member_id, placed in meant
        for reason in copy_reasons(
            scope_of_member(TREE.lineage(placed.folder_id), member_id, placed.placed_at), copy, {}
        )
    }

    assert set(copy_reasons(scope_of_targets(TREE, targets, named), copy, MEMBERS)) == one_by_one
