"""Templates that are rendered once and filled often: filling costs some microseconds, rendering a millisecond."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

# Of Unicode's private use area: no template has them, and values are put in after the text was cut.
_BLANK = "\ue000{}\ue001"
_BLANKS = re.compile("\ue000([a-z_]+)\ue001")


def blanks(names: Iterable[str]) -> dict[str, str]:
    """What to render a template with so that `Form` finds where its fields belong."""
    return {name: _BLANK.format(name) for name in names}


class Filled(str):
    """The text of a form, which remembers what stands in which form: whoever encodes many does what they share once."""

    __slots__ = ("form", "values")
    form: Form
    #: What stands in the blanks, in their order.
    values: Sequence[str]


class Form:
    """A rendered text with blanks."""

    def __init__(self, rendered: str = "", *, pieces: Sequence[str] = ()) -> None:
        """Take a rendered text, or one that is cut already: text and names of blanks by turns, text first and last."""
        self._pieces = list(pieces) or _BLANKS.split(rendered)

    @property
    def texts(self) -> Sequence[str]:
        """What stands before each blank, and behind the last one."""
        return self._pieces[::2]

    def fill(self, fields: Mapping[str, str]) -> str:
        """The text with the fields in their places, as they are: whoever fills an HTML form escapes them."""
        pieces = list(self._pieces)
        pieces[1::2] = [fields[name] for name in pieces[1::2]]
        return "".join(pieces)

    def filled(self, fields: Mapping[str, str]) -> Filled:
        """The same, for the text of a mail: it remembers what stands in which form."""
        pieces = list(self._pieces)
        values = pieces[1::2] = [fields[name] for name in pieces[1::2]]
        filled = Filled("".join(pieces))
        filled.form, filled.values = self, values
        return filled

    def filled_in_part(self, fields: Mapping[str, str]) -> Form:
        """The same with these fields in their places; its other blanks stay."""
        pieces = self._pieces[:1]
        for name, following in zip(self._pieces[1::2], self._pieces[2::2], strict=True):
            if name in fields:
                pieces[-1] += fields[name] + following
            else:
                pieces += [name, following]
        return Form(pieces=pieces)
