"""Mails as bytes, read back by the standard library's parser."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.contacts.model import Channel
from message_contacts.delivery.outcome import OutgoingMessage
from message_contacts.transports.mail import MailComposer, Sender, header_text, is_mail_address
from tests.fakes.clock import START

COMPOSER = MailComposer(Sender.parse("Message Contacts <contacts@example.com>"))


def make_message(**fields: object) -> OutgoingMessage:
    return OutgoingMessage(
        **{
            "account_id": "1000000000000001",
            "channel": Channel.EMAIL,
            "recipient": "tom@example.com",
            "message_id": "j-0123456789ab",
            "subject": "Hello",
            "text": "Hello\n",
            "html": "<p>Hello</p>\n",
            **fields,
        }
    )


def compose(**fields: object) -> EmailMessage:
    return message_from_bytes(COMPOSER.compose(make_message(**fields), now=START), policy=policy.default)


def content(part: EmailMessage) -> str:
    return part.get_content().replace("\r\n", "\n")


def test_headers_are_complete_and_each_there_once():
    mail = compose()
    assert mail.items() == [
        ("Date", "Sat, 21 Nov 2026 08:00:00 +0000"),
        ("From", "Message Contacts <contacts@example.com>"),
        ("To", "tom@example.com"),
        ("Subject", "Hello"),
        ("Message-ID", "<j-0123456789ab@example.com>"),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
        ("Content-Type", 'multipart/alternative; boundary="=_j-0123456789ab"'),
    ]


def test_plain_part_comes_first_so_that_the_better_one_is_shown():
    assert [part.get_content_type() for part in compose().iter_parts()] == ["text/plain", "text/html"]


def test_mail_without_html_has_one_part():
    mail = compose(html=None, text="您好\n")
    assert mail.get_content_type() == "text/plain"
    assert content(mail) == "您好\n"


def test_retry_differs_in_its_date_only():
    first = COMPOSER.compose(make_message(), now=START)
    second = COMPOSER.compose(make_message(), now=START + 90_000)
    assert first.replace(b"08:00:00", b"08:01:30") == second


def test_further_headers_are_added_as_they_are():
    mail = compose(headers=(("List-Unsubscribe", "<https://example.com/u/x>"), ("X-Note", "中文")))
    assert mail["List-Unsubscribe"] == "<https://example.com/u/x>"
    assert mail["X-Note"] == "中文"


def test_verification_mails_carry_no_unsubscribe_header():
    assert "List-Unsubscribe" not in compose()


@pytest.mark.parametrize(
    "header",
    [("X-A", "b\r\nBcc: x@y.z"), ("X-A\r\nBcc", "x"), ("Bcc:", "x"), ("To", "x@y.z"), ("", "x"), ("X-A", "\x00")],
)
def test_header_that_could_end_its_line_or_replace_ours_is_a_bug(header):
    with pytest.raises(ValueError, match=r"header|control"):
        compose(headers=(header,))


@pytest.mark.parametrize("recipient", ["a@b.c\r\nBcc: x@y.z", "a@b.c>", "a b@c.d", "a@b.c, d@e.f", "中@b.c", "", "a@"])
def test_recipient_that_could_be_more_than_one_is_a_bug(recipient):
    with pytest.raises(ValueError, match="recipient"):
        compose(recipient=recipient)


@pytest.mark.parametrize("message_id", ["a>\r\nBcc: x", "", "a b", "x" * 129])
def test_message_id_that_could_end_its_line_is_a_bug(message_id):
    with pytest.raises(ValueError, match="message id"):
        compose(message_id=message_id)


@given(subject=st.text(max_size=300), text=st.text(max_size=500), html=st.text(max_size=500))
def test_any_text_survives_and_no_line_is_too_long(subject, text, html):
    raw = COMPOSER.compose(make_message(subject=subject, text=text, html=html), now=START)
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert not set(b"\r\n") & set(raw.replace(b"\r\n", b""))
    assert raw.isascii()
    mail = message_from_bytes(raw, policy=policy.default)
    assert len(mail.items()) == 8
    plain, marked = mail.iter_parts()
    for part, original in ((plain, text), (marked, html)):
        decoded = part.get_payload(decode=True).decode().replace("\r\n", "\n")
        normal = original.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
        assert decoded == (normal if normal.endswith("\n") else normal + "\n")


def test_line_that_is_ended_by_a_return_only_ends_like_the_others():
    assert b"\r\nThe first line\r\nThe second\r\n" in COMPOSER.compose(
        make_message(text="The first line\rThe second"), now=START
    )


@given(st.text(max_size=400))
def test_any_subject_stays_one_header(subject):
    value = header_text(subject)
    assert value.isascii()
    assert all(len(line) <= 77 for line in value.split("\r\n "))
    assert "\r" not in value.replace("\r\n ", "")
    assert "\n" not in value.replace("\r\n ", "")


@pytest.mark.parametrize(
    "subject",
    [
        "Hello",
        "请为 platform-team 确认您的邮箱地址 / Please confirm your e-mail address for platform-team",
        "=?x",
        "a" * 200,
    ],
)
def test_subject_is_read_back_as_it_was(subject):
    assert compose(subject=subject)["Subject"] == subject


def test_control_characters_of_a_subject_become_spaces():
    assert compose(subject="a\r\nBcc: x@y.z\x00b")["Subject"] == "a Bcc: x@y.z b"


def test_english_stays_readable_and_chinese_is_base64():
    assert b"Hello Tom" in COMPOSER.compose(make_message(text="Hello Tom\n"), now=START)
    chinese = compose(text="您好，请确认。\n" * 20)
    plain, _ = chinese.iter_parts()
    assert plain["Content-Transfer-Encoding"] == "base64"


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("contacts@example.com", "contacts@example.com", ""),
        ("Message Contacts <contacts@example.com>", "contacts@example.com", "Message Contacts"),
        ('"平台, 运维" <c@example.com>', "c@example.com", "平台, 运维"),
    ],
)
def test_sender_is_an_address_with_or_without_a_name(text, address, name):
    sender = Sender.parse(text)
    assert (sender.address, sender.name) == (address, name)
    raw = MailComposer(sender).compose(make_message(), now=START)
    (shown,) = message_from_bytes(raw, policy=policy.default)["From"].addresses
    assert (shown.addr_spec, shown.display_name) == (address, name)


@pytest.mark.parametrize("text", ["", "nobody", "a@b.c\r\nBcc: x@y.z", "<>", "a b@c.d e"])
def test_sender_that_is_neither_is_refused(text):
    with pytest.raises(ValueError, match="a sender is"):
        Sender.parse(text)


@pytest.mark.parametrize("local", ["tom", "tom+x", "a.b-c_d", "A1"])
def test_every_address_a_contact_may_have_can_be_mailed(local):
    assert is_mail_address(f"{local}@example.com")
