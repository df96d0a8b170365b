from __future__ import annotations

import re

import pytest

from message_contacts.access import names, ram_errors
from message_contacts.errors import ApiError


@pytest.mark.parametrize("text", ["a", "alice.smith", "ci_pipeline-2", "A" * 64, "..."])
def test_a_user_name_has_letters_digits_and_three_signs(text: str) -> None:
    assert names.USER_NAME.fullmatch(text)


@pytest.mark.parametrize("text", ["", "alice smith", "alice@example", "Алиса", "a/b", "alice*", "alice\n"])
def test_a_user_name_has_nothing_else(text: str) -> None:
    assert not names.USER_NAME.fullmatch(text)


@pytest.mark.parametrize("text", ["a_b", "a.b", "a b", "策略", ""])
def test_a_policy_name_has_letters_digits_and_hyphens(text: str) -> None:
    assert names.POLICY_NAME.fullmatch("read-Contacts2")
    assert not names.POLICY_NAME.fullmatch(text)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (names.DISPLAY_NAME, "仪表板 (read only)", "two\nlines"),
        (names.MOBILE_PHONE, "86-18688880000", "18688880000"),
        (names.EMAIL, "alice@example.com", "alice at example.com"),
        (names.EMAIL, "a@b", "a@b@c"),
        (names.VERSION_ID, "v12", "v0"),
        (names.VERSION_ID, "v1", "1"),
    ],
)
def test_other_fields_have_forms_too(pattern: re.Pattern[str], good: str, bad: str) -> None:
    assert pattern.fullmatch(good)
    assert not pattern.fullmatch(bad)


def test_a_name_may_be_as_long_as_its_limit_and_no_longer() -> None:
    def named(text: str) -> str:
        return names.named(
            text,
            names.USER_NAME,
            names.USER_NAME_LENGTH,
            invalid=ram_errors.INVALID_PARAMETER_USER_NAME_INVALID_CHARS,
            too_long=ram_errors.INVALID_PARAMETER_USER_NAME_LENGTH,
        )

    assert named("a" * 64) == "a" * 64
    with pytest.raises(ApiError) as refusal:
        named("a" * 65)
    assert refusal.value.definition is ram_errors.INVALID_PARAMETER_USER_NAME_LENGTH
