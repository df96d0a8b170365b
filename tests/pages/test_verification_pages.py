"""What a contact sees behind the link, and that nothing but the button does anything."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
import structlog

from message_contacts import errors
from message_contacts.console.verification_pages import verification_pages
from message_contacts.contacts.model import Channel
from message_contacts.verification.challenge import PageState, Visitor
from tests.fakes.verifications import FakeVerifications
from tests.pages.conftest import ORIGIN, Browser, make_renderer

STATES = [
    ("ready", 200, "Confirm your e-mail address", "确认您的邮箱地址"),
    ("confirmed", 200, "Confirmed, thank you", "确认成功，谢谢"),
    ("already-confirmed", 200, "Already confirmed", "此前已确认"),
    ("expired", 410, "This link is too old", "链接已过期"),
    ("superseded", 410, "There is a newer message", "有更新的消息"),
    ("replaced", 410, "This request no longer stands", "该请求已失效"),
    ("blocked", 403, "No more requests to you", "不会再向您发送请求"),
    ("unknown", 404, "This link does not work", "链接无效"),
]
PATHS = ["/verify/ready", "/verify/ready/not-me", "/verify/ready/take-back", "/verify/"]


def test_every_state_has_a_case_here():
    assert {state for state, *_ in STATES} == set(PageState) - {PageState.CODE_REFUSED}


@pytest.mark.parametrize(("state", "status", "english", "chinese"), STATES)
async def test_each_state_has_a_page_in_both_languages(browser, state, status, english, chinese):
    for language, tag, title in (("en", "en", english), ("zh", "zh-CN", chinese)):
        answer = await browser.open(f"/verify/{state}", headers={"accept-language": language})
        assert answer.status == status
        assert answer.page.all("html") == [{"lang": tag}]
        assert answer.headers["content-language"] == tag
        assert answer.text.count(f"<h1>{title}</h1>") == 1
        assert f"<title>{title}</title>" in answer.text


async def test_ready_page_says_who_asks_for_what_and_until_when(browser):
    text = (await browser.open("/verify/ready?lang=en")).page.text
    for fact in ("platform-team", "Tom", "t***@example.com", "2026-11-22 16:00 (UTC+8)"):
        assert fact in text


async def test_ready_page_of_a_phone_number_speaks_of_the_phone(browser, service):
    service.channel = Channel.SMS
    text = (await browser.open("/verify/ready?lang=en")).page.text
    assert "Confirm your phone number" in text
    assert "86-***34" in text
    assert "e-mail" not in text


async def test_ready_page_has_one_form_that_posts_to_its_own_address(browser):
    page = (await browser.open("/verify/ready")).page
    assert page.all("form") == [{"method": "post", "action": "/verify/ready"}]
    assert len(page.all("button")) == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_opening_a_page_changes_nothing(browser, service, path, method):
    answer = await browser.open(path, method, headers={"purpose": "prefetch", "sec-fetch-site": "cross-site"})
    assert answer.status == 200
    assert service.changes == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused_and_change_nothing(browser, service, method):
    answer = await browser.open("/verify/ready", method)
    assert answer.status == 405
    assert service.changes == []


async def test_button_confirms(browser, service):
    answer = await browser.open("/verify/ready", "POST", headers={"user-agent": "Firefox"})
    assert answer.status == 200
    assert service.changes == [("confirm", "ready")]
    assert service.visitor == Visitor("198.51.100.7", "Firefox")


async def test_button_of_an_expired_link_says_so(browser):
    answer = await browser.open("/verify/expired", "POST")
    assert answer.status == 410


async def test_not_me_takes_a_second_page_and_its_button(browser, service):
    ready = (await browser.open("/verify/ready")).page
    assert "/verify/ready/not-me" in [link["href"] for link in ready.all("a")]
    asking = (await browser.open("/verify/ready/not-me")).page
    assert asking.all("form") == [{"method": "post", "action": "/verify/ready/not-me"}]
    assert service.changes == []
    answer = await browser.open("/verify/ready/not-me", "POST")
    assert answer.status == 200
    assert service.changes == [("refuse", "ready")]
    assert answer.page.all("form") == [{"class": "last", "method": "post", "action": "/verify/ready/take-back"}]


async def test_not_me_can_be_taken_back_and_then_confirmed(browser, service):
    answer = await browser.open("/verify/blocked/take-back?lang=en", "POST")
    assert service.changes == [("take_back", "blocked")]
    assert "has been taken back" in answer.page.text
    assert answer.page.all("form") == [{"method": "post", "action": "/verify/blocked?lang=en"}]


@pytest.mark.parametrize("state", ["confirmed", "already-confirmed", "unknown", "blocked"])
async def test_not_me_is_not_offered_where_it_would_do_nothing(browser, state):
    answer = await browser.open(f"/verify/{state}/not-me")
    assert all("not-me" not in form.get("action", "") for form in answer.page.all("form"))


async def test_code_form_confirms_with_reference_and_code(browser, service):
    answer = await browser.open("/verify/", "POST", fields={"reference": " abcde-fghjk ", "code": "１２３ 456"})
    assert answer.status == 200
    assert service.changes == [("confirm_by_code", "abcde-fghjk", "123456")]
    assert "Confirmed, thank you" in (await browser.open("/verify/confirmed?lang=en")).text


async def test_refused_code_shows_the_form_again_with_the_reference_only(browser):
    fields = {"reference": 'x"><b>', "code": "000000"}
    answer = await browser.open("/verify/", "POST", fields=fields)
    assert answer.status == 403
    reference, code = answer.page.all("input")
    assert reference["value"] == 'x"><b>'
    assert "value" not in code
    assert "<b>" not in answer.text
    assert [paragraph for paragraph in answer.page.all("p") if paragraph.get("role") == "alert"]


async def test_code_page_never_shows_a_verification_of_a_blocked_address_with_a_way_to_take_it_back(browser, service):
    """Who has only reference and code has no token: the way back is in the message."""
    service.confirm_by_code = lambda *_: service.look("blocked")
    answer = await browser.open("/verify/", "POST", fields={"reference": "abcdefghjk", "code": "123456"})
    assert answer.status == 403
    assert answer.page.all("form") == []


@pytest.mark.parametrize(
    "fields", [{}, {"reference": "abcdefghjk"}, {"code": "123456"}, {"reference": " ", "code": " "}]
)
async def test_incomplete_code_form_asks_for_the_rest(browser, service, fields):
    answer = await browser.open("/verify/", "POST", fields=fields)
    assert answer.status == 400
    assert service.changes == []


async def test_inputs_have_labels_and_hints(browser):
    page = (await browser.open("/verify/")).page
    labelled = {label["for"] for label in page.all("label")}
    described = {span["id"] for span in page.all("span") if "id" in span}
    for field in page.all("input"):
        assert field["id"] in labelled
        assert set(field["aria-describedby"].split()) <= described


@pytest.mark.parametrize("path", [*PATHS, *(f"/verify/{state}" for state, *_ in STATES), "/verify/a/b/c", "/elsewhere"])
async def test_every_page_works_without_scripts_and_loads_nothing(browser, path):
    answer = await browser.open(path)
    page = answer.page
    loading = {"script", "img", "link", "iframe", "object", "embed", "video", "audio", "source", "base"}
    assert {tag for tag, _ in page.tags} & loading == set()
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        assert not attributes.get("href", "/").startswith(("http", "//", "javascript"))
    assert "url(" not in answer.text
    assert "@import" not in answer.text


@pytest.mark.parametrize("path", [*PATHS, *(f"/verify/{state}" for state, *_ in STATES), "/verify", "/elsewhere"])
async def test_every_answer_keeps_to_itself(browser, path):
    headers = (await browser.open(path)).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-robots-tag"].startswith("noindex")
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert "set-cookie" not in headers


async def test_policy_allows_exactly_the_style_of_the_page(browser):
    answer = await browser.open("/verify/ready")
    style = re.search("<style>(.*?)</style>", answer.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": ORIGIN},
        {"sec-fetch-site": "cross-site", "origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "https://contacts.example.com.evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/verify/ready", "/verify/ready/not-me", "/verify/blocked/take-back", "/verify/"])
async def test_post_from_another_site_is_refused(browser, service, path, headers):
    answer = await browser.open(path, "POST", headers=headers, fields={"reference": "abcdefghjk", "code": "123456"})
    assert answer.status == 403
    assert service.changes == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": ORIGIN},
        {"origin": "null"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"origin": "http://127.0.0.1:9999", "host": "127.0.0.1:9999"},
    ],
)
async def test_post_from_our_own_page_is_accepted(browser, service, headers):
    """Browsers say `Origin: null` for a form of a page that forbids the referrer."""
    answer = await browser.open("/verify/ready", "POST", headers=headers)
    assert answer.status == 200
    assert service.changes == [("confirm", "ready")]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"reference=" + b"a" * 5000, "application/x-www-form-urlencoded", 413),
        (b'{"code": "123456"}', "application/json", 415),
        (b"\xff\xfe=1", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % number for number in range(50)), "application/x-www-form-urlencoded", 400),
        (b"code=%ff", "application/x-www-form-urlencoded", 400),
    ],
)
async def test_strange_forms_are_refused(browser, service, body, content_type, status):
    answer = await browser.open("/verify/", "POST", body=body, headers={"content-type": content_type})
    assert answer.status == status
    assert service.changes == []
    assert answer.page.all("h1")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,en;q=0.9", "en"),
        ("de-DE,de;q=0.9,en;q=0.5,zh;q=0.4", "en"),
        ("de-DE,fr;q=0.9", "zh-CN"),
        ("en;q=0, zh;q=0.1", "zh-CN"),
        ("en;q=much", "zh-CN"),
        ("", "zh-CN"),
        ("*" * 100_000, "zh-CN"),
    ],
)
async def test_language_follows_the_browser(browser, header, language):
    answer = await browser.open("/verify/ready", headers={"accept-language": header})
    assert answer.headers["content-language"] == language


async def test_language_can_be_switched_and_stays(browser):
    page = (await browser.open("/verify/ready?lang=en", headers={"accept-language": "zh"})).page
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("form")[0]["action"] == "/verify/ready?lang=en"
    switch = {link["hreflang"]: link["href"] for link in page.all("a") if "hreflang" in link}
    assert switch == {"zh-CN": "/verify/ready?lang=zh"}
    assert (await browser.open("/verify/ready?lang=xx")).page.all("form")[0]["action"] == "/verify/ready"


async def test_links_keep_the_path_of_the_public_address(service):
    pages = verification_pages(service, make_renderer("https://example.com/contacts/"))
    page = (await Browser(pages).open("/verify/ready/not-me")).page
    assert page.all("form")[0]["action"] == "/contacts/verify/ready/not-me"
    assert (await Browser(pages).open("/verify")).headers["location"] == "/contacts/verify/"


async def test_names_cannot_become_markup_or_turn_the_line_around():
    service = FakeVerifications(organisation="<script>alert(1)</script>\u202egnp.exe https://evil.example/")
    answer = await Browser(verification_pages(service, make_renderer())).open("/verify/ready")
    assert "<script" not in answer.text
    assert "\u202e" not in answer.text
    assert "https://evil" not in answer.text


async def test_a_token_with_markup_stays_text(browser):
    answer = await browser.open('/verify/"><b>x')
    assert answer.status == 404
    assert "<b>" not in answer.text


async def test_an_unavailable_service_asks_to_come_back(browser, service):
    service.failure = errors.SERVICE_UNAVAILABLE()
    answer = await browser.open("/verify/ready?lang=en")
    assert answer.status == 503
    assert "Your link stays valid" in answer.text


async def test_a_bug_is_answered_with_a_page_and_surfaces(browser, service):
    service.failure = RuntimeError("bug")
    with pytest.raises(RuntimeError, match="bug"):
        await browser.open("/verify/ready")


async def test_log_never_has_the_token(browser):
    with structlog.testing.capture_logs() as lines:
        await browser.open("/verify/secret-token")
        await browser.open("/verify/ready", "POST", headers={"user-agent": "x"})
        await browser.open("/verify/secret-token", "POST", headers={"origin": "https://evil.example"})
        await browser.open("/verify/", "POST", fields={"reference": "abcdefghjk", "code": "987654"})
    assert len(lines) == 4
    assert not re.search("secret-token|abcdefghjk|987654", str(lines))
