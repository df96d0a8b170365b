"""The setting BOUNCE_IMAP_URL."""

from __future__ import annotations

import pytest

from message_contacts.settings import Settings, load
from message_contacts.settings.declared import declarations
from message_contacts.transports.imap_server import ImapEncryption, ImapServer


def test_a_mailbox_over_tls() -> None:
    server = ImapServer.parse("imaps://bounces%40example.com:p%2Fw%3A@mail.example.com")
    assert (server.host, server.port, server.folder) == ("mail.example.com", 993, "INBOX")
    assert (server.username, server.password) == ("bounces@example.com", "p/w:")
    assert server.encryption is ImapEncryption.TLS
    assert server.tls_context() is not None


@pytest.mark.parametrize(
    ("url", "encryption", "port"),
    [
        ("imap://a:b@mail.example.com", ImapEncryption.STARTTLS, 143),
        ("imap://a:b@mail.example.com:1430?starttls=require", ImapEncryption.STARTTLS, 1430),
        ("imap://a:b@localhost", ImapEncryption.NEVER, 143),
        ("imap://a:b@[::1]", ImapEncryption.NEVER, 143),
        ("imap://a:b@127.0.0.1?starttls=require", ImapEncryption.STARTTLS, 143),
        ("imap://a:b@127.0.0.1/?starttls=never", ImapEncryption.NEVER, 143),
    ],
)
def test_only_this_machine_may_do_without_encryption(url: str, encryption: ImapEncryption, port: int) -> None:
    server = ImapServer.parse(url)
    assert (server.encryption, server.port) == (encryption, port)
    assert (server.tls_context() is None) == (encryption is ImapEncryption.NEVER)


def test_a_folder_is_percent_encoded() -> None:
    assert ImapServer.parse("imaps://a:b@mail.example.com/INBOX/Bounced%20mail").folder == "INBOX/Bounced mail"


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://a:b@mail.example.com", "a mailbox is imaps://"),
        ("imaps://a:b@", "a mailbox is imaps://"),
        ("imaps://a:b@mail.example.com#x", "a mailbox is imaps://"),
        ("imaps://mail.example.com", "user and a password"),
        ("imaps://tom@mail.example.com", "user and a password"),
        ("imaps://:hunter2@mail.example.com", "user and a password"),
        ("imaps://tom:hunter2%0d%0a@mail.example.com", "control characters"),
        ("imaps://tom:hunter2@mail.example.com/%22", "as the server writes it"),
        ("imaps://tom:hunter2@mail.example.com/%E9%80%80", "as the server writes it"),
        ("imaps://tom:hunter2@mail.example.com:70000", "port"),
        ("imaps://tom:hunter2@mail.example.com?starttls=require", "takes no starttls="),
        ("imap://tom:hunter2@mail.example.com?starttls=never", "on this machine only"),
        ("imap://tom:hunter2@mail.example.com?starttls=offered", "require or never"),
        ("imaps://tom:hunter2@mail.example.com?delete=no", "knows starttls and ca, not delete"),
    ],
)
def test_what_is_no_mailbox_is_refused_without_telling_the_password(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as refusal:
        ImapServer.parse(url)
    assert "hunter2" not in str(refusal.value)


def test_certificates_that_are_not_there() -> None:
    server = ImapServer.parse("imaps://a:b@mail.example.com?ca=/nowhere.pem")
    with pytest.raises(ValueError, match=r"to trust for the mailbox are not at /nowhere\.pem"):
        server.tls_context()


def test_the_password_is_shown_nowhere() -> None:
    url = "imaps://tom:hunter2@mail.example.com"
    assert "hunter2" not in repr(ImapServer.parse(url)) + repr(Settings(bounce_imap_url=url))
    (declared,) = (each for each in declarations() if each.name == "BOUNCE_IMAP_URL")
    assert declared.shown(url) == "imaps://tom:***@mail.example.com"


def test_the_url_may_stand_in_a_file(tmp_path) -> None:
    file = tmp_path / "url"
    file.write_text("imaps://tom:hunter2@mail.example.com\n")
    settings = load(
        {"MESSAGE_CONTACTS_BOUNCE_IMAP_URL_FILE": str(file), "MESSAGE_CONTACTS_BOUNCE_DOMAIN": "b.example.com"}
    )
    assert settings.bounce_imap_url == "imaps://tom:hunter2@mail.example.com"
