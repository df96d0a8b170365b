"""What tests put into the writer of SQLite, to hold or to spoil its commits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import apsw

from message_contacts.metrics import Metrics
from message_contacts.storage.sqlite_transaction import WriterSeam


class Gate(WriterSeam):
    """Holds commits, just before they are durable, until the test lets them go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.commits = 0

    def committing(self, connection: apsw.Connection) -> None:
        self.commits += 1
        self.reached.set()
        assert self.open.wait(timeout=30)


class Spoiler(WriterSeam):
    """Makes the next commits fail as the disk would."""

    def __init__(self) -> None:
        self.complaint: Exception | None = None

    def committing(self, connection: apsw.Connection) -> None:
        if self.complaint is not None:
            raise self.complaint


async def held(gate: Gate, change: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Have a commit under way that ends when the gate is opened."""
    gate.open.clear()
    under_way = asyncio.ensure_future(change)
    assert await asyncio.to_thread(gate.reached.wait, 30)
    return under_way


class UncountingMetrics(Metrics):
    """Has a bug in what it counts of commits."""

    def committed(self, changes: int, seconds: float) -> None:
        raise ZeroDivisionError

    def commit_failed(self) -> None:
        raise ZeroDivisionError


def woken_by_a_bug(_channel: str) -> None:
    raise ZeroDivisionError
