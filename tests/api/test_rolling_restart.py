"""Two services behind a balancer, both restarted one after the other under load: no request is lost, no work either."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import asyncpg
import pytest

from tests import signing
from tests.conformance.driving import Key
from tests.conformance.service import KEY, complaints
from tests.postgres import free_port

COMMAND = str(Path(sys.executable).with_name("message-contacts"))
CALLERS = 3
#: Seconds between two calls of a caller.
PACE = 0.03
PATIENCE = 30.0
#: Nothing is tried again: every call that the balancer passes on has to be answered by whom it was passed to.
CONFIGURATION = """
global
    log stderr format raw local0
defaults
    mode http
    retries 0
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout check 5s
    option httpchk GET /readyz
    default-server inter 100ms fall 1 rise 2
frontend api
    bind 127.0.0.1:{port}
    http-request return status 200 if {{ path /both }} {{ nbsrv(services) eq 2 }}
    http-request return status 503 if {{ path /both }}
    default_backend services
backend services
    balance roundrobin
    server first 127.0.0.1:{first} check
    server second 127.0.0.1:{second} check
"""


def program(name: str) -> str:
    """Path of a program that Debian keeps out of users' paths."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(
            f"{name} is not on this machine. Install it: `sudo apt-get install {name}` on Debian.", pytrace=False
        )
    return found


class RunningCopy:
    """One of the services, on a port that it keeps."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._folder.mkdir()
        given = {"PORT": str(self.port), **settings}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MESSAGE_CONTACTS_")}
        self._environment = inherited | {f"MESSAGE_CONTACTS_{name}": value for name, value in given.items()}
        self.log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [COMMAND, "serve"], cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        wait_until(lambda: status(self.port, "/readyz") == 200, self.log)

    def stop(self) -> None:
        """Tell it to stop: it says at once that it is not ready, and still answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        wait_until(lambda: status(self.port, "/readyz") == 503, self.log)
        assert status(self.port, "/healthz") == 200
        assert self._process.wait(PATIENCE) == 0, self.log.read_text()

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def status(port: int, path: str) -> int | None:
    """What a path answers; None when nobody is there."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except HTTPError as refused:
        return refused.code
    except (URLError, ConnectionError):
        return None


def wait_until(condition: Any, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)  # another process is at it; there is nothing to wait on but time


@contextmanager
def balancer(folder: Path, *ports: int) -> Iterator[int]:
    """haproxy in front of two services; its port."""
    port = free_port()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(CONFIGURATION.format(port=port, first=ports[0], second=ports[1]))
    log_path = folder / "haproxy.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen([program("haproxy"), "-db", "-f", configuration], stdout=log, stderr=log)
    try:
        wait_until(lambda: status(port, "/both") == 200, log_path)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


class Caller:
    """A client with one kept connection that adds contacts, reads them again and asks for their verification."""

    def __init__(self, number: int, port: int, key: Key) -> None:
        self._letter = chr(ord("A") + number)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._key = key
        self.added: list[str] = []
        self.asked: list[str] = []
        self.answers: Counter[str] = Counter()

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        """Make a call, once."""
        request = signing.v3(
            action,
            parameters,
            key_id=self._key.access_key_id,
            secret=self._key.access_key_secret,
            now_ms=time.time_ns() // 1_000_000,
        )
        self.connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            self.connection.putheader(name, value)
        self.connection.endheaders(request.body)
        answer = self.connection.getresponse()
        text = answer.read()
        try:
            body: dict[str, Any] = json.loads(text)
        except ValueError:
            body = {"Code": text.decode()}
        self.answers[f"{answer.status} {body.get('Code', '')}".rstrip()] += 1
        return body

    def run(self, end: threading.Event) -> None:
        """Call until the end."""
        for number in count():
            if end.wait(PACE):
                break
            letters = "".join(chr(ord("a") + number // 26**power % 26) for power in (2, 1, 0))
            name, address = f"{self._letter}{letters}", f"{self._letter}{letters}@example.com"
            contact = self.call(
                "AddMessageContact", Name=name, EmailAddress=address, Title="CEO", MessageTypes=["FaultMessage"]
            ).get("Contact", {})
            self.added.append(name)
            assert self.call("GetMessageContact", ContactId=contact.get("ContactId", "")).get("Contact"), self.answers
            if number % 5 == 0:
                self.asked.append(address)
                self.call(
                    "SendEmailVerificationForMessageContact", ContactId=contact["ContactId"], EmailAddress=address
                )


def test_a_rolling_restart_loses_nothing(tmp_path: Path, empty_postgres_url: str) -> None:
    settings = {
        "DATABASE_URL": empty_postgres_url,
        "ENCRYPTION_KEY": b64encode(b"k" * 32).decode(),
        "ROOT_ACCESS_KEY_ID": KEY.access_key_id,
        "ROOT_ACCESS_KEY_SECRET": KEY.access_key_secret,
        "CONTACTS_PER_DIRECTORY": "10000",
        "VERIFICATIONS_PER_DAY": "10000",
        "DRAIN_SECONDS": "2",
    }
    services = [RunningCopy(tmp_path / name, **settings) for name in ("first", "second")]
    end = threading.Event()
    try:
        with ThreadPoolExecutor(CALLERS + 2) as pool:
            list(pool.map(RunningCopy.start, services))
            with balancer(tmp_path, services[0].port, services[1].port) as port:
                callers = [Caller(number, port, KEY) for number in range(CALLERS)]
                calling = [pool.submit(caller.run, end) for caller in callers]
                try:
                    for service in services:
                        before = sum(len(caller.added) for caller in callers)
                        service.stop()
                        service.start()
                        wait_until(lambda: status(port, "/both") == 200, tmp_path / "haproxy.log")
                        wait_until(
                            lambda before=before: (
                                sum(len(caller.added) for caller in callers) >= before + 30
                                or any(one.done() for one in calling)
                            ),
                            service.log,
                        )
                finally:
                    end.set()
                for one in calling:
                    one.result(PATIENCE)
                asked = Counter(address for caller in callers for address in caller.asked)
                found = callers[0].call("ListMessageContacts", PageSize=1)
                for caller in callers:
                    caller.connection.close()
                wait_until(lambda: fetched(empty_postgres_url, "SELECT count(*) FROM job") == [0], services[0].log)
            list(pool.map(RunningCopy.stop, services))
    finally:
        end.set()
        for service in services:
            service.kill()

    answers = sum((caller.answers for caller in callers), Counter[str]())
    assert set(answers) == {"200"}, answers
    assert found["TotalCount"] == sum(len(caller.added) for caller in callers)
    assert sum(asked.values()) > CALLERS
    assert Counter(fetched(empty_postgres_url, "SELECT recipient FROM inbox_message")) == asked
    assert [line for service in services for line in complaints(service.log)] == []


def fetched(url: str, sql: str) -> list[Any]:
    """The only column of what a query finds."""

    async def fetch() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [row[0] for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(fetch())
