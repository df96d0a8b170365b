"""Links that sign the operator in to the console."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("message-contacts"))
LINK = re.compile(r"http://127\.0\.0\.1:[0-9]+/console/sign-in/([0-9]{16})\.[A-Za-z0-9_-]{43}\b")


@pytest.fixture
def database(run):
    assert run("migrate").exit_code == 0


@pytest.mark.usefixtures("database")
def test_a_link_is_for_the_only_account(run):
    account = json.loads(run("account", "create", "team", "--json").stdout)

    printed = run("console-link")

    assert printed.exit_code == 0
    assert LINK.fullmatch(printed.stdout.strip())[1] == account["AccountId"]
    assert run("console-link").stdout != printed.stdout


@pytest.mark.usefixtures("database")
def test_where_there_are_several_accounts_one_has_to_be_named(run):
    run("account", "create", "team")
    second = json.loads(run("account", "create", "other", "--json").stdout)

    refused = run("console-link")

    assert refused.exit_code == 1
    assert "there are 2 accounts: say which one with --account-id" in refused.stderr
    assert LINK.fullmatch(run("console-link", "--account-id", second["AccountId"]).stdout.strip())


@pytest.mark.usefixtures("database")
def test_an_account_without_an_active_key_is_told_to_make_one(run):
    run("account", "create", "bare", "--no-key", "--account-id", "1000000000000009")

    refused = run("console-link")

    assert refused.exit_code == 1
    assert "message-contacts access-key create 1000000000000009" in refused.stderr


@pytest.mark.usefixtures("database")
def test_without_an_account_there_is_no_link(run):
    refused = run("console-link")

    assert refused.exit_code == 1
    assert "there is no account yet" in refused.stderr


def test_a_start_prints_a_link_only_to_a_terminal(tmp_path):
    ours, theirs = pty.openpty()
    at_terminal = _start(tmp_path / "terminal", theirs)
    os.close(theirs)
    said = ""
    with os.fdopen(ours, encoding="utf-8", newline="") as terminal:
        while "Console:" not in said:
            said += terminal.readline()
        _end(at_terminal)
    piped = _start(tmp_path / "pipe", subprocess.PIPE)
    lines = iter(piped.stderr.readline, "")
    told = next(line for line in lines if line.startswith("Console:"))
    _end(piped)

    assert LINK.search(said)
    assert re.fullmatch(r"Console: http://127\.0\.0\.1:[0-9]+/console/\n", told)


def _start(folder, stderr):
    folder.mkdir()
    return subprocess.Popen(
        [COMMAND, "serve", "--port", "0"], cwd=folder, stderr=stderr, stdout=subprocess.DEVNULL, text=True
    )


def _end(process):
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
