"""Several processes on one database, and one that is killed."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path

from message_contacts.changes import Enqueue
from message_contacts.storage import Storage
from tests.factories import ACCOUNT
from tests.fakes.clock import START, FakeClock
from tests.storage.making import commit, make_job, open_database, plant
from tests.storage.writing_process import ROUNDS

REPOSITORY = Path(__file__).parents[2]


async def start(database_url: str, task: str, number: int) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.storage.writing_process",
        database_url,
        task,
        str(number),
        stdout=PIPE,
        cwd=REPOSITORY,
    )


async def test_names_nonces_and_counters_hold_between_processes(storage: Storage, database_url: str) -> None:
    await plant(storage)

    processes = [await start(database_url, "compete", number) for number in (1, 2)]
    outputs = [(await process.communicate())[0].decode().splitlines() for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    won = Counter(line for output in outputs for line in output if not line.startswith("refused"))
    lost = Counter(line for output in outputs for line in output if line.startswith("refused"))
    names = [line for line in won if line.startswith("name")]
    nonces = [line for line in won if line.startswith("nonce")]
    assert (len(names), sum(won[line] for line in names)) == (ROUNDS, ROUNDS)
    assert (len(nonces), sum(won[line] for line in nonces)) == (ROUNDS, ROUNDS)
    assert sum(count for line, count in won.items() if line.startswith("counter")) == ROUNDS
    assert lost == {
        "refused name InvalidParameter.Name.AlreadyUsed": ROUNDS,
        "refused nonce SignatureNonceUsed": ROUNDS,
        "refused counter LimitExceeded.Contacts": ROUNDS,
    }
    assert await storage.verification.count(ACCOUNT, "shared", "") == ROUNDS
    _, contacts = await storage.contacts.contact_page(ACCOUNT, contact_id=None, node_id=None, offset=0, limit=1)
    assert contacts == ROUNDS


async def test_what_was_acknowledged_is_there_after_the_process_was_killed(database_url: str) -> None:
    process = await start(database_url, "write", 1)
    assert process.stdout is not None
    acknowledged = [await process.stdout.readline() for _ in range(500)]
    process.kill()
    rest, _ = await process.communicate()
    complete, _, _ = rest.rpartition(b"\n")
    acknowledged += complete.splitlines()

    with open_database(database_url, FakeClock()) as storage:
        kept = {account.account_id for account in await storage.access.accounts()}
        await storage.finish()

    assert len(acknowledged) >= 500
    assert {line.decode().strip() for line in acknowledged} <= kept


async def test_each_job_is_claimed_by_one_process_only(storage: Storage, database_url: str) -> None:
    await commit(storage, *(Enqueue(make_job(number, due_at=START)) for number in range(200)))

    processes = [await start(database_url, "claim", number) for number in (1, 2, 3)]
    outputs = [(await process.communicate())[0].decode().splitlines() for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(job_id for output in outputs for job_id in output) == [
        make_job(number).job_id for number in range(200)
    ]
    assert await storage.outbox.next_due("email") is None
