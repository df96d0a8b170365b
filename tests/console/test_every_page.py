"""What holds for every page of the console, whatever it shows."""

from __future__ import annotations

import re

import pytest

from message_contacts.console.site.areas import ROUTES
from tests.console.conftest import Console
from tests.harness import Api

#: Bytes of a page, with what it loads: 100 KB in all, of which sheets and scripts come once.
_LARGEST = 100_000
_PLACEHOLDER = re.compile(r"\{[^}]+\}")
#: Paths with something that does not exist in the place of each id.
PAGES = sorted({_PLACEHOLDER.sub("nothing", route.path) for route in ROUTES if route.method == "GET"})
FORMS = sorted({_PLACEHOLDER.sub("nothing", route.path) for route in ROUTES if route.method == "POST"})
#: Those that name nothing.
FIRST_PAGES = sorted({route.path for route in ROUTES if route.method == "GET" and "{" not in route.path})


def test_every_route_is_declared_once() -> None:
    declared = [(route.method, route.path) for route in ROUTES]

    assert len(declared) == len(set(declared))
    assert {route.method for route in ROUTES} == {"GET", "POST"}


async def test_a_stranger_sees_no_page(stranger: Console) -> None:
    for path in PAGES:
        answer = await stranger.request("GET", "/console" + path)

        assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/console/sign-in"), path


async def test_a_form_counts_only_with_the_sessions_own_token(console: Console) -> None:
    for path in FORMS:
        without = await console.request("POST", "/console" + path, fields={})
        wrong = await console.request("POST", "/console" + path, fields={"csrf": "0" * 64})
        elsewhere = await console.request("POST", "/console" + path, fields={}, headers={"sec-fetch-site": "same-site"})

        assert [answer.status for answer in (without, wrong, elsewhere)] == [403, 403, 403], path
        assert "Nothing was changed" in without.page.text


async def test_an_empty_form_about_nothing_is_answered_and_never_a_fault_of_ours(console: Console) -> None:
    for path in FORMS:
        if path == "/directory/destroy":
            continue  # would take the ground away from the others
        answer = await console.submit(path, {}, follow=False)

        assert answer.status < 500, (path, answer.html)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_page_about_nothing_is_answered_and_never_a_fault_of_ours(console: Console, language: str) -> None:
    console.language = language
    for path in PAGES:
        answer = await console.request("GET", "/console" + path)

        assert answer.status < 500, (path, answer.html)
        if answer.headers.get("content-type", "").startswith("text/html") and "attachment" not in str(answer.headers):
            page = answer.page
            assert answer.headers["content-language"] == {"en": "en", "zh": "zh-CN"}[language], path
            assert [entry for entry in page.elements if "style" in entry.attributes or entry.tag == "style"] == []
            assert [entry for entry in page.elements if any(name.startswith("on") for name in entry.attributes)] == []
            assert all(entry.get("src") for entry in page.all("script")), path


async def test_a_key_without_permissions_is_told_so_calmly(api: Api, stranger: Console) -> None:
    await api.call("CreateUser", "2015-05-01", UserName="nobody")
    user = await api.as_user("nobody")
    await stranger.sign_in(user.key_id, user.secret)
    for path in FIRST_PAGES:
        answer = await stranger.request("GET", "/console" + path)

        assert answer.status in {200, 303, 400, 403, 404}, (path, answer.html)
        assert "fault is ours" not in answer.html


async def test_the_first_page_of_an_area_is_small(console: Console) -> None:
    for path in [path for path in FIRST_PAGES if path.count("/") == 1]:
        answer = await console.open(path)
        loaded = {
            entry.get("href") or entry.get("src")
            for entry in answer.page.elements
            if (entry.tag == "link" and entry.get("rel") == "stylesheet") or entry.tag == "script"
        }
        sizes = [len((await console.open(file)).body) for file in loaded if file]

        assert answer.status in {200, 400}, path
        assert len(answer.body) + sum(sizes) < _LARGEST, path
