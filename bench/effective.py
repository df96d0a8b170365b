"""What it costs to know who is reached: for one member among few and among many, and for all of them.

For one member five folders deep it is database time: the statements are those of the store, on a connection like its
own, one after the other; nothing else is in it. For all members it is the whole work of one GetCoverage.
`python -m bench.effective [ROUNDS] [MEMBERS]` measures only this.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench import servers
from bench.figures import short
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
from message_contacts.storage import migrate, open_sqlite
from message_contacts.storage.committing import compiled
from message_contacts.storage.routing import CONTACTS_IN_EFFECT, COPIES_IN_EFFECT, LINEAGE_OF_NODE
from message_contacts.storage.sqlite_connection import connect

MEMBERS = 10_000
FEW = 10
AMONG_MANY = f"effective contacts among {MEMBERS:,} members"
#: Milliseconds.
WANTED = 1.0
_ACCOUNT, _DIRECTORY, _ROOT = "1000000000000001", "rd-AbCdEf", "r-AbCdEf"
#: Five levels; the members are spread over the folders of the last two.
_WIDTHS = (1, 2, 4, 8, 16)
_CALLS = 2_000
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
    deep = [number for number in range(members) if _folder_of(number).startswith("fd-5")]
    for number in itertools.islice(itertools.cycle(deep), _CALLS):
        member_id = _member_id(number)
        start = time.perf_counter()
        lineage = connection.execute(LINEAGE_OF_NODE, (_ACCOUNT, member_id)).fetchall()
        nodes = (lineage[0][0], *(row[1] for row in lineage), member_id)
        contacts = connection.execute(CONTACTS_IN_EFFECT, (_ACCOUNT, *nodes, "", 51)).fetchall()
        copies = connection.execute(COPIES_IN_EFFECT, (_ACCOUNT, *nodes, "", 51)).fetchall()
        times.append(time.perf_counter() - start)
        if (len(lineage), len(contacts), len(copies)) != (6, 8, 1):
            raise SystemExit(f"{member_id} has {len(contacts)} contacts and {len(copies)} copies, not 8 and 1")
    connection.close()
    return statistics.median(times) * 1_000


def coverage_milliseconds(path: Path) -> float:
    """Time to read all that decides who is reached, and to count for every member and type who is."""

    async def work() -> float:
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 1_000)  # as a serving process has it
        with open_sqlite(path, SystemClock()) as storage:
            start = time.perf_counter()
            ground = await storage.routing.ground(_ACCOUNT)
            if ground is None or not all(any(each.counts) for each in Coverage(ground, Circumstances()).members()):
                raise SystemExit("a member has no contact")
            return time.perf_counter() - start

    return asyncio.run(work()) * 1_000


def measured(members: int) -> tuple[float, float]:
    """Milliseconds for one member, and for all, in a fresh directory of that many members."""
    try:
        path = prepared(members)
        return median_milliseconds(path, members), coverage_milliseconds(path)
    finally:
        shutil.rmtree(servers.WORK / "effective", ignore_errors=True)


def both() -> dict[str, float]:
    """One round: milliseconds by what they are for."""
    (few, _), (many, everybody) = measured(FEW), measured(MEMBERS)
    return {
        f"effective contacts among {FEW} members": few,
        AMONG_MANY: many,
        f"coverage of all {MEMBERS:,} members": everybody,
    }


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
    for _ in range(rounds):
        (few, _), (many, everybody) = measured(FEW), measured(members)
        print(
            f"effective contacts: {short(many)} ms of database time among {members:,} members, {short(few)} ms among "
            f"{FEW}: {short(many / few)} times; coverage of all {members:,}: {short(everybody)} ms"
        )


if __name__ == "__main__":
    main()
