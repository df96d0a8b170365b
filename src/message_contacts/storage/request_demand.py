"""How much of a limit each process is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.access.sharing import Demand
from message_contacts.access.throttle import Subject
from message_contacts.clock import Instant
from message_contacts.storage.engine import Database, Step

TELL_DEMAND = """
    -- Keep what a process is asked for, in the place of what it said before.
    INSERT INTO request_demand (account_id, access_key_id, process_id, measured_at, demand)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (account_id, access_key_id, process_id)
    DO UPDATE SET measured_at = excluded.measured_at, demand = excluded.demand
"""

DEMAND_SINCE = """
    -- What processes have said since a moment.
    SELECT account_id, access_key_id, process_id, measured_at, demand FROM request_demand WHERE measured_at > $1
"""

FORGET_DEMAND = """
    -- Take away what was said before a moment.
    DELETE FROM request_demand WHERE measured_at <= $1
"""


class RequestDemands:
    """`access.sharing.DemandStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, demands: Sequence[Demand]) -> None:
        await self._database.commit(
            [
                Step(
                    TELL_DEMAND,
                    (
                        demand.subject.account_id,
                        demand.subject.access_key_id,
                        demand.process_id,
                        demand.measured_at,
                        demand.calls,
                    ),
                )
                for demand in demands
            ]
        )

    async def told(self, since: Instant) -> Sequence[Demand]:
        (rows,) = await self._database.report((DEMAND_SINCE, (since,)))
        return [
            Demand(
                subject=Subject(account_id, access_key_id),
                process_id=process_id,
                measured_at=Instant(measured_at),
                calls=calls,
            )
            for account_id, access_key_id, process_id, measured_at, calls in rows
        ]

    async def forget(self, before: Instant) -> None:
        await self._database.write(FORGET_DEMAND, (before,))
