"""Sealed reasons of refusals."""

from __future__ import annotations

import base64

import pytest

from message_contacts.access.diagnosis import PURPOSE, Diagnoses, Diagnosis
from message_contacts.access.keys import Vault

ACCOUNT = "1000000000000001"
DIAGNOSIS = Diagnosis(
    request_id="R",
    action="resourcemanager:GetMessageContact",
    resource="acs:resourcemanager:*:1:messagecontact/c-1",
    account_id=ACCOUNT,
    user_id="200000000000000001",
    verdict="ExplicitDeny",
    policy_type="Custom",
    policy_name="NoContacts",
    policy_version_id="v2",
    conditions={"acs:SourceIp": "203.0.113.9"},
)


def diagnoses(*keys: bytes) -> Diagnoses:
    return Diagnoses(Vault(*(keys or (b"k" * 32,))).derived(PURPOSE))


def test_a_diagnosis_opens_again() -> None:
    assert diagnoses().open(diagnoses().seal(DIAGNOSIS), ACCOUNT) == DIAGNOSIS


def test_a_sealed_diagnosis_shows_nothing() -> None:
    raw = base64.b64decode(diagnoses().seal(DIAGNOSIS))

    assert b"NoContacts" not in raw
    assert diagnoses().seal(DIAGNOSIS) != diagnoses().seal(DIAGNOSIS)


def test_a_diagnosis_still_opens_after_the_key_was_replaced() -> None:
    assert diagnoses(b"n" * 32, b"k" * 32).open(diagnoses().seal(DIAGNOSIS), ACCOUNT) == DIAGNOSIS


def test_a_diagnosis_does_not_open_for_another_account() -> None:
    with pytest.raises(ValueError, match="another account"):
        diagnoses().open(diagnoses().seal(DIAGNOSIS), "1000000000000009")


@pytest.mark.parametrize("text", ["", "x", "é", "AQ==", "AgAA" * 20, "AQAA" * 20, "A" * 9_000])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        diagnoses().open(text, ACCOUNT)
