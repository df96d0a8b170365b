"""Waiting work and captured messages in memory, with the promises of the real store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from message_contacts.changes import Job
from message_contacts.clock import Instant
from message_contacts.delivery.outbox import CapturedMessage, Fate, Settlement


@dataclass
class _Entry:
    job: Job
    ready_at: Instant | None
    worker_id: str | None = None


class FakeOutbox:
    """`delivery.outbox.Outbox`, all in one dict; counts what it is asked."""

    def __init__(self, *jobs: Job) -> None:
        self._entries: dict[str, _Entry] = {}
        #: Sizes of the batches in which outcomes were recorded.
        self.batches: list[int] = []
        self.settlements: list[Settlement] = []
        self.claims = 0
        #: What the next calls raise, one after the other.
        self.claim_failures: list[Exception] = []
        self.settle_failures: list[Exception] = []
        for job in jobs:
            self.add(job)

    def add(self, job: Job) -> None:
        self._entries[job.job_id] = _Entry(job, job.due_at)

    @property
    def waiting(self) -> list[Job]:
        return [entry.job for entry in self._entries.values() if entry.ready_at is not None]

    def worker_of(self, job_id: str) -> str | None:
        return self._entries[job_id].worker_id

    async def claim(
        self,
        channel: str,
        worker_id: str,
        *,
        now: Instant,
        until: Instant,
        limit: int,
        not_of: Collection[str] = (),
    ) -> Sequence[Job]:
        self.claims += 1
        if self.claim_failures:
            raise self.claim_failures.pop(0)
        due = [
            entry
            for entry in self._entries.values()
            if entry.job.channel == channel and entry.ready_at is not None and entry.ready_at <= now
            if entry.job.account_id not in not_of
        ]
        due.sort(key=lambda entry: (entry.ready_at, entry.job.job_id))
        if len(due) > limit:
            due = _in_turn(due)
        for entry in due[:limit]:
            entry.worker_id, entry.ready_at = worker_id, until
        return [entry.job for entry in due[:limit]]

    async def settle(self, worker_id: str, settlements: Sequence[Settlement]) -> None:
        if self.settle_failures:
            raise self.settle_failures.pop(0)
        self.batches.append(len(settlements))
        for settlement in settlements:
            self.settlements.append(settlement)
            entry = self._entries.get(settlement.job.job_id)
            if entry is None or entry.worker_id != worker_id:
                continue
            entry.worker_id = None
            if settlement.fate is Fate.DONE:
                del self._entries[settlement.job.job_id]
                continue
            entry.job = replace(
                entry.job,
                attempts=entry.job.attempts + 1,
                last_failure=settlement.reason,
                due_at=settlement.due_at,
            )
            entry.ready_at = settlement.due_at if settlement.fate is Fate.AGAIN else None

    async def hand_back(self, worker_id: str) -> None:
        for entry in self._entries.values():
            if entry.worker_id == worker_id:
                entry.worker_id, entry.ready_at = None, entry.job.due_at

    async def next_due(self, channel: str) -> Instant | None:
        times = [
            entry.ready_at
            for entry in self._entries.values()
            if entry.job.channel == channel and entry.ready_at is not None
        ]
        return min(times, default=None)

    async def dead_jobs(self, account_id: str, *, after: str | None, limit: int) -> Sequence[Job]:
        dead = [entry.job for entry in self._entries.values() if entry.ready_at is None]
        return [job for job in dead if job.account_id == account_id and job.job_id > (after or "")][:limit]

    async def dead_job(self, account_id: str, job_id: str) -> Job | None:
        dead = await self.dead_jobs(account_id, after=None, limit=len(self._entries))
        return next((job for job in dead if job.job_id == job_id), None)

    def requeue(self, job_id: str, *, now: Instant) -> None:
        """What the commit of `changes.Requeue` does."""
        entry = self._entries[job_id]
        entry.job, entry.ready_at = replace(entry.job, attempts=0), now


def _in_turn(due: Sequence[_Entry]) -> list[_Entry]:
    """The oldest of each tenant, then the next of each, and so on."""
    before: Counter[str] = Counter()
    rounds: list[tuple[int, _Entry]] = []
    for entry in due:
        rounds.append((before[entry.job.account_id], entry))
        before[entry.job.account_id] += 1
    return [entry for _, entry in sorted(rounds, key=lambda each: each[0])]


class FakeInbox:
    """`delivery.outbox.Inbox`."""

    def __init__(self) -> None:
        self.kept: dict[str, CapturedMessage] = {}

    async def put(self, message: CapturedMessage) -> None:
        self.kept.setdefault(message.message_id, message)

    async def messages(
        self, account_id: str, *, recipient: str | None, after: str | None, limit: int, newest_first: bool = False
    ) -> Sequence[CapturedMessage]:
        return [
            message
            for message_id, message in sorted(self.kept.items(), reverse=newest_first)
            if message.account_id == account_id
            and recipient in {None, message.recipient}
            and (after is None or (message_id < after if newest_first else message_id > after))
        ][:limit]

    async def message(self, account_id: str, message_id: str) -> CapturedMessage | None:
        found = self.kept.get(message_id)
        return found if found is not None and found.account_id == account_id else None
