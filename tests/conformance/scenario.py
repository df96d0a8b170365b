"""The scenario of `scenario.json`, played through one client."""

from __future__ import annotations

import json
import re
import string
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conformance import contract
from tests.conformance.confirming import Person
from tests.conformance.driving import VERSION, Driver, Key

_FILE = Path(__file__).with_name("scenario.json")
_REQUEST_ID = re.compile("[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}")
#: Stands in an expected object for fields that are not looked at.
_MORE = "..."
#: Seconds that work in the background may take.
_PATIENCE = 10.0
_STRANGERS = {
    "wrong secret": Key(access_key_secret="not-the-secret-of-this-key"),
    "unknown key": Key(access_key_id="LTAInobodyhasthiskey"),
}


class Play:
    """One run of the scenario."""

    def __init__(self, driver: Driver, operator: Driver, person: Person, *, letters: str, digits: str) -> None:
        """Take the parts.

        Args:
            operator: Makes the calls that the client is not able to make.
            person: Whoever the contact's addresses belong to.
            letters: Three letters that make names of this run its own.
            digits: Eight digits that do so for phone numbers.
        """
        script = json.loads(_FILE.read_text())
        self._steps = script["steps"]
        self._variables: dict[str, Any] = {**script["dates"], "letters": letters, "digits": digits}
        self._driver = driver
        self._operator = operator
        self._person = person

    def perform(self) -> None:
        """Play every step; the first that goes another way fails, named by its number."""
        for number, step in enumerate(self._steps, 1):
            try:
                if "confirm" in step:
                    self._confirm(self._filled(step["confirm"]), self._filled(step["contact"]))
                else:
                    self._call(step)
            except AssertionError as difference:
                raise AssertionError(f"step {number}, {step.get('action', 'confirm')}: {difference}") from difference

    def _call(self, step: Mapping[str, Any]) -> None:
        if self._driver.variant.signs_no_empty_values and "" in step["parameters"].values():
            self._check_error(step["action"], self._ask(step), "wrong secret")
            answer = self._operator.call(step["action"], self._filled(step["parameters"]))
        else:
            answer = self._ask(step)
        deadline = time.monotonic() + _PATIENCE
        while "meanwhile" in step and answer["ok"]:
            self._check(step, answer, step["meanwhile"])
            assert time.monotonic() < deadline, f"still {answer}"
            answer = self._ask(step)
        self._check(step, answer, step["expect"])
        for name, pointer in step.get("save", {}).items():
            self._variables[name] = found(answer["body"], pointer)

    def _ask(self, step: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._driver.call(
            step["action"],
            self._filled(step["parameters"]),
            version=step.get("version", VERSION),
            key=_STRANGERS[step["key"]] if "key" in step else Key(),
        )
        if answer["ok"] and self._driver.variant.untyped:
            answer["body"] = contract.typed(step["action"], answer["body"])
        return answer

    def _check(self, step: Mapping[str, Any], answer: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
        if "body" in expected:
            assert answer["ok"], f"refused: {answer}"
            body = dict(answer["body"])
            assert _REQUEST_ID.fullmatch(body.pop("RequestId")), answer
            problem = difference(self._filled(expected["body"]), body, "")
            assert problem is None, f"{problem}, in {answer['body']}"
        else:
            self._check_error(step["action"], answer, expected["error"])

    def _check_error(self, action: str, answer: Mapping[str, Any], expected: str | Mapping[str, Any]) -> None:
        assert not answer["ok"], f"carried out, expected {expected}: {answer}"
        if expected == "wrong secret":
            told = self._driver.variant.mismatch
            status, code, text = 400, told.code, told.message
        elif isinstance(expected, str):
            row = contract.error_row(action, expected)
            status, code, text = row["http"], row["code"], re.escape(row["message"])
        else:
            status, code, text = expected["status"], expected["code"], re.escape(expected["message"])
        assert answer["code"] == code, f"expected {code}: {answer}"
        assert re.search(text, answer["message"]), f"expected the text {text}: {answer}"
        assert _REQUEST_ID.fullmatch(answer["request_id"]), answer
        if self._driver.client.tells_status:
            assert answer["status"] == status, answer

    def _confirm(self, address: str, contact_id: str) -> None:
        """Have the person confirm, and see that only the click did it."""
        page = self._person.open_link(address)
        assert address in self._waiting(contact_id), "opening the page was enough to verify the address"
        page.press_button()
        assert address not in self._waiting(contact_id), "the address is not verified after the click"

    def _waiting(self, contact_id: str) -> list[str]:
        step = {"action": "ListMessageContactVerifications", "parameters": {"ContactId": contact_id}}
        return [entry["Target"] for entry in self._ask(step)["body"]["ContactVerifications"]]

    def _filled(self, value: Any) -> Any:
        """The value with its variables."""
        match value:
            case str():
                return string.Template(value).substitute(self._variables)
            case list():
                return [self._filled(item) for item in value]
            case dict():
                return {name: self._filled(item) for name, item in value.items()}
            case _:
                return value


def found(body: Any, pointer: str) -> Any:
    """What a JSON pointer names."""
    for part in pointer.strip("/").split("/"):
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


def difference(expected: Any, actual: Any, path: str) -> str | None:
    """In words, the first difference; None when the actual value is as expected."""
    match expected:
        case dict():
            if not isinstance(actual, dict):
                return f"{path or '/'} is no object"
            unexpected = actual.keys() - expected.keys()
            if unexpected and _MORE not in expected:
                return f"{path}/{min(unexpected)} is not expected"
            for name, value in expected.items():
                if name == _MORE:
                    continue
                if name not in actual:
                    return f"{path}/{name} is absent"
                if problem := difference(value, actual[name], f"{path}/{name}"):
                    return problem
            return None
        case list():
            if not isinstance(actual, list) or len(actual) != len(expected):
                return f"{path} is {actual!r}, expected {len(expected)} entries"
            problems = (
                difference(value, actual[position], f"{path}/{position}") for position, value in enumerate(expected)
            )
            return next(filter(None, problems), None)
        case str() if len(expected) > 1 and expected.startswith("/") and expected.endswith("/"):
            if isinstance(actual, str) and re.fullmatch(expected[1:-1], actual):
                return None
        case _:
            # True is not 1 here, but 1.0 is: a JSON number has no other type.
            if expected == actual and isinstance(expected, bool) == isinstance(actual, bool):
                return None
    return f"{path} is {actual!r}, expected {expected!r}"
