"""Pages of lists by number."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from message_contacts.operations.registry import Field, Kind, Parameter, Shape

#: Entries that a page may have at most, and those it has when nothing is asked.
MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 10
#: Numbers on the wire are 32-bit.
MAX_NUMBER = 2**31 - 1
_NUMBER = re.compile(r"[0-9]{1,10}")


def integer_between(lowest: int, highest: int) -> Callable[[str, Any], int]:
    """A parser of decimal numbers in that range, both ends included; it raises ValueError for everything else."""

    def parse(text: str, _rules: Any) -> int:
        if not _NUMBER.fullmatch(text) or not lowest <= int(text) <= highest:
            raise ValueError(text)
        return int(text)

    return parse


def offset(page_number: int, page_size: int) -> int:
    """How many entries stand before the page."""
    return (page_number - 1) * page_size


PAGE_NUMBER = Parameter(
    name="PageNumber",
    kind=Kind.INTEGER,
    parse=integer_between(1, MAX_NUMBER),
    doc="Page wanted, from 1.",
    example="1",
    default=1,
)
PAGE_SIZE = Parameter(
    name="PageSize",
    kind=Kind.INTEGER,
    parse=integer_between(1, MAX_PAGE_SIZE),
    doc="Entries per page, 1 to 100.",
    example="10",
    default=DEFAULT_PAGE_SIZE,
)
PAGE_FIELDS: Mapping[str, Shape] = {
    "TotalCount": Field("integer", "Entries over all pages.", 2),
    "PageSize": Field("integer", "As asked.", 10),
    "PageNumber": Field("integer", "As asked.", 1),
}
