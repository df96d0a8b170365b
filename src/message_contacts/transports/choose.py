"""From the URL in a setting to the transport it names.

Only the transport that is chosen is imported: an HTTP client and TLS cost a third of the time in which a service that
captures everything starts.
"""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.clock import Clock
from message_contacts.delivery.outbox import Inbox
from message_contacts.delivery.outcome import Transport
from message_contacts.transports.capture import CaptureTransport
from message_contacts.webhooks.addresses import Network

CAPTURE = "capture:"


def captures(url: str) -> bool:
    """Whether the URL of a channel means that its messages are captured."""
    return url == CAPTURE


def mail_transport(url: str, *, sender: str, inbox: Inbox, clock: Clock) -> Transport:
    """What SMTP_URL names: `capture:`, `smtp://` or `smtps://`.

    Args:
        sender: SMTP_FROM, an address or `Name <address>`; not looked at when mails are captured.
    Raises:
        ValueError: URL or sender cannot be used; the text says what can, and holds no secrets.
    """
    if captures(url):
        return CaptureTransport(inbox, clock)
    scheme = _scheme(url)
    if scheme not in {"smtp", "smtps"}:
        raise ValueError(f"mail goes to capture:, smtp:// or smtps://, not to {scheme or 'a URL without a scheme'}")
    from message_contacts.transports.mail import Sender  # noqa: PLC0415 - see above
    from message_contacts.transports.smtp import SmtpTransport  # noqa: PLC0415
    from message_contacts.transports.smtp_server import SmtpServer  # noqa: PLC0415

    return SmtpTransport(SmtpServer.parse(url), Sender.parse(sender), clock)


def sms_transport(url: str, *, inbox: Inbox, clock: Clock) -> Transport:
    """What SMS_URL names: `capture:`, `http://` or `https://`.

    Raises:
        ValueError: The URL cannot be used; the text says what can, and holds no secrets.
    """
    if captures(url):
        return CaptureTransport(inbox, clock)
    scheme = _scheme(url)
    if scheme not in {"http", "https"}:
        raise ValueError(
            f"text messages go to capture:, http:// or https://, not to {scheme or 'a URL without a scheme'}"
        )
    from message_contacts.transports.sms_http import SmsGateway, SmsHttpTransport  # noqa: PLC0415 - see above

    return SmsHttpTransport(SmsGateway.parse(url), clock)


def webhook_transport(networks: Sequence[Network], *, captured: bool, inbox: Inbox, clock: Clock) -> Transport:
    """What WEBHOOKS says: captured, or posted.

    Args:
        networks: WEBHOOK_PRIVATE_NETWORKS.
    """
    if captured:
        return CaptureTransport(inbox, clock)
    from message_contacts.transports.webhook import WebhookTransport  # noqa: PLC0415 - see above

    return WebhookTransport(clock, private_networks=networks)


def _scheme(url: str) -> str:
    """What stands before the first colon, if it looks like a scheme."""
    scheme, colon, _ = url.partition(":")
    return scheme if colon and scheme.isalnum() and len(scheme) <= 16 else ""
