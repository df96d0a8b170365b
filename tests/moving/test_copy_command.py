"""`message-contacts copy`: a service that moves goes on as it was, with the same keys."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from message_contacts.bootstrap import build
from message_contacts.bootstrap.key_file import KeyFile
from message_contacts.cli.main import commands
from message_contacts.settings import Settings
from message_contacts.storage import HEAD, SchemaMismatch, migrate, schema_version
from tests.harness import open_api
from tests.moving.filling import fill, held

KEY = b64encode(b"k" * 32).decode()
COMMAND = str(Path(sys.executable).with_name("message-contacts"))


@pytest.fixture
def source(tmp_path: Path) -> Iterator[str]:
    """A service that somebody used, with a key of its own in a file."""
    path = tmp_path / "contacts.db"

    async def use() -> None:
        async with open_api(path, {"encryption_key": None}) as api:
            contact_id = await api.add_contact(Name="Tom")
            await api.work()
            await api.call("AssociateMembers", ContactId=contact_id, Members=[await api.root_folder()])
            await api.other_tenant()

    asyncio.run(use())
    return f"sqlite:///{path}"


def copied(source: str, target: str, **environment: str) -> Result:
    given = {f"MESSAGE_CONTACTS_{name}": value for name, value in environment.items()}
    result = CliRunner().invoke(commands, ["copy", "--from", source, "--to", target], env=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


async def contacts(url: str, **settings: object) -> list[str]:
    """Names that a signed call finds on a database."""
    async with open_api(url, settings) as api:
        names = [contact["Name"] for contact in (await api.call("ListMessageContacts"))["Contacts"]]
        # And it goes on: new work, with what was there before.
        contact_id = await api.add_contact(Name="Ann", EmailAddress="ann@example.com")
        await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress="ann@example.com")
        await api.work()
        assert await api.token_sent_to("ann@example.com")
        return names


def test_a_service_goes_on_in_postgresql_as_it_was(source: str, empty_postgres_url: str) -> None:
    before = held(source)

    result = copied(source, empty_postgres_url)

    assert result.exit_code == 0, result.output
    assert held(empty_postgres_url) == before == held(source)
    key_path = Path(f"{source.removeprefix('sqlite:///')}.key")
    assert f"`head -n 1 {key_path} | cut -d ' ' -f 1`" in result.stderr
    assert "3 secrets open" in result.stderr or "2 secrets open" in result.stderr
    assert "Copying" in result.stderr
    assert "contact " in result.stdout
    printed = subprocess.run(
        f"head -n 1 {key_path} | cut -d ' ' -f 1", shell=True, check=True, capture_output=True, text=True
    ).stdout.strip()
    assert printed not in result.output
    names = asyncio.run(contacts(empty_postgres_url, encryption_key=KeyFile(key_path).read()[0].key))
    assert names == ["Tom"]


def test_a_service_goes_to_another_file_with_its_key(source: str, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/elsewhere/contacts.db"

    result = copied(source, target)

    assert result.exit_code == 0, result.output
    key_path = tmp_path / "elsewhere" / "contacts.db.key"
    assert f"went along: {key_path}" in result.stderr
    assert key_path.read_bytes() == (tmp_path / "contacts.db.key").read_bytes()
    assert [path.stat().st_mode & 0o777 for path in (key_path, key_path.with_name("contacts.db"))] == [0o600, 0o600]
    assert asyncio.run(contacts(target, encryption_key=None)) == ["Tom"]


def test_a_service_comes_back_from_postgresql(empty_postgres_url: str, tmp_path: Path) -> None:
    asyncio.run(contacts(empty_postgres_url))
    target = f"sqlite:///{tmp_path}/contacts.db"

    without = copied(empty_postgres_url, target)
    result = copied(empty_postgres_url, target, ENCRYPTION_KEY=KEY)

    assert without.exit_code == 1
    assert "MESSAGE_CONTACTS_ENCRYPTION_KEY has to be set to that of the service" in without.stderr
    assert result.exit_code == 0, result.output
    assert "ENCRYPTION_KEY stays as it is" in result.stderr
    assert KEY not in result.output
    assert asyncio.run(contacts_only(target)) == ["Ann"]


async def contacts_only(url: str) -> list[str]:
    async with open_api(url) as api:
        return [contact["Name"] for contact in (await api.call("ListMessageContacts"))["Contacts"]]


def test_a_key_that_opens_nothing_is_refused_before_anything_is_copied(source: str, empty_postgres_url: str) -> None:
    wrong = copied(source, empty_postgres_url, ENCRYPTION_KEY=KEY)

    assert wrong.exit_code == 1
    assert "opens none of the" in wrong.stderr
    assert held(empty_postgres_url)["account"] == []
    assert copied(source, empty_postgres_url).exit_code == 0


def test_a_key_file_that_is_missing_or_in_the_way_is_named(source: str, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/other.db"
    KeyFile(tmp_path / "other.db.key").make()
    assert "other.db.key holds another encryption key than" in copied(source, target).stderr

    (tmp_path / "contacts.db.key").rename(tmp_path / "hidden")
    refused = copied(source, target)
    assert refused.exit_code == 1
    assert "There is no encryption key" in refused.stderr
    assert not (tmp_path / "other.db").exists()


def test_secrets_that_nothing_opens_are_copied_and_named(source: str, empty_postgres_url: str) -> None:
    async def spoil() -> None:
        async with await build(Settings(database_url=source, encryption_key=b"o" * 32)) as service:
            await service.administration.create_access_key((await service.administration.accounts())[0].account_id)

    asyncio.run(spoil())
    result = copied(source, empty_postgres_url)

    assert result.exit_code == 0
    assert "No key opens the secrets of 1 access keys, before as after" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "mysql://somewhere/x", "--to", "sqlite:///x.db"], "Invalid value for '--from'"),
        (["--from", "sqlite:///x.db"], "Missing option '--to'"),
    ],
)
def test_wrong_usage_says_what_is_wrong(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(commands, ["copy", *arguments])

    assert result.exit_code == 2
    assert said in result.stderr


def test_passwords_are_not_shown(source: str, empty_postgres_url: str) -> None:
    result = copied(source, empty_postgres_url.replace("tester@", "tester:hunter2@"))

    assert result.exit_code == 0
    assert "tester:***@" in result.stderr
    assert "hunter2" not in result.output


def test_a_copy_that_is_killed_is_continued_by_the_same_command(tmp_path: Path, empty_postgres_url: str) -> None:
    path = tmp_path / "contacts.db"
    migrate(f"sqlite:///{path}")
    fill(path, rows=1_200)
    (tmp_path / "contacts.db.key").write_text(f"{KEY}\n")
    # Rows of a test have no secrets that open.
    sql = "PRAGMA foreign_keys = ON; DELETE FROM access_key"
    subprocess.run(
        [sys.executable, "-c", f"import sqlite3; c=sqlite3.connect({str(path)!r}); c.executescript('{sql}')"],
        check=True,
    )
    arguments = [COMMAND, "copy", "--from", f"sqlite:///{path}", "--to", empty_postgres_url]

    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("Copying" in line for line in process.stderr)
        while schema_version(empty_postgres_url) == HEAD:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    with pytest.raises(SchemaMismatch, match="has begun and not ended"):
        migrate(empty_postgres_url)

    again = copied(f"sqlite:///{path}", empty_postgres_url)
    assert again.exit_code == 0, again.output
    assert "An earlier copy was interrupted; it is continued." in again.stderr
    assert held(empty_postgres_url) == held(f"sqlite:///{path}")
