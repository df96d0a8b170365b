"""Measures the service in one go and prints the figures: `scripts/bench [--quick] [--write]`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

from bench import machine, report, servers
from bench.databases import Database
from bench.loads import Bench
from bench.replay import VoidRun, require_wrk
from bench.rounds import measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured."""

    name: str
    rounds: int
    #: Of each run.
    seconds: float
    growth_rounds: int
    #: Tenants of the three databases, ten contacts each.
    few: int = 100
    usual: int
    many: int
    sdk_seconds: float


FULL = Extent(name="full", rounds=5, seconds=8, growth_rounds=3, usual=20_000, many=100_000, sdk_seconds=5)
QUICK = Extent(name="quick", rounds=1, seconds=2, growth_rounds=1, usual=10_000, many=10_000, sdk_seconds=2)


def main() -> None:
    """Measure, print, and write docs/benchmarks.md if asked to."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, growth to 100,000 contacts only")
    parser.add_argument("--write", action="store_true", help="put the result into docs/benchmarks.md")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of the loads and of growth (full: 5 and 3)")
    options = parser.parse_args()
    extent = QUICK if options.quick else FULL
    if options.rounds is not None:
        extent = replace(extent, rounds=options.rounds, growth_rounds=options.rounds)

    require_wrk()
    surroundings = machine.description(servers.WORK)
    databases = {count: Database(count) for count in (extent.few, extent.usual, extent.many)}
    for database in databases.values():
        database.prepare()
    try:
        result = measure(
            Bench(seconds=extent.seconds),
            few=databases[extent.few],
            usual=databases[extent.usual],
            many=databases[extent.many],
            rounds=extent.rounds,
            growth_rounds=extent.growth_rounds,
            sdk_seconds=extent.sdk_seconds,
        )
    except VoidRun as void:
        raise SystemExit(f"void: {void}") from None
    text = report.text(result, surroundings, extent.name)
    print(text)
    if options.write:
        report.write(text)


if __name__ == "__main__":
    main()
