"""The end of a directory."""

import pytest

from message_contacts import errors
from message_contacts.changes import CountDown, Delete
from message_contacts.contacts import dissolution
from message_contacts.contacts.dissolution import Estate
from message_contacts.errors import ApiError
from tests.factories import ACCOUNT, make_contact, make_directory
from tests.unit.directory.values import ROOT


def estate(**fields):
    return Estate(
        **{
            "directory": make_directory(),
            "root": ROOT,
            "has_subfolders": False,
            "has_members": False,
            "contacts": (),
            **fields,
        }
    )


def test_a_directory_goes_after_its_contacts_and_root():
    first, second = make_contact(), make_contact(contact_id="c-0000000000000002")
    assert dissolution.destroy(estate(contacts=[first, second])).changes == (
        Delete(first),
        CountDown(ACCOUNT, "contacts"),
        Delete(second),
        CountDown(ACCOUNT, "contacts"),
        Delete(ROOT),
        Delete(make_directory()),
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"directory": None, "has_members": True}, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY),
        ({"has_members": True, "has_subfolders": True}, errors.DELETE_CONFLICT_RESOURCE_DIRECTORY_ACCOUNT),
        ({"has_subfolders": True}, errors.DELETE_CONFLICT_FOLDER_SUB_FOLDER),
    ],
)
def test_a_directory_that_is_missing_or_not_empty_is_not_destroyed(fields, expected):
    with pytest.raises(ApiError) as refusal:
        dissolution.destroy(estate(**fields))
    assert refusal.value.definition is expected
