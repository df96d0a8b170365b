"""What stands around a published message."""

from __future__ import annotations

from datetime import timedelta, timezone
from email import message_from_bytes, policy

import pytest

from message_contacts.delivery.candidates import Because
from message_contacts.delivery.messages import Named, Route
from message_contacts.delivery.outcome import OutgoingMessage
from message_contacts.delivery.rules import Severity
from message_contacts.delivery.texts.bodies import cleaned
from message_contacts.delivery.texts.message_texts import REASONS_LISTED, SMS_PARTS, MessageTexts
from message_contacts.transports.mail import MailComposer, Sender
from message_contacts.verification.texts.sms_length import sms_parts
from tests.fakes.clock import START
from tests.unit.delivery.values import make_message

ZONE = timezone(timedelta(hours=8))
TEXTS = MessageTexts(("en", "zh"), ZONE)
TOM = Named("c-1", None, "Tom", Because.FOLDER, "fd-1", "sales", "passed")


def mail(message=None, named=(TOM,), link=None, organisation="platform-team"):
    return TEXTS.mail(TEXTS.worded(message or make_message(), organisation), named, link)


def test_a_mail_says_what_who_when_what_kind_and_why_in_each_language():
    text, html = mail()

    for part in (text, html):
        assert "The disk is full." in part
        assert "platform-team sent you this notice about its cloud accounts on 2026-11-21 16:00 (UTC+8)." in part
        assert "Kind of notice: incidents" in part
        assert "You are the contact Tom of all accounts in the folder sales (fd-1)." in part
        assert "通知类型：故障" in part
        assert "您是资源夹 sales (fd-1) 中所有账号的联系人 Tom。" in part
        assert "critical" not in part
        assert "\ue000" not in part


@pytest.mark.parametrize(
    ("because", "sentence"),
    [
        (Because.OWN, "You are the contact Tom of the account sales (fd-1)."),
        (Because.DIRECTORY, "You are the contact Tom of all accounts of platform-team."),
        (Because.RETAINED, "You were the contact Tom of sales (fd-1), which kept you when the contact was deleted."),
        (None, "This is the address of platform-team for notices that would reach nobody."),
    ],
)
def test_each_reason_has_a_sentence(because, sentence):
    text, _ = mail(named=[Named("c-1", None, "Tom", because, "fd-1", "sales", "passed")])
    assert f"- {sentence}\n" in text


@pytest.mark.parametrize(
    ("words", "said", "unsaid"),
    [
        ([Route.NOBODY_SUBSCRIBED], "You have not chosen this kind", "no contact can be reached"),
        ([Route.FALLBACK], "no contact can be reached", "You have not chosen this kind"),
        (["passed", Route.NOBODY_SUBSCRIBED], "Why you get it", "You have not chosen this kind"),
    ],
)
def test_a_mail_says_how_it_came_to_somebody_who_did_not_ask_for_it(words, said, unsaid):
    text, html = mail(named=[Named("c-1", None, "Tom", Because.OWN, "1", "", word) for word in words])
    assert said in text
    assert said in html
    assert unsaid not in text


def test_a_critical_message_says_so():
    for part in mail(make_message(severity=Severity.CRITICAL)):
        assert "This notice is critical" in part


def test_many_reasons_are_counted_after_the_first_ones():
    text, html = mail(named=[TOM] * (REASONS_LISTED + 7))
    assert text.count("Tom of all accounts") == html.count("Tom of all accounts") == REASONS_LISTED
    assert "And for 7 further reasons." in text


def test_a_link_is_in_both_parts_and_escaped():
    text, html = mail(link="https://contacts.example.com/u?a=1&b=2")
    assert "open: https://contacts.example.com/u?a=1&b=2" in text
    assert 'href="https://contacts.example.com/u?a=1&amp;b=2"' in html


def test_nothing_that_was_given_can_become_markup():
    evil = Named("c-1", None, "<b>Tom", Because.FOLDER, "fd-1", "</ul><script>", "passed")
    _, html = mail(make_message(subject="<img src=x>", text="<script>x</script>"), [evil], organisation="<i>org")
    for markup in ("<img", "<script", "<b>Tom", "<i>org"):
        assert markup not in html


def test_names_with_line_breaks_stay_on_their_line():
    text, _ = mail(named=[Named("c-1", None, "Tom", Because.FOLDER, "fd-1", "sa\nles", "passed")])
    assert "folder sa les (fd-1)" in text


def test_a_text_message_is_cut_to_a_few_parts():
    short = TEXTS.worded(make_message(), "platform-team").sms
    long = TEXTS.worded(make_message(text="磁盘已满。" * 200), "platform-team").sms
    assert short == "platform-team: Disk full\nThe disk is full."
    assert sms_parts(long) == SMS_PARTS
    assert long.endswith("...")


def test_a_mail_of_any_text_can_be_read_back():
    message = make_message(subject="磁盘\u2028已满", text="a" * 5000 + "\r\n.\r\n\ue000body\ue001 全角\n")
    text, html = mail(message)
    content = MailComposer(Sender.parse("a@example.com")).compose(
        OutgoingMessage(
            account_id="1",
            channel="email",
            recipient="tom@example.com",
            message_id="j-1",
            subject=message.subject,
            text=text,
            html=html,
        ),
        now=START,
    )
    parsed = message_from_bytes(content, policy=policy.default)
    assert parsed.get_body(("plain",)).get_content().replace("\r\n", "\n") == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "html",
    [
        "<style>.card{display:none}</style>",
        '<p style="position:fixed;top:0">x</p>',
        "<form action=https://evil.example><input></form>",
        '<a href="javascript:x">x</a>',
        '<iframe src="https://evil.example"></iframe>',
        "<plaintext>",
        "<!-- ",
        '<div class="card">x',
    ],
)
def test_published_html_keeps_nothing_that_runs_hides_or_stays_open(html):
    clean = cleaned(html)
    for gone in ("<style", "position", "<form", "<input", "javascript", "<iframe", "<plaintext", "<!--", "class="):
        assert gone not in clean
    assert clean.count("<div") == clean.count("</div")


def test_published_html_keeps_what_makes_a_notice_readable():
    html = '<h2>Now</h2><table><tr><td style="color:red">1</td></tr></table><a href="https://example.com">x</a>'
    clean = cleaned(html)
    for kept in ("<h2>Now</h2>", '<td style="color:red">1</td>', 'href="https://example.com"'):
        assert kept in clean
