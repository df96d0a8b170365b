"""The policies of the guide decide what the guide says they decide."""

import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from message_contacts.access.conditions import OPERATORS, Context
from message_contacts.access.evaluation import GrantedPolicy, decide
from message_contacts.access.model import PolicyType
from message_contacts.access.policy_document import PolicyDocument
from message_contacts.access.system_policies import SYSTEM_POLICIES
from message_contacts.operations.catalogue import REGISTRY

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "guide" / "policies.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```json\n(?P<policy>.*?)```\n\n(?P<table>(?:\|[^\n]*\n)+)", re.DOTALL)
PERMISSIONS = {operation.permission for _, operation in REGISTRY.all()}


def rows(table):
    header, _, *lines = ([cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines())
    return [dict(zip(header, line, strict=True)) for line in lines]


CASES = [(found["policy"], row) for found in EXAMPLE.finditer(PAGE) for row in rows(found["table"])]


def test_the_guide_has_examples():
    assert len(CASES) == PAGE.count("| Allowed |") + PAGE.count("Deny |")
    assert PAGE.count("```json") == len({policy for policy, _ in CASES}) == 3


@pytest.mark.parametrize(("policy", "row"), CASES)
def test_an_example_decides_what_the_guide_says(policy, row):
    granted = GrantedPolicy(
        type=PolicyType.CUSTOM, name="example", version_id="v1", document=PolicyDocument.parse(policy)
    )
    family = row["permission"].partition(":")[0]
    context = Context(
        source_address=row.get("from", "203.0.113.7"),
        now=round(datetime.fromisoformat(row.get("at", "2026-03-30T08:00:00Z")).timestamp() * 1000),
        secure=row.get("over TLS", "yes") == "yes",
    )

    decision = decide([granted], row["permission"], [f"acs:{family}:*:1000000000000001:{row['resource']}"], context)

    assert decision.verdict == row["answer"]


def test_permissions_named_in_the_guide_exist():
    named = set(re.findall(r"\b(?:resourcemanager|messagecontacts|ram):[A-Za-z]+\b(?!\*)", PAGE))
    assert named <= PERMISSIONS


def test_every_operator_and_system_policy_is_in_the_guide():
    assert [name for name in (*OPERATORS, *SYSTEM_POLICIES) if f"`{name}`" not in PAGE] == []


def test_examples_are_json():
    assert all(json.loads(policy)["Version"] == "1" for policy, _ in CASES)
