"""Arguments of a call: flat names on the wire, values and lists inside; and the text of queries, forms and JSON bodies.

Source: contract/protocol.md section 4.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

#: Parameters of a query, a form or a JSON body, and items of a list: far more than any operation takes.
MOST_NAMES = 1_000

_POSITION = re.compile(r"[1-9][0-9]{0,8}")
_ESCAPED = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")


class RepeatedName(ValueError):  # noqa: N818 - named after what was found
    """A name occurs twice in one place, so that nobody can say which value counts.

    Attributes:
        name: That name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class TooManyNames(ValueError):  # noqa: N818 - named after what was found
    """More names than any operation takes."""


def parse_form(text: str) -> tuple[dict[str, str], str | None]:
    """Names and values of a query string or form, decoded, and the first name that repeats.

    `%XX` is UTF-8, `+` a space. Bytes that are not UTF-8 become U+FFFD, a `%` without two hex digits stays as it is;
    neither survives a signature check unless the caller signed exactly that.

    Args:
        text: The raw text, one character for each byte (Latin-1).
    Returns:
        The values (the first one of a repeated name), and the name that repeats or None.
    """
    values: dict[str, str] = {}
    repeated: str | None = None
    for piece in text.split("&"):
        if not piece:
            continue
        name, _, value = piece.partition("=")
        if "%" in piece or "+" in piece or not piece.isascii():
            name = _decoded(name)
            value = _decoded(value)
        if name in values:
            repeated = repeated or name
        else:
            values[name] = value
    return values, repeated


def parse_json_object(body: bytes, *, most: int = MOST_NAMES) -> dict[str, object]:
    """The members of a JSON object, null ones left out.

    Args:
        most: How many names it may have, those of inner objects included.
    Raises:
        RepeatedName: A name occurs twice in one object, at any depth.
        TooManyNames: It has more than `most`.
        ValueError: It is not JSON, or not an object.
    """
    orjson.loads(body)  # refuses what json takes: NaN, lone surrogates, nesting without end
    left = most

    def counted(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal left
        left -= len(pairs)
        if left < 0:
            raise TooManyNames
        return _object(pairs)

    try:
        value = json.loads(body, object_pairs_hook=counted)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the caller sent it, no programmer
    return {name: item for name, item in value.items() if item is not None}


def flattened(parameters: Mapping[str, object]) -> dict[str, str]:
    """Parameters as they travel: `{"Tag": [{"Key": "a"}]}` is `Tag.1.Key=a`; None and empty lists are left out.

    Raises: TypeError for a value that has no form on the wire.
    """
    flat: dict[str, str] = {}
    for name, value in parameters.items():
        if value is None:
            continue
        if isinstance(value, Mapping):
            flat |= {f"{name}.{key}": item for key, item in flattened(value).items()}
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            flat |= flattened({f"{name}.{position}": item for position, item in enumerate(value, start=1)})
        elif isinstance(value, str | int | float):
            flat[name] = _scalar(value)
        else:
            raise TypeError(f"{name} is a {type(value).__name__}")
    return flat


class Arguments:
    """The parameters of one call, query and body merged, as text.

    Lists arrive as `Name.1=a&Name.2=b`; a JSON array text, a single plain value, or (JSON body) a real array count too.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        """Take the values: text, or whatever a JSON body held."""
        self._values = values

    def __repr__(self) -> str:
        """Names only: values are the caller's."""
        return f"Arguments({', '.join(self._values)})"

    def text(self, name: str) -> str | None:
        """The value as text; None when absent.

        Raises: ValueError when a JSON body gave an array or an object.
        """
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value
        return _scalar(value)

    def texts(self, name: str) -> list[str] | None:
        """The list of texts, in the order of its positions, gaps skipped; None when not given at all.

        Raises: ValueError when an item is not a text.
        """
        value = self._values.get(name)
        if value is None or value == "":
            items = self._positions(name)
            return [_scalar(value) for _, value in items] if items else None
        if isinstance(value, str):
            value = _parsed_array(value)
        if not isinstance(value, list):
            value = [value]
        return [_scalar(item) for item in _few(value)] or None

    def objects(self, name: str) -> list[dict[str, str]] | None:
        """The list of objects (`Name.1.Key=a`), each field as text; None when not given at all.

        Raises: ValueError when it is not a list of flat objects.
        """
        value = self._values.get(name)
        if value is None or value == "":
            found: dict[int, dict[str, str]] = {}
            prefix = name + "."
            for full_name, item in self._values.items():
                if full_name.startswith(prefix):
                    position, dot, key = full_name[len(prefix) :].partition(".")
                    if not dot or not _POSITION.fullmatch(position):
                        raise ValueError(full_name)
                    found.setdefault(int(position), {})[key] = _scalar(item)
            return [found[position] for position in sorted(found)] or None
        if isinstance(value, str):
            value = _parsed_array(value)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ValueError(name)
        return [{str(key): _scalar(item) for key, item in entry.items()} for entry in _few(value)] or None

    def _positions(self, name: str) -> list[tuple[int, object]]:
        prefix = name + "."
        start = len(prefix)
        found = [
            (int(full_name[start:]), value)
            for full_name, value in self._values.items()
            if full_name.startswith(prefix) and _POSITION.fullmatch(full_name, start)
        ]
        found.sort(key=lambda entry: entry[0])
        return found


def _few(items: list[Any]) -> list[Any]:
    """The items of a list that is not longer than one in a query could be."""
    if len(items) > MOST_NAMES:
        raise ValueError(f"{len(items)} items")
    return items


def _parsed_array(text: str) -> object:
    """The array that a text spells in JSON, or the text itself as the only item."""
    if text.startswith("["):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return [text]
    return [text]


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise ValueError(type(value).__name__)


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    if "%" not in text:
        return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")
    return _ESCAPED.sub(_unescaped, text.encode("latin-1")).decode("utf-8", "replace")


def _unescaped(run: re.Match[bytes]) -> bytes:
    """The bytes that a run of `%XX` stands for."""
    return bytes.fromhex(run[0].replace(b"%", b"").decode())


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise RepeatedName(name)
        members[name] = value
    return members
