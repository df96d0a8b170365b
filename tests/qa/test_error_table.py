"""The error table: each code once, in order, under its own name."""

import ast
import re
from pathlib import Path

import pytest

from message_contacts import errors
from message_contacts.access import ram_errors
from message_contacts.errors import ErrorDefinition

MODULES = [errors, ram_errors]
TABLES = {
    module: {name: value for name, value in vars(module).items() if isinstance(value, ErrorDefinition)}
    for module in MODULES
}
EVERY_MODULE = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])


def capitals(code):
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", code.replace(".", "_"))
    return re.sub("_+", "_", words).upper()


@EVERY_MODULE
def test_the_name_of_each_error_is_its_code_in_capitals(module):
    assert {name: capitals(definition.code) for name, definition in TABLES[module].items()} == {
        name: name for name in TABLES[module]
    }


@EVERY_MODULE
def test_no_code_stands_in_the_table_twice(module):
    codes = [definition.code for definition in TABLES[module].values()]
    assert len(set(codes)) == len(codes)


@EVERY_MODULE
def test_the_table_is_sorted_by_code(module):
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    in_file = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in TABLES[module]
    ]
    codes = [TABLES[module][name].code for name in in_file]
    assert codes == sorted(codes)


@EVERY_MODULE
def test_every_error_has_a_status_of_an_error_and_a_sentence(module):
    for definition in TABLES[module].values():
        assert 400 <= definition.status < 600
        assert definition.message.endswith(".")
