"""Measures the service in one go and prints the figures: `scripts/bench [--quick] [--write]`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench import machine, postgres, report, servers
from bench.databases import Database
from bench.loads import Bench
from bench.population import CONTACTS_EACH
from bench.postgres import Cluster, PostgresDatabase
from bench.replay import VoidRun, require_wrk
from bench.rounds import PARTS, POSTGRES, SQLITE, Plan, Scales, measure


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
    parser.add_argument(
        "--write",
        action="store_true",
        help="put the result into docs/benchmarks.md; of a part, or with --contacts, into bench/kept",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of the loads and of growth (full: 5 and 3)")
    parser.add_argument(
        "--contacts", type=int, metavar="N", help="contacts that growth goes to (full: 1,000,000), ten for each tenant"
    )
    parser.add_argument(
        "--only", type=_parts, default=PARTS, metavar="PARTS", help=f"some of {','.join(PARTS)}, with commas between"
    )
    parser.add_argument("--engine", choices=[SQLITE, POSTGRES], help="growth on one engine only")
    parser.add_argument("--prepare", action="store_true", help="make the databases and measure nothing")
    options = parser.parse_args()
    extent = QUICK if options.quick else FULL
    if options.rounds is not None:
        extent = replace(extent, rounds=options.rounds, growth_rounds=options.rounds)
    if options.contacts is not None:
        extent = replace(extent, many=max(extent.few, options.contacts // CONTACTS_EACH))

    require_wrk()
    surroundings = machine.description(servers.WORK)
    with postgres.running() as cluster:
        scales = _prepared(extent, cluster, options.only, [options.engine] if options.engine else [SQLITE, POSTGRES])
        if options.prepare:
            return
        plan = Plan(
            parts=options.only,
            rounds=extent.rounds,
            growth_rounds=extent.growth_rounds,
            sdk_seconds=extent.sdk_seconds,
        )
        try:
            result = measure(Bench(seconds=extent.seconds), scales, cluster, plan)
        except VoidRun as void:
            raise SystemExit(f"void: {void}") from None
    name = extent.name if options.only == PARTS else f"{extent.name}, {', '.join(options.only)} only"
    text = report.text(result, surroundings, name)
    print(text)
    if options.write and options.only == PARTS and options.contacts is None and options.engine is None:
        report.write(text)
    elif options.write:
        print(f"kept as {report.keep(text, extent.many * CONTACTS_EACH)}")


def _parts(text: str) -> tuple[str, ...]:
    chosen = set(text.split(","))
    if not chosen <= set(PARTS):
        raise argparse.ArgumentTypeError(f"these are measured: {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in chosen)


def _prepared(extent: Extent, cluster: Cluster, parts: tuple[str, ...], engines: Sequence[str]) -> Scales:
    """The databases, those made that are needed."""
    few, usual, many = (_by_engine(tenants, cluster) for tenants in (extent.few, extent.usual, extent.many))
    scales = Scales(
        few={engine: few[engine] for engine in engines},
        usual=usual,
        many={engine: many[engine] for engine in engines},
    )
    needed = []
    if "growth" in parts:
        needed += [*scales.few.values(), *scales.many.values()]
    if {"loads", "postgres", "clients", "starts"} & set(parts):
        needed.append(scales.usual[SQLITE])
    if "postgres" in parts:
        needed.append(scales.usual[POSTGRES])
    for database in needed:
        database.prepare()
    return scales


def _by_engine(tenants: int, cluster: Cluster) -> dict[str, Database]:
    return {SQLITE: Database(tenants), POSTGRES: PostgresDatabase(tenants, cluster)}


if __name__ == "__main__":
    main()
