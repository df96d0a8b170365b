"""Calls at a steady rate beside other work, and how long they take where the host leaves the machine alone."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench import servers
from bench.machine import ProcessorTimes

#: Calls a second, and connections that they come over.
RATE = 200
_CALLERS = 8
#: Calls are looked at in stretches of so many seconds; one in which the host of a virtual machine took more than this
#: share of its processors away does not count: its stalls are longer than what is measured.
_STRETCH_SECONDS = 5.0
_STOLEN_AT_MOST = 0.002


@dataclass(frozen=True, slots=True)
class Stretch:
    """Calls of a few seconds: how long each took, and the share of the machine that its host gave to others."""

    seconds: list[float]
    stolen: float

    def percentile(self, share: int) -> float:
        """Milliseconds within which so many of a hundred calls were answered."""
        return 1000 * sorted(self.seconds)[len(self.seconds) * share // 100]


async def steady_calls(port: int, request: Callable[[int], bytes], until: asyncio.Task[object]) -> list[Stretch]:
    """How long calls take, made at a fixed rate until something is done; each from when it was due.

    Args:
        request: Makes the call of that number, signed.
    """
    stretches: list[Stretch] = []
    times: list[float] = []

    async def caller(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        due, number = time.perf_counter() + first / RATE, first
        while not until.done():
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(servers.content_length(head))
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"void: {head.decode()}")
            times.append(time.perf_counter() - due)
            due, number = due + _CALLERS / RATE, number + _CALLERS
        writer.close()

    async def cutter() -> None:
        while not until.done():
            times.clear()
            began = ProcessorTimes.now()
            await asyncio.wait([until], timeout=_STRETCH_SECONDS)
            if len(times) > RATE:  # the last one may be shorter
                stretches.append(Stretch(times.copy(), began.stolen_share_until(ProcessorTimes.now())))

    async with asyncio.TaskGroup() as group:
        group.create_task(cutter())
        for first in range(_CALLERS):
            group.create_task(caller(first))
    return stretches


def percentile(stretches: list[Stretch], share: int) -> float:
    """The median of a percentile over the stretches in which the host left the machine alone; NaN without any."""
    counting = [each.percentile(share) for each in stretches if each.stolen <= _STOLEN_AT_MOST]
    return statistics.median(counting) if counting else math.nan


def quiet(stretches: list[Stretch]) -> str:
    """How many stretches count, in words."""
    count = sum(each.stolen <= _STOLEN_AT_MOST for each in stretches)
    return f"{count} of {len(stretches)} stretches of {_STRETCH_SECONDS:.0f} s"
