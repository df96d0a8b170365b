"""Which documents are policies, and what those say that are none."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.access import ram_errors
from message_contacts.access.policy_document import MAX_DOCUMENT, Effect, PolicyDocument
from message_contacts.errors import ApiError

READ = {"Effect": "Allow", "Action": "resourcemanager:Get*", "Resource": "*"}


def document(*statements: Any, **members: Any) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements), **members})


def problem(text: str) -> str:
    with pytest.raises(ApiError) as refused:
        PolicyDocument.parse(text)
    assert refused.value.definition is ram_errors.MALFORMED_POLICY_DOCUMENT
    return refused.value.message


def test_a_document_as_the_vendor_prints_it() -> None:
    text = """
        {
          "Version": "1",
          "Statement": [
            {
              "Action": ["resourcemanager:Get*", "resourcemanager:List*"],
              "Resource": "*",
              "Effect": "Allow"
            },
            {
              "NotAction": "ram:*",
              "Resource": ["acs:resourcemanager:*:1:folder/*"],
              "Effect": "Deny",
              "Condition": {"Bool": {"acs:SecureTransport": "false"}}
            }
          ]
        }
    """

    reads, denies = PolicyDocument.parse(text).statements

    assert reads.effect is Effect.ALLOW
    assert reads.actions.texts == ("resourcemanager:get*", "resourcemanager:list*")
    assert not reads.except_actions
    assert not reads.conditions
    assert denies.effect is Effect.DENY
    assert denies.except_actions
    assert [condition.operator for condition in denies.conditions] == ["Bool"]


def test_one_statement_may_stand_without_a_list() -> None:
    assert PolicyDocument.parse(json.dumps({"Version": "1", "Statement": READ})) is not None


def test_an_empty_condition_is_no_condition() -> None:
    """The vendor's policy editor writes it."""
    (statement,) = PolicyDocument.parse(document({**READ, "Condition": {}})).statements

    assert not statement.conditions


def test_a_document_may_have_so_many_bytes_and_no_more() -> None:
    longest = document(READ) + " " * (MAX_DOCUMENT - len(document(READ)))
    PolicyDocument.parse(longest)

    for too_long in (longest + " ", longest[:-1] + "é"):
        with pytest.raises(ApiError) as refused:
            PolicyDocument.parse(too_long)
        assert refused.value.definition is ram_errors.INVALID_PARAMETER_POLICY_DOCUMENT_LENGTH


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "The policy document is not valid JSON."),
        ("{", "The policy document is not valid JSON."),
        ("[" * 6_000, "The policy document is not valid JSON."),
        ('{"Version": "1", "Statement": NaN}', "The policy document is not valid JSON."),
        ("9" * 5_000, "The policy document is not valid JSON."),
        ("[]", "The policy document must be a JSON object."),
        ('{"Version": "1", "Version": "1"}', "The element Version occurs more than once."),
        (document(READ, Id="x"), "The element Id is not supported in a policy document."),
        ('{"Statement": []}', 'The Version element of a policy document must be "1".'),
        (document(READ, Version=1), 'The Version element of a policy document must be "1".'),
        (document(READ, Version="2012-10-17"), 'The Version element of a policy document must be "1".'),
        (document(), "A policy document needs one or more statements."),
        ('{"Version": "1"}', "A policy document needs one or more statements."),
        (document("Allow"), "A policy statement must be a JSON object."),
    ],
)
def test_what_is_no_policy_document(text: str, expected: str) -> None:
    assert problem(text) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Effect": "allow"}, "The Effect element of a policy statement must be Allow or Deny."),
        ({"Effect": ["Allow"]}, "The Effect element of a policy statement must be Allow or Deny."),
        ({"Effect": None}, "The Effect element of a policy statement must be Allow or Deny."),
        ({"NotAction": "ram:*"}, "A policy statement can have an Action or a NotAction element, not both."),
        ({"Action": ...}, "Add an Action or NotAction element to the policy statement."),
        ({"Resource": ...}, "Add a Resource element to the policy statement."),
        ({"Action": []}, "The Action element must be a string or a list of strings."),
        ({"Action": [1]}, "The Action element must be a string or a list of strings."),
        ({"Resource": {"a": "b"}}, "The Resource element must be a string or a list of strings."),
        ({"Action": "Get*"}, "Get* is not an action: use <service>:<action>, or * for all."),
        ({"Action": "ecs:"}, "ecs: is not an action: use <service>:<action>, or * for all."),
        (
            {"Resource": "messagecontact/c-1"},
            "messagecontact/c-1 is not a resource: use acs:<service>:<region>:<account>:<resource>, or * for all.",
        ),
        (
            {"Resource": "acs:ecs:*"},
            "acs:ecs:* is not a resource: use acs:<service>:<region>:<account>:<resource>, or * for all.",
        ),
        ({"NotResource": "*"}, "The element NotResource is not supported in a policy statement."),
        ({"Principal": "*"}, "The element Principal is not supported in a policy statement."),
        ({"Sid": "x"}, "The element Sid is not supported in a policy statement."),
        ({"Condition": []}, "The Condition element must be an object."),
        ({"Condition": {"Bool": {}}}, "The condition operator Bool needs an object of condition keys."),
        ({"Condition": {"Bool": "true"}}, "The condition operator Bool needs an object of condition keys."),
        ({"Condition": {"Null": {"acs:SourceIp": "1"}}}, "The condition operator Null is not supported."),
        (
            {"Condition": {"StringEquals": {"oss:Prefix": "a"}}},
            "The condition key oss:Prefix is not supported.",
        ),
        (
            {"Condition": {"StringEquals": {"acs:sourceip": "a"}}},
            "The condition key acs:sourceip is not supported.",
        ),
        (
            {"Condition": {"IpAddress": {"acs:CurrentTime": "10.0.0.0/8"}}},
            "The condition operator IpAddress does not go with the condition key acs:CurrentTime.",
        ),
        (
            {"Condition": {"IpAddress": {"acs:SourceIp": []}}},
            "The condition key acs:SourceIp needs a value.",
        ),
        (
            {"Condition": {"IpAddress": {"acs:SourceIp": 10}}},
            "A value of the condition key acs:SourceIp must be a string.",
        ),
        (
            {"Condition": {"IpAddress": {"acs:SourceIp": "10.0.0.300"}}},
            "10.0.0.300 is not an IP address or CIDR block, as the condition key acs:SourceIp needs.",
        ),
        (
            {"Condition": {"IpAddress": {"acs:SourceIp": "203.0.113.9/0.0.0.0"}}},
            "203.0.113.9/0.0.0.0 is not an IP address or CIDR block, as the condition key acs:SourceIp needs.",
        ),
        (
            {"Condition": {"NotIpAddress": {"acs:SourceIp": "10.0.0.0/255.0.0.0"}}},
            "10.0.0.0/255.0.0.0 is not an IP address or CIDR block, as the condition key acs:SourceIp needs.",
        ),
        (
            {"Condition": {"DateLessThan": {"acs:CurrentTime": "tomorrow"}}},
            "tomorrow is not a date such as 2026-03-30T08:00:00Z, as the condition key acs:CurrentTime needs.",
        ),
        (
            {"Condition": {"DateLessThan": {"acs:CurrentTime": "2026-02-30T08:00Z"}}},
            "2026-02-30T08:00Z is not a date such as 2026-03-30T08:00:00Z, as the condition key acs:CurrentTime needs.",
        ),
        (
            {"Condition": {"DateLessThan": {"acs:CurrentTime": "2026-02-30T00:00:00Z"}}},
            (
                "2026-02-30T00:00:00Z is not a date such as 2026-03-30T08:00:00Z, "
                "as the condition key acs:CurrentTime needs."
            ),
        ),
        (
            {"Condition": {"Bool": {"acs:SecureTransport": "yes"}}},
            "The condition key acs:SecureTransport must be true or false.",
        ),
        (
            {"Condition": {"Bool": {"acs:SecureTransport": ["true", "false"]}}},
            "The condition key acs:SecureTransport can have only one Boolean value.",
        ),
    ],
)
def test_what_is_no_statement(changes: dict[str, Any], expected: str) -> None:
    statement = {name: value for name, value in {**READ, **changes}.items() if value is not ...}

    assert problem(document(statement)) == expected


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["Allow", "*", "ram:*", "1", "true", "acs:SourceIp"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Version", "Statement", "Effect", "Action", "Resource", "Condition", "Bool", "acs:SourceIp"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_a_policy_or_is_refused_in_words(value: Any) -> None:
    for text in (json.dumps(value), document(value), document({**READ, "Condition": value})):
        with contextlib.suppress(ApiError):
            PolicyDocument.parse(text)
