"""The worker: claims what is due, does it, records what became of it.

Each queue has a lane of its own - a claimer, some doers, a recorder - so a slow one never holds up another. In a lane
tenants have their turn, and some doers are left to others when one tenant's jobs are slow
(docs/adr/0019-tenants-have-their-turn.md). Nothing is held in the database while a job is done: a claim is a row that
says until when the job is somebody's, and a job whose worker died is simply due again then.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Mapping, Sequence

import structlog

from message_contacts.clock import Clock
from message_contacts.delivery.giving_way import GivingWay
from message_contacts.delivery.lane import Handler, Lane, Shared
from message_contacts.delivery.outbox import Outbox
from message_contacts.delivery.pace import WorkerRules
from message_contacts.delivery.tally import Tally
from message_contacts.metrics import Metrics

log = structlog.get_logger()

#: Seconds beyond what a try and a pause may take, before a worker counts as stalled.
_LATE_SECONDS = 60.0


class Worker:
    """Does the waiting work of some channels until told to stop."""

    def __init__(
        self,
        outbox: Outbox,
        handlers: Mapping[str, Handler],
        channels: Sequence[str],
        clock: Clock,
        *,
        worker_id: str,
        rules: WorkerRules | None = None,
        jitter: Callable[[], float] = random.random,
        metrics: Metrics | None = None,
        tally: Tally | None = None,
    ) -> None:
        """Put it together; nothing happens before `run`.

        Args:
            handlers: By kind of job.
            channels: The queues to serve.
            worker_id: Names this worker among all workers of all processes.
            jitter: A number between 0 and 1.
            metrics: Counts tries; None: nobody asks.
            tally: Counts what becomes of deliveries.
        """
        self._outbox = outbox
        self._worker_id = worker_id
        self._stopping = asyncio.Event()
        self._shared = Shared(
            outbox=outbox,
            handlers=handlers,
            clock=clock,
            worker_id=worker_id,
            rules=rules or WorkerRules(),
            jitter=jitter,
            stopping=self._stopping,
            giving_way=GivingWay(clock, metrics),
            metrics=metrics,
            tally=tally,
        )
        self._lanes = {channel: Lane(channel, self._shared) for channel in channels}

    def give_way(self, waited: Callable[[], float]) -> None:
        """Rest between jobs while the machine has too few processors.

        Args:
            waited: Seconds that this process was ready to run and had no processor, all in all.
        """
        self._shared.giving_way.start(waited)

    def wake(self, channel: str) -> None:
        """Say that something was enqueued there. Channels that other workers serve are their business."""
        lane = self._lanes.get(channel)
        if lane is not None:
            lane.awake.set()

    @property
    def is_stalled(self) -> bool:
        """Whether it runs and a part of it has done nothing for far longer than a try or a pause may take."""
        rules = self._shared.rules
        moved = min((lane.moved_at for lane in self._lanes.values()), default=math.inf)
        return self._shared.clock.monotonic() - moved > rules.poll_seconds + 2 * rules.try_seconds + _LATE_SECONDS

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is being done is done and recorded."""
        self._stopping.set()
        for lane in self._lanes.values():
            lane.changed()

    async def run(self) -> None:
        """Work until `stop`, then hand back what was claimed and not begun."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes.values():
                group.create_task(lane.run(), name=f"lane {lane.channel}")
        # What was sent and could not be recorded must not be sent again at once; then all claims just run out.
        if any(lane.unrecorded for lane in self._lanes.values()):
            return
        try:
            await self._outbox.hand_back(self._worker_id)
        except Exception:  # whatever ails the store: nothing is lost, the claims run out
            log.exception("worker_hand_back_failed", worker_id=self._worker_id)
