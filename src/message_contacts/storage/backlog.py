"""How much waits, and for how long: for the operator's metrics, over all tenants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from message_contacts.clock import SECOND, Instant
from message_contacts.storage.engine import Database, Query

#: Work of one channel that is counted; more is as much. An index alone tells: a million take 0.1 s.
MOST_COUNTED = 1_000_000
#: Rows that are looked at one by one.
MOST_READ = 10_000

COUNT_JOBS = """
    -- How much work of a channel waits, up to so many.
    SELECT count(*) FROM (SELECT ready_at FROM job WHERE channel = $1 AND ready_at IS NOT NULL
                           ORDER BY ready_at LIMIT $2) AS waiting
"""

JOBS_BY_KIND = """
    -- Of which kinds the work of a channel is that is due first.
    SELECT kind, count(*) FROM (SELECT kind FROM job WHERE channel = $1 AND ready_at IS NOT NULL
                                 ORDER BY ready_at LIMIT $2) AS earliest
     GROUP BY kind
"""

OLDEST_DUE = """
    -- Since when the work of a channel has been due that waits the longest for a worker.
    SELECT min(ready_at) FROM job WHERE channel = $1 AND ready_at <= $2
"""

COUNT_DEAD = """
    -- How much work was given up and lies there, up to so many.
    SELECT count(*) FROM (SELECT created_at FROM job WHERE ready_at IS NULL AND created_at > 0
                           ORDER BY created_at LIMIT $1) AS dead
"""

OLDEST_UNSEALED = """
    -- When the oldest event happened that is not in its chain yet.
    SELECT happened_at FROM audit_event WHERE sequence IS NULL AND event_id > '' ORDER BY event_id LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits in the database at one moment."""

    #: By channel, `MOST_COUNTED` at most.
    waiting: Mapping[str, int]
    #: By channel and kind, of the `MOST_READ` that are due first.
    first_due: Mapping[tuple[str, str], int]
    #: By channel, seconds for which the oldest due work has been waiting; 0: none is due.
    overdue_seconds: Mapping[str, float]
    #: `MOST_READ` at most.
    dead: int
    #: Age of the oldest audit event that is not sealed; 0: all are.
    unsealed_seconds: float


class Backlogs:
    """Looks how much waits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, channels: Sequence[str], now: Instant) -> Backlog:
        """What waits now. Every query goes through an index, and none of them further than the bounds above.

        Raises: ApiError, SERVICE_UNAVAILABLE.
        """
        queries: list[Query] = [(COUNT_DEAD, (MOST_READ,)), (OLDEST_UNSEALED, ())]
        for channel in channels:
            queries += [
                (COUNT_JOBS, (channel, MOST_COUNTED)),
                (JOBS_BY_KIND, (channel, MOST_READ)),
                (OLDEST_DUE, (channel, now)),
            ]
        (((dead,),), unsealed, *found) = await self._database.report(*queries)
        by_channel = dict(zip(channels, zip(found[::3], found[1::3], found[2::3], strict=True), strict=True))
        return Backlog(
            waiting={channel: counted[0][0] for channel, (counted, _, _) in by_channel.items()},
            first_due={
                (channel, kind): count for channel, (_, kinds, _) in by_channel.items() for kind, count in kinds
            },
            overdue_seconds={channel: _seconds(oldest[0][0], now) for channel, (_, _, oldest) in by_channel.items()},
            dead=dead,
            unsealed_seconds=_seconds(unsealed[0][0] if unsealed else None, now),
        )


def _seconds(since: Instant | None, now: Instant) -> float:
    return 0.0 if since is None else max(0.0, (now - since) / SECOND)
