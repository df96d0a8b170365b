"""Where everything is kept: the only SQL of the project, behind the store protocols of the rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from message_contacts.access.store import AccessStore
from message_contacts.changes import Committer
from message_contacts.clock import Clock, Instant
from message_contacts.contacts.store import ContactStore
from message_contacts.delivery.ground import RoutingStore
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.outbox import Inbox, Outbox
from message_contacts.delivery.standing import StandingStore
from message_contacts.directory.store import DirectoryStore
from message_contacts.storage import housekeeping
from message_contacts.storage.access import Access
from message_contacts.storage.committing import ChangeCommitter
from message_contacts.storage.contacts import Contacts
from message_contacts.storage.directory import Directories
from message_contacts.storage.engine import Database, SchemaMismatch
from message_contacts.storage.inbox import MessageInbox
from message_contacts.storage.messages import Messages
from message_contacts.storage.migrate import HEAD, check, migrate, schema_version, sqlite_path
from message_contacts.storage.outbox import JobOutbox
from message_contacts.storage.routing import Routing
from message_contacts.storage.sqlite import SqliteDatabase
from message_contacts.storage.sqlite_writer import WriterSeam
from message_contacts.storage.standing import Standings
from message_contacts.storage.verification import Verifications
from message_contacts.storage.webhooks import Webhooks
from message_contacts.verification.store import VerificationStore
from message_contacts.webhooks.store import WebhookStore

__all__ = ["HEAD", "SchemaMismatch", "Storage", "migrate", "open_sqlite", "schema_version", "sqlite_path"]


def _nobody(_channel: str) -> None:
    """Wakes no worker."""


class Storage:
    """All stores over one database.

    Attributes:
        on_enqueued: Called on the event loop with the channel of work that was committed; set it to wake a worker.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self.on_enqueued: Callable[[str], None] = _nobody
        self.contacts: ContactStore = Contacts(database)
        self.directory: DirectoryStore = Directories(database)
        self.verification: VerificationStore = Verifications(database)
        self.access: AccessStore = Access(database, clock)
        self.routing: RoutingStore = Routing(database)
        self.messages: MessageStore = Messages(database)
        self.webhooks: WebhookStore = Webhooks(database)
        self.standing: StandingStore = Standings(database)
        self.outbox: Outbox = JobOutbox(database, self._enqueued)
        self.inbox: Inbox = MessageInbox(database)
        self.committer: Committer = ChangeCommitter(database, clock, self._enqueued)

    async def prune(self, now: Instant) -> None:
        """Take away what nobody needs any more; meant to be called every few minutes."""
        await housekeeping.prune(self._database, now)

    async def is_ready(self) -> bool:
        """Whether the database answers."""
        return await self._database.rows("SELECT 1", ()) == [(1,)]

    def close(self) -> None:
        """Finish what is under way and let go of the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _enqueued(self, channel: str) -> None:
        self.on_enqueued(channel)


def open_sqlite(path: Path, clock: Clock, *, busy_seconds: float = 5.0, seam: WriterSeam | None = None) -> Storage:
    """Open a migrated SQLite file.

    Args:
        busy_seconds: How long a commit waits for other processes' commits before it is given up.
        seam: Where a test looks at commits.
    Raises:
        SchemaMismatch: The file is not migrated, or newer than this program.
    """
    check(f"sqlite:///{path}")
    return Storage(SqliteDatabase(path, busy_seconds=busy_seconds, seam=seam), clock)
