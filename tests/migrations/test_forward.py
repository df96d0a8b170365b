"""Databases that earlier releases have filled, brought forward on both engines."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from message_contacts.audit.sealing import Sealer
from message_contacts.changes import Insert
from message_contacts.clock import SystemClock
from message_contacts.directory.model import DeletedMember
from message_contacts.storage import HEAD, migrate, schema_version
from message_contacts.storage.migrations.running import upgrade
from message_contacts.storage.postgres_schema import postgres_upgrade
from tests.conftest import ENGINES
from tests.factories import ACCOUNT
from tests.fakes.clock import START, FakeClock
from tests.storage.making import MEMBER, commit, named_contact, open_database, plant
from tests.storage.test_audit import change, verdict_on

#: Rows as release 0001 wrote them, one for each table that later steps touch or that others point to.
FILLING = f"""
INSERT INTO account (account_id, name, created_at, version) VALUES ('{ACCOUNT}', 'platform-team', 1, 1);
INSERT INTO access_key (account_id, access_key_id, sealed_secret, status, created_at, version)
VALUES ('{ACCOUNT}', 'MCkey', 'sealed', 'Active', 2, 1);
INSERT INTO resource_directory (account_id, directory_id, root_folder_id, account_name, created_at, version)
VALUES ('{ACCOUNT}', 'rd-AbCdEf', 'r-AbCdEf', 'platform-team', 3, 1);
INSERT INTO folder (account_id, folder_id, parent_id, name, created_at, tags, version)
VALUES ('{ACCOUNT}', 'r-AbCdEf', NULL, 'root', 3, '[]', 1);
INSERT INTO contact (account_id, contact_id, name, title, message_types, email_shown, email_captured, phone_captured,
                     phone_added, created_at, deletion_failures, bindings, version)
VALUES ('{ACCOUNT}', 'c-0000000000000001', 'Tom', 'CEO', 'SecurityMessage', 'tom@example.com', false, false,
        false, 4, '[]', '[["r-AbCdEf", 5]]', 2);
INSERT INTO binding (account_id, contact_id, node_id, folder_id, created_at)
VALUES ('{ACCOUNT}', 'c-0000000000000001', 'r-AbCdEf', 'r-AbCdEf', 4);
INSERT INTO counter (account_id, counter, period, value, raised_at) VALUES ('{ACCOUNT}', 'contacts', '', 1, 4);
"""


@pytest.fixture(params=ENGINES)
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of release 0001 with something in it."""
    if request.param == "sqlite":
        path = tmp_path / "old.db"
        upgrade(path, "0001")
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(FILLING.replace("'sealed'", "x'7365616c6564'"))
        yield f"sqlite:///{path}"
    else:
        url: str = request.getfixturevalue("empty_postgres_url")
        postgres_upgrade(url, "0001")

        async def fill() -> None:
            connection = await asyncpg.connect(url)
            await connection.execute(FILLING)
            await connection.close()

        asyncio.run(fill())
        yield url


async def test_what_an_earlier_release_wrote_is_there_after_the_migration(filled: str) -> None:
    assert schema_version(filled) == "0001"

    migrate(filled)

    assert schema_version(filled) == HEAD
    with open_database(filled, SystemClock()) as storage:
        key = await storage.access.access_key("MCkey")
        contacts = await storage.contacts.contacts_bound_to(ACCOUNT, ["r-AbCdEf"])
        assert key is not None
        assert (key.account_id, key.sealed_secret, key.user_id) == (ACCOUNT, b"sealed", None)
        assert [(contact.name.text, contact.version) for contact in contacts] == [("Tom", 2)]
        assert await storage.verification.count(ACCOUNT, "contacts", "") == 1
        deleted = DeletedMember(account_id=ACCOUNT, member_id=MEMBER, deleted_at=START)
        await commit(storage, Insert(deleted))
        assert await storage.directory.deleted_member(ACCOUNT, MEMBER) == deleted
        await storage.finish()


async def test_the_audit_trail_of_release_0007_is_there_and_verifies_after_the_migration(tmp_path: Path) -> None:
    old, recent = tmp_path / "old.db", tmp_path / "recent.db"
    migrate(f"sqlite:///{recent}")
    clock = FakeClock()
    with open_database(f"sqlite:///{recent}", clock) as storage:
        await plant(storage)
        for number in range(1, 6):
            await change(storage, clock, Insert(named_contact(number)))
            if number == 4:
                assert await Sealer(storage.audit).seal() == 4
        before = await storage.audit.with_personal_parts(
            await storage.audit.events_before(ACCOUNT, before="z", start="", limit=10)
        )
    upgrade(old, "0007")
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("ATTACH ? AS recent", (str(recent),))
        for table in ("audit_event", "audit_personal", "audit_chain"):
            connection.execute(f"INSERT INTO {table} SELECT * FROM recent.{table}")
        connection.commit()

    migrate(f"sqlite:///{old}")

    with open_database(f"sqlite:///{old}", clock) as storage:
        kept = await storage.audit.events_before(ACCOUNT, before="z", start="", limit=10)
        assert await storage.audit.with_personal_parts(kept) == before
        assert all(event.personal for event in before)
        verdict = await verdict_on(storage)
        assert (verdict.events, verdict.unsealed, verdict.breaks) == (4, 1, [])
        assert await Sealer(storage.audit).seal() == 1


def test_a_table_that_is_made_anew_leaves_nothing_behind_of_who_is_erased_later(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    upgrade(path, "0007")
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO audit_personal (account_id, person_id, event_id, salt, details) VALUES (?, ?, ?, x'00', ?)",
            [(ACCOUNT, "c-0000000000000001", f"e-{number}", f"seen only here {number}") for number in range(500)],
        )
        connection.commit()

    migrate(f"sqlite:///{path}")

    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("DELETE FROM audit_personal")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"seen only here" not in path.read_bytes()
