"""The error table: each code once, in order, under its own name."""

import ast
import re
from pathlib import Path

from message_contacts import errors
from message_contacts.errors import ErrorDefinition

TABLE = {name: value for name, value in vars(errors).items() if isinstance(value, ErrorDefinition)}


def capitals(code):
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", code.replace(".", "_"))
    return re.sub("_+", "_", words).upper()


def test_the_name_of_each_error_is_its_code_in_capitals():
    assert {name: capitals(definition.code) for name, definition in TABLE.items()} == {name: name for name in TABLE}


def test_no_code_stands_in_the_table_twice():
    codes = [definition.code for definition in TABLE.values()]
    assert len(set(codes)) == len(codes)


def test_the_table_is_sorted_by_code():
    tree = ast.parse(Path(errors.__file__).read_text(encoding="utf-8"))
    in_file = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in TABLE
    ]
    codes = [TABLE[name].code for name in in_file]
    assert codes == sorted(codes)


def test_every_error_has_a_status_of_an_error_and_a_sentence():
    for definition in TABLE.values():
        assert 400 <= definition.status < 600
        assert definition.message.endswith(".")
