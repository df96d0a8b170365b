"""Replacing the encryption key while the service runs: `message-contacts encryption-key`.

With a key file the running processes notice by themselves. With keys from settings the operator hands them round, and
this only seals anew and tells what is still needed.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from message_contacts.access import rotation
from message_contacts.access.keys import KEY_BYTES, Vault
from message_contacts.access.store import AccessStore
from message_contacts.bootstrap.key_file import DatedKey, KeyFile, key_file
from message_contacts.bootstrap.service import Service
from message_contacts.changes import Committer
from message_contacts.clock import MINUTE, SECOND, Clock, Instant

#: Milliseconds for which a process may go on with a key after it was replaced: it looks before it makes anything, but
#: what it has made is on its way for a moment.
LATE = MINUTE
_NAME_PURPOSE = "message-contacts key name"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReport:
    """One encryption key and what needs it."""

    key: bytes = field(repr=False)
    #: Eight hex digits that tell keys apart and nothing about them.
    name: str
    is_current: bool
    #: Whether it is in the key file; else it is in the settings.
    in_file: bool
    #: When it became the current one; None: from the beginning, or not known.
    since: Instant | None
    #: Secrets that it opens and no newer key does.
    secrets: int
    #: Until when links in verification messages may need it; None: none does.
    links_until: Instant | None
    #: Until when something made with it may still be on its way to the database.
    late_until: Instant | None

    @property
    def is_needed(self) -> bool:
        """Whether something would be lost without it."""
        return bool(self.is_current or self.secrets or self.links_until or self.late_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All keys, the current one first."""

    keys: tuple[KeyReport, ...]
    #: Access keys whose secrets no key opens.
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What a rotation did."""

    #: Whether it made a new key; otherwise it finished what an earlier one, or new settings, had begun.
    is_new: bool
    resealed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotation:
    """What the operator can do about the encryption key."""

    store: rotation.RotationStore
    access: AccessStore
    committer: Committer
    vault: Vault
    clock: Clock
    #: None: the keys are in the settings.
    file: KeyFile | None

    async def report(self) -> Report:
        """Which keys there are and what needs them."""
        sealed = await rotation.count(self.store, self.vault)
        return Report(keys=tuple(await self._keys(sealed.by_key)), broken=sealed.broken)

    async def rotate(self, *, progress: Callable[[int], None]) -> Rotated:
        """Make a new key, if there is a file for it, and seal every secret with the current one.

        While some secret is still sealed with an earlier key, no new key is made: first comes what was begun.
        """
        self.vault.refresh()
        sealed = await rotation.count(self.store, self.vault)
        is_new = self.file is not None and not sealed.by_key.keys() - {self.vault.keys[0]}
        if is_new and self.file is not None:
            new = DatedKey(secrets.token_bytes(KEY_BYTES), _whole_second(self.clock.now()))
            with self.file.alone():
                self.file.replace([new, *self.file.read()])  # from here on everybody makes with the new one
            self.vault.refresh()
        resealed = await rotation.reseal(self.store, self.access, self.committer, self.vault, progress=progress)
        return Rotated(is_new=is_new, resealed=resealed)

    async def forget(self) -> tuple[int, Report]:
        """Take the keys out of the file that nothing needs; how many went, and what is left."""
        report = await self.report()
        if self.file is None:
            return 0, report
        unneeded = {entry.key for entry in report.keys if not entry.is_needed}
        with self.file.alone():
            before = self.file.read()
            kept = [entry for entry in before if entry.key not in unneeded]
            if len(kept) == len(before):
                return 0, report
            self.file.replace(kept)
            self.vault.refresh()
            left = await self.report()
            if len(left.broken) > len(report.broken):  # sealed by a process that was held up for longer than can be
                self.file.replace(before)
                self.vault.refresh()
                return 0, await self.report()
        return len(before) - len(kept), left

    async def _keys(self, secrets_by_key: Counter[bytes]) -> list[KeyReport]:
        entries = self.file.read() if self.file is not None else []
        now = self.clock.now()
        found = []
        for position, key in enumerate(self.vault.keys):
            entry = entries[position] if position < len(entries) else None
            is_current = position == 0
            links_until = late_until = None
            if not is_current:
                retired = entries[position - 1].since if entry is not None else None
                # Of a key in the settings nobody knows when it was replaced: any link may need it.
                sent_before = now if retired is None else Instant(retired + LATE)
                links_until = await self.store.links_valid_until(sent_before=Instant(sent_before + 1), now=now)
                if retired is not None and now < retired + LATE:
                    late_until = Instant(retired + LATE)
            found.append(
                KeyReport(
                    key=key,
                    name=Vault(key).derive(_NAME_PURPOSE)[:4].hex(),
                    is_current=is_current,
                    in_file=entry is not None,
                    since=entry.since if entry is not None else None,
                    secrets=secrets_by_key[key],
                    links_until=links_until,
                    late_until=late_until,
                )
            )
        return found


def key_rotation(service: Service) -> KeyRotation:
    """What can be done about the encryption key of a service."""
    settings, storage = service.settings, service.storage
    return KeyRotation(
        store=storage.rotation,
        access=storage.access,
        committer=storage.committer,
        vault=service.vault,
        clock=service.clock,
        file=None if settings.encryption_key is not None else key_file(settings.database_url),
    )


def _whole_second(moment: Instant) -> Instant:
    """The moment as the file can say it, never earlier than it was."""
    return Instant(-(-moment // SECOND) * SECOND)
