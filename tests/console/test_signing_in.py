"""Signing in to the console, and what keeps others out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from message_contacts.clock import HOUR, MINUTE, SECOND
from tests.conftest import ENGINES
from tests.console.conftest import Console
from tests.harness import ACCOUNT_ID, KEY_ID, SECRET, Api, open_api


async def test_a_stranger_is_asked_to_sign_in_and_comes_back(stranger: Console) -> None:
    asked = await stranger.request("GET", "/console/session?a=b")
    page = (await stranger.open("/session?a=b")).page

    assert asked.status == 303
    assert page.title == "Sign in"
    signed_in = await stranger.request(
        "POST",
        "/console/sign-in",
        fields={"access_key_id": KEY_ID, "access_key_secret": SECRET, "back": page.value("back")},
    )
    assert signed_in.headers["location"] == "/console/session?a=b"
    assert (await stranger.open("/session")).page.title == "Signed in"


@pytest.mark.parametrize(
    ("key_id", "secret"), [(KEY_ID, "wrong"), ("MCunknown", SECRET), ("", ""), (KEY_ID, ""), ("x" * 5000, "y")]
)
async def test_whatever_is_wrong_the_answer_is_the_same(stranger: Console, key_id: str, secret: str) -> None:
    answer = await stranger.sign_in(key_id, secret)

    assert answer.status == 403
    assert answer.page.all("p", role="alert")[0].text == (
        "This access key and secret do not go together, or the key is not active."
    )
    assert "console" not in stranger.jar


async def test_an_inactive_key_does_not_sign_in_and_ends_its_sessions(api: Api, stranger: Console) -> None:
    await api.call("CreateUser", "2015-05-01", UserName="reader")
    user = await api.as_user("reader")
    assert (await stranger.sign_in(user.key_id, user.secret)).status == 303
    assert (await stranger.open("/session")).page.title == "Signed in"

    await api.call("UpdateAccessKey", "2015-05-01", UserName="reader", UserAccessKeyId=user.key_id, Status="Inactive")

    assert (await stranger.open("/session")).page.title == "Sign in"
    assert (await stranger.sign_in(user.key_id, user.secret)).status == 403


async def test_deleting_a_key_ends_its_sessions(api: Api, stranger: Console) -> None:
    await api.call("CreateUser", "2015-05-01", UserName="reader")
    user = await api.as_user("reader")
    await stranger.sign_in(user.key_id, user.secret)

    await api.call("DeleteAccessKey", "2015-05-01", UserName="reader", UserAccessKeyId=user.key_id)

    assert (await stranger.open("/session")).page.title == "Sign in"


async def test_a_session_ends_when_nobody_uses_it(api: Api, console: Console) -> None:
    api.clock.advance(2 * HOUR / SECOND)

    assert (await console.open("/session")).page.title == "Sign in"


async def test_a_session_that_is_used_ends_after_half_a_day(api: Api, console: Console) -> None:
    for _ in range(11):
        api.clock.advance(HOUR / SECOND)
        assert (await console.open("/session")).page.title == "Signed in"

    api.clock.advance(HOUR / SECOND)
    assert (await console.open("/session")).page.title == "Sign in"


async def test_signing_out_ends_the_session_even_for_a_copied_cookie(api: Api, console: Console) -> None:
    copied = dict(console.jar)

    await console.submit("/sign-out")

    assert "console" not in console.jar
    assert (await Console(api, copied).open("/session")).page.title == "Sign in"


async def test_signing_out_everywhere_ends_all_sessions_of_the_key_and_no_others(api: Api, console: Console) -> None:
    second, other = Console(api), Console(api)
    await second.sign_in()
    key = await api.service.administration.create_access_key(ACCOUNT_ID)
    await other.sign_in(key.access_key_id, key.secret)

    await console.submit("/sign-out-everywhere")

    assert (await second.open("/session")).page.title == "Sign in"
    assert (await other.open("/session")).page.title == "Signed in"


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_of_too_many_sessions_of_a_key_the_oldest_ends_when_one_begins(api: Api) -> None:
    sessions = api.service.console_sessions
    most = sessions.rules.most
    visitors, other = [Console(api) for _ in range(most + 2)], Console(api)
    api.clock.advance(1)  # links are of the oldest key
    other_key = await api.as_account(ACCOUNT_ID)
    await other.sign_in(other_key.key_id, other_key.secret)
    for visitor in visitors[:-1]:
        api.clock.advance(1)
        assert (await visitor.sign_in()).status == 303
    api.clock.advance(1)
    ticket = await sessions.issue_ticket(ACCOUNT_ID)
    assert (await visitors[-1].request("POST", f"/console/sign-in/{ticket}", fields={})).status == 303

    titles = [(await visitor.open("/session")).page.title for visitor in (*visitors, other)]
    assert titles == ["Sign in"] * 2 + ["Signed in"] * (most + 1)
    changes = [
        (event["Operation"], [change["Action"] for change in event["Changes"]])
        for event in (await api.call("ListAuditEvents", "2026-11-01", MaxResults=5))["Events"]
        if event["Operation"].startswith("console:SignIn")
    ]
    assert changes == [("console:SignInWithLink", ["delete", "delete", "insert"])] + [
        ("console:SignIn", actions) for actions in (["delete", "insert"], ["insert"], ["insert"])
    ]


async def test_signing_in_counts_towards_the_calls_a_second(database_path: Path) -> None:
    async with open_api(database_path, {"requests_per_second": 2}) as api:
        visitor = Console(api)
        for _ in range(5):  # whoever does not know the secret uses up nothing
            assert (await visitor.sign_in(KEY_ID, "wrong")).status == 403
        answers = [await Console(api).sign_in() for _ in range(3)]
        assert [answer.status for answer in answers] == [303, 303, 400]
        assert answers[2].page.all("p", role="alert")[0].text == (
            "There are too many calls with this access key. Please wait a moment."
        )
        assert answers[2].cookies == []
        api.clock.advance(0.5)
        assert (await visitor.sign_in()).status == 303


async def test_a_link_signs_in_once(api: Api, stranger: Console) -> None:
    ticket = await api.service.console_sessions.issue_ticket(ACCOUNT_ID)
    looked = [await stranger.open(f"/sign-in/{ticket}") for _ in range(3)]  # as mail scanners do

    assert [answer.page.title for answer in looked] == ["Sign in"] * 3
    assert (await stranger.request("POST", f"/console/sign-in/{ticket}", fields={})).status == 303
    assert (await stranger.open("/session")).page.title == "Signed in"
    again = Console(api)
    refused = await again.request("POST", f"/console/sign-in/{ticket}", fields={})
    assert (refused.status, refused.page.title) == (403, "This link does not work any more")
    assert again.jar == {}


async def test_of_many_who_follow_a_link_at_the_same_time_one_is_signed_in(api: Api) -> None:
    ticket = await api.service.console_sessions.issue_ticket(ACCOUNT_ID)
    visitors = [Console(api) for _ in range(8)]

    answers = await asyncio.gather(
        *(visitor.request("POST", f"/console/sign-in/{ticket}", fields={}) for visitor in visitors)
    )

    assert sorted(answer.status for answer in answers) == [303] + [403] * 7


async def test_a_link_lasts_ten_minutes(api: Api, stranger: Console) -> None:
    ticket = await api.service.console_sessions.issue_ticket(ACCOUNT_ID)
    api.clock.advance(10 * MINUTE / SECOND)

    assert (await stranger.request("POST", f"/console/sign-in/{ticket}", fields={})).status == 403


async def test_another_sites_form_is_refused(console: Console) -> None:
    token = (await console.open("/session")).page.all("input", name="csrf")[0]["value"]

    from_elsewhere = await console.request(
        "POST", "/console/sign-out", fields={"csrf": token}, headers={"sec-fetch-site": "cross-site"}
    )
    without_token = await console.request("POST", "/console/sign-out", fields={})
    wrong_token = await console.request("POST", "/console/sign-out", fields={"csrf": "0" * 64})

    assert [answer.status for answer in (from_elsewhere, without_token, wrong_token)] == [403, 403, 403]
    assert (await console.open("/session")).page.title == "Signed in"


async def test_signing_in_from_another_site_is_refused(stranger: Console) -> None:
    answer = await stranger.request(
        "POST",
        "/console/sign-in",
        fields={"access_key_id": KEY_ID, "access_key_secret": SECRET},
        headers={"sec-fetch-site": "cross-site"},
    )

    assert answer.status == 403
    assert stranger.jar == {}


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/", "/\\evil.example", "", "/sign-in", "/a\nb"]
)
async def test_signing_in_leads_nowhere_else(stranger: Console, back: str) -> None:
    answer = await stranger.request(
        "POST",
        "/console/sign-in",
        fields={"access_key_id": KEY_ID, "access_key_secret": SECRET, "back": back},
    )

    assert answer.headers["location"] == "/console/"


async def test_the_cookie_is_kept_from_scripts_and_other_sites(stranger: Console, safe_console: Console) -> None:
    plain = (await stranger.sign_in()).cookies[0]
    safe = (await safe_console.sign_in()).cookies[0]

    assert plain.startswith("console=")
    assert "httponly" in plain.lower()
    assert "samesite=lax" in plain.lower()
    assert "secure" not in plain.lower()
    assert safe.startswith("__Host-console=")
    assert "; secure" in safe.lower()
    assert "path=/;" in safe.lower() + ";"
    assert SECRET not in plain


async def test_pages_forbid_what_they_do_not_need(console: Console) -> None:
    headers = (await console.open("/session")).headers

    assert headers["cache-control"] == "no-store"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_the_audit_trail_tells_who_signed_in_and_out(api: Api, stranger: Console) -> None:
    await stranger.sign_in()
    await stranger.submit("/sign-out")
    await api.service.sealer.seal()

    events = (await api.call("ListAuditEvents", "2026-11-01"))["Events"]
    told = [(event["Operation"], event.get("AccessKeyId"), event.get("SourceAddress")) for event in events]

    assert ("console:SignIn", KEY_ID, "203.0.113.9") in told
    assert ("console:SignOut", KEY_ID, "203.0.113.9") in told


async def test_a_language_that_was_chosen_stays(stranger: Console) -> None:
    await stranger.request("GET", "/console/language?to=zh&back=/sign-in")

    page = (await stranger.open("/sign-in")).page
    assert page.all("html")[0]["lang"] == "zh-CN"
    assert page.title == "登录"


async def test_no_page_has_scripts_or_styles_of_its_own(console: Console) -> None:
    page = (await console.open("/session")).page

    assert [script for script in page.all("script") if not script.get("src")] == []
    assert page.all("style") == []
    assert [element for element in page.elements if "style" in element.attributes] == []


async def test_an_address_without_a_page_says_so(console: Console) -> None:
    answer = await console.open("/no-such-page")

    assert (answer.status, answer.page.title) == (404, "No such page")
