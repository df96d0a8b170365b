"""What waits, and what was captured: store protocols of the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from message_contacts.changes import Job
from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.messages import DELIVER, DeliveryState, job_id
from message_contacts.quick import quickly_made

_MESSAGES = "-messages"


def messages_queue(channel: Channel) -> str:
    """The queue of a channel's deliveries: not that of verifications and codes, for which somebody waits."""
    return f"{channel.value}{_MESSAGES}"


def channel_of_queue(queue: str) -> str:
    """The channel that a queue's work goes out by; `internal`: none."""
    return queue.removesuffix(_MESSAGES)


def delivery_job(account_id: str, delivery_id: str, channel: Channel, now: Instant, *, captured: bool) -> Job:
    """The job that hands a delivery over.

    Args:
        captured: Whether the channel's messages are captured now: then it is never sent later.
    """
    return Job(
        job_id=job_id(delivery_id),
        account_id=account_id,
        kind=DELIVER,
        channel=messages_queue(channel),
        payload={"delivery_id": delivery_id, "captured": int(captured)},
        due_at=now,
        created_at=now,
    )


class Fate(StrEnum):
    """What becomes of a job after a try."""

    DONE = "done"
    AGAIN = "again"
    DEAD = "dead"


@quickly_made
@dataclass(frozen=True, slots=True)
class Settlement:
    """A job's fate, to be recorded."""

    job: Job
    fate: Fate
    #: With AGAIN: when it is due next.
    due_at: Instant
    #: Word of the outcome, e.g. `connection-refused`.
    reason: str
    #: When the try ended; None: at `due_at`.
    ended_at: Instant | None = None
    #: With DONE: what the delivery has become, when it was not sent.
    becomes: DeliveryState | None = None

    @property
    def delivery_state(self) -> DeliveryState:
        """What has become of the delivery that the job was about, if it was about one."""
        if self.fate is Fate.DONE:
            return self.becomes or DeliveryState.SENT
        return DeliveryState.DEFERRED if self.fate is Fate.AGAIN else DeliveryState.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedMessage:
    """A message that landed in the inbox."""

    account_id: str
    #: Ascends with time.
    message_id: str
    channel: Channel
    recipient: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str | None = field(repr=False)
    captured_at: Instant
    #: The verification it carries, if it does.
    verification_id: str | None = None
    #: The delivery it is, on its way to the inbox; there it is not kept.
    delivery_id: str | None = None
    #: The contact that a test message goes to, in the same way.
    contact_id: str | None = None


class Outbox(Protocol):
    """Waiting work, claimed by any worker of any process."""

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
        """Take due jobs of a channel; nobody else gets them before `until`.

        When more is due than is taken, tenants have their turn, and of each the oldest due go first. They come oldest
        due first. A job whose earlier claim has run out is due again: its worker died.

        Args:
            not_of: Tenants who get no turn this time.
        """
        ...

    async def settle(self, worker_id: str, settlements: Sequence[Settlement]) -> None:
        """Record what became of claimed jobs, and of the deliveries they were about, in one commit.

        A job that another worker claimed since is left alone; that its delivery was sent counts all the same.
        """
        ...

    async def hand_back(self, worker_id: str) -> None:
        """Make everything this worker has claimed due at once."""
        ...

    async def next_due(self, channel: str) -> Instant | None:
        """When the next job of the channel is due; None when nothing waits."""
        ...

    async def dead_jobs(self, account_id: str, *, after: str | None, limit: int) -> Sequence[Job]:
        """Jobs of a tenant that were given up, by id, those behind `after`."""
        ...

    async def dead_job(self, account_id: str, job_id: str) -> Job | None:
        """A job of a tenant that was given up; None when there is none. `changes.Requeue` makes it wait again."""
        ...


class Inbox(Protocol):
    """Captured messages."""

    async def put(self, message: CapturedMessage) -> None:
        """Keep it. The same message id again changes nothing, nor does one about somebody who was erased meanwhile."""
        ...

    async def messages(
        self, account_id: str, *, recipient: str | None, after: str | None, limit: int, newest_first: bool = False
    ) -> Sequence[CapturedMessage]:
        """Captured messages of a tenant by message id, those behind `after`; to one address, if given."""
        ...

    async def message(self, account_id: str, message_id: str) -> CapturedMessage | None:
        """A captured message, or None."""
        ...

    def arrival(self, account_id: str) -> asyncio.Future[None]:
        """Done once this process puts something into the tenant's inbox; what others put there it does not notice."""
        ...

    async def size(self, account_id: str, *, recipient: str | None) -> tuple[int, str]:
        """How many captured messages a tenant has, to one address if given, and the id of the last one.

        `changes.ClearInbox` takes them away.
        """
        ...
