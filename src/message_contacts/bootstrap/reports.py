"""What takes and fetches reports about mail that came back, as far as settings ask for it."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from message_contacts.bootstrap.recipients import RecipientSide
from message_contacts.clock import Clock
from message_contacts.metrics import Metrics
from message_contacts.settings import Settings
from message_contacts.storage import Storage
from message_contacts.transports.bounce_intake import BounceIntake, Listen
from message_contacts.transports.bounce_mailbox import BounceMailbox
from message_contacts.transports.imap_server import ImapServer


def bounce_intake(settings: Settings, recipients: RecipientSide) -> BounceIntake | None:
    """Where reports are taken, if anywhere."""
    paths = recipients.bounces.return_paths
    if settings.bounce_listen is None or paths is None:
        return None
    hostname = urlsplit(settings.public_url).hostname or "localhost"
    return BounceIntake(recipients.bounces, paths, Listen.parse(settings.bounce_listen), hostname)


def imap_server(settings: Settings) -> tuple[ImapServer, ssl.SSLContext | None] | None:
    """The mailbox to fetch reports from, if there is one, and how its certificate is checked. Raises: ValueError."""
    if settings.bounce_imap_url is None:
        return None
    server = ImapServer.parse(settings.bounce_imap_url)
    return server, server.tls_context()


def bounce_mailbox(
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
