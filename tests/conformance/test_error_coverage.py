"""Every row of every error table is provoked by a test, or declared as one that never occurs.

The contact operations' rows are provoked by `tests/api/error_rows.py`. The directory operations' are looked for in the
code of `tests/api/test_<operation>.py`, or of the module in `BESIDE`: an error counts when `assert_error` gets it, or
when the parameters of a test that calls `assert_error` name it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from message_contacts import errors
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import RESOURCE_DIRECTORY_MASTER, snake_case
from tests.api.error_rows import ROWS

API_TESTS = Path(__file__).parents[1] / "api"
#: Operations whose tests stand in another one's module: they are about the same.
BESIDE = {
    "CheckAccountDelete": "DeleteAccount",
    "GetAccountDeletionCheckResult": "DeleteAccount",
    "GetAccountDeletionStatus": "DeleteAccount",
    "UntagResources": "TagResources",
}
DECLARED = {operation.name: operation for version, operation in REGISTRY.all() if version == RESOURCE_DIRECTORY_MASTER}


def codes_named(tree: ast.AST) -> Iterator[str]:
    """Codes of the errors that a piece of code names: `errors.X`, `errors.missing("Y")`, `errors.invalid("Y")`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name("errors"), attr=("missing" | "invalid") as form),
                args=[ast.Constant(str(parameter))],
            ):
                yield getattr(errors, form)(parameter).code
            case ast.Attribute(value=ast.Name("errors"), attr=attribute):
                if isinstance(named := getattr(errors, attribute), errors.ErrorDefinition):
                    yield named.code


def about_another(tree: ast.AST, operation: str) -> bool:
    """Whether a call names other operations and not this one."""
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in DECLARED}
    return bool(named) and operation not in named


def codes_provoked_in(module: ast.Module, operation: str) -> Iterator[str]:
    """Codes that the tests of a module provoke of an operation."""
    constants = {
        target.id: statement.value
        for statement in module.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    for function in module.body:
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        assertions = [
            node
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "assert_error"
        ]
        for assertion in assertions:
            if not about_another(assertion.args[0], operation):
                yield from codes_named(assertion.args[1])
        if assertions:
            for decorator in function.decorator_list:
                yield from codes_named(decorator)
                for node in ast.walk(decorator):
                    if isinstance(node, ast.Name) and node.id in constants:
                        yield from codes_named(constants[node.id])


def codes_provoked(operation: str) -> set[str]:
    """Codes that some test provokes of an operation."""
    path = API_TESTS / f"test_{snake_case(BESIDE.get(operation, operation))}.py"
    by_tests = codes_provoked_in(ast.parse(path.read_text()), operation) if path.exists() else ()
    return {*by_tests, *(code for row_operation, code in ROWS if row_operation == operation)}


@pytest.mark.parametrize("name", DECLARED)
def test_every_row_of_the_table_is_provoked_or_never_occurs(name: str) -> None:
    provoked = codes_provoked(name)
    unproven = [error.code for error in DECLARED[name].errors if error.code not in provoked]
    assert unproven == [], f"no test provokes these of {name}"
    contradicted = sorted(provoked & DECLARED[name].never.keys())
    assert contradicted == [], f"a test provokes what {name} is said never to answer"


def test_every_provocation_belongs_to_a_row_of_a_table() -> None:
    strays = [(name, code) for name, code in ROWS if code not in {error.code for error in DECLARED[name].errors}]
    assert strays == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def test_a():\n assert_error(answer, errors.INVALID_MEMBER)", {"InvalidMember"}),
        ("def test_a():\n assert_error(api.error('GetFolder'), errors.INVALID_MEMBER)", set()),
        ("def test_a():\n print(errors.INVALID_MEMBER)", set()),
        ("@cases(errors.invalid('Tag'))\ndef test_a():\n assert_error(answer, expected)", {"InvalidTag"}),
        ("C = [errors.missing('Tag')]\n@cases(C)\ndef test_a():\n assert_error(answer, expected)", {"MissingTag"}),
    ],
)
def test_only_errors_that_are_asserted_count(source: str, found: set[str]) -> None:
    assert set(codes_provoked_in(ast.parse(source), "AssociateMembers")) == found
