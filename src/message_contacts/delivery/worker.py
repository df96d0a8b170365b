"""The worker: claims what is due, does it, records what became of it.

Each channel has a lane of its own - a claimer, some doers, a recorder - so a slow channel never holds up another.
Nothing is held in the database while a job is done: a claim is a row that says until when the job is somebody's, and a
job whose worker died is simply due again then.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from message_contacts.changes import Job
from message_contacts.clock import DAY, SECOND, Clock, Instant
from message_contacts.delivery.outbox import Fate, Outbox, Settlement
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.pace import WorkerRules, wait_seconds
from message_contacts.metrics import UNKNOWN, Metrics

log = structlog.get_logger()

Handler = Callable[[Job], Awaitable[Outcome]]

#: Reason of a job whose handler had a bug.
INTERNAL_ERROR = "internal-error"
#: Reason of a job of a kind that this worker cannot do: of a newer release, most likely.
UNKNOWN_KIND = "unknown-kind"
#: Reason of a job whose handler took longer than `WorkerRules.try_seconds`.
OVERDUE = "timed-out"
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
    ) -> None:
        """Put it together; nothing happens before `run`.

        Args:
            handlers: By kind of job.
            channels: The queues to serve.
            worker_id: Names this worker among all workers of all processes.
            jitter: A number between 0 and 1.
            metrics: Counts tries; None: nobody asks.
        """
        self._outbox = outbox
        self._worker_id = worker_id
        self._stopping = asyncio.Event()
        self._shared = _Shared(
            outbox=outbox,
            handlers=handlers,
            clock=clock,
            worker_id=worker_id,
            rules=rules or WorkerRules(),
            jitter=jitter,
            stopping=self._stopping,
            metrics=metrics,
        )
        self._lanes = {channel: _Lane(channel, self._shared) for channel in channels}

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
        if not any(lane.done for lane in self._lanes.values()):
            await self._outbox.hand_back(self._worker_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    outbox: Outbox
    handlers: Mapping[str, Handler]
    clock: Clock
    worker_id: str
    rules: WorkerRules
    jitter: Callable[[], float]
    stopping: asyncio.Event
    metrics: Metrics | None


class _Lane:
    """One channel's claimer, doers and recorder."""

    def __init__(self, channel: str, shared: _Shared) -> None:
        self.channel = channel
        #: Set when something may be due.
        self.awake = asyncio.Event()
        self._shared = shared
        #: Claimed and not begun, each with the moment its claim ends.
        self._claimed: asyncio.Queue[tuple[Job, Instant] | None] = asyncio.Queue()
        #: Set when few of them are left.
        self._room = asyncio.Event()
        #: Done and not recorded; when the lane has ended, what could not be.
        self.done: list[Settlement] = []
        self._something_done = asyncio.Event()
        self._doers_left = 0
        #: When something last went on here, on the monotonic clock; without end while the lane does not run.
        self.moved_at = math.inf

    def changed(self) -> None:
        """Have all parts look again."""
        self.awake.set()
        self._room.set()
        self._something_done.set()

    async def run(self) -> None:
        concurrency = self._shared.rules.concurrency
        self._doers_left = concurrency
        self._moved()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._claim())
            group.create_task(self._record())
            for _ in range(concurrency):
                group.create_task(self._do())
        self.moved_at = math.inf

    def _moved(self) -> None:
        self.moved_at = self._shared.clock.monotonic()

    async def _claim(self) -> None:
        """Keep some claimed jobs at hand; when nothing is due, wait until something is."""
        rules, clock = self._shared.rules, self._shared.clock
        failures = 0
        while not self._shared.stopping.is_set():
            self._moved()
            self.awake.clear()
            self._room.clear()
            wanted = rules.batch - self._claimed.qsize()
            if wanted <= rules.batch // 2:
                await self._room.wait()
                continue
            now = clock.now()
            until = Instant(now + rules.claim_for)
            try:
                jobs = await self._shared.outbox.claim(
                    self.channel, self._shared.worker_id, now=now, until=until, limit=wanted
                )
                for job in jobs:
                    self._claimed.put_nowait((job, until))
                pause = 0.0 if len(jobs) == wanted else await self._seconds_until_due()
                failures = 0
            except Exception:  # whatever ails the store, the work waits in it and must not be abandoned
                failures += 1
                log.exception("worker_claim_failed", channel=self.channel)
                pause = min(0.5 * 2.0 ** min(failures, 10), 30.0)
            if pause:
                await self._pause(pause)
        for _ in range(rules.concurrency):
            self._claimed.put_nowait(None)

    async def _seconds_until_due(self) -> float:
        """Seconds until the next job is due: at most a poll, at least 20 ms, since what is due now went to others."""
        due = await self._shared.outbox.next_due(self.channel)
        longest = self._shared.rules.poll_seconds
        if due is None:
            return longest
        return min(max((due - self._shared.clock.now()) / SECOND, 0.02), longest)

    async def _pause(self, seconds: float) -> None:
        """Wait that long, or until woken."""
        sleeping = asyncio.ensure_future(self._shared.clock.sleep(seconds))
        waking = asyncio.ensure_future(self.awake.wait())
        try:
            await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def _do(self) -> None:
        """Do claimed jobs, one after the other."""
        rules, clock = self._shared.rules, self._shared.clock
        while (claimed := await self._claimed.get()) is not None:
            if self._claimed.qsize() < rules.batch // 2:
                self._room.set()
            job, until = claimed
            if self._shared.stopping.is_set():
                continue  # not begun: handed back when the worker ends
            if clock.now() + rules.try_seconds * SECOND > until:
                # It lay here for too long; somebody else may have it before this try would end.
                log.warning("job_claim_ran_out", job_id=job.job_id, channel=self.channel)
                continue
            started = clock.monotonic()
            outcome = await self._try(job)
            seconds = clock.monotonic() - started
            settlement = self._settlement(job, outcome, duration_ms=seconds * 1000)
            self.done.append(settlement)
            self._count(settlement, seconds)
            self._moved()
            self._something_done.set()
        self._doers_left -= 1
        self._something_done.set()

    def _count(self, settlement: Settlement, seconds: float) -> None:
        if self._shared.metrics is not None:
            kind = settlement.job.kind if settlement.job.kind in self._shared.handlers else UNKNOWN
            self._shared.metrics.job(self.channel, kind, settlement.fate.value, seconds)

    async def _try(self, job: Job) -> Outcome:
        """Do one job. A handler that raises has a bug: logged, and tried again like any other failure."""
        handler = self._shared.handlers.get(job.kind)
        if handler is None:
            return Outcome(Verdict.TRY_AGAIN, UNKNOWN_KIND)
        try:
            async with asyncio.timeout(self._shared.rules.try_seconds) as limit:
                return await handler(job)
        except TimeoutError:
            if limit.expired():
                return Outcome(Verdict.TRY_AGAIN, OVERDUE)
            log.exception("job_failed", job_id=job.job_id, kind=job.kind)
        except Exception:  # one job's bug must not stop the others
            log.exception("job_failed", job_id=job.job_id, kind=job.kind)
        return Outcome(Verdict.TRY_AGAIN, INTERNAL_ERROR)

    def _settlement(self, job: Job, outcome: Outcome, *, duration_ms: float) -> Settlement:
        """What becomes of a job, with one log line about the try."""
        rules, now = self._shared.rules, self._shared.clock.now()
        tries = job.attempts + 1
        fields = {
            "job_id": job.job_id,
            "kind": job.kind,
            "account_id": job.account_id,
            "channel": self.channel,
            "reason": outcome.reason,
            "tries": tries,
            "duration_ms": round(duration_ms, 1),
        }
        if outcome.verdict is Verdict.ACCEPTED:
            log.info("job_done", **fields)
            return Settlement(job, Fate.DONE, now, outcome.reason, now, outcome.becomes)
        if outcome.verdict is Verdict.NEVER:
            # The other side's last word about this message; everyday with wrong addresses.
            log.warning("job_refused", **fields)
            return Settlement(job, Fate.DEAD, now, outcome.reason, now)
        if tries >= rules.tries:
            log.error("job_given_up", **fields)
            return Settlement(job, Fate.DEAD, now, outcome.reason, now)
        wait = wait_seconds(tries, rules, self._shared.jitter())
        if outcome.retry_after is not None:
            wait = max(wait, min(outcome.retry_after, DAY / SECOND))
        log.info("job_put_off", **fields, wait_seconds=round(wait, 1))
        due_at = Instant(now + round(wait * SECOND))
        if outcome.not_after is not None:
            due_at = min(due_at, max(outcome.not_after, now))
        return Settlement(job, Fate.AGAIN, due_at, outcome.reason, now)

    async def _record(self) -> None:
        """Record what was done: all that came together while the last commit was on its way."""
        rules = self._shared.rules
        failures = 0
        while self._doers_left or self.done:
            if not self.done:
                self._something_done.clear()
                await self._something_done.wait()
                continue
            batch = self.done[: rules.batch]
            try:
                await self._shared.outbox.settle(self._shared.worker_id, batch)
            except Exception:  # what was sent must be recorded once the store is back, or it is sent twice
                failures += 1
                log.exception("worker_record_failed", channel=self.channel, jobs=len(batch))
                if self._shared.stopping.is_set() and failures > 3:
                    return  # the claims run out, and another worker tries these again
                await self._shared.clock.sleep(min(0.5 * 2.0 ** min(failures, 10), 30.0))
            else:
                failures = 0
                del self.done[: len(batch)]
