"""What it costs to know who is reached: for one member among few and among many, and for all of them.

For one member five folders deep it is database time: the statements are those of the store, on a connection like its
own, one after the other; nothing else is in it. PostgreSQL says itself what it took, and beside it stands how long a
process waits for it. For all members it is the whole work of one GetCoverage. `python -m bench.effective [ROUNDS]
[MEMBERS]` measures only this.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench import servers
from bench.databases import Database
from bench.figures import short
from bench.postgres import Cluster, PostgresDatabase, running
from message_contacts.changes import Change, Insert
from message_contacts.clock import Instant, SystemClock
from message_contacts.contacts.model import (
    Binding,
    Contact,
    ContactName,
    DetachedContact,
    EmailAddress,
    MessageType,
    Slot,
    Title,
    Verified,
)
from message_contacts.delivery.coverage import Coverage
from message_contacts.delivery.rules import Circumstances
from message_contacts.directory.model import (
    ROOT_NAME,
    Folder,
    Member,
    MemberStatus,
    MemberType,
    ResourceDirectory,
)
from message_contacts.storage import Storage, migrate, open_postgres, open_sqlite
from message_contacts.storage.committing import compiled
from message_contacts.storage.postgres_connection import PostgresAddress
from message_contacts.storage.postgres_statements import own
from message_contacts.storage.routing import CONTACTS_IN_EFFECT, COPIES_IN_EFFECT, LINEAGE_OF_NODE
from message_contacts.storage.sqlite_connection import connect

SQLITE, POSTGRES = Database.engine, PostgresDatabase.engine
MEMBERS = 10_000
FEW = 10
AMONG_FEW = f"effective contacts among {FEW} members"
AMONG_MANY = f"effective contacts among {MEMBERS:,} members"
#: Milliseconds.
WANTED = 1.0
_ACCOUNT, _DIRECTORY, _ROOT = "1000000000000001", "rd-AbCdEf", "r-AbCdEf"
#: Five levels; the members are spread over the folders of the last two.
_WIDTHS = (1, 2, 4, 8, 16)
_CALLS = 2_000
_EXPLAINED_EACH = 10
_STATEMENTS = (LINEAGE_OF_NODE, CONTACTS_IN_EFFECT, COPIES_IN_EFFECT)
_NOW = Instant(1_795_248_000_000)


def prepared(members: int) -> Path:
    """A directory of so many members, each with a contact and a kept copy of its own, and contacts above them."""
    folder = servers.WORK / "effective"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{members}.db"
    for left in folder.glob(f"{path.name}*"):
        left.unlink()
    migrate(f"sqlite:///{path}")
    connection = connect(path, busy_seconds=1.0, cache_kib=64 * 1024, writes=True)
    with connection:
        for some in _several(_rows(members), 1_000):
            for step in compiled(tuple(some), None, _NOW):
                connection.execute(step.sql, step.parameters)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    return path


def median_milliseconds(path: Path, members: int) -> float:
    """Median time of the three statements for members drawn in turn, five folders deep; the file is in memory."""
    connection = connect(path, busy_seconds=1.0, cache_kib=64 * 1024)
    times = []
    for member_id in _deep_members(members):
        start = time.perf_counter()
        lineage = connection.execute(LINEAGE_OF_NODE, (_ACCOUNT, member_id)).fetchall()
        nodes = (lineage[0][0], *(row[1] for row in lineage), member_id)
        contacts = connection.execute(CONTACTS_IN_EFFECT, (_ACCOUNT, *nodes, "", 51)).fetchall()
        copies = connection.execute(COPIES_IN_EFFECT, (_ACCOUNT, *nodes, "", 51)).fetchall()
        times.append(time.perf_counter() - start)
        _check(member_id, len(lineage), len(contacts), len(copies))
    connection.close()
    return statistics.median(times) * 1_000


async def postgres_median_milliseconds(url: str, members: int) -> tuple[float, float]:
    """The same on PostgreSQL: what the server says it took, and the time to the answers."""
    connection = await PostgresAddress(url).connect()
    times, server_times = [], []
    lineage_of_node, contacts_in_effect, copies_in_effect = [await connection.prepare(own(sql)) for sql in _STATEMENTS]
    for number, sql in enumerate(_STATEMENTS):
        await connection.execute(f"PREPARE measured_{number} AS {own(sql)}")
    for member_id in _deep_members(members):
        start = time.perf_counter()
        lineage = await lineage_of_node.fetch(_ACCOUNT, member_id)
        nodes = (lineage[0][0], *(row[1] for row in lineage), member_id)
        contacts = await contacts_in_effect.fetch(_ACCOUNT, *nodes, "", 51)
        copies = await copies_in_effect.fetch(_ACCOUNT, *nodes, "", 51)
        times.append(time.perf_counter() - start)
        _check(member_id, len(lineage), len(contacts), len(copies))
        if len(times) % _EXPLAINED_EACH == 0:
            nodes_shown = ", ".join(f"'{node}'" for node in nodes)
            of_nodes = f"('{_ACCOUNT}', {nodes_shown}, '', 51)"
            server_times.append(
                await _server_milliseconds(connection, 0, f"('{_ACCOUNT}', '{member_id}')")
                + await _server_milliseconds(connection, 1, of_nodes)
                + await _server_milliseconds(connection, 2, of_nodes)
            )
    await connection.close()
    return statistics.median(server_times), statistics.median(times) * 1_000


async def _server_milliseconds(connection: asyncpg.Connection[asyncpg.Record], number: int, parameters: str) -> float:
    """What PostgreSQL says that it took to plan and carry out a prepared statement."""
    explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE measured_{number}{parameters}"
    ((told,),) = await connection.fetch(explain)
    (plan,) = json.loads(told)
    return float(plan["Planning Time"] + plan["Execution Time"])


def coverage_milliseconds(opened: Callable[[], Storage]) -> float:
    """Time to read all that decides who is reached, and to count for every member and type who is."""

    async def work() -> float:
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 1_000)  # as a serving process has it
        with opened() as storage:
            start = time.perf_counter()
            ground = await storage.routing.ground(_ACCOUNT)
            if ground is None or not all(any(each.counts) for each in Coverage(ground, Circumstances()).members()):
                raise SystemExit("a member has no contact")
            taken = time.perf_counter() - start
            await storage.finish()
            return taken

    return asyncio.run(work()) * 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Milliseconds."""

    one_member: float
    all_members: float
    #: To the answers about one member, where they come from another process.
    one_member_and_back: float | None = None


def measured(members: int, cluster: Cluster) -> dict[str, Times]:
    """What it takes in a fresh directory of that many members, by engine."""
    name = "effective"
    try:
        path = prepared(members)
        found = {
            SQLITE: Times(
                one_member=median_milliseconds(path, members),
                all_members=coverage_milliseconds(lambda: open_sqlite(path, SystemClock())),
            )
        }
        cluster.drop(name)
        cluster.fill(name, path)
        url = cluster.url(name)
        in_server, and_back = asyncio.run(postgres_median_milliseconds(url, members))
        found[POSTGRES] = Times(
            one_member=in_server,
            all_members=coverage_milliseconds(lambda: open_postgres(url, SystemClock())),
            one_member_and_back=and_back,
        )
        return found
    finally:
        cluster.drop(name)
        shutil.rmtree(servers.WORK / "effective", ignore_errors=True)


def both(cluster: Cluster, members: int = MEMBERS) -> dict[str, float]:
    """One round: milliseconds by engine and what they are for."""
    few, many = measured(FEW, cluster), measured(members, cluster)
    found = {}
    for engine in (SQLITE, POSTGRES):
        found[f"{engine}: {AMONG_FEW}"] = few[engine].one_member
        found[f"{engine}: {AMONG_MANY}"] = many[engine].one_member
        and_back = many[engine].one_member_and_back
        if and_back is not None:
            found[f"{engine}: {AMONG_MANY}, with the way there and back"] = and_back
        found[f"{engine}: coverage of all {MEMBERS:,} members"] = many[engine].all_members
    return found


def _deep_members(members: int) -> Iterator[str]:
    """Members in turn, five folders deep."""
    deep = [number for number in range(members) if _folder_of(number).startswith("fd-5")]
    return map(_member_id, itertools.islice(itertools.cycle(deep), _CALLS))


def _check(member_id: str, folders: int, contacts: int, copies: int) -> None:
    if (folders, contacts, copies) != (6, 8, 1):
        raise SystemExit(f"{member_id} has {contacts} contacts and {copies} copies, not 8 and 1")


def _several(rows: Iterator[Change], count: int) -> Iterator[list[Change]]:
    while some := list(itertools.islice(rows, count)):
        yield some


def _member_id(number: int) -> str:
    return f"2{number:015d}"


def _folder_of(number: int) -> str:
    """Every second member five levels deep, the others one above."""
    return f"fd-5{number % _WIDTHS[4]:02d}" if number % 2 == 0 else f"fd-4{number % _WIDTHS[3]:02d}"


def _rows(members: int) -> Iterator[Change]:
    yield Insert(
        ResourceDirectory(
            account_id=_ACCOUNT, directory_id=_DIRECTORY, root_folder_id=_ROOT, account_name="team", created_at=_NOW
        )
    )
    yield Insert(_folder(_ROOT, None, ROOT_NAME))
    for level, width in enumerate(_WIDTHS, start=1):
        for number in range(width):
            parent = _ROOT if level == 1 else f"fd-{level - 1}{number // 2:02d}"
            yield Insert(_folder(f"fd-{level}{number:02d}", parent, f"level {level} {number}"))
    # One contact for each level of every lineage, so that a member five levels deep has eight with its own.
    above = [_DIRECTORY, _ROOT, *(f"fd-{level}{n:02d}" for level, width in enumerate(_WIDTHS, 1) for n in range(width))]
    for number, node_id in enumerate(above):
        yield Insert(_contact(f"c-above{number:011d}", node_id))
    for number in range(members):
        member_id = _member_id(number)
        yield Insert(
            Member(
                account_id=_ACCOUNT,
                member_id=member_id,
                folder_id=_folder_of(number),
                display_name=f"member {number}",
                account_name=f"member{number}@rd-abcdef.aliyunid.com",
                type=MemberType.RESOURCE_ACCOUNT,
                status=MemberStatus.CREATE_SUCCESS,
                joined_at=_NOW,
                modified_at=_NOW,
                placed_at=_NOW,
            )
        )
        yield Insert(_contact(f"c-{number:016d}", member_id))
        yield Insert(
            DetachedContact(
                account_id=_ACCOUNT,
                detached_id=f"dc-{number:016d}",
                contact_id=f"c-gone{number:012d}",
                name=ContactName("Tom"),
                title=Title.CEO,
                message_types=(MessageType.FAULT_MESSAGE,),
                email=EmailAddress("tom@example.com"),
                email_captured=False,
                phone=None,
                phone_captured=False,
                node_ids=(member_id,),
                detached_at=_NOW,
            )
        )


def _folder(folder_id: str, parent_id: str | None, name: str) -> Folder:
    return Folder(account_id=_ACCOUNT, folder_id=folder_id, parent_id=parent_id, name=name, created_at=_NOW)


def _contact(contact_id: str, node_id: str) -> Contact:
    return Contact(
        account_id=_ACCOUNT,
        contact_id=contact_id,
        name=ContactName(contact_id),
        title=Title.CEO,
        message_types=(MessageType.FAULT_MESSAGE, MessageType.SECURITY_MESSAGE),
        email=Slot(shown=EmailAddress("tom@example.com"), verified=Verified(_NOW, captured=False)),
        phone=Slot(),
        created_at=_NOW,
        bindings=(Binding(node_id, _NOW),),
    )


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    members = int(sys.argv[2]) if len(sys.argv) > 2 else MEMBERS
    with running() as cluster:
        for _ in range(rounds):
            few, many = measured(FEW, cluster), measured(members, cluster)
            for engine in (SQLITE, POSTGRES):
                one, among_few, everybody = many[engine].one_member, few[engine].one_member, many[engine].all_members
                print(
                    f"{engine}: effective contacts take {short(one)} ms of database time among {members:,} members, "
                    f"{short(among_few)} ms among {FEW}: {short(one / among_few)} times; coverage of all {members:,}: "
                    f"{short(everybody)} ms"
                )


if __name__ == "__main__":
    main()
