"""The operator's numbers: what this process counted, what others on the machine did, what waits in the database."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import structlog

from message_contacts import errors
from message_contacts.clock import Clock
from message_contacts.errors import ApiError, ErrorDefinition
from message_contacts.metrics import UNKNOWN, Metrics, Numbers, Sample, families
from message_contacts.metrics.exposition import content_type_for, render
from message_contacts.metrics.process import process_numbers
from message_contacts.metrics.sharing import SharedNumbers
from message_contacts.operations.registry import Registry
from message_contacts.storage import HEAD
from message_contacts.storage.backlog import Backlog, Backlogs
from message_contacts.storage.engine import PoolUse

log = structlog.get_logger(__name__)

#: Between two times that a process writes down its numbers for the others.
_SHARE_SECONDS = 1.0
#: Seconds for which one look into the database counts.
_FRESH_SECONDS = 5.0
#: Seconds that a look may take; a scrape waits for ten by default.
_PATIENCE_SECONDS = 5.0


def known_codes(registry: Registry) -> frozenset[str]:
    """Codes of all errors in the tables: those that no caller can make up."""
    table = {value.code for value in vars(errors).values() if isinstance(value, ErrorDefinition)}
    return frozenset(table | {definition.code for _, operation in registry.all() for definition in operation.errors})


class Meter:
    """Answers `/metrics`."""

    def __init__(
        self,
        metrics: Metrics,
        backlogs: Backlogs,
        pools: Callable[[], Sequence[PoolUse]],
        clock: Clock,
        *,
        channels: Sequence[str],
        kinds: Sequence[str],
        folder: Path | None,
    ) -> None:
        """Put it together.

        Args:
            pools: Tells how much connections to the database are used.
            channels, kinds: Of waiting work; other kinds are of a newer release.
            folder: Where processes of this machine put their numbers; None: this one is asked for its own only.
        """
        self._metrics = metrics
        self._backlogs = backlogs
        self._pools = pools
        self._clock = clock
        self._channels = channels
        self._kinds = frozenset(kinds)
        self._folder = folder
        self._shared: SharedNumbers | None = None
        self._one_at_a_time = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._backlog: Backlog | None = None
        self._fresh_until = 0.0

    async def page(self, accept: str) -> tuple[str, bytes]:
        """Content type and text of the metrics, in the better of the formats that the Accept header takes."""
        content_type = content_type_for(accept)
        backlog = await self._look()
        if self._shared is None:
            own = self._own()
        else:
            # Only what is written down is added up: each of these numbers rises whoever is asked. With this process's
            # numbers of now and the others' of a second ago, a sum would fall when another one is asked next.
            own = await self._write(self._shared)
        return content_type, await asyncio.to_thread(self._rendered, own, backlog, content_type)

    async def share(self) -> None:
        """Write this process's numbers down for the others, and tell theirs too, until cancelled.

        Raises: OSError when the folder cannot be used.
        """
        if self._folder is None:
            return
        self._shared = SharedNumbers(self._folder)
        try:
            while True:
                await self._write(self._shared)
                await self._clock.sleep(_SHARE_SECONDS)
        finally:
            await self._write(self._shared)
            self._shared.close()

    async def _write(self, shared: SharedNumbers) -> Numbers:
        async with self._writing:
            numbers = self._own()
            try:
                await asyncio.to_thread(shared.write, numbers)
            except OSError as failure:  # a full disk must not stop the service; the numbers are not lost
                log.error("sharing_metrics_failed", why=failure.strerror)  # noqa: TRY400 - the trace says nothing
        return numbers

    def _own(self) -> Numbers:
        numbers = self._metrics.numbers()
        numbers.add(process_numbers())
        numbers.add(Numbers(sample for use in self._pools() for sample in _of_pool(use)))
        return numbers

    def _rendered(self, numbers: Numbers, backlog: Backlog | None, content_type: str) -> bytes:
        if self._shared is not None:
            numbers.add(self._shared.others())
        return render([*numbers.samples(), *self._of_database(backlog), _build()], content_type)

    async def _look(self) -> Backlog | None:
        """What waits in the database, not older than a few seconds; None when it cannot be read."""
        async with self._one_at_a_time:
            if self._clock.monotonic() >= self._fresh_until:
                try:
                    async with asyncio.timeout(_PATIENCE_SECONDS):
                        self._backlog = await self._backlogs.look(self._channels, self._clock.now())
                except (ApiError, TimeoutError):
                    self._backlog = None
                self._fresh_until = self._clock.monotonic() + _FRESH_SECONDS
        return self._backlog

    def _of_database(self, backlog: Backlog | None) -> list[Sample]:
        samples = [Sample(families.DATABASE_READ, (), int(backlog is not None))]
        if backlog is None:
            return samples
        by_kind = {(channel, kind): 0 for channel in self._channels for kind in (*self._kinds, UNKNOWN)}
        for (channel, kind), count in backlog.first_due.items():
            by_kind[channel, kind if kind in self._kinds else UNKNOWN] += count
        return [
            *samples,
            *(Sample(families.JOBS_WAITING, (channel,), count) for channel, count in backlog.waiting.items()),
            *(Sample(families.JOBS_FIRST_DUE, labels, count) for labels, count in by_kind.items() if count),
            *(Sample(families.JOBS_OVERDUE_SECONDS, (name,), age) for name, age in backlog.overdue_seconds.items()),
            Sample(families.JOBS_DEAD, (), backlog.dead),
            Sample(families.AUDIT_LAG_SECONDS, (), backlog.unsealed_seconds),
        ]


def _of_pool(use: PoolUse) -> tuple[Sample, ...]:
    return (
        Sample(families.CONNECTIONS, (use.pool, "in-use"), use.in_use),
        Sample(families.CONNECTIONS, (use.pool, "idle"), use.idle),
        Sample(families.CONNECTIONS_MOST, (use.pool,), use.most),
        Sample(families.CONNECTIONS_AWAITED, (use.pool,), use.waiting),
    )


def _build() -> Sample:
    return Sample(families.BUILD, (version("message-contacts"), platform.python_version(), HEAD), 1)
