"""What people search for never stands readable in an address that the console makes."""

from __future__ import annotations

import pytest

from tests.console.conftest import Console
from tests.harness import Api

LISTS = [("/contacts", "q"), ("/inbox", "recipient"), ("/messages/deliveries", "address")]


@pytest.mark.parametrize(("path", "name"), LISTS)
async def test_a_search_leads_to_an_address_that_keeps_what_was_searched_for_to_itself(
    console: Console, path: str, name: str
) -> None:
    form = await console.submit("/find", {"to": path, name: "tom@example.com"}, follow=False)
    found = await console.open(form.headers["location"])

    assert form.status == 303
    assert form.headers["location"].startswith(f"/console{path}?{name}=~")
    assert found.page.value(name) == "tom@example.com"
    links = [entry.get("href") + entry.get("action") + entry.get("data-events") for entry in found.page.elements]
    assert [link for link in links if "example.com" in link] == []


async def test_a_search_keeps_the_other_fields_readable(api: Api, console: Console) -> None:
    await api.add_contact()

    form = await console.submit("/find", {"to": "/contacts", "q": "tom@", "status": "Verifying"}, follow=False)

    assert form.headers["location"].endswith("&status=Verifying")
    assert "tom@example.com" in (await console.open(form.headers["location"])).page.text


@pytest.mark.parametrize("value", ["~", "~AAAA", "~%C3%A9", "~" + "A" * 200])
async def test_what_was_not_sealed_here_is_as_if_nothing_was_searched_for(console: Console, value: str) -> None:
    answer = await console.open(f"/contacts?q={value}")

    assert (answer.status, answer.page.value("q")) == (200, "")


async def test_a_search_leads_nowhere_else(console: Console) -> None:
    form = await console.submit("/find", {"to": "//evil.example/", "q": "x"}, follow=False)

    assert form.headers["location"].startswith("/console/?q=~")
