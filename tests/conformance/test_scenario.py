"""What the scenario is played with: comparing, typing, and saying who takes part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import contract
from tests.conformance.roster import GO, PYTHON, WANTED
from tests.conformance.scenario import difference, found

SCENARIO = json.loads(Path(__file__).with_name("scenario.json").read_text())


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"A": 1}, {"A": 1}),
        ({"A": 1}, {"A": 1.0}),
        ({"A": "/c-[0-9]+/"}, {"A": "c-12"}),
        ({"A": 1, "...": True}, {"A": 1, "B": 2}),
        ([{"A": ["x", "y"]}], [{"A": ["x", "y"]}]),
        ("/", "/"),
    ],
)
def test_value_that_is_as_expected(expected: Any, actual: Any) -> None:
    assert difference(expected, actual, "") is None


@pytest.mark.parametrize(
    ("expected", "actual", "told"),
    [
        ({"A": 1}, {"A": "1"}, "/A is '1', expected 1"),
        ({"A": True}, {"A": 1}, "/A is 1, expected True"),
        ({"A": 1}, {"A": 1, "B": 2}, "/B is not expected"),
        ({"A": 1}, {}, "/A is absent"),
        ({"A": {"B": 1}}, {"A": []}, "/A is no object"),
        ({"A": ["x", "y"]}, {"A": ["y", "x"]}, "/A/0 is 'y', expected 'x'"),
        ({"A": []}, {"A": ["x"]}, "/A is ['x'], expected 0 entries"),
        ({"A": "/c-[0-9]+/"}, {"A": "c-12x"}, "/A is 'c-12x', expected '/c-[0-9]+/'"),
        ({"A": ""}, {"A": None}, "/A is None, expected ''"),
    ],
)
def test_value_that_is_not_as_expected_is_told_by_its_place(expected: Any, actual: Any, told: str) -> None:
    assert difference(expected, actual, "") == told


def test_pointer_finds_its_value() -> None:
    assert found({"Members": [{"Id": "a"}, {"Id": "b"}]}, "/Members/1/Id") == "b"


def test_answer_in_xml_gets_the_types_of_the_contract() -> None:
    one = {"ContactId": "c-1", "MessageTypes": "AccountExpenses", "PhoneNumber": ""}
    body = {"RequestId": "X", "TotalCount": "1", "PageSize": "10", "PageNumber": "1", "Contacts": one}
    assert contract.typed("ListMessageContacts", body) == {
        "RequestId": "X",
        "TotalCount": 1,
        "PageSize": 10,
        "PageNumber": 1,
        "Contacts": [{"ContactId": "c-1", "MessageTypes": ["AccountExpenses"], "Members": [], "PhoneNumber": ""}],
    }


def test_list_that_is_empty_in_xml_stays_a_list() -> None:
    body = {"TotalCount": "0", "Folders": ""}
    assert contract.typed("ListFoldersForParent", body) == {"TotalCount": 0, "Folders": {"Folder": []}}


def test_every_contact_operation_is_part_of_the_scenario() -> None:
    played = {step["action"] for step in SCENARIO["steps"] if "action" in step}
    contact_operations = {name for name in contract.operations() if "MessageContact" in name or "associateM" in name}
    assert contact_operations | {"AssociateMembers"} <= played


def test_every_error_of_the_scenario_stands_in_its_operations_table() -> None:
    for step in SCENARIO["steps"]:
        error = step.get("expect", {}).get("error")
        if isinstance(error, str) and error != "wrong secret":
            assert contract.error_row(step["action"], error)["code"] == error


def test_clients_that_nobody_asked_for_stay_out_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WANTED, "python")
    assert PYTHON.absence() is None
    assert GO.absence() == "not asked for; `make conformance` runs every client"


def test_clients_whose_tools_are_absent_stay_out_and_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(WANTED, "all")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert PYTHON.absence() is None
    assert GO.absence() == "not on this machine: go"
