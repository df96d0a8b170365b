"""Numbers of several processes on one machine, so that whichever of them is asked tells the sum of all.

Every process writes its own into a file of a common folder, about once a second, and reads the others' when asked. What
a process counted outlives it: else a sum would fall when one ends, which reads as if all had begun anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import orjson

from message_contacts.metrics.recording import Numbers

_ENDED = "ended.json"
_LOCK = "lock"


class SharedNumbers:
    """One process's place in the folder."""

    def __init__(self, folder: Path) -> None:
        """Take a place; the folder is made if it is not there.

        Raises: OSError.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        # Held for as long as the process lives; the system lets go of it, however the process ends.
        self._alive = os.open(folder / f"{self._name}.alive", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._alive, fcntl.LOCK_EX)
        with self._locked(fcntl.LOCK_EX):
            self._gather_ended()

    def write(self, numbers: Numbers) -> None:
        """Write this process's numbers in the place of the earlier ones."""
        self._write(self._name, numbers)

    def others(self) -> Numbers:
        """What the others have counted; of those that have ended, what still counts."""
        total = Numbers()
        with self._locked(fcntl.LOCK_SH):
            total.add(self._read(self._folder / _ENDED))
            for name in self._names():
                found = self._read(self._folder / f"{name}.json")
                total.add(found if self._lives(name) else found.without_gauges())
        return total

    def close(self) -> None:
        """Leave; what was written last still counts for the others."""
        os.close(self._alive)

    def _gather_ended(self) -> None:
        """Put together what processes left that have ended, so that restarts do not fill the folder."""
        ended = [name for name in self._names() if not self._lives(name)]
        if not ended:
            return
        total = self._read(self._folder / _ENDED)
        for name in ended:
            total.add(self._read(self._folder / f"{name}.json").without_gauges())
        self._write("ended", total)
        for name in ended:
            (self._folder / f"{name}.json").unlink(missing_ok=True)
            (self._folder / f"{name}.alive").unlink(missing_ok=True)

    def _names(self) -> list[str]:
        """Places that others have or had."""
        return sorted(path.stem for path in self._folder.glob("*.alive") if path.stem != self._name)

    def _lives(self, name: str) -> bool:
        try:
            descriptor = os.open(self._folder / f"{name}.alive", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _read(self, path: Path) -> Numbers:
        try:
            return Numbers.from_plain(orjson.loads(path.read_bytes()))
        except FileNotFoundError:
            return Numbers()

    def _write(self, name: str, numbers: Numbers) -> None:
        draft = self._folder / f"{name}.draft"
        draft.write_bytes(orjson.dumps(numbers.plain()))
        draft.replace(self._folder / f"{name}.json")

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Nobody gathers while somebody reads."""
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)
