"""The audit trail's pages: events, one event, export, and the check of the chain."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import apsw
import orjson
import pytest

from tests.api.ram_users import ram_user, statement
from tests.console.conftest import Console
from tests.harness import KEY_ID, Api

OWN = "2026-11-01"


async def some_events(api: Api) -> str:
    """Two folders, the first renamed; the first one's id."""
    folders = []
    for name in ("Finance", "Shop"):
        api.clock.advance(1)
        folders.append(await api.create_folder(name))
    api.clock.advance(1)
    await api.call("UpdateFolder", FolderId=folders[0], NewFolderName="Money")
    return folders[0]


async def test_events_say_who_did_what_to_what(console: Console, api: Api) -> None:
    folder = await some_events(api)
    user = await ram_user(api, "alice", statement("Allow", "*"))
    await user.call("UpdateFolder", FolderId=folder, NewFolderName="Funds")

    page = (await console.open("/audit")).page

    assert "UpdateFolder" in page.text
    assert page.all("a", href=f"/console/directory/folders/{folder}")
    assert page.all("a", href="/console/access/users/alice")
    assert "The account itself" in page.text
    assert "First start" in page.text


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"operation": "UpdateFolder"}, 1),
        ({"target": "{folder}"}, 2),
        ({"key": KEY_ID, "operation": "CreateFolder"}, 2),
        ({"kind": "refusal"}, 0),
        ({"user": "nobody"}, 0),
        ({"since": "2026-11-21T16:00:02", "operation": "CreateFolder"}, 1),
        ({"until": "2026-11-21T16:00:02", "operation": "CreateFolder"}, 1),
    ],
)
async def test_events_are_found_by_what_is_asked_for(
    filters: dict[str, str], expected: int, console: Console, api: Api
) -> None:
    folder = await some_events(api)
    query = urlencode({name: value.format(folder=folder) for name, value in filters.items()})

    page = (await console.open(f"/audit?{query}")).page

    assert page.html.count('<th scope="row">') == expected
    assert expected or "Nothing of this kind happened" in page.text
    for name, value in filters.items():
        assert page.value(name) == value.format(folder=folder) or name == "kind"


async def test_a_time_that_is_none_is_told_at_its_field(console: Console) -> None:
    answer = await console.open("/audit?since=yesterday")

    assert (answer.status, "StartTime" in answer.page.one("p", id="since-error").text) == (400, True)


async def test_older_events_are_a_page_away(console: Console, api: Api) -> None:
    for number in range(55):
        api.clock.advance(1)
        await api.create_folder(f"folder-{number}")

    first = (await console.open("/audit?operation=CreateFolder")).page
    second = (await console.open(first.one("a", rel="next")["href"])).page

    assert first.html.count('<th scope="row">') == 50
    assert second.html.count('<th scope="row">') == 5
    assert second.value("operation") == "CreateFolder"


async def test_one_event_shows_each_field_before_and_after_and_masks_people(console: Console, api: Api) -> None:
    contact = await api.add_contact(Name="Anna", EmailAddress="anna@example.com")
    api.clock.advance(1)
    await api.call("UpdateMessageContact", ContactId=contact, Title="Other", MessageTypes=["FaultMessage"])
    await api.service.sealer.seal()
    (event,) = (await api.call("ListAuditEvents", OWN, Operation="UpdateMessageContact"))["Events"]

    page = (await console.open(f"/audit/events/{event['EventId']}")).page

    assert '["SecurityMessage"] ["FaultMessage"]' in page.text.replace('"]["', '"] ["')
    assert event["Hash"] in page.text
    assert "masked" in page.text
    made = (await api.call("ListAuditEvents", OWN, Operation="AddMessageContact"))["Events"][0]["EventId"]
    shown = (await console.open(f"/audit/events/{made}")).html
    assert "a***@example.com" in shown
    assert "anna@example.com" not in shown


@pytest.mark.parametrize("event_id", ["ae-019aa8a55980000000000000", "ae-ffffffffffffffffffffffff", "nothing"])
async def test_an_event_that_is_not_there_has_a_page_that_says_so(event_id: str, console: Console) -> None:
    answer = await console.open(f"/audit/events/{event_id}")

    assert (answer.status, answer.page.title) == (404, "There is no such event")


async def test_the_export_has_every_event_that_is_asked_for(console: Console, api: Api) -> None:
    for number in range(105):
        api.clock.advance(1)
        await api.create_folder(f"f{number}") if number < 90 else await api.create_member(f"Member {number}")
    expected = [
        event["EventId"]
        for event in (await api.call("ListAuditEvents", OWN, Operation="CreateResourceAccount"))["Events"]
    ]

    everything = await console.open("/audit/export")
    some = await console.open("/audit/export?operation=CreateResourceAccount")

    lines = [orjson.loads(line) for line in everything.body.splitlines()]
    assert len(lines) > 105
    assert len({line["EventId"] for line in lines}) == len(lines)
    assert [orjson.loads(line)["EventId"] for line in some.body.splitlines()] == expected
    assert everything.headers["content-disposition"].startswith("attachment")
    assert everything.headers["content-type"].startswith("application/x-ndjson")


async def test_an_untouched_chain_is_found_unbroken(console: Console, api: Api) -> None:
    await some_events(api)
    await api.service.sealer.seal()
    head = (await api.call("VerifyAuditTrail", OWN))["Head"]
    noted = f"{head['Sequence']}:{head['Hash']}"

    page = (await console.submit("/audit/check")).page
    again = (await console.submit("/audit/check", {"heads": noted})).page
    forged = (await console.submit("/audit/check", {"heads": f"2:{'ab' * 32}"})).page

    assert "Nothing was changed afterwards" in page.text
    assert page.one("code", id="head").text == noted
    assert "Nothing was changed afterwards" in again.text
    assert "sequence 2 has another hash than the one noted" in forged.text


async def test_a_changed_event_breaks_the_chain(console: Console, api: Api, database_path: Path) -> None:
    await some_events(api)
    await api.service.sealer.seal()
    connection = apsw.Connection(str(database_path))
    try:
        connection.execute("UPDATE audit_event SET operation = 'GetFolder' WHERE sequence = 2")
    finally:
        connection.close()

    page = (await console.submit("/audit/check")).page

    assert "The chain is broken" in page.text
    assert "is not what was sealed" in page.text


async def test_a_long_check_goes_on_where_it_was(console: Console, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("message_contacts.audit.checking.check.__kwdefaults__", {"limit": 2})
    for number in range(24):
        await api.create_folder(f"folder-{number}")
    await api.service.sealer.seal()
    total = (await api.call("VerifyAuditTrail", OWN))["EndSequence"]

    page = (await console.submit("/audit/check")).page
    pages = 1
    while page.all("form", data_go_on=""):
        fields = {
            field["name"]: field["value"] for field in page.all("input", type="hidden") if field["name"] != "csrf"
        }
        page = (await console.submit("/audit/check", fields)).page
        pages += 1

    assert pages > 2
    assert f"Events looked at {total}" in page.text.replace(f"at{total}", f"at {total}")
    assert "Nothing was changed afterwards" in page.text


async def test_heads_that_are_none_are_told_at_their_field(console: Console) -> None:
    answer = await console.submit("/audit/check", {"heads": "seven"})

    assert (answer.status, "Heads" in answer.page.one("p", id="heads-error").text) == (400, True)


async def test_a_key_without_permission_is_told_which_one_lacks(api: Api) -> None:
    user = await ram_user(api, "alice")
    console = Console(api)
    await console.sign_in(user.key_id, user.secret)

    for path in ("/audit", "/audit/export", "/audit/events/ae-019aa8a55980000000000000"):
        answer = await console.open(path)
        assert (answer.status, "messagecontacts:ListAuditEvents" in answer.page.text) == (403, True)
    checked = await console.submit("/audit/check")
    assert "messagecontacts:VerifyAuditTrail" in checked.page.text
