"""Making, renaming and switching members."""

from dataclasses import replace

import pytest

from message_contacts import errors
from message_contacts.changes import CountUp, Insert, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.directory import members
from message_contacts.directory.members import MemberUpdate, Vacancy
from message_contacts.directory.model import DirectoryRules, MemberStatus, MemberType
from message_contacts.errors import ApiError
from tests.factories import ACCOUNT
from tests.fakes.clock import START
from tests.unit.directory.values import MEMBER, ROOT, make_member

LATER = Instant(START + 5_000)
FREE = Vacancy(folder=ROOT, namesake=None, account_name_used=False, members=0)
RENAME = MemberUpdate(display_name="Ops", type=None)
SWITCH = MemberUpdate(display_name=None, type=MemberType.CLOUD_ACCOUNT)


def create(vacancy):
    return members.create_member(
        vacancy,
        member_id=MEMBER,
        display_name="Dev",
        account_name="alice@rd-abcdef.aliyunid.com",
        tags=(("k", "v"),),
        now=START,
        rules=DirectoryRules(members=3),
    )


def refused(call, *arguments, **keywords):
    with pytest.raises(ApiError) as refusal:
        call(*arguments, **keywords)
    return refusal.value.definition


def test_create_member_makes_a_resource_account_and_counts_it():
    expected = make_member(tags=(("k", "v"),))
    assert create(FREE).result == expected
    assert create(FREE).changes == (
        Insert(expected),
        CountUp(ACCOUNT, "members", "", 3, errors.LIMIT_EXCEEDED_ACCOUNT),
    )


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"folder": None}, errors.ENTITY_NOT_EXISTS_FOLDER),
        ({"namesake": make_member()}, errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED),
        ({"account_name_used": True}, errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY_ACCOUNT),
        ({"members": 3}, errors.LIMIT_EXCEEDED_ACCOUNT),
    ],
)
def test_create_member_refuses_for_the_first_thing_that_is_wrong(wrong, expected):
    """Each row is wrong in its own way and in all ways of the rows below it."""
    all_wrong = {"folder": None, "namesake": make_member(), "account_name_used": True, "members": 3}
    first = list(all_wrong).index(next(iter(wrong)))
    below = dict(list(all_wrong.items())[first:])
    assert refused(create, replace(FREE, **wrong)) is expected
    assert refused(create, replace(FREE, **below)) is expected


def test_update_member_renames():
    member = make_member()
    renamed = replace(member, display_name="Ops", modified_at=LATER)
    assert members.update_member(member, None, RENAME, now=LATER).changes == (Update(member, renamed),)
    assert members.update_member(member, None, RENAME, now=LATER).result == renamed


def test_update_member_to_its_own_name_changes_nothing():
    member = make_member(display_name="Ops")
    decision = members.update_member(member, member, RENAME, now=LATER)
    assert decision.changes == (RelyOn(member),)
    assert decision.result == member


def test_update_member_refuses_a_name_that_another_has():
    other = make_member(member_id="1700000000000002", display_name="Ops")
    assert (
        refused(members.update_member, make_member(), other, RENAME, now=LATER)
        is errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED
    )


def test_update_member_switches_the_type():
    member = make_member()
    switched = replace(member, type=MemberType.CLOUD_ACCOUNT, status=MemberStatus.SWITCH_SUCCESS, modified_at=LATER)
    assert members.update_member(member, None, SWITCH, now=LATER).changes == (Update(member, switched),)


def test_update_member_refuses_the_type_it_has():
    member = make_member(type=MemberType.CLOUD_ACCOUNT)
    assert refused(members.update_member, member, None, SWITCH, now=LATER) is errors.ACCOUNT_TYPE_MISMATCH


@pytest.mark.parametrize(
    "update",
    [MemberUpdate(display_name=None, type=None), MemberUpdate(display_name="Ops", type=MemberType.CLOUD_ACCOUNT)],
    ids=["neither", "both"],
)
def test_update_member_wants_one_of_the_two_before_it_looks_for_the_member(update):
    assert refused(members.update_member, None, None, update, now=LATER) is errors.MISSING_DISPLAY_NAME_OR_ACCOUNT_TYPE


def test_update_member_refuses_one_that_does_not_exist():
    assert refused(members.update_member, None, None, RENAME, now=LATER) is errors.ENTITY_NOT_EXISTS_ACCOUNT
