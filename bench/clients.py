"""Calls through the two vendors' own Python clients, one thread, one call after the other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench import servers
from bench.databases import Database
from bench.loads import Bench

#: All calls come from one tenant, so its limit is raised.
MANY = "1000000"


def ours(bench: Bench, database: Database, call: str, seconds: float) -> float:
    """Calls a second of `add` or `get` through the vendor's client."""
    tenant, key_id, secret = database.caller(0)
    arguments = [f"127.0.0.1:{bench.ours}", key_id, secret.decode(), tenant.contact_id(0), call, str(seconds)]
    with database.copy() as url, bench.serve(url, database, settings={"CONTACTS_PER_DIRECTORY": MANY}):
        return _rate([sys.executable, "-m", "bench.sdk_contacts", *arguments])


def moto(bench: Bench, call: str, seconds: float) -> float:
    """Calls a second of `put` or `get` through boto3 to moto_server."""
    with servers.start_moto(bench.moto):
        endpoint = f"http://127.0.0.1:{bench.moto}"
        return _rate([str(servers.MOTO_PYTHON), "-m", "bench.sdk_moto", endpoint, call, str(seconds)])


def _rate(command: list[str]) -> float:
    output = subprocess.run(command, cwd=Path(servers.ROOT), capture_output=True, text=True, check=False, timeout=120)
    if output.returncode != 0:
        raise SystemExit(f"{' '.join(command[1:3])} failed: {output.stderr[-2000:]}")
    told = json.loads(output.stdout.splitlines()[-1])
    return float(told["calls"] / told["seconds"])
