"""Where everything is kept: the only SQL of the project, behind the store protocols of the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from message_contacts.access.console_sessions import ConsoleSessionStore
from message_contacts.access.grants import GrantStore
from message_contacts.access.key_uses import KeyUseStore
from message_contacts.access.ram_store import RamStore
from message_contacts.access.sharing import DemandStore
from message_contacts.access.store import AccessStore
from message_contacts.audit.store import AuditStore
from message_contacts.changes import Committer
from message_contacts.clock import Clock, Instant
from message_contacts.contacts.store import ContactStore
from message_contacts.delivery.ground import RoutingStore
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.outbox import Inbox, Outbox
from message_contacts.delivery.standing_store import StandingStore
from message_contacts.delivery.turns import Turns
from message_contacts.directory.store import DirectoryStore
from message_contacts.health import Ailment
from message_contacts.metrics import Metrics
from message_contacts.privacy.store import PersonStore
from message_contacts.storage.access import Access
from message_contacts.storage.audit import AuditEvents
from message_contacts.storage.backlog import Backlogs
from message_contacts.storage.committing import ChangeCommitter
from message_contacts.storage.console_sessions import ConsoleSessionRows
from message_contacts.storage.contacts import Contacts
from message_contacts.storage.directory import Directories
from message_contacts.storage.engine import CannotOpen, Database, DatabaseUnreachable, PoolUse, SchemaMismatch
from message_contacts.storage.grants import Grants
from message_contacts.storage.housekeeping import Housekeeping, Retention
from message_contacts.storage.inbox import MessageInbox
from message_contacts.storage.key_uses import AccessKeyUses
from message_contacts.storage.messages import Messages
from message_contacts.storage.migrate import HEAD, VERSIONS, check, migrate, schema_version, sqlite_path
from message_contacts.storage.outbox import JobOutbox
from message_contacts.storage.people import People
from message_contacts.storage.ram import Ram
from message_contacts.storage.request_demand import RequestDemands
from message_contacts.storage.rotation import Rotation
from message_contacts.storage.routing import Routing
from message_contacts.storage.sqlite import SqliteDatabase
from message_contacts.storage.sqlite_transaction import WriterSeam
from message_contacts.storage.standing import Standings
from message_contacts.storage.turns import ProcessTurns
from message_contacts.storage.verification import Verifications
from message_contacts.storage.webhooks import Webhooks
from message_contacts.verification.store import VerificationStore
from message_contacts.webhooks.store import WebhookStore

if TYPE_CHECKING:
    from message_contacts.storage.postgres_writer import WriterSeam as PostgresSeam

__all__ = [
    "HEAD",
    "CannotOpen",
    "DatabaseUnreachable",
    "Retention",
    "SchemaMismatch",
    "Storage",
    "migrate",
    "open_postgres",
    "open_sqlite",
    "schema_version",
    "sqlite_path",
]

#: Connections of one process to PostgreSQL.
CONNECTIONS = 12


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
        self.console_sessions: ConsoleSessionStore = ConsoleSessionRows(database)
        self.ram: RamStore = Ram(database)
        self.rotation = Rotation(database)
        self.key_uses: KeyUseStore = AccessKeyUses(database)
        self.demands: DemandStore = RequestDemands(database)
        self.grants: GrantStore = Grants(database)
        self.outbox: Outbox = JobOutbox(database)
        self.audit: AuditStore = AuditEvents(database)
        self.routing: RoutingStore = Routing(database)
        self.messages: MessageStore = Messages(database)
        self.webhooks: WebhookStore = Webhooks(database)
        self.standing: StandingStore = Standings(database)
        self.backlogs = Backlogs(database)
        self.inbox: Inbox = MessageInbox(database)
        self.people: PersonStore = People(database)
        self.turns: Turns = ProcessTurns(database)
        self._housekeeping = Housekeeping(database)
        self.committer: Committer = ChangeCommitter(database, clock, self._enqueued)

    async def prune(self, now: Instant, retention: Retention | None = None) -> None:
        """Take away what has served its time; meant to be called every minute or so."""
        await self._housekeeping.prune(now, retention or Retention())

    async def ailments(self) -> Sequence[Ailment]:
        """Why the database cannot be worked with now; empty: it can. Looks, and after a failed commit writes."""
        found = await self._database.ailments()
        if found:
            return found
        rows = await self._database.rows(VERSIONS, ())
        version, oldest_program = rows[0] if rows else ("", "")
        if version < HEAD:
            return (Ailment.SCHEMA_TOO_OLD,)
        return (Ailment.SCHEMA_TOO_NEW,) if oldest_program > HEAD else ()

    def pools(self) -> Sequence[PoolUse]:
        """How much the connections to the server are used now; nothing where there is none."""
        return self._database.pools()

    async def finish(self) -> None:
        """Finish what is under way; to be called before `close` by whoever can wait."""
        await self._database.finish()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _enqueued(self, channel: str) -> None:
        self.on_enqueued(channel)


def open_sqlite(
    path: Path,
    clock: Clock,
    *,
    busy_seconds: float = 5.0,
    seam: WriterSeam | None = None,
    metrics: Metrics | None = None,
) -> Storage:
    """Open a migrated SQLite file.

    Args:
        busy_seconds: How long a commit waits for other processes' commits before it is given up.
        seam: Where a test looks at commits.
        metrics: Counts commits; None: nobody asks.
    Raises:
        SchemaMismatch: The file is not migrated, or newer than this program.
    """
    check(f"sqlite:///{path}")
    return Storage(SqliteDatabase(path, busy_seconds=busy_seconds, seam=seam, metrics=metrics), clock)


def open_postgres(
    database_url: str,
    clock: Clock,
    *,
    connections: int = CONNECTIONS,
    seam: PostgresSeam | None = None,
    metrics: Metrics | None = None,
) -> Storage:
    """Open a migrated PostgreSQL database, for one event loop.

    Args:
        connections: How many this process holds, at most.
        seam: Where a test looks at commits.
        metrics: Counts commits; None: nobody asks.
    Raises:
        SchemaMismatch: The database is not migrated, or newer than this program.
        DatabaseUnreachable: Nobody answers there, or they refuse.
    """
    # Not loaded by those who have no PostgreSQL.
    from message_contacts.storage.postgres import PostgresDatabase  # noqa: PLC0415
    from message_contacts.storage.postgres_connection import PostgresAddress  # noqa: PLC0415

    check(database_url)
    address = PostgresAddress(database_url)
    return Storage(PostgresDatabase(address, clock, connections=connections, seam=seam, metrics=metrics), clock)
