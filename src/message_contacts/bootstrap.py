"""Puts a service together: the only place that chooses implementations.

Nothing is opened by importing; `build` makes the parts, `Service` opens and closes them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from message_contacts.access.administration import Administration, NewKey
from message_contacts.access.keys import KEY_BYTES, KeyRing, SealBrokenError, Vault
from message_contacts.access.model import Account, Caller, KeyStatus
from message_contacts.changes import Change, Job, Seam, Settler
from message_contacts.clock import SECOND, Clock, SystemClock
from message_contacts.console.verification_pages import verification_pages
from message_contacts.contacts.deletion import WITHDRAW_CONTACT
from message_contacts.contacts.model import Channel, ContactRules
from message_contacts.delivery.outcome import Outcome, Transport
from message_contacts.delivery.verification_sender import VerificationSender
from message_contacts.delivery.withdrawal import ContactWithdrawal, MemberSettings, NoMemberSettings
from message_contacts.delivery.worker import Worker
from message_contacts.directory import enablement
from message_contacts.directory.enablement import Standing
from message_contacts.directory.model import DirectoryRules
from message_contacts.ids import Ids, RandomIds
from message_contacts.operations.call import Rules, Services
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.invoke import Invoker
from message_contacts.protocol.parameters import Arguments
from message_contacts.settings import DEMO_ACCESS_KEY_ID, Settings
from message_contacts.storage import SchemaMismatch, Storage, migrate, open_sqlite, sqlite_path
from message_contacts.transports.choose import captures, mail_transport, sms_transport
from message_contacts.verification.challenge import SEND_VERIFICATION
from message_contacts.verification.model import VerificationRules
from message_contacts.verification.service import VerificationService
from message_contacts.verification.texts.verification_texts import VerificationTexts
from message_contacts.verification.tokens import Tokens
from message_contacts.wire.app import App
from message_contacts.wire.pipeline import Gateway
from message_contacts.wire.proxies import source_address
from message_contacts.wire.rendering import ErrorPage
from message_contacts.wire.replay import NonceMemory

log = structlog.get_logger(__name__)

#: Queues that a worker serves: one for each way to reach people, and one for work that stays inside.
CHANNELS = (*(channel.value for channel in Channel), "internal")
_PRUNE_SECONDS = 60.0


class StartError(Exception):
    """The service cannot start as it is set up; the text says why and what to do."""


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
    transports: Mapping[Channel, Transport]
    #: What the worker does, by kind of job.
    handlers: Mapping[str, Callable[[Job], Awaitable[Outcome]]]
    worker: Worker
    gateway: Gateway
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
        )

    async def work(self) -> None:
        """Do waiting work and tidy up until cancelled; then finish what is being sent and hand back the rest."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tidy())
            working = group.create_task(self.worker.run())
            try:
                await asyncio.shield(working)
            except asyncio.CancelledError:
                self.worker.stop()
                await working
                raise

    async def _tidy(self) -> None:
        """Remove what has served its time: nonces, counters of days gone by, the oldest of the inbox."""
        while True:
            try:
                await self.storage.prune(self.clock.now())
            except Exception:
                log.exception("tidying_failed")
            await self.clock.sleep(_PRUNE_SECONDS)

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


async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    transports: Mapping[Channel, Transport] | None = None,
    members: MemberSettings | None = None,
    seam: Seam | None = None,
) -> Service:
    """Put a service together and open its database, migrated if it has to be.

    Args:
        clock, ids: Sources of time and identifiers; the machine's by default.
        transports: Ways to reach people; those of the settings by default.
        members: Where members keep contacts of their own; nowhere by default.
        seam: Where tests make races happen.
    Raises:
        StartError: The database or its key cannot be used.
    """
    clock = clock or SystemClock()
    ids = ids or RandomIds()
    opened = AsyncExitStack()
    try:
        storage = await asyncio.to_thread(_opened, settings.database_url, clock)
        opened.callback(storage.close)
        vault = Vault(settings.encryption_key or _key_beside(settings.database_url))
        captured = {Channel.EMAIL: captures(settings.smtp_url), Channel.SMS: captures(settings.sms_url)}
        rules = _rules(settings, frozenset(channel for channel, is_captured in captured.items() if is_captured))
        settler = Settler(storage.committer, clock, settings.concurrency_wait.total_seconds(), seam)
        transports = transports or {
            Channel.EMAIL: mail_transport(
                settings.smtp_url, sender=settings.smtp_from, inbox=storage.inbox, clock=clock
            ),
            Channel.SMS: sms_transport(settings.sms_url, inbox=storage.inbox, clock=clock),
        }
        for transport in transports.values():
            opened.push_async_callback(transport.close)
    except ValueError as problem:  # of a transport's URL; its text holds no secret
        await opened.aclose()
        raise StartError(str(problem)) from None
    except BaseException:
        await opened.aclose()
        raise
    services = Services(
        contacts=storage.contacts,
        directory=storage.directory,
        verification=storage.verification,
        access=storage.access,
        outbox=storage.outbox,
        inbox=storage.inbox,
        settler=settler,
        clock=clock,
        ids=ids,
        rules=rules,
    )
    tokens = Tokens(vault.derive("message-contacts verification tokens"))
    verification = VerificationService(
        verifications=storage.verification,
        contacts=storage.contacts,
        directories=storage.directory,
        tokens=tokens,
        settler=settler,
        clock=clock,
        contact_rules=rules.contacts,
        rules=rules.verification,
    )
    handlers: dict[str, Callable[[Job], Awaitable[Outcome]]] = {
        SEND_VERIFICATION: VerificationSender(
            verifications=storage.verification,
            contacts=storage.contacts,
            directories=storage.directory,
            tokens=tokens,
            texts=VerificationTexts(settings.language, rules.contact_dates),
            transports=transports,
            contact_rules=rules.contacts,
            clock=clock,
            public_url=settings.public_url,
        ),
        WITHDRAW_CONTACT: ContactWithdrawal(
            contacts=storage.contacts, members=members or NoMemberSettings(), settler=settler
        ),
    }
    worker = Worker(storage.outbox, handlers, CHANNELS, clock, worker_id=f"{os.getpid()}-{secrets.token_hex(6)}")
    storage.on_enqueued = worker.wake
    invoker = Invoker(services)
    gateway = Gateway(
        registry=REGISTRY,
        invoker=invoker,
        keys=KeyRing(storage.access, vault),
        access=storage.access,
        clock=clock,
        ids=ids,
        nonces=NonceMemory(),
        error_page=ErrorPage(recommend_host=settings.recommend_host),
    )
    return Service(
        settings=settings,
        clock=clock,
        storage=storage,
        services=services,
        invoker=invoker,
        vault=vault,
        administration=Administration(store=storage.access, vault=vault, settler=settler, clock=clock, ids=ids),
        verification=verification,
        transports=transports,
        handlers=handlers,
        worker=worker,
        gateway=gateway,
        app=App(
            gateway=gateway,
            is_ready=storage.is_ready,
            pages=verification_pages(
                verification,
                public_url=settings.public_url,
                zone=rules.contact_dates,
                languages=settings.language,
                source_address=lambda scope: source_address(scope, settings.trusted_proxies),
            ),
            trusted_proxies=settings.trusted_proxies,
        ),
        _open=opened,
    )


def _rules(settings: Settings, captured: frozenset[Channel]) -> Rules:
    return Rules(
        contacts=ContactRules(
            contacts_per_directory=settings.contacts_per_directory,
            phone_country_codes=frozenset(settings.phone_country_codes),
            captured_counts=captured,
        ),
        directory=DirectoryRules(folders=settings.folders_per_directory, members=settings.members_per_directory),
        verification=VerificationRules(
            valid_for=round(settings.verification_valid.total_seconds() * SECOND),
            per_account_and_day=settings.verifications_per_day,
            per_address_and_minute=settings.verifications_per_minute,
        ),
        contact_dates=settings.contact_date_zone,
    )


def _opened(database_url: str, clock: Clock) -> Storage:
    """The database, made or migrated if it has to be. Raises: StartError."""
    path = sqlite_path(database_url)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        migrate(database_url)
        return open_sqlite(path, clock)
    except SchemaMismatch as mismatch:
        raise StartError(str(mismatch)) from None


def _key_beside(database_url: str) -> bytes:
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
