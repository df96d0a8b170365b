"""Machine instructions for one answer, counted by Valgrind: `scripts/bench instructions [SOURCES ...]`.

Rates and times depend on what else the machine and its host do; a count of instructions does not, and is the same
within a hundredth from run to run. So it tells whether a change made calls dearer. It says nothing of the kernel, the
disk or waiting, and counts hashing far too high: Valgrind offers no instructions made for that, real processors do.

Each SOURCES is a folder such as `src` of another clone; the program in it is counted on the same database, beside the
one here. It has to know the schema of this one.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import servers
from bench.databases import Database
from bench.loads import CONTACT, Bench
from bench.replay import CONNECTIONS

TENANTS = 20_000
#: Calls before those that are counted, so that caches are filled and statements prepared, and calls that are counted.
_BEFORE = 200
_COUNTED = 1_000
_REPETITIONS = 3
#: Under Valgrind everything takes some 30 times as long.
_START_SECONDS = 240.0
_TOTALS = re.compile(r"^(?:totals|summary): (\d+)$", re.MULTILINE)


async def _answered(port: int, requests: Iterator[bytes]) -> None:
    """Send the requests over as many connections as the other benchmarks use, each one once."""

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in requests:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(servers.content_length(head))
            if not head.startswith(b"HTTP/1.1 200") or not body.startswith(CONTACT.encode()):
                raise SystemExit(f"void: {head.decode()}{body.decode()}")
        writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(caller())


def _control(server: servers.Server, option: str) -> None:
    subprocess.run(["callgrind_control", option, str(server.pid)], check=True, capture_output=True)


def counted(sources: Path, database: Database, requests: Callable[[Bench], Callable[[], Iterator[bytes]]]) -> float:
    """Instructions of the server for one answer, its work in the background included."""
    bench = Bench(seconds=0)
    with tempfile.TemporaryDirectory() as folder, database.copy() as url:
        profile = Path(folder) / "profile"
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={profile}"]
        command += [str(servers.OUR_PYTHON), servers.PROGRAM, "serve", "--host", "127.0.0.1", "--port", str(bench.ours)]
        environment = {
            "MESSAGE_CONTACTS_DATABASE_URL": url,
            "MESSAGE_CONTACTS_ENCRYPTION_KEY": database.encryption_key,
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": str(sources),
        }
        with servers.Server("instructions", command, bench.ours, environment) as server:
            server.until(server.answers("/readyz"), seconds=_START_SECONDS)
            stream = requests(bench)()
            asyncio.run(_answered(bench.ours, iter(list(itertools.islice(stream, _BEFORE)))))
            prepared = list(itertools.islice(stream, _COUNTED))
            _control(server, "--instr=on")
            asyncio.run(_answered(bench.ours, iter(prepared)))
            _control(server, "--instr=off")
            _control(server, "--dump")
        totals = [int(found) for file in Path(folder).iterdir() for found in _TOTALS.findall(file.read_text())]
    return max(totals) / _COUNTED


def main() -> None:
    """Count, in turns, and print."""
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is missing. Install it, e.g.: sudo apt-get install valgrind")
    here = servers.ROOT / "src"
    everybody = [here, *(Path(given).resolve() for given in sys.argv[1:])]
    database = Database(TENANTS)
    database.prepare()
    loads: dict[str, Callable[[Bench], Callable[[], Iterator[bytes]]]] = {
        "GetMessageContact": lambda bench: bench.reads("get", database),
        "ListMessageContacts": lambda bench: bench.reads("list", database),
        "AddMessageContact": lambda bench: bench.adds(database),
    }
    for name, requests in loads.items():
        seen: dict[Path, list[float]] = {sources: [] for sources in everybody}
        for sources in itertools.chain.from_iterable(itertools.repeat(everybody, _REPETITIONS)):
            seen[sources].append(counted(sources, database, requests))
        for sources, each in seen.items():
            ratio = statistics.median(each) / statistics.median(seen[here])
            told = ", ".join(f"{count:,.0f}" for count in each)
            print(f"{name}  {sources}: {told}, {ratio:.3f} of what it takes here", flush=True)


if __name__ == "__main__":
    main()
