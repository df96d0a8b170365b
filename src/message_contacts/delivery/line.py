"""The claimed jobs of one queue that wait to be begun: tenants in turn, none with more at once than its share."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Collection

from message_contacts.changes import Job
from message_contacts.clock import Instant

#: A job with the moment its claim ends.
Claimed = tuple[Job, Instant]


class Line:
    """Who is next. Belongs to one worker, and to one event loop."""

    def __init__(self, share: int) -> None:
        """Make it empty; `share`: jobs of one tenant that are done at the same time, at most."""
        self._share = share
        #: By tenant, whoever's turn was longest ago first.
        self._waiting: OrderedDict[str, deque[Claimed]] = OrderedDict()
        self._being_done: Counter[str] = Counter()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, job: Job, until: Instant) -> None:
        """Let a claimed job wait."""
        waiting = self._waiting.get(job.account_id)
        if waiting is None:
            waiting = self._waiting[job.account_id] = deque()
        waiting.append((job, until))
        self._length += 1

    def begin(self) -> Claimed | None:
        """The next job, which counts as being done until `end`; None when nobody who waits has room in its share."""
        for account_id, waiting in self._waiting.items():
            if self._being_done[account_id] < self._share:
                claimed = waiting.popleft()
                if waiting:
                    self._waiting.move_to_end(account_id)
                else:
                    del self._waiting[account_id]
                self._being_done[account_id] += 1
                self._length -= 1
                return claimed
        return None

    def end(self, job: Job) -> None:
        """Say that a job is not being done any more."""
        left = self._being_done[job.account_id] - 1
        if left:
            self._being_done[job.account_id] = left
        else:
            del self._being_done[job.account_id]

    def tenants(self) -> Collection[str]:
        """Those who have something here that waits or is being done."""
        return self._waiting.keys() | self._being_done.keys()
