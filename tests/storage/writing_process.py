"""A process of its own that writes to the same database: `python -m tests.storage.writing_process URL TASK NUMBER`.

Prints a line for each thing that was acknowledged, at once.
"""

from __future__ import annotations

import asyncio
import itertools
import sys

from message_contacts import errors
from message_contacts.audit.sealing import Sealer
from message_contacts.changes import CountUp, Insert, Stale
from message_contacts.clock import HOUR, Instant, SystemClock
from message_contacts.contacts.model import ContactName
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.errors import ApiError
from message_contacts.storage import Storage
from tests.factories import ACCOUNT
from tests.storage.making import commit, make_account, named_contact, nonce, open_database
from tests.unit.audit.values import make_event

ROUNDS = 150
SEALED_ROUNDS = 100


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - read by the test


async def compete(storage: Storage, process: int) -> None:
    """Try what the other process tries as well: names, nonces, a counter with a limit."""
    far_away = SystemClock().now() + 10**9

    async def attempt(number: int) -> None:
        contact = named_contact(process * 10_000 + number, name=ContactName(f"shared {number}"))
        for word, changes, used in (
            ("name", (Insert(contact),), None),
            ("nonce", (), nonce(number, expires_at=far_away)),
            ("counter", (CountUp(ACCOUNT, "shared", "", ROUNDS, errors.LIMIT_EXCEEDED_CONTACTS),), None),
        ):
            try:
                await commit(storage, *changes, with_nonce=used)
                say(word, number)
            except (ApiError, Stale) as refused:
                say("refused", word, refused)

    for start in range(0, ROUNDS, 10):
        await asyncio.gather(*(attempt(number) for number in range(start, start + 10)))


async def write_until_killed(storage: Storage, process: int) -> None:
    """Add accounts for ever, several at a time."""
    numbers = itertools.count()

    async def client() -> None:
        for number in numbers:
            account_id = f"{process}{number:015d}"
            await commit(storage, Insert(make_account(account_id)))
            say(account_id)

    await asyncio.gather(*(client() for _ in range(16)))


async def write_and_seal(storage: Storage, process: int) -> None:
    """Write audit events and seal whatever there is, at the same time."""
    sealer = Sealer(storage.audit)
    for number in range(SEALED_ROUNDS):
        events = [make_event(10_000 * process + 10 * number + position) for position in range(3)]
        await asyncio.gather(storage.audit.add(events), sealer.seal())
        say(*["written"] * len(events))
        if await sealer.seal():
            say("sealed")


async def claim(storage: Storage, process: int) -> None:
    """Claim jobs until there are none, and say which."""
    now = SystemClock().now()
    while jobs := await storage.outbox.claim("email", f"worker-{process}", now=now, until=Instant(now + HOUR), limit=7):
        for job in jobs:
            say(job.job_id)
        await storage.outbox.settle(f"worker-{process}", [Settlement(job, Fate.DONE, now, "accepted") for job in jobs])


async def work(database_url: str, task: str, process: int) -> None:
    with open_database(database_url, SystemClock(), busy_seconds=30.0) as storage:
        tasks = {"compete": compete, "write": write_until_killed, "claim": claim, "seal": write_and_seal}
        await tasks[task](storage, process)
        await storage.finish()


def main() -> None:
    database_url, task, process = sys.argv[1:]
    asyncio.run(work(database_url, task, int(process)))


if __name__ == "__main__":
    main()
