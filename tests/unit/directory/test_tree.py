"""Where things are in the tree."""

from message_contacts.directory import tree
from tests.factories import make_directory
from tests.unit.directory.values import MEMBER, ROOT, make_lineage, make_member

DIRECTORY = make_directory()


def test_root_is_at_depth_nought():
    assert tree.depth([ROOT]) == 0
    assert tree.depth(make_lineage(5)) == 5


def test_a_path_goes_from_the_directory_down():
    assert tree.path(DIRECTORY, make_lineage(2)) == "rd-AbCdEf/r-AbCdEf/fd-0000000001/fd-0000000002"
    assert tree.path(DIRECTORY, [ROOT]) == "rd-AbCdEf/r-AbCdEf"


def test_a_members_path_ends_with_the_member():
    assert tree.member_path(DIRECTORY, [ROOT], make_member()) == f"rd-AbCdEf/r-AbCdEf/{MEMBER}"


def test_a_location_has_names():
    assert tree.location(make_lineage(2)) == "root/level1/level2"


def test_contacts_are_inherited_from_the_directory_and_every_folder_above():
    assert tree.node_ids(DIRECTORY, make_lineage(1)) == ("rd-AbCdEf", "r-AbCdEf", "fd-0000000001")
