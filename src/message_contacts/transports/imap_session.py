"""One connection to a mailbox: what it holds, mail by mail, and marks on what was dealt with.

Blocking, for a thread of its own. imaplib of the standard library is enough for one connection and a handful of
commands; the client made for asyncio is under the GPL.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from message_contacts.transports.imap_server import ImapEncryption, ImapServer

#: Keyword on mails that are no reports of ours. Where a server keeps no keywords they are flagged for people instead.
LEFT = "$MessageContactsLeft"
_FLAGGED = r"\Flagged"
#: Seconds until a server that says nothing is left.
SILENCE_SECONDS = 10.0
#: Messages that one search looks at: its answer fits into one line of the protocol.
_WINDOW = 10_000
_LITERAL_HEAD = re.compile(rb"\bUID (\d+)\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)\b")


class ImapFault(StrEnum):
    """Why a mailbox cannot be read."""

    #: Nobody answers there, or the connection was lost.
    UNREACHABLE = "unreachable"
    #: The server's certificate is not believed.
    CERTIFICATE_REFUSED = "certificate-refused"
    #: The server does not encrypt.
    NOT_ENCRYPTED = "not-encrypted"
    LOGIN_REFUSED = "login-refused"
    #: There is no such folder.
    NO_SUCH_FOLDER = "no-such-folder"
    #: The folder may be read and not changed.
    READ_ONLY = "read-only"
    #: The server says what it should not.
    NOT_UNDERSTOOD = "not-understood"


class MailboxFailure(Exception):  # noqa: N818 - read as a word by the operator
    """A mailbox cannot be read. Holds no text of the server, which may have names in it."""

    def __init__(self, fault: ImapFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class ImapSession:
    """A connection, opened by `open`."""

    def __init__(
        self,
        server: ImapServer,
        context: ssl.SSLContext | None,
        *,
        largest: int,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """Take what it needs; nothing is opened yet.

        Args:
            context: How the certificate is checked; None when nothing is encrypted.
            largest: Bytes of the largest mail that is read.
        """
        self._server = server
        self._context = context
        self._largest = largest
        self._silence_seconds = silence_seconds
        self._imap: imaplib.IMAP4 | None = None
        #: The connection once more, to hang up by.
        self._line: socket.socket | None = None
        self._is_abandoned = False
        self._removes = False
        self._mark = LEFT
        #: Changes when the server has given its mails new numbers.
        self.numbering = b""

    def open(self) -> None:
        """Connect, encrypt, log in, and choose the folder. Raises: MailboxFailure."""
        with _told():
            self._imap = imap = _Connection(self._server, self._context, self._largest, self._silence_seconds, self)
            if self._server.encryption is ImapEncryption.STARTTLS:
                if imap.state != "NONAUTH" or "STARTTLS" not in imap.capabilities:
                    raise MailboxFailure(ImapFault.NOT_ENCRYPTED)
                imap.starttls(self._context)
            if imap.state == "NONAUTH":
                self._log_in(imap)
            _, found = imap.capability()
            self._removes = b"UIDPLUS" in b" ".join(found).upper().split()

    def waiting(self, most: int) -> Sequence[int]:
        """Numbers of the mails that nobody has dealt with, oldest first, so many at most. Raises: MailboxFailure."""
        with _told():
            imap = self._connection
            answer, counts = imap.select(_quoted(self._server.folder))
            if answer != "OK":
                raise MailboxFailure(ImapFault.NO_SUCH_FOLDER)
            self.numbering = b" ".join(_parts(imap.response("UIDVALIDITY")))
            self._mark = _mark(_parts(imap.response("PERMANENTFLAGS")))
            unmarked = ("UNFLAGGED",) if self._mark == _FLAGGED else ("UNKEYWORD", self._mark)
            found: list[int] = []
            exists = int(counts[-1] or 0)
            for first in range(1, exists + 1, _WINDOW):
                window = f"{first}:{min(first + _WINDOW - 1, exists)}"
                data = _accepted(imap.uid("SEARCH", window, "UNDELETED", *unmarked))
                found += sorted(int(number) for part in data for number in part.split())
                if len(found) >= most:
                    break
            return found[:most]

    def sizes(self, numbers: Sequence[int]) -> Mapping[int, int]:
        """Bytes of these mails; those that are gone are left out. Raises: MailboxFailure."""
        with _told():
            data = _accepted(self._connection.uid("FETCH", _joined(numbers), "(UID RFC822.SIZE)"))
            found: dict[int, int] = {}
            for part in data:
                number, size = _LITERAL_HEAD.search(part), _SIZE.search(part)
                if number and size:
                    found[int(number[1])] = int(size[1])
            return found

    def content(self, number: int) -> bytes | None:
        """A mail as it came, not marked as read by that; None when it is gone, or larger than is read.

        Raises: MailboxFailure.
        """
        with _told():
            # In part: the size that a server tells beforehand need not be true.
            items = f"(UID BODY.PEEK[]<0.{self._largest + 1}>)"
            answer, data = self._connection.uid("FETCH", str(number), items)
            if answer != "OK":
                raise MailboxFailure(ImapFault.NOT_UNDERSTOOD)
            found: bytes | None = None
            for place, part in enumerate(data):
                if not isinstance(part, tuple):
                    continue
                # What stands beside the mail may come before or after it.
                rest = data[place + 1] if place + 1 < len(data) and isinstance(data[place + 1], bytes) else b""
                named = _LITERAL_HEAD.search(part[0]) or _LITERAL_HEAD.search(rest)
                if named and int(named[1]) == number:
                    found = part[1]
            return None if found is None or len(found) > self._largest else found

    def remove(self, numbers: Sequence[int]) -> None:
        """Mark mails as read and deleted, and have them go where the server can do that for single mails.

        Raises: MailboxFailure.
        """
        with _told():
            _accepted(self._connection.uid("STORE", _joined(numbers), "+FLAGS.SILENT", r"(\Seen \Deleted)"))
            if self._removes:
                # Without this extension everything that anybody has marked as deleted would go.
                _accepted(self._connection.uid("EXPUNGE", _joined(numbers)))

    def leave(self, numbers: Sequence[int]) -> None:
        """Mark mails as looked at; they stay for people. Raises: MailboxFailure."""
        with _told():
            _accepted(self._connection.uid("STORE", _joined(numbers), "+FLAGS.SILENT", f"({self._mark})"))

    def close(self) -> None:
        """Take leave of the server, as far as it still listens."""
        imap, self._imap = self._imap, None
        line, self._line = self._line, None
        if line is not None:
            line.close()
        if imap is not None:
            try:
                imap.logout()
            except (imaplib.IMAP4.error, OSError, ValueError):
                with contextlib.suppress(OSError, ValueError):
                    imap.shutdown()

    def abandon(self) -> None:
        """Hang up for good, from any thread: what waits for the server fails at once, what only connects then."""
        # Written before the line is looked at, and read after the line is set: one of the two threads sees the other.
        self._is_abandoned = True
        self._hang_up()

    def connected(self, connection: socket.socket) -> None:
        """Take note of the connection as soon as there is one, before anything is said."""
        self._line = connection.dup()
        if self._is_abandoned:
            self._hang_up()

    @property
    def _connection(self) -> imaplib.IMAP4:
        if self._imap is None:
            raise MailboxFailure(ImapFault.UNREACHABLE)
        return self._imap

    def _hang_up(self) -> None:
        line = self._line
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _log_in(self, imap: imaplib.IMAP4) -> None:
        username, password = self._server.username, self._server.password
        try:
            if "AUTH=PLAIN" in imap.capabilities:
                secret = f"\0{username}\0{password}".encode()
                imap.authenticate("PLAIN", lambda _challenge: secret)
            elif "LOGINDISABLED" in imap.capabilities or not (username + password).isascii():
                raise MailboxFailure(ImapFault.LOGIN_REFUSED)
            else:
                imap.login(_quoted(username), password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as refusal:
            is_for_now = "[UNAVAILABLE]" in str(refusal).upper()
            raise MailboxFailure(ImapFault.UNREACHABLE if is_for_now else ImapFault.LOGIN_REFUSED) from None


class _Connection(imaplib.IMAP4):
    """Reads no more at once than a mail may have, and can be hung up on from the first moment."""

    def __init__(
        self,
        server: ImapServer,
        context: ssl.SSLContext | None,
        largest: int,
        silence_seconds: float,
        session: ImapSession,
    ) -> None:
        self._most = largest + 64 * 1024
        self._session = session
        self._from_the_start = context if server.encryption is ImapEncryption.TLS else None
        super().__init__(server.host, server.port, timeout=silence_seconds)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        connection: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]  # as IMAP4_SSL does
        self._session.connected(connection)
        if self._from_the_start is None:
            return connection
        return self._from_the_start.wrap_socket(connection, server_hostname=self.host)

    def read(self, size: int) -> bytes:
        """As asked for by the server, within bounds. Raises: MailboxFailure."""
        if size > self._most:
            raise MailboxFailure(ImapFault.NOT_UNDERSTOOD)
        return super().read(size)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn what imaplib raises into a word."""
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise MailboxFailure(ImapFault.CERTIFICATE_REFUSED) from None
    except imaplib.IMAP4.readonly:
        raise MailboxFailure(ImapFault.READ_ONLY) from None
    except imaplib.IMAP4.abort:
        raise MailboxFailure(ImapFault.UNREACHABLE) from None
    except (imaplib.IMAP4.error, ValueError) as problem:
        # A greeting comes as it was said; ValueError is what its parsing ends in where there is nothing to parse.
        is_farewell = isinstance(problem.args[0], bytes) and problem.args[0].upper().startswith(b"* BYE")
        raise MailboxFailure(ImapFault.UNREACHABLE if is_farewell else ImapFault.NOT_UNDERSTOOD) from None
    except OSError:
        raise MailboxFailure(ImapFault.UNREACHABLE) from None


def _accepted(answer: tuple[str, list[Any]]) -> list[bytes]:
    """The lines of an answer, literals aside. Raises: MailboxFailure unless it is OK."""
    word, data = answer
    if word != "OK":
        raise MailboxFailure(ImapFault.READ_ONLY if b"[NOPERM]" in _first(data).upper() else ImapFault.NOT_UNDERSTOOD)
    return [part for part in data if isinstance(part, bytes)]


def _first(data: list[Any]) -> bytes:
    return data[0] if data and isinstance(data[0], bytes) else b""


def _parts(answer: tuple[str, list[Any]]) -> list[bytes]:
    return [part for part in answer[1] or () if isinstance(part, bytes)]


def _mark(permanent_flags: Sequence[bytes]) -> str:
    """What marks a mail that is left. A server that does not say which flags it keeps keeps all."""
    kept = b" ".join(permanent_flags).lower().replace(b"(", b" ").replace(b")", b" ").split()
    if not kept or b"\\*" in kept or LEFT.lower().encode() in kept:
        return LEFT
    if _FLAGGED.lower().encode() in kept:
        return _FLAGGED
    raise MailboxFailure(ImapFault.READ_ONLY)


def _joined(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
