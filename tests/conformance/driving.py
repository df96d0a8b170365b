"""A client's driver as a running program: calls in, answers out."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.conformance.roster import Client, Variant

#: Seconds after which a driver that does not answer is ended.
_PATIENCE = 60
VERSION = "2022-04-19"


@dataclass(frozen=True)
class Key:
    """An access key; what is None is as the service was set up."""

    access_key_id: str | None = None
    access_key_secret: str | None = None


_OWN_KEY = Key()


class Driver:
    """A started driver; a context manager that ends it."""

    def __init__(self, client: Client, variant: Variant, endpoint: str, key: Key) -> None:
        self.client = client
        self.variant = variant
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the driver
        command = client.command
        if not Path(command[0]).is_absolute() and "/" in command[0]:
            command = (str(client.toolchain.folder / command[0]), *command[1:])
        self._process = subprocess.Popen(
            command,
            cwd=client.toolchain.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env={
                **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
                "CONFORMANCE_ENDPOINT": endpoint,
                "CONFORMANCE_ACCESS_KEY_ID": key.access_key_id or "",
                "CONFORMANCE_ACCESS_KEY_SECRET": key.access_key_secret or "",
                "CONFORMANCE_VARIANT": variant.name,
            },
        )

    def call(
        self, action: str, parameters: Mapping[str, Any], *, version: str = VERSION, key: Key = _OWN_KEY
    ) -> dict[str, Any]:
        """One call through the client; its answer as the driver tells it."""
        request = {
            "action": action,
            "version": version,
            "parameters": parameters,
            "access_key_id": key.access_key_id,
            "access_key_secret": key.access_key_secret,
        }
        line = json.dumps({name: value for name, value in request.items() if value is not None})
        assert self._process.stdin
        assert self._process.stdout
        watchdog = threading.Timer(_PATIENCE, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = b""
        finally:
            watchdog.cancel()
        if not answer:
            self._process.wait()
            self._complaints.seek(0)
            complaint = self._complaints.read().decode(errors="replace")
            raise AssertionError(f"{self.client.name} ({self.variant.name}) gave up at {action}:\n{complaint}")
        return json.loads(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._complaints.close()
