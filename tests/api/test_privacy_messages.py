"""What published messages leave of a person is shown and erased with everything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from message_contacts.changes import Insert
from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.bounces import Taken
from message_contacts.delivery.messages import Incident, IncidentKind
from message_contacts.delivery.standing import Sign, Source, Suspension, SuspensionReason
from tests.api.privacy_world import EMAIL, NAME, OWN, REPLACEMENT, erase, not_known
from tests.api.publishing import counts, deliveries, publish, states
from tests.api.recipients import preference_links, report, unsubscribe_link
from tests.api.test_privacy_erase import tables_with
from tests.api.test_races import Interruption
from tests.harness import Api, open_api
from tests.pages.conftest import Browser

TYPES = ["FaultMessage", "ProductMessage", "SecurityMessage"]
WANTS = {"type-SecurityMessage": "on", "type-FaultMessage": "on", "language": "en"}


@pytest.fixture
def browser(api: Api) -> Browser:
    return Browser(api.service.app)  # type: ignore[arg-type]


async def person(api: Api, name: str = NAME, email: str = EMAIL, types: list[str] = TYPES) -> str:
    return await api.add_verified_contact(await api.root_folder(), Name=name, EmailAddress=email, MessageTypes=types)


async def told(api: Api, **parameters: Any) -> str:
    """Publish to everybody, and send."""
    message_id = await publish(api, await api.root_folder(), **parameters)
    await api.work()
    return message_id


async def suspend(api: Api, email: str) -> None:
    now = api.clock.now()
    suspension = Suspension(
        account_id=api.account_id,
        channel=Channel.EMAIL,
        address_key=email.lower(),
        address=email,
        reason=SuspensionReason.HARD_BOUNCE,
        suspended_at=now,
        soft_bounces=0,
        bounced_at=now,
        signs=(Sign(now, Source.REPORT, "d-1", "hard", "mailbox-unknown", "5.1.1", f"no <{email}>"),),
    )
    await api.service.storage.committer.commit((Insert(suspension),), None)


async def note(api: Api, text: str) -> None:
    incident = Incident(
        account_id=api.account_id,
        incident_id="i-1",
        message_id="m-1",
        kind=IncidentKind.NOTHING_SENT,
        members=0,
        member_ids=(),
        opened_at=api.clock.now(),
    )
    await api.service.storage.committer.commit((Insert(incident),), None)
    await api.call("CloseIncident", OWN, IncidentId="i-1", Note=text)


async def everything_said(api: Api, browser: Browser) -> str:
    """Messages sent, preferences, a request and a bounce; returns the contact id."""
    contact_id = await person(api)
    await told(api)
    page = (await preference_links(api, EMAIL))[NAME]
    one_click = await unsubscribe_link(api, EMAIL)
    assert one_click is not None
    assert (await browser.open(page, "POST", fields=WANTS)).status == 200
    assert (await browser.open(f"{page}/hand-over", "POST", fields={"wish": f"Ann, not {EMAIL}"})).status == 200
    assert (await browser.open(one_click, "POST")).status == 200
    await suspend(api, EMAIL)
    await note(api, f"Called {EMAIL.upper()}: fixed.")
    return contact_id


async def test_nothing_of_an_erased_person_is_left_of_its_messages(
    api: Api, browser: Browser, database_path: Path
) -> None:
    contact_id = await everything_said(api, browser)
    message_id = await told(api)
    assert tables_with(database_path, EMAIL, NAME) >= {
        "delivery",
        "hand_over",
        "inbox_message",
        "incident",
        "preference",
        "suspension",
    }

    erased = await erase(api, contact_id)

    assert tables_with(database_path, EMAIL, NAME) == set()
    assert tables_with(database_path, contact_id) == {"audit_event"}
    kinds = ("Deliveries", "Suspensions", "Preferences", "HandOvers")
    assert [erased[kind] for kind in kinds] == [2, 1, 2, 1]
    assert await counts(api, message_id) == {"Skipped": 1}
    (left,) = await deliveries(api, message_id)
    assert (left["Address"], left["Contacts"], left["ContactCount"]) == ("", [], 0)
    notes = [incident.get("Note") for incident in (await api.call("ListIncidents", OWN))["Incidents"]]
    assert "Called ***: fixed." in notes
    assert await not_known(api, "ErasePerson", contact_id)


async def test_the_export_shows_what_messages_left(api: Api, browser: Browser) -> None:
    contact_id = await everything_said(api, browser)
    found = await api.call("ExportPerson", OWN, ContactId=contact_id, MaxResults=100)
    (delivery,) = found["Deliveries"]
    assert (delivery["Address"], delivery["State"], "Contacts" in delivery) == (EMAIL, "sent", False)
    (suspension,) = found["Suspensions"]
    assert (suspension["Reason"], suspension["Told"]) == ("hard-bounce", [f"no <{EMAIL}>"])
    assert {(each["ForAddress"], *each["UnwantedTypes"]) for each in found["Preferences"]} == {
        (False, "ProductMessage"),
        (True, "FaultMessage"),
    }
    (asked,) = found["HandOvers"]
    assert asked["Wish"] == f"Ann, not {EMAIL}"
    pages = [await api.call("ExportPerson", OWN, ContactId=contact_id, MaxResults=1)]
    while token := pages[-1].get("NextToken"):
        pages.append(await api.call("ExportPerson", OWN, ContactId=contact_id, MaxResults=1, NextToken=token))
    for kind in ("Messages", "Deliveries", "AuditEvents"):
        assert [entry for page in pages for entry in page[kind]] == found[kind]


async def test_links_of_an_erased_person_lead_nowhere_and_bring_nothing_back(
    api: Api, browser: Browser, database_path: Path
) -> None:
    contact_id = await person(api)
    await told(api)
    page, one_click = (await preference_links(api, EMAIL))[NAME], await unsubscribe_link(api, EMAIL)
    assert one_click is not None
    await erase(api, contact_id)
    for path in (page, f"{page}/hand-over", one_click, f"{one_click}/undo"):
        assert (await browser.open(path, "POST", fields={**WANTS, "wish": "Ann"})).status == 404, path
    for path in (page, one_click):
        assert (await browser.open(path)).status == 404
    assert tables_with(database_path, EMAIL, NAME) == set()


async def test_what_waits_for_an_erased_person_is_not_sent(api: Api) -> None:
    contact_id = await person(api)
    message_id = await publish(api, await api.root_folder())
    await api.work("internal")
    assert (await erase(api, contact_id))["Jobs"] == 1
    await api.work()
    assert await states(api, message_id) == {"": ("skipped", "erased")}
    assert await api.inbox(EMAIL) == []


async def test_of_a_shared_address_others_keep_their_messages_and_its_wishes(
    api: Api, browser: Browser, database_path: Path
) -> None:
    mine, _ = await person(api), await person(api, "Other")
    message_id = await told(api)
    page = (await preference_links(api, EMAIL))[NAME]
    assert (await browser.open(page, "POST", fields=WANTS)).status == 200
    await suspend(api, EMAIL)

    erased = await erase(api, mine)

    assert (erased["Deliveries"], erased["Suspensions"], erased["Preferences"]) == (1, 0, 1)
    (delivery,) = await deliveries(api, message_id)
    assert (delivery["Address"], [each["Name"] for each in delivery["Contacts"]]) == (EMAIL, ["Other"])
    assert tables_with(database_path, NAME) - {"audit_personal"} == {
        table for table in tables_with(database_path, EMAIL) if table != "audit_personal"
    }
    assert (await api.call("ListSuspensions", OWN))["Suspensions"][0]["Address"] == EMAIL
    await api.call("DeleteSuspension", OWN, Address=EMAIL)
    assert await states(api, await told(api, MessageType="ProductMessage")) == {EMAIL: ("skipped", "opted-out")}
    assert await states(api, await told(api)) == {EMAIL: ("sent", "")}
    assert (await browser.open(page)).status == 404


async def test_the_fallback_address_of_a_tenant_is_not_taken_away_with_a_person(api: Api, database_path: Path) -> None:
    contact_id = await person(api)
    await api.call("SetFallbackAddress", OWN, EmailAddress=EMAIL)
    await erase(api, contact_id)
    assert "fallback_address" in tables_with(database_path, EMAIL)
    assert (await api.call("GetFallbackAddress", OWN)) != {}


async def test_deliveries_to_an_address_that_was_never_confirmed_and_replaced_go_too(
    api: Api, database_path: Path
) -> None:
    contact_id = await api.add_contact(Name=NAME, EmailAddress=REPLACEMENT, MessageTypes=TYPES)
    await api.call("AssociateMembers", ContactId=contact_id, Members=[await api.root_folder()])
    message_id = await told(api)
    assert await states(api, message_id) == {REPLACEMENT: ("skipped", "not-verified")}
    await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress=EMAIL)
    await erase(api, contact_id)
    assert tables_with(database_path, REPLACEMENT, EMAIL) == set()


async def test_an_erasure_while_it_is_worked_out_who_gets_a_message_leaves_no_delivery(database_path: Path) -> None:
    race = Interruption()
    async with open_api(database_path, seam=race) as api:
        contact_id = await person(api)
        await publish(api, await api.root_folder())

        async def meanwhile() -> None:
            await erase(api, contact_id)

        race.once(meanwhile)
        await api.work()
        assert tables_with(database_path, EMAIL, NAME) == set()


async def test_a_report_about_an_erased_person_changes_nothing(database_path: Path) -> None:
    async with open_api(database_path, {"bounce_domain": "bounces.example.com"}) as api:
        contact_id = await person(api)
        message_id = await told(api)
        (sent,) = await deliveries(api, message_id)
        delivery = await api.service.storage.messages.delivery(api.account_id, sent["DeliveryId"])
        assert delivery is not None
        await erase(api, contact_id)
        bounces = api.service.recipients.bounces
        assert bounces.return_paths is not None
        path = bounces.return_paths.address(api.account_id, sent["DeliveryId"])
        assert await bounces.take(report(EMAIL), [path]) is Taken.NOT_OURS
        gone = await api.service.storage.messages.delivery(api.account_id, sent["DeliveryId"])
        assert gone is not None
        assert (gone.address, gone.contacts, gone.sent_at) == ("", (), Instant(delivery.sent_at or 0))
        assert (await api.call("ListSuspensions", OWN))["Suspensions"] == []
