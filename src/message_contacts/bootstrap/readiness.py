"""Whether a service can do its work now, and if not, why."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from message_contacts.access.keys import SealBrokenError, Vault
from message_contacts.clock import Clock
from message_contacts.delivery.worker import Worker
from message_contacts.errors import ApiError
from message_contacts.health import Ailment, Impairment
from message_contacts.storage import Storage
from message_contacts.transports.bounce_mailbox import BounceMailbox

log = structlog.get_logger(__name__)

#: Seconds for which one look counts: strangers may ask as often as they like.
_FRESH_SECONDS = 1.0
#: Seconds for which it counts that the key opens what is stored.
_KEY_SECONDS = 60.0
#: Seconds after which a database that does not answer counts as unreachable.
_PATIENCE_SECONDS = 4.0
#: Secrets of which the key has to open one.
_SECRETS_TRIED = 20


class Readiness:
    """Looks when it is asked, and tells everybody who asks within a second the same."""

    def __init__(
        self,
        *,
        storage: Storage,
        vault: Vault,
        worker: Worker | None,
        clock: Clock,
        mailbox: BounceMailbox | None = None,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        """Put it together.

        Args:
            worker: The worker inside this process, if there is one.
            mailbox: What fetches reports about mail that came back, if there is such a mailbox.
            patience: Seconds that one look may take.
        """
        self._storage = storage
        self._vault = vault
        self._worker = worker
        self._mailbox = mailbox
        self._clock = clock
        self._patience = patience
        self._one_at_a_time = asyncio.Lock()
        self._found: tuple[Ailment, ...] = ()
        self._found_until = 0.0
        self._key_opens_until = 0.0
        #: Whether the service shuts down.
        self.is_stopping = False

    def stop(self) -> None:
        """From now on the answer is that the service shuts down."""
        self.is_stopping = True

    async def ailments(self) -> Sequence[Ailment]:
        """Why the service cannot do its work; empty: it can. Never raises."""
        if self.is_stopping:
            return (Ailment.SHUTTING_DOWN,)
        async with self._one_at_a_time:
            if self._clock.monotonic() >= self._found_until:
                before, self._found = self._found, await self._look()
                self._found_until = self._clock.monotonic() + _FRESH_SECONDS
                if self._found != before:
                    log.warning("readiness_changed", ailments=[word.value for word in self._found])
        return self._found

    def impairments(self) -> Sequence[Impairment]:
        """What does not work beside; calls need not be sent elsewhere for it."""
        found = None if self._mailbox is None else self._mailbox.impairment
        return () if found is None else (found,)

    async def _look(self) -> tuple[Ailment, ...]:
        found: list[Ailment] = []
        try:
            async with asyncio.timeout(self._patience):
                found += await self._storage.ailments()
                if not found and not await self._key_opens():
                    found.append(Ailment.ENCRYPTION_KEY_WRONG)
        except (TimeoutError, ApiError):  # its text is for callers; what happened is in the log of the store
            found.append(Ailment.DATABASE_UNREACHABLE)
        except Exception:
            log.exception("readiness_check_failed")
            found.append(Ailment.INTERNAL_ERROR)
        if self._worker is not None and self._worker.is_stalled:
            found.append(Ailment.WORKER_STALLED)
        return tuple(found)

    async def _key_opens(self) -> bool:
        """Whether the encryption key opens any of the first secrets; a single one may be broken for itself."""
        now = self._clock.monotonic()
        if now < self._key_opens_until:
            return True
        keys = await self._storage.rotation.access_keys_after(("", ""), _SECRETS_TRIED)
        for key in keys:
            try:
                self._vault.opened_by(key.sealed_secret, key.access_key_id)
            except SealBrokenError:
                continue
            break
        else:
            if keys:
                return False
        self._key_opens_until = now + _KEY_SECONDS
        return True
