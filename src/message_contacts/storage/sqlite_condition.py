"""What keeps an SQLite file from being read or written."""

from __future__ import annotations

import os
from pathlib import Path

import apsw

from message_contacts.health import Ailment

#: By SQLite's complaint; any other of `sqlite_connection.UNAVAILABLE` means that the file cannot be got at.
_AILMENTS: tuple[tuple[tuple[type[Exception], ...], Ailment], ...] = (
    ((apsw.FullError,), Ailment.DISK_FULL),
    ((apsw.ReadOnlyError,), Ailment.DATABASE_READ_ONLY),
    ((apsw.BusyError, apsw.LockedError, apsw.ProtocolError), Ailment.DATABASE_BUSY),
    ((apsw.CorruptError, apsw.NotADBError), Ailment.DATABASE_DAMAGED),
)


def ailment_of(complaint: Exception | None) -> Ailment:
    """The word for a complaint."""
    for kinds, ailment in _AILMENTS:
        if isinstance(complaint, kinds):
            return ailment
    return Ailment.DATABASE_UNREACHABLE


class Whereabouts:
    """Where an open file lies. Whoever moves or replaces it leaves its connections with a file that nobody finds."""

    def __init__(self, path: Path) -> None:
        """Remember the file that lies there now."""
        self._path = path.absolute()
        self._file = self._seen()

    def ailment(self) -> Ailment | None:
        """What is wrong with the file or the file system; None when nothing is."""
        try:
            if self._seen() != self._file:
                return Ailment.DATABASE_UNREACHABLE
            if os.statvfs(self._path).f_flag & os.ST_RDONLY:
                return Ailment.DATABASE_READ_ONLY
        except OSError:
            return Ailment.DATABASE_UNREACHABLE
        return None

    def _seen(self) -> tuple[int, int]:
        found = os.stat(self._path)
        return found.st_dev, found.st_ino
