"""Backup and restore of an SQLite database with its key, as the commands of that name do it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw
import orjson

from message_contacts.access.keys import SealBrokenError, Vault
from message_contacts.audit.exporting import export
from message_contacts.audit.verifying import Reader, Verdict
from message_contacts.bootstrap.key_file import DatedKey, KeyFile, key_file
from message_contacts.clock import Clock, SystemClock
from message_contacts.settings import PREFIX, Settings
from message_contacts.storage import migrate, open_sqlite, sqlite_backup, sqlite_path
from message_contacts.storage.sqlite_backup import BackupError, Contents, Progress

_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What a backup is."""

    contents: Contents
    digest: Path
    #: The copy of the key file; None: the key is not in the backup.
    key: Path | None
    #: Access keys whose secrets none of the keys at hand opens.
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedPerson:
    """Somebody who was erased in the database that was replaced, and is there again."""

    account_id: str
    contact_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore found."""

    contents: Contents
    #: Whether the backup was compared with the digest that was made with it.
    has_digest: bool
    #: Where the database is that was there before; None: there was none.
    kept: Path | None
    #: Whether the keys of the backup are now in the key file.
    has_key: bool
    secrets: int
    #: Access keys whose secrets none of the keys at hand opens.
    broken: tuple[str, ...]
    #: What the chains of audit events look like, by account.
    chains: tuple[Verdict, ...]
    #: None: it could not be found out.
    erased: tuple[ErasedPerson, ...] | None


def digest_file(backup: Path) -> Path:
    """Where a backup's digest is, in the form of `sha256sum`."""
    return backup.with_name(f"{backup.name}.sha256")


def backup_key_file(backup: Path) -> KeyFile:
    """Where a backup's keys are, if they are in it."""
    return KeyFile(backup.with_name(f"{backup.name}.key"))


def back_up(settings: Settings, target: Path, *, with_key: bool, replace: bool, progress: Progress) -> BackedUp:
    """Copy the database of the settings into a file, while the service goes on.

    Args:
        with_key: Whether to copy the key file too, into a file beside.
        replace: Whether a backup of that name may be replaced.
    Raises:
        BackupError: With a sentence for the operator.
        OSError: A file cannot be read or written.
    """
    path = _database(settings)
    if not path.exists():
        raise BackupError(f"there is no database at {path}.")
    keys = key_file(settings.database_url)
    if with_key and settings.encryption_key is not None:
        raise BackupError(
            f"--with-key: the key is in {PREFIX}ENCRYPTION_KEY, not in a file. Keep it where that is kept."
        )
    if target.absolute() in {path.absolute(), keys.path.absolute()}:
        raise BackupError(f"{target} is what is to be backed up.")
    beside = (target, digest_file(target), *([backup_key_file(target).path] if with_key else []))
    for file in beside:
        if file.exists() and not replace:
            raise BackupError(f"{file} is there already: name another file, or say --replace.")
    before = _read_keys(keys) if settings.encryption_key is None else []
    with _draft(target) as draft:
        contents = sqlite_backup.copy_online(path, draft, progress)
        # Keys from before and after the copy: whichever of them sealed something in it, it is there.
        after = _read_keys(keys) if settings.encryption_key is None else []
        entries = [*after, *(entry for entry in before if entry.key not in {each.key for each in after})]
        broken = _broken(_vault(settings, entries), sqlite_backup.sealed_secrets(draft))
        digest = sqlite_backup.digest_of(draft)
        digest_file(target).unlink(missing_ok=True)  # one that belongs to another file would be worse than none
        sqlite_backup.publish(draft, target, replace=replace)
    _write(digest_file(target), f"{digest}  {target.name}\n".encode())
    if with_key:
        backup_key_file(target).write(entries)
    return BackedUp(
        contents=contents,
        digest=digest_file(target),
        key=backup_key_file(target).path if with_key else None,
        broken=broken,
    )


def restore(
    settings: Settings, source: Path, *, with_key: bool, replace: bool, progress: Progress, clock: Clock | None = None
) -> Restored:
    """Put a backup in the place of the database of the settings, which nobody may be using.

    Everything is checked before anything is changed. What was there before is kept beside.

    Args:
        with_key: Whether to take over the keys that were backed up too.
        replace: Whether a database with accounts may be replaced.
    Raises:
        BackupError: With a sentence for the operator; nothing has changed.
        OSError: A file cannot be read or written.
    """
    clock = clock or SystemClock()
    path = _database(settings)
    keys = key_file(settings.database_url)
    found = _keys_for(settings, source, keys, with_key=with_key)
    if not source.exists():
        raise BackupError(f"there is no file {source}.")
    if not replace and not sqlite_backup.is_empty(path):
        raise BackupError(f"there is a database at {path}: say --replace to replace it. It is kept beside.")
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = path.with_name(f"{path.name}.before-{_stamp(clock)}")
    if kept.exists():
        raise BackupError(f"{kept} is there already; wait a second.")
    with _draft(path) as draft:
        digest = sqlite_backup.copy_file(source, draft, progress)
        has_digest = _check_digest(source, digest)
        contents = sqlite_backup.examine(draft)
        secrets = sqlite_backup.sealed_secrets(draft)
        broken = _broken(_vault(settings, found), secrets)
        with sqlite_backup.alone(path):
            had_one = sqlite_backup.put_in_place(draft, path, kept)
            if with_key:
                keys.write(found)
    migrate(settings.database_url)
    erased = _erased(kept, path) if had_one else None  # before all that can fail: the database is replaced by now
    return Restored(
        contents=contents,
        has_digest=has_digest,
        kept=kept if had_one else None,
        has_key=with_key,
        secrets=len(secrets),
        broken=broken,
        chains=tuple(asyncio.run(_chains(path, clock))),
        erased=erased,
    )


def _keys_for(settings: Settings, source: Path, keys: KeyFile, *, with_key: bool) -> list[DatedKey]:
    """The entries that the key file will have.

    Raises: BackupError when there would be none: a start would make a new key, which opens nothing.
    """
    if settings.encryption_key is not None:
        if with_key:
            raise BackupError(f"--with-key: the key comes from {PREFIX}ENCRYPTION_KEY; no file is looked at.")
        return []
    present = _read_keys(keys)
    backed_up = backup_key_file(source)
    if with_key:
        if not backed_up.path.exists():
            raise BackupError(f"--with-key: there is no {backed_up.path}; the backup was made without its key.")
        taken = backed_up.read()
        return [*taken, *(entry for entry in present if entry.key not in {each.key for each in taken})]
    if not present:
        hint = " Say --with-key to use the one in the backup." if backed_up.path.exists() else ""
        raise BackupError(
            f"there is no key that opens the backup: put the key file that lay beside the database to {keys.path}, or "
            f"set {PREFIX}ENCRYPTION_KEY.{hint}"
        )
    return present


def _check_digest(source: Path, digest: str) -> bool:
    """Whether there is a digest to compare with. Raises: BackupError when it is another one."""
    try:
        expected = digest_file(source).read_text(encoding="ascii", errors="replace").split()
    except FileNotFoundError:
        return False
    if expected[:1] != [digest]:
        raise BackupError(
            f"{source} is not the file that was backed up: it differs from its digest in {digest_file(source)}. It was "
            "altered, or is not complete."
        )
    return True


async def _chains(path: Path, clock: Clock) -> list[Verdict]:
    verdicts = []
    with open_sqlite(path, clock) as storage:
        for account_id in await storage.audit.accounts():
            reader = Reader({})
            try:
                async for line in export(storage.audit, account_id):
                    reader.take(line)
            except Exception as problem:  # noqa: BLE001 - any fault: who must be erased again has to be told
                verdicts.append(Verdict(account_id, breaks=[f"it cannot be verified: {problem!r}"]))
            else:
                if (verdict := reader.end()) is not None:
                    verdicts.append(verdict)
    return verdicts


def _erased(old: Path, new: Path) -> tuple[ErasedPerson, ...] | None:
    """Who was erased in the old database after the backup was made; None: the old one cannot be read, or not all."""
    try:
        found = [
            ErasedPerson(account_id=erasure.account_id, contact_id=change["id"])
            for erasure in sqlite_backup.erasures_missing(old, new)
            for change in orjson.loads(erasure.details)  # records that were erased along have entries of their own
            if (change["action"], change["type"]) == ("erase", "Person")
        ]
    except (apsw.Error, LookupError, TypeError, ValueError):  # damaged, or somebody was at the database
        return None
    return tuple(dict.fromkeys(found))


def _database(settings: Settings) -> Path:
    if not settings.database_url.startswith(_SQLITE):
        raise BackupError(
            "these commands are for SQLite. PostgreSQL has its own, pg_dump and pg_restore: see docs/guide/backup.md."
        )
    return sqlite_path(settings.database_url)


def _read_keys(file: KeyFile) -> list[DatedKey]:
    return file.read() if file.path.exists() else []


def _vault(settings: Settings, entries: Sequence[DatedKey]) -> Vault | None:
    keys = [entry.key for entry in entries] if settings.encryption_key is None else [settings.encryption_key]
    return Vault(*keys, *settings.encryption_keys_accepted) if keys else None


def _broken(vault: Vault | None, secrets: Sequence[tuple[str, bytes]]) -> tuple[str, ...]:
    if vault is None:
        return tuple(access_key_id for access_key_id, _ in secrets)
    broken = []
    for access_key_id, sealed in secrets:
        try:
            vault.opened_by(sealed, access_key_id)
        except SealBrokenError:
            broken.append(access_key_id)
    return tuple(broken)


def _stamp(clock: Clock) -> str:
    return datetime.fromtimestamp(clock.now() / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


def _write(path: Path, content: bytes) -> None:
    """Write a small file, whole or not at all, for its owner only."""
    with _draft(path) as draft:
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_bytes(content)
        sqlite_backup.publish(draft, path, replace=True)


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A name beside the target for what is not complete; nothing of it is left at the end."""
    draft = sqlite_backup.draft_beside(target)
    try:
        yield draft
    finally:
        for leftover in target.parent.glob(f"{draft.name}*"):
            leftover.unlink()
