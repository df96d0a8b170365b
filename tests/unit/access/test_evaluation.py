"""What policies decide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.access.conditions import KEYS, OPERATORS, Context
from message_contacts.access.evaluation import Decision, GrantedPolicy, Verdict, decide
from message_contacts.access.model import PolicyType
from message_contacts.access.policy_document import PolicyDocument
from message_contacts.clock import Instant
from tests.unit.access import other_evaluator

ACCOUNT = "1000000000000001"
CONTACT = f"acs:resourcemanager:*:{ACCOUNT}:messagecontact/c-1"
FOLDER = f"acs:resourcemanager:*:{ACCOUNT}:folder/fd-1"
GET = "resourcemanager:GetMessageContact"
#: 2026-03-30T08:00:00Z
NOW = Instant(1_774_857_600_000)
CALL = Context(source_address="203.0.113.9", now=NOW, secure=False)


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def granted(*documents: Sequence[Mapping[str, Any]]) -> list[GrantedPolicy]:
    """A policy for each list of statements."""
    return [
        GrantedPolicy(
            type=PolicyType.CUSTOM,
            name=f"policy-{position}",
            version_id="v1",
            document=PolicyDocument.parse(json.dumps({"Version": "1", "Statement": statements})),
        )
        for position, statements in enumerate(documents, start=1)
    ]


def decision(
    *statements: Mapping[str, Any], action: str = GET, resources: Sequence[str] = (CONTACT,), context: Context = CALL
) -> Decision:
    return decide(granted(statements) if statements else [], action, resources, context)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], Verdict.IMPLICIT_DENY),
        ([allow()], Verdict.ALLOWED),
        ([allow("resourcemanager:*")], Verdict.ALLOWED),
        ([allow("resourcemanager:Get*")], Verdict.ALLOWED),
        ([allow("RESOURCEMANAGER:getmessagecontact")], Verdict.ALLOWED),
        ([allow("resourcemanager:GetMessageContac?")], Verdict.ALLOWED),
        ([allow(["ecs:*", "*:GetMessageContact"])], Verdict.ALLOWED),
        ([allow("resourcemanager:GetMessageContacts")], Verdict.IMPLICIT_DENY),
        ([allow("ram:*")], Verdict.IMPLICIT_DENY),
        ([allow(resource=CONTACT)], Verdict.ALLOWED),
        ([allow(resource="acs:*:*:*:*")], Verdict.ALLOWED),
        ([allow(resource="acs:resourcemanager:*:*:messagecontact/*")], Verdict.ALLOWED),
        ([allow(resource=f"acs:resourcemanager:cn-hangzhou:{ACCOUNT}:messagecontact/*")], Verdict.IMPLICIT_DENY),
        ([allow(resource="acs:resourcemanager:*:*:messagecontact/C-1")], Verdict.IMPLICIT_DENY),
        ([allow(resource="acs:resourcemanager:*:1000000000000009:*")], Verdict.IMPLICIT_DENY),
        ([allow(), deny(GET)], Verdict.EXPLICIT_DENY),
        ([deny(GET), allow()], Verdict.EXPLICIT_DENY),
        ([allow(), deny("resourcemanager:Delete*")], Verdict.ALLOWED),
        ([deny(GET)], Verdict.EXPLICIT_DENY),
        ([{"Effect": "Allow", "NotAction": "ram:*", "Resource": "*"}], Verdict.ALLOWED),
        ([{"Effect": "Allow", "NotAction": ["ram:*", "resourcemanager:Get*"], "Resource": "*"}], Verdict.IMPLICIT_DENY),
        ([allow(), {"Effect": "Deny", "NotAction": "resourcemanager:Get*", "Resource": "*"}], Verdict.ALLOWED),
        ([allow(), {"Effect": "Deny", "NotAction": "ram:*", "Resource": "*"}], Verdict.EXPLICIT_DENY),
    ],
)
def test_what_statements_decide(statements: list[dict[str, Any]], expected: Verdict) -> None:
    assert decision(*statements).verdict is expected


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        ({"IpAddress": {"acs:SourceIp": "203.0.113.0/24"}}, True),
        ({"IpAddress": {"acs:SourceIp": "203.0.113.9"}}, True),
        ({"IpAddress": {"acs:SourceIp": "203.0.113.77/24"}}, True),
        ({"IpAddress": {"acs:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}}, True),
        ({"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}, False),
        ({"IpAddress": {"acs:SourceIp": "::/0"}}, False),
        ({"IpAddress": {"acs:SourceIp": "::ffff:203.0.113.0/120"}}, True),
        ({"NotIpAddress": {"acs:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}}, False),
        ({"NotIpAddress": {"acs:SourceIp": ["10.0.0.0/8", "192.168.0.0/16"]}}, True),
        ({"Bool": {"acs:SecureTransport": "false"}}, True),
        ({"Bool": {"acs:SecureTransport": False}}, True),
        ({"Bool": {"acs:SecureTransport": ["TRUE"]}}, False),
        ({"DateLessThan": {"acs:CurrentTime": "2026-03-30T08:00:01Z"}}, True),
        ({"DateLessThan": {"acs:CurrentTime": "2026-03-30T08:00:00Z"}}, False),
        ({"DateLessThan": {"acs:CurrentTime": "2026-03-30T16:00:01+08:00"}}, True),
        ({"DateLessThanEquals": {"acs:CurrentTime": "2026-03-30T16:00:00+08:00"}}, True),
        ({"DateGreaterThan": {"acs:CurrentTime": "2026-03-30T08:00:00Z"}}, False),
        ({"DateGreaterThanEquals": {"acs:CurrentTime": "2026-03-30T08:00:00Z"}}, True),
        ({"DateEquals": {"acs:CurrentTime": "2026-03-30T08:00:00Z"}}, True),
        ({"DateNotEquals": {"acs:CurrentTime": "2026-03-30T08:00:00Z"}}, False),
        ({"DateGreaterThan": {"acs:CurrentTime": "2026-03-30T07:59:59.999Z"}}, True),
        ({"StringEquals": {"acs:SourceIp": "203.0.113.9"}}, True),
        ({"StringNotEquals": {"acs:SourceIp": ["203.0.113.9", "10.0.0.1"]}}, False),
        ({"StringEqualsIgnoreCase": {"acs:SecureTransport": "FALSE"}}, True),
        ({"StringNotEqualsIgnoreCase": {"acs:SecureTransport": "TRUE"}}, True),
        ({"StringEquals": {"acs:SecureTransport": "FALSE"}}, False),
        ({"StringLike": {"acs:SourceIp": "203.0.113.*"}}, True),
        ({"StringNotLike": {"acs:SourceIp": "203.0.*"}}, False),
        ({"StringLike": {"acs:CurrentTime": "2026-03-??T08:*"}}, True),
        (
            {"IpAddress": {"acs:SourceIp": "203.0.113.0/24"}, "Bool": {"acs:SecureTransport": "true"}},
            False,
        ),
        (
            {
                "DateGreaterThan": {"acs:CurrentTime": "2026-03-01T00:00:00Z"},
                "DateLessThan": {"acs:CurrentTime": "2026-04-01T00:00:00Z"},
            },
            True,
        ),
        ({"StringEquals": {"acs:SourceIp": "203.0.113.9", "acs:SecureTransport": "true"}}, False),
    ],
)
def test_what_conditions_a_call_meets(condition: dict[str, Any], is_met: bool) -> None:
    assert (decision(allow(Condition=condition)).verdict is Verdict.ALLOWED) is is_met
    assert (decision(allow(), deny(Condition=condition)).verdict is Verdict.EXPLICIT_DENY) is is_met


@pytest.mark.parametrize("address", ["", "unix:", "not an address"])
def test_a_call_without_address_meets_only_what_says_not(address: str) -> None:
    nowhere = Context(source_address=address, now=NOW, secure=True)

    def met(**condition: Any) -> bool:
        return decision(allow(Condition=condition), context=nowhere).verdict is Verdict.ALLOWED

    assert not met(IpAddress={"acs:SourceIp": "0.0.0.0/0"})
    assert not met(StringLike={"acs:SourceIp": "*"})
    assert not met(StringEqualsIgnoreCase={"acs:SourceIp": address})
    assert met(NotIpAddress={"acs:SourceIp": "0.0.0.0/0"})
    assert met(StringNotLike={"acs:SourceIp": "*"})


@pytest.mark.parametrize("address", ["203.0.113.9", "::ffff:203.0.113.9"])
def test_an_ipv4_address_is_the_same_in_ipv6_clothing(address: str) -> None:
    context = Context(source_address=address, now=NOW, secure=True)
    condition = {"IpAddress": {"acs:SourceIp": "203.0.113.0/24"}, "StringEquals": {"acs:SourceIp": "203.0.113.9"}}

    assert decision(allow(Condition=condition), context=context).verdict is Verdict.ALLOWED


def test_all_resources_have_to_be_allowed() -> None:
    both = (CONTACT, FOLDER)

    assert decision(allow(resource=CONTACT), resources=both) == Decision(
        verdict=Verdict.IMPLICIT_DENY, resource=FOLDER, policy=None, statement=0
    )
    assert decision(allow(resource=[CONTACT, FOLDER]), resources=both).verdict is Verdict.ALLOWED


def test_a_refusal_names_what_denies() -> None:
    policies = granted([allow(), allow(GET)], [allow(), deny("ram:*"), deny(GET, FOLDER)])

    refused = decide(policies, GET, (CONTACT, FOLDER), CALL)

    assert refused == Decision(verdict=Verdict.EXPLICIT_DENY, resource=FOLDER, policy=policies[1], statement=3)


def test_an_explicit_refusal_outweighs_that_something_else_is_not_allowed() -> None:
    refused = decision(allow("ram:*"), deny(resource=FOLDER), resources=(CONTACT, FOLDER))

    assert refused.verdict is Verdict.EXPLICIT_DENY
    assert refused.resource == FOLDER


IMPLIED = f"acs:resourcemanager:*:{ACCOUNT}:folder/r-1"
UNNAMED = f"acs:resourcemanager:*:{ACCOUNT}:folder/*"


@pytest.mark.parametrize(
    ("statements", "expected", "resource", "statement"),
    [
        ([], Verdict.IMPLICIT_DENY, UNNAMED, 0),
        ([allow()], Verdict.ALLOWED, UNNAMED, 1),
        # What is implied has to be neither allowed by itself nor is it enough.
        ([allow(resource=IMPLIED)], Verdict.IMPLICIT_DENY, UNNAMED, 0),
        ([allow(), deny(resource=IMPLIED)], Verdict.EXPLICIT_DENY, IMPLIED, 2),
        ([deny(resource=IMPLIED), allow()], Verdict.EXPLICIT_DENY, IMPLIED, 1),
        ([deny(resource=IMPLIED)], Verdict.EXPLICIT_DENY, IMPLIED, 1),
        ([allow(), deny(resource="*")], Verdict.EXPLICIT_DENY, UNNAMED, 2),
        ([allow(), deny("ram:*", IMPLIED)], Verdict.ALLOWED, UNNAMED, 1),
        ([allow(), deny(resource=FOLDER)], Verdict.ALLOWED, UNNAMED, 1),
    ],
)
def test_what_is_implied_must_not_be_denied(
    statements: list[dict[str, Any]], expected: Verdict, resource: str, statement: int
) -> None:
    policies = granted(statements) if statements else []

    decided = decide(policies, GET, [UNNAMED], CALL, deniable=[IMPLIED])

    assert (decided.verdict, decided.resource, decided.statement) == (expected, resource, statement)


# Few different texts, so that random policies and random calls have something to do with each other.
ACTIONS = st.sampled_from(["ram:GetUser", "ram:ListUsers", "rd:GetUser", "rd:Delete"])
RESOURCES = st.sampled_from(
    [f"acs:{service}:*:1:{name}" for service in ("ram", "rd") for name in ("a/1", "a/2", "b/*")]
)
ACTION_PATTERNS = st.sampled_from(["*", "ram:*", "RAM:get*", "rd:GetUser", "*:?etUser", "*:*e*", "rd:*User*"])
RESOURCE_PATTERNS = st.sampled_from(
    ["*", "acs:*:*:*:*", "acs:ram:*:1:a/*", "acs:rd:*:*:?/1", "acs:*:*:1:b/*", "acs:rd:*:1:a/1", "acs:ram:*:2:*"]
)
TIMES = ["2026-03-30T08:00:00Z", "2026-03-30T16:00:00+08:00", "2026-03-30T08:00:00.500Z", "2026-04-01T00:00:00Z"]
VALUES = {
    "acs:SourceIp": st.sampled_from(["203.0.113.9", "203.0.113.0/24", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"]),
    "acs:CurrentTime": st.sampled_from(TIMES),
    "acs:SecureTransport": st.sampled_from(["true", "false"]),
}
TEXTS = st.sampled_from(["203.0.113.9", "203.*", "TRUE", "false", "2026-03-??T*", "2026-03-30T08:00:00Z", "*", "FALSE"])
CALLS = st.fixed_dictionaries(
    {
        "ip": st.sampled_from(["203.0.113.9", "10.1.2.3", "2001:db8::7", None]),
        "now": st.sampled_from([NOW - 1, NOW, NOW + 500, NOW + 1_000, NOW + 86_400_000 * 5]),
        "secure": st.booleans(),
    }
)


def several(values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=3)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for operator in draw(st.lists(st.sampled_from(sorted(OPERATORS)), max_size=2, unique=True)):
        keys = draw(st.lists(st.sampled_from(sorted(OPERATORS[operator])), min_size=1, max_size=2, unique=True))
        texts = operator.startswith("String")
        block[operator] = {
            key: draw(VALUES[key]) if operator == "Bool" else draw(several(TEXTS if texts else VALUES[key]))
            for key in keys
        }
    return block


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> dict[str, Any]:
    statement = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(several(ACTION_PATTERNS)),
        "Resource": draw(several(RESOURCE_PATTERNS)),
    }
    condition = draw(conditions())
    return {**statement, "Condition": condition} if condition else statement


POLICIES = st.lists(st.lists(statements(), min_size=1, max_size=3), max_size=3)
ASKED = st.lists(RESOURCES, min_size=1, max_size=3)


def context_of(call: dict[str, Any]) -> Context:
    return Context(source_address=call["ip"] or "", now=Instant(call["now"]), secure=call["secure"])


@given(POLICIES, ACTIONS, ASKED, CALLS, st.lists(RESOURCES, max_size=2))
def test_an_evaluator_written_another_way_agrees(
    policies: list[list[dict[str, Any]]],
    action: str,
    resources: list[str],
    call: dict[str, Any],
    implied: list[str],
) -> None:
    documents = [{"Version": "1", "Statement": entries} for entries in policies]

    decided = decide(granted(*policies), action, resources, context_of(call), deniable=implied)

    assert decided.verdict.value == other_evaluator.verdict(documents, action, resources, call, implied)


@given(POLICIES, statements("Deny"), ACTIONS, ASKED, CALLS)
def test_one_more_statement_that_denies_never_widens(
    policies: list[list[dict[str, Any]]],
    denial: dict[str, Any],
    action: str,
    resources: list[str],
    call: dict[str, Any],
) -> None:
    before = decide(granted(*policies), action, resources, context_of(call)).verdict
    after = decide(granted(*policies, [denial]), action, resources, context_of(call)).verdict

    assert not (before is not Verdict.ALLOWED and after is Verdict.ALLOWED)
    assert not (before is Verdict.EXPLICIT_DENY and after is not Verdict.EXPLICIT_DENY)


@given(POLICIES, statements("Allow"), ACTIONS, ASKED, CALLS)
def test_one_more_statement_that_allows_never_narrows(
    policies: list[list[dict[str, Any]]],
    permit: dict[str, Any],
    action: str,
    resources: list[str],
    call: dict[str, Any],
) -> None:
    before = decide(granted(*policies), action, resources, context_of(call)).verdict
    after = decide(granted(*policies, [permit]), action, resources, context_of(call)).verdict

    assert not (before is Verdict.ALLOWED and after is not Verdict.ALLOWED)
    assert (before is Verdict.EXPLICIT_DENY) is (after is Verdict.EXPLICIT_DENY)


@given(POLICIES, ACTIONS, ASKED, CALLS, st.randoms())
def test_the_order_of_policies_decides_nothing(
    policies: list[list[dict[str, Any]]], action: str, resources: list[str], call: dict[str, Any], random: Any
) -> None:
    shuffled = [random.sample(entries, len(entries)) for entries in random.sample(policies, len(policies))]

    assert (
        decide(granted(*policies), action, resources, context_of(call)).verdict
        is decide(granted(*shuffled), action, random.sample(resources, len(resources)), context_of(call)).verdict
    )


def test_every_operator_goes_with_a_key_that_exists() -> None:
    assert set(KEYS) == {key for keys in OPERATORS.values() for key in keys}
