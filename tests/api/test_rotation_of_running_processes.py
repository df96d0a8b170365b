"""The operator's commands beside two server processes that go on answering."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from message_contacts.bootstrap.key_file import key_file
from tests import signing
from tests.conformance.service import RunningService, running_service

COMMAND = str(Path(sys.executable).with_name("message-contacts"))


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MESSAGE_CONTACTS_DATABASE_URL": f"sqlite:///{folder / 'contacts.db'}"}
    return subprocess.run([COMMAND, *arguments], env=environment, capture_output=True, text=True, check=True)


def called(service: RunningService, key_id: str, secret: str) -> str:
    """The code of a call over a connection of its own; "" when it succeeded."""
    request = signing.v3("GetResourceDirectory", {}, key_id=key_id, secret=secret, now_ms=time.time_ns() // 1_000_000)
    connection = http.client.HTTPConnection(service.endpoint, timeout=30)
    try:
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        connection.endheaders()
        body: dict[str, Any] = json.loads(connection.getresponse().read())
        return str(body.get("Code", ""))
    finally:
        connection.close()


def test_commands_rotate_the_encryption_key_and_an_access_key_under_two_processes_that_answer(tmp_path: Path):
    with running_service(tmp_path, WORKERS="2") as service:
        keys = [(service.key.access_key_id, service.key.access_key_secret)]
        codes: Counter[str] = Counter()
        done = threading.Event()

        def call_on() -> None:
            while not done.is_set():
                for key_id, secret in keys:
                    codes[called(service, key_id, secret)] += 1

        callers = [threading.Thread(target=call_on) for _ in range(2)]
        for caller in callers:
            caller.start()
        try:
            for _ in range(2):
                assert "sealed anew" in command(tmp_path, "encryption-key", "rotate").stderr
                made = json.loads(command(tmp_path, "access-key", "rotate", keys[0][0], "--json").stdout)
                keys.append((made["AccessKeyId"], made["AccessKeySecret"]))
        finally:
            done.set()
            for caller in callers:
                caller.join()
        assert set(codes) == {""}
        assert codes[""] > 20
        assert len(key_file(f"sqlite:///{tmp_path / 'contacts.db'}").read()) == 3
    # Each process has noted what it saw when it ended.
    listed = json.loads(command(tmp_path, "access-key", "list", made["AccountId"], "--json").stdout)
    assert all(entry["LastUseTime"] for entry in listed[:2])
