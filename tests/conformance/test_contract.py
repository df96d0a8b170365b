"""The declared operations against contract/operations.json: nothing missing, nothing added, word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from message_contacts import errors
from message_contacts.errors import ApiError
from message_contacts.operations.call import Rules
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import (
    RESOURCE_DIRECTORY_MASTER,
    Field,
    Items,
    Kind,
    Operation,
    Parameter,
    Shape,
)
from tests.conformance import contract

DECLARED = {operation.name: operation for version, operation in REGISTRY.all() if version == RESOURCE_DIRECTORY_MASTER}
EVERY_OPERATION = pytest.mark.parametrize("name", contract.operations())


#: Operations beside the contract's (docs/adr/0032).
TERRAFORM_CALLS = {
    "CheckAccountDelete",
    "DeleteAccount",
    "GetAccountDeletionCheckResult",
    "GetAccountDeletionStatus",
    "ListTagResources",
    "TagResources",
    "UntagResources",
}

#: Parameters whose presence alone means something: their default counts only once another one asks for it.
GIVEN_OR_NOT = {("ListAccounts", "MaxResults")}


def parameters() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Operation and description of every parameter of the contract."""
    for name, operation in contract.operations().items():
        for described in operation["parameters"]:
            yield name, described


EVERY_PARAMETER = pytest.mark.parametrize(
    ("name", "described"), [pytest.param(*pair, id=f"{pair[0]}.{pair[1]['name']}") for pair in parameters()]
)


def declared(name: str, described: Mapping[str, Any]) -> Parameter:
    """The declaration of a parameter of the contract."""
    return next(parameter for parameter in DECLARED[name].parameters if parameter.name == described["name"])


def refused(parameter: Parameter, raw: Any) -> bool:
    """Whether the declaration's parser takes no such value."""
    try:
        parameter.parse(raw, Rules())
    except (ApiError, ValueError):
        return True
    return False


def test_the_version_offers_exactly_the_operations_of_the_contract_and_those_that_terraform_needs_beside() -> None:
    assert sorted({*DECLARED} - TERRAFORM_CALLS) == sorted(contract.operations())
    assert DECLARED.keys() >= TERRAFORM_CALLS


@EVERY_OPERATION
def test_operation_is_called_by_get_and_by_post(name: str) -> None:
    """The methods are the gateway's, the same for all operations; the clients' test uses both."""
    assert sorted(contract.operations()[name]["methods"]) == ["GET", "POST"]
    assert contract.operations()[name]["path"] == "/"


@EVERY_OPERATION
def test_operation_has_the_parameters_of_the_contract(name: str) -> None:
    described = [
        (entry["name"], entry["type"].partition("(")[0]) for entry in contract.operations()[name]["parameters"]
    ]
    assert [(entry.name, entry.kind.value) for entry in DECLARED[name].parameters] == described


@EVERY_PARAMETER
def test_parameter_is_required_where_the_contract_says(name: str, described: Mapping[str, Any]) -> None:
    """A `required_note` tells that a parameter marked optional is treated as required."""
    assert declared(name, described).required == (described["required"] or "required_note" in described)


@EVERY_PARAMETER
def test_absent_required_parameter_is_answered_from_the_operations_table(
    name: str, described: Mapping[str, Any]
) -> None:
    """The gateway's own form is left for operations whose table has no code for it."""
    parameter = declared(name, described)
    if not parameter.required:
        return
    codes = {row["code"] for row in contract.operations()[name]["errors"]}
    if parameter.missing_error.code not in codes:
        assert parameter.missing_error == errors.missing(parameter.name)
        assert not any(code.startswith("MissingParameter.") and code.endswith(parameter.name) for code in codes)


@EVERY_PARAMETER
def test_parameter_has_the_default_and_the_choices_of_the_contract(name: str, described: Mapping[str, Any]) -> None:
    parameter = declared(name, described)
    if (name, parameter.name) not in GIVEN_OR_NOT:
        assert (None if parameter.default == () else parameter.default) == described.get("default")
    assert list(parameter.choices) == [choice["value"] for choice in described.get("enum", [])]
    for choice in parameter.choices:
        assert not refused(parameter, [choice] if parameter.kind is Kind.TEXTS else choice)
    if parameter.choices:
        assert refused(parameter, ["Nonsense"] if parameter.kind is Kind.TEXTS else "Nonsense")


@EVERY_PARAMETER
def test_parameter_has_the_range_of_the_contract(name: str, described: Mapping[str, Any]) -> None:
    parameter = declared(name, described)
    if "min" in described:
        assert not refused(parameter, str(described["min"]))
        assert refused(parameter, str(described["min"] - 1))
    if "max" in described:
        assert not refused(parameter, str(described["max"]))
        assert refused(parameter, str(described["max"] + 1))
    if parameter.kind is Kind.INTEGER:
        assert refused(parameter, "one")
        assert refused(parameter, "1.5")


PATTERNS = [
    pytest.param(name, described, id=f"{name}.{described['name']}")
    for name, described in parameters()
    if "pattern" in described or "regex" in described.get("constraints", {})
]


@pytest.mark.parametrize(("name", "described"), PATTERNS)
def test_parameter_takes_what_the_contracts_pattern_takes(name: str, described: Mapping[str, Any]) -> None:
    parameter = declared(name, described)
    constraints = described.get("constraints", {})
    pattern = re.compile(described.get("pattern") or constraints["regex"], re.ASCII)

    @settings(max_examples=30, derandomize=True, database=None)
    @given(st.from_regex(pattern, fullmatch=True))
    def takes(text: str) -> None:
        assert not refused(parameter, text)

    @settings(max_examples=60, derandomize=True, database=None)
    @given(st.text().filter(lambda text: not re.fullmatch(pattern, text)))
    def refuses(text: str) -> None:
        assert refused(parameter, text) or (parameter.empty_means_something and not text)

    refuses()
    if "country_codes" not in constraints:  # the pattern of a number does not say which of them are allowed
        takes()


@EVERY_PARAMETER
def test_examples_of_a_parameter_are_values_it_takes(name: str, described: Mapping[str, Any]) -> None:
    """Ours with their masked part filled in, and those of the contract that are not masked."""
    parameter = declared(name, described)
    assert not refused(parameter, unmasked(parameter.example))
    example = described.get("example", "")
    if example and "*" not in str(example):
        assert not refused(parameter, example if isinstance(example, list) else str(example))


def unmasked(example: Any) -> Any:
    """An example whose stars are digits."""
    match example:
        case str():
            return example.replace("*", "0")
        case list() | tuple():
            return [unmasked(item) for item in example]
        case _:
            return {name: unmasked(value) for name, value in example.items()}


def extra_codes(name: str) -> set[str]:
    """Codes that an operation's table lacks and a decision in its notes adds."""
    notes = [note for note in contract.operations()[name].get("notes", []) if "[decision]" in note]
    table = {row["code"] for row in contract.operations()[name]["errors"]}
    return {error.code for error in DECLARED[name].errors if any(error.code in note for note in notes)} - table


@EVERY_OPERATION
def test_error_table_has_the_codes_of_the_contract_in_its_order(name: str) -> None:
    """Declared errors and those that never occur make up the table; the order of failed checks is the table's."""
    operation = DECLARED[name]
    table = [row["code"] for row in contract.operations()[name]["errors"]]
    listed = [error.code for error in operation.errors if error.code not in extra_codes(name)]
    assert sorted([*listed, *operation.never]) == sorted(table)
    assert listed == [code for code in table if code not in operation.never]


@EVERY_OPERATION
def test_error_table_has_the_statuses_and_texts_of_the_contract(name: str) -> None:
    """A code that a decision added has the text that another operation's table gives it."""
    rows = {row["code"]: row for operation in contract.operations().values() for row in operation["errors"]}
    for error in DECLARED[name].errors:
        row = rows[error.code] if error.code in extra_codes(name) else contract.error_row(name, error.code)
        assert (error.status, error.message) == (row["http"], row["message"])


@EVERY_OPERATION
def test_error_that_never_occurs_has_a_reason(name: str) -> None:
    for code, reason in DECLARED[name].never.items():
        assert reason.endswith("."), f"{code}: {reason}"


@EVERY_OPERATION
def test_answer_has_the_fields_and_types_of_the_contract(name: str) -> None:
    described = contract.operations()[name]["response"]["fields"]
    assert types_declared(DECLARED[name].returns) | {"RequestId": "string"} == types_described(described)


def types_declared(shape: Mapping[str, Shape]) -> dict[str, Any]:
    """Names and types of a declared answer."""

    def of(part: Shape) -> Any:
        match part:
            case Field():
                return part.type
            case Items():
                return [of(part.of)]
            case _:
                return types_declared(part)

    return {name: of(part) for name, part in shape.items()}


def types_described(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Names and types of an answer in the contract."""

    def of(part: Mapping[str, Any]) -> Any:
        match part["type"].partition("(")[0]:
            case "object":
                return types_described(part["fields"])
            case "array":
                return [of(part["items"])]
            case simple:
                return simple

    return {name: of(part) for name, part in fields.items()}


def test_operation_declared_for_the_vendors_version_names_its_source() -> None:
    unnamed = [operation.name for operation in DECLARED.values() if not has_source(operation)]
    assert unnamed == []


def has_source(operation: Operation) -> bool:
    """Whether a declaration says which page it follows, and of which date."""
    return operation.name in operation.source and bool(re.search(r"\d{4}-\d{2}-\d{2}", operation.source))
