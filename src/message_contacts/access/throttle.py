"""Calls a second, by access key and by account: who may go on, and who has to wait how long.

Pure: the time is handed in, nothing is read or written. How several processes share one limit is in `access.sharing`.
See docs/adr/0015-limits-are-shared-by-demand.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from message_contacts import errors
from message_contacts.access.model import Caller
from message_contacts.errors import ApiError

#: Seconds' worth of calls that may come at once after a pause.
BURST_SECONDS = 1.0
#: Seconds that sums of thirds may be off.
_ROUNDING = 1e-6


class Meter:
    """How fast one key or account may call here, and how much is asked for.

    Calls are counted by the moment until which those let through so far are paid for (generic cell rate algorithm):
    one number, nothing to refill.
    """

    __slots__ = ("asked", "interval", "paid_until", "patience")

    def __init__(self, rate: float) -> None:
        self.paid_until = 0.0
        #: Calls since the last turn, refused ones included.
        self.asked = 0
        self.interval = 1.0 / rate
        self.patience = max(0.0, BURST_SECONDS - self.interval)

    def set_rate(self, rate: float, now: float) -> None:
        """From now on that many calls a second. No burst comes of it, nor a wait for what was dear before."""
        self.interval = 1.0 / rate
        self.paid_until = min(self.paid_until, now + max(BURST_SECONDS, self.interval))
        self.patience = max(0.0, BURST_SECONDS - self.interval)

    def wait(self, now: float) -> float:
        """Seconds until the next call may come; nought or less: at once."""
        return self.paid_until - self.patience - now - _ROUNDING

    def let_through(self, now: float) -> None:
        """Count a call that goes on."""
        self.paid_until = max(self.paid_until, now) + self.interval


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose calls are counted: an access key of an account, or the account with all its keys."""

    account_id: str
    #: Empty: the whole account.
    access_key_id: str = ""


class _Limit:
    """One kind of limit in this process: its meters, and what other processes are asked for."""

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self.meters: dict[str, Meter] = {}
        self.others: Mapping[str, int] = {}

    def meter(self, name: str) -> Meter:
        found = self.meters.get(name)
        if found is None:
            found = self.meters[name] = Meter(self.share(name, 0))
        return found

    def share(self, name: str, asked: float) -> float:
        """Calls a second that are this process's: in proportion to what it is asked for, all when it is alone."""
        others = self.others.get(name, 0)
        mine = max(asked, 1.0)  # who is asked for nothing yet has to begin with something
        return self.per_second * mine / (mine + others) if others else float(self.per_second)


class Throttle:
    """Lets calls through or refuses them. A call costs two look-ups; nothing waits and nothing is stored.

    One process alone gives each subject the whole limit. Of several, each is told once a second what the others are
    asked for (`turn`) and takes its share.
    """

    def __init__(self, *, per_key: int, per_account: int) -> None:
        """Set the limits in calls a second; 0: none of that kind."""
        self._keys = _Limit(per_key) if per_key else None
        self._accounts = _Limit(per_account) if per_account else None
        #: Access key -> its account: what is asked for is told by both.
        self._account_of: dict[str, str] = {}

    def admit(self, caller: Caller, now: float) -> None:
        """Count a call and let it through.

        Args:
            now: Seconds of a clock that never goes back.
        Raises: THROTTLING_USER, with the time to wait. Then the call counts towards no limit.
        """
        by_key = by_account = None
        if self._keys is not None:
            by_key = self._keys.meters.get(caller.access_key_id)
            if by_key is None:
                by_key = self._keys.meter(caller.access_key_id)
                self._account_of[caller.access_key_id] = caller.account_id
            by_key.asked += 1
            wait = by_key.wait(now)
            if wait > 0.0:
                raise _throttled(wait)
        if self._accounts is not None:
            by_account = self._accounts.meter(caller.account_id)
            by_account.asked += 1
            wait = by_account.wait(now)
            if wait > 0.0:
                raise _throttled(wait)
            by_account.let_through(now)
        if by_key is not None:
            by_key.let_through(now)

    def asked(self, seconds: float) -> dict[Subject, int]:
        """Calls a second that each subject asked for in the time that has passed since the last turn."""
        return {subject: max(1, round(meter.asked / seconds)) for subject, meter in self._all() if meter.asked}

    def limit(self, subject: Subject) -> int:
        """Calls a second that the subject has in all processes together."""
        limit = self._keys if subject.access_key_id else self._accounts
        return limit.per_second if limit is not None else 0

    def turn(self, now: float, seconds: float, others: Mapping[Subject, int]) -> None:
        """Begin to count anew with new shares, and forget who has not called.

        Args:
            seconds: Time since the last turn.
            others: Calls a second that other processes are asked for.
        """
        if self._keys is not None:
            self._keys.others = {subject.access_key_id: n for subject, n in others.items() if subject.access_key_id}
        if self._accounts is not None:
            self._accounts.others = {
                subject.account_id: n for subject, n in others.items() if not subject.access_key_id
            }
        for limit in (self._keys, self._accounts):
            if limit is not None:
                idle = []
                for name, meter in limit.meters.items():
                    if meter.asked == 0 and meter.paid_until <= now:
                        idle.append(name)
                    else:
                        meter.set_rate(limit.share(name, meter.asked / seconds), now)
                        meter.asked = 0
                for name in idle:
                    del limit.meters[name]
                    if limit is self._keys:
                        del self._account_of[name]

    @property
    def remembered(self) -> int:
        """Subjects kept in memory."""
        return sum(1 for _ in self._all())

    def _all(self) -> Iterator[tuple[Subject, Meter]]:
        if self._keys is not None:
            for name, meter in self._keys.meters.items():
                yield Subject(self._account_of[name], name), meter
        if self._accounts is not None:
            for name, meter in self._accounts.meters.items():
                yield Subject(name), meter


def _throttled(wait: float) -> ApiError:
    return ApiError(errors.THROTTLING_USER, {}, retry_after_ms=max(1, math.ceil(wait * 1000)))
