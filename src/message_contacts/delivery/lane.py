"""One queue's part of a worker: a claimer, some doers, and a recorder."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from message_contacts.changes import Job
from message_contacts.clock import DAY, SECOND, Clock, Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.giving_way import GivingWay
from message_contacts.delivery.line import Claimed, Line
from message_contacts.delivery.messages import DELIVER, DeliveryState
from message_contacts.delivery.outbox import Fate, Outbox, Settlement, channel_of_queue
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.pace import WorkerRules, wait_seconds
from message_contacts.delivery.tally import Tally
from message_contacts.errors import CONCURRENT_CALL_NOT_SUPPORTED, SERVICE_UNAVAILABLE, ApiError
from message_contacts.metrics import UNKNOWN, Metrics

log = structlog.get_logger()

Handler = Callable[[Job], Awaitable[Outcome]]

#: Reason of a job whose handler had a bug.
INTERNAL_ERROR = "internal-error"
#: Reason of a job of a kind that this worker cannot do: of a newer release, most likely.
UNKNOWN_KIND = "unknown-kind"
#: Reasons of jobs whose handler could not read or change something, through nobody's bug, by the code of the refusal.
NOT_NOW = {
    SERVICE_UNAVAILABLE.code: "store-unavailable",
    CONCURRENT_CALL_NOT_SUPPORTED.code: "changed-meanwhile",
}
#: Reason of a job whose handler took longer than `WorkerRules.try_seconds`.
OVERDUE = "timed-out"
#: Batches of jobs at hand, beyond which none are claimed for others either.
_MOST_AT_HAND = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all lanes of a worker have in common."""

    outbox: Outbox
    handlers: Mapping[str, Handler]
    clock: Clock
    worker_id: str
    rules: WorkerRules
    jitter: Callable[[], float]
    stopping: asyncio.Event
    giving_way: GivingWay
    metrics: Metrics | None
    tally: Tally | None


class Lane:
    """One channel's claimer, doers and recorder."""

    def __init__(self, channel: str, shared: Shared) -> None:
        self.channel = channel
        #: Set when something may be due.
        self.awake = asyncio.Event()
        self._shared = shared
        #: Claimed and not ended.
        self._line = Line(shared.rules.of_one_tenant)
        #: Set when something was claimed.
        self._offered = asyncio.Event()
        #: Set when few are left that are not begun.
        self._room = asyncio.Event()
        #: Done and not recorded.
        self._done: list[Settlement] = []
        #: Done and, through a bug, not to be recorded with the others; tried again whenever a claim has run out.
        self._put_aside: dict[tuple[str, str], Settlement] = {}
        #: Whether the store records nothing now: then nothing is claimed either, so that little is sent meanwhile.
        self._recording_fails = False
        self._something_done = asyncio.Event()
        self._doers_left = 0
        #: When something last went on here, on the monotonic clock; without end while the lane does not run.
        self.moved_at = math.inf

    @property
    def unrecorded(self) -> bool:
        """Whether something was done that is not recorded; when the lane has ended, that could not be."""
        return bool(self._done or self._put_aside)

    def changed(self) -> None:
        """Have all parts look again."""
        self.awake.set()
        self._room.set()
        self._offered.set()
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
        rules = self._shared.rules
        failures = 0
        while not self._shared.stopping.is_set():
            self.awake.clear()
            self._room.clear()
            if self._recording_fails:
                self._moved()
                await self._pause(self._room, rules.poll_seconds)
                continue
            wanted = rules.batch - len(self._line)
            others_only = wanted <= rules.batch // 2
            if not others_only:
                self._moved()  # else that is for the doers to say
            else:
                await self._pause(self._room, rules.poll_seconds)
                if self._room.is_set() or len(self._line) > _MOST_AT_HAND * rules.batch:
                    continue
                # What is at hand goes forward slowly: those who have nothing here must not wait behind it.
                wanted = rules.batch // 2
            try:
                claimed = await self._claim_some(wanted, others_only=others_only)
                pause = 0.0 if claimed == wanted or others_only else await self._seconds_until_due()
                failures = 0
            except Exception:  # whatever ails the store, the work waits in it and must not be abandoned
                failures += 1
                log.exception("worker_claim_failed", channel=self.channel)
                pause = min(0.5 * 2.0 ** min(failures, 10), 30.0)
            if pause:
                await self._pause(self.awake, pause)
        self._offered.set()

    async def _claim_some(self, wanted: int, *, others_only: bool) -> int:
        """Claim jobs, of tenants who have nothing at hand only if that is asked; how many it was."""
        now = self._shared.clock.now()
        until = Instant(now + self._shared.rules.claim_for)
        jobs = await self._shared.outbox.claim(
            self.channel,
            self._shared.worker_id,
            now=now,
            until=until,
            limit=wanted,
            not_of=self._line.tenants() if others_only else (),
        )
        if jobs:
            self._take(jobs, until)
        return len(jobs)

    def _take(self, jobs: Sequence[Job], until: Instant) -> None:
        """Put claimed jobs into the line. What is done and not recorded is claimed anew only to be recorded."""
        done = {_key(settlement) for settlement in self._done}
        for job in jobs:
            key = job.account_id, job.job_id
            settlement = self._put_aside.pop(key, None)
            if settlement is not None:
                self._done.append(settlement)
                self._something_done.set()
            elif key not in done:
                self._line.put(job, until)
        self._offered.set()

    async def _seconds_until_due(self) -> float:
        """Seconds until the next job is due: at most a poll, at least 20 ms, since what is due now went to others."""
        due = await self._shared.outbox.next_due(self.channel)
        longest = self._shared.rules.poll_seconds
        if due is None:
            return longest
        return min(max((due - self._shared.clock.now()) / SECOND, 0.02), longest)

    async def _pause(self, woken: asyncio.Event, seconds: float) -> None:
        """Wait that long, or until woken."""
        sleeping = asyncio.ensure_future(self._shared.clock.sleep(seconds))
        waking = asyncio.ensure_future(woken.wait())
        try:
            await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def _next(self) -> Claimed | None:
        """The next claimed job; None when the worker stops: what is not begun is handed back when it ends."""
        while not self._shared.stopping.is_set():
            claimed = self._line.begin()
            if claimed is not None:
                if len(self._line) < self._shared.rules.batch // 2:
                    self._room.set()
                return claimed
            self._offered.clear()
            await self._offered.wait()
        return None

    async def _do(self) -> None:
        """Do claimed jobs, one after the other."""
        while (claimed := await self._next()) is not None:
            job, until = claimed
            await self._shared.giving_way.rest()
            await self._do_one(job, until)
            self._line.end(job)
            self._something_done.set()
        self._doers_left -= 1
        self._something_done.set()

    async def _do_one(self, job: Job, until: Instant) -> None:
        clock = self._shared.clock
        if clock.now() + self._shared.rules.try_seconds * SECOND > until:
            # It lay here for too long; somebody else may have it before this try would end.
            log.warning("job_claim_ran_out", job_id=job.job_id, channel=self.channel)
            return
        started = clock.monotonic()
        outcome = await self._try(job)
        seconds = clock.monotonic() - started
        settlement = self._settlement(job, outcome, duration_ms=seconds * 1000)
        self._done.append(settlement)
        self._count(settlement, seconds)
        if job.kind == DELIVER and not outcome.nothing_new:
            self._tell(settlement)
        self._moved()

    def _count(self, settlement: Settlement, seconds: float) -> None:
        if self._shared.metrics is not None:
            kind = settlement.job.kind if settlement.job.kind in self._shared.handlers else UNKNOWN
            self._shared.metrics.job(self.channel, kind, settlement.fate.value, seconds)

    def _tell(self, settlement: Settlement) -> None:
        """Count what a delivery has become."""
        tally = self._shared.tally
        if tally is not None:
            channel, state = Channel(channel_of_queue(self.channel)), settlement.delivery_state
            tally.became(channel, state)
            if state is DeliveryState.SKIPPED:
                tally.skipped(channel, settlement.reason)

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
        except Exception as failure:  # one job's bug must not stop the others
            reason = NOT_NOW.get(failure.definition.code) if isinstance(failure, ApiError) else None
            if reason is not None:
                return Outcome(Verdict.TRY_AGAIN, reason)
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
        while self._doers_left or self._done:
            if not self._done:
                self._something_done.clear()
                await self._something_done.wait()
                continue
            batch = self._done[: rules.batch]
            try:
                await self._record_some(batch)
            except ApiError:  # what was sent must be recorded once the store is back, or it is sent twice
                failures += 1
                self._recording_fails = True
                log.exception("worker_record_failed", channel=self.channel, jobs=len(batch))
                if self._shared.stopping.is_set() and failures > 3:
                    return  # the claims run out, and another worker tries these again
                await self._shared.clock.sleep(min(0.5 * 2.0 ** min(failures, 10), 30.0))
            else:
                failures = 0
                self._recording_fails = False

    async def _record_some(self, batch: Sequence[Settlement]) -> None:
        """Record these, each for itself if that fails through a bug: one job's must not stop the others.

        Raises:
            ApiError: The store cannot do it now.
        """
        try:
            await self._shared.outbox.settle(self._shared.worker_id, batch)
        except ApiError:
            raise
        except Exception:  # a bug: found by trying each alone, and logged there
            if len(batch) > 1:
                for settlement in batch:
                    await self._record_some([settlement])
                return
            (settlement,) = batch
            log.exception("job_not_recorded", channel=self.channel, job_id=settlement.job.job_id)
            self._put_aside[_key(settlement)] = settlement
        recorded = {id(settlement) for settlement in batch}
        self._done = [settlement for settlement in self._done if id(settlement) not in recorded]


def _key(settlement: Settlement) -> tuple[str, str]:
    """Whose job it is."""
    return settlement.job.account_id, settlement.job.job_id
