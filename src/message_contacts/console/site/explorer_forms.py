"""The form of an operation: from its declaration to fields, and from what was sent to the arguments of a call.

Fields have the parameters' own names, lists as `Members` several times or `Members.1`, objects as `Tag.1.Key`, so that
a link can fill in a form as the API would be asked. Nothing is stripped or corrected: whoever explores wants to see
what the service says to exactly that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from message_contacts.console.site.form import Form
from message_contacts.console.site.samples.call import Argument
from message_contacts.operations.registry import Kind, Operation, Parameter

#: Form field: names of parameters that are sent though they are empty.
EMPTY = "empty"
#: Rows that a list begins with.
_ROWS = 2
_MOST_ROWS = 100
#: Characters from which on a text gets several lines.
_LONG = 1_000
_LIMIT = re.compile(r"([0-9][0-9,]*) characters")
_KEYS = ("Key", "Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter in the form."""

    parameter: Parameter
    #: `select`, `tick`, `rows`, `objects`, `lines`, `number` or `line`.
    look: str
    #: What one field holds.
    text: str
    #: What the rows of a list hold, empty ones included.
    rows: Sequence[str]
    #: The same of a list of objects.
    objects: Sequence[Mapping[str, str]]
    #: Names of the fields of an object.
    keys: Sequence[str]
    #: What one might enter.
    example: str
    #: Whether it is sent though it is empty.
    sent_empty: bool


def arguments(operation: Operation, form: Form) -> dict[str, Argument]:
    """The arguments of a call, as they were entered; what is empty is left out unless it is to be sent so."""
    empty = {value for name, value in form if name == EMPTY}
    found: dict[str, Argument] = {}
    for parameter in operation.parameters:
        if parameter.kind is Kind.TEXTS:
            texts = [text for text in _texts(parameter.name, form) if text]
            if texts:
                found[parameter.name] = texts
        elif parameter.kind is Kind.OBJECTS:
            entries = [entry for entry in _objects(parameter.name, form) if any(entry.values())]
            if entries:
                found[parameter.name] = entries
        else:
            text = form.raw(parameter.name)
            if text or (parameter.empty_means_something and parameter.name in empty):
                found[parameter.name] = text
    return found


def fields(operation: Operation, given: Mapping[str, Argument], *, rows: Mapping[str, int]) -> list[Field]:
    """The fields of the form, holding what was given.

    Args:
        rows: How many rows a list has at least.
    """
    return [_field(entry, given.get(entry.name), rows.get(entry.name, 0)) for entry in operation.parameters]


def examples(operation: Operation) -> dict[str, Argument]:
    """Arguments for what is required, from the declaration: something to show before anything is entered."""
    return {parameter.name: parameter.example for parameter in operation.parameters if parameter.required}


def rows_of(operation: Operation, form: Form) -> dict[str, int]:
    """How many rows each list had in the form."""
    found: dict[str, int] = {}
    for parameter in operation.parameters:
        if parameter.kind is Kind.TEXTS:
            found[parameter.name] = len(list(_texts(parameter.name, form)))
        elif parameter.kind is Kind.OBJECTS:
            found[parameter.name] = len(list(_objects(parameter.name, form)))
    return found


def _field(parameter: Parameter, given: Argument | None, least: int) -> Field:
    texts: list[str] = []
    objects: list[Mapping[str, str]] = []
    if given is not None and not isinstance(given, str):
        texts = [item for item in given if isinstance(item, str)]
        objects = [item for item in given if isinstance(item, Mapping)]
    look = _look(parameter)
    count = min(max(_ROWS, least, len(texts) + 1, len(objects) + 1), _MOST_ROWS)
    keys = _keys(parameter)
    return Field(
        parameter=parameter,
        look=look,
        text=given if isinstance(given, str) else "",
        rows=[*texts, *[""] * (count - len(texts))] if look == "rows" else texts,
        objects=[*objects, *[dict.fromkeys(keys, "")] * (count - len(objects))] if look == "objects" else (),
        keys=keys,
        example=_example(parameter),
        sent_empty=given == "",
    )


def _look(parameter: Parameter) -> str:
    if parameter.kind is Kind.OBJECTS:
        return "objects"
    if parameter.kind is Kind.TEXTS:
        return "tick" if parameter.choices else "rows"
    if parameter.choices or parameter.kind is Kind.BOOLEAN:
        return "select"
    if parameter.kind is Kind.INTEGER:
        return "number"
    found = _LIMIT.search(parameter.doc)
    return "lines" if found and int(found[1].replace(",", "")) >= _LONG else "line"


def _example(parameter: Parameter) -> str:
    if isinstance(parameter.example, str):
        return parameter.example
    return ", ".join(item for item in parameter.example if isinstance(item, str))


def _keys(parameter: Parameter) -> Sequence[str]:
    if parameter.kind is not Kind.OBJECTS:
        return ()
    return next((tuple(item) for item in parameter.example if isinstance(item, Mapping)), _KEYS)


def _texts(name: str, form: Form) -> Iterator[str]:
    """Values of `Members`, and of `Members.1` and so on, in the order in which they stand in the form."""
    positioned = re.compile(re.escape(name) + r"(\.[0-9]+)?")
    for given, value in form:
        if positioned.fullmatch(given):
            yield value.replace("\r\n", "\n")


def _objects(name: str, form: Form) -> Iterator[dict[str, str]]:
    entries: dict[int, dict[str, str]] = {}
    for given, value in form:
        found = re.fullmatch(re.escape(name) + r"\.([0-9]{1,4})\.([A-Za-z]+)", given)
        if found:
            entries.setdefault(int(found[1]), {})[found[2]] = value.replace("\r\n", "\n")
    for position in sorted(entries):
        yield entries[position]
