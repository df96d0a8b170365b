"""A real IMAP server: Debian's dovecot, started by the tests on free ports of loopback, as root or not."""

from __future__ import annotations

import contextlib
import getpass
import grp
import hashlib
import imaplib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MISSING = "dovecot is not on this machine. Install it: `sudo apt-get install dovecot-imapd` on Debian."
#: One with what has to be quoted, or percent-encoded in a URL.
USERNAME, PASSWORD = "bounces@example.com", 'p/w: "1"\\%'
IN_URL = "bounces%40example.com:p%2Fw%3A%20%221%22%5C%25"

_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
#: Seconds until it has to listen.
_PATIENCE = 30

_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
ssl_dh =
auth_failure_delay = 0 secs
mail_location = maildir:{folder}/mail/%u
mail_privileged_group =
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = never
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN-MD5 username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dovecot:
    """A running server. Both ports are of 127.0.0.1."""

    #: Plain at first; encrypted by STARTTLS when asked to.
    port: int
    #: Encrypted from the first byte.
    tls_port: int
    folder: Path

    @contextmanager
    def looked_at(self, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """A folder of the mailbox, as somebody else has it open."""
        with imaplib.IMAP4("127.0.0.1", self.port) as imap:
            imap.authenticate("PLAIN", lambda _: f"\0{USERNAME}\0{PASSWORD}".encode())
            imap.select(folder)
            yield imap

    def put(self, *mails: bytes, folder: str = "INBOX") -> None:
        """Let mails come in."""
        with self.looked_at() as imap:
            for mail in mails:
                answer, text = imap.append(folder, "", "", mail)
                assert answer == "OK", text

    def flags(self, folder: str = "INBOX") -> list[set[str]]:
        """The flags of each mail that is there."""
        with self.looked_at(folder) as imap:
            _, lines = imap.uid("FETCH", "1:*", "(FLAGS)")
            return [{flag.decode() for flag in imaplib.ParseFlags(line)} for line in lines if line is not None]

    def clear(self) -> None:
        """Have nothing lie there any more."""
        with self.looked_at() as imap:
            imap.uid("STORE", "1:*", "+FLAGS", r"\Deleted")
            imap.expunge()


@contextmanager
def dovecot_server(certificate: Path, key: Path, ports: Sequence[int]) -> Iterator[Dovecot]:
    """Start it, and stop it and remove all of it at the end.

    Args:
        certificate, key: Files with its certificate, and the key.
        ports: Two that nobody listens on.
    """
    program = shutil.which("dovecot", path=_PATH)
    if program is None:
        pytest.fail(MISSING, pytrace=False)
    # Short: it makes sockets below, whose paths may not be long.
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    try:
        user, group = _mail_user()
        shutil.copy(certificate, folder / "certificate.pem")
        shutil.copy(key, folder / "key.pem")
        (folder / "mail").mkdir()
        # As a digest, in which no letter means something to the file.
        (folder / "users").write_text(f"{USERNAME}:{hashlib.md5(PASSWORD.encode()).hexdigest()}\n")
        port, tls_port = ports
        (folder / "dovecot.conf").write_text(
            _CONFIGURATION.format(folder=folder, user=user, group=group, port=port, tls_port=tls_port)
        )
        folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(folder / "mail", user, group)
        server = Dovecot(port=port, tls_port=tls_port, folder=folder)
        process = subprocess.Popen(
            [program, "-F", "-c", str(folder / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=_PATIENCE)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mail_user() -> tuple[str, str]:
    """As whom mails are kept: whoever runs the tests, but never root, as whom dovecot lets nobody log in."""
    if os.geteuid() != 0:
        return getpass.getuser(), grp.getgrgid(os.getegid()).gr_name
    entry = pwd.getpwnam("nobody")
    return entry.pw_name, grp.getgrgid(entry.pw_gid).gr_name


def _wait(server: Dovecot, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError, imaplib.IMAP4.error), server.looked_at():
            return
        time.sleep(0.02)  # another process starts; there is nothing to wait on but time
    log = server.folder / "log"
    pytest.fail(f"dovecot does not run: {log.read_text() if log.exists() else 'it has no log'}", pytrace=False)
