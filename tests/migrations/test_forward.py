"""Databases that earlier releases have filled, brought forward on both engines."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from message_contacts.changes import Insert
from message_contacts.clock import SystemClock
from message_contacts.directory.model import DeletedMember
from message_contacts.storage import HEAD, migrate, schema_version
from message_contacts.storage.migrations.running import upgrade
from message_contacts.storage.postgres_schema import postgres_upgrade
from tests.conftest import ENGINES
from tests.factories import ACCOUNT
from tests.fakes.clock import START
from tests.storage.making import MEMBER, commit, open_database

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
