"""One limit shared by all processes: once a second each says what it is asked for and hears what the others are.

No call waits for it. See docs/adr/0015-limits-are-shared-by-demand.md for what that means for the limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from message_contacts.access.throttle import Subject, Throttle
from message_contacts.clock import MINUTE, Clock, Instant

log = structlog.get_logger(__name__)

#: Seconds between two turns.
TURN_SECONDS = 1.0
#: Turns after which what another process said counts no more, unless it has said something since.
SILENT_TURNS = 3
#: Turns between two clean-ups of what processes that are gone have left.
_CLEAN_UP_TURNS = 60
#: Milliseconds for which the store keeps what was said.
_KEPT = 2 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one process is asked for on behalf of one key or account."""

    subject: Subject
    process_id: str
    measured_at: Instant
    #: Calls a second.
    calls: int


class DemandStore(Protocol):
    """Where processes leave word for each other."""

    async def tell(self, demands: Sequence[Demand]) -> None:
        """Keep what a process is asked for, in the place of what it said before; all in one commit."""
        ...

    async def told(self, since: Instant) -> Sequence[Demand]:
        """What all processes have said since a moment."""
        ...

    async def forget(self, before: Instant) -> None:
        """Take away what was said before a moment."""
        ...


class Sharing:
    """Keeps the shares of this process in step with those of the others."""

    def __init__(
        self, throttle: Throttle, store: DemandStore, clock: Clock, *, process_id: str, processes: int = 1
    ) -> None:
        """Share the limits of a throttle.

        Args:
            process_id: Unlike that of any other process.
            processes: How many are known to answer calls; more than ten make it speak up sooner.
        """
        self._throttle = throttle
        self._store = store
        self._clock = clock
        self._process_id = process_id
        # So many processes, each just below it, do not reach the limit together.
        self._worth_telling = 1 / max(10, 2 * processes)
        self._turned_at = clock.monotonic()
        self._turns = 0
        self._said: frozenset[Subject] = frozenset()
        self._others: Mapping[Subject, int] = {}
        #: What each other process said last, and in which turn it was first seen. Its own clock is not believed.
        self._heard: dict[tuple[Subject, str], tuple[Instant, int]] = {}

    async def run(self) -> None:
        """Take turns until cancelled."""
        while True:
            await self._clock.sleep(TURN_SECONDS)
            await self.turn()

    async def turn(self) -> None:
        """Say what this process is asked for, hear the others, take a share. Without the store: the share it had."""
        monotonic = self._clock.monotonic()
        seconds = max(monotonic - self._turned_at, 0.001)
        self._turned_at = monotonic
        self._turns += 1
        asked = self._throttle.asked(seconds)
        try:
            await self._tell(asked)
            self._others = self._summed(await self._store.told(Instant(self._clock.now() - MINUTE)))
            if self._turns % _CLEAN_UP_TURNS == 0:
                await self._store.forget(Instant(self._clock.now() - _KEPT))
        except Exception:
            log.exception("sharing_limits_failed")
        self._throttle.turn(self._clock.monotonic(), seconds, self._others)

    async def _tell(self, asked: Mapping[Subject, int]) -> None:
        """Say what is near a limit, here or in sum; and once that it is not any more."""
        near = {
            subject: calls
            for subject, calls in asked.items()
            if subject in self._others or calls >= self._throttle.limit(subject) * self._worth_telling
        }
        gone = dict.fromkeys(self._said - near.keys(), 0)
        if near or gone:
            now = self._clock.now()
            await self._store.tell(
                [
                    Demand(subject=subject, process_id=self._process_id, measured_at=now, calls=calls)
                    for subject, calls in (near | gone).items()
                ]
            )
        self._said = frozenset(near)

    def _summed(self, demands: Sequence[Demand]) -> Mapping[Subject, int]:
        heard: dict[tuple[Subject, str], tuple[Instant, int]] = {}
        others: dict[Subject, int] = {}
        for demand in demands:
            if demand.process_id == self._process_id:
                continue
            name = (demand.subject, demand.process_id)
            known = self._heard.get(name)
            heard[name] = known if known and known[0] == demand.measured_at else (demand.measured_at, self._turns)
            if demand.calls and self._turns - heard[name][1] < SILENT_TURNS:
                others[demand.subject] = others.get(demand.subject, 0) + demand.calls
        self._heard = heard
        return others
