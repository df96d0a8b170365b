"""The order of all runs: rounds in which every load has its turn, so that a slow minute hits them all."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bench import clients, deliveries, effective, servers
from bench.databases import KEY_TEXT, Database
from bench.figures import Figure, Load, ratios, short
from bench.loads import Bench
from bench.population import Tenant
from bench.postgres import Cluster, PostgresDatabase
from bench.replay import Sample
from bench.servers import Memory

BARE = "bare uvicorn"
GET = "GetMessageContact"
GET_V1 = "GetMessageContact, v1 signature"
LIST = "ListMessageContacts"
ADD = "AddMessageContact"
ADD_ALONE = "AddMessageContact, each committed alone"
MOTO_PUT = "moto_server PutAlternateContact"
MOTO_GET = "moto_server GetAlternateContact"
SQLITE, POSTGRES = Database.engine, PostgresDatabase.engine
STARTS = 5
#: Processes that answer calls.
ONE, TWO = servers.NO_SETTINGS, {"WORKERS": "2"}
POSTGRES_GET, POSTGRES_ADD = f"{GET}, PostgreSQL", f"{ADD}, PostgreSQL"
POSTGRES_GET_2, POSTGRES_ADD_2 = f"{POSTGRES_GET}, two processes", f"{POSTGRES_ADD}, two processes"

#: What can be measured, in this order.
PARTS = ("loads", "postgres", "growth", "clients", "deliveries", "effective", "starts")

#: The limit of contacts of one directory, out of the way where few tenants have to take many.
UNLIMITED = {"CONTACTS_PER_DIRECTORY": clients.MANY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """The databases, by engine."""

    few: Mapping[str, Database]
    usual: Mapping[str, Database]
    many: Mapping[str, Database]


@dataclass(slots=True)
class Result:
    """All that was measured."""

    bench: Bench
    scales: Scales
    rounds: int
    loads: dict[str, Load] = field(default_factory=dict)
    growth: dict[str, Load] = field(default_factory=dict)
    #: Calls a second through a vendor's client, one value a round.
    clients: dict[str, list[float]] = field(default_factory=dict)
    #: Mails a second into a server that keeps nothing, one value a round.
    deliveries: dict[str, list[float]] = field(default_factory=dict)
    #: Milliseconds to know who is reached, one value a round.
    effective: dict[str, list[float]] = field(default_factory=dict)
    #: Seconds, one value a start.
    starts: dict[str, list[float]] = field(default_factory=dict)
    #: Megabytes.
    memory: dict[str, Memory] = field(default_factory=dict)

    def figures(self) -> list[Figure]:
        """What design and documentation promise, beside what was measured; what was not measured is left out."""
        of, sdk, sent = self.loads, self.clients, self.deliveries
        figures = [
            *_rate("Get / bare uvicorn", of, GET, BARE, 0.35),
            *_rate("Add / bare uvicorn", of, ADD, BARE, 0.20),
            *_rate("Add / each committed alone", of, ADD, ADD_ALONE, 2.0),
            *_rate("Add / moto_server Put", of, ADD, MOTO_PUT, 20),
            *_rate("Get / moto_server Get", of, GET, MOTO_GET, 25),
            *_quotient("client Add / boto3 Put", sdk, "Add", "boto3 Put", 2.2),
            *_quotient("client Get / boto3 Get", sdk, "Get", "boto3 Get", 3.5),
            *_late("p99 of Get", of, GET, 10),
            *_late("p99 of Add", of, ADD, 10),
            *_rate("PostgreSQL, two processes: Get / bare uvicorn", of, POSTGRES_GET_2, BARE, 0.40),
            *_rate("PostgreSQL, two processes: Add / bare uvicorn", of, POSTGRES_ADD_2, BARE, 0.25),
            *_late("PostgreSQL, two processes: p99 of Get", of, POSTGRES_GET_2, 20),
            *_late("PostgreSQL, two processes: p99 of Add", of, POSTGRES_ADD_2, 20),
            *_quotient("deliveries / aiosmtplib alone", sent, "deliveries", "aiosmtplib alone", deliveries.WANTED),
        ]
        for engine in self.scales.many:
            figures += self._growth_figures(engine)
        for engine in self.scales.many:
            name = f"{engine}: {effective.AMONG_MANY}"
            if name in self.effective:
                times = self.effective[name]
                figures.append(Figure(f"{name}, database time", times, effective.WANTED, at_least=False, unit=" ms"))
        if self.starts:
            figures.append(Figure("start to first answer", self.starts["prepared"], 1, at_least=False, unit=" s"))
        if self.memory:
            resident = [memory.resident for memory in self.memory.values()]
            figures.append(Figure("memory, resident, at its most", [max(resident)], 100, at_least=False, unit=" MB"))
        return figures

    def _growth_figures(self, engine: str) -> list[Figure]:
        few, many = self.scales.few[engine].name, self.scales.many[engine].name
        figures: list[Figure] = []
        for name in ("Add", "Get", "List", "Effective"):
            of_many, of_few = f"{engine}: {name}, {many}", f"{engine}: {name}, {few}"
            figures += _rate(f"{engine}: {name} with {many} / with {few}", self.growth, of_many, of_few, 0.80)
        crowded = self.growth.get(f"{engine}: Add, {many}")
        if crowded is not None:
            spread = [sample.p99 / sample.p50 for sample in crowded.samples]
            figures.append(Figure(f"{engine}: p99 / p50 of Add with {many}", spread, 4, at_least=False))
        return figures


def _rate(what: str, loads: Mapping[str, Load], ours: str, other: str, wanted: float) -> Iterator[Figure]:
    """How many times the other load's rate, where both were measured."""
    if ours in loads and other in loads:
        yield Figure(what, ratios(loads[ours], loads[other]), wanted)


def _late(what: str, loads: Mapping[str, Load], name: str, wanted: float) -> Iterator[Figure]:
    """The time within which 99 of 100 calls were answered, where it was measured."""
    if name in loads:
        yield Figure(what, [sample.p99 for sample in loads[name].samples], wanted, at_least=False, unit=" ms")


def _quotient(
    what: str, values: Mapping[str, Sequence[float]], ours: str, other: str, wanted: float
) -> Iterator[Figure]:
    """How many times the other's value, where both were measured."""
    if ours in values and other in values:
        yield Figure(what, [mine / theirs for mine, theirs in zip(values[ours], values[other], strict=True)], wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured, and how often."""

    parts: Collection[str] = PARTS
    rounds: int
    growth_rounds: int
    #: Of each run through a client.
    sdk_seconds: float


def measure(bench: Bench, scales: Scales, cluster: Cluster, plan: Plan) -> Result:
    """Measure it; says on the way what it is at."""
    result = Result(bench, scales, plan.rounds)
    if {"loads", "postgres"} & set(plan.parts):
        _measure_loads(result, plan)
    for part, work in (
        ("growth", _measure_growth),
        ("clients", _measure_clients),
        ("deliveries", _measure_deliveries),
        ("effective", partial(_measure_effective, cluster)),
    ):
        for number in range(1, plan.growth_rounds + 1 if part in plan.parts else 1):
            _say(f"{part}, round {number} of {plan.growth_rounds}")
            work(result, plan)
    for number in range(1, STARTS + 1 if "starts" in plan.parts else 1):
        _say(f"start {number} of {STARTS}")
        _note(result.starts, "prepared", start_prepared(bench, scales.usual[SQLITE], result.memory))
        _note(result.starts, "new", start_new(bench))
    return result


def _measure_loads(result: Result, plan: Plan) -> None:
    bench, memory = result.bench, result.memory
    usual, postgres = result.scales.usual[SQLITE], result.scales.usual[POSTGRES]
    answer = servers.WORK / "answer.json"
    bench.save_answer(usual, answer)
    for number in range(1, plan.rounds + 1):
        _say(f"round {number} of {plan.rounds}")
        _take(result.loads, BARE, partial(bench.answering_bare, usual, answer))
        if "postgres" in plan.parts:
            for processes, get, add in ((ONE, POSTGRES_GET, POSTGRES_ADD), (TWO, POSTGRES_GET_2, POSTGRES_ADD_2)):
                _take(result.loads, get, partial(bench.reading, "get", postgres, settings=processes))
                _take(result.loads, add, partial(bench.adding, postgres, settings=processes))
        if "loads" not in plan.parts:
            continue
        _take(result.loads, GET, partial(bench.reading, "get", usual, memory=memory))
        _take(result.loads, GET_V1, partial(bench.reading, "get v1", usual))
        _take(result.loads, LIST, partial(bench.reading, "list", usual))
        _take(result.loads, ADD, partial(bench.adding, usual, memory=memory))
        _take(result.loads, ADD_ALONE, partial(bench.adding, usual, alone=True))
        _take(result.loads, MOTO_PUT, partial(bench.moto_calls, "putAlternateContact"))
        _take(result.loads, MOTO_GET, partial(bench.moto_calls, "getAlternateContact"))


def _measure_growth(result: Result, _plan: Plan) -> None:
    bench, scales = result.bench, result.scales
    for engine in scales.many:
        sizes = scales.few[engine], scales.many[engine]
        for call in ("Get", "List", "Effective", "Add"):
            slices = bench.in_turns(call.lower(), sizes, UNLIMITED)
            for database, samples in zip(sizes, slices, strict=True):
                _keep(result.growth, f"{engine}: {call}, {database.name}", samples)


def _measure_clients(result: Result, plan: Plan) -> None:
    bench, usual = result.bench, result.scales.usual[SQLITE]
    _note(result.clients, "Add", clients.ours(bench, usual, "add", plan.sdk_seconds))
    _note(result.clients, "boto3 Put", clients.moto(bench, "put", plan.sdk_seconds))
    _note(result.clients, "Get", clients.ours(bench, usual, "get", plan.sdk_seconds))
    _note(result.clients, "boto3 Get", clients.moto(bench, "get", plan.sdk_seconds))


def _measure_deliveries(result: Result, _plan: Plan) -> None:
    _note(result.deliveries, "aiosmtplib alone", deliveries.alone(deliveries.MAILS))
    _note(result.deliveries, "deliveries", deliveries.ours(deliveries.MAILS))


def _measure_effective(cluster: Cluster, result: Result, _plan: Plan) -> None:
    for name, milliseconds in effective.both(cluster).items():
        _note(result.effective, name, milliseconds)


def start_prepared(bench: Bench, database: Database, memory: dict[str, Memory]) -> float:
    """Seconds from the start of the process to its first answer to a signed call."""
    with database.copy() as url, servers.launch_ours(bench.ours, url, database.encryption_key) as server:
        seconds = server.until(server.replies(lambda: next(bench.reads("get", database)())))
        bench.look_at_memory(server, "after the start", memory)
    return seconds


def start_new(bench: Bench) -> float:
    """The same where there is no database yet: the schema is made, and the first account with its key."""
    tenant = Tenant(0)
    folder = servers.WORK / "new"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = {
        "ROOT_ACCOUNT_ID": tenant.account_id,
        "ROOT_ACCESS_KEY_ID": tenant.access_key_id,
        "ROOT_ACCESS_KEY_SECRET": tenant.secret,
    }
    signer = bench.signer
    with servers.launch_ours(bench.ours, f"sqlite:///{folder / 'new.db'}", KEY_TEXT, settings=settings) as server:
        seconds = server.until(
            server.replies(lambda: signer.v3("ListMessageContacts", [], tenant.access_key_id, tenant.secret.encode()))
        )
    shutil.rmtree(folder)
    return seconds


def _take(loads: dict[str, Load], name: str, run: Callable[[], Sample]) -> None:
    _keep(loads, name, [run()])


def _keep(loads: dict[str, Load], name: str, samples: Sequence[Sample]) -> None:
    loads.setdefault(name, Load(name)).samples += samples
    for sample in samples:
        disturbance = f"host {sample.stolen:.0%}, other programs {sample.others:.0%}"
        _say(f"  {name}: {sample.rate:,.0f}/s, p50 {short(sample.p50)} ms, p99 {short(sample.p99)} ms; {disturbance}")


def _note(values: dict[str, list[float]], name: str, value: float) -> None:
    values.setdefault(name, []).append(value)
    _say(f"  {name}: {short(value)}")


def _say(text: str) -> None:
    """Tell whoever waits; the result itself goes to standard output."""
    print(text, file=sys.stderr, flush=True)
