"""`serve` and `worker` as processes: they start, say where they are, and end when told to."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from message_contacts.bootstrap import Service
from message_contacts.cli import serving
from message_contacts.delivery.worker import Worker
from message_contacts.metrics.process import processor_wait
from message_contacts.settings import Settings

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
        try:
            yield process, said
        except BaseException:
            process.kill()  # or the test would wait for it
            raise
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


@pytest.mark.parametrize(("engine", "behind"), [("sqlite", 0), ("postgresql", 10)], indirect=["engine"])
def test_a_worker_gives_way_to_whoever_answers_calls(tmp_path, database_url, behind):
    """Not on SQLite: a process that waits for a processor would keep the others from writing."""
    variables = {"MESSAGE_CONTACTS_DATABASE_URL": database_url, "MESSAGE_CONTACTS_ENCRYPTION_KEY": "A" * 43 + "="}
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with started(tmp_path, "worker", until="Sending what waits", **variables) as (process, _):
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(own + behind, 19)


@pytest.mark.parametrize(("gives_way", "asked"), [(True, [processor_wait]), (False, [])])
async def test_a_worker_that_gives_way_asks_how_long_it_had_no_processor(tmp_path, monkeypatch, gives_way, asked):
    asks = []
    monkeypatch.setattr(Worker, "give_way", lambda _self, waited: asks.append(waited))

    async def done(_service):
        pass

    monkeypatch.setattr(Service, "work", done)
    await serving._work(Settings(database_url=f"sqlite:///{tmp_path}/contacts.db"), gives_way=gives_way)
    assert asks == asked


def test_a_worker_without_a_database_says_so(run):
    result = run("worker")
    assert result.exit_code == 1
    assert "there is no database at" in result.stderr


def fetched(url):
    try:
        with urlopen(url) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def calls_of(text):
    """How many calls were answered, by all that is told."""
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(CALLS))


CALLS = "message_contacts_requests_total{"


def test_metrics_of_a_service_on_loopback_are_beside_the_api(tmp_path):
    with started(tmp_path, "serve", "--port", "0", until="answers at") as (_, said):
        assert fetched(address(said))[0] == 400
        status, text = fetched(address(said) + "/metrics")
        assert (status, calls_of(text)) == (200, 1)


def test_metrics_of_several_processes_are_added_up_and_never_fall(tmp_path):
    port = free_port()
    variables = {"MESSAGE_CONTACTS_METRICS_LISTEN": f"127.0.0.1:{port}", "TMPDIR": str(tmp_path)}
    with started(tmp_path, "serve", "--port", "0", "--workers", "2", until="answers at", **variables) as (_, said):
        assert f"Metrics at http://127.0.0.1:{port}/metrics." in said
        assert fetched(address(said) + "/metrics")[0] == 404
        assert fetched(f"http://127.0.0.1:{port}/")[0] == 404
        assert fetched(f"http://127.0.0.1:{port}/readyz") == (200, "ok\n")
        seen = [0.0]
        deadline = time.monotonic() + _SECONDS
        sent = 0
        # One was refused above. Whichever process answers has the others' numbers a moment later.
        while seen[-1] < 41 or sent < 40:
            assert time.monotonic() < deadline, seen
            if sent < 40:
                fetched(address(said))
                sent += 1
            seen.append(calls_of(fetched(f"http://127.0.0.1:{port}/metrics")[1]))
        assert seen == sorted(seen)
        assert seen[-1] == 41
        assert "message_contacts_processes 2" in fetched(f"http://127.0.0.1:{port}/metrics")[1]
        assert len(list(tmp_path.glob("message-contacts-*"))) == 1
    assert not list(tmp_path.glob("message-contacts-*"))


def test_a_worker_tells_its_numbers_and_those_of_its_folder(tmp_path):
    ports = [free_port(), free_port()]
    shared = {"MESSAGE_CONTACTS_METRICS_FOLDER": str(tmp_path / "numbers")}
    listens = [{"MESSAGE_CONTACTS_METRICS_LISTEN": f"127.0.0.1:{port}", **shared} for port in ports]
    with (
        started(tmp_path, "serve", "--port", "0", until="answers at", **listens[0]) as (_, said),
        started(tmp_path, "worker", until="Sending what waits", **listens[1]),
    ):
        fetched(address(said))
        fetched(f"http://127.0.0.1:{ports[0]}/metrics")  # writes down what it has counted
        assert fetched(f"http://127.0.0.1:{ports[1]}/readyz") == (200, "ok\n")
        status, text = fetched(f"http://127.0.0.1:{ports[1]}/metrics")
        assert (status, calls_of(text)) == (200, 1)
        assert "message_contacts_processes 2" in text
        assert fetched(f"http://127.0.0.1:{ports[1]}/")[0] == 404


def test_a_port_for_metrics_that_is_taken_is_said_plainly(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = subprocess.run(
            [COMMAND, "serve", "--port", "0"],
            check=False,
            cwd=tmp_path,
            env={**os.environ, "MESSAGE_CONTACTS_METRICS_LISTEN": listen},
            capture_output=True,
            text=True,
        )
    assert ended.returncode == 1
    assert f"cannot listen on {listen.replace(':', ' port ')} for metrics: Address already in use." in ended.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_after_sigterm_readiness_goes_first_and_calls_are_still_answered(tmp_path, workers):
    variables = {"MESSAGE_CONTACTS_DRAIN_SECONDS": "300"}
    arguments = ("serve", "--port", "0", "--workers", workers)
    with started(tmp_path, *arguments, until="answers at", **variables) as (process, said):
        assert fetched(address(said) + "/readyz") == (200, "ok\n")
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _SECONDS
        in_a_row = 0
        while in_a_row < 20:  # so many that both processes are among them
            in_a_row = in_a_row + 1 if fetched(address(said) + "/readyz") == (503, "shutting-down\n") else 0
            assert time.monotonic() < deadline
        assert fetched(address(said) + "/healthz") == (200, "ok\n")
        assert fetched(address(said))[0] == 400  # the API's own refusal of a call without a name
        if workers == "2":  # the processes that answer are told again; the one above them waits for them
            for child in children(process.pid):
                os.kill(child, signal.SIGTERM)


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()]
