"""Everything moves from one database to another, whatever interrupts it, and nothing but all of it counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import apsw
import asyncpg
import pytest

from message_contacts.storage import HEAD, migrate, moving, open_postgres, open_sqlite, sqlite_path
from message_contacts.storage.engine import CannotOpen, SchemaMismatch
from message_contacts.storage.moving import CannotMove, moved_tables
from message_contacts.storage.schema import SCHEMA
from tests.conftest import ENGINES
from tests.fakes.clock import FakeClock
from tests.moving.filling import fill, held
from tests.postgres import PostgresDatabases
from tests.storage.making import open_database

#: Each table in several batches, of which some cut tenants in two.
ROWS, BATCH = 20, 4


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "BATCH", BATCH)


@pytest.fixture
def filled(database_path: Path) -> str:
    fill(database_path, rows=ROWS)
    return f"sqlite:///{database_path}"


@pytest.fixture(params=ENGINES)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where nothing is yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/contacts.db"
    else:
        yield request.getfixturevalue("empty_postgres_url")


async def drained(steps: AsyncIterator[int], *, most: int | None = None) -> int:
    """Sum of the steps; of the first few only, as if somebody had pulled the plug behind them."""
    total = number = 0
    async for step in steps:
        total += step
        number += 1
        if number == most:
            break
    return total


async def move(source: str, target: str) -> list[moving.Moved]:
    async with moving.moving(source, target) as under_way:
        rows = await under_way.rows()
        assert await drained(under_way.copy()) == rows
        assert await drained(under_way.compare()) == rows
        return list(await under_way.finish())


def test_every_table_is_moved_but_the_one_that_migrations_write() -> None:
    """A table that is added to the schema is moved without anybody thinking of it."""
    assert {table.name for table in moved_tables()} == set(SCHEMA.tables) - {"schema_compatibility"}


def test_every_row_of_every_table_arrives(filled: str, target: str) -> None:
    moved = asyncio.run(move(filled, target))

    assert held(target) == held(filled)
    assert all(held(filled).values())  # nothing was easy because it was empty
    assert {entry.table: entry.rows for entry in moved} == {
        table.name: len(held(filled)[table.name]) for table in moved_tables()
    }


def test_what_went_to_postgresql_comes_back_as_it_was(
    filled: str, empty_postgres_url: str, postgres_databases: PostgresDatabases, tmp_path: Path
) -> None:
    second = postgres_databases.new(migrated=False)
    checksums = []
    stations = [filled, empty_postgres_url, second, f"sqlite:///{tmp_path}/back.db"]
    for here, there in pairwise(stations):
        checksums.append({entry.table: entry.checksum for entry in asyncio.run(move(here, there))})

    assert held(stations[-1]) == held(filled)
    assert checksums[0] == checksums[1] == checksums[2]
    assert len(set(checksums[0].values())) == len(checksums[0])
    postgres_databases.drop(second)


@pytest.mark.parametrize("steps", [1, 9, 40])
def test_an_interrupted_move_goes_on_where_it_stopped(filled: str, target: str, steps: int) -> None:
    async def interrupted() -> None:
        async with moving.moving(filled, target) as under_way:
            await drained(under_way.copy(), most=steps)

    async def continued() -> int:
        copied: list[int] = []
        async with moving.moving(filled, target) as under_way:
            assert under_way.is_resumed
            add = under_way.target.add

            async def counting(table: moving.Table, rows: list[moving.Row]) -> None:
                copied.append(len(rows))
                await add(table, rows)

            under_way.target.add = counting  # type: ignore[method-assign, assignment]
            await drained(under_way.copy())
            await drained(under_way.compare())
            await under_way.finish()
        return sum(copied)

    asyncio.run(interrupted())
    before = sum(
        len(rows) for name, rows in held(target).items() if name not in ("schema_compatibility", "alembic_version")
    )
    copied = asyncio.run(continued())

    assert before > 0
    assert before + copied == sum(len(held(filled)[table.name]) for table in moved_tables())
    assert held(target) == held(filled)


@pytest.mark.parametrize("compared", [False, True])
def test_no_service_opens_a_target_that_is_not_complete(filled: str, target: str, compared: bool) -> None:
    async def unfinished() -> None:
        async with moving.moving(filled, target) as under_way:
            await drained(under_way.copy(), most=None if compared else 3)
            if compared:
                await drained(under_way.compare())

    asyncio.run(unfinished())

    for attempt in (lambda: open_database(target, FakeClock()), lambda: migrate(target)):
        with pytest.raises(SchemaMismatch, match="A copy into this database has begun and not ended"):
            attempt()
    with pytest.raises(CannotMove, match="has begun and not ended"):
        asyncio.run(move(target, filled))


def test_a_move_is_not_finished_uncompared(filled: str, target: str) -> None:
    async def hasty() -> None:
        async with moving.moving(filled, target) as under_way:
            await drained(under_way.copy())
            await under_way.finish()

    with pytest.raises(RuntimeError, match="has not been compared"):
        asyncio.run(hasty())


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE contact SET title = 'other' WHERE contact_id = (SELECT min(contact_id) FROM contact)",
        "DELETE FROM contact WHERE contact_id = (SELECT min(contact_id) FROM contact)",
    ],
)
def test_a_source_that_was_changed_between_two_attempts_is_found_out(filled: str, target: str, change: str) -> None:
    async def once(*, until_copied: bool) -> None:
        async with moving.moving(filled, target) as under_way:
            await drained(under_way.copy())
            if not until_copied:
                await drained(under_way.compare())

    connection = apsw.Connection(str(sqlite_path(filled)))
    connection.execute("DELETE FROM binding")
    connection.close()
    asyncio.run(once(until_copied=True))
    connection = apsw.Connection(str(sqlite_path(filled)))
    connection.execute(change)
    connection.close()

    with pytest.raises(
        CannotMove, match=r"differs from the source: contact \(\d+ rows in the source, 20 in the target"
    ):
        asyncio.run(once(until_copied=False))
    with pytest.raises(SchemaMismatch):
        open_database(target, FakeClock())


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_a_database_that_a_service_has_open_is_neither_copied_nor_copied_to(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("message_contacts.storage.moving_postgres._OTHERS_LEAVE_SECONDS", 0.05)
    monkeypatch.setattr("message_contacts.storage.moving_sqlite._PATIENCE_MILLISECONDS", 50)
    other = f"sqlite:///{tmp_path}/other.db"
    migrate(other)
    with open_database(database_url, FakeClock()) as storage:
        assert await storage.ailments() == ()
        for source, target in ((database_url, other), (other, database_url)):
            with pytest.raises(CannotMove, match=r"is in use\. Stop every process"):
                await move(source, target)
        await storage.finish()

    await move(database_url, other)


async def test_a_source_takes_no_change_while_it_is_copied(
    filled: str, empty_postgres_url: str, tmp_path: Path
) -> None:
    async with moving.moving(filled, empty_postgres_url) as under_way:
        with pytest.raises(CannotOpen, match="is in use by a command"):
            open_sqlite(sqlite_path(filled), FakeClock(), busy_seconds=0.05)
        await drained(under_way.copy())
        await drained(under_way.compare())
        await under_way.finish()

    async with moving.moving(empty_postgres_url, f"sqlite:///{tmp_path}/third.db"):
        connection = await asyncpg.connect(empty_postgres_url, server_settings={"lock_timeout": "50ms"})
        with pytest.raises(asyncpg.LockNotAvailableError):
            await connection.execute("DELETE FROM job")
        await connection.close()
    open_postgres(empty_postgres_url, FakeClock()).close()


def test_two_moves_into_one_database_do_not_meet(
    filled: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("message_contacts.storage.moving_sqlite._PATIENCE_MILLISECONDS", 50)
    other = f"sqlite:///{tmp_path}/other.db"
    migrate(other)

    async def both() -> None:
        async with moving.moving(filled, target):
            with pytest.raises(CannotOpen, match="in use"):
                await move(other, target)

    asyncio.run(both())


def test_a_target_that_holds_something_is_left_alone(
    filled: str, engine: str, database_path: Path, tmp_path: Path
) -> None:
    source = f"sqlite:///{tmp_path}/empty.db"
    migrate(source)
    before = held(filled)

    with pytest.raises(CannotMove, match="is not empty: there are rows in access_key"):
        asyncio.run(move(source, filled))

    assert held(filled) == before


def test_a_database_is_not_copied_to_itself(filled: str) -> None:
    with pytest.raises(CannotMove, match="are the same database"):
        asyncio.run(move(filled, filled.replace("sqlite:////", "sqlite:////./")))


def test_a_source_without_tables_or_of_another_release_is_refused(filled: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    with pytest.raises(CannotMove, match="no tables of this program"):
        asyncio.run(move(f"sqlite:///{missing}", filled))
    assert not missing.exists()

    empty = f"sqlite:///{tmp_path}/empty.db"
    migrate(empty)
    for version, message in (("0001", "run `message-contacts migrate`"), ("9999", "was migrated by a newer release")):
        connection = apsw.Connection(str(sqlite_path(filled)))
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.close()
        with pytest.raises(CannotMove, match=message):
            asyncio.run(move(filled, f"sqlite:///{tmp_path}/new.db"))
        with pytest.raises(CannotMove, match=f"has schema version {version}, which another release made"):
            asyncio.run(move(empty, filled))
    assert HEAD not in ("0001", "9999")


def test_a_text_that_postgresql_cannot_hold_is_named_by_its_table(filled: str, empty_postgres_url: str) -> None:
    connection = apsw.Connection(str(sqlite_path(filled)))
    connection.execute("UPDATE ram_user SET comments = 'secret' || char(0) || 'words'")
    connection.close()

    with pytest.raises(CannotMove, match=r"text in ram_user holds the character U\+0000") as refused:
        asyncio.run(move(filled, empty_postgres_url))

    assert "secret" not in str(refused.value)
