"""The result as text: for the terminal, and as docs/benchmarks.md."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from string import Template

from bench import deliveries, servers
from bench.figures import Load, figures_table, loads_table, short, table
from bench.loads import REPETITIONS, SLICE_SECONDS, STOLEN_AT_MOST
from bench.population import CONTACTS_EACH
from bench.replay import CONNECTIONS, THREADS
from bench.rounds import Result

PAGE = servers.ROOT / "docs" / "benchmarks.md"

_METHOD = Path(__file__).with_name("method.md")
#: Runs of another extent, by the number of contacts.
_KEPT = Path(__file__).with_name("kept")
_FINDINGS = Path(__file__).with_name("findings.md")


def text(result: Result, surroundings: Sequence[tuple[str, str]], extent: str) -> str:
    """All tables, in Markdown."""
    bench = result.bench
    few, usual, many = (
        next(iter(sizes.values())) for sizes in (result.scales.few, result.scales.usual, result.scales.many)
    )
    everything = [*result.loads.values(), *result.growth.values()]
    samples = [sample for load in everything for sample in load.samples]
    others = statistics.median(sample.others for sample in samples) if samples else 0.0
    run = (
        f"Run: {extent}; rounds: {result.rounds} of {bench.seconds:g} s; {usual.name} contacts of {usual.tenants:,} "
        f"tenants where nothing else is said. {bench.repeated} runs were made again because the host took processors "
        f"away; {bench.disturbed} were kept although it did each time. Other programs used {others:.0%} of "
        "the processors meanwhile (median of all runs); ratios hold only when that is next to nothing."
    )
    start = (
        "Seconds from the start of the process to the answer to a signed call: on a prepared database, and where there "
        "is none yet, so that the schema, the first account and its key are made first."
    )
    sent = (
        f"One message to {deliveries.MAILS:,} contacts, by one worker as it is by default, into a mail server that "
        "keeps nothing; beside it aiosmtplib, which sends one such mail again and again over as many connections and "
        "records nothing. The mail server tells the rate, from the first mail to the last."
    )
    reached = (
        "Milliseconds: of database time for one member five folders deep, with eight contacts and a copy of a deleted "
        "one; and for the whole work of GetCoverage, which looks at all members, contacts and copies. The first is "
        "three statements; PostgreSQL says itself what they took, and beside it stands how long a process waits."
    )
    grown = f"{few.name} contacts of {few.tenants:,} tenants, and {many.name} of {many.tenants:,}."
    first_parts = [
        "## Machine and run",
        table(["", ""], [[name, value] for name, value in surroundings]),
        run,
        "## What is wanted, and what is so",
        figures_table(result.figures()),
    ]
    own_time = "One thread, one call after the other; most of the time is the client's own."
    # What was not measured is left out.
    chapters = [
        ("## Loads", "", loads_table(list(result.loads.values())), result.loads),
        ("## Growth", grown, loads_table(sorted(result.growth.values(), key=_name)), result.growth),
        (
            "## Through the vendors' Python clients",
            own_time,
            _values("calls a second", result.clients),
            result.clients,
        ),
        ("## Deliveries", sent, _values("mails a second", result.deliveries), result.deliveries),
        ("## Who is reached", reached, _values("milliseconds", result.effective), result.effective),
        ("## Start and memory", start, _values("seconds", result.starts), result.starts),
    ]
    parts = [part for *chapter, measured in chapters if measured for part in chapter if part]
    return "\n\n".join([*first_parts, *parts, *([_memory(result)] if result.memory else [])]) + "\n"


def _name(load: Load) -> str:
    return load.name


def keep(measured: str, contacts: int) -> Path:
    """Keep the result of a run that measured less, or more contacts, than the page is about; the page shows it, too."""
    _KEPT.mkdir(exist_ok=True)
    path = _KEPT / f"{contacts}.md"
    path.write_text(measured, encoding="utf-8")
    return path


def write(measured: str) -> None:
    """Put the result into the documentation, with the runs that were kept."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    method = Template(_METHOD.read_text(encoding="utf-8")).substitute(
        connections=CONNECTIONS,
        threads=THREADS,
        contacts_each=CONTACTS_EACH,
        stolen_at_most=f"{STOLEN_AT_MOST:.0%}",
        repetitions=REPETITIONS,
        slice_seconds=f"{SLICE_SECONDS:g}",
    )
    kept = "".join(
        f"\n## {int(path.stem):,} contacts, once\n\n{_lower(path.read_text(encoding='utf-8'))}"
        for path in sorted(_KEPT.glob("*.md"), key=lambda path: int(path.stem))
    )
    PAGE.write_text(f"{method}\n{measured}{kept}{_FINDINGS.read_text(encoding='utf-8')}", encoding="utf-8")


def _lower(text: str) -> str:
    """The text with its headings one level further down."""
    return text.replace("\n## ", "\n### ").replace("## ", "### ", 1)


def _values(unit: str, values: dict[str, list[float]]) -> str:
    rows = [
        [name, short(statistics.median(each)), f"{short(min(each))} - {short(max(each))}"]
        for name, each in values.items()
    ]
    return table(["", unit, "range"], rows)


def _memory(result: Result) -> str:
    rows = [
        [when, f"{memory.resident:.0f}", f"{memory.proportional:.0f}"] for when, memory in sorted(result.memory.items())
    ]
    return table(["memory of the process, MB", "resident", "proportional"], rows)
