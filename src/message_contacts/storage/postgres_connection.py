"""Connections to PostgreSQL, and what its complaints mean.

Every wait is bounded by closing the connection, never by asking the server to cancel: a cancelled COMMIT that waits
for a synchronous standby has happened on the primary and may be lost with it.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import structlog

from message_contacts import errors
from message_contacts.changes import Stale
from message_contacts.errors import ApiError
from message_contacts.health import Ailment
from message_contacts.settings.forms import is_postgres, without_password
from message_contacts.storage.constraints import REFUSALS
from message_contacts.storage.engine import DatabaseUnreachable, Parameters

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: Seconds to connect to one host. A host that does not answer must not use up the time of those behind it.
CONNECT_SECONDS = 3.0

#: Seconds after which plans are made anew: one made while its tables were still empty may be no good for full ones.
#: The first ones are given up soon, since empty tables fill most quickly at first; each time later, up to the longest.
PLANS_FIRST_KEPT_SECONDS = 0.5
PLANS_KEPT_SECONDS = 10.0

#: Everything here goes by key or index, also by a plan made while the tables were still empty; and making plans
#: anew for each call costs more than the calls.
_SESSION = {
    "application_name": "message-contacts",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "lock_timeout": "300ms",
    # Locks of a process that vanished without a word do not outlast this.
    "idle_in_transaction_session_timeout": "15s",
    "timezone": "UTC",
}

#: The server cannot do it now, through nobody's bug; by class (two characters) or code of SQLSTATE.
_UNAVAILABLE = ("08", "28", "3D000", "53", "57", "58", "XX", "25006", "25P03")
#: Somebody else was in the way: the decision is made again.
_IN_THE_WAY = ("23503", "23505", "40001", "40P01", "55P03")


class NotTogether(Exception):  # noqa: N818 - not an error: they are tried apart
    """A statement for many met other rows than it should: one of them is refused, and it is not known which."""


#: These end a connection; the last three are the server's, when it is stopped.
_BROKEN = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidCachedStatementError,  # a column has another type than when the statement was prepared
    OSError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
#: After these, a connection can go on, if need be after a rollback.
_LEAVES_SOUND = (asyncpg.PostgresError, TypeError, Stale, ApiError, NotTogether)


class ConnectionLost(Exception):  # noqa: N818 - whoever meets it decides whether that is an error
    """The connection ended, or was ended because the server did not answer in time, before the answer came."""


class DatabaseComplaint(Exception):  # noqa: N818 - the database's, about a bug of ours
    """PostgreSQL refused a statement for a reason that no rule knows. Holds no values: those may be personal."""


class PostgresAddress:
    """Where the database is: one host, or several of which the one that takes writes is wanted."""

    def __init__(self, database_url: str) -> None:
        """Read a `postgresql://` URL: `postgresql://user:password@host:5432,other:5432/database?option=value`.

        Raises:
            ValueError: It is not such a URL.
        """
        if not is_postgres(database_url):
            raise ValueError("a PostgreSQL URL begins with postgresql://")
        parts = urlsplit(database_url)
        login, at, hosts = parts.netloc.rpartition("@")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        # A standby reads only: it is no use here, and behind a failover its address may be the first of the list.
        options.setdefault("target_session_attrs", "read-write")
        query = urlencode(options)
        self._urls = [
            urlunsplit(parts._replace(scheme="postgresql", netloc=login + at + host, query=query))
            for host in hosts.split(",")
        ]
        #: The address without its password, for people.
        self.shown = without_password(database_url)

    async def connect(self) -> asyncpg.Connection[Any]:
        """A new connection to the first host that takes writes, the one that did so last time before all others.

        Raises:
            OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError: What was wrong with the last one.
        """
        failure: Exception | None = None
        for url in list(self._urls):
            try:
                connection = await asyncpg.connect(
                    url, timeout=CONNECT_SECONDS, statement_cache_size=0, server_settings=_SESSION
                )
            except _CANNOT_CONNECT as complaint:
                # A host that refuses the login says more about what is wrong than one that is not there.
                if failure is None or isinstance(complaint, asyncpg.PostgresError):
                    failure = complaint
            else:
                if url != self._urls[0]:
                    self._urls = [url, *(other for other in self._urls if other != url)]
                return connection
        raise failure or OSError("no host")


_CANNOT_CONNECT: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class Connection:
    """One held connection; each statement is prepared once, by the first who uses it."""

    __slots__ = ("_plans_kept", "_plans_until", "_prepared", "_raw", "is_overdue")

    def __init__(self, raw: asyncpg.Connection[Any]) -> None:
        """Take over a connection."""
        self._raw = raw
        self._prepared: dict[str, Any] = {}
        self._plans_kept = PLANS_FIRST_KEPT_SECONDS
        self._plans_until = time.monotonic() + self._plans_kept
        #: Whether it was closed because the server did not answer in time.
        self.is_overdue = False

    @property
    def is_closed(self) -> bool:
        """Whether it has ended, as far as is known here."""
        closed: bool = self._raw.is_closed()
        return closed

    async def fetch(self, sql: str, parameters: Parameters) -> list[Any]:
        """The rows of a statement.

        Raises:
            ConnectionLost: No answer came.
            asyncpg.PostgresError: The server's complaint.
            TypeError: A parameter is not of the kind that the statement takes.
        """
        now = time.monotonic()
        if now > self._plans_until:
            self._plans_kept = min(2 * self._plans_kept, PLANS_KEPT_SECONDS)
            self._plans_until = now + self._plans_kept
            await self.command("DISCARD PLANS")
        statement = self._prepared.get(sql) or await self._prepare(sql)
        try:
            rows: list[Any] = await statement.fetch(*parameters)
        except asyncpg.DataError as complaint:
            if complaint.severity is None:  # the driver's own, before anything was sent; its text holds the value
                raise TypeError(f"a parameter does not fit its statement: {_first_sentence(sql)}") from None
            raise
        except _BROKEN as complaint:
            raise self._lost(complaint) from None
        return rows

    async def execute(self, sql: str, parameters: Parameters) -> int:
        """Carry out a statement; how many rows it changed or found. Raises as `fetch`."""
        await self.fetch(sql, parameters)
        return self._count(sql)

    async def fetch_and_count(self, sql: str, parameters: Parameters) -> tuple[list[Any], int]:
        """The rows of a statement and how many it changed. Raises as `fetch`."""
        rows = await self.fetch(sql, parameters)
        return rows, self._count(sql)

    async def parameter_types(self, sql: str) -> list[str]:
        """Names of the types that a statement's parameters have. Raises as `fetch`."""
        statement = self._prepared.get(sql) or await self._prepare(sql)
        return [parameter.name for parameter in statement.get_parameters()]

    async def command(self, sql: str) -> None:
        """Carry out a command without parameters, such as BEGIN. Raises as `fetch`."""
        try:
            await self._raw.execute(sql)
        except _BROKEN as complaint:
            raise self._lost(complaint) from None

    def within(self, seconds: float) -> _Within:
        """Close the connection unless the block ends in time, by its end or by an error that leaves it sound."""
        return _Within(self, seconds)

    def close(self) -> None:
        """End it at once, whatever it is doing."""
        self._raw.terminate()

    async def finish(self) -> None:
        """End it politely, so that the server does not log an error."""
        try:
            await self._raw.close(timeout=1.0)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            self.close()

    def _count(self, sql: str) -> int:
        """How many rows the statement that has just ended changed or found."""
        try:
            status: str = self._prepared[sql].get_statusmsg()
        except _BROKEN as complaint:  # its time was up in the very moment when the answer was there
            raise self._lost(complaint) from None
        return int(status.rpartition(" ")[2])

    async def _prepare(self, sql: str) -> Any:
        try:
            # Named, since the server keeps only what has a name: anything else is parsed and planned at each use.
            statement = await self._raw.prepare(sql, name=f"s{len(self._prepared)}")
        except _BROKEN as complaint:
            raise self._lost(complaint) from None
        self._prepared[sql] = statement
        return statement

    def _lost(self, complaint: Exception) -> Exception:
        if type(complaint) is asyncpg.InterfaceError and not self.is_closed:
            return complaint  # a bug: used by two at a time
        self.close()
        return ConnectionLost(_name(complaint))


class _Within:
    """A block with an end in time, see `Connection.within`. A class, not a generator: every read passes through it."""

    __slots__ = ("_connection", "_seconds", "_timer")

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._give_up)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if error is not None and not isinstance(error, _LEAVES_SOUND):
            self._connection.close()

    def _give_up(self) -> None:
        log.warning("database_did_not_answer", seconds=self._seconds)
        self._connection.is_overdue = True
        self._connection.close()


def refusal(complaint: asyncpg.PostgresError) -> Exception:
    """What a complaint about a statement means to the rules; `DatabaseComplaint` when it shows a bug."""
    state = complaint.sqlstate or ""
    constraint = complaint.constraint_name or ""
    if constraint in REFUSALS:
        return REFUSALS[constraint](constraint=constraint)
    if state in _IN_THE_WAY:
        return Stale(constraint or state)
    if is_unavailable(complaint):
        return unavailable(complaint)
    where = " ".join(name for name in (complaint.table_name, complaint.column_name, constraint) if name)
    return DatabaseComplaint(f"{type(complaint).__name__} {state} {where}".rstrip())


def is_unavailable(complaint: BaseException) -> bool:
    """Whether the server, rather than the statement, is the trouble."""
    return isinstance(complaint, asyncpg.PostgresError) and (complaint.sqlstate or "").startswith(_UNAVAILABLE)


def unavailable(complaint: BaseException) -> ApiError:
    """The caller's side of trouble with the server; the operator's side goes to the log where it is met."""
    return errors.SERVICE_UNAVAILABLE(complaint=_name(complaint))


async def connected(address: PostgresAddress) -> Connection:
    """A new connection.

    Raises:
        ApiError: SERVICE_UNAVAILABLE, when no host can be used now.
    """
    try:
        return Connection(await address.connect())
    except _CANNOT_CONNECT as complaint:
        log.error("database_unreachable", complaint=_name(complaint))  # noqa: TRY400 - the trace says nothing more
        raise unavailable(complaint) from None


async def first_connected(address: PostgresAddress) -> asyncpg.Connection[Any]:
    """A new connection for a start.

    Raises:
        DatabaseUnreachable: With a sentence for the operator.
    """
    try:
        return await address.connect()
    except _CANNOT_CONNECT as complaint:
        reason = str(complaint).splitlines()[0] if str(complaint) else f"no answer in {CONNECT_SECONDS:.0f} seconds"
        raise DatabaseUnreachable(f"{address.shown} cannot be used: {reason}.".replace("..", ".")) from None


def ailment_of(complaint: BaseException) -> Ailment:
    """The word for what kept a commit from being carried out."""
    state = getattr(complaint, "sqlstate", None) or ""
    if state in ("53100", "58030"):
        return Ailment.DISK_FULL
    return Ailment.DATABASE_READ_ONLY if state == "25006" else Ailment.DATABASE_UNREACHABLE


def _name(complaint: BaseException) -> str:
    state = getattr(complaint, "sqlstate", None)
    return f"{type(complaint).__name__} {state}" if state else type(complaint).__name__


def _first_sentence(sql: str) -> str:
    return sql.strip().splitlines()[0].removeprefix("-- ")
