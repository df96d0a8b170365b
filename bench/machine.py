"""What the measuring was done on, and whether anything else was in its way."""

from __future__ import annotations

import contextlib
import datetime
import mmap
import os
import platform
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


def description(folder: Path) -> list[tuple[str, str]]:
    """Name and value of what a reader needs to compare figures with those of another machine."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1_048_576
    return [
        ("Date", datetime.datetime.now(datetime.UTC).date().isoformat()),
        ("Processor", f"{os.cpu_count()} x {model}"),
        ("Memory", f"{memory:.0f} GiB"),
        ("Kernel", f"{platform.system()} {platform.release()}"),
        ("Python", platform.python_version()),
        ("Load before the run", f"{os.getloadavg()[0]:.1f}"),
        ("Disk", f"{disk_syncs(folder):,.0f} fdatasync/s of 4 KiB appended"),
    ]


def disk_syncs(folder: Path, seconds: float = 1.0) -> float:
    """How many times a second the disk confirms 4 KiB more."""
    folder.mkdir(parents=True, exist_ok=True)
    block = os.urandom(4096)
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        count = 0
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            file.write(block)
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.perf_counter() - start)


@contextlib.contextmanager
def held_in_memory(files: Iterable[Path]) -> Iterator[None]:
    """Keep what these files hold now in the system's cache.

    A kernel may give memory back to the host of a virtual machine (DAMON's `pageout`) while most of it is free: it then
    takes away what nobody has asked for within some seconds, and a large database, of which each call needs other
    pages, is read from the disk where a small one is not. What a process has mapped is spared.
    """
    with contextlib.ExitStack() as stack:
        for path in files:
            if path.is_file() and path.stat().st_size:
                with path.open("rb") as file:
                    flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
                    stack.enter_context(mmap.mmap(file.fileno(), 0, flags=flags, prot=mmap.PROT_READ))
        yield


@dataclass(frozen=True, slots=True)
class ProcessorTimes:
    """Processor time of the whole machine since it started, in ticks."""

    all: int
    #: Spent on work of any kind.
    busy: int
    #: Taken by the host of a virtual machine for others.
    stolen: int

    @classmethod
    def now(cls) -> ProcessorTimes:
        ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        total, idle, waiting, stolen = sum(ticks), ticks[3], ticks[4], ticks[7]
        return cls(all=total, busy=total - idle - waiting - stolen, stolen=stolen)

    def stolen_share_until(self, later: ProcessorTimes) -> float:
        """Share of the machine that it did not get between the two moments."""
        return (later.stolen - self.stolen) / max(1, later.all - self.all)

    def share_of_others_until(self, later: ProcessorTimes, own_seconds: float) -> float:
        """Share of the machine that other programs used meanwhile, beside the ones that used these seconds."""
        own = own_seconds * os.sysconf("SC_CLK_TCK")
        return max(0.0, (later.busy - self.busy - own) / max(1, later.all - self.all))
