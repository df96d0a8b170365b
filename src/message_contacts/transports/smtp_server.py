"""Where mails are handed over: the setting SMTP_URL, read."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from message_contacts.settings import is_loopback
from message_contacts.transports.trust import tls_context

ACCEPTED_URLS = (
    "smtp://[user:password@]host[:587][?starttls=require|offered|never][&ca=FILE] "
    "or smtps://[user:password@]host[:465][?ca=FILE]"
)


class Encryption(StrEnum):
    """How a connection gets encrypted."""

    #: TLS from the first byte.
    TLS = "tls"
    #: STARTTLS, or nothing is sent.
    REQUIRE = "require"
    #: STARTTLS when the server offers it.
    OFFERED = "offered"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mails are handed over, read from the setting SMTP_URL."""

    host: str
    port: int
    encryption: Encryption
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    #: File with certificates to trust besides the system's own; None: the system's only.
    ca_file: str | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an SMTP URL; user and password percent-encoded.

        Without `starttls=` STARTTLS is used when offered, and required when there is a password and the server is not
        on this machine: whoever can hide the offer must not get the password.

        Raises:
            ValueError: It is no such URL. The text never holds the password.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"} or parts.fragment:
            raise ValueError(f"a mail server is {ACCEPTED_URLS}")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        password = None if parts.password is None else unquote(parts.password)
        username = unquote(parts.username) if parts.username else None
        if (username is None) != (password is None):
            raise ValueError("the URL of a mail server has both a user and a password, or neither")
        encryption = _encryption(parts, options.pop("starttls", None))
        ca_file = options.pop("ca", None)
        if options:
            raise ValueError(f"the URL of a mail server knows starttls and ca, not {', '.join(sorted(options))}")
        return cls(
            host=parts.hostname,
            port=_port(parts) or (465 if encryption is Encryption.TLS else 587),
            encryption=encryption,
            username=username,
            password=password,
            ca_file=ca_file,
        )

    def tls_context(self) -> ssl.SSLContext | None:
        """How the server's certificate is checked; None when nothing is ever encrypted.

        Raises:
            ValueError: The file with certificates cannot be read.
        """
        if self.encryption is Encryption.NEVER:
            return None
        return tls_context(self.ca_file, "mail server")


def _encryption(parts: SplitResult, starttls: str | None) -> Encryption:
    if parts.scheme == "smtps":
        if starttls is not None:
            raise ValueError("smtps:// is encrypted from the start and takes no starttls=")
        return Encryption.TLS
    if starttls is None:
        needs = parts.password is not None and not is_loopback(parts.hostname or "")
        return Encryption.REQUIRE if needs else Encryption.OFFERED
    if starttls not in {"require", "offered", "never"}:
        raise ValueError("starttls= of a mail server is require, offered or never")
    return Encryption(starttls)


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ValueError("the port in the URL of a mail server is not a number up to 65535") from None
