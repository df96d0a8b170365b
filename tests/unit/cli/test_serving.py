"""`serve` and `worker` as processes: they start, say where they are, and end when told to."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

COMMAND = str(Path(sys.executable).with_name("message-contacts"))
_SECONDS = 60


@contextmanager
def started(folder, *arguments, until, **variables):
    """A command that was started and has said `until`; ended at the end by SIGTERM, with status 0."""
    with subprocess.Popen(
        [COMMAND, *arguments], cwd=folder, env={**os.environ, **variables}, stderr=subprocess.PIPE, text=True
    ) as process:
        said = ""
        for line in process.stderr:
            said += line
            if until in line:
                break
        else:
            pytest.fail(f"ended with {process.wait()}: {said}")
        yield process, said
        process.send_signal(signal.SIGTERM)
        assert process.wait(_SECONDS) == 0, process.stderr.read()


def address(said):
    return re.search(r"answers at (http://[0-9.]+:[0-9]+)", said)[1]


def test_the_first_start_shows_a_key_and_the_second_does_not(tmp_path):
    with started(tmp_path, "serve", "--port", "0", until="answers at") as (_, said):
        with urlopen(address(said) + "/readyz") as answer:
            assert answer.status == 200
        assert re.search(r"access key id +MC[0-9A-Za-z]{22}\n +access key secret +[0-9A-Za-z]{30}\n", said)
        assert sorted(path.name for path in (tmp_path / "data").iterdir())[:2] == [
            "message-contacts.db",
            "message-contacts.db-shm",
        ]
        assert (tmp_path / "data" / "message-contacts.db.key").stat().st_mode & 0o777 == 0o600
    with started(tmp_path, "serve", "--port", "0", until="answers at") as (_, said):
        assert "access key" not in said


def test_several_processes_have_the_settings_that_one_was_given(tmp_path):
    config = tmp_path / "contacts.toml"
    config.write_text('database_url = "sqlite:///elsewhere.db"\n')
    arguments = ("serve", "--port", "0", "--workers", "2", "--demo", "--config", str(config))
    with started(tmp_path, *arguments, until="first_call.py") as (_, said):
        key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "MCdemo0000000000000000"}
        key["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "demo-secret-for-loopback-only"
        call = [COMMAND, "api", "ListMessageContacts", "--endpoint", address(said)]
        for _ in range(4):
            answer = subprocess.run(call, check=False, env={**os.environ, **key}, capture_output=True, text=True)
            assert '"TotalCount": 5' in answer.stdout, answer.stderr
    assert (tmp_path / "elsewhere.db").exists()


def test_a_port_in_use_is_said_plainly(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [COMMAND, "serve", "--port", port], check=False, cwd=tmp_path, capture_output=True, text=True
        )
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_certificate_that_is_none_is_said_plainly(tmp_path):
    for name in ("certificate", "key"):
        (tmp_path / name).write_text("no PEM\n")
    files = {"MESSAGE_CONTACTS_TLS_CERTIFICATE": "certificate", "MESSAGE_CONTACTS_TLS_KEY": "key"}
    ended = subprocess.run(
        [COMMAND, "serve", "--port", "0"],
        check=False,
        cwd=tmp_path,
        env={**os.environ, **files},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert "Error: certificate and key cannot be used for TLS: " in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "complaint"),
    [
        (["--port", "many"], {}, "must be a whole number from 0 to 65535"),
        (["--host", "0.0.0.0"], {}, "MESSAGE_CONTACTS_PUBLIC_URL has to be set"),
        (["--demo"], {"PUBLIC_URL": "https://a.example", "ALLOW_CAPTURE": "true"}, "demo access key is public"),
        (
            ["--demo"],
            {"SMS_URL": "https://a.example", "ROOT_ACCESS_KEY_ID": "mine", "ROOT_ACCESS_KEY_SECRET": "my-own-secret"},
            "--demo is for a loopback address with captured mail",
        ),
    ],
)
def test_a_start_that_is_not_allowed_makes_nothing(run, tmp_path, arguments, variables, complaint):
    result = run("serve", *arguments, **{f"MESSAGE_CONTACTS_{name}": text for name, text in variables.items()})
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_worker_sends_what_a_service_without_one_leaves(tmp_path):
    variables = {"MESSAGE_CONTACTS_WORKER": "false"}
    with started(tmp_path, "serve", "--demo", "--port", "0", until="first_call.py", **variables) as (_, said):
        key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "MCdemo0000000000000000"}
        key["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "demo-secret-for-loopback-only"
        inbox = [COMMAND, "inbox", "--endpoint", address(said)]

        def look(*more):
            return subprocess.run(
                [*inbox, *more], check=False, env={**os.environ, **key}, capture_output=True, text=True
            )

        assert look().stdout == ""
        with started(tmp_path, "worker", until="Sending what waits"):
            sent = next((shown for _ in range(_SECONDS) if (shown := look().stdout)), "")
            assert "lena@example.com" in sent


def test_a_worker_without_a_database_says_so(run):
    result = run("worker")
    assert result.exit_code == 1
    assert "there is no database at" in result.stderr


def test_processes_that_are_told_to_stop_are_not_ready_and_go_on_for_the_delay(tmp_path):
    variables = {"MESSAGE_CONTACTS_DATABASE_URL": f"sqlite:///{tmp_path}/c.db", "MESSAGE_CONTACTS_STOP_DELAY": "2"}
    with started(tmp_path, "serve", "--port", "0", "--workers", "2", until="answers at", **variables) as (
        process,
        said,
    ):
        address = re.search(r"answers at (http://\S+);", said)[1]
        process.send_signal(signal.SIGTERM)
        answers = set()
        while 503 not in answers:  # the process above looks at its signals twice a second
            try:
                with urlopen(f"{address}/readyz", timeout=_SECONDS) as answer:
                    answers.add(answer.status)
            except HTTPError as refused:
                answers.add(refused.code)
        with urlopen(f"{address}/healthz", timeout=_SECONDS) as answer:
            assert answer.status == 200
