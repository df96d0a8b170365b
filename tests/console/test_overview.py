"""The first page, and the heat map."""

from __future__ import annotations

import pytest

from tests.api.publishing import publish
from tests.api.ram_users import ram_user, statement
from tests.console.conftest import Console
from tests.harness import Api


async def test_an_empty_directory_is_told_what_to_do_first(console: Console) -> None:
    answer = await console.open("/")

    assert answer.status == 200
    assert answer.page.title == "Overview"
    assert len(answer.page.one("ol", class_="steps").text.split("\n")) >= 4
    assert answer.page.all("section", id="map") == []


async def test_the_heat_map_says_in_words_who_has_nobody(console: Console, api: Api) -> None:
    sales, tech = await api.create_folder("Sales"), await api.create_folder("Tech")
    await api.create_member("shop", sales)
    await api.create_member("lab", tech)
    await api.create_member("mill")
    await api.add_verified_contact(sales, MessageTypes=["SecurityMessage"])

    page = (await console.open("/")).page

    assert "3 of 3 members have nobody for some type." in page.text
    assert [row.text.replace("▸", "").strip() for row in page.all("th", scope="row")] == [
        "All in this folder",
        "Tech (folder)",
        "Sales (folder)",
        "mill",
    ]
    assert [cell.text for cell in page.all("td", class_="cell")[::6]] == [
        "✕ 2 without anybody",
        "✕ nobody",
        "✓ 1 contacts at least",
        "✕ nobody",
    ]


async def test_the_heat_map_goes_down_into_folders_and_keeps_what_is_wanted(console: Console, api: Api) -> None:
    sales = await api.create_folder("Sales")
    await api.create_member("shop", await api.create_folder("Asia", sales))

    page = (await console.open(f"/overview/coverage?folder={sales}&at_least=2")).page

    above, deeper = (
        page.all("a", href="/console/overview/coverage?at_least=2&folder=" + await api.root_folder()),
        [link for link in page.all("a") if "Asia" in link.text],
    )
    assert len(above) == len(deeper) == 1
    assert "at_least=2" in deeper[0]["href"]
    below = (await console.open(deeper[0]["href"])).page
    (shop,) = [link for link in below.all("a") if link.text == "shop"]
    assert (await console.open(shop["href"])).page.title == "shop"


async def test_a_large_directory_gets_its_map_after_the_page(
    console: Console, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("message_contacts.console.site.overview._AT_ONCE", 0)
    await api.create_member("shop")

    page = (await console.open("/")).page
    place = page.one("section", id="map")
    part = (await console.open(place["data-part"])).page

    assert page.all("table") == []
    assert part.all("html") == []
    assert part.one("section", id="map").text.count("shop") == 1


async def test_what_needs_somebody_is_on_the_first_page(console: Console, api: Api) -> None:
    await api.create_member("shop")
    await api.add_contact(EmailAddress="waits@example.com")
    await publish(api, await api.root_folder())
    await api.work()

    text = (await console.open("/")).page.text

    assert "waits@example.com" in text
    assert "For some members nobody can be reached 1 member" in text
    assert "There is no fallback address" in text
    assert "AddMessageContact" in text
    assert "Deliveries that fail ✓ None." in text


async def test_panels_that_a_key_may_not_see_say_which_permission_is_missing(api: Api) -> None:
    narrow = await ram_user(api, "narrow", statement("Allow", "resourcemanager:List*"))
    console = Console(api)
    await console.sign_in(narrow.key_id, narrow.secret)

    answer = await console.open("/")

    assert answer.status == 200
    for permission in ("ListIncidents", "ListDeliveries", "GetFallbackAddress", "ListAuditEvents"):
        assert f"messagecontacts:{permission}" in answer.page.text
