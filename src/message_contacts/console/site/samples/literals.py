"""A text as a literal of a language: whatever it holds, the program gets exactly that and nothing else runs.

Characters that are not printable are escaped, those that change the direction of writing above all: they could make a
program look like another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")


def python_literal(text: str) -> str:
    """A Python literal."""
    return _quoted(text, lambda character: f"\\U{ord(character):08x}")


def javascript_literal(text: str) -> str:
    """A JavaScript literal, the same in TypeScript."""
    return _quoted(text, lambda character: f"\\u{{{ord(character):x}}}")


def go_literal(text: str) -> str:
    """An interpreted string literal of Go."""
    return _quoted(text, lambda character: f"\\U{ord(character):08x}")


def java_literal(text: str) -> str:
    """A Java literal.

    The compiler replaces `\\uXXXX` before it looks for quotes and line ends, so that the characters which end a literal
    or a line have to be written in octal.
    """
    return _quoted(text, _java_escape)


def hcl_literal(text: str) -> str:
    """A quoted template of Terraform's language, with nothing in it to be replaced. Terraform normalises it to NFC."""
    quoted = _quoted(text, lambda character: f"\\U{ord(character):08x}")
    return re.sub(r"[$%](?=\{)", lambda match: match[0] * 2, quoted)


def shell_word(text: str) -> str:
    """A word of bash.

    Raises: ValueError for a text with U+0000, which no program can be given as an argument.
    """
    if "\0" in text:
        raise ValueError("a word of a command line cannot hold U+0000")
    if _PLAIN_WORD.fullmatch(text):
        return text
    if all(character == "\n" or character.isprintable() for character in text):
        return "'" + text.replace("'", "'\\''") + "'"
    return "$'" + "".join(map(_shell_escape, text)) + "'"


def _quoted(text: str, escape: Callable[[str], str]) -> str:
    pieces = [
        _SHORT.get(character) or (character if character.isprintable() else escape(character)) for character in text
    ]
    return '"' + "".join(pieces) + '"'


def _java_escape(character: str) -> str:
    if ord(character) < 0x100:
        return f"\\{ord(character):03o}"
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[start]:02x}{units[start + 1]:02x}" for start in range(0, len(units), 2))


def _shell_escape(character: str) -> str:
    if character in "'\\":
        return "\\" + character
    if character.isprintable():
        return character
    # Bytes: what bash makes of \u depends on the locale.
    return "".join(f"\\x{byte:02x}" for byte in character.encode())
