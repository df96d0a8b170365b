"""Replacing the encryption key while the service runs: `message-contacts encryption-key`.

With a key file the running processes notice by themselves. With keys from settings the operator hands them round, and
this only seals anew and tells what is still needed.

What is sealed in the database is sealed anew. What was handed out cannot be: a key stays for links and codes until they
have run out, and for links and return paths in mails of published messages as long as these are on record.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from message_contacts.access import rotation
from message_contacts.access.keys import KEY_BYTES, Vault, derived
from message_contacts.bootstrap.key_file import DatedKey, KeyFile, key_file
from message_contacts.bootstrap.service import Service
from message_contacts.changes import Committer
from message_contacts.clock import MINUTE, SECOND, Clock, Instant
from message_contacts.webhooks.rotation import SealedWebhooks

#: Milliseconds for which a process may go on with a key after it was replaced: it looks before it makes anything, but
#: what it has made is on its way for a moment.
LATE = MINUTE
_NAME_PURPOSE = "message-contacts key name"


@dataclass(frozen=True, slots=True)
class MailsOnRecord:
    """Mails of published messages that are on record."""

    #: Until when the last of the messages is; None: for good.
    until: Instant | None


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
    #: When another one took its place; None: it did not, or it is not known.
    replaced: Instant | None
    #: Secrets in the database that it opens.
    secrets: int
    #: Until when links and codes may need it that were sent to confirm something; None: none does.
    links_until: Instant | None
    #: Mails of published messages whose links and return paths may need it; None: there are none.
    mails: MailsOnRecord | None
    #: Until when something made with it may still be on its way to the database.
    late_until: Instant | None

    @property
    def is_needed(self) -> bool:
        """Whether something would be lost without it."""
        return self.is_needed_beside_mails or self.mails is not None

    @property
    def is_needed_beside_mails(self) -> bool:
        """Whether something would be lost without it, leaving links and return paths in mails of messages aside."""
        return bool(self.is_current or self.secrets or self.links_until or self.late_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All keys, the current one first."""

    keys: tuple[KeyReport, ...]
    #: Access keys and webhooks of which no key opens a secret.
    broken: tuple[rotation.Broken, ...]


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
    #: All that lies sealed in the database.
    sealed: Sequence[rotation.SealedRows[Any]]
    committer: Committer
    vault: Vault
    clock: Clock
    #: None: the keys are in the settings.
    file: KeyFile | None
    #: Milliseconds for which codes of webhooks and fallback addresses are good.
    codes_valid_for: int
    #: Milliseconds for which published messages are on record; None: for good.
    messages_kept: int | None

    async def report(self, *, replaced: Instant | None = None) -> Report:
        """Which keys there are and what needs them.

        Args:
            replaced: Since when every process makes with the current key, for keys of which no file says it.
        """
        sealed = await rotation.count(self.sealed)
        return Report(keys=tuple(await self._keys(sealed.by_key, replaced)), broken=sealed.broken)

    async def rotate(self, *, progress: Callable[[int], None]) -> Rotated:
        """Make a new key, if there is a file for it, and seal every secret with the current one.

        While some secret is still sealed with an earlier key, no new key is made: first comes what was begun.
        """
        self.vault.refresh()
        sealed = await rotation.count(self.sealed)
        is_new = self.file is not None and not sealed.by_key.keys() - {self.vault.keys[0]}
        if is_new and self.file is not None:
            new = DatedKey(secrets.token_bytes(KEY_BYTES), _whole_second(self.clock.now()))
            with self.file.alone():
                self.file.replace([new, *self.file.read()])  # from here on everybody makes with the new one
            self.vault.refresh()
        resealed = await rotation.reseal(self.sealed, self.committer, self.vault, progress=progress)
        return Rotated(is_new=is_new, resealed=resealed)

    async def forget(
        self, *, with_mails: bool = False, replaced: Instant | None = None
    ) -> tuple[tuple[KeyReport, ...], Report]:
        """Take the keys out of the file that nothing needs; which ones went, and what is left.

        Args:
            with_mails: Whether keys go too that only links and return paths in mails of messages need: these end.
            replaced: As for `report`.
        """
        report = await self.report(replaced=replaced)
        if self.file is None:
            return (), report
        unneeded = {
            entry.key: entry
            for entry in report.keys
            if not (entry.is_needed_beside_mails if with_mails else entry.is_needed)
        }
        with self.file.alone():
            before = self.file.read()
            kept = [entry for entry in before if entry.key not in unneeded]
            if len(kept) == len(before):
                return (), report
            self.file.replace(kept)
            self.vault.refresh()
            left = await self.report(replaced=replaced)
            if len(left.broken) > len(report.broken):  # sealed by a process that was held up for longer than can be
                self.file.replace(before)
                self.vault.refresh()
                return (), await self.report(replaced=replaced)
        return tuple(unneeded[entry.key] for entry in before if entry.key in unneeded), left

    async def _keys(self, secrets_by_key: Counter[bytes], replaced: Instant | None) -> list[KeyReport]:
        entries = self.file.read() if self.file is not None else []
        now = self.clock.now()
        found = []
        for position, key in enumerate(self.vault.keys):
            entry = entries[position] if position < len(entries) else None
            ended = links_until = mails = late_until = None
            if position > 0:
                ended = (entries[position - 1].since if entry is not None else None) or replaced
                # With a key of which nobody knows when it was replaced, anything may have been made until now.
                made_until = now if ended is None else Instant(ended + LATE)
                late_until = made_until if made_until > now else None
                links_until = await self.store.links_valid_until(
                    sent_before=Instant(made_until + 1), now=now, codes_valid_for=self.codes_valid_for
                )
                mails = await self._mails(made_until)
            found.append(
                KeyReport(
                    key=key,
                    name=derived(key, _NAME_PURPOSE)[:4].hex(),
                    is_current=position == 0,
                    in_file=entry is not None,
                    since=entry.since if entry is not None else None,
                    replaced=ended,
                    secrets=secrets_by_key[key],
                    links_until=links_until,
                    mails=mails,
                    late_until=late_until,
                )
            )
        return found

    async def _mails(self, made_until: Instant) -> MailsOnRecord | None:
        """The mails of messages that were published while a key was in use, or before."""
        published = await self.store.last_published(before=Instant(made_until + 1))
        if published is None or self.messages_kept is None:
            return None if published is None else MailsOnRecord(None)
        until = Instant(published + self.messages_kept)
        return MailsOnRecord(until) if until > self.clock.now() else None  # past its time, it is soon taken away


def key_rotation(service: Service) -> KeyRotation:
    """What can be done about the encryption key of a service."""
    settings, storage, seal = service.settings, service.storage, service.services.endpoint_seal
    kept = settings.messages_kept
    return KeyRotation(
        store=storage.rotation,
        sealed=(
            rotation.SealedAccessKeys(storage.rotation, storage.access, service.vault),
            SealedWebhooks(storage.rotation, storage.webhooks, seal),
        ),
        committer=storage.committer,
        vault=service.vault,
        clock=service.clock,
        file=None if settings.encryption_key is not None else key_file(settings.database_url),
        codes_valid_for=service.services.rules.verification.valid_for,
        messages_kept=None if kept is None else round(kept.total_seconds() * SECOND),
    )


def _whole_second(moment: Instant) -> Instant:
    """The moment as the file can say it, never earlier than it was."""
    return Instant(-(-moment // SECOND) * SECOND)
