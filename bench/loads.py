"""The loads: which requests go to which server, and one run of each."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bench import servers
from bench.databases import Database
from bench.machine import ProcessorTimes
from bench.population import CONTACTS_EACH, People
from bench.replay import RanOut, RequestFile, Sample, replay
from bench.requests import OWN_VERSION, Signer, moto_request
from bench.servers import Memory, Server

#: A run during which the host took more than this share of the machine away is repeated, whatever it showed.
STOLEN_AT_MOST = 0.10
REPETITIONS = 3
#: Where loads are compared that take turns: the machine changes its speed within some seconds.
SLICE_SECONDS = 2.0
#: Room for a server that is faster than it was when the requests were counted out.
RESERVE = 1.3

#: How answers begin.
CONTACT = '{"RequestId":"'
MOTO_CONTACT = '{"AlternateContact": {"Name": "'
MOTO_NOTHING = "{}"

_MOTO_PERSON = {
    "AlternateContactType": "OPERATIONS",
    "EmailAddress": "tom@example.com",
    "Name": "Tom",
    "PhoneNumber": "+8613900001234",
    "Title": "CEO",
}


@dataclass(slots=True)
class Guess:
    """How many requests to prepare: what the server did before."""

    rate: float


@dataclass(slots=True)
class Bench:
    """The ports, and what was learnt so far."""

    seconds: float
    warm_up_seconds: float = 1.0
    ours: int = field(default_factory=servers.free_port)
    bare: int = field(default_factory=servers.free_port)
    moto: int = field(default_factory=servers.free_port)
    guesses: dict[str, Guess] = field(default_factory=dict)
    #: Runs repeated because the host took processor time away, and runs that had to be kept although it did.
    repeated: int = 0
    disturbed: int = 0

    @property
    def signer(self) -> Signer:
        """Signs for our server, with the present time."""
        return Signer(f"127.0.0.1:{self.ours}")

    def run(self, name: str, server: Server, requests: Callable[[], Iterator[bytes]], beginning: str) -> Sample:
        """Warm the server up, then measure it. Requests are prepared right before each of the two."""
        guess = self.guesses.setdefault(name, Guess(rate=12_000))
        warm = self._replayed(guess, server, requests, beginning, self.warm_up_seconds)
        guess.rate = max(guess.rate, warm.rate)
        sample = self._replayed(guess, server, requests, beginning, self.seconds)
        guess.rate = max(warm.rate, sample.rate)
        return sample

    def _replayed(
        self, guess: Guess, server: Server, requests: Callable[[], Iterator[bytes]], beginning: str, seconds: float
    ) -> Sample:
        while True:
            count = int(guess.rate * RESERVE * seconds) + 500
            with RequestFile(servers.WORK, itertools.islice(requests(), count)) as file:
                before, used, used_by_wrk = ProcessorTimes.now(), server.processor_seconds(), _ended_processes()
                try:
                    sample = replay(server.port, file, beginning=beginning, seconds=seconds)
                except RanOut:
                    guess.rate *= 2
                    continue
                after = ProcessorTimes.now()
                processor = server.processor_seconds() - used
                return replace(
                    sample,
                    processor=processor,
                    stolen=before.stolen_share_until(after),
                    others=before.share_of_others_until(after, processor + _ended_processes() - used_by_wrk),
                )

    def undisturbed(self, attempt: Callable[[], Sample]) -> Sample:
        """Run until the host left the machine alone, a few times at most."""
        for _ in range(REPETITIONS):
            sample = attempt()
            if sample.stolen <= STOLEN_AT_MOST:
                return sample
            self.repeated += 1
        self.disturbed += 1
        self.repeated -= 1
        return sample

    # What runs against our server.

    def reading(
        self,
        name: str,
        database: Database,
        *,
        settings: Mapping[str, str] = servers.NO_SETTINGS,
        memory: dict[str, Memory] | None = None,
    ) -> Sample:
        """One run of `get`, `get v1`, `list` or `effective`, on a server and a copy of the database of its own."""

        def attempt() -> Sample:
            with database.copy() as url, self.serve(url, database, settings=settings) as server:
                run = _name_of_run(name, database, settings)
                sample = self.run(run, server, self.reads(name, database), CONTACT)
                self.look_at_memory(server, f"after {name}", memory)
            return sample

        return self.undisturbed(attempt)

    def adding(
        self,
        database: Database,
        *,
        alone: bool = False,
        settings: Mapping[str, str] = servers.NO_SETTINGS,
        memory: dict[str, Memory] | None = None,
    ) -> Sample:
        """One run of AddMessageContact, on a server and a copy of the database of its own."""

        def attempt() -> Sample:
            with database.copy() as url, self.serve(url, database, alone=alone, settings=settings) as server:
                run = _name_of_run("add alone" if alone else "add", database, settings)
                sample = self.run(run, server, self.adds(database), CONTACT)
                self.look_at_memory(server, "after add", memory)
            return sample

        return self.undisturbed(attempt)

    def serve(
        self,
        url: str,
        database: Database,
        *,
        alone: bool = False,
        settings: Mapping[str, str] = servers.NO_SETTINGS,
    ) -> Server:
        """Our server, ready."""
        return servers.start_ours(
            self.ours, url, database.encryption_key, alone=alone, settings=settings, helpers=database.helpers
        )

    @staticmethod
    def look_at_memory(server: Server, when: str, memory: dict[str, Memory] | None) -> None:
        """Keep the greatest amount of memory seen at such a moment."""
        if memory is not None:
            seen = server.memory()
            memory[when] = max(seen, memory.get(when, seen), key=lambda each: each.resident)

    def reads(self, name: str, database: Database) -> Callable[[], Iterator[bytes]]:
        """Signed reads, tenants and contacts at random."""

        def requests() -> Iterator[bytes]:
            signer = self.signer
            draw = random.Random()
            while True:
                tenant, key_id, secret = database.caller(int(draw.random() * database.tenants))
                match name:
                    case "list":
                        yield signer.v3("ListMessageContacts", [], key_id, secret)
                    case "effective":
                        pairs = [("Member", tenant.member_id)]
                        yield signer.v3("ListEffectiveContacts", pairs, key_id, secret, OWN_VERSION)
                    case "get v1":
                        contact_id = tenant.contact_id(int(draw.random() * CONTACTS_EACH))
                        yield signer.v1("GetMessageContact", [("ContactId", contact_id)], key_id, secret)
                    case _:
                        contact_id = tenant.contact_id(int(draw.random() * CONTACTS_EACH))
                        yield signer.v3("GetMessageContact", [("ContactId", contact_id)], key_id, secret)

        return requests

    def adds(self, database: Database) -> Callable[[], Iterator[bytes]]:
        """Signed additions of new people, each tenant in turn in a random order; warm-up and run never overlap."""
        people = People(f"{random.random()}", newcomers=True)
        order = list(range(database.tenants))
        random.shuffle(order)
        callers = itertools.cycle(order)

        def requests() -> Iterator[bytes]:
            signer = self.signer
            for number in callers:
                _, key_id, secret = database.caller(number)
                yield signer.v3("AddMessageContact", people.draw(number).pairs(), key_id, secret)

        return requests

    def in_turns(
        self, name: str, databases: Sequence[Database], settings: Mapping[str, str] = servers.NO_SETTINGS
    ) -> list[list[Sample]]:
        """The same load, `add` or one of `reading`, on each of the databases; for each of them its slices.

        Each has a server of its own. They take turns with slices of `SLICE_SECONDS`, so that a machine that changes its
        speed from one moment to the next is equally slow for all of them; who has not its turn stands still.
        """
        with contextlib.ExitStack() as stack:
            # Ports of their own; what is known of rates is shared.
            benches = [replace(self, ours=servers.free_port()) for _ in databases]
            sides = [
                stack.enter_context(bench.side(name, database, settings))
                for bench, database in zip(benches, databases, strict=True)
            ]
            turns = [self._turn(sides, number) for number in range(max(1, round(self.seconds / SLICE_SECONDS)))]
        return [list(slices) for slices in zip(*turns, strict=True)]

    @contextlib.contextmanager
    def side(self, name: str, database: Database, settings: Mapping[str, str]) -> Iterator[Callable[[], Sample]]:
        """A server that stands still but for the slices that are asked for."""
        with database.copy() as url, self.serve(url, database, settings=settings) as server:
            requests = self.adds(database) if name == "add" else self.reads(name, database)
            run = _name_of_run(name, database, settings)
            guess = self.guesses.setdefault(run, Guess(rate=12_000))

            def slice_of(seconds: float) -> Sample:
                server.resume()
                try:
                    return self._replayed(guess, server, requests, CONTACT, seconds)
                finally:
                    server.pause()

            guess.rate = slice_of(self.warm_up_seconds).rate
            yield partial(slice_of, SLICE_SECONDS)

    def _turn(self, sides: Sequence[Callable[[], Sample]], number: int) -> list[Sample]:
        """A slice for each, in the one order and the other by turns, made again if the host took much away."""
        order = range(len(sides)) if number % 2 == 0 else range(len(sides) - 1, -1, -1)
        for _ in range(REPETITIONS):
            slices = {side: sides[side]() for side in order}
            if all(sample.stolen <= STOLEN_AT_MOST for sample in slices.values()):
                break
            self.repeated += 1
        else:
            self.disturbed += 1
            self.repeated -= 1
        return [slices[side] for side in range(len(sides))]

    # What runs against the others.

    def answering_bare(self, database: Database, answer: Path) -> Sample:
        """One run of bare uvicorn; it gets the same kind of requests as GetMessageContact."""

        def attempt() -> Sample:
            with servers.start_bare(self.bare, answer) as server:
                return self.run("bare", server, self.reads("get", database), CONTACT)

        return self.undisturbed(attempt)

    def moto_calls(self, path: str) -> Sample:
        """One run of moto_server: `putAlternateContact` or `getAlternateContact`."""
        putting = path.startswith("put")
        fields = _MOTO_PERSON if putting else {"AlternateContactType": "OPERATIONS"}
        host = f"127.0.0.1:{self.moto}"

        def requests() -> Iterator[bytes]:
            while True:
                yield moto_request(host, path, fields)

        def attempt() -> Sample:
            with servers.start_moto(self.moto) as server:
                server.send(moto_request(host, "putAlternateContact", _MOTO_PERSON))
                return self.run(path, server, requests, MOTO_NOTHING if putting else MOTO_CONTACT)

        return self.undisturbed(attempt)

    def save_answer(self, database: Database, path: Path) -> None:
        """Keep what our server answers to GetMessageContact, for the bare server to repeat."""
        with database.copy() as url, self.serve(url, database) as server:
            head, _, body = server.send(next(self.reads("get", database)())).partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        if not status.startswith("HTTP/1.1 200") or not body.startswith(CONTACT.encode()):
            raise SystemExit(f"GetMessageContact was not answered as expected: {status} {body.decode()}")
        # uvicorn itself sends these two.
        headers = [line.split(": ", 1) for line in lines if not line.lower().startswith(("date:", "server:"))]
        path.write_text(json.dumps({"headers": headers, "body": body.decode()}), encoding="utf-8")


def _name_of_run(name: str, database: Database, settings: Mapping[str, str]) -> str:
    """Under which the rate that was seen is remembered."""
    return f"{name} {database.engine} {database.name} {settings.get('WORKERS', '1')}"


def _ended_processes() -> float:
    """Processor seconds of processes started here that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
