"""What is deleted leaves the files: pages, free pages and the write-ahead log."""

from __future__ import annotations

import random
import time
from pathlib import Path

import apsw
import pytest

from message_contacts.changes import Delete, Insert, Update
from message_contacts.contacts.model import EmailAddress, Slot
from message_contacts.storage import Storage, open_sqlite
from message_contacts.storage.sqlite_connection import connect
from tests.fakes.clock import FakeClock
from tests.storage.making import commit, make_evidence, make_message, named_contact, plant

CONTACTS = 240


@pytest.fixture
def engine() -> str:
    """The files are SQLite's; PostgreSQL's are its server's business."""
    return "sqlite"


def address(number: int, generation: int = 1) -> EmailAddress:
    """Addresses of different lengths, so that rows move between pages."""
    return EmailAddress(f"{'x' * (number * 7 % 60)}person{number:04d}g{generation}@example.com")


def found_in(path: Path, wanted: list[EmailAddress]) -> list[EmailAddress]:
    """Those of the addresses that any file of the database holds."""
    content = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    return [entry for entry in wanted if entry.text.encode() in content]


def becomes_empty(log: Path) -> bool:
    """Whether the file is emptied, by a thread beside this one, within ten seconds."""
    deadline = time.monotonic() + 10
    while log.stat().st_size and time.monotonic() < deadline:
        time.sleep(0)  # gives the other thread a turn
    return log.stat().st_size == 0


@pytest.mark.parametrize("seed", [1, 2])
async def test_deleted_rows_are_overwritten_however_rows_move(storage: Storage, database_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    contacts = [named_contact(number, email=Slot(shown=address(number))) for number in range(CONTACTS)]
    await plant(storage, *contacts)
    for number in range(CONTACTS):
        await commit(storage, Insert(make_evidence(f"{number:010d}", address=address(number).text)))
        text = address(number).text * chance.randrange(1, 200)
        await storage.inbox.put(make_message(f"m-{number:06d}", recipient=address(number).text, text=text))
    numbers = list(range(CONTACTS))
    chance.shuffle(numbers)
    gone: list[EmailAddress] = []
    for number in numbers[: CONTACTS // 2]:
        contact = contacts[number]
        if chance.random() < 0.5:
            after = named_contact(number, email=Slot(shown=address(number, 2)))
            await commit(storage, Update(contact, after))
            contact = named_contact(number, email=Slot(shown=address(number, 2)), version=2)
            gone.append(address(number, 2))
        await commit(storage, Delete(contact))
        gone.append(address(number))
    await _without_messages_and_evidence(database_path, [entry.text for entry in gone])
    storage.people.scrub()
    storage.close()

    assert found_in(database_path, gone) == []
    kept = [address(number) for number in numbers[CONTACTS // 2 :]]
    assert found_in(database_path, kept) == kept


async def _without_messages_and_evidence(path: Path, addresses: list[str]) -> None:
    """Take these addresses' messages and evidence away, on a connection as the stores open it."""
    connection = connect(path, busy_seconds=1.0, cache_kib=1024, writes=True)
    for text in addresses:
        connection.execute("DELETE FROM inbox_message WHERE recipient_key = ?", (text,))
        connection.execute("DELETE FROM evidence WHERE address = ?", (text,))
    connection.close()


async def test_the_log_is_emptied_once_nobody_reads_in_it_any_more(storage: Storage, database_path: Path) -> None:
    await plant(storage, named_contact(1, email=Slot(shown=address(1))))
    reader = apsw.Connection(str(database_path))
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM contact").fetchall()
    await commit(storage, Delete(named_contact(1, email=Slot(shown=address(1)))))
    log = Path(f"{database_path}-wal")

    storage.people.scrub()
    assert found_in(database_path, [address(1)]) != []
    reader.execute("COMMIT")
    reader.close()

    assert becomes_empty(log)
    assert found_in(database_path, [address(1)]) == []


async def test_what_was_to_be_emptied_is_emptied_before_the_file_is_closed(
    storage: Storage, other: Storage, database_path: Path
) -> None:
    """Another process has the file open, so closing alone would leave the log as it is."""
    await plant(other, named_contact(1, email=Slot(shown=address(1))))
    await commit(storage, Delete(named_contact(1, email=Slot(shown=address(1)))))
    storage.people.scrub()
    storage.close()
    assert found_in(database_path, [address(1)]) == []


async def test_writing_goes_on_while_the_log_is_emptied(storage: Storage, database_path: Path) -> None:
    await plant(storage)
    for number in range(50):
        storage.people.scrub()
        await commit(storage, Insert(named_contact(number)))
    storage.close()
    with open_sqlite(database_path, FakeClock()) as again:
        assert (
            await again.contacts.contact_page("1000000000000001", contact_id=None, node_id=None, offset=0, limit=1)
        )[1] == 50
