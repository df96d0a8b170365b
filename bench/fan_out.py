"""One message to very many members on PostgreSQL: two workers, a mail server that keeps nothing, and calls beside it.

Every member has a contact of its own. Told are the time from the call to the last delivery that is recorded, whether
each address got one mail, what the workers take of memory, and how long GetMessageContact takes meanwhile, at a fixed
rate of calls and counted from when each was due, beside how long it takes while nothing else goes on.
`scripts/bench fan-out [MEMBERS]`
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg

from bench import postgres, servers
from bench.databases import KEY_TEXT
from bench.figures import short
from bench.postgres import Cluster
from bench.requests import Signer
from bench.steady_calls import RATE, Stretch, percentile, quiet, steady_calls
from message_contacts.changes import Change, Insert
from message_contacts.clock import Instant, SystemClock
from message_contacts.contacts.model import (
    Binding,
    Contact,
    ContactName,
    EmailAddress,
    MessageType,
    Slot,
    Title,
    Verified,
)
from message_contacts.directory.model import Folder, Member, MemberStatus, MemberType
from message_contacts.storage import open_postgres

MEMBERS = 100_000
WORKERS = 2
#: Times its idle value that the p99 of GetMessageContact may take.
WANTED = 2.0
#: Between two looks at how many were sent, for each thousand members: a look reads as many rows as were sent.
_PAUSE_SECONDS = 0.02
#: Members of one folder.
_TOGETHER = 1_000
_ACCOUNT = "1000000000000001"
_KEY_ID = "MCbench000000000000001"
_SECRET = "bench-secret-of-no-worth"
_DATABASE = "fan-out"
_OURS = "2026-11-01"
_IDLE_SECONDS = 30.0
_TEXT = "The databases of the region restart on Sunday between 02:00 and 03:00. Connections are cut for a minute."


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of it; times in seconds."""

    answered: float
    first_mail: float
    finished: float
    mails: int
    addresses: int
    #: Of the mail server, from the first mail to the last.
    sending: float
    idle: list[Stretch]
    beside: list[Stretch]
    #: Megabytes of each worker: most of all time when half was sent, and at the end.
    memory: list[tuple[float, float]]


def measured(members: int, cluster: Cluster) -> Run:
    """Prepare it all, publish, and watch."""
    cluster.drop(_DATABASE)
    cluster.execute(f'CREATE DATABASE "{_DATABASE}"')
    url = cluster.url(_DATABASE)
    port = servers.free_port()
    try:
        with _sink() as mail_port:
            environment = {
                "MESSAGE_CONTACTS_DATABASE_URL": url,
                "MESSAGE_CONTACTS_ENCRYPTION_KEY": KEY_TEXT,
                "MESSAGE_CONTACTS_ROOT_ACCOUNT_ID": _ACCOUNT,
                "MESSAGE_CONTACTS_ROOT_ACCESS_KEY_ID": _KEY_ID,
                "MESSAGE_CONTACTS_ROOT_ACCESS_KEY_SECRET": _SECRET,
                "MESSAGE_CONTACTS_SMTP_URL": f"smtp://127.0.0.1:{mail_port}",
                "MESSAGE_CONTACTS_SMTP_FROM": "contacts@example.com",
                "MESSAGE_CONTACTS_MEMBERS_PER_DIRECTORY": str(10 * members),
            }
            with _serving(port, environment) as api:
                api.until(api.answers("/healthz"))
                asyncio.run(_filled(url, members))
                cluster.execute("VACUUM (ANALYZE)", "CHECKPOINT", database=_DATABASE)
                return asyncio.run(_published(api, url, mail_port, environment, members))
    finally:
        cluster.drop(_DATABASE)


def _serving(port: int, environment: dict[str, str]) -> servers.Server:
    """The API, without a worker inside."""
    command = [servers.PROGRAM, "serve", "--host", "127.0.0.1", "--port", str(port)]
    return servers.Server("fan-out-api", command, port, {**environment, "MESSAGE_CONTACTS_WORKER": "false"})


async def _filled(url: str, members: int) -> None:
    """Members in folders, each with a contact of its own that a person has confirmed."""
    clock = SystemClock()
    now = Instant(clock.now() - 1_000)
    storage = open_postgres(url, clock)
    directory = await storage.directory.directory(_ACCOUNT)
    assert directory is not None
    batch: list[Change] = []
    for number in range(members):
        folder_id = f"fd-{number // _TOGETHER:010}"
        if number % _TOGETHER == 0:
            batch.append(
                Insert(
                    Folder(
                        account_id=_ACCOUNT,
                        folder_id=folder_id,
                        parent_id=directory.root_folder_id,
                        name=f"folder {number // _TOGETHER}",
                        created_at=now,
                    )
                )
            )
        batch += [Insert(_member(number, folder_id, now)), Insert(_contact(number, now))]
        if len(batch) >= 500:
            await storage.committer.commit(tuple(batch), None)
            batch = []
    await storage.committer.commit(tuple(batch), None)
    await storage.finish()
    storage.close()


def _member(number: int, folder_id: str, now: Instant) -> Member:
    return Member(
        account_id=_ACCOUNT,
        member_id=_member_id(number),
        folder_id=folder_id,
        display_name=f"member {number}",
        account_name=f"member{number}@bench.aliyunid.com",
        type=MemberType.RESOURCE_ACCOUNT,
        status=MemberStatus.CREATE_SUCCESS,
        joined_at=now,
        placed_at=now,
        modified_at=now,
    )


def _member_id(number: int) -> str:
    return f"2{number:015}"


def _contact_id(number: int) -> str:
    return f"c-{number:016}"


def _contact(number: int, now: Instant) -> Contact:
    return Contact(
        account_id=_ACCOUNT,
        contact_id=_contact_id(number),
        name=ContactName(f"contact {number}"),
        title=Title.OTHER,
        message_types=(MessageType.FAULT_MESSAGE,),
        email=Slot(shown=EmailAddress(f"{number}@example.com"), verified=Verified(now, captured=False)),
        phone=Slot(),
        created_at=Instant(now + number),
        bindings=(Binding(_member_id(number), now),),
    )


async def _published(api: servers.Server, url: str, mail_port: int, environment: dict[str, str], members: int) -> Run:
    """Publish with workers at hand, and watch until every delivery is recorded."""
    connection = await asyncpg.connect(url)
    root = await connection.fetchval("SELECT root_folder_id FROM resource_directory")
    signer = Signer(f"127.0.0.1:{api.port}")

    def get(number: int) -> bytes:
        if number % RATE == 0:
            signer.set_clock()
        pairs = [("ContactId", _contact_id(number * 7919 % members))]
        return signer.v3("GetMessageContact", pairs, _KEY_ID, _SECRET.encode())

    idle = await steady_calls(api.port, get, asyncio.create_task(asyncio.sleep(_IDLE_SECONDS)))
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(servers.Server(f"fan-out-worker-{number}", [servers.PROGRAM, "worker"], 0, environment))
            for number in range(WORKERS)
        ]
        await asyncio.sleep(2.0)  # they start; there is nothing to wait on but time
        signer.set_clock()
        pairs = [
            ("ClientToken", "fan-out"),
            ("MessageType", "FaultMessage"),
            ("Subject", "Databases restart on Sunday"),
            ("Targets.1", root),
            ("Text", _TEXT),
        ]
        start = time.perf_counter()
        answer = api.send(signer.v3("PublishMessage", pairs, _KEY_ID, _SECRET.encode(), _OURS))
        answered = time.perf_counter() - start
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"void: {answer.decode()}")
        watching = asyncio.create_task(_until_sent(connection, members, workers, start))
        beside = await steady_calls(api.port, get, watching)
        first_mail, finished, memory = await watching
    mails, addresses, sending = _taken(mail_port)
    await connection.close()
    return Run(
        answered=answered,
        first_mail=first_mail,
        finished=finished,
        mails=mails,
        addresses=addresses,
        sending=sending,
        idle=idle,
        beside=beside,
        memory=memory,
    )


async def _until_sent(
    connection: asyncpg.Connection[asyncpg.Record], members: int, workers: list[servers.Server], start: float
) -> tuple[float, float, list[tuple[float, float]]]:
    first_mail = 0.0
    half: list[float] = []
    sent, looked = 0, start
    while sent < members:
        # Other processes work; looking more often would slow them down.
        await asyncio.sleep(max(0.5, _PAUSE_SECONDS * members / 1_000))
        sent = await connection.fetchval(
            "SELECT count(*) FROM delivery WHERE account_id = $1 AND state = 'sent'", _ACCOUNT
        )
        looked = time.perf_counter()
        if sent and not first_mail:
            first_mail = looked - start
        if not half and sent >= members // 2:
            half = [worker.memory().resident for worker in workers]
        if looked - start > 60 + members / 100:
            raise SystemExit(f"void: {sent} of {members} were sent within {looked - start:.0f} s")
    return first_mail, looked - start, list(zip(half, (one.memory().resident for one in workers), strict=True))


@contextlib.contextmanager
def _sink() -> Iterator[int]:
    """It stands for a mail server on a machine of its own, so it gives way to all that is measured."""
    port = servers.free_port()
    command = ["nice", "-n", "10", sys.executable, "-m", "bench.smtp_sink", str(port), "--addresses"]
    with subprocess.Popen(command, cwd=servers.ROOT) as process:
        while True:
            with contextlib.suppress(OSError):
                _taken(port)
                break
            time.sleep(0.02)  # another process starts; there is nothing to wait on but time
        yield port
        process.terminate()


def _taken(port: int) -> tuple[int, int, float]:
    """Mails and different addresses since the last question, and the seconds from the first mail to the last."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection, connection.makefile("rwb") as file:
        file.readline()
        file.write(b"XADDRESSES\r\n")
        file.flush()
        addresses = int(file.readline().split()[1])
        file.write(b"XCOUNT\r\n")
        file.flush()
        _, mails, first, last = file.readline().split()
        return int(mails), addresses, float(last) - float(first)


def told(run: Run, members: int) -> str:
    """The run in words."""
    memory = ", ".join(f"{before:.0f} and {after:.0f}" for before, after in run.memory)
    idle, beside = percentile(run.idle, 99), percentile(run.beside, 99)
    lines = (
        f"PublishMessage to {members:,} members answered after {1000 * run.answered:.0f} ms",
        f"first delivery recorded after {run.first_mail:.1f} s, the last after {run.finished:.1f} s",
        f"deliveries a second: {members / run.finished:,.0f} all in all, {run.mails / run.sending:,.0f} while sending",
        f"mails {run.mails:,}, to {run.addresses:,} addresses; beyond one for each: {run.mails - run.addresses}",
        f"memory of the workers when half was sent and at the end, MB: {memory}",
        f"GetMessageContact at {RATE} calls a second, p50 and p99 in ms, where the host left the machine alone:",
        f"  idle {percentile(run.idle, 50):.2f} and {idle:.2f} ({quiet(run.idle)})",
        f"  beside it {percentile(run.beside, 50):.2f} and {beside:.2f} ({quiet(run.beside)})",
        f"  p99 beside / idle: {short(beside / idle)} (wanted: at most {WANTED:.0f})",
    )
    return "\n".join(lines)


def main() -> None:
    """Measure and print; a run in which an address got no mail, or two, is no figure but a fault."""
    members = int(sys.argv[1]) if len(sys.argv) > 1 else MEMBERS
    with postgres.running() as cluster:
        run = measured(members, cluster)
    print(told(run, members))
    print(json.dumps({"members": members, "finished": round(run.finished, 2), "mails": run.mails}))
    if (run.mails, run.addresses) != (members, members):
        raise SystemExit("an address got no mail, or more than one")


if __name__ == "__main__":
    main()
