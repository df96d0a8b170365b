"""Whether webhooks are posted to or captured, by the settings."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from message_contacts.settings import Settings
from message_contacts.transports.capture import CaptureTransport
from message_contacts.transports.choose import webhook_transport
from message_contacts.transports.webhook import WebhookTransport
from tests.fakes.clock import FakeClock


class NoInbox:
    """Nothing is captured here."""


MAIL = {"smtp_url": "smtp://mail.example.com", "smtp_from": "contacts@example.com"}


@pytest.mark.parametrize(
    ("given", "captured"),
    [
        ({}, True),
        ({"webhooks": "auto"}, True),
        (MAIL, False),
        ({**MAIL, "webhooks": "capture"}, True),
        ({"webhooks": "post"}, False),
    ],
)
def test_posts_are_captured_with_mail_unless_said_otherwise(given, captured):
    assert Settings(**given).webhooks_captured is captured


def test_the_demo_key_opens_no_service_that_posts():
    assert Settings().demo_key_allowed
    assert not Settings(webhooks="post").demo_key_allowed


def test_capturing_where_others_can_reach_has_to_be_allowed():
    public = {
        **MAIL, "sms_url": "https://sms.example.com/", "host": "0.0.0.0", "public_url": "https://contacts.example.com",
    }  # fmt: skip
    assert list(Settings(**public).problems()) == []
    (problem,) = Settings(**public, webhooks="capture").problems()
    assert "MESSAGE_CONTACTS_WEBHOOKS would capture messages" in problem
    assert list(Settings(**public, webhooks="capture", allow_capture=True).problems()) == []


async def test_the_transport_is_what_the_settings_say():
    inbox = NoInbox()
    networks = (ip_network("10.0.0.0/8"),)
    captured = webhook_transport(networks, captured=True, inbox=inbox, clock=FakeClock())
    posted = webhook_transport(networks, captured=False, inbox=inbox, clock=FakeClock())
    assert isinstance(captured, CaptureTransport)
    assert isinstance(posted, WebhookTransport)
    assert (captured.captures, posted.captures) == (True, False)
    await posted.close()
