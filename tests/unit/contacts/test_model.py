"""The form of a contact's fields."""

from __future__ import annotations

import pytest

from message_contacts import errors
from message_contacts.contacts.model import ContactName, EmailAddress, PhoneNumber
from message_contacts.errors import ApiError, ErrorDefinition

MAINLAND = frozenset({"86"})


@pytest.mark.parametrize("text", ["ab", "tom", "汤姆", "Tom汤姆", "a" * 12, "汤" * 12, "\u4e00\u9fff"])
def test_name_takes_english_letters_and_chinese_characters(text: str) -> None:
    assert ContactName.parse(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to m", errors.INVALID_PARAMETER_NAME),
        ("tom1", errors.INVALID_PARAMETER_NAME),
        ("tom!", errors.INVALID_PARAMETER_NAME),
        ("é" * 3, errors.INVALID_PARAMETER_NAME),
        ("tom\n", errors.INVALID_PARAMETER_NAME),
        ("1", errors.INVALID_PARAMETER_NAME),
        ("1" * 13, errors.INVALID_PARAMETER_NAME),
        ("a", errors.INVALID_PARAMETER_NAME_LENGTH),
        ("a" * 13, errors.INVALID_PARAMETER_NAME_LENGTH),
        ("汤" * 13, errors.INVALID_PARAMETER_NAME_LENGTH),
    ],
)
def test_name_refuses_wrong_characters_before_wrong_length(text: str, expected: ErrorDefinition) -> None:
    with pytest.raises(ApiError) as refusal:
        ContactName.parse(text)
    assert refusal.value.definition is expected


@pytest.mark.parametrize(
    "text",
    ["a@b.cn", "a+b@example.com", "A.b-c_d@sub.example.test", "1@2.3", "x@a-b.example", f"{'a' * 242}@example.com"],
)
def test_email_address_takes_what_the_contract_allows(text: str) -> None:
    assert EmailAddress.parse(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@b",
        "@b.cn",
        "a@b.",
        "a@.cn",
        "a b@c.cn",
        "a@b cn.cn",
        "汤@b.cn",
        "a@b..cn",
        "a@b.cn\n",
        "a@-b.cn",
        "a@@b.cn",
    ],
)
def test_email_address_refuses_what_is_none(text: str) -> None:
    with pytest.raises(ApiError) as refusal:
        EmailAddress.parse(text)
    assert refusal.value.definition is errors.INVALID_PARAMETER_EMAIL_ADDRESS


def test_email_address_refuses_more_than_254_characters() -> None:
    with pytest.raises(ApiError) as refusal:
        EmailAddress.parse(f"{'a' * 243}@example.com")
    assert refusal.value.definition is errors.INVALID_PARAMETER_EMAIL_ADDRESS_LENGTH


@pytest.mark.parametrize("text", ["86-13900001234", "86-18626811111", "86-19999999999"])
def test_phone_number_takes_mainland_mobile_numbers(text: str) -> None:
    assert PhoneNumber.parse(text, MAINLAND).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13900001234", errors.INVALID_PARAMETER_PHONE_NUMBER),
        ("+86-13900001234", errors.INVALID_PARAMETER_PHONE_NUMBER),
        ("86-1390000123", errors.INVALID_PARAMETER_PHONE_NUMBER),
        ("86-12900001234", errors.INVALID_PARAMETER_PHONE_NUMBER),
        ("86-139000012345", errors.INVALID_PARAMETER_PHONE_NUMBER),
        ("86-１３９00001234", errors.INVALID_PARAMETER_PHONE_NUMBER),
        ("86-13900001234\n", errors.INVALID_PARAMETER_PHONE_NUMBER),
        ("1-2025550123", errors.INVALID_PARAMETER_MOBILE_COUNTRY_CODE),
        ("852-51234567", errors.INVALID_PARAMETER_MOBILE_COUNTRY_CODE),
    ],
)
def test_phone_number_refuses_wrong_form_and_other_countries(text: str, expected: ErrorDefinition) -> None:
    with pytest.raises(ApiError) as refusal:
        PhoneNumber.parse(text, MAINLAND)
    assert refusal.value.definition is expected


def test_phone_number_of_another_country_passes_where_the_operator_allows_it() -> None:
    assert PhoneNumber.parse("852-51234567", frozenset({"86", "852"})).text == "852-51234567"


def test_masked_forms_hide_the_person() -> None:
    assert EmailAddress("someone@example.com").masked() == "s***@example.com"
    assert PhoneNumber("86-13900001234").masked() == "86-***34"
