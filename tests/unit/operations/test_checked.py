"""The order in which parameters fail: all Missing, then all Invalid, each in the order of the operation's table."""

from __future__ import annotations

from typing import Any

import pytest

from message_contacts.errors import ApiError
from message_contacts.operations.call import Rules
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.invoke import checked
from message_contacts.protocol.parameters import Arguments

ADD = REGISTRY.find("2022-04-19", "AddMessageContact")
UPDATE = REGISTRY.find("2022-04-19", "UpdateMessageContact")
LIST = REGISTRY.find("2022-04-19", "ListMessageContacts")
GOOD = {"Name": "Tom", "EmailAddress": "a@b.cn", "Title": "CEO", "MessageTypes.1": "FaultMessage"}


def code_of(operation: Any, arguments: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as refusal:
        checked(operation, Arguments(arguments), Rules())
    return refusal.value.definition.code


def test_all_missing_come_before_all_invalid() -> None:
    without_types = {**GOOD, "Name": "1"}
    del without_types["MessageTypes.1"]
    assert code_of(ADD, without_types) == "MissingParameter.MessageTypes"


def test_missing_ones_fail_in_the_order_of_the_table() -> None:
    assert code_of(ADD, {}) == "MissingParameter.Name"
    assert code_of(ADD, {"Name": "Tom"}) == "MissingParameter.EmailAddress"
    assert code_of(ADD, {"Name": "Tom", "EmailAddress": "a@b.cn"}) == "MissingParameter.Title"


def test_invalid_ones_fail_in_the_order_of_the_table_and_not_of_the_parameters() -> None:
    """The codes for the country and the length of the address stand behind the title's."""
    too_long = f"{'a' * 250}@b.cn"
    wrong = {**GOOD, "EmailAddress": too_long, "PhoneNumber": "1-2025550123", "Title": "King"}
    assert code_of(ADD, wrong) == "InvalidParameter.Title"
    assert code_of(ADD, {**wrong, "Title": "CEO"}) == "InvalidParameter.MobileCountryCode"
    assert code_of(ADD, {**GOOD, "EmailAddress": too_long}) == "InvalidParameter.EmailAddress.Length"


def test_codes_that_the_table_does_not_list_come_last() -> None:
    assert code_of(LIST, {"PageNumber": "0", "Member": "x"}) == "InvalidParameter.Member"
    assert code_of(LIST, {"PageSize": "0", "PageNumber": "0"}) == "InvalidPageNumber"


def test_empty_is_absent_except_where_it_means_something() -> None:
    values = checked(UPDATE, Arguments({"ContactId": "c-1", "Name": "", "PhoneNumber": ""}), Rules())
    assert (values["name"], values["phone_number"]) == (None, "")
    assert checked(ADD, Arguments({**GOOD, "PhoneNumber": ""}), Rules())["phone_number"] is None


def test_list_that_is_no_list_of_texts_is_invalid() -> None:
    assert code_of(ADD, {**GOOD, "MessageTypes": [{"a": 1}]}) == "InvalidParameter.MessageTypes"


def test_defaults_are_filled_in() -> None:
    assert checked(LIST, Arguments({}), Rules()) == {
        "contact_id": None,
        "member": None,
        "page_number": 1,
        "page_size": 10,
    }
