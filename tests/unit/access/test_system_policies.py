"""The policies of the program."""

from __future__ import annotations

import json

import pytest

from message_contacts.access.grants import AttachedPolicy, UnderstoodPolicies
from message_contacts.access.model import PolicyType
from message_contacts.access.policy_document import PolicyDocument
from message_contacts.access.system_policies import SYSTEM_POLICIES


@pytest.mark.parametrize("name", SYSTEM_POLICIES)
def test_a_policy_of_the_program_is_understood(name: str) -> None:
    policy = SYSTEM_POLICIES[name]

    assert policy.name == name
    assert PolicyDocument.parse(policy.document).statements
    assert policy.created_at <= policy.updated_at


def test_reading_the_directory_is_what_the_vendor_publishes_and_our_own_operations() -> None:
    (statement,) = json.loads(SYSTEM_POLICIES["AliyunResourceDirectoryReadOnlyAccess"].document)["Statement"]

    assert statement["Effect"] == "Allow"
    assert statement["Resource"] == "*"
    assert statement["Action"][:2] == ["resourcemanager:Get*", "resourcemanager:List*"]
    assert all(action.startswith("messagecontacts:") for action in statement["Action"][2:])


def test_a_document_is_understood_once() -> None:
    texts = [
        json.dumps({"Version": "1", "Statement": {"Effect": "Allow", "Action": f"a{number}:*", "Resource": "*"}})
        for number in range(3)
    ]
    policies = UnderstoodPolicies(remembered=2 * len(texts[0]))

    def of(number: int) -> PolicyDocument:
        (policy,) = policies.of([AttachedPolicy(PolicyType.CUSTOM, "p", "v1", texts[number])])
        return policy.document

    first = of(0)
    assert of(0) is first
    of(1)
    of(2)
    assert of(0) is not first
    assert UnderstoodPolicies(remembered=1).of([AttachedPolicy(PolicyType.CUSTOM, "p", "v1", texts[0])])


def test_a_stored_document_that_is_not_understood_is_a_bug_and_not_the_callers_fault() -> None:
    with pytest.raises(RuntimeError, match="policy broken is stored and not understood"):
        UnderstoodPolicies().of([AttachedPolicy(PolicyType.CUSTOM, "broken", "v1", "{}")])
