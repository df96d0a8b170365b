"""Starts the servers that are measured, each as a process of its own, and looks at what they use."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parent.parent
#: Where databases, logs and prepared requests lie.
WORK = ROOT / "build" / "bench"
#: Interpreter of an environment that has what our program needs and nothing else, as users have it. Some of what the
#: tests need is loaded by others' packages wherever it is found, which takes time and memory.
OUR_PYTHON = ROOT / ".tools" / "service" / "bin" / "python"
#: Our program in it.
PROGRAM = str(OUR_PYTHON.with_name("message-contacts"))
#: Interpreter of moto_server and boto3, which would pull much into the project's own environment.
MOTO_PYTHON = ROOT / ".tools" / "moto" / "bin" / "python"

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})

_TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a process in megabytes (10^6 bytes)."""

    resident: float
    #: Shared pages counted by their share.
    proportional: float


class Server:
    """A running server."""

    def __init__(
        self, name: str, command: list[str], port: int, environment: Mapping[str, str], helpers: Sequence[int] = ()
    ) -> None:
        """Start it. What it says goes to a file, as a service manager would have it."""
        WORK.mkdir(parents=True, exist_ok=True)
        self.port = port
        self._helpers = helpers
        self._log = WORK / f"{name}.log"
        self.started = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def until(self, answered: Callable[[], bool], *, seconds: float = 30) -> float:
        """Ask again and again until there is a good answer; returns the seconds since the start of the process."""
        while not answered():
            if self._process.poll() is not None:
                raise SystemExit(f"the server ended: {self._log.read_text(errors='replace')[-2000:]}")
            if time.perf_counter() - self.started > seconds:
                raise SystemExit(f"no answer within {seconds} s; see {self._log}")
            time.sleep(0.002)  # another process starts; there is nothing to wait on but time
        return time.perf_counter() - self.started

    def answers(self, path: str) -> Callable[[], bool]:
        """A question for `until`: whether a GET of this path is answered with 200."""
        return self.tells(path, "")

    def tells(self, path: str, part: str) -> Callable[[], bool]:
        """A question for `until`: whether a GET of this path is answered with 200 and this part in the body."""

        def ask() -> bool:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                return response.status == 200 and part in response.read().decode()
            except OSError:
                return False
            finally:
                connection.close()

        return ask

    def replies(self, request: Callable[[], bytes]) -> Callable[[], bool]:
        """A question for `until`: whether such a request, made anew each time, is answered with 200."""

        def ask() -> bool:
            try:
                return self.send(request()).startswith(b"HTTP/1.1 200")
            except OSError:
                return False

        return ask

    def send(self, request: bytes) -> bytes:
        """Head and body of the answer to a raw request, body whole."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(request)
            answer = b""
            while True:
                head, parting, body = answer.partition(b"\r\n\r\n")
                if parting and len(body) >= content_length(head):
                    return answer
                piece = connection.recv(65536)
                if not piece:
                    return answer
                answer += piece

    def processor_seconds(self) -> float:
        """Processor time used so far, by user and system, with children and helpers."""
        return sum(_ticks_of_trees({self._process.pid, *self._helpers})) / _TICKS

    def memory(self) -> Memory:
        """Memory in use now."""
        kilobytes = {}
        for line in Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, _, value = line.partition(":")
            kilobytes[name] = int(value.split()[0])
        return Memory(resident=kilobytes["Rss"] * 1.024e-3, proportional=kilobytes["Pss"] * 1.024e-3)

    def pause(self) -> None:
        """Have it do nothing until `resume`; only for a server of one process."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it and wait for it."""
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _ticks_of_trees(roots: Set[int]) -> Iterator[int]:
    """Of each process that is one of these or comes from one: its time, and that of its children that have ended."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it has just ended
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
                ticks[int(entry.name)] = sum(map(int, fields[11:15]))
    for process, used in ticks.items():
        ancestor = process
        while ancestor not in roots and ancestor in parents:
            ancestor = parents[ancestor]
        if ancestor in roots:
            yield used


def write_out(path: Path) -> None:
    """Have the disk confirm a file, so that it is not still busy with it while something is measured."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def content_length(head: bytes) -> int:
    """What the head of an answer says about its body."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def start_bare(port: int, answer: Path) -> Server:
    """Uvicorn with the same event loop and parser as ours, answering the same bytes to everything."""
    command = [str(OUR_PYTHON), "-m", "uvicorn", "bench.bare:app", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    server = Server("bare", command, port, {"BENCH_ANSWER": str(answer)})
    server.until(server.answers("/"))
    return server


def start_moto(port: int) -> Server:
    """moto_server, as its documentation says."""
    if not MOTO_PYTHON.exists():
        raise SystemExit(f"moto_server is missing: scripts/bench sets it up in {MOTO_PYTHON.parent.parent}")
    command = [str(MOTO_PYTHON.with_name("moto_server")), "--host", "127.0.0.1", "--port", str(port)]
    server = Server("moto", command, port, {})
    server.until(server.answers("/moto-api/"))
    return server


def launch_ours(
    port: int,
    database_url: str,
    encryption_key: str,
    *,
    alone: bool = False,
    settings: Mapping[str, str] = NO_SETTINGS,
    helpers: Sequence[int] = (),
) -> Server:
    """Start our server on a database, without waiting for it; everything else as it is by default.

    Args:
        alone: Commit each change by itself, to see what grouping is worth.
        settings: More settings, by their names without the prefix.
        helpers: Processes that work for it, each with its children: their time counts as the server's.
    """
    serve = ["serve", "--host", "127.0.0.1", "--port", str(port)]
    command = [str(OUR_PYTHON), "-m", "bench.alone", *serve] if alone else [PROGRAM, *serve]
    environment = {
        "MESSAGE_CONTACTS_DATABASE_URL": database_url,
        "MESSAGE_CONTACTS_ENCRYPTION_KEY": encryption_key,
        **{f"MESSAGE_CONTACTS_{setting}": value for setting, value in settings.items()},
    }
    return Server("ours", command, port, environment, helpers)


def start_ours(
    port: int,
    database_url: str,
    encryption_key: str,
    *,
    alone: bool = False,
    settings: Mapping[str, str] = NO_SETTINGS,
    helpers: Sequence[int] = (),
) -> Server:
    """The same, ready to answer; with several processes, all of them."""
    server = launch_ours(port, database_url, encryption_key, alone=alone, settings=settings, helpers=helpers)
    server.until(server.answers("/readyz"))
    processes = settings.get("WORKERS", "1")
    if processes != "1":
        server.until(server.tells("/metrics", f"message_contacts_processes {processes}\n"))
    return server
