"""Makes the parts of a service and opens its database: the only place that chooses implementations."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack

from message_contacts.access import diagnosis
from message_contacts.access.administration import Administration
from message_contacts.access.authorizer import Authorizer
from message_contacts.access.console_sessions import ConsoleSessions
from message_contacts.access.diagnosis import Diagnoses
from message_contacts.access.key_uses import KeyUses
from message_contacts.access.keys import KeyRing
from message_contacts.access.sharing import Sharing
from message_contacts.audit.refusals import Refusals
from message_contacts.audit.sealing import Sealer
from message_contacts.audit.trail import AuditTrail
from message_contacts.bootstrap.errors import StartError
from message_contacts.bootstrap.foundations import opened_storage, rules_of, throttle_of, transports_of, vault_of
from message_contacts.bootstrap.metering import Meter, known_codes
from message_contacts.bootstrap.pages import PAGE_PREFIXES, all_pages
from message_contacts.bootstrap.readiness import Readiness
from message_contacts.bootstrap.recipients import recipient_side
from message_contacts.bootstrap.reports import bounce_intake, bounce_mailbox, imap_server
from message_contacts.bootstrap.sending import sending_side
from message_contacts.bootstrap.service import Service
from message_contacts.changes import Seam, Settler
from message_contacts.clock import Clock, SystemClock
from message_contacts.console.site.calls import Calls
from message_contacts.contacts.model import Channel
from message_contacts.delivery.outbox import messages_queue
from message_contacts.delivery.outcome import Transport
from message_contacts.delivery.tally import Tally
from message_contacts.delivery.withdrawal import MemberSettings, NoMemberSettings
from message_contacts.delivery.worker import Worker
from message_contacts.ids import Ids, RandomIds
from message_contacts.metrics import Metrics
from message_contacts.operations.call import Services
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.invoke import Invoker
from message_contacts.settings import Settings
from message_contacts.transports.choose import captures
from message_contacts.verification.service import VerificationService
from message_contacts.wire.app import App
from message_contacts.wire.operator_pages import OperatorPages
from message_contacts.wire.pipeline import Gateway
from message_contacts.wire.rendering import ErrorPage
from message_contacts.wire.replay import NonceMemory

#: Queues that a worker serves: two for each way to reach people, and one for work that stays inside.
CHANNELS = (*(channel.value for channel in Channel), *(messages_queue(channel) for channel in Channel), "internal")


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
        storage = await asyncio.to_thread(opened_storage, settings, clock, metrics)
        opened.callback(storage.close)
        opened.push_async_callback(storage.finish)
        vault = vault_of(settings)
        captured = {
            Channel.EMAIL: captures(settings.smtp_url),
            Channel.SMS: captures(settings.sms_url),
            Channel.WEBHOOK: settings.webhooks_captured,
        }
        rules = rules_of(settings, frozenset(channel for channel, is_captured in captured.items() if is_captured))
        trail = AuditTrail(clock, ids)
        settler = Settler(storage.committer, clock, settings.concurrency_wait.total_seconds(), seam, trail)
        transports = transports or transports_of(settings, storage.inbox, clock)
        for transport in transports.values():
            opened.push_async_callback(transport.close)
        imap = imap_server(settings)
    except ValueError as problem:  # of a transport's URL; its text holds no secret
        await opened.aclose()
        raise StartError(str(problem)) from None
    except BaseException:
        await opened.aclose()
        raise

    tally = Tally(metrics)
    recipients = recipient_side(
        settings,
        storage,
        vault,
        settler,
        clock=clock,
        ids=ids,
        tally=tally,
        circumstances=rules.circumstances,
        captured=rules.contacts.captured_counts,
    )
    sending = sending_side(
        settings,
        storage,
        vault,
        settler,
        clock=clock,
        ids=ids,
        tally=tally,
        rules=rules,
        recipients=recipients,
        transports=transports,
        members=members or NoMemberSettings(),
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
        search=sending.search,
        wording=sending.wording,
        trials=sending.trials,
        fallback_codes=sending.fallback_codes,
        webhook_codes=sending.webhook_codes,
        endpoint_seal=sending.endpoint_seal,
        outbox=storage.outbox,
        inbox=storage.inbox,
        audit=storage.audit,
        people=storage.people,
        settler=settler,
        clock=clock,
        ids=ids,
        rules=rules,
    )
    verification = VerificationService(
        verifications=storage.verification,
        contacts=storage.contacts,
        directories=storage.directory,
        tokens=sending.tokens,
        settler=settler,
        clock=clock,
        contact_rules=rules.contacts,
        rules=rules.verification,
        along=recipients.standing.along_confirmation,
    )
    worker = Worker(
        storage.outbox, sending.handlers, CHANNELS, clock, worker_id=_process_name(), metrics=metrics, tally=tally
    )
    storage.on_enqueued = worker.wake
    mailbox = bounce_mailbox(settings, imap, recipients, storage, clock=clock, metrics=metrics)
    readiness = Readiness(storage=storage, vault=vault, worker=worker, mailbox=mailbox, clock=clock)
    meter = Meter(
        metrics,
        storage.backlogs,
        storage.pools,
        clock,
        channels=CHANNELS,
        kinds=tuple(sending.handlers),
        folder=settings.metrics_folder,
    )
    operator = OperatorPages(ailments=readiness.ailments, impairments=readiness.impairments, metrics=meter.page)
    refusals = Refusals(storage.audit, clock, ids)
    invoker = Invoker(
        services, Authorizer(grants=storage.grants, clock=clock, diagnoses=services.diagnoses, observer=refusals)
    )
    uses = KeyUses(storage.key_uses, clock)
    throttle = throttle_of(settings)
    keys = KeyRing(storage.access, vault)
    console_sessions = ConsoleSessions(
        store=storage.console_sessions,
        access=storage.access,
        keys=keys,
        settler=settler,
        clock=clock,
        throttle=throttle,
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
        handlers=sending.handlers,
        load_texts=sending.load_texts,
        worker=worker,
        tally=tally,
        recipients=recipients,
        intake=bounce_intake(settings, recipients),
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
                calls=Calls(
                    registry=REGISTRY,
                    invoker=invoker,
                    clock=clock,
                    ids=ids,
                    uses=uses,
                    throttle=throttle,
                    metrics=metrics,
                ),
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
