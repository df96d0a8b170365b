"""What the process itself uses, as far as the system tells."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from message_contacts.metrics import families
from message_contacts.metrics.families import Sample
from message_contacts.metrics.recording import Numbers

_PROC = Path("/proc/self")


def process_numbers() -> Numbers:
    """CPU time, memory, files and start of this process. Memory, files and start need `/proc`, which Linux has."""
    return Numbers(_samples())


def processor_wait() -> float:
    """Seconds that the main thread was ready to run and had no processor, since it began; 0 where nothing tells.

    The second number of `/proc/self/schedstat` (Linux, Documentation/scheduler/sched-stats.rst), in nanoseconds there.
    """
    try:
        return int((_PROC / "schedstat").read_text("ascii").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _samples() -> Iterator[Sample]:
    yield Sample(families.PROCESSES, (), 1)
    yield Sample(families.PROCESS_CPU, (), time.process_time())
    try:
        pages = int((_PROC / "statm").read_text("ascii").split()[1])
        files = len(os.listdir(_PROC / "fd")) - 1  # one is the look itself
        # Behind the name, which may hold anything; the 22nd field of all is ticks from the machine's start.
        ticks = int((_PROC / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19])
        booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, AttributeError):
        return
    yield Sample(families.PROCESS_MEMORY, (), pages * os.sysconf("SC_PAGE_SIZE"))
    yield Sample(families.PROCESS_FILES, (), files)
    yield Sample(families.PROCESS_START, (), round(booted + ticks / os.sysconf("SC_CLK_TCK"), 2))
