"""SQLite as a `Database`: reads by key on the event loop, lists on a thread beside it, writes through one writer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw

from message_contacts import errors
from message_contacts.errors import ApiError
from message_contacts.health import Ailment
from message_contacts.metrics import Metrics
from message_contacts.storage.engine import DatabaseUnreachable, Parameters, PoolUse, Query, Row, SchemaMismatch, Step
from message_contacts.storage.sqlite_checkpoint import Checkpointer
from message_contacts.storage.sqlite_condition import Whereabouts, ailment_of
from message_contacts.storage.sqlite_connection import UNAVAILABLE, Patience, connect, rows_with_odd_text, unavailable
from message_contacts.storage.sqlite_transaction import Transactions, WriterSeam
from message_contacts.storage.sqlite_writer import FEW_STEPS, Writer

_READ_CACHE_KIB = 8 * 1024
_LIST_CACHE_KIB = 4 * 1024
_WRITE_CACHE_KIB = 8 * 1024
#: Reads wait for nobody in the write-ahead log's everyday life; this covers recovery after a crash.
_READ_BUSY_SECONDS = 1.0

LOOK = """
    -- Whether the file can be read.
    SELECT 1 FROM schema_compatibility
"""

WRITE_NOTHING = """
    -- Whether the file can be written: puts the one row there is in its own place.
    UPDATE schema_compatibility SET oldest_program = oldest_program
"""


class SqliteDatabase:
    """`engine.Database` on one file, which other processes may have open as well."""

    def __init__(
        self, path: Path, *, busy_seconds: float, seam: WriterSeam | None = None, metrics: Metrics | None = None
    ) -> None:
        """Open the file.

        Args:
            busy_seconds: How long a commit waits for other processes' commits before it is given up.
            metrics: Counts commits; None: nobody asks.
        """
        writing = connect(path, busy_seconds=busy_seconds, cache_kib=_WRITE_CACHE_KIB, writes=True)
        self._reading = connect(path, busy_seconds=_READ_BUSY_SECONDS, cache_kib=_READ_CACHE_KIB)
        self._listing = connect(path, busy_seconds=_READ_BUSY_SECONDS, cache_kib=_LIST_CACHE_KIB)
        self._execute = self._reading.cursor().execute
        self._lister = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-list")
        patience = Patience(busy_seconds)
        writing.set_busy_handler(patience)
        self._checkpointer = Checkpointer(writing, patience, connect(path, busy_seconds=0.0, cache_kib=64, writes=True))
        transactions = Transactions(writing, patience, busy_seconds=busy_seconds, seam=seam, metrics=metrics)
        self._writer = Writer(transactions, self._checkpointer, busy_seconds=busy_seconds)
        self._whereabouts = Whereabouts(path)

    async def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        try:
            try:
                return self._execute(sql, parameters).fetchall()
            except UnicodeDecodeError:
                return rows_with_odd_text(self._reading, sql, parameters)
        except UNAVAILABLE as complaint:
            raise unavailable(complaint) from complaint

    async def report(self, *queries: Query) -> list[list[Row]]:
        return await asyncio.get_running_loop().run_in_executor(self._lister, self._report, queries)

    def _report(self, queries: Sequence[Query]) -> list[list[Row]]:
        try:
            if len(queries) == 1:
                return [self._listed(*queries[0])]
            self._listing.execute("BEGIN")  # one moment for all of them
            try:
                return [self._listed(*query) for query in queries]
            finally:
                if self._listing.in_transaction:  # else SQLite has ended it, for an error that is told
                    self._listing.execute("COMMIT")
        except UNAVAILABLE as complaint:
            raise unavailable(complaint) from complaint

    def _listed(self, sql: str, parameters: Parameters) -> list[Row]:
        try:
            return self._listing.execute(sql, parameters).fetchall()
        except UnicodeDecodeError:
            return rows_with_odd_text(self._listing, sql, parameters)

    async def commit(
        self, steps: Sequence[Step], *, tenant: str = "", committed: Callable[[], None] | None = None
    ) -> None:
        await self._writer.commit(steps, committed)

    async def commit_each(self, change_sets: Mapping[str, Sequence[Step]]) -> Sequence[BaseException | None]:
        outcomes = await asyncio.gather(*map(self._commit_some, _bundles(list(change_sets.values()))))
        return [outcome for some in outcomes for outcome in some]

    async def _commit_some(self, change_sets: Sequence[Sequence[Step]]) -> Sequence[BaseException | None]:
        """As one, which costs less than each for itself; that only when one of them is refused, to learn which."""
        (together,) = await self._outcomes([[step for steps in change_sets for step in steps]])
        unavailable_now = isinstance(together, ApiError) and together.definition is errors.SERVICE_UNAVAILABLE
        if together is None or unavailable_now or len(change_sets) == 1:
            return [together] * len(change_sets)
        return await self._outcomes(change_sets)

    async def _outcomes(self, change_sets: Sequence[Sequence[Step]]) -> Sequence[BaseException | None]:
        outcomes = await asyncio.gather(*map(self._writer.commit, change_sets), return_exceptions=True)
        return [outcome if isinstance(outcome, BaseException) else None for outcome in outcomes]

    async def write(self, sql: str, parameters: Parameters) -> tuple[list[Row], int]:
        return await self._writer.write(Step(sql, parameters))

    async def ailments(self) -> Sequence[Ailment]:
        found = self._whereabouts.ailment()
        if found is not None:
            return (found,)
        try:
            self._execute(LOOK).fetchall()
        except UNAVAILABLE as complaint:
            return (ailment_of(complaint),)
        if self._writer.complaint is not None:  # tried again: nobody else may, as long as this one says that it fails
            try:
                await self.write(WRITE_NOTHING, ())
            except ApiError:
                return (ailment_of(self._writer.complaint),)
        return ()

    def pools(self) -> Sequence[PoolUse]:
        return ()

    def scrub(self) -> None:
        self._checkpointer.scrub()

    async def finish(self) -> None:
        """Nothing here: closing finishes what is under way."""

    def close(self) -> None:
        self._lister.shutdown()
        self._writer.close()
        self._checkpointer.close()
        self._listing.close()
        self._reading.close()


def _bundles(change_sets: Sequence[Sequence[Step]]) -> Iterator[Sequence[Sequence[Step]]]:
    """The change sets in order, as many together as are still short."""
    bundle: list[Sequence[Step]] = []
    steps = 0
    for change_set in change_sets:
        if bundle and steps + len(change_set) > FEW_STEPS:
            yield bundle
            bundle, steps = [], 0
        bundle.append(change_set)
        steps += len(change_set)
    if bundle:
        yield bundle


def sqlite_schema_version(path: Path) -> str | None:
    """The schema version of the file; None when it has none."""
    return _schema_value(path, "SELECT version_num FROM alembic_version")


def sqlite_oldest_program(path: Path) -> str | None:
    """The schema version of the oldest program that works with the file."""
    return _schema_value(path, "SELECT oldest_program FROM schema_compatibility")


def _schema_value(path: Path, sql: str) -> str | None:
    if not path.exists():
        return None
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(int(_READ_BUSY_SECONDS * 1000))
        rows = connection.execute(sql).fetchall()
    except apsw.SQLError:  # no such table
        return None
    except apsw.BusyError:
        raise DatabaseUnreachable(f"{path} is in use by a command that needs it for itself, such as `copy`.") from None
    except apsw.NotADBError:
        raise SchemaMismatch(f"{path} is not an SQLite database: name another file.") from None
    finally:
        connection.close()
    return str(rows[0][0]) if rows else None
