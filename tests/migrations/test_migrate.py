from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from message_contacts.changes import Insert
from message_contacts.storage import HEAD, SchemaMismatch, migrate, migrations, open_sqlite, schema_version, sqlite_path
from message_contacts.storage.migrations import running
from message_contacts.storage.schema import SCHEMA
from tests.fakes.clock import FakeClock
from tests.storage.making import commit, make_account

REPOSITORY = Path(__file__).parents[2]


def described(path: Path) -> dict[str, Any]:
    """Everything SQLite knows of the tables: columns, keys, indexes, foreign keys, conditions."""
    connection = apsw.Connection(str(path))

    def rows(sql: str) -> list[Any]:
        return connection.execute(sql).fetchall()

    found: dict[str, Any] = {}
    for (table,) in rows(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'alembic%' AND name <> 'sqlite_stat1'"
    ):
        indexes = rows(f"SELECT name, \"unique\", origin, partial FROM pragma_index_list('{table}')")
        found[table] = {
            "columns": rows(f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{table}')"),
            "rowid": rows(f"SELECT wr FROM pragma_table_list('{table}')"),
            "foreign": sorted(rows(f'SELECT "table", "from", "to" FROM pragma_foreign_key_list(\'{table}\')')),
            "indexes": sorted(
                (
                    unique,
                    origin,
                    partial,
                    str(rows(f"SELECT seqno, cid, name, \"desc\" FROM pragma_index_xinfo('{name}') WHERE key")),
                )
                for name, unique, origin, partial in indexes
            ),
            "named": sorted(
                rows(f"SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql <> '' AND tbl_name = '{table}'")
            ),
        }
    connection.close()
    return found


def test_the_migrations_build_exactly_the_schema(tmp_path: Path) -> None:
    migrated, made = tmp_path / "migrated.db", tmp_path / "made.db"
    migrate(f"sqlite:///{migrated}")
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(made))
    SCHEMA.create_all(engine)
    engine.dispose()

    assert described(migrated) == described(made)
    assert set(described(migrated)) == set(SCHEMA.tables)


def test_the_program_wants_the_last_migration_and_they_are_numbered() -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(migrations.__file__).parent))
    revisions = [script.revision for script in ScriptDirectory.from_config(configuration).walk_revisions()]

    assert revisions[0] == HEAD
    assert sorted(revisions, reverse=True) == revisions == [f"{number:04d}" for number in range(len(revisions), 0, -1)]


def test_migrating_again_changes_nothing_and_keeps_what_is_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    assert schema_version(url) is None
    migrate(url)
    with open_sqlite(tmp_path / "new.db", FakeClock()) as storage:
        asyncio.run(commit(storage, Insert(make_account())))

    migrate(url)

    assert schema_version(url) == HEAD
    with open_sqlite(tmp_path / "new.db", FakeClock()) as storage:
        assert asyncio.run(storage.access.accounts()) == [make_account()]


def indexes_and_assumed(path: Path) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Table and name of every index, and of those that the planner has statistics of."""
    connection = apsw.Connection(str(path))
    try:
        indexes = connection.execute(
            "SELECT t.name, i.name FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table'"
        ).fetchall()
        assumed = connection.execute("SELECT tbl, idx FROM sqlite_stat1").fetchall()
    finally:
        connection.close()
    return set(indexes), set(assumed)


def test_the_planner_has_statistics_of_every_index(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    migrate(f"sqlite:///{path}")

    indexes, assumed = indexes_and_assumed(path)

    assert assumed == indexes


def test_a_database_of_a_release_without_statistics_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    running.upgrade(path, "0005")
    connection = apsw.Connection(str(path))
    connection.execute("DROP TABLE sqlite_stat1")
    connection.close()

    migrate(f"sqlite:///{path}")

    indexes, assumed = indexes_and_assumed(path)
    assert assumed == indexes


def test_several_processes_may_migrate_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    program = f"from message_contacts.storage import migrate; migrate('sqlite:///{path}')"

    def run(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
        )

    with ThreadPoolExecutor(3) as pool:
        finished = list(pool.map(run, range(3)))

    assert [(process.returncode, process.stderr) for process in finished] == [(0, "")] * 3
    open_sqlite(path, FakeClock()).close()


def test_a_database_without_a_schema_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatch, match="run `message-contacts migrate`"):
        open_sqlite(tmp_path / "new.db", FakeClock())

    assert os.listdir(tmp_path) == []


def pretend(path: Path, version: str, oldest_program: str) -> None:
    """Make the database look like a later release's."""
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.execute("UPDATE schema_compatibility SET oldest_program = ?", (oldest_program,))
    connection.close()


def test_a_database_newer_than_the_program_can_work_with_is_refused(database_path: Path) -> None:
    pretend(database_path, "9999", "9998")

    for attempt in (
        lambda: migrate(f"sqlite:///{database_path}"),
        lambda: open_sqlite(database_path, FakeClock()).close(),
    ):
        with pytest.raises(SchemaMismatch, match=f"schema version 9999, which is newer than this program \\({HEAD}\\)"):
            attempt()


def test_a_database_of_the_next_release_that_allows_this_program_is_opened(database_path: Path) -> None:
    """The previous release goes on running while the next one is rolled out."""
    pretend(database_path, "9999", HEAD)

    migrate(f"sqlite:///{database_path}")
    open_sqlite(database_path, FakeClock()).close()

    assert schema_version(f"sqlite:///{database_path}") == "9999"


def test_a_server_on_a_migrated_database_does_without_the_migration_tools(database_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from message_contacts.clock import SystemClock;"
        "from message_contacts.storage import migrate, open_sqlite;"
        f"migrate('sqlite:///{database_path}'); open_sqlite(Path('{database_path}'), SystemClock()).close();"
        "print(sorted({'alembic', 'sqlalchemy', 'sqlite3'} & set(sys.modules)))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True
    )

    assert printed.stdout == "[]\n"


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///data/contacts.db", "data/contacts.db"), ("sqlite:////var/contacts.db", "/var/contacts.db")],
)
def test_the_file_of_a_database_url(url: str, path: str) -> None:
    assert sqlite_path(url) == Path(path)


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite://contacts.db", "postgresql://localhost/contacts", ""])
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        sqlite_path(url)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear operator, this is a letter and no database.")
    with pytest.raises(SchemaMismatch, match="not an SQLite database"):
        migrate(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear operator")
