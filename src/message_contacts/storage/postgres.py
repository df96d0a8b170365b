"""PostgreSQL as a `Database`: reads over held connections, lists in one snapshot, commits in groups."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import asyncpg
import structlog

from message_contacts import errors
from message_contacts.changes import Stale
from message_contacts.clock import Clock
from message_contacts.errors import ApiError
from message_contacts.health import Ailment
from message_contacts.metrics import Metrics
from message_contacts.storage.engine import Parameters, PoolUse, Query, Row, Step
from message_contacts.storage.postgres_connection import (
    Connection,
    ConnectionLost,
    PostgresAddress,
    ailment_of,
    is_unavailable,
    refusal,
)
from message_contacts.storage.postgres_pool import Pool
from message_contacts.storage.postgres_reading import Queries, Together
from message_contacts.storage.postgres_statements import can_be_grouped, own
from message_contacts.storage.postgres_writer import Writer, WriterSeam

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

T = TypeVar("T")

#: Seconds for a read by key or a single write.
_READ_SECONDS = 5.0
#: Seconds for lists and counts.
_REPORT_SECONDS = 15.0
#: Seconds that a caller waits for a connection to be free.
_CONNECTION_SECONDS = 3.0
#: How often a single write is tried while others are in its way.
_WRITE_TRIES = 5

#: Connections for lists, which take longer and must not hold up reads.
_LISTERS = 2
#: The least number of connections of a process: for a read, for lists, for commits, and to find out what became of one.
LEAST_CONNECTIONS = 1 + _LISTERS + 1 + 1

READS_ONLY = "SELECT current_setting('transaction_read_only')"
WRITE_NOTHING = "UPDATE schema_compatibility SET oldest_program = oldest_program"
BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresDatabase:
    """`engine.Database` on a server, shared with any number of processes. Belongs to one event loop."""

    def __init__(
        self,
        address: PostgresAddress,
        clock: Clock,
        *,
        connections: int,
        seam: WriterSeam | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """Make it; connections are opened as they are needed.

        Args:
            connections: At most, all purposes together.
            seam: Where a test looks at commits.
            metrics: Counts commits; None: nobody asks.
        """
        self._reading = Pool(address, max(1, connections - LEAST_CONNECTIONS + 1), patience=_CONNECTION_SECONDS)
        self._queries = Queries()
        self._together = Together(self._queries, self._read)
        self._listing = Pool(address, _LISTERS, patience=_CONNECTION_SECONDS)
        self._writer = Writer(address, clock, seam=seam, metrics=metrics)

    async def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        if can_be_grouped(sql):
            return await self._together.rows(own(sql), _askable(parameters))
        (rows,) = await self._read(lambda connection: self._report(connection, [(sql, parameters)]))
        return rows

    async def report(self, *queries: Query) -> list[list[Row]]:
        if not queries:
            return []
        return await _borrowed(self._listing, _REPORT_SECONDS, lambda connection: self._report(connection, queries))

    async def commit(
        self, steps: Sequence[Step], *, tenant: str = "", committed: Callable[[], None] | None = None
    ) -> None:
        await self._writer.commit(steps, tenant, committed)

    async def commit_each(self, change_sets: Mapping[str, Sequence[Step]]) -> Sequence[BaseException | None]:
        commits = (self._writer.commit(steps, tenant, None) for tenant, steps in change_sets.items())
        return await asyncio.gather(*commits, return_exceptions=True)

    async def write(self, sql: str, parameters: Parameters) -> tuple[list[Row], int]:
        for tries in range(1, _WRITE_TRIES + 1):
            try:
                return await self._write(own(sql), _askable(parameters))
            except Stale:
                if tries == _WRITE_TRIES:
                    raise errors.SERVICE_UNAVAILABLE(complaint="others in the way") from None
                await asyncio.sleep(0.01 * tries)
        raise AssertionError("unreachable")

    async def ailments(self) -> Sequence[Ailment]:
        try:
            ((reads_only,),) = await self.rows(READS_ONLY, ())
        except ApiError:
            return (Ailment.DATABASE_UNREACHABLE,)
        if reads_only == "on":
            return (Ailment.DATABASE_READ_ONLY,)
        complaint = self._writer.complaint
        if complaint is not None:  # tried again: nobody else may, as long as this one says that it fails
            try:
                await self.write(WRITE_NOTHING, ())
            except ApiError:
                return (ailment_of(complaint),)
            self._writer.complaint = None
        return ()

    def pools(self) -> Sequence[PoolUse]:
        return (self._reading.use("reading"), self._listing.use("listing"), self._writer.use("committing"))

    def scrub(self) -> None:
        """Nothing here: what was deleted leaves the files when the server vacuums."""

    async def finish(self) -> None:
        await self._writer.finish()
        await self._reading.finish()
        await self._listing.finish()

    def close(self) -> None:
        self._writer.close()
        self._reading.close()
        self._listing.close()

    async def _read(self, read: Callable[[Connection], Awaitable[T]]) -> T:
        return await _borrowed(self._reading, _READ_SECONDS, read)

    async def _report(self, connection: Connection, queries: Sequence[Query]) -> list[list[Row]]:
        first = queries[0][0]
        if len(queries) == 1 or (can_be_grouped(first) and all(sql == first for sql, _ in queries)):
            return await self._queries.carry_out(connection, own(first), [_askable(asked) for _, asked in queries])
        await connection.command(BEGIN_SNAPSHOT)
        try:
            return [
                [tuple(row) for row in await connection.fetch(own(sql), _askable(parameters))]
                for sql, parameters in queries
            ]
        finally:
            await connection.command("COMMIT")

    async def _write(self, sql: str, parameters: Parameters) -> tuple[list[Row], int]:
        """Carry out one statement, in a transaction of its own.

        When the connection is lost meanwhile, nobody knows whether it was. Each of these statements may be repeated: a
        claim runs out, a message that is in the inbox is not put there again, what is pruned or handed back is gone.
        """
        connection = await self._reading.take()
        try:
            with connection.within(_READ_SECONDS):
                rows, count = await connection.fetch_and_count(sql, parameters)
                return [tuple(row) for row in rows], count
        except ConnectionLost as lost:
            log.error("write_outcome_unknown", complaint=str(lost))  # noqa: TRY400 - the trace says nothing
            raise errors.SERVICE_UNAVAILABLE(complaint="connection lost") from None
        except asyncpg.PostgresError as complaint:
            raise _failure(connection, complaint) from None
        finally:
            self._reading.give_back(connection)


async def _borrowed(pool: Pool, seconds: float, read: Callable[[Connection], Awaitable[T]]) -> T:
    """Read over a connection of a pool, once more when it turns out to be dead."""
    for is_last in (False, True):
        connection = pool.take_idle() or await pool.take()
        try:
            with connection.within(seconds):
                return await read(connection)
        except ConnectionLost as lost:
            _give_up_reading(connection, lost, is_last=is_last)
        except asyncpg.PostgresError as complaint:
            raise _failure(connection, complaint) from None
        finally:
            pool.give_back(connection)
    raise AssertionError("unreachable")


def _give_up_reading(connection: Connection, lost: ConnectionLost, *, is_last: bool) -> None:
    """Say so, unless it can be tried again. Raises: ApiError."""
    if is_last or connection.is_overdue:
        log.error("read_failed", complaint=str(lost))
        raise errors.SERVICE_UNAVAILABLE(complaint="connection lost") from None


def _askable(parameters: Parameters) -> Parameters:
    """The parameters, without the one character that PostgreSQL's text cannot hold: nothing has it, nothing is found.

    The one that stands for it is no character at all, and in no name, id or address that is kept.
    """
    for parameter in parameters:
        if type(parameter) is str and "\0" in parameter:
            return tuple(each.replace("\0", "\U0010ffff") if type(each) is str else each for each in parameters)
    return parameters


def _failure(connection: Connection, complaint: asyncpg.PostgresError) -> Exception:
    if is_unavailable(complaint):
        log.error("database_unavailable", complaint=type(complaint).__name__)
        connection.close()
    return refusal(complaint)
