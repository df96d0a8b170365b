"""Enabling a directory."""

import pytest

from message_contacts import errors
from message_contacts.changes import Insert
from message_contacts.directory import enablement
from message_contacts.directory.enablement import NewManagementAccount, Standing
from message_contacts.errors import ApiError
from tests.factories import ACCOUNT, make_directory
from tests.fakes.clock import START
from tests.unit.directory.values import ROOT

FREE = Standing(directory=None, account_name="platform-team")
ENABLED = Standing(directory=make_directory(), account_name="platform-team")
MEMBER = Standing(directory=None, account_name=None)
NEW_ACCOUNT = NewManagementAccount(name="user01@rdadmin.aliyunid.com", secure_phone="852-13900001234")


def enable(standing, account=None):
    return enablement.enable(
        standing,
        account_id=ACCOUNT,
        directory_id="rd-AbCdEf",
        root_folder_id="r-AbCdEf",
        new_management_account=account,
        now=START,
    )


def refused(standing, account=None):
    with pytest.raises(ApiError) as refusal:
        enable(standing, account)
    return refusal.value.definition


def test_enable_makes_a_directory_and_its_root():
    decision = enable(FREE)
    assert decision.result == make_directory()
    assert decision.changes == (Insert(make_directory()), Insert(ROOT))


def test_enable_refuses_a_member():
    assert refused(MEMBER) is errors.NOT_SUPPORT_ACCOUNT_IN_ANOTHER_RESOURCE_DIRECTORY


def test_enable_refuses_a_second_directory():
    assert refused(ENABLED) is errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY
    assert refused(ENABLED, NEW_ACCOUNT) is errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY


def test_enable_knows_no_code_that_would_make_a_new_management_account():
    assert refused(FREE, NEW_ACCOUNT) is errors.INVALID_VERIFICATION_CODE
    without_phone = NewManagementAccount(name=NEW_ACCOUNT.name, secure_phone=None)
    assert refused(FREE, without_phone) is errors.INVALID_VERIFICATION_CODE


@pytest.mark.parametrize("name", [None, "user01", "user01@example.com"])
def test_enable_looks_at_the_form_of_the_new_name_first(name):
    account = NewManagementAccount(name=name, secure_phone="not a phone")
    assert refused(MEMBER, account) is errors.INVALID_PARAMETER_MANAGEMENT_ACCOUNT_NAME


@pytest.mark.parametrize("phone", ["13900001234", "xx-13900001234", "86-1", "86-13900001234\n"])
def test_enable_looks_at_the_form_of_the_new_phone(phone):
    account = NewManagementAccount(name=NEW_ACCOUNT.name, secure_phone=phone)
    assert refused(ENABLED, account) is errors.INVALID_PARAMETER_MANAGEMENT_ACCOUNT_SECURITY_INFO
