"""The encryption keys in a file beside the database, for services that were given none.

One key a line, in base64, the current one first; those below it are still accepted. Behind a key stands the moment from
which it was the current one, unless it has been that from the beginning.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog

from message_contacts.access.keys import KEY_BYTES
from message_contacts.bootstrap.errors import StartError
from message_contacts.clock import Instant
from message_contacts.storage import sqlite_path

log = structlog.get_logger(__name__)

_MODE = 0o600


@dataclass(frozen=True, slots=True)
class DatedKey:
    """One line of the file."""

    key: bytes = field(repr=False)
    #: When it became the current one; None: from the beginning.
    since: Instant | None = None


class KeyFile:
    """The file. It is replaced as a whole, so that whoever reads it finds all of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, ...] | None = None

    def read(self) -> list[DatedKey]:
        """The keys, the current one first.

        Raises: StartError when it does not hold keys.
        """
        lines = self.path.read_text(encoding="ascii", errors="replace").splitlines()
        keys = [self._parsed(line) for line in lines if line.strip()]
        if not keys:
            raise self._unusable()
        return keys

    def newer(self) -> Sequence[bytes] | None:
        """The keys if the file is another one than at the last call, for a vault; costs one look at its date."""
        try:
            found = os.stat(self.path)
            state = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
            if state == self._seen:
                return None
            keys = [entry.key for entry in self.read()]
        except (OSError, StartError) as failure:  # what is known goes on to count
            # The trace would say no more.
            log.error("encryption_key_file_unusable", path=str(self.path), why=str(failure))  # noqa: TRY400
            return None
        self._seen = state
        return keys

    def make(self) -> None:
        """Make the file with a random key, whole or not at all; one that is there, or comes meanwhile, stays."""
        if self.path.exists():
            return
        draft = self._draft([DatedKey(secrets.token_bytes(KEY_BYTES))])
        try:
            with contextlib.suppress(FileExistsError):
                os.link(draft, self.path)
        finally:
            draft.unlink()

    def write(self, keys: Sequence[DatedKey]) -> None:
        """Make the file with these keys, or put them in the place of those that are there."""
        if self.path.exists():
            with self.alone():
                self.replace(keys)
        else:
            self.replace(keys)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others who do the same waiting: two who read it, and then replace it, would lose a key."""
        while True:
            descriptor = os.open(self.path, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_ino == os.stat(self.path).st_ino:
                break
            os.close(descriptor)  # replaced while this one waited
        try:
            yield
        finally:
            os.close(descriptor)

    def replace(self, keys: Sequence[DatedKey]) -> None:
        """Put these keys in the place of those that are there. Nobody finds half of them; done while `alone`."""
        draft = self._draft(keys)
        try:
            draft.replace(self.path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _draft(self, keys: Sequence[DatedKey]) -> Path:
        draft = self.path.with_suffix(f".{secrets.token_hex(6)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(_line(entry) for entry in keys)
            file.flush()
            os.fsync(file.fileno())
        return draft

    def _parsed(self, line: str) -> DatedKey:
        text, _, since = line.strip().partition(" ")
        try:
            key = b64decode(text, validate=True)
            moment = Instant(round(datetime.fromisoformat(since.strip()).timestamp() * 1000)) if since.strip() else None
        except (ValueError, OverflowError):
            raise self._unusable() from None
        if len(key) != KEY_BYTES:
            raise self._unusable()
        return DatedKey(key, moment)

    def _unusable(self) -> StartError:
        return StartError(f"{self.path} does not hold an encryption key: {KEY_BYTES} bytes in base64, one key a line.")


def key_file(database_url: str) -> KeyFile:
    """The key file beside an SQLite database, there or not."""
    return KeyFile(Path(f"{sqlite_path(database_url)}.key"))


def _line(entry: DatedKey) -> bytes:
    text = b64encode(entry.key).decode()
    if entry.since is not None:
        text += " " + datetime.fromtimestamp(entry.since / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{text}\n".encode()
