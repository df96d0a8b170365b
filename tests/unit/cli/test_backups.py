"""`backup` and `restore`, on databases of their own."""

import asyncio
import json
import sqlite3
from pathlib import Path

import apsw
import pytest

from message_contacts.bootstrap import build
from message_contacts.settings import Settings
from message_contacts.storage.migrate import HEAD, schema_version
from message_contacts.storage.migrations.running import upgrade
from message_contacts.storage.schema import SCHEMA

PERSON = {
    "Name": "Tom",
    "EmailAddress": "tom@example.com",
    "Title": "CEO",
    "MessageTypes": ["SecurityMessage"],
}


@pytest.fixture
def database(tmp_path):
    return tmp_path / "contacts.db"


@pytest.fixture
def account(run):
    """A database with one account; the account as it was made."""
    assert run("migrate").exit_code == 0
    made = run("account", "create", "team", "--json")
    assert made.exit_code == 0, made.output
    return json.loads(made.stdout)


@pytest.fixture
def copy(run, account, tmp_path):
    """A backup of that database, in a folder of its own, with its key."""
    (tmp_path / "backups").mkdir()
    copy = tmp_path / "backups" / "copy.db"
    made = run("backup", "--to", str(copy), "--with-key")
    assert made.exit_code == 0, made.output
    return copy


def query(path: Path, sql: str, *parameters):
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(sql, parameters).fetchall()
        connection.commit()
        return rows
    finally:
        connection.close()


def with_service(database: Path, work):
    """What a service on that database gives back."""

    async def run():
        async with await build(Settings(database_url=f"sqlite:///{database}")) as service:
            return await work(service)

    return asyncio.run(run())


def gone(database: Path) -> None:
    for path in database.parent.glob("contacts.db*"):
        path.unlink()


@pytest.mark.usefixtures("account")
def test_a_backup_is_checked_and_comes_with_its_digest_but_without_the_key(run, tmp_path):
    result = run("backup", "--to", str(tmp_path / "copy.db"))
    assert result.exit_code == 0, result.output
    assert f"schema {HEAD}, " in result.stderr
    assert "among them 1 accounts" in result.stderr
    assert "The encryption key is not in it." in result.stderr
    found = sorted(path.name for path in tmp_path.glob("*copy.db*"))
    assert found == ["copy.db", "copy.db.sha256"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("copy.db*")} == {0o600}
    assert (tmp_path / "copy.db.sha256").read_text().endswith("  copy.db\n")


def test_a_backup_with_the_key_says_so(copy, database):
    key = copy.with_name("copy.db.key")
    assert key.read_bytes() == database.with_name("contacts.db.key").read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_backup_is_replaced_only_when_that_is_said(run, copy):
    before = copy.read_bytes()
    run("account", "create", "other")
    refused = run("backup", "--to", str(copy))
    assert refused.exit_code == 1
    assert "is there already: name another file, or say --replace." in refused.stderr
    assert copy.read_bytes() == before
    assert run("backup", "--to", str(copy), "--replace").exit_code == 0
    assert query(copy, "SELECT count(*) FROM account") == [(2,)]


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("words", "variables", "complaint"),
    [
        (["--to", "{folder}/none/copy.db"], {}, "No such file or directory"),
        (["--to", "{folder}/contacts.db", "--replace"], {}, "is what is to be backed up"),
        (
            ["--to", "{folder}/copy.db", "--with-key"],
            {"ENCRYPTION_KEY": "a" * 43 + "="},
            "the key is in MESSAGE_CONTACTS",
        ),
        (["--to", "{folder}/copy.db"], {"DATABASE_URL": "sqlite:///{folder}/none.db"}, "there is no database at"),
    ],
)
def test_a_backup_that_cannot_be_made_leaves_nothing(run, tmp_path, words, variables, complaint):
    environment = {f"MESSAGE_CONTACTS_{name}": text.format(folder=tmp_path) for name, text in variables.items()}
    before = sorted(tmp_path.iterdir())
    result = run("backup", *(word.format(folder=tmp_path) for word in words), **environment)
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_a_backup_whose_secrets_no_key_opens_is_made_and_complained_of(run, account, database, tmp_path):
    database.with_name("contacts.db.key").write_text("A" * 43 + "=\n")
    result = run("backup", "--to", str(tmp_path / "copy.db"))
    assert result.exit_code == 1
    assert f"No key at hand opens the secrets of 1 access keys ({account['AccessKeyId']})" in result.stderr
    assert (tmp_path / "copy.db").exists()


def test_a_database_that_was_lost_comes_back_with_its_key(run, copy, account, database):
    gone(database)
    result = run("restore", "--from", str(copy), "--with-key")
    assert result.exit_code == 0, result.output
    assert "The secrets of all 1 access keys open with the key at hand." in result.stderr
    assert "The audit trails of 1 accounts are unbroken." in result.stderr
    assert "kept" not in result.stderr
    assert database.stat().st_mode & 0o777 == database.with_name("contacts.db.key").stat().st_mode & 0o777 == 0o600
    (listed,) = json.loads(run("account", "list", "--json").stdout)
    assert listed["AccountId"] == account["AccountId"]
    assert not list(database.parent.glob(".*"))


def test_a_restore_without_any_key_is_refused_and_says_what_to_do(run, copy, database):
    gone(database)
    result = run("restore", "--from", str(copy))
    assert result.exit_code == 1
    assert "there is no key that opens the backup" in result.stderr
    assert "Say --with-key to use the one in the backup." in result.stderr
    assert not list(database.parent.glob("*contacts.db*"))
    copy.with_name("copy.db.key").unlink()
    assert "the backup was made without its key" in run("restore", "--from", str(copy), "--with-key").stderr


def test_another_key_is_noticed(run, copy, account, database):
    gone(database)
    result = run("restore", "--from", str(copy), MESSAGE_CONTACTS_ENCRYPTION_KEY="A" * 43 + "=")
    assert result.exit_code == 1
    assert f"No key at hand opens the secrets of 1 access keys ({account['AccessKeyId']})" in result.stderr


def test_a_key_that_is_in_use_already_stays_below_the_one_of_the_backup(run, copy, database):
    current = database.with_name("contacts.db.key")
    backed_up = current.read_text()
    current.write_text("A" * 43 + "=\n")
    result = run("restore", "--from", str(copy), "--with-key", "--replace")
    assert result.exit_code == 0, result.output
    assert current.read_text() == backed_up + "A" * 43 + "=\n"


@pytest.mark.usefixtures("account")
def test_a_database_with_accounts_is_replaced_only_when_that_is_said_and_is_kept(run, copy, database):
    run("account", "create", "later")
    refused = run("restore", "--from", str(copy))
    assert refused.exit_code == 1
    assert "say --replace to replace it" in refused.stderr
    assert query(database, "SELECT count(*) FROM account") == [(2,)]
    result = run("restore", "--from", str(copy), "--replace")
    assert result.exit_code == 0, result.output
    assert query(database, "SELECT count(*) FROM account") == [(1,)]
    (kept,) = database.parent.glob("contacts.db.before-*")
    assert str(kept) in result.stderr
    assert query(kept, "SELECT count(*) FROM account") == [(2,)]


def test_a_database_in_use_is_not_replaced(run, copy, database):
    using = apsw.Connection(str(database))
    using.execute("SELECT count(*) FROM account").fetchall()  # idle from here on, but open
    result = run("restore", "--from", str(copy), "--replace")
    using.close()
    assert result.exit_code == 1
    assert "is in use. Stop every process that works with it" in result.stderr
    assert not list(database.parent.glob("contacts.db.before-*"))
    assert not list(database.parent.glob(".contacts.db*"))


def truncated(copy):
    copy.write_bytes(copy.read_bytes()[:-4096])


def altered(copy):
    content = copy.read_bytes()
    copy.write_bytes(content.replace(b"team", b"tame", 1))


def foreign(copy):
    copy.write_bytes(b"something else\n" * 500)


@pytest.mark.parametrize("damage", [truncated, altered, foreign])
def test_a_file_that_is_not_what_was_backed_up_is_refused_before_anything_is_changed(run, copy, database, damage):
    before = database.read_bytes()
    damage(copy)
    result = run("restore", "--from", str(copy), "--replace")
    assert result.exit_code == 1
    assert "is not the file that was backed up" in result.stderr
    assert database.read_bytes() == before
    assert not list(database.parent.glob("contacts.db.before-*"))


@pytest.mark.parametrize("damage", [truncated, foreign])
def test_without_the_digest_damage_is_noticed_all_the_same(run, copy, database, damage):
    copy.with_name("copy.db.sha256").unlink()
    damage(copy)
    result = run("restore", "--from", str(copy), "--replace")
    assert result.exit_code == 1
    assert "is damaged" in result.stderr or "is not an SQLite database" in result.stderr
    assert query(database, "SELECT count(*) FROM account") == [(1,)]


def test_without_the_digest_it_is_said_what_was_not_looked_at(run, copy):
    copy.with_name("copy.db.sha256").unlink()
    result = run("restore", "--from", str(copy), "--replace")
    assert result.exit_code == 0
    assert "There was no digest beside the backup" in result.stderr


def test_an_audit_trail_that_was_changed_is_noticed(run, copy, account, database):
    with_service(database, lambda service: service.sealer.seal())
    assert run("backup", "--to", str(copy), "--replace").exit_code == 0
    query(copy, "UPDATE audit_event SET operation = 'Nothing' WHERE sequence = 1")
    copy.with_name("copy.db.sha256").unlink()
    result = run("restore", "--from", str(copy), "--replace")
    assert result.exit_code == 1
    assert f"The audit trail of {account['AccountId']} is BROKEN" in result.stderr


@pytest.fixture
def erased_since(run, copy, account, database):
    """A backup with a contact who was erased since; how to erase them."""

    def add(service):
        return service.invoke("AddMessageContact", "2022-04-19", account["AccountId"], **PERSON)

    contact_id = with_service(database, add)["Contact"]["ContactId"]
    with_service(database, lambda service: service.sealer.seal())
    assert run("backup", "--to", str(copy), "--replace").exit_code == 0
    who = f"--account {account['AccountId']} --contact {contact_id} --yes"
    assert run("person", "erase", *who.split()).exit_code == 0
    return f"message-contacts person erase {who}\n"


def test_text_that_is_none_is_a_break_and_hides_no_erasure(run, copy, account, erased_since):
    query(copy, "UPDATE audit_event SET operation = CAST(x'61ff62' AS TEXT) WHERE sequence = 1")
    copy.with_name("copy.db.sha256").unlink()
    result = run("restore", "--from", str(copy), "--replace")
    assert (result.exit_code, result.stdout) == (1, erased_since)
    assert f"The audit trail of {account['AccountId']} is BROKEN: event" in result.stderr


def test_a_trail_that_cannot_be_verified_is_told_and_hides_no_erasure(run, copy, account, erased_since, monkeypatch):
    def failing(*_args):
        raise RuntimeError("no")

    monkeypatch.setattr("message_contacts.bootstrap.backups.export", failing)
    result = run("restore", "--from", str(copy), "--replace")
    assert (result.exit_code, result.stdout) == (1, erased_since)
    told = f"The audit trail of {account['AccountId']} is BROKEN: it cannot be verified: RuntimeError('no')"
    assert told in result.stderr


def test_persons_who_were_erased_since_are_named_with_what_to_do(run, copy, account, database):
    async def add(service):
        """A contact with a verification: records besides the person go with an erasure, too."""
        added = await service.invoke("AddMessageContact", "2022-04-19", account["AccountId"], **PERSON)
        asked = {"ContactId": added["Contact"]["ContactId"], "EmailAddress": PERSON["EmailAddress"]}
        operation = "SendEmailVerificationForMessageContact"
        await service.invoke(operation, "2022-04-19", account["AccountId"], **asked)
        return added["Contact"]["ContactId"]

    contact_id = with_service(database, add)
    assert run("backup", "--to", str(copy), "--replace").exit_code == 0
    who = f"--account {account['AccountId']} --contact {contact_id} --yes"
    assert run("person", "erase", *who.split()).exit_code == 0
    result = run("restore", "--from", str(copy), "--replace")
    assert result.exit_code == 0, result.output
    assert "These persons were erased after the backup was made. Erase them again" in result.stderr
    assert result.stdout == f"message-contacts person erase {who}\n"
    assert query(database, "SELECT contact_id FROM contact") == [(contact_id,)]
    assert run("person", "erase", *who.split()).exit_code == 0
    assert run("backup", "--to", str(copy), "--replace").exit_code == 0
    assert run("restore", "--from", str(copy), "--replace").stdout == ""  # that one is in it


def test_a_damaged_database_gives_way_to_its_backup(run, copy, database):
    for companion in database.parent.glob("contacts.db-*"):
        companion.unlink()
    database.write_bytes(b"a disk that forgot" * 5000)
    assert "say --replace" in run("restore", "--from", str(copy)).stderr
    result = run("restore", "--from", str(copy), "--replace")
    assert result.exit_code == 0, result.output
    assert "Persons who were erased after the backup was made are there again." in result.stderr
    assert query(database, "SELECT count(*) FROM account") == [(1,)]


def test_a_backup_of_an_older_schema_is_brought_up_to_date(run, tmp_path, database):
    older = tmp_path / "older.db"
    upgrade(older, "0001")
    (tmp_path / "contacts.db.key").write_text("A" * 43 + "=\n")
    made = run("backup", "--to", str(tmp_path / "copy.db"), MESSAGE_CONTACTS_DATABASE_URL=f"sqlite:///{older}")
    assert made.exit_code == 0, made.output
    assert schema_version(f"sqlite:///{older}") == "0001"  # a backup changes nothing
    result = run("restore", "--from", str(tmp_path / "copy.db"))
    assert result.exit_code == 0, result.output
    assert schema_version(f"sqlite:///{database}") == HEAD


def test_a_backup_of_a_newer_schema_is_refused(run, copy, database):
    query(copy, "UPDATE alembic_version SET version_num = '9999'")
    query(copy, "UPDATE schema_compatibility SET oldest_program = '9999'")
    copy.with_name("copy.db.sha256").unlink()
    result = run("restore", "--from", str(copy), "--replace")
    assert result.exit_code == 1
    assert "schema version 9999, which is newer than this program" in result.stderr
    assert schema_version(f"sqlite:///{database}") == HEAD


def test_every_table_is_in_a_backup(copy):
    there = {name for (name,) in query(copy, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert set(SCHEMA.tables) <= there
