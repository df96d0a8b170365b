"""Counting while calls go on: a look-up and an addition for each, and no lock.

The usual client library takes six times as long for one call (docs/adr/0018-numbers-are-counted-here.md). Each series
is written by one thread only, the event loop's or the writer's, and may be read by any.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from message_contacts.metrics import families
from message_contacts.metrics.families import BY_NAME, FAMILIES, Family, Kind, Sample

#: Label of what is not among the values that are known beforehand.
UNKNOWN = "unknown"

Key = tuple[Family, tuple[str, ...]]


class Histogram:
    """How many values fell into which bucket."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        #: By bucket, the last one without a bound; not cumulated.
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Numbers:
    """What was counted, as values that can be added up, written down and read again."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self._values: dict[Key, float | tuple[tuple[int, ...], float]] = {}
        for sample in samples:
            self._add(sample)

    def add(self, other: Numbers) -> None:
        """Add what another process counted."""
        for sample in other.samples():
            self._add(sample)

    def samples(self) -> list[Sample]:
        """All numbers."""
        return [Sample(family, labels, value) for (family, labels), value in self._values.items()]

    def without_gauges(self) -> Numbers:
        """What still counts when the process has ended."""
        return Numbers(sample for sample in self.samples() if sample.family.kind is not Kind.GAUGE)

    def plain(self) -> list[Any]:
        """The numbers as JSON can hold them."""
        return [(family.name, labels, value) for (family, labels), value in self._values.items()]

    @classmethod
    def from_plain(cls, written: Iterable[Any]) -> Numbers:
        """From what `plain` gave. A family that this release does not know is left out."""
        numbers = cls()
        for name, labels, value in written:
            family = BY_NAME.get(name)
            if family is not None:
                if isinstance(value, list):
                    value = (tuple(value[0]), float(value[1]))  # noqa: PLW2901 - the same, frozen again
                numbers._add(Sample(family, tuple(labels), value))
        return numbers

    def _add(self, sample: Sample) -> None:
        key = (sample.family, sample.labels)
        before, value = self._values.get(key), sample.value
        if before is None:
            self._values[key] = value
        elif isinstance(before, tuple) and isinstance(value, tuple):
            self._values[key] = (
                tuple(one + other for one, other in zip(before[0], value[0], strict=True)),
                before[1] + value[1],
            )
        elif not isinstance(before, tuple) and not isinstance(value, tuple):
            self._values[key] = min(before, value) if sample.family.least_counts else before + value


class Metrics:
    """What this process counts."""

    def __init__(self, codes: Iterable[str] = ()) -> None:
        """Begin at nought.

        Args:
            codes: Codes of answers that are told apart; any other could be made up by a caller.
        """
        self._codes = frozenset(codes) | {"OK"}
        #: By the operation and code of the call; labels are worked out once.
        self._requests: dict[tuple[str | None, str], Histogram] = {}
        self._histograms: dict[Key, Histogram] = {}
        self._counters: dict[Key, float] = {}
        self._commit_seconds = self._histogram(families.COMMIT_SECONDS, ())
        self._commit_groups = self._histogram(families.COMMIT_GROUP, ())
        for family in FAMILIES:  # those without labels are there before anything happens
            if family.kind is Kind.COUNTER and not family.labels and family is not families.PROCESS_CPU:
                self._counters[family, ()] = 0

    def request(self, operation: str | None, code: str, seconds: float) -> None:
        """Count a call that was answered.

        Args:
            operation: Declared name; None when the call named none that exists.
            code: Of the answer, `OK` or an error's.
        """
        histogram = self._requests.get((operation, code))
        if histogram is None:
            histogram = self._first_request(operation, code)
        histogram.counts[bisect_left(histogram.bounds, seconds)] += 1
        histogram.sum += seconds

    def refused_unauthenticated(self, code: str) -> None:
        """Count a request that was refused before it was known who called."""
        self._count(families.UNAUTHENTICATED, (self._code(code),))

    def committed(self, changes: int, seconds: float) -> None:
        """Count a commit with so many changes."""
        self._commit_seconds.observe(seconds)
        self._commit_groups.observe(changes)

    def commit_failed(self) -> None:
        """Count a commit that the database could not carry out."""
        self._count(families.COMMITS_FAILED, ())

    def job(self, channel: str, kind: str, outcome: str, seconds: float) -> None:
        """Count a try to do waiting work."""
        self._count(families.JOBS, (channel, kind, outcome))
        self._histogram(families.JOB_SECONDS, (channel, kind)).observe(seconds)

    def rested(self, seconds: float) -> None:
        """Count a rest between jobs."""
        self._count(families.JOB_RESTS, (), seconds)

    def happened(self, family: Family, *labels: str, times: int = 1) -> None:
        """Count what a family of counters is about; labels in its order, of values that are known beforehand."""
        self._count(family, labels, times)

    def mailbox_read(self, outcome: str) -> None:
        """Count a look into the mailbox of reports."""
        self._count(families.BOUNCE_MAILBOX_READS, (outcome,))

    def mailbox_mail(self, result: str) -> None:
        """Count a mail that was found there."""
        self._count(families.BOUNCE_MAILBOX_MAILS, (result,))

    def numbers(self) -> Numbers:
        """All that was counted so far."""
        found = [
            Sample(family, labels, (tuple(histogram.counts), histogram.sum))
            for (family, labels), histogram in list(self._histograms.items())
        ]
        found += [
            Sample(families.REQUESTS, labels, sum(value[0]))
            for family, labels, value in found
            if family is families.REQUEST_SECONDS and isinstance(value, tuple)
        ]
        found += [Sample(family, labels, value) for (family, labels), value in list(self._counters.items())]
        return Numbers(found)

    def _first_request(self, operation: str | None, code: str) -> Histogram:
        histogram = self._histogram(families.REQUEST_SECONDS, (operation or UNKNOWN, self._code(code)))
        if code in self._codes:  # others are not remembered: there is no end of them
            self._requests[operation, code] = histogram
        return histogram

    def _code(self, code: str) -> str:
        if code in self._codes:
            return code
        for beginning in ("Missing", "Invalid"):
            if code.startswith(beginning):
                return f"{beginning}*"
        return UNKNOWN

    def _count(self, family: Family, labels: tuple[str, ...], times: float = 1) -> None:
        key = (family, labels)
        self._counters[key] = self._counters.get(key, 0) + times

    def _histogram(self, family: Family, labels: tuple[str, ...]) -> Histogram:
        key = (family, labels)
        found = self._histograms.get(key)
        if found is None:
            found = self._histograms[key] = Histogram(family.bounds)
        return found
