"""The real service as its own process: `message-contacts serve` with an empty database."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.driving import Key

KEY = Key("LTAIconformance", "conformance-secret-0123456789")
#: Seconds that the start may take on a busy machine.
_PATIENCE = 60.0
_ADDRESS = re.compile(r"answers at http://(127\.0\.0\.1:[0-9]+)")
#: What the contacts of the scenario have, and what opens doors: nothing of it may be in the log.
_PRIVATE = re.compile(r"@example|86-139[0-9]{8}|\\u738b|\u738b|/verify/|conformance-secret")


@dataclass(frozen=True)
class RunningService:
    """A service that answers."""

    endpoint: str
    key: Key

    @property
    def base_url(self) -> str:
        return f"http://{self.endpoint}"


@contextmanager
def running_service(folder: Path, **more_settings: str) -> Iterator[RunningService]:
    """Start the service with everything it keeps in a folder, end it afterwards, and look at what it logged."""
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'contacts.db'}",
        "PORT": "0",
        "ROOT_ACCESS_KEY_ID": KEY.access_key_id,
        "ROOT_ACCESS_KEY_SECRET": KEY.access_key_secret,
        # All clients of a run share the account: what a day allows one of them is not enough.
        "VERIFICATIONS_PER_DAY": "10000",
        **more_settings,
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MESSAGE_CONTACTS_")}
    log_path = folder / "service.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("message-contacts")), "serve"],
            cwd=folder,
            env={**inherited, **{f"MESSAGE_CONTACTS_{name}": str(value) for name, value in settings.items()}},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield RunningService(_address(process, log_path), KEY)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                status = process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
    assert status == 0, log_path.read_text()[-2000:]
    assert complaints(log_path) == []
    assert not _PRIVATE.search(log_path.read_text())


def complaints(log_path: Path) -> list[str]:
    """What somebody should look at."""
    events = [line for line in log_path.read_text().splitlines() if line.startswith("{")]
    return [line for line in events if json.loads(line)["level"] not in ("debug", "info")]


def _address(process: subprocess.Popen[bytes], log_path: Path) -> str:
    """Where it answers, once it says so."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        if said := _ADDRESS.search(log_path.read_text()):
            return said[1]
        assert process.poll() is None, f"the service did not start:\n{log_path.read_text()}"
        assert time.monotonic() < deadline, f"the service does not answer:\n{log_path.read_text()}"
        # Another process is starting; there is nothing to wait on but time.
        time.sleep(0.02)
