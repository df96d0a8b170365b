"""`audit`, on a database of its own."""

import json
import re
import sqlite3
from contextlib import closing

import pytest

from message_contacts.cli.with_service import run_with_service

HEAD = re.compile(r"head (\S+)")


@pytest.fixture
def account(run):
    """A tenant with some events, which nobody has sealed."""
    assert run("migrate").exit_code == 0
    made = run("account", "create", "team", "--json")
    return json.loads(made.stdout)["AccountId"]


@pytest.fixture
def seal(run):
    """Seal everything, as a service or worker does every second."""

    def work(service):
        return service.sealer.seal()

    def sealed():
        run_with_service(None, work)

    return sealed


def test_there_is_nothing_to_verify_before_the_first_change(run):
    assert run("migrate").exit_code == 0
    result = run("audit", "verify")
    assert (result.exit_code, "no events" in result.output) == (1, True)


def test_events_are_listed_newest_first(run, account):
    listed = [json.loads(line) for line in run("audit", "list", account, "--json").stdout.splitlines()]
    assert {event["Operation"] for event in listed} == {
        "operator:create-account",
        "EnableResourceDirectory",
        "operator:create-access-key",
    }
    table = run("audit", "list", account, "--operation", "EnableResourceDirectory", "--limit", "1")
    assert (table.exit_code, table.output.count("EnableResourceDirectory")) == (0, 1)
    assert "EnableResourceDirectory" not in run("audit", "list", account, "--until", "2020-01-01T00:00:00Z").output


def test_a_chain_is_verified_in_the_database_and_in_an_export(run, account, seal, tmp_path):
    assert "3 not sealed yet" in run("audit", "verify").output
    seal()
    verified = run("audit", "verify", "--account", account)
    assert (verified.exit_code, "unbroken  3 events" in verified.output) == (0, True)
    head = HEAD.search(verified.output)[1]
    assert head.startswith(f"{account}:3:")

    file = tmp_path / "trail.jsonl"
    assert run("audit", "export", "--output", str(file)).exit_code == 0
    assert len(file.read_text().splitlines()) == 4
    assert run("audit", "export", "--account", account).stdout == file.read_text()
    assert run("audit", "verify", "--file", str(file), "--head", head).exit_code == 0
    file.write_text(file.read_text().replace('"team"', '"them"'))
    broken = run("audit", "verify", "--file", str(file))
    assert (broken.exit_code, "BROKEN" in broken.output) == (1, True)


def test_a_head_that_was_noted_must_still_be_there(run, account, seal):
    seal()
    head = HEAD.search(run("audit", "verify").output)[1]
    made_anew = head[:-4] + ("0000" if head[-4:] != "0000" else "1111")
    assert run("audit", "verify", "--head", head).exit_code == 0
    assert run("audit", "verify", "--account", account, "--head", head.removeprefix(f"{account}:")).exit_code == 0
    assert run("audit", "verify", "--head", made_anew).exit_code == 1
    gone = run("audit", "verify", "--head", f"1000000000000009:1:{'0' * 64}")
    assert (gone.exit_code, "no chain" in gone.output) == (1, True)


def test_a_beginning_that_is_missing_is_compared_with_the_setting(run, account, seal, tmp_path):
    seal()
    with closing(sqlite3.connect(tmp_path / "contacts.db")) as database, database:
        database.execute(
            "UPDATE audit_chain SET pruned_sequence = 1,"
            " pruned_hash = (SELECT hash FROM audit_event WHERE sequence = 1)"
        )
        database.execute("DELETE FROM audit_event WHERE sequence = 1")
    cut = run("audit", "verify")
    assert (cut.exit_code, "the beginning is missing: sequence 1," in cut.output) == (1, True)
    assert run("audit", "verify", "--kept-days", "0").exit_code == 1
    file = tmp_path / "trail.jsonl"
    run("audit", "export", "--output", str(file))
    assert run("audit", "verify", "--file", str(file)).exit_code == 0
    assert run("audit", "verify", "--file", str(file), "--kept-days", "1").exit_code == 1


@pytest.mark.parametrize("head", ["3", "1:xyz", f"3:{'0' * 64}"])
def test_a_head_has_a_form_and_belongs_to_an_account(run, account, head):
    assert run("audit", "verify", "--head", head).exit_code == 2


def test_what_is_no_export_is_said(run, tmp_path):
    file = tmp_path / "trail.jsonl"
    file.write_text("hello\n")
    result = run("audit", "verify", "--file", str(file))
    assert (result.exit_code, "line 1" in result.output) == (1, True)


def test_an_account_without_events_is_said(run, account):
    result = run("audit", "export", "--account", "1000000000000009")
    assert (result.exit_code, "no events of 1000000000000009" in result.output) == (1, True)
