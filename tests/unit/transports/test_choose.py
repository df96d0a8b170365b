"""URLs of settings, and the transports they name."""

from __future__ import annotations

import pytest

from message_contacts.contacts.model import Channel
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Verdict
from message_contacts.transports.capture import CaptureTransport
from message_contacts.transports.choose import captures, mail_transport, sms_transport
from message_contacts.transports.sms_http import SmsHttpTransport
from message_contacts.transports.smtp import SmtpTransport
from message_contacts.transports.smtp_server import Encryption, SmtpServer
from tests.fakes.clock import START, FakeClock
from tests.fakes.outbox import FakeInbox


def choose_mail(url: str, sender: str = "contacts@example.com"):
    return mail_transport(url, sender=sender, inbox=FakeInbox(), clock=FakeClock())


def choose_sms(url: str):
    return sms_transport(url, inbox=FakeInbox(), clock=FakeClock())


def test_url_chooses_the_transport():
    assert isinstance(choose_mail("capture:", sender=""), CaptureTransport)
    assert isinstance(choose_mail("smtp://mail.example.com"), SmtpTransport)
    assert isinstance(choose_mail("smtps://mail.example.com"), SmtpTransport)
    assert isinstance(choose_sms("capture:"), CaptureTransport)
    assert isinstance(choose_sms("https://gateway.example.com/sms"), SmsHttpTransport)


def test_only_capture_captures():
    assert captures("capture:")
    assert not captures("smtp://mail.example.com")
    assert choose_mail("capture:").captures
    assert not choose_mail("smtp://mail.example.com").captures


@pytest.mark.parametrize(
    "url", ["", "mail.example.com", "http://mail.example.com", "capture", "smtp", "file:///etc/passwd"]
)
def test_mail_url_that_is_not_known_names_what_is(url):
    with pytest.raises(ValueError, match="capture:, smtp:// or smtps://"):
        choose_mail(url)


@pytest.mark.parametrize("url", ["", "gateway", "smtp://mail.example.com", "ftp://x/", "capture"])
def test_sms_url_that_is_not_known_names_what_is(url):
    with pytest.raises(ValueError, match="capture:, http:// or https://"):
        choose_sms(url)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://",
        "smtp://user@host",
        "smtp://:hunter2@host",
        "smtp://user:hunter2@host:99999",
        "smtp://user:hunter2@host/path",
        "smtp://user:hunter2@host?starttls=maybe",
        "smtp://user:hunter2@host?tls=1",
        "smtps://user:hunter2@host?starttls=require",
        "smtp://user:hunter2@host?ca=/nowhere.pem",
    ],
)
def test_mail_server_that_cannot_be_read_is_refused_without_its_password(url):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the texts differ; none may have the password
        choose_mail(url)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https://user:whsec_aaaa@host/",
        "https://:hunter2@host/",
        "https://:whsec_hunter2@host/",
        "https://:whsec_aHVudGVyMg@host:99999/",
        "https://host/#fragment",
    ],
)
def test_gateway_that_cannot_be_read_is_refused_without_its_secret(url):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the texts differ; none may have the secret
        choose_sms(url)
    assert "hunter2" not in str(refusal.value)
    assert "aHVudGVyMg" not in str(refusal.value)


@pytest.mark.parametrize("sender", ["", "nobody"])
def test_real_mail_needs_a_sender(sender):
    with pytest.raises(ValueError, match="a sender is"):
        choose_mail("smtp://mail.example.com", sender=sender)


@pytest.mark.parametrize(
    ("url", "port", "encryption"),
    [
        ("smtp://mail.example.com", 587, Encryption.OFFERED),
        ("smtp://mail.example.com:25", 25, Encryption.OFFERED),
        ("smtp://a:b@mail.example.com", 587, Encryption.REQUIRE),
        ("smtp://a:b@127.0.0.1", 587, Encryption.OFFERED),
        ("smtp://a:b@[::1]:2525", 2525, Encryption.OFFERED),
        ("smtp://a:b@localhost?starttls=require", 587, Encryption.REQUIRE),
        ("smtp://a:b@mail.example.com?starttls=offered", 587, Encryption.OFFERED),
        ("smtp://mail.example.com?starttls=never", 587, Encryption.NEVER),
        ("smtps://mail.example.com", 465, Encryption.TLS),
    ],
)
def test_port_and_encryption_follow_from_the_url(url, port, encryption):
    """A password goes over the network encrypted unless somebody says otherwise."""
    server = SmtpServer.parse(url)
    assert (server.port, server.encryption) == (port, encryption)


def test_user_and_password_are_percent_decoded_and_not_shown():
    server = SmtpServer.parse("smtp://mailer%40x:p%2Fw%3A@mail.example.com")
    assert (server.username, server.password) == ("mailer@x", "p/w:")
    assert "p/w" not in repr(server)


async def test_capture_keeps_the_message_once():
    inbox, clock = FakeInbox(), FakeClock()
    transport = CaptureTransport(inbox, clock)
    message = OutgoingMessage(
        account_id="1000000000000001",
        channel=Channel.EMAIL,
        recipient="tom@example.com",
        message_id="j-1",
        subject="Hello",
        text="Hello",
        html="<p>Hello</p>",
    )
    assert await transport.send(message) == Outcome(Verdict.ACCEPTED, "captured")
    clock.advance(60)
    assert await transport.send(message) == Outcome(Verdict.ACCEPTED, "captured")
    (kept,) = await inbox.messages("1000000000000001", recipient=None, after=None, limit=10)
    assert (kept.message_id, kept.recipient, kept.text, kept.captured_at) == ("j-1", "tom@example.com", "Hello", START)
    await transport.close()
