"""What a page was asked with: the fields of a form or of a query string."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request

from message_contacts.console.forms import FormRefused

#: Bytes of a form that are read: a message's text with its HTML fits.
LONGEST_FORM = 512 * 1024
_MOST_FIELDS = 5_000


class Form:
    """Names and values, in the order in which they came; a name may come several times."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self._pairs = pairs

    def text(self, name: str, default: str = "") -> str:
        """The last value of a name, without space around it."""
        return self.raw(name, default).strip()

    def raw(self, name: str, default: str = "") -> str:
        """The last value of a name as it was sent, line ends as LF."""
        found = default
        for given, value in self._pairs:
            if given == name:
                found = value.replace("\r\n", "\n")
        return found

    def texts(self, name: str) -> list[str]:
        """All values of a name that are not empty, each once."""
        found = (value.strip() for given, value in self._pairs if given == name)
        return list(dict.fromkeys(value for value in found if value))

    def number(self, name: str, default: int, *, most: int = 1_000_000) -> int:
        """A value as a number from 1 to `most`; the default for everything else."""
        text = self.text(name)
        return min(int(text), most) if text.isascii() and text.isdigit() and text.strip("0") else default

    def __contains__(self, name: str) -> bool:
        return any(given == name for given, _ in self._pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)


def read_query(text: str) -> Form:
    """The fields of a query string; none of one that cannot be read."""
    try:
        return Form(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return Form()


async def read_form(request: Request) -> Form:
    """The fields of a URL-encoded form.

    Raises: FormRefused when it is too long or something else.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise FormRefused("form", 413)
    if not body:
        return Form()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise FormRefused("form", 415)
    try:
        text = bytes(body).decode("utf-8")
        return Form(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise FormRefused("form", 400) from None
