"""The order of all runs: rounds in which every load has its turn, so that a slow minute hits them all."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bench import clients, deliveries, effective, servers
from bench.databases import KEY_TEXT, Database
from bench.figures import Figure, Load, ratios, short
from bench.loads import Bench, Copy
from bench.population import Tenant
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
STARTS = 5

#: The limit of contacts of one directory, out of the way where few tenants have to take many.
UNLIMITED = {"CONTACTS_PER_DIRECTORY": clients.MANY}


@dataclass(slots=True)
class Result:
    """All that was measured."""

    bench: Bench
    few: Database
    usual: Database
    many: Database
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
        """What design and documentation promise, beside what was measured."""
        of, grown = self.loads, self.growth
        get, add = of[GET], of[ADD]
        sdk = self.clients

        def sdk_ratio(ours: str, other: str) -> list[float]:
            return [mine / theirs for mine, theirs in zip(sdk[ours], sdk[other], strict=True)]

        figures = [
            Figure("Get / bare uvicorn", ratios(get, of[BARE]), 0.35),
            Figure("Add / bare uvicorn", ratios(add, of[BARE]), 0.20),
            Figure("Add / each committed alone", ratios(add, of[ADD_ALONE]), 2.0),
            Figure("Add / moto_server Put", ratios(add, of[MOTO_PUT]), 20),
            Figure("Get / moto_server Get", ratios(get, of[MOTO_GET]), 25),
            Figure("client Add / boto3 Put", sdk_ratio("Add", "boto3 Put"), 2.2),
            Figure("client Get / boto3 Get", sdk_ratio("Get", "boto3 Get"), 3.5),
            Figure("p99 of Get", [sample.p99 for sample in get.samples], 10, at_least=False, unit=" ms"),
            Figure("p99 of Add", [sample.p99 for sample in add.samples], 10, at_least=False, unit=" ms"),
        ]
        sent = [
            mine / theirs
            for mine, theirs in zip(self.deliveries["deliveries"], self.deliveries["aiosmtplib alone"], strict=True)
        ]
        figures.append(Figure("deliveries / aiosmtplib alone", sent, deliveries.WANTED))
        deep = self.effective[effective.AMONG_MANY]
        figures.append(
            Figure(f"{effective.AMONG_MANY}, database time", deep, effective.WANTED, at_least=False, unit=" ms")
        )
        few, many = self.few.name, self.many.name
        figures += [
            Figure(f"{name} with {many} / with {few}", ratios(grown[f"{name}, {many}"], grown[f"{name}, {few}"]), 0.80)
            for name in ("Add", "Get", "List", "Effective")
        ]
        crowded = [sample.p99 / sample.p50 for sample in grown[f"Add, {many}"].samples]
        figures.append(Figure(f"p99 / p50 of Add with {many}", crowded, 4, at_least=False))
        figures.append(Figure("start to first answer", self.starts["prepared"], 1, at_least=False, unit=" s"))
        resident = [memory.resident for memory in self.memory.values()]
        figures.append(Figure("memory, resident, at its most", [max(resident)], 100, at_least=False, unit=" MB"))
        return figures


def measure(
    bench: Bench,
    *,
    few: Database,
    usual: Database,
    many: Database,
    rounds: int,
    growth_rounds: int,
    sdk_seconds: float,
) -> Result:
    """Measure everything; says on the way what it is at."""
    result = Result(bench, few, usual, many, rounds)
    answer = servers.WORK / "answer.json"
    bench.save_answer(usual, answer)
    memory = result.memory
    for number in range(1, rounds + 1):
        _say(f"round {number} of {rounds}")
        _take(result.loads, BARE, partial(bench.answering_bare, usual, answer))
        _take(result.loads, GET, partial(bench.reading, "get", usual, memory=memory))
        _take(result.loads, GET_V1, partial(bench.reading, "get v1", usual))
        _take(result.loads, LIST, partial(bench.reading, "list", usual))
        _take(result.loads, ADD, partial(bench.adding, usual, memory=memory))
        _take(result.loads, ADD_ALONE, partial(bench.adding, usual, alone=True))
        _take(result.loads, MOTO_PUT, partial(bench.moto_calls, "putAlternateContact"))
        _take(result.loads, MOTO_GET, partial(bench.moto_calls, "getAlternateContact"))
    for number in range(1, growth_rounds + 1):
        _say(f"growth, round {number} of {growth_rounds}")
        for read in ("Get", "List", "Effective"):
            for database in (few, many):
                _take(result.growth, f"{read}, {database.name}", partial(bench.reading, read.lower(), database))
        for database in (few, many):
            _take(result.growth, f"Add, {database.name}", partial(bench.adding, database, settings=UNLIMITED))
    for number in range(1, growth_rounds + 1):
        _say(f"clients, round {number} of {growth_rounds}")
        _note(result.clients, "Add", clients.ours(bench, usual, "add", sdk_seconds))
        _note(result.clients, "boto3 Put", clients.moto(bench, "put", sdk_seconds))
        _note(result.clients, "Get", clients.ours(bench, usual, "get", sdk_seconds))
        _note(result.clients, "boto3 Get", clients.moto(bench, "get", sdk_seconds))
    for number in range(1, growth_rounds + 1):
        _say(f"deliveries, round {number} of {growth_rounds}")
        _note(result.deliveries, "aiosmtplib alone", deliveries.alone(deliveries.MAILS))
        _note(result.deliveries, "deliveries", deliveries.ours(deliveries.MAILS))
    for number in range(1, growth_rounds + 1):
        _say(f"who is reached, round {number} of {growth_rounds}")
        for name, milliseconds in effective.both().items():
            _note(result.effective, name, milliseconds)
    for number in range(1, STARTS + 1):
        _say(f"start {number} of {STARTS}")
        _note(result.starts, "prepared", start_prepared(bench, usual, memory))
        _note(result.starts, "new", start_new(bench))
    return result


def start_prepared(bench: Bench, database: Database, memory: dict[str, Memory]) -> float:
    """Seconds from the start of the process to its first answer to a signed call."""
    with Copy(database) as path, servers.launch_ours(bench.ours, path, database.encryption_key) as server:
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
    with servers.launch_ours(bench.ours, folder / "new.db", KEY_TEXT, settings=settings) as server:
        seconds = server.until(
            server.replies(lambda: signer.v3("ListMessageContacts", [], tenant.access_key_id, tenant.secret.encode()))
        )
    shutil.rmtree(folder)
    return seconds


def _take(loads: dict[str, Load], name: str, run: Callable[[], Sample]) -> None:
    sample = run()
    loads.setdefault(name, Load(name)).samples.append(sample)
    disturbance = f"host {sample.stolen:.0%}, other programs {sample.others:.0%}"
    _say(f"  {name}: {sample.rate:,.0f}/s, p50 {short(sample.p50)} ms, p99 {short(sample.p99)} ms; {disturbance}")


def _note(values: dict[str, list[float]], name: str, value: float) -> None:
    values.setdefault(name, []).append(value)
    _say(f"  {name}: {short(value)}")


def _say(text: str) -> None:
    """Tell whoever waits; the result itself goes to standard output."""
    print(text, file=sys.stderr, flush=True)
