"""What a verification mail and a text message say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from html.parser import HTMLParser

import pytest

from message_contacts.clock import DAY, HOUR, MINUTE, Instant
from message_contacts.contacts.model import MessageType
from message_contacts.verification.texts.shown import shown_moment, shown_organisation, shown_reference
from message_contacts.verification.texts.sms_length import sms_parts
from message_contacts.verification.texts.verification_texts import Request, VerificationTexts
from message_contacts.verification.tokens import Tokens
from tests.fakes.clock import START

PAGE = "https://contacts.example.com/verify/"
LINK = PAGE + Tokens(bytes(32)).token("abcdefghjk", 1)
REQUEST = Request(
    organisation="platform-team",
    contact_name="Tom",
    address="tom@example.com",
    message_types=(MessageType.SECURITY_MESSAGE, MessageType.ACCOUNT_EXPENSES),
    link=LINK,
    page=PAGE,
    reference="abcdefghjk",
    code="123456",
    valid_until=Instant(START + DAY),
)
ZONE = timezone(timedelta(hours=8))


@pytest.fixture(scope="module")
def both() -> VerificationTexts:
    return VerificationTexts(("zh", "en"), ZONE)


class Visible(HTMLParser):
    """The words of an HTML mail, and where its links and pictures point."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.targets: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.targets += [value for name, value in attrs if name in {"href", "src", "background", "action"}]

    def handle_data(self, data):
        self.words.append(data)


def test_first_link_of_the_plain_text_is_the_verification_link(both):
    assert re.findall(r"https?://\S+", both.mail(REQUEST).text)[0] == LINK


@pytest.mark.parametrize(
    "fact", ["platform-team", "Tom", "tom@example.com", LINK, PAGE, "abcde-fghjk", "123456", "2026-11-22 16:00 (UTC+8)"]
)
def test_both_parts_have_every_fact_in_both_languages(both, fact):
    mail = both.mail(REQUEST)
    assert mail.text.count(fact) >= 2
    assert mail.html.count(fact) >= 2


def test_mail_says_who_asks_what_follows_and_how_to_say_no(both):
    text = both.mail(REQUEST).text
    for english, chinese in (
        ("wants to send notices", "希望把其云账号的消息通知发送到"),
        ("security, account funds", "安全、账户资金"),
        ("If you confirm", "确认后"),
        ("If you do nothing, nothing happens", "如果您不做任何操作"),
        ("This was not me", "不是我"),
    ):
        assert english in text
        assert chinese in text


def test_mail_has_the_configured_languages_in_their_order():
    mail = VerificationTexts(("en", "zh"), UTC).mail(REQUEST)
    assert mail.text.index("Hello Tom") < mail.text.index("Tom，您好")
    assert mail.subject.startswith("Please confirm")
    only_chinese = VerificationTexts(("zh",), UTC).mail(REQUEST)
    assert "Hello" not in only_chinese.text + only_chinese.html
    assert 'lang="zh-CN"' in only_chinese.html


def test_code_stands_alone_so_that_it_can_be_copied(both):
    assert re.findall(r"\b\d{6}\b", both.mail(REQUEST).text) == ["123456", "123456"]
    assert re.findall(r"\b\d{6}\b", both.sms(REQUEST, now=START)) == ["123456"]


def test_html_has_no_pictures_scripts_or_tracking(both):
    seen = Visible(both.mail(REQUEST).html)
    assert set(seen.targets) == {LINK}
    assert not seen.tags & {"img", "script", "link", "iframe", "form"}
    assert "url(" not in both.mail(REQUEST).html


def test_names_cannot_become_markup_or_links(both):
    request = replace(REQUEST, organisation="<b>https://evil.example/</b>\r\nBcc: x", contact_name="<i>Tom</i>")
    mail = both.mail(request)
    assert not Visible(mail.html).tags & {"b>", "i"}
    assert re.findall(r"https?://\S+", mail.text)[0] == LINK
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject


def test_a_name_that_looks_like_a_blank_stays_what_it_is(both):
    mail = both.mail(replace(REQUEST, contact_name="\ue000code\ue001"))
    assert mail.text.count("123456") == 2
    assert "\ue000code\ue001" in mail.text


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "organisation", ["platform-team", "a-long-login-name@1234567890123456.example.com", "平台运维团队"]
)
def test_text_message_fits_in_two_parts(language, organisation):
    text = VerificationTexts((language,), UTC).sms(replace(REQUEST, organisation=organisation), now=START)
    assert sms_parts(text) <= 2
    for fact in (LINK, "123456", "abcde-fghjk", organisation[:6]):
        assert fact in text


def test_text_message_has_the_first_language_only_and_the_link_first(both):
    text = both.sms(REQUEST, now=START)
    assert "notices" not in text
    assert re.findall(r"https?://[^\s]+", text) == [LINK]


@pytest.mark.parametrize(
    ("passed", "hours"), [(0, 24), (2 * MINUTE, 24), (HOUR, 23), (DAY - 10 * MINUTE, 1), (DAY + HOUR, 1)]
)
def test_text_message_says_for_how_many_hours_it_is_good(passed, hours):
    text = VerificationTexts(("en",), UTC).sms(REQUEST, now=Instant(START + passed))
    assert f"valid for {hours} h" in text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("{" * 80, 1), ("{" * 81, 2),
        ("中" * 70, 1), ("中" * 71, 2), ("中" * 134, 2), ("中" * 135, 3), ("😀" * 35, 1), ("😀" * 36, 2),
    ],
)  # fmt: skip
def test_parts_of_a_text_message_are_counted_as_networks_do(text, parts):
    assert sms_parts(text) == parts


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        (UTC, "2026-11-21 08:00 (UTC)"),
        (ZONE, "2026-11-21 16:00 (UTC+8)"),
        (timezone(timedelta(hours=-3, minutes=-30)), "2026-11-21 04:30 (UTC-3:30)"),
    ],
)
def test_moment_says_its_zone(zone, shown):
    assert shown_moment(START, zone) == shown


def test_organisation_is_one_line_without_direction_marks_and_short():
    assert shown_organisation(" a\r\nb\u202ec ") == "a b c"
    assert shown_organisation("x" * 100) == "x" * 62 + ".."
    assert shown_organisation("short", 5) == "short"


def test_reference_is_shown_in_groups():
    assert shown_reference("abcdefghjk") == "abcde-fghjk"
