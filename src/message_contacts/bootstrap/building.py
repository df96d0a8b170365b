"""Makes the parts of a service and opens its database: the only place that chooses implementations."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

from message_contacts.access import diagnosis
from message_contacts.access.administration import Administration
from message_contacts.access.authorizer import Authorizer
from message_contacts.access.diagnosis import Diagnoses
from message_contacts.access.key_uses import KeyUses
from message_contacts.access.keys import KeyRing, Vault
from message_contacts.access.sharing import Sharing
from message_contacts.access.throttle import Throttle
from message_contacts.audit.refusals import Refusals
from message_contacts.audit.sealing import Sealer
from message_contacts.audit.trail import AuditTrail
from message_contacts.bootstrap.errors import StartError
from message_contacts.bootstrap.key_file import key_file
from message_contacts.bootstrap.metering import Meter, known_codes
from message_contacts.bootstrap.readiness import Readiness
from message_contacts.bootstrap.service import Service
from message_contacts.changes import Job, Seam, Settler
from message_contacts.clock import SECOND, Clock, SystemClock
from message_contacts.console.verification_pages import verification_pages
from message_contacts.contacts.deletion import WITHDRAW_CONTACT
from message_contacts.contacts.model import Channel, ContactRules
from message_contacts.delivery.outcome import Outcome, Transport
from message_contacts.delivery.verification_sender import VerificationSender
from message_contacts.delivery.withdrawal import ContactWithdrawal, MemberSettings, NoMemberSettings
from message_contacts.delivery.worker import Worker
from message_contacts.directory.model import DirectoryRules
from message_contacts.ids import Ids, RandomIds
from message_contacts.metrics import Metrics
from message_contacts.operations.call import Rules, Services
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.invoke import Invoker
from message_contacts.settings import Settings
from message_contacts.storage import SchemaMismatch, Storage, migrate, open_sqlite, sqlite_path
from message_contacts.transports.choose import captures, mail_transport, sms_transport
from message_contacts.verification.challenge import SEND_VERIFICATION
from message_contacts.verification.model import VerificationRules
from message_contacts.verification.service import VerificationService
from message_contacts.verification.texts.verification_texts import VerificationTexts
from message_contacts.verification.tokens import Tokens
from message_contacts.wire.app import App
from message_contacts.wire.operator_pages import OperatorPages
from message_contacts.wire.pipeline import Gateway
from message_contacts.wire.proxies import source_address
from message_contacts.wire.rendering import ErrorPage
from message_contacts.wire.replay import NonceMemory

#: Queues that a worker serves: one for each way to reach people, and one for work that stays inside.
CHANNELS = (*(channel.value for channel in Channel), "internal")


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
    metrics = Metrics(known_codes(REGISTRY))
    try:
        storage = await asyncio.to_thread(_opened, settings.database_url, clock, metrics)
        opened.callback(storage.close)
        vault = _vault(settings)
        captured = {Channel.EMAIL: captures(settings.smtp_url), Channel.SMS: captures(settings.sms_url)}
        rules = _rules(settings, frozenset(channel for channel, is_captured in captured.items() if is_captured))
        trail = AuditTrail(clock, ids)
        settler = Settler(storage.committer, clock, settings.concurrency_wait.total_seconds(), seam, trail)
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
        ram=storage.ram,
        vault=vault,
        diagnoses=Diagnoses(vault.derived(diagnosis.PURPOSE)),
        outbox=storage.outbox,
        inbox=storage.inbox,
        audit=storage.audit,
        people=storage.people,
        settler=settler,
        clock=clock,
        ids=ids,
        rules=rules,
    )
    tokens = Tokens(vault.derived("message-contacts verification tokens"))
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
    worker_id = f"{os.getpid()}-{secrets.token_hex(6)}"
    worker = Worker(storage.outbox, handlers, CHANNELS, clock, worker_id=worker_id, metrics=metrics)
    storage.on_enqueued = worker.wake
    readiness = Readiness(storage=storage, vault=vault, worker=worker, clock=clock)
    meter = Meter(
        metrics,
        storage.backlogs,
        clock,
        channels=CHANNELS,
        kinds=tuple(handlers),
        folder=settings.metrics_folder,
    )
    operator = OperatorPages(ailments=readiness.ailments, metrics=meter.page)
    refusals = Refusals(storage.audit, clock, ids)
    authorizer = Authorizer(grants=storage.grants, clock=clock, diagnoses=services.diagnoses, observer=refusals)
    invoker = Invoker(services, authorizer)
    process_id = f"{os.getpid()}-{secrets.token_hex(6)}"
    uses = KeyUses(storage.key_uses, clock)
    throttle = _throttle(settings)
    gateway = Gateway(
        registry=REGISTRY,
        invoker=invoker,
        keys=KeyRing(storage.access, vault),
        access=storage.access,
        clock=clock,
        ids=ids,
        nonces=NonceMemory(),
        uses=uses,
        throttle=throttle,
        metrics=metrics,
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
        uses=uses,
        refusals=refusals,
        sealer=Sealer(storage.audit),
        sharing=None
        if throttle is None
        else Sharing(throttle, storage.demands, clock, process_id=process_id, processes=settings.workers),
        readiness=readiness,
        meter=meter,
        operator=operator,
        app=App(
            gateway=gateway,
            operator=operator,
            metrics_port=None if settings.metrics_listen is None else settings.metrics_listen[1],
            metrics_for_local=settings.metrics_listen is None and settings.loopback,
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


def _throttle(settings: Settings) -> Throttle | None:
    """What refuses calls beyond the limits of the settings; None without any limit."""
    per_key, per_account = settings.requests_per_second, settings.directory_requests_per_second
    return Throttle(per_key=per_key, per_account=per_account) if per_key or per_account else None


def _vault(settings: Settings) -> Vault:
    """The keys of the settings, or else of the file beside the database, which is made if it is not there yet.

    Raises: StartError when the file does not hold keys.
    """
    accepted = settings.encryption_keys_accepted
    if settings.encryption_key is not None:
        return Vault(settings.encryption_key, *accepted)
    file = key_file(settings.database_url)
    file.make()

    def newer() -> Sequence[bytes] | None:
        keys = file.newer()
        return None if keys is None else (*keys, *accepted)

    return Vault(*(entry.key for entry in file.read()), *accepted, newer=newer)


def _opened(database_url: str, clock: Clock, metrics: Metrics) -> Storage:
    """The database, made or migrated if it has to be. Raises: StartError."""
    path = sqlite_path(database_url)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        migrate(database_url)
        return open_sqlite(path, clock, metrics=metrics)
    except SchemaMismatch as mismatch:
        raise StartError(str(mismatch)) from None
