"""Tables on standard output."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width

import click


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below a header, columns aligned; the last column is not padded."""
    cells = [[*header], *([*row] for row in rows)]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(header))]
    for position, row in enumerate(cells):
        padded = [text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)]
        line = "  ".join(padded).rstrip()
        click.echo(click.style(line, bold=True) if position == 0 else line)


def _width(text: str) -> int:
    """Columns a terminal takes for the text: Chinese characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
