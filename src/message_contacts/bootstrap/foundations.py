"""From settings to what everything stands on: the database, the keys, the rules, the ways to reach people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from message_contacts.access.keys import Vault
from message_contacts.access.throttle import Throttle
from message_contacts.bootstrap.errors import StartError
from message_contacts.bootstrap.key_file import key_file
from message_contacts.clock import SECOND, Clock
from message_contacts.contacts.model import Channel, ContactRules
from message_contacts.delivery.messages import DeliveryRules
from message_contacts.delivery.outbox import Inbox
from message_contacts.delivery.outcome import Transport
from message_contacts.delivery.rules import Severity
from message_contacts.directory.model import DirectoryRules
from message_contacts.metrics import Metrics
from message_contacts.operations.call import Rules
from message_contacts.settings import PREFIX, Settings
from message_contacts.settings.forms import is_postgres
from message_contacts.storage import CannotOpen, Storage, migrate, open_postgres, open_sqlite, sqlite_path
from message_contacts.transports.choose import mail_transport, sms_transport, webhook_transport
from message_contacts.verification.model import VerificationRules
from message_contacts.webhooks.model import WebhookRules

#: Severities of messages that go out as text messages too, by the setting SMS_FOR.
_SEVERITIES = {
    "critical": frozenset({Severity.CRITICAL}),
    "all": frozenset(Severity),
    "none": frozenset[Severity](),
}


def transports_of(settings: Settings, inbox: Inbox, clock: Clock) -> Mapping[Channel, Transport]:
    """The ways to reach people that the settings name. Raises: ValueError, with a text that holds no secret."""
    return {
        Channel.EMAIL: mail_transport(settings.smtp_url, sender=settings.smtp_from, inbox=inbox, clock=clock),
        Channel.SMS: sms_transport(settings.sms_url, inbox=inbox, clock=clock),
        Channel.WEBHOOK: webhook_transport(
            settings.webhook_private_networks, captured=settings.webhooks_captured, inbox=inbox, clock=clock
        ),
    }


def rules_of(settings: Settings, captured: frozenset[Channel]) -> Rules:
    """What the operator set about the rules.

    Args:
        captured: Channels of which everything lands in the inbox.
    """
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
        audit_kept=None if settings.audit_kept is None else round(settings.audit_kept.total_seconds() * SECOND),
        contact_dates=settings.contact_date_zone,
    )


def throttle_of(settings: Settings) -> Throttle | None:
    """What refuses calls beyond the limits of the settings; None without any limit."""
    per_key, per_account = settings.requests_per_second, settings.directory_requests_per_second
    return Throttle(per_key=per_key, per_account=per_account) if per_key or per_account else None


def vault_of(settings: Settings) -> Vault:
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


def opened_storage(settings: Settings, clock: Clock, metrics: Metrics) -> Storage:
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
