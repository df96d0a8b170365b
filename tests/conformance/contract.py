"""The contract as data: parameters, answers and error tables of the vendor's operations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[2] / "contract" / "operations.json"


@cache
def operations() -> Mapping[str, Any]:
    """Operation by name, as `contract/operations.json` describes it."""
    return json.loads(_FILE.read_text())["operations"]


def error_row(action: str, code: str) -> Mapping[str, Any]:
    """The row of an operation's error table; KeyError when the table has none of that code."""
    rows = {row["code"]: row for row in operations()[action]["errors"]}
    return rows[code]


def typed(action: str, body: Mapping[str, Any]) -> Any:
    """An answer that came as nested texts (XML), with the types that the contract gives its fields.

    Empty lists leave no element in XML, so lists that are absent are empty.
    """
    return _typed(operations()[action]["response"], body)


def _typed(shape: Mapping[str, Any], value: Any) -> Any:
    match shape["type"].partition("(")[0]:
        case "object":
            given = value or {}
            return {
                name: _typed(field, given.get(name))
                for name, field in shape["fields"].items()
                if name in given or field["type"] == "array"
            }
        case "array":
            items = [] if value is None else value if isinstance(value, list) else [value]
            return [_typed(shape["items"], item) for item in items]
        case "integer":
            return int(value)
        case "boolean":
            return {"true": True, "false": False}[value]
        case "string":
            return value
        case other:
            raise ValueError(f"the contract has a type {other!r} that nothing here knows")
