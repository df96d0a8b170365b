"""What was measured, what was wanted, and how both are shown."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.replay import Sample


@dataclass(slots=True)
class Load:
    """All runs of one load, one a round; or all its slices."""

    name: str
    samples: list[Sample] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        return [sample.rate for sample in self.samples]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that is wanted, with what the rounds showed."""

    what: str
    values: Sequence[float]
    wanted: float
    #: Whether a greater one is better.
    at_least: bool = True
    unit: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def reached(self) -> bool:
        compare: Callable[[float, float], bool] = operator.ge if self.at_least else operator.le
        return compare(self.median, self.wanted)

    def cells(self) -> list[str]:
        """A row of the table."""
        sign = "≥" if self.at_least else "≤"
        return [
            self.what,
            f"{short(self.median)}{self.unit}",
            f"{short(min(self.values))} - {short(max(self.values))}",
            f"{sign} {short(self.wanted)}{self.unit}",
            "yes" if self.reached else "**no**",
        ]


def ratios(ours: Load, other: Load) -> list[float]:
    """Run by run: how many times the other's rate."""
    return [mine / theirs for mine, theirs in zip(ours.rates, other.rates, strict=True)]


def short(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that can be read as it is, too."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)])


def loads_table(loads: Sequence[Load]) -> str:
    """Rates and times of all loads."""
    rows = []
    for load in loads:
        samples = load.samples
        rows.append(
            [
                load.name,
                f"{statistics.median(load.rates):,.0f}",
                f"{min(load.rates):,.0f} - {max(load.rates):,.0f}",
                short(statistics.median(sample.p50 for sample in samples)),
                short(statistics.median(sample.p99 for sample in samples)),
                f"{statistics.median(sample.processor_per_answer for sample in samples):,.0f}",
            ]
        )
    head = ["load", "answers/s", "range", "p50 ms", "p99 ms", "server µs/answer"]
    return table(head, rows)


def figures_table(figures: Sequence[Figure]) -> str:
    """What was wanted and whether it was reached."""
    return table(["figure", "median", "range", "wanted", "reached"], [figure.cells() for figure in figures])
