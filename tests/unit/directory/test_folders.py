"""Making and renaming folders."""

import pytest

from message_contacts import errors
from message_contacts.changes import CountUp, Insert, RelyOn, Update
from message_contacts.directory import folders
from message_contacts.directory.model import DirectoryRules
from message_contacts.errors import ApiError
from tests.factories import ACCOUNT
from tests.fakes.clock import START
from tests.unit.directory.values import make_folder, make_lineage

NEW = {"folder_id": "fd-new", "name": "new", "tags": (("k", "v"),), "now": START, "rules": DirectoryRules(folders=7)}


def test_create_folder_puts_it_in_the_last_folder_of_the_lineage_and_counts_it():
    above = make_lineage(2)
    decision = folders.create_folder(above, **NEW)
    expected = make_folder(folder_id="fd-new", parent_id=above[-1].folder_id, name="new", tags=(("k", "v"),))
    assert decision.result == expected
    assert decision.changes == (
        Insert(expected),
        CountUp(ACCOUNT, "folders", "", 7, errors.QUOTA_EXCEEDED_FOLDER_COUNT),
    )


def test_create_folder_takes_five_levels_and_no_sixth():
    assert folders.create_folder(make_lineage(4), **NEW).result.parent_id == "fd-0000000004"
    with pytest.raises(ApiError) as refusal:
        folders.create_folder(make_lineage(5), **NEW)
    assert refusal.value.definition is errors.LIMIT_EXCEEDED_FOLDER_DEPTH


def test_create_folder_refuses_a_parent_that_does_not_exist():
    with pytest.raises(ApiError) as refusal:
        folders.create_folder([], **NEW)
    assert refusal.value.definition is errors.ENTITY_NOT_EXISTS_FOLDER


def test_rename_folder_changes_the_name_only():
    folder = make_folder(tags=(("k", "v"),))
    renamed = make_folder(tags=(("k", "v"),), name="other")
    decision = folders.rename_folder(folder, "other")
    assert decision.changes == (Update(folder, renamed),)
    assert decision.result == renamed


def test_rename_folder_to_its_own_name_changes_nothing():
    folder = make_folder()
    assert folders.rename_folder(folder, folder.name).changes == (RelyOn(folder),)


def test_rename_folder_refuses_one_that_does_not_exist():
    with pytest.raises(ApiError) as refusal:
        folders.rename_folder(None, "other")
    assert refusal.value.definition is errors.ENTITY_NOT_EXISTS_FOLDER
