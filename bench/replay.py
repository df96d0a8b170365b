"""Replays prepared requests with wrk and refuses a run in which a single answer was not as expected."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: Connections and threads, the same for every server.
CONNECTIONS = 32
THREADS = 1

SCRIPT = Path(__file__).with_name("replay.lua")
_RESULT = re.compile(r"^RESULT (.*)$", re.MULTILINE)


class VoidRun(Exception):  # noqa: N818 - not a fault of the program: this run must not count
    """An answer was not the expected one, or a connection failed."""


class RanOut(Exception):  # noqa: N818 - prepare more and begin anew
    """The server was faster than the prepared requests lasted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one run showed."""

    #: Good answers a second.
    rate: float
    #: Milliseconds until the answer. wrk's own correction for waiting connections is in them.
    p50: float
    p99: float
    maximum: float
    #: Good answers.
    answers: int
    #: Processor seconds of the server.
    processor: float = 0.0
    #: Share of the machine that its host gave to others meanwhile.
    stolen: float = 0.0
    #: Share of the machine that other programs on it used meanwhile.
    others: float = 0.0

    @property
    def processor_per_answer(self) -> float:
        """Microseconds of processor time of the server for one answer."""
        return self.processor * 1_000_000 / self.answers


def require_wrk() -> str:
    """The path of wrk."""
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("wrk is missing. Install it, e.g.: sudo apt-get install wrk")
    return found


class RequestFile:
    """Prepared requests on disk, dealt out to the threads in turn. Gone when closed."""

    def __init__(self, folder: Path, requests: Iterable[bytes]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(dir=folder, prefix="requests-")
        self.path = Path(self._folder.name) / "thread"
        self.count = 0
        files = [(self.path.parent / f"thread.{number + 1}").open("wb") for number in range(THREADS)]
        try:
            for request in requests:
                files[self.count % THREADS].write(b"%06d" % len(request) + request)
                self.count += 1
        finally:
            for file in files:
                file.close()

    def close(self) -> None:
        """Remove the files."""
        self._folder.cleanup()

    def __enter__(self) -> RequestFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def replay(port: int, requests: RequestFile, *, beginning: str, seconds: float) -> Sample:
    """Send the requests to a local server for that long, each one at most once.

    Args:
        beginning: What the body of a good answer (status 200) begins with.
    Raises:
        VoidRun: Any answer was another one.
        RanOut: The requests did not last.
    """
    command = [require_wrk(), "--threads", str(THREADS), "--connections", str(CONNECTIONS), "--timeout", "10s"]
    command += ["--duration", f"{max(1, round(seconds))}s", "--script", str(SCRIPT), f"http://127.0.0.1:{port}/"]
    command += ["--", str(requests.path), beginning]
    output = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    result = _RESULT.search(output.stdout)
    if output.returncode != 0 or result is None:
        raise VoidRun(f"wrk failed: {output.stderr.strip() or output.stdout.strip()}")
    figures = {name: int(value) for name, value in (pair.split("=") for pair in result[1].split())}
    if figures["used_up"]:
        raise RanOut
    if figures["bad"] or figures["errors"] or not figures["good"]:
        raise VoidRun(
            f"{figures['bad']} unexpected answers, {figures['errors']} failed connections, {figures['good']} good. "
            + output.stdout[result.end() :].strip()
        )
    return Sample(
        rate=figures["good"] * 1_000_000 / figures["microseconds"],
        p50=figures["p50"] / 1_000,
        p99=figures["p99"] / 1_000,
        maximum=figures["maximum"] / 1_000,
        answers=figures["good"],
    )
