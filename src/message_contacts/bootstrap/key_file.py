"""The encryption key in a file beside the database, for services that were given none."""

from __future__ import annotations

import contextlib
import os
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from message_contacts.access.keys import KEY_BYTES
from message_contacts.bootstrap.errors import StartError
from message_contacts.storage import sqlite_path


def key_beside(database_url: str) -> bytes:
    """The encryption key in the file beside an SQLite database, made (mode 0600) if it is not there yet.

    Raises: StartError when the file does not hold a key.
    """
    path = Path(f"{sqlite_path(database_url)}.key")
    if not path.exists():
        _write_key(path)
    try:
        key = b64decode(path.read_bytes().strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise StartError(f"{path} does not hold an encryption key: {KEY_BYTES} bytes in base64.")
    return key


def _write_key(path: Path) -> None:
    """Make the file, whole or not at all; one that another process made meanwhile stays."""
    draft = path.with_suffix(f".{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
