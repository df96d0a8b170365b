"""A whole service: what its first start makes, what it does while it runs, how it ends."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import structlog

from message_contacts.access.administration import Administration, NewKey
from message_contacts.access.console_sessions import ConsoleSessions
from message_contacts.access.key_uses import KeyUses
from message_contacts.access.keys import KeyRing, SealBrokenError, Vault
from message_contacts.access.model import Account, Caller, KeyStatus
from message_contacts.access.sharing import Sharing
from message_contacts.audit.refusals import Refusals
from message_contacts.audit.sealing import Sealer
from message_contacts.bootstrap.errors import StartError
from message_contacts.bootstrap.metering import Meter
from message_contacts.bootstrap.readiness import Readiness
from message_contacts.bootstrap.recipients import RecipientSide
from message_contacts.changes import Change, Job
from message_contacts.clock import SECOND, Clock, Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.outcome import Outcome, Transport
from message_contacts.delivery.tally import Tally
from message_contacts.delivery.worker import Worker
from message_contacts.directory import enablement
from message_contacts.directory.enablement import Standing
from message_contacts.operations.call import Services
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.invoke import Invoker
from message_contacts.protocol.parameters import Arguments
from message_contacts.settings import DEMO_ACCESS_KEY_ID, Settings
from message_contacts.storage import Retention, Storage
from message_contacts.transports.bounce_intake import BounceIntake
from message_contacts.transports.bounce_mailbox import BounceMailbox
from message_contacts.verification.service import VerificationService
from message_contacts.wire.app import App
from message_contacts.wire.operator_pages import OperatorPages
from message_contacts.wire.pipeline import Gateway

log = structlog.get_logger(__name__)

_PRUNE_SECONDS = 60.0
#: Between two times that audit events are sealed, and refusals written.
_AUDIT_SECONDS = 1.0
#: Sealing is for one process at a time: others would seal the same events, and be refused after all the work.
_SEALING = "sealing"
_SEALING_TURN = 5 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A whole service. Entered, it makes what a first start needs and works; left, it closes what it opened."""

    settings: Settings
    clock: Clock
    storage: Storage
    services: Services
    invoker: Invoker
    vault: Vault
    administration: Administration
    verification: VerificationService
    console_sessions: ConsoleSessions
    transports: Mapping[Channel, Transport]
    #: What the worker does, by kind of job.
    handlers: Mapping[str, Callable[[Job], Awaitable[Outcome]]]
    #: Loads the words of everything that is sent: takes a while, and is done beside the first calls.
    load_texts: Callable[[], None]
    worker: Worker
    #: What happened since the start that the operator's metrics tell.
    tally: Tally
    recipients: RecipientSide
    #: Takes reports about mail that came back; None when none is to be taken here.
    intake: BounceIntake | None
    #: Fetches such reports from a mailbox; None when there is none.
    mailbox: BounceMailbox | None
    gateway: Gateway
    #: Notes when access keys are used.
    uses: KeyUses
    #: Calls that were refused for lack of permission, until they are written.
    refusals: Refusals
    sealer: Sealer
    #: Shares limits on calls with other processes; None: there is no limit.
    sharing: Sharing | None
    readiness: Readiness
    meter: Meter
    #: `/healthz`, `/readyz`, `/metrics`, for processes that answer no calls.
    operator: OperatorPages
    app: App
    _open: AsyncExitStack

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def first_start(self) -> NewKey | None:
        """Make the root account, its directory and its key, if there is no account yet.

        Returns:
            The key made, if it was drawn at random: it is shown this once.
        Raises:
            StartError: The settings name a root key whose stored secret is another, the stored secrets do not open, or
                the demo's key is active on a service that others can reach.
        """
        settings = self.settings
        given = None
        if settings.root_access_key_id and settings.root_access_key_secret:
            given = NewKey(settings.root_access_key_id, settings.root_access_key_secret)
        if not settings.demo_key_allowed:
            await self._refuse_demo_key()
        made = await self.administration.create_first_account(
            settings.root_account_name, account_id=settings.root_account_id, key=given, also=self._first_directory
        )
        if made is None and given is not None:
            await self._check_root_key(given)
        return None if given else made

    async def invoke(self, operation: str, version: str, account_id: str, **parameters: Any) -> Mapping[str, Any]:
        """Carry out an operation as an account's own, unsigned: for the program itself, never for strangers.

        Raises: ApiError.
        """
        return await self.invoker.invoke(
            REGISTRY.find(version, operation),
            Arguments(parameters),
            Caller(account_id, ""),
            request_id=self.services.ids.request(),
            nonce=None,
            source_address="",
            secure=True,
        )

    async def work(self) -> None:
        """Do waiting work, seal audit events and tidy up until cancelled; then finish what is under way."""
        async with self._taking_reports(), asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(self.load_texts))
            group.create_task(self._tidy())
            group.create_task(self._seal())
            if self.mailbox is not None:
                group.create_task(self.mailbox.run())
            working = group.create_task(self.worker.run())
            try:
                await asyncio.shield(working)
            except asyncio.CancelledError:
                self.worker.stop()
                await working
                raise

    async def attend(self) -> None:
        """What a process that answers calls does beside, until cancelled: note uses and refusals, share limits."""
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(self.load_texts))
            group.create_task(self.uses.run())
            group.create_task(self._write_refusals())
            if self.sharing is not None:
                group.create_task(self.sharing.run())

    def _taking_reports(self) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self.intake is None else self.intake.serving()

    async def _tidy(self) -> None:
        """Remove what has served its time, as the settings say."""
        while True:
            try:
                await self.storage.prune(self.clock.now(), _retention(self.settings))
            except Exception:
                log.exception("tidying_failed")
            await self.clock.sleep(_PRUNE_SECONDS)

    async def _seal(self) -> None:
        """Seal audit events every second while it is this process's turn, and what is left when it ends."""
        ours_until = Instant(0)
        try:
            while True:
                await self.clock.sleep(_AUDIT_SECONDS)
                try:
                    now = self.clock.now()
                    # A turn is written down, so it is taken only when there is something to do.
                    if now >= ours_until and await self.storage.audit.unsealed(after="", limit=1):
                        until = Instant(now + _SEALING_TURN)
                        ours_until = until if await self.storage.turns.take(_SEALING, now=now, until=until) else now
                    if now < ours_until:
                        await self.sealer.seal()
                except Exception:  # the events wait in the database
                    log.exception("sealing_failed")
        finally:
            await self.sealer.seal()

    async def _write_refusals(self) -> None:
        """Write refusals every second, and all that are left when it ends."""
        try:
            while True:
                await self.clock.sleep(_AUDIT_SECONDS)
                try:
                    await self.refusals.write()
                except Exception:  # they wait in memory, as many as there is room for
                    log.exception("writing_refusals_failed")
        finally:
            await self.refusals.write(everything=True)

    def _first_directory(self, account: Account) -> tuple[Change, ...]:
        if not self.settings.enable_directory:
            return ()
        ids = self.services.ids
        return enablement.enable(
            Standing(directory=None, account_name=account.name),
            account_id=account.account_id,
            directory_id=ids.directory(),
            root_folder_id=ids.root_folder(),
            new_management_account=None,
            now=self.clock.now(),
        ).changes

    async def _refuse_demo_key(self) -> None:
        key = await self.storage.access.access_key(DEMO_ACCESS_KEY_ID)
        if key is not None and key.status is KeyStatus.ACTIVE:
            raise StartError(
                "The database holds the demo access key, which everybody knows. Switch it off with `message-contacts "
                f"access-key deactivate {DEMO_ACCESS_KEY_ID}`, or use another database."
            )

    async def _check_root_key(self, given: NewKey) -> None:
        try:
            known = await KeyRing(self.storage.access, self.vault).find(given.access_key_id)
        except SealBrokenError:
            raise StartError(
                "The secrets of the access keys were sealed with another encryption key. Set "
                "MESSAGE_CONTACTS_ENCRYPTION_KEY, or put back the key file that lay beside the database."
            ) from None
        if known is None:
            log.warning("root_access_key_unknown", access_key_id=given.access_key_id)
        elif not secrets.compare_digest(known.secret.encode(), given.secret.encode()):
            raise StartError(
                "MESSAGE_CONTACTS_ROOT_ACCESS_KEY_SECRET differs from the secret that is stored for "
                f"{given.access_key_id}. Nothing is overwritten: set the stored one, or take both settings away."
            )


def _retention(settings: Settings) -> Retention:
    """For how long things are kept."""

    def milliseconds(kept: timedelta | None) -> int | None:
        return None if kept is None else round(kept.total_seconds() * SECOND)

    return Retention(
        verifications=milliseconds(settings.verifications_kept),
        evidence=milliseconds(settings.evidence_kept),
        captured=milliseconds(settings.inbox_kept),
        messages=milliseconds(settings.messages_kept),
        failed_jobs=milliseconds(settings.failed_jobs_kept),
        audit_events=milliseconds(settings.audit_kept),
    )
