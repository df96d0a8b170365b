"""What changed about operations, release by release: worked out from outlines, typed nowhere.

An outline says of every operation what a caller depends on: parameters, fields of the answer, errors. The outline of a
release is a file of `history/`, written when it is made (`scripts/outline_operations.py`); what is not released yet is
the difference between the last of them and the registry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from message_contacts.operations.registry import Field, Items, Registry, Shape

FOLDER = Path(__file__).parent / "history"
#: Name of what no release has yet.
UNRELEASED = ""

#: `version/operation` -> `parameters` (name -> kind, with `*` when it is required), `answer` and `errors`.
Outline = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of an operation that a caller can notice."""

    version: str
    operation: str
    #: `operation`, or which part of it: `parameters`, `answer` or `errors`.
    part: str
    #: `added`, `removed` or `changed`.
    kind: str
    #: Name of the parameter, field or error; empty for the operation itself.
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release and what changed in it."""

    #: `UNRELEASED`, or e.g. `1.2.0`.
    name: str
    changes: Sequence[Change]


def outline(registry: Registry) -> Outline:
    """The registry's outline."""
    return {
        f"{version}/{operation.name}": {
            "parameters": {
                parameter.name: parameter.kind.value + ("*" if parameter.required else "")
                for parameter in operation.parameters
            },
            "answer": dict(_fields(operation.returns)),
            "errors": {definition.code: str(definition.status) for definition in operation.errors},
        }
        for version, operation in registry.all()
    }


@cache
def releases(registry: Registry, folder: Path = FOLDER) -> tuple[Release, ...]:
    """Every release with its changes, the newest first, and before it what is not released yet, if that is anything."""
    paths = sorted(folder.glob("*.json"), key=lambda path: tuple(map(int, path.stem.split("."))))
    outlines: list[tuple[str, Outline]] = [(path.stem, json.loads(path.read_bytes())) for path in paths]
    outlines.append((UNRELEASED, outline(registry)))
    found = []
    before: Outline = {}
    for name, after in outlines:
        changes = list(changes_between(before, after))
        if changes or name != UNRELEASED:
            found.append(Release(name=name, changes=changes))
        before = after
    return tuple(reversed(found))


def changes_between(before: Outline, after: Outline) -> Iterator[Change]:
    """The changes from one outline to the next, by operation; parts of one that is new or gone are no changes."""
    for key in sorted({*before, *after}):
        version, _, operation = key.partition("/")
        if key not in before or key not in after:
            kind = "added" if key in after else "removed"
            yield Change(version=version, operation=operation, part="operation", kind=kind, name="")
            continue
        for part in ("parameters", "answer", "errors"):
            old, new = before[key][part], after[key][part]
            for name in sorted({*old, *new}):
                if old.get(name) != new.get(name):
                    kind = "added" if name not in old else "removed" if name not in new else "changed"
                    yield Change(version=version, operation=operation, part=part, kind=kind, name=name)


def _fields(shape: Mapping[str, Shape], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in shape.items():
        path = prefix + name
        inner: object = value
        while isinstance(inner, Items):
            inner, path = inner.of, path + "[]"
        if isinstance(inner, Field):
            yield path, inner.type
        elif isinstance(inner, Mapping):
            yield from _fields(inner, path + ".")
