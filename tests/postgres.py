"""PostgreSQL for tests: servers that a test run starts itself, each in a folder of its own on a free port of loopback.

One server serves all tests of a process; each test gets a database of its own, copied from one that was migrated once.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import asyncpg
import pytest

from message_contacts.storage import migrate

T = TypeVar("T")

TEMPLATE = "migrated_template"

MISSING = (
    "The programs of PostgreSQL are not on this machine. Install them: `sudo apt-get install postgresql` on Debian, or "
    "put the folder with initdb and postgres into PATH."
)
#: Nothing that tests write has to outlive a loss of power; saves most of the time.
_CARELESS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "deadlock_timeout": "50ms",
}


def program(name: str) -> str:
    """Path of one of PostgreSQL's programs; of the newest version, where there are several."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    found = str(installed[-1]) if installed else shutil.which(name)
    if found is None:
        pytest.fail(MISSING, pytrace=False)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class PostgresServer:
    """A server with a data folder of its own."""

    def __init__(self, *, options: Mapping[str, str] | None = None, careful: bool = False) -> None:
        """Make it; `start` starts it.

        Args:
            options: Settings that differ from the defaults.
            careful: Whether commits wait for the disk.
        """
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="message-contacts-postgres-"))
        self.data = self.folder / "data"
        self._options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "150",
            "shared_buffers": "64MB",
            **({} if careful else _CARELESS),
            **(options or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def user(self) -> str | None:
        """Who the server runs as: not root, which it refuses."""
        if os.geteuid() != 0:
            return None
        known = {entry.pw_name for entry in pwd.getpwall()}
        return "postgres" if "postgres" in known else "nobody"

    def url(self, database: str = "postgres", *, port: int | None = None) -> str:
        """Where a database of it is."""
        return f"postgresql://tester@127.0.0.1:{port or self.port}/{database}"

    def make(self) -> Self:
        """Make the data folder. The databases order text as a language does, so that a test sees if we rely on it."""
        self.run(
            "initdb", "--pgdata", str(self.data), "--username", "tester", "--auth", "trust", "--no-sync",
            "--encoding", "UTF8", "--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US",
        )  # fmt: skip
        return self

    def run(self, name: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the server's user."""
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        finished = subprocess.run(
            [program(name), *arguments], user=self.user, group=self._group, cwd=self.folder, extra_groups=self._extra,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert finished.returncode == 0, finished.stdout.decode()

    def start(self) -> Self:
        """Start the server and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            options = [f"--{name}={value}" for name, value in self._options.items()]
            self.process = subprocess.Popen(
                [program("postgres"), "-D", str(self.data), *options],
                user=self.user, group=self._group, cwd=self.folder, extra_groups=self._extra,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while not self._answers():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.01)
        return self

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop the server; SIGINT ends its connections and commits nothing more, SIGKILL is a crash."""
        if self.process is not None and self.process.poll() is None:
            pid = self.process.pid
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            self.process.send_signal(number)
            self.process.wait(timeout=30)
            if number is signal.SIGKILL:  # its children would finish what they are at
                for child in children:
                    with suppress(ProcessLookupError):
                        os.kill(int(child), signal.SIGKILL)

    def remove(self) -> None:
        """Stop it and take its folder away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def _group(self) -> int | None:
        return None if self.user is None else pwd.getpwnam(self.user).pw_gid

    @property
    def _extra(self) -> list[int] | None:
        return None if self.user is None else []

    def _answers(self) -> bool:
        finished = subprocess.run(
            [program("pg_isready"), "--quiet", "--host", "127.0.0.1", "--port", str(self.port)], check=False
        )
        return finished.returncode == 0


class PostgresDatabases:
    """Makes and drops databases of a server, from a thread with an event loop of its own."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="databases")
        self._runner = asyncio.Runner()
        self._connection: Any = self._run(asyncpg.connect(server.url()))
        self._has_template = False

    def new(self, *, migrated: bool = True) -> str:
        """URL of a new database, with our tables or without any."""
        if migrated and not self._has_template:
            self.execute(f"CREATE DATABASE {TEMPLATE}")
            migrate(self._server.url(TEMPLATE))
            self._has_template = True
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template1'}")
        return self._server.url(name)

    def drop(self, url: str) -> None:
        """Take a database away, whoever uses it."""
        self.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def execute(self, sql: str) -> None:
        """Carry out a command."""
        self._run(self._connection.execute(sql))

    def close(self) -> None:
        self._run(self._connection.close())
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._thread.submit(self._runner.run, coroutine).result()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server that all tests of this process share."""
    server = PostgresServer()
    try:
        yield server.make().start()
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: PostgresServer) -> Iterator[PostgresDatabases]:
    """Databases on that server."""
    databases = PostgresDatabases(postgres_server)
    yield databases
    databases.close()


@pytest.fixture
def postgres_url(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    url = postgres_databases.new()
    yield url
    postgres_databases.drop(url)


@pytest.fixture
def empty_postgres_url(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """A database of this test's own without any tables."""
    url = postgres_databases.new(migrated=False)
    yield url
    postgres_databases.drop(url)
