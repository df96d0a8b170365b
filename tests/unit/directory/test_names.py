"""What folders and members may be called."""

import pytest

from message_contacts import errors
from message_contacts.directory import names
from message_contacts.errors import ApiError


@pytest.mark.parametrize("text", ["a", "rdFolder", "a_b.c-d", "9", "-", "项目", "x" * 24, "项" * 24])
def test_a_folder_name_is_taken_as_it_is(text):
    assert names.parse_folder_name(text) == text


@pytest.mark.parametrize("text", ["a b", "a/b", "é", "a\n", "x" * 30 + "!"])
def test_a_folder_name_with_another_character_is_refused(text):
    with pytest.raises(ApiError) as refusal:
        names.parse_folder_name(text)
    assert refusal.value.definition is errors.INVALID_PARAMETER_FOLDER_NAME


def test_a_folder_name_of_25_characters_is_refused():
    with pytest.raises(ApiError) as refusal:
        names.parse_folder_name("x" * 25)
    assert refusal.value.definition is errors.INVALID_PARAMETER_FOLDER_NAME_LENGTH


@pytest.mark.parametrize("text", ["ab", "Dev team 1", "a_b.c-d", "开发", "x" * 50])
def test_a_display_name_is_taken_as_it_is(text):
    assert names.parse_display_name(text) == text


@pytest.mark.parametrize("text", ["a@b", "a\tb", "ü" * 60])
def test_a_display_name_with_another_character_is_refused(text):
    with pytest.raises(ApiError) as refusal:
        names.parse_display_name(text)
    assert refusal.value.definition is errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME


@pytest.mark.parametrize("text", ["a", "x" * 51])
def test_a_display_name_of_1_or_51_characters_is_refused(text):
    with pytest.raises(ApiError) as refusal:
        names.parse_display_name(text)
    assert refusal.value.definition is errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_LENGTH


@pytest.mark.parametrize("text", ["ab", "a1", "a.b-c_d", "x" * 37])
def test_an_account_name_prefix_is_taken_as_it_is(text):
    assert names.parse_account_name_prefix(text) == text


@pytest.mark.parametrize("text", ["-ab", "ab.", "a..b", "a-_b", "a b", "开发", "_" * 40])
def test_an_account_name_prefix_of_wrong_form_is_refused(text):
    with pytest.raises(ApiError) as refusal:
        names.parse_account_name_prefix(text)
    assert refusal.value.definition is errors.INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX


@pytest.mark.parametrize("text", ["a", "x" * 38])
def test_an_account_name_prefix_of_1_or_38_characters_is_refused(text):
    with pytest.raises(ApiError) as refusal:
        names.parse_account_name_prefix(text)
    assert refusal.value.definition is errors.INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX_LENGTH


def test_an_account_name_has_the_directory_in_lower_case():
    assert names.account_name("Alice", "rd-3G1a2B") == "Alice@rd-3g1a2b.aliyunid.com"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("user01@rdadmin.aliyunid.com", True),
        ("x" * 50 + "@rdadmin.aliyunid.com", True),
        ("x" * 51 + "@rdadmin.aliyunid.com", False),
        ("u@rdadmin.aliyunid.com", False),
        ("user__01@rdadmin.aliyunid.com", False),
        ("user01@example.com", False),
        ("user01", False),
        ("", False),
    ],
)
def test_a_management_account_name_has_its_own_domain(text, fits):
    assert names.is_management_account_name(text) is fits
