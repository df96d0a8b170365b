"""PreviewMessage: what publishing would do, and that it does just that."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from message_contacts.delivery.publishing import NO_TARGET
from message_contacts.delivery.texts import message_texts
from message_contacts.operations.message_parameters import INVALID_EXPIRES_AT, INVALID_HTML, INVALID_MARKDOWN, invalid
from message_contacts.operations.message_preview import INVALID_REACHED
from message_contacts.operations.own_parameters import missing_parameter
from message_contacts.operations.token_paging import INVALID_NEXT_TOKEN
from tests.api.publishing import OURS, WORDING, deliveries, notices, publish
from tests.api.ram_users import ram_user
from tests.assertions import assert_own_error
from tests.conftest import ENGINES
from tests.harness import Api

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

FAULT = ["FaultMessage"]


async def preview(api: Api, *targets: str, **parameters: Any) -> dict[str, Any]:
    return await api.call("PreviewMessage", OURS, **{**WORDING, "Targets": list(targets), **parameters})


async def world(api: Api) -> str:
    """A folder with contacts of every kind; its id."""
    folder = await api.create_folder("sales")
    shop, mill = await api.create_member("shop", folder), await api.create_member("mill", folder)
    for name, node, types in (
        ("Tom", folder, FAULT),
        ("Ann", shop, ["ServiceMessage"]),
        ("Bob", mill, FAULT),
        ("Eve", await api.root_folder(), FAULT),
    ):
        await api.add_verified_contact(node, Name=name, EmailAddress=f"{name}@example.com", MessageTypes=types)
    await api.add_verified_contact(
        folder, Name="Dan", EmailAddress="tom@EXAMPLE.com", MessageTypes=FAULT, PhoneNumber="86-13900001234"
    )
    waiting = await api.add_contact(Name="Sue", EmailAddress="sue@example.com", MessageTypes=FAULT)
    await api.call("AssociateMembers", ContactId=waiting, Members=[shop])
    return folder


@pytest.mark.parametrize("severity", ["Normal", "Critical"])
async def test_it_foretells_every_delivery_that_publishing_makes(api: Api, severity: str) -> None:
    folder = await world(api)

    found = await preview(api, folder, Severity=severity)
    message_id = await publish(api, folder, Severity=severity)
    await api.work("internal")
    made = await deliveries(api, message_id)

    def told(entries: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
        names = ("State", "Reason", "Route", "ContactCount", "Contacts")
        return {
            (each["Channel"], each["Address"].lower()): [
                sorted(map(str, each[name])) if name == "Contacts" else each[name] for name in names
            ]
            for each in entries
        }

    assert told(found["Recipients"]) == told(made)
    summary = found["Summary"]
    assert summary["Email"] == 3
    assert summary["Sms"] == (1 if severity == "Critical" else 0)
    assert {each["Reason"]: each["Addresses"] for each in summary["Skipped"]} == {
        "not-subscribed": 1,
        "not-verified": 1,
    }
    assert (summary["MembersUnreached"], summary["Incident"], summary["Complete"]) == (0, False, True)


async def test_it_shows_the_mail_that_is_sent_but_for_links_that_work(api: Api) -> None:
    folder = await world(api)

    found = await preview(api, folder, Markdown="The **disk** is full.", Reached="true")
    await publish(api, folder, Markdown="The **disk** is full.")
    await api.work()
    (sent,) = await notices(api, found["Recipients"][0]["Address"])

    assert found["Mail"]["Subject"] == sent["Subject"]
    assert "<p>The <strong>disk</strong> is full.</p>" in found["Mail"]["Html"]
    shown, real = (text.splitlines() for text in (found["Mail"]["Text"], sent["Text"]))
    differing = {line for line in {*shown} ^ {*real} if "http" not in line}
    assert differing == set()
    assert "/unsubscribe/..." in found["Mail"]["Text"]
    assert "/preferences/..." in found["Mail"]["Text"]
    assert found["TextMessage"] == "platform-team: Disk full\nThe disk of the database is full."
    assert found["Post"].startswith("The disk of the database is full.")


async def test_nothing_is_stored_or_sent(api: Api) -> None:
    folder = await world(api)
    before = await api.inbox()

    await preview(api, folder)
    await api.work()

    assert (await api.call("ListMessages", OURS))["Messages"] == []
    assert await deliveries(api, "m-000000000000000000000000") == []
    assert await api.inbox() == before


async def test_members_whom_nobody_is_reached_for_are_named_and_make_an_incident(api: Api) -> None:
    lonely = await api.create_member("lonely")

    found = await preview(api, await api.root_folder())

    assert found["Recipients"] == []
    assert found["Summary"] == {
        "Email": 0,
        "Sms": 0,
        "Webhook": 0,
        "NobodySubscribed": 0,
        "Fallback": False,
        "Incident": True,
        "MembersUnreached": 1,
        "Members": [lonely],
        "Skipped": [],
        "Complete": True,
    }
    assert "Disk full" in found["Mail"]["Html"]


async def test_the_fallback_address_takes_what_would_reach_nobody(api: Api) -> None:
    await api.create_member("lonely")
    await api.call("SetFallbackAddress", OURS, EmailAddress="duty@example.com")
    await api.work()
    await api.call("ConfirmFallbackAddress", OURS, Code=await api.code_sent_to("duty@example.com"))

    found = await preview(api, await api.root_folder())

    assert [(each["Address"], each["Route"]) for each in found["Recipients"]] == [("duty@example.com", "fallback")]
    assert (found["Summary"]["Fallback"], found["Summary"]["Incident"]) == (True, False)


async def test_people_without_the_type_stand_in_for_those_who_cannot_be_reached(api: Api) -> None:
    member = await api.create_member("shop")
    await api.add_verified_contact(member)

    found = await preview(api, member)

    (recipient,) = found["Recipients"]
    assert (recipient["Route"], found["Summary"]["NobodySubscribed"]) == ("nobody-subscribed", 1)
    assert "You have not chosen this kind" in found["Mail"]["Text"]


async def test_pages_and_the_filter_give_everybody_once(api: Api) -> None:
    folder = await world(api)
    everybody = [each["Address"] for each in (await preview(api, folder, Severity="Critical"))["Recipients"]]
    found: dict[str, list[str]] = {}
    for reached in ("true", "false"):
        token: str | None = None
        found[reached] = []
        while True:
            page = await preview(api, folder, Severity="Critical", Reached=reached, MaxResults=1, NextToken=token)
            found[reached] += [each["Address"] for each in page["Recipients"]]
            token = page.get("NextToken")
            if token is None:
                break

    assert sorted(found["true"] + found["false"]) == sorted(everybody)
    assert sorted(found["false"]) == ["Ann@example.com", "sue@example.com"]


async def test_it_stops_looking_when_there_are_too_many_and_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = await world(api)
    monkeypatch.setattr("message_contacts.delivery.batch.LOOKED_AT_ONCE", 1)
    monkeypatch.setattr("message_contacts.delivery.dry_run.LOOKED_AT_MOST", 2)

    found = await preview(api, folder)

    assert found["Summary"]["Complete"] is False
    assert 0 < len(found["Recipients"]) < 5


async def test_it_is_refused_what_publishing_is_refused(api: Api) -> None:
    root = await api.root_folder()
    given = {**WORDING, "Targets": [root]}
    for changed, expected in (
        ({"Subject": None}, missing_parameter("Subject")),
        ({"Targets": []}, missing_parameter("Targets")),
        ({"Targets": ["nonsense"]}, invalid("Targets")),
        ({"Targets": ["fd-ZZZZZZZZZZ"]}, NO_TARGET),
        ({"Html": "<p>", "Markdown": "x"}, INVALID_MARKDOWN),
        ({"ExpiresAt": "2020-01-01T00:00:00Z"}, INVALID_EXPIRES_AT),
        ({"Reached": "maybe"}, INVALID_REACHED),
        ({"NextToken": "c21zIQ"}, INVALID_NEXT_TOKEN),
    ):
        assert_own_error(await api.error("PreviewMessage", OURS, **{**given, **changed}), expected)


async def test_who_may_only_read_may_preview_and_not_publish(api: Api) -> None:
    reader = await ram_user(api, "reader", system=["ReadOnlyAccess"])
    root = await api.root_folder()

    assert (await preview(reader, root))["Summary"]["Complete"]
    status, _ = await reader.error("PublishMessage", OURS, **WORDING, Targets=[root])
    assert status == 403


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"Html": "<ul><li>" * 24_000}, INVALID_HTML),
        ({"Html": "<div>" * 101}, INVALID_HTML),
        ({"Markdown": "[" * 50_000}, INVALID_MARKDOWN),
    ],
)
async def test_bodies_that_would_take_too_long_to_read_are_refused(api: Api, body: dict[str, str], error: Any) -> None:
    for operation in ("PreviewMessage", "PublishMessage"):
        parameters = {**WORDING, "Targets": [await api.root_folder()], **body}
        assert_own_error(await api.error(operation, OURS, **parameters), error)


@pytest.mark.parametrize("repeated", [1, 2_000])
async def test_only_large_bodies_are_made_beside_the_event_loop(
    api: Api, monkeypatch: pytest.MonkeyPatch, repeated: int
) -> None:
    folder = await world(api)
    where: list[bool] = []
    made = message_texts.html_body

    def noted(message: Any) -> str:
        where.append(threading.current_thread() is threading.main_thread())
        return made(message)

    monkeypatch.setattr(message_texts, "html_body", noted)
    html = "<p>x</p>" * repeated

    await preview(api, folder, Html=html)
    await publish(api, folder, Html=html)
    await api.work()

    assert where == [repeated == 1] * 2, "also worded once for all who get it"
    assert html in (await notices(api))[0]["Html"]
