"""A postfix of the tests' own: Debian's program on ports of loopback, with its own queue, configuration and log.

The system's postfix, if there is one, is neither asked nor changed. Nothing leaves the machine: mail for anybody but
the mailboxes and the bounce domains below is refused.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

#: What to do on a machine where this cannot run.
MISSING = (
    "These tests need Debian's package postfix. scripts/test installs it as root; else: sudo apt-get install postfix"
)
NOT_ALLOWED = (
    "postfix starts as root only: run these tests as root, or let the user call sudo without a password, "
    "or install Debian's package uidmap and give the user ids in /etc/subuid and /etc/subgid"
)

#: The domain whose mailboxes it knows: those of `MAILBOXES`, and nobody else.
DOMAIN = "example.com"
MAILBOXES = ("tom", "ann")
#: The domain whose bounces are handed to `RealMta.smtp_reports`, and the one whose go to `lmtp_reports`.
SMTP_BOUNCES, LMTP_BOUNCES = "bounces.example.com", "reports.example.com"
#: Seconds in which a program of postfix has to end.
_PATIENCE = 60
#: Seconds after which it ends by itself, should the tests be killed.
_LIFETIME = 900

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mta.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_auth_destination, reject
smtpd_recipient_restrictions =
smtp_dns_support_level = disabled
smtp_host_lookup = native
alias_maps =
alias_database =
local_recipient_maps =
default_transport = error:5.4.4 nothing leaves this machine
virtual_alias_domains = {domain}
virtual_alias_maps = texthash:{folder}/mailboxes
relay_domains = mailboxes.test, {smtp_bounces}, {lmtp_bounces}
transport_maps = texthash:{folder}/transport
recipient_delimiter = +
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
smtpd_client_connection_rate_limit = 0
"""

#: Four ways in: unknown recipients are bounced, are refused at once; a server of 1982; only over TLS.
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd -o smtpd_reject_unlisted_recipient=no
127.0.0.1:{strict_port} inet n - n - - smtpd -o smtpd_reject_unlisted_recipient=yes
127.0.0.1:{old_port} inet n - n - - smtpd -o smtpd_discard_ehlo_keywords=8bitmime,smtputf8,pipelining,chunking,dsn,size
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class CannotStartError(AssertionError):
    """The mail server of these tests does not run on this machine; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealMta:
    """A running postfix. All ports are of 127.0.0.1."""

    #: Takes mail for anybody in `DOMAIN`; whoever is unknown there is bounced.
    port: int
    #: Refuses whoever is unknown while the mail is handed over.
    strict_port: int
    #: Offers no extension of SMTP at all.
    old_port: int
    #: Takes mail over TLS only.
    tls_port: int
    #: Where it delivers the mail of its mailboxes, by SMTP; a test listens there.
    mailbox_port: int
    #: Where it hands on what comes back, by SMTP and by LMTP; a test listens there.
    smtp_reports: int
    lmtp_reports: int
    folder: Path
    #: What stands before each command so that it is done as root.
    as_root: tuple[str, ...]

    def log(self) -> str:
        """What it has logged so far."""
        return _run(*self.as_root, "cat", str(self.folder / "log"))

    def try_again_now(self) -> None:
        """Have it try at once all that waits in its queue."""
        _run(*self.as_root, "postqueue", "-c", str(self.folder / "etc"), "-f")

    def drop_all(self) -> None:
        """Throw away all that waits in its queue."""
        _run(*self.as_root, "postsuper", "-c", str(self.folder / "etc"), "-d", "ALL")

    def queue_is_empty(self) -> bool:
        """Whether no mail is in it any more."""
        return _run(*self.as_root, "postqueue", "-c", str(self.folder / "etc"), "-j") == ""


@contextmanager
def real_mta(certificate: Path, key: Path) -> Iterator[RealMta]:
    """Start it, and stop it and remove all of it at the end.

    Args:
        certificate: File with its certificate for STARTTLS, and `key` the one with the key.
    Raises:
        CannotStartError: It is not installed, or may not be started by this user.
    """
    if _program("postfix") is None:
        raise CannotStartError(MISSING)
    as_root = _ways_to_root()
    # Not below pytest's folder: that is closed to the user as whom most of postfix runs.
    folder = Path(tempfile.mkdtemp(prefix="real-mta-"))
    try:
        folder.chmod(0o755)
        mta = _configured(folder, as_root, certificate, key)
        etc = str(folder / "etc")
        _run(*as_root, "postfix", "-c", etc, "check")
        daemons = _run("postconf", "-c", etc, "-h", "daemon_directory").strip()
        try:
            # Comes back when it listens.
            _run(*as_root, f"{daemons}/master", "-c", etc, "-w", "-e", str(_LIFETIME))
            yield mta
        finally:
            with suppress(subprocess.CalledProcessError):  # not running: it did not start, or has ended
                _run(*as_root, "postfix", "-c", etc, "stop")
    finally:
        _run(*as_root, "rm", "-rf", str(folder))


def _configured(folder: Path, as_root: tuple[str, ...], certificate: Path, key: Path) -> RealMta:
    port, strict_port, old_port, tls_port, mailbox_port, smtp_reports, lmtp_reports = _free_ports(7)
    etc = folder / "etc"
    etc.mkdir()
    shutil.copy(certificate, etc / "certificate.pem")
    shutil.copy(key, etc / "key.pem")
    (etc / "main.cf").write_text(
        _MAIN.format(
            folder=folder,
            domain=DOMAIN,
            smtp_bounces=SMTP_BOUNCES,
            lmtp_bounces=LMTP_BOUNCES,
            certificate=etc / "certificate.pem",
            key=etc / "key.pem",
        )
    )
    (etc / "master.cf").write_text(
        _MASTER.format(port=port, strict_port=strict_port, old_port=old_port, tls_port=tls_port)
    )
    (folder / "mailboxes").write_text("".join(f"{name}@{DOMAIN} {name}@mailboxes.test\n" for name in MAILBOXES))
    (folder / "transport").write_text(
        f"mailboxes.test smtp:[127.0.0.1]:{mailbox_port}\n"
        f"{SMTP_BOUNCES} smtp:[127.0.0.1]:{smtp_reports}\n"
        f"{LMTP_BOUNCES} lmtp:inet:127.0.0.1:{lmtp_reports}\n"
    )
    _run(*as_root, "chown", "-R", "root", str(folder))
    _run(*as_root, "install", "-d", "-o", "root", "-m", "755", str(folder / "queue"))
    _run(*as_root, "install", "-d", "-o", "postfix", "-m", "700", str(folder / "data"))
    return RealMta(
        port=port,
        strict_port=strict_port,
        old_port=old_port,
        tls_port=tls_port,
        mailbox_port=mailbox_port,
        smtp_reports=smtp_reports,
        lmtp_reports=lmtp_reports,
        folder=folder,
        as_root=as_root,
    )


def _ways_to_root() -> tuple[str, ...]:
    """What has to stand before a command so that it may do what postfix does as root."""
    ways: tuple[tuple[str, ...], ...] = (
        ("sudo", "-n"),
        ("unshare", "--user", "--map-root-user", "--map-auto", "--"),
    )
    if os.geteuid() == 0:
        return ()
    for way in ways:
        if (
            _program(way[0])
            and subprocess.run([*way, "chown", "--version"], capture_output=True, check=False).returncode == 0
        ):
            return way
    raise CannotStartError(NOT_ALLOWED)


def _program(name: str) -> str | None:
    """Where a program is, also when administrators' programs are not on the path."""
    return shutil.which(name, path=_PATH)


_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def _run(*command: str) -> str:
    """What a program prints. Raises: CalledProcessError, with what it said."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=_PATIENCE,
        env={**os.environ, "PATH": _PATH},
    )
    if done.returncode:
        error = subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
        error.add_note(done.stdout + done.stderr)
        raise error
    return done.stdout


def _free_ports(number: int) -> list[int]:
    """Ports nobody listens on, all different."""
    probes = [socket.socket() for _ in range(number)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
