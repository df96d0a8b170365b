"""Processes that serve: one or several on one socket, over TLS, stopped by a signal, refused when they cannot start."""

from __future__ import annotations

import http.client
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).parents[2]


@contextmanager
def served(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A process that serves, killed at the end if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.served", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()  # a supervisor takes its workers with it
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return int(line)


def fetched(port: int, path: str = "/") -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_signal_to_stop_lets_a_request_end(workers: int):
    with served(str(workers)) as process:
        port = port_of(process)
        assert int(fetched(port)) > 0
        answers: list[bytes] = []
        asking = threading.Thread(target=lambda: answers.append(fetched(port, "/slow")))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.connect()
        asking.start()
        connection.request("GET", "/slow")  # once this one is answered, the other one has at least begun
        assert connection.getresponse().read()
        process.send_signal(signal.SIGTERM)
        asking.join()
        assert len(answers) == 1
        assert process.communicate(timeout=20)[0] == "stopped\n"  # though this connection is still open
        connection.close()
        assert process.returncode == 0


def test_several_processes_share_one_socket():
    with served("2") as process:
        port = port_of(process)
        seen = {fetched(port) for _ in range(200)}
        assert len(seen) == 2
        assert str(process.pid).encode() not in seen


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("how", ["factory", "lifespan"])
def test_an_application_that_does_not_start_ends_the_server(workers: str, how: str):
    with served(workers, FAIL_TO_START=how) as process:
        output, _ = process.communicate(timeout=30)
        assert output == ""
        assert process.returncode == 1


def test_a_certificate_that_is_not_there_ends_the_server(tmp_path: Path):
    with served("2", str(tmp_path / "none.pem"), str(tmp_path / "none.key")) as process:
        _, errors = process.communicate(timeout=30)
        assert errors.endswith("did not start\n")


def test_tls(tmp_path: Path):
    certificate, key = _certificate(tmp_path)
    with served("1", str(certificate), str(key)) as process:
        port = port_of(process)
        context = ssl.create_default_context(cafile=certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
        connection.request("GET", "/")
        assert int(connection.getresponse().read()) == process.pid
        connection.close()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "server.pem", folder / "server.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_path, key_path
