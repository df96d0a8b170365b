"""Texts as parts of a mail: quoted-printable where that stays readable, else base64 (RFC 2045, section 6).

Mails of one message differ in a few words. What they share is encoded once for each form, and looked through once.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import NewType
from weakref import WeakKeyDictionary

from message_contacts.verification.texts.form import Filled, Form

#: Bytes that begin a line and end by CRLF, and in which nothing else ends a line: made by `as_lines` and `joined` only.
Lines = NewType("Lines", bytes)

#: Bytes of a text in UTF-8 for each of its characters, up to which it is quoted: beyond, little of it can be read.
_QUOTED_UP_TO = 5 / 4
_HEAD = b"Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n"
_LINE_ENDS = ("\n", "\r")
_SOFT_BREAK = b"=\r\n"
#: Stands behind a text while it is quoted: its last line then has room for a soft break, which gets the same line end.
_SENTINEL = b"x\r\n"


def as_lines(content: bytes) -> Lines:
    """Make sure that these are lines, however a server reads them.

    Raises:
        ValueError: They are not, so that it might see an end where there is none: a bug of the caller.
    """
    if content and not (
        content.endswith(b"\r\n") and content.count(b"\r\n") == content.count(b"\r") == content.count(b"\n")
    ):
        raise ValueError("the lines of a mail end by CRLF")
    return Lines(content)


def joined(*lines: Lines) -> Lines:
    """Lines behind each other, which are lines as well."""
    return Lines(b"".join(lines))


_NOTHING = as_lines(b"")
_END_OF_LINE = as_lines(b"\r\n")


class Encoder:
    """Makes parts of a mail."""

    def __init__(self) -> None:
        self._forms: WeakKeyDictionary[Form, _QuotedForm] = WeakKeyDictionary()

    def parts(self, *texts: tuple[bytes, str]) -> list[Lines]:
        """Text parts of one mail, each with its header.

        Args:
            texts: Their subtypes of `text/`, and what they say.
        """
        said: dict[str, Lines] = {}  # a link stands in both parts, in each language
        parts = []
        for subtype, text in texts:
            encoding, lines = self._filled(text, said) if type(text) is Filled else _plain(text)
            parts.append(joined(as_lines(_HEAD % (subtype, encoding)), lines))
        return parts

    def _filled(self, text: Filled, said: dict[str, Lines]) -> tuple[bytes, Lines]:
        form = self._forms.get(text.form)
        if form is None:
            form = self._forms[text.form] = _QuotedForm(text.form.texts)
        return form.filled(text, said)


class _QuotedForm:
    """A form whose texts are quoted already; those between its blanks end with a soft break."""

    def __init__(self, texts: Sequence[str]) -> None:
        *self._texts, self._last = map(_quoted, texts)
        self._bytes = sum(len(text.encode("utf-8", "replace")) for text in texts)

    def filled(self, text: Filled, said: dict[str, Lines]) -> tuple[bytes, Lines]:
        """The name of the encoding, and the text in it.

        Args:
            said: Values that are quoted already; others are added.
        """
        if self._bytes + sum(map(_bytes, text.values)) > len(text) * _QUOTED_UP_TO:
            return _plain(text)
        pieces: list[Lines] = []
        for before, value in zip(self._texts, text.values, strict=True):
            quoted = said.get(value)
            if quoted is None:
                quoted = said[value] = _quoted(value)
            pieces += before, quoted
        pieces.append(self._last)
        if not text.endswith(_LINE_ENDS):
            pieces.append(_END_OF_LINE)
        return b"quoted-printable", joined(*pieces)


def _plain(text: str) -> tuple[bytes, Lines]:
    """The name of the encoding, and a text in it of which nothing is known yet."""
    text = _ended(text)
    content = _content(text)
    if len(content) <= len(text) * _QUOTED_UP_TO:
        return b"quoted-printable", as_lines(binascii.b2a_qp(content, istext=True))
    return b"base64", as_lines(base64.encodebytes(content).replace(b"\n", b"\r\n"))


def _quoted(text: str) -> Lines:
    """A text as quoted-printable, with a soft break at its end if no line ends there."""
    if not text:
        return _NOTHING
    content = _content(text)
    if content.endswith(b"\n"):
        return as_lines(binascii.b2a_qp(content, istext=True))
    quoted = binascii.b2a_qp(content + _SENTINEL, istext=True)[: -len(_SENTINEL)]
    return as_lines(quoted if quoted.endswith(_SOFT_BREAK) else quoted + _SOFT_BREAK)


def _content(text: str) -> bytes:
    """A text as bytes; whatever ends a line here, CRLF ends it in the mail."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" in text:
        text = text.replace("\n", "\r\n")
    return text.encode("utf-8", "replace")


def _ended(text: str) -> str:
    """The text with its last line ended."""
    return text if text.endswith(_LINE_ENDS) else text + "\n"


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
