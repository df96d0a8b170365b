"""Rests of a worker whose machine has too few processors for all that goes on (docs/adr/0033-workers-rest.md)."""

from __future__ import annotations

import math
from collections.abc import Callable

from message_contacts.clock import Clock
from message_contacts.metrics import Metrics

#: Share of the time that a worker may be ready to run and without a processor.
_SHARE = 0.15
#: Seconds between two looks at that share.
_LOOK_SECONDS = 0.25
#: Seconds of the shortest rest; below it there is none.
_SHORTEST = 0.0005
#: Seconds of the longest: however busy the machine, doers go on.
_LONGEST = 0.1
#: How much longer, or shorter, a rest becomes at one look, at most.
_STEP = 1.5


class GivingWay:
    """How long a doer rests before each job: longer as long as the process has to wait for a processor.

    Nobody rests until `start`.
    """

    def __init__(self, clock: Clock, metrics: Metrics | None = None) -> None:
        self._clock = clock
        self._metrics = metrics
        self._waited: Callable[[], float] | None = None
        self._rest_seconds = 0.0
        self._looked_at = 0.0
        self._waited_then = 0.0

    def start(self, waited: Callable[[], float]) -> None:
        """Have doers rest from now on, when they should.

        Args:
            waited: Seconds that the process was ready to run and had no processor, all in all.
        """
        self._waited = waited
        self._looked_at, self._waited_then = self._clock.monotonic(), waited()

    async def rest(self) -> None:
        """Rest for as long as it takes to give way; with processors to spare not at all."""
        if self._waited is None:
            return
        passed = self._clock.monotonic() - self._looked_at
        if passed >= _LOOK_SECONDS:
            waited = self._waited()
            self._adapt(max(0.0, waited - self._waited_then) / passed)
            self._looked_at, self._waited_then = self._looked_at + passed, waited
        if self._rest_seconds:
            if self._metrics is not None:
                self._metrics.rested(self._rest_seconds)
            await self._clock.sleep(self._rest_seconds)

    def _adapt(self, share: float) -> None:
        """Make rests longer or shorter, by the share of the time since the last look that there was no processor.

        By the root of what it is off: one look sees little, and rests that swing help nobody.
        """
        factor = min(max(math.sqrt(share / _SHARE), 1 / _STEP), _STEP)
        known = max(self._rest_seconds, _SHORTEST) if factor > 1 else self._rest_seconds
        rest = min(known * factor, _LONGEST)
        self._rest_seconds = rest if rest >= _SHORTEST else 0.0
