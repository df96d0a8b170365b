"""`encryption-key` and `access-key rotate`, on a database of their own."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from contextlib import closing

import pytest

KEYS = [base64.b64encode(bytes([letter]) * 32).decode() for letter in b"ab"]


@pytest.fixture
def account(run):
    assert run("migrate").exit_code == 0
    made = run("account", "create", "team", "--json")
    assert made.exit_code == 0, made.output
    return json.loads(made.stdout)


@pytest.fixture
def key_file(tmp_path):
    return tmp_path / "contacts.db.key"


def test_a_rotation_makes_a_key_seals_anew_and_says_what_is_next(run, account, key_file):
    before = key_file.read_text()
    done = run("encryption-key", "rotate")
    assert done.exit_code == 0, done.output
    assert "1 secrets were sealed anew" in done.stderr
    assert "`message-contacts encryption-key forget` takes them away, from 20" in done.stderr
    lines = key_file.read_text().splitlines()
    assert len(lines) == 2
    assert lines[1] == before.strip()
    assert key_file.stat().st_mode & 0o777 == 0o600
    for shown in (lines[0].split()[0], lines[1]):
        assert shown not in done.output


def test_the_status_shows_what_each_key_opens_and_no_key(run, account, key_file):
    assert run("encryption-key", "rotate").exit_code == 0
    shown = run("encryption-key", "status").stdout.splitlines()
    assert shown[0].split() == ["key", "state", "from", "since", "secrets", "needed", "for"]
    assert shown[1].split()[1:3] == ["current", "file"]
    assert shown[1].split()[4] == "1"
    assert shown[2].split()[1:5] == ["accepted", "file", "-", "0"]
    assert not any(line.split()[0] in "\n".join(shown) for line in key_file.read_text().splitlines())


def test_forgetting_is_refused_while_something_may_be_on_its_way(run, account, key_file):
    assert run("encryption-key", "forget").stderr == "There is no earlier key.\n"
    assert run("encryption-key", "rotate").exit_code == 0
    refused = run("encryption-key", "forget")
    assert refused.exit_code == 1
    assert "stays: what is on its way until 20" in refused.stderr
    # As if the rotation had been long ago.
    first, second = key_file.read_text().splitlines()
    key_file.write_text(f"{first.split()[0]} 2020-01-01T00:00:00Z\n{second}\n")
    done = run("encryption-key", "forget")
    assert done.exit_code == 0
    assert done.stderr.startswith("1 key is forgotten.\nWith ")
    assert done.stderr.endswith(", links in mails sent until 2020-01-01T00:00:00Z have ended.\n")
    assert key_file.read_text() == f"{first.split()[0]} 2020-01-01T00:00:00Z\n"


def with_keys(current, *accepted):
    given = {"MESSAGE_CONTACTS_ENCRYPTION_KEY": current}
    if accepted:
        given["MESSAGE_CONTACTS_ENCRYPTION_KEYS_ACCEPTED"] = ",".join(accepted)
    return given


def test_with_keys_from_settings_it_says_what_to_set_where(run):
    old, new = KEYS
    assert run("migrate", **with_keys(old)).exit_code == 0
    assert run("account", "create", "team", **with_keys(old)).exit_code == 0
    told = run("encryption-key", "rotate", **with_keys(old))
    assert "0 secrets were sealed anew" in told.stderr
    assert "Set MESSAGE_CONTACTS_ENCRYPTION_KEYS_ACCEPTED to the new key; restart each process." in told.stderr
    done = run("encryption-key", "rotate", **with_keys(new, old))
    assert "1 secrets were sealed anew" in done.stderr
    assert "may leave MESSAGE_CONTACTS_ENCRYPTION_KEYS_ACCEPTED: nothing needs it." in done.stderr
    assert run("encryption-key", "forget", **with_keys(new)).stderr == "There is no earlier key.\n"
    shown = run("encryption-key", "status", **with_keys(new)).stdout.splitlines()[1].split()
    assert shown[1:5] == ["current", "settings", "-", "1"]


def test_with_keys_from_settings_somebody_says_when_they_were_replaced(run, tmp_path):
    old, new = KEYS
    assert run("migrate", **with_keys(old)).exit_code == 0
    assert run("account", "create", "team", **with_keys(old)).exit_code == 0
    refused = run("encryption-key", "forget", **with_keys(new, old))
    assert refused.exit_code == 1
    assert "has to stay in MESSAGE_CONTACTS_ENCRYPTION_KEYS_ACCEPTED: secrets." in refused.stderr
    assert run("encryption-key", "rotate", **with_keys(new, old)).exit_code == 0
    assert run("encryption-key", "forget", **with_keys(new, old)).exit_code == 0
    publish_long_ago(tmp_path / "contacts.db")
    told = run("encryption-key", "rotate", **with_keys(new, old)).stderr
    assert "encryption-key forget --replaced 20" in told
    for arguments, status, said in (
        ((), 1, "has to stay in MESSAGE_CONTACTS_ENCRYPTION_KEYS_ACCEPTED: mails of messages on record until 20"),
        (
            ("--with-mails",),
            0,
            "may leave MESSAGE_CONTACTS_ENCRYPTION_KEYS_ACCEPTED, and links in mails sent with it end.",
        ),
        (
            ("--replaced", "2020-01-01T00:00:00Z"),
            0,
            "may leave MESSAGE_CONTACTS_ENCRYPTION_KEYS_ACCEPTED: nothing needs it.",
        ),
        (("--replaced", "2999-01-01T00:00:00Z"), 2, "the moment has not come yet."),
    ):
        done = run("encryption-key", "forget", *arguments, **with_keys(new, old))
        assert (done.exit_code, said in done.stderr) == (status, True), done.stderr


def publish_long_ago(database):
    """Put a message on record that was published a day ago."""
    with closing(sqlite3.connect(database)) as connection, connection:
        ((account_id,),) = connection.execute("SELECT account_id FROM account").fetchall()
        connection.execute(
            "INSERT INTO message (account_id, message_id, message_type, severity, subject, text, targets,"
            " content_digest, state, published_at, published_by, version)"
            " VALUES (?, 'm-1', 'FaultMessage', 'Notice', 's', 't', '[]', x'00', 'done', ?, '', 1)",
            (account_id, round((time.time() - 86_400) * 1000)),
        )


def test_links_in_mails_of_messages_on_record_end_only_when_asked_for(run, account, key_file, tmp_path):
    publish_long_ago(tmp_path / "contacts.db")
    assert run("encryption-key", "rotate").exit_code == 0
    refused = run("encryption-key", "forget")
    assert refused.exit_code == 1
    assert "stays: mails of messages on record until 20" in refused.stderr
    assert "forget --with-mails" not in refused.stderr, "what is on its way needs it too"
    first, second = key_file.read_text().splitlines()
    an_hour_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    key_file.write_text(f"{first.split()[0]} {an_hour_ago}\n{second}\n")
    refused = run("encryption-key", "forget")
    assert refused.exit_code == 1
    assert (
        "`message-contacts encryption-key forget --with-mails` ends what only mails of messages need." in refused.stderr
    )
    done = run("encryption-key", "forget", "--with-mails")
    assert (done.exit_code, len(key_file.read_text().splitlines())) == (0, 1)
    assert f"links in mails sent until {an_hour_ago} have ended." in done.stderr


def test_a_secret_that_no_key_opens_is_named(run):
    old, new = KEYS
    assert run("migrate", **with_keys(old)).exit_code == 0
    assert run("account", "create", "team", **with_keys(old)).exit_code == 0
    told = run("encryption-key", "status", **with_keys(new))
    assert "No key opens the secrets of 1 access keys (MC" in told.stderr


def test_a_rotated_access_key_is_made_for_the_same_account_and_the_old_one_stays(run, account):
    old = account["AccessKeyId"]
    made = run("access-key", "rotate", old, "--json")
    new = json.loads(made.stdout)
    assert new["AccountId"] == account["AccountId"]
    assert new["AccessKeyId"] != old
    assert "The secret is not shown again." in made.stderr
    assert f"`message-contacts access-key deactivate {old}`" in made.stderr
    listed = json.loads(run("access-key", "list", account["AccountId"], "--json").stdout)
    assert {key["AccessKeyId"]: key["Status"] for key in listed} == {old: "Active", new["AccessKeyId"]: "Active"}
    assert {key["LastUseTime"] for key in listed} == {""}


def test_an_unknown_access_key_cannot_be_rotated(run, account):
    refused = run("access-key", "rotate", "nobody")
    assert (refused.exit_code, refused.stderr) == (1, "Error: There is no access key nobody.\n")


def test_rotating_the_key_that_the_settings_name_says_what_that_means(run, account):
    key = account["AccessKeyId"]
    named = {"MESSAGE_CONTACTS_ROOT_ACCESS_KEY_ID": key, "MESSAGE_CONTACTS_ROOT_ACCESS_KEY_SECRET": "some-secret"}
    assert "a deleted key does not come back" in run("access-key", "rotate", key, **named).stderr
