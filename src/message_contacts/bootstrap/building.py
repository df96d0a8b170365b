"""Makes the parts of a service and opens its database: the only place that chooses implementations."""

from __future__ import annotations

import asyncio
import os
import secrets
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cache
from urllib.parse import urlsplit

from message_contacts.access import diagnosis
from message_contacts.access.administration import Administration
from message_contacts.access.authorizer import Authorizer
from message_contacts.access.console_sessions import ConsoleSessions
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
from message_contacts.bootstrap.pages import PAGE_PREFIXES, all_pages
from message_contacts.bootstrap.readiness import Readiness
from message_contacts.bootstrap.recipients import RecipientSide, recipient_side
from message_contacts.bootstrap.service import Service
from message_contacts.changes import Job, Seam, Settler
from message_contacts.clock import SECOND, Clock, SystemClock
from message_contacts.console.site.calls import Calls
from message_contacts.contacts.deletion import WITHDRAW_CONTACT
from message_contacts.contacts.model import Channel, ContactRules
from message_contacts.delivery.expansion import MessageExpansion
from message_contacts.delivery.fallback import SEND_FALLBACK_CODE, FallbackCodeSender
from message_contacts.delivery.messages import DELIVER, EXPAND_MESSAGE, DeliveryRules
from message_contacts.delivery.outbox import messages_queue
from message_contacts.delivery.outcome import Outcome, Transport
from message_contacts.delivery.recipient_search import RecipientSearch
from message_contacts.delivery.review import REVIEW_MESSAGE, MessageReview
from message_contacts.delivery.rules import Severity
from message_contacts.delivery.sending import DeliverySender
from message_contacts.delivery.tally import Tally
from message_contacts.delivery.texts.message_texts import MessageTexts
from message_contacts.delivery.texts.webhook_texts import WebhookTexts
from message_contacts.delivery.verification_sender import VerificationSender
from message_contacts.delivery.webhook_posts import WebhookCodeSender, WebhookPosts
from message_contacts.delivery.withdrawal import ContactWithdrawal, MemberSettings, NoMemberSettings
from message_contacts.delivery.worker import Worker
from message_contacts.directory.model import DirectoryRules
from message_contacts.ids import Ids, RandomIds
from message_contacts.metrics import Metrics
from message_contacts.operations.call import Rules, Services
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.invoke import Invoker
from message_contacts.settings import PREFIX, Settings
from message_contacts.settings.forms import is_postgres
from message_contacts.storage import CannotOpen, Storage, migrate, open_postgres, open_sqlite, sqlite_path
from message_contacts.transports.bounce_intake import BounceIntake, Listen
from message_contacts.transports.bounce_mailbox import BounceMailbox
from message_contacts.transports.choose import captures, mail_transport, sms_transport, webhook_transport
from message_contacts.transports.imap_server import ImapServer
from message_contacts.verification.challenge import SEND_VERIFICATION
from message_contacts.verification.model import VerificationRules
from message_contacts.verification.service import VerificationService
from message_contacts.verification.texts.verification_texts import VerificationTexts
from message_contacts.verification.tokens import Tokens
from message_contacts.webhooks.model import WebhookRules
from message_contacts.webhooks.rules import SEND_WEBHOOK_CODE
from message_contacts.webhooks.sealing import EndpointSeal
from message_contacts.wire.app import App
from message_contacts.wire.operator_pages import OperatorPages
from message_contacts.wire.pipeline import Gateway
from message_contacts.wire.rendering import ErrorPage
from message_contacts.wire.replay import NonceMemory

#: Queues that a worker serves: two for each way to reach people, and one for work that stays inside.
CHANNELS = (*(channel.value for channel in Channel), *(messages_queue(channel) for channel in Channel), "internal")

#: Severities of messages that go out as text messages too, by the setting SMS_FOR.
_SEVERITIES = {
    "critical": frozenset({Severity.CRITICAL}),
    "all": frozenset(Severity),
    "none": frozenset[Severity](),
}


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
        storage = await asyncio.to_thread(_opened, settings, clock, metrics)
        opened.callback(storage.close)
        opened.push_async_callback(storage.finish)
        vault = _vault(settings)
        captured = {
            Channel.EMAIL: captures(settings.smtp_url),
            Channel.SMS: captures(settings.sms_url),
            Channel.WEBHOOK: settings.webhooks_captured,
        }
        rules = _rules(settings, frozenset(channel for channel, is_captured in captured.items() if is_captured))
        trail = AuditTrail(clock, ids)
        settler = Settler(storage.committer, clock, settings.concurrency_wait.total_seconds(), seam, trail)
        transports = transports or {
            Channel.EMAIL: mail_transport(
                settings.smtp_url, sender=settings.smtp_from, inbox=storage.inbox, clock=clock
            ),
            Channel.SMS: sms_transport(settings.sms_url, inbox=storage.inbox, clock=clock),
            Channel.WEBHOOK: webhook_transport(
                settings.webhook_private_networks,
                captured=settings.webhooks_captured,
                inbox=storage.inbox,
                clock=clock,
            ),
        }
        for transport in transports.values():
            opened.push_async_callback(transport.close)
        imap = _imap(settings)
    except ValueError as problem:  # of a transport's URL; its text holds no secret
        await opened.aclose()
        raise StartError(str(problem)) from None
    except BaseException:
        await opened.aclose()
        raise

    tally = Tally(metrics)
    recipients = recipient_side(
        settings, storage, vault, settler, clock=clock, ids=ids, tally=tally, circumstances=rules.circumstances
    )
    message_texts = MessageTexts(settings.language, rules.contact_dates)
    fallback_codes = Tokens(vault.derive("message-contacts fallback address codes"))
    webhook_codes = Tokens(vault.derive("message-contacts webhook codes"))
    endpoint_seal = EndpointSeal(vault)
    webhook_texts = WebhookTexts(settings.language, rules.contact_dates)
    sender = DeliverySender(
        messages=storage.messages,
        contacts=storage.contacts,
        routing=storage.routing,
        directories=storage.directory,
        settler=settler,
        standing=recipients.standing,
        bounces=recipients.bounces,
        texts=message_texts,
        texts_in=cache(lambda language: MessageTexts([language], rules.contact_dates)),
        unsubscribe_link=recipients.links.unsubscribe,
        preferences_link=recipients.links.preferences,
        webhooks=WebhookPosts(webhooks=storage.webhooks, seal=endpoint_seal, texts=webhook_texts),
        transports=transports,
        rules=rules.delivery,
        clock=clock,
        tally=tally,
        host=urlsplit(settings.public_url).hostname or "localhost",
    )
    search = RecipientSearch(
        messages=storage.messages,
        webhooks=storage.webhooks,
        routing=storage.routing,
        directories=storage.directory,
        ids=ids,
        captured=rules.contacts.captured_counts,
    )
    services = Services(
        contacts=storage.contacts,
        directory=storage.directory,
        verification=storage.verification,
        access=storage.access,
        ram=storage.ram,
        grants=storage.grants,
        key_uses=storage.key_uses,
        vault=vault,
        diagnoses=Diagnoses(vault.derived(diagnosis.PURPOSE)),
        routing=storage.routing,
        messages=storage.messages,
        standing=recipients.standing,
        webhooks=storage.webhooks,
        search=search,
        sender=sender,
        fallback_codes=fallback_codes,
        webhook_codes=webhook_codes,
        endpoint_seal=endpoint_seal,
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
        along=recipients.standing.along_confirmation,
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
        EXPAND_MESSAGE: MessageExpansion(
            messages=storage.messages,
            search=search,
            settler=settler,
            conditions=recipients.standing.of_tenant,
            clock=clock,
            ids=ids,
            tally=tally,
            captured=rules.contacts.captured_counts,
        ),
        REVIEW_MESSAGE: MessageReview(messages=storage.messages, settler=settler, clock=clock, ids=ids, tally=tally),
        DELIVER: sender,
        SEND_WEBHOOK_CODE: WebhookCodeSender(
            webhooks=storage.webhooks,
            directories=storage.directory,
            seal=endpoint_seal,
            tokens=webhook_codes,
            texts=webhook_texts,
            transports=transports,
            clock=clock,
        ),
        SEND_FALLBACK_CODE: FallbackCodeSender(
            messages=storage.messages,
            directories=storage.directory,
            tokens=fallback_codes,
            texts=message_texts,
            transports=transports,
            clock=clock,
        ),
    }
    worker = Worker(storage.outbox, handlers, CHANNELS, clock, worker_id=_process_name(), metrics=metrics, tally=tally)
    storage.on_enqueued = worker.wake
    mailbox = _mailbox(settings, imap, recipients, storage, clock=clock, metrics=metrics)
    readiness = Readiness(storage=storage, vault=vault, worker=worker, mailbox=mailbox, clock=clock)
    meter = Meter(
        metrics,
        storage.backlogs,
        storage.pools,
        clock,
        channels=CHANNELS,
        kinds=tuple(handlers),
        folder=settings.metrics_folder,
    )
    operator = OperatorPages(ailments=readiness.ailments, impairments=readiness.impairments, metrics=meter.page)
    refusals = Refusals(storage.audit, clock, ids)
    invoker = Invoker(
        services, Authorizer(grants=storage.grants, clock=clock, diagnoses=services.diagnoses, observer=refusals)
    )
    uses = KeyUses(storage.key_uses, clock)
    throttle = _throttle(settings)
    keys = KeyRing(storage.access, vault)
    console_sessions = ConsoleSessions(
        store=storage.console_sessions, access=storage.access, keys=keys, settler=settler, clock=clock
    )
    gateway = Gateway(
        registry=REGISTRY,
        invoker=invoker,
        keys=keys,
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
        console_sessions=console_sessions,
        transports=transports,
        handlers=handlers,
        worker=worker,
        tally=tally,
        recipients=recipients,
        intake=_intake(settings, recipients),
        mailbox=mailbox,
        gateway=gateway,
        uses=uses,
        refusals=refusals,
        sealer=Sealer(storage.audit),
        sharing=None
        if throttle is None
        else Sharing(throttle, storage.demands, clock, process_id=_process_name(), processes=settings.workers),
        readiness=readiness,
        meter=meter,
        operator=operator,
        app=App(
            gateway=gateway,
            operator=operator,
            metrics_port=None if settings.metrics_listen is None else settings.metrics_listen[1],
            metrics_for_local=settings.metrics_listen is None and settings.loopback,
            pages=all_pages(
                settings,
                verification=verification,
                preferences=recipients.preferences,
                sessions=console_sessions,
                calls=Calls(registry=REGISTRY, invoker=invoker, clock=clock, ids=ids, uses=uses, metrics=metrics),
                vault=vault,
                captures=any(captured.values()),
            ),
            page_prefixes=PAGE_PREFIXES,
            trusted_proxies=settings.trusted_proxies,
        ),
        _open=opened,
    )


def _process_name() -> str:
    """Unlike that of any other process, on this machine or another."""
    return f"{os.getpid()}-{secrets.token_hex(6)}"


def _intake(settings: Settings, recipients: RecipientSide) -> BounceIntake | None:
    """Where reports are taken, if anywhere."""
    paths = recipients.bounces.return_paths
    if settings.bounce_listen is None or paths is None:
        return None
    hostname = urlsplit(settings.public_url).hostname or "localhost"
    return BounceIntake(recipients.bounces, paths, Listen.parse(settings.bounce_listen), hostname)


def _imap(settings: Settings) -> tuple[ImapServer, ssl.SSLContext | None] | None:
    """The mailbox to fetch reports from, if there is one, and how its certificate is checked. Raises: ValueError."""
    if settings.bounce_imap_url is None:
        return None
    server = ImapServer.parse(settings.bounce_imap_url)
    return server, server.tls_context()


def _mailbox(
    settings: Settings,
    imap: tuple[ImapServer, ssl.SSLContext | None] | None,
    recipients: RecipientSide,
    storage: Storage,
    *,
    clock: Clock,
    metrics: Metrics,
) -> BounceMailbox | None:
    """What fetches reports, if anything."""
    if imap is None or recipients.bounces.return_paths is None:
        return None
    server, context = imap
    return BounceMailbox(
        bounces=recipients.bounces,
        turns=storage.turns,
        server=server,
        context=context,
        interval=settings.bounce_imap_interval.total_seconds(),
        clock=clock,
        metrics=metrics,
    )


def _rules(settings: Settings, captured: frozenset[Channel]) -> Rules:
    delivery = DeliveryRules(
        text_messages_for=_SEVERITIES[settings.sms_for],
        text_message_countries=frozenset(settings.sms_country_codes),
        text_messages_per_day=settings.sms_per_day,
    )
    return Rules(
        contacts=ContactRules(
            contacts_per_directory=settings.contacts_per_directory,
            phone_country_codes=frozenset(settings.phone_country_codes),
            captured_counts=captured,
        ),
        delivery=delivery,
        webhooks=WebhookRules(
            per_directory=settings.webhooks_per_directory, private_networks=settings.webhook_private_networks
        ),
        directory=DirectoryRules(folders=settings.folders_per_directory, members=settings.members_per_directory),
        verification=VerificationRules(
            valid_for=round(settings.verification_valid.total_seconds() * SECOND),
            per_account_and_day=settings.verifications_per_day,
            per_address_and_minute=settings.verifications_per_minute,
        ),
        circumstances=delivery.circumstances(captured),
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


def _opened(settings: Settings, clock: Clock, metrics: Metrics) -> Storage:
    """The database, made or migrated if it has to be. Raises: StartError."""
    url = settings.database_url
    try:
        if is_postgres(url):
            if settings.encryption_key is None:
                raise StartError(
                    f"{PREFIX}ENCRYPTION_KEY has to be set, because the database is PostgreSQL, which several "
                    "processes may share: 32 bytes in base64, as `openssl rand -base64 32` makes them, the same for "
                    "all of them."
                )
            migrate(url)
            return open_postgres(url, clock, connections=settings.database_connections, metrics=metrics)
        path = sqlite_path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        migrate(url)
        return open_sqlite(path, clock, metrics=metrics)
    except CannotOpen as refusal:
        raise StartError(str(refusal)) from None
