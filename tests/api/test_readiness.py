"""`/readyz` of a whole service: what is wrong, told apart, and well again when it is."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs

from message_contacts.access.keys import Vault
from message_contacts.bootstrap.readiness import Readiness
from message_contacts.health import Ailment
from message_contacts.storage import Storage
from message_contacts.storage.sqlite_transaction import WriterSeam
from tests.harness import Api

A_SECOND = 1.0


async def words(api: Api) -> list[str]:
    """What `/readyz` says now."""
    api.clock.advance(A_SECOND)
    with capture_logs():
        return [word.value for word in await api.service.readiness.ailments()]


@pytest.fixture
def elsewhere(database_path: Path, api: Api) -> Iterator[apsw.Connection]:
    """The database as another process has it open."""
    connection = apsw.Connection(str(database_path))
    yield connection
    connection.close()


async def test_a_service_that_can_do_its_work_is_ready(api: Api):
    assert await words(api) == []
    await api.add_contact()
    assert await words(api) == []


async def test_a_newer_schema_that_this_program_does_not_work_with(api: Api, elsewhere: apsw.Connection):
    elsewhere.execute("UPDATE alembic_version SET version_num = '9999'")
    assert await words(api) == []  # expand, then contract: the older program goes on
    elsewhere.execute("UPDATE schema_compatibility SET oldest_program = '9998'")
    assert await words(api) == ["schema-too-new"]


async def test_an_older_schema_than_this_program_needs(api: Api, elsewhere: apsw.Connection):
    elsewhere.execute("UPDATE alembic_version SET version_num = '0000'")
    assert await words(api) == ["schema-too-old"]


async def test_a_database_that_was_taken_away_or_replaced(api: Api, database_path: Path):
    moved = f"{database_path}.moved"
    os.rename(database_path, moved)
    assert await words(api) == ["database-unreachable"]
    shutil.copyfile(moved, database_path)
    assert await words(api) == ["database-unreachable"]
    os.rename(moved, database_path)
    assert await words(api) == []


class Spoiling(WriterSeam):
    """Lets every commit fail as the database would."""

    def __init__(self, complaint: type[Exception]) -> None:
        self.complaint = complaint

    def committing(self, connection: apsw.Connection) -> None:
        raise self.complaint


@pytest.mark.parametrize(
    ("complaint", "word"),
    [
        (apsw.FullError, "disk-full"),
        (apsw.ReadOnlyError, "database-read-only"),
        (apsw.BusyError, "database-busy"),
        (apsw.CorruptError, "database-damaged"),
        (apsw.IOError, "database-unreachable"),
    ],
)
async def test_why_nothing_can_be_written_until_it_can_again(api: Api, complaint: type[Exception], word: str):
    writer = api.service.storage._database._writer._transactions  # type: ignore[attr-defined]
    writer._seam = Spoiling(complaint)
    assert await words(api) == []  # nobody has tried
    with capture_logs():
        assert (await api.error("CreateFolder", FolderName="one"))[0] == 503
    assert await words(api) == [word]
    assert await words(api) == [word]  # tried again, in vain
    writer._seam = None
    assert await words(api) == []


async def test_a_connection_that_may_only_read(api: Api):
    writing = api.service.storage._database._writer._transactions._connection  # type: ignore[attr-defined]
    writing.execute("PRAGMA query_only = ON").fetchall()
    with capture_logs():
        assert (await api.error("CreateFolder", FolderName="one"))[0] == 503
    assert await words(api) == ["database-read-only"]


async def test_secrets_that_the_key_does_not_open(database_path: Path, api: Api):
    other = Readiness(storage=api.service.storage, vault=Vault(b"x" * 32), worker=None, clock=api.clock)
    with capture_logs() as lines:
        assert await other.ailments() == (Ailment.ENCRYPTION_KEY_WRONG,)
    assert lines == [{"event": "readiness_changed", "ailments": ["encryption-key-wrong"], "log_level": "warning"}]


async def test_one_broken_secret_among_others_is_not_the_key(api: Api, elsewhere: apsw.Connection):
    await api.service.administration.create_access_key(api.account_id)
    elsewhere.execute("UPDATE access_key SET sealed_secret = x'00' WHERE access_key_id = ?", (api.key_id,))
    assert await words(api) == []


async def test_a_service_that_shuts_down_says_so_before_all_else(api: Api, elsewhere: apsw.Connection):
    elsewhere.execute("UPDATE alembic_version SET version_num = '0000'")
    api.service.readiness.stop()
    assert await words(api) == ["shutting-down"]


class Hanging:
    """A storage that does not answer."""

    def __init__(self, storage: Storage) -> None:
        self.asked = 0
        self.rotation = storage.rotation

    async def ailments(self) -> list[Ailment]:
        self.asked += 1
        await asyncio.Event().wait()
        return []


async def test_a_database_that_does_not_answer_is_asked_once_for_all_who_ask(api: Api):
    hanging = Hanging(api.service.storage)
    readiness = Readiness(
        storage=hanging,  # type: ignore[arg-type]
        vault=api.service.vault,
        worker=None,
        clock=api.clock,
        patience=0.01,
    )
    with capture_logs():
        answers = await asyncio.gather(*(readiness.ailments() for _ in range(20)))
    assert set(answers) == {(Ailment.DATABASE_UNREACHABLE,)}
    assert hanging.asked == 1


async def test_a_bug_in_the_check_is_not_readiness(api: Api, monkeypatch: pytest.MonkeyPatch):
    async def fails() -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr(api.service.storage, "ailments", fails)
    with capture_logs() as lines:
        api.clock.advance(A_SECOND)
        assert await api.service.readiness.ailments() == (Ailment.INTERNAL_ERROR,)
    assert lines[0]["event"] == "readiness_check_failed"
