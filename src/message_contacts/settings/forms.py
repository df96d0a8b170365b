"""How values of settings are written outside: text to value and back."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta, timezone
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

#: The channel that sends nothing and keeps everything for the operator.
CAPTURE = "capture:"

T = TypeVar("T")

_DATABASE_URL = "`sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`"


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How a value is written outside."""

    #: For the reference, e.g. `whole number, 1 to 64`.
    description: str
    #: From text; raises ValueError with a sentence's end such as `must be true or false`.
    parse: Callable[[str], T]
    #: Back to text, for the reference and `config show`; what a secret shows of itself, if anything.
    show: Callable[[T], str] = str


def whole(least: int, most: int) -> Form[int]:
    """A whole number within bounds, both included."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return Form(f"whole number, {least} to {most}", parse)


def seconds(least: int, most: int) -> Form[timedelta]:
    """A duration, in whole seconds outside."""
    number = whole(least, most)
    return Form(
        f"seconds, {least} to {most}",
        lambda text: timedelta(seconds=number.parse(text)),
        lambda value: str(round(value.total_seconds())),
    )


def days(most: int) -> Form[timedelta | None]:
    """A duration for which something is kept, in whole days outside; 0 is for ever, inside None."""
    number = whole(0, most)
    return Form(
        f"days, 0 to {most}; 0 keeps for ever",
        lambda text: timedelta(days=number.parse(text)) or None,
        lambda value: str(value.days if value else 0),
    )


def one_of(*choices: str) -> Form[str]:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be {' or '.join(choices)}")
        return text

    return Form(" or ".join(f"`{choice}`" for choice in choices), parse)


def matching(pattern: str, description: str) -> Form[str]:
    """Text that matches the pattern as a whole."""
    expression = re.compile(pattern)

    def parse(text: str) -> str:
        if not expression.fullmatch(text):
            raise ValueError(f"must be {description}")
        return text

    return Form(description, parse)


def _truth_value(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def words(pattern: str, description: str) -> Form[tuple[str, ...]]:
    """Words that match the pattern, separated by commas."""

    def parse(text: str) -> tuple[str, ...]:
        words = tuple(word.strip() for word in text.split(","))
        if not all(re.fullmatch(pattern, word) for word in words) or len(set(words)) != len(words):
            raise ValueError(f"must be {description}, each once, with commas between them")
        return words

    return Form(f"{description}, separated by commas", parse, ",".join)


def _parse_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8, with commas between them") from None


def _parse_zone(text: str) -> timezone:
    parts = re.fullmatch(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])", text)
    if parts is None:
        raise ValueError("must be an offset from UTC such as +08:00")
    sign, hours, minutes = parts.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)


def _show_zone(zone: timezone) -> str:
    minutes = round(zone.utcoffset(None).total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _parse_public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://contacts.example.com")
    return text.rstrip("/")


def channel_url(*schemes: str) -> Form[str]:
    """`capture:` or an address with one of the schemes."""
    known = [f"`{scheme}://...`" for scheme in schemes]

    def parse(text: str) -> str:
        if text != CAPTURE and (urlsplit(text).scheme not in schemes or not urlsplit(text).hostname):
            raise ValueError(f"must be {CAPTURE} or begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return text

    return Form(f"`{CAPTURE}` or {' or '.join(known)}", parse, without_password)


def server_url(*schemes: str) -> Form[str]:
    """An address with one of the schemes; its password is not shown."""

    def parse(text: str) -> str:
        if urlsplit(text).scheme not in schemes or not urlsplit(text).hostname:
            raise ValueError(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return text

    return Form(" or ".join(f"`{scheme}://...`" for scheme in schemes), parse, without_password)


def _key_of_32_bytes(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ValueError("must be 32 bytes in base64, as `openssl rand -base64 32` makes them")
    return key


def _keys_of_32_bytes(text: str) -> tuple[bytes, ...]:
    return tuple(_key_of_32_bytes(part.strip()) for part in text.split(","))


def _parse_listen(text: str) -> tuple[str, int]:
    parts = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-]+):([0-9]{1,5})", text)
    if parts is None or not 0 < int(parts[2]) < 65536:
        raise ValueError("must be an address and a port such as 127.0.0.1:9464 or [::1]:9464")
    return parts[1].strip("[]"), int(parts[2])


def _show_listen(value: tuple[str, int]) -> str:
    host, port = value
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def without_password(url: str) -> str:
    """The address with its passwords masked, also those among its options."""
    netloc = urlsplit(url).netloc
    login, _, host = netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    if colon:
        url = url.replace(netloc, f"{user}:***@{host}", 1)
    return re.sub(r"([?&](?:ssl)?password=)[^&#]*", r"\1***", url)


def is_postgres(database_url: str) -> bool:
    """Whether the URL names a PostgreSQL database."""
    return database_url.startswith(("postgresql://", "postgres://"))


def _parse_database_url(text: str) -> str:
    if is_postgres(text):
        parts = urlsplit(text)
        hosts = parts.netloc.rpartition("@")[2].split(",")
        ports = [host.rpartition("]")[2].partition(":")[2] for host in hosts]
        if (
            len(parts.path) > 1
            and not parts.fragment
            and all(re.fullmatch("[0-9]{0,5}", port) for port in ports)
            and (len(hosts) == 1 or all(hosts))
        ):
            return text
    elif re.fullmatch(r"sqlite:///[^?#]+", text):
        return text
    raise ValueError(f"must be {_DATABASE_URL}")


BOOLEAN = Form("`true` or `false`", _truth_value, lambda value: "true" if value else "false")
FILE = Form("path of a file", Path)
FOLDER = Form("path of a folder", Path)
LISTEN = Form("`ADDRESS:PORT`", _parse_listen, _show_listen)
COUNT = whole(1, 1_000_000)
NETWORKS = Form("networks, separated by commas", _parse_networks, lambda value: ",".join(map(str, value)))
ZONE = Form("offset from UTC", _parse_zone, _show_zone)
PUBLIC_URL = Form("`http(s)://...`", _parse_public_url)
DATABASE_URL = Form(_DATABASE_URL, _parse_database_url, without_password)
KEY_OF_32_BYTES = Form("32 bytes in base64", _key_of_32_bytes)
KEYS_OF_32_BYTES = Form("32 bytes in base64, several separated by commas", _keys_of_32_bytes)
#: Nought stands for no limit.
RATE = whole(0, 1_000_000)
