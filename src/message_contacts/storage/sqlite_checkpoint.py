"""Moving what was committed from the write-ahead log into the database file, beside the writing.

A thread with a connection of its own does it whenever enough has gathered, without holding up anybody. Under steady
load that never catches up, so at 64 MB the writer itself does the rest and begins the log anew; little is left by then.

The log keeps what was in it until it is written over. After an erasure it is therefore emptied: all of it is moved, and
the file cut to nothing, in a moment in which nobody reads in it.
"""

from __future__ import annotations

import threading
import time

import apsw
import structlog

from message_contacts.storage.sqlite_connection import UNAVAILABLE, Patience

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_PAGE = 4096
#: Log pages between two rounds in the background: 8 MB.
BACKGROUND_PAGES = 8 * 2**20 // _PAGE
#: Log pages at which the writer stops for it: 64 MB.
FORCED_PAGES = 64 * 2**20 // _PAGE
#: Seconds between two attempts to empty the log.
_SCRUB_SECONDS = 0.05
#: Attempts to empty the log when the file is closed: by then only other processes can be in the way.
_LAST_ATTEMPTS = 10
#: Seconds for which the writer waits, in a forced round, for those who read what was committed last.
_READERS_SECONDS = 0.02


class Checkpointer:
    """Watches the log of one file; told of each commit by the writer."""

    def __init__(self, writer: apsw.Connection, patience: Patience, own: apsw.Connection) -> None:
        """Watch what `writer` commits, whose busy handler is `patience`; `own` is this object's to use and to close."""
        self._writer = writer
        self._patience = patience
        self._own = own
        self._pages = 0
        self._background_at = BACKGROUND_PAGES
        self._forced_at = FORCED_PAGES
        self._wanted = threading.Event()
        self._scrub_wanted = threading.Event()
        self._one_at_a_time = threading.Lock()
        self._closed = False
        writer.set_wal_hook(self._log_grew)  # also switches off SQLite's own checkpoints, which hold up the writer
        own.wal_autocheckpoint(0)
        self._thread = threading.Thread(target=self._run, name="sqlite-checkpoint", daemon=True)
        self._thread.start()

    def committed(self) -> bool:
        """Called on the writer's thread after a commit. Returns: Whether `force` is due before anything is written."""
        if self._pages >= self._forced_at:
            return True
        if self._pages >= self._background_at:
            self._background_at = self._pages + BACKGROUND_PAGES
            self._wanted.set()
        elif self._pages < BACKGROUND_PAGES:  # the log has begun anew
            self._background_at, self._forced_at = BACKGROUND_PAGES, FORCED_PAGES
        return False

    def force(self) -> None:
        """Move everything and begin the log anew, on the writer's connection, which nobody else may use meanwhile.

        Leaves the connection with little patience.
        """
        try:
            with self._one_at_a_time:  # what the background is moving just now need not be moved again
                # Hardly waiting: a read, a backup most of all, keeps the log from being begun anew for as long as it
                # lasts, and to wait for its end would hold up every commit. Of an older state it is seen at once.
                pages, moved = self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                if moved == pages:
                    self._patience.seconds = _READERS_SECONDS
                    self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
        except UNAVAILABLE as complaint:  # somebody reads, or another process is at it
            self._put_off(type(complaint).__name__)
        else:
            if moved < pages:
                self._put_off("long read")
                return
            self._pages = 0
            self._background_at, self._forced_at = BACKGROUND_PAGES, FORCED_PAGES

    def scrub(self) -> None:
        """Empty the log as soon as nobody reads in it. Whatever was committed before the call is then not in it."""
        self._scrub_wanted.set()
        self._wanted.set()

    def close(self) -> None:
        """End the thread and close its connection. The writer must have finished."""
        self._closed = True
        self._wanted.set()
        self._thread.join()
        attempts = _LAST_ATTEMPTS
        while self._scrub_wanted.is_set() and attempts:
            self._empty()
            attempts -= 1
            if self._scrub_wanted.is_set():
                time.sleep(_SCRUB_SECONDS)
        self._own.close()

    def _log_grew(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._pages = pages
        return apsw.SQLITE_OK

    def _put_off(self, complaint: str) -> None:
        log.info("checkpoint_put_off", complaint=complaint, pages=self._pages)
        self._forced_at = self._pages + BACKGROUND_PAGES

    def _empty(self) -> None:
        """Move everything and cut the log to nothing; when somebody reads in it, that is for later."""
        self._scrub_wanted.clear()
        try:
            with self._one_at_a_time:
                self._own.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except UNAVAILABLE:
            self._scrub_wanted.set()

    def _run(self) -> None:
        while True:
            self._wanted.wait(_SCRUB_SECONDS if self._scrub_wanted.is_set() else None)
            self._wanted.clear()
            if self._closed:
                return
            if self._scrub_wanted.is_set():
                self._empty()
                continue
            try:
                with self._one_at_a_time:
                    self._own.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            except UNAVAILABLE as complaint:  # another process is at it
                log.info("checkpoint_put_off", complaint=type(complaint).__name__, pages=self._pages)
