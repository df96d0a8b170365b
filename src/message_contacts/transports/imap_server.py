"""Where the mailbox is that reports are fetched from: the setting BOUNCE_IMAP_URL, read."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from message_contacts.settings import is_loopback
from message_contacts.transports.trust import tls_context

ACCEPTED_URLS = (
    "imaps://user:password@host[:993][/FOLDER][?ca=FILE] or "
    "imap://user:password@host[:143][/FOLDER][?starttls=require|never][&ca=FILE]"
)
#: What a folder's name may be made of: the protocol's own letters, those aside that would end the name.
_FOLDER = re.compile(r'[^"\\\x00-\x1f\x7f-\U0010ffff]+')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ImapEncryption(StrEnum):
    """How a connection gets encrypted."""

    #: TLS from the first byte.
    TLS = "tls"
    #: STARTTLS, or nothing is said.
    STARTTLS = "require"
    #: To this machine only.
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapServer:
    """A mailbox and how to get into it, read from the setting BOUNCE_IMAP_URL."""

    host: str
    port: int
    encryption: ImapEncryption
    username: str = field(repr=False)
    password: str = field(repr=False)
    folder: str = "INBOX"
    #: File with certificates to trust besides the system's own; None: the system's only.
    ca_file: str | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an IMAP URL; user, password and folder percent-encoded.

        `imap://` needs STARTTLS, which only a server on this machine may do without.

        Raises:
            ValueError: It is no such URL. The text never holds the password.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"imap", "imaps"} or not parts.hostname or parts.fragment:
            raise ValueError(f"a mailbox is {ACCEPTED_URLS}")
        username, password = unquote(parts.username or ""), unquote(parts.password or "")
        if not username or not password:
            raise ValueError("the URL of a mailbox has a user and a password")
        if _CONTROL.search(username + password):
            raise ValueError("user and password of a mailbox hold no control characters")
        folder = unquote(parts.path.removeprefix("/")) or "INBOX"
        if not _FOLDER.fullmatch(folder):
            raise ValueError("the folder in the URL of a mailbox is written as the server writes it: in ASCII")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        encryption = _encryption(parts, options.pop("starttls", None))
        ca_file = options.pop("ca", None)
        if options:
            raise ValueError(f"the URL of a mailbox knows starttls and ca, not {', '.join(sorted(options))}")
        return cls(
            host=parts.hostname,
            port=_port(parts) or (993 if encryption is ImapEncryption.TLS else 143),
            encryption=encryption,
            username=username,
            password=password,
            folder=folder,
            ca_file=ca_file,
        )

    def tls_context(self) -> ssl.SSLContext | None:
        """How the server's certificate is checked; None when nothing is ever encrypted.

        Raises:
            ValueError: The file with certificates cannot be read.
        """
        return None if self.encryption is ImapEncryption.NEVER else tls_context(self.ca_file, "mailbox")


def _encryption(parts: SplitResult, starttls: str | None) -> ImapEncryption:
    if parts.scheme == "imaps":
        if starttls is not None:
            raise ValueError("imaps:// is encrypted from the start and takes no starttls=")
        return ImapEncryption.TLS
    is_near = is_loopback(parts.hostname or "")
    if starttls is None:
        return ImapEncryption.NEVER if is_near else ImapEncryption.STARTTLS
    if starttls not in {"require", "never"}:
        raise ValueError("starttls= of a mailbox is require or never")
    if starttls == "never" and not is_near:
        raise ValueError("starttls=never is for a mailbox on this machine only: its password would be readable")
    return ImapEncryption(starttls)


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ValueError("the port in the URL of a mailbox is not a number up to 65535") from None
