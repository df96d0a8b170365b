"""A message never vanishes: whoever can be reached, the fallback address, or an incident that somebody has to close."""

from __future__ import annotations

import re

import pytest
from structlog.testing import capture_logs

from message_contacts.delivery import batch
from message_contacts.delivery.tally import Happening
from tests.api.publishing import OURS, deliveries, notices, publish, states
from tests.conftest import ENGINES

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

FAULT = ["FaultMessage"]
DUTY = "duty@example.com"


async def set_fallback(api, address=DUTY):
    await api.call("SetFallbackAddress", OURS, EmailAddress=address)
    await api.work()
    (mail,) = [message for message in await api.inbox(address) if "fallback address" in message["Subject"]][-1:]
    code = re.search(r"Code: ([0-9]{6})", mail["Text"])[1]
    return await api.call("ConfirmFallbackAddress", OURS, Code=code)


async def incidents(api, **parameters):
    return (await api.call("ListIncidents", OURS, **parameters))["Incidents"]


async def test_when_nobody_has_the_type_it_goes_to_whoever_can_be_reached_marked_as_such(api):
    root = await api.root_folder()
    await api.create_member("shop")
    await api.add_verified_contact(root)

    with capture_logs() as logs:
        message_id = await publish(api, root)
        await api.work()

    (delivery,) = await deliveries(api, message_id)
    assert (delivery["State"], delivery["Route"], delivery["Reason"]) == ("sent", "nobody-subscribed", "")
    (line,) = [line for line in logs if line["event"] == Happening.NOBODY_SUBSCRIBED]
    assert (line["log_level"], line["message_id"]) == ("warning", message_id)
    assert api.service.tally.counts() == {Happening.NOBODY_SUBSCRIBED: 1}
    assert [each["Word"] for each in delivery["Contacts"]] == ["nobody-subscribed", "not-subscribed"]
    (notice,) = await notices(api)
    assert "You have not chosen this kind" in notice["Text"]
    assert "您没有选择接收这类通知" in notice["Html"]
    assert await incidents(api) == []


async def test_that_nobody_has_the_type_is_said_once_of_a_message(api, monkeypatch):
    """However many members it holds for, in however many steps they are found."""
    monkeypatch.setattr(batch, "LOOKED_AT_ONCE", 1)
    folder = await api.create_folder("sales")
    for number in range(3):
        member = await api.create_member(f"m{number}", folder)
        await api.add_verified_contact(member, Name=f"Ann{'abc'[number]}", EmailAddress=f"ann{number}@example.com")

    message_id = await publish(api, folder)
    await api.work()

    assert {each["Route"] for each in await deliveries(api, message_id)} == {"nobody-subscribed"}
    assert api.service.tally.counts() == {Happening.NOBODY_SUBSCRIBED: 1}


async def test_only_the_contacts_of_members_left_without_anybody_are_asked_instead(api):
    """One folder has somebody with the type, the other one has not: only its contacts step in."""
    served, unserved = await api.create_folder("served"), await api.create_folder("unserved")
    await api.create_member("shop", served)
    lonely = await api.create_member("mill", unserved)
    for name, node, types in (
        ("Tom", served, FAULT),
        ("Ann", served, ["ServiceMessage"]),
        ("Bob", unserved, ["ServiceMessage"]),
        ("Eve", lonely, ["ProductMessage"]),
    ):
        await api.add_verified_contact(node, Name=name, EmailAddress=f"{name}@example.com", MessageTypes=types)

    message_id = await publish(api, await api.root_folder())
    await api.work()

    assert await states(api, message_id) == {
        "Tom@example.com": ("sent", ""),
        "Ann@example.com": ("skipped", "not-subscribed"),
        "Bob@example.com": ("sent", ""),
        "Eve@example.com": ("sent", ""),
    }


async def test_a_member_with_a_subscriber_of_its_own_needs_nobody_else(api):
    root = await api.root_folder()
    member = await api.create_member("shop")
    await api.add_verified_contact(root, Name="Ann", EmailAddress="ann@example.com")
    await api.add_verified_contact(member, Name="Tom", MessageTypes=FAULT)

    message_id = await publish(api, root)
    await api.work()

    assert await states(api, message_id) == {
        "ann@example.com": ("skipped", "not-subscribed"),
        "tom@example.com": ("sent", ""),
    }


async def test_a_copy_does_not_stand_for_a_member_that_came_later(api):
    folder = await api.create_folder("sales")
    await api.create_member("old", folder)
    await api.add_verified_contact(folder, Name="Ann", EmailAddress="ann@example.com")
    gone = await api.add_verified_contact(folder, Name="Tom", MessageTypes=FAULT)
    api.clock.advance(1)
    await api.call("DeleteMessageContact", ContactId=gone)

    covered = await publish(api, folder)
    await api.work()
    api.clock.advance(1)
    await api.create_member("new", folder)
    uncovered = await publish(api, folder)
    await api.work()

    assert await states(api, covered) == {
        "tom@example.com": ("sent", ""),
        "ann@example.com": ("skipped", "not-subscribed"),
    }
    assert await states(api, uncovered) == {"tom@example.com": ("sent", ""), "ann@example.com": ("sent", "")}


async def test_when_nobody_can_be_reached_it_goes_to_the_fallback_address(api):
    root = await api.root_folder()
    folder = await api.create_folder("sales")
    await api.create_member("shop", folder)
    unverified = await api.add_contact(MessageTypes=FAULT)
    await api.call("AssociateMembers", ContactId=unverified, Members=[root])
    await set_fallback(api)

    with capture_logs() as logs:
        message_id = await publish(api, root)
        await api.work()

    found = {each["Address"]: each for each in await deliveries(api, message_id)}
    assert (found[DUTY]["State"], found[DUTY]["Route"]) == ("sent", "fallback")
    assert found["tom@example.com"]["Reason"] == "not-verified"
    (notice,) = [message for message in await notices(api, DUTY) if message["Subject"] == "Disk full"]
    assert "no contact can be reached" in notice["Text"]
    assert "for notices that would reach nobody" in notice["Text"]
    assert await incidents(api) == []
    (line,) = [line for line in logs if line["event"] == Happening.FALLBACK_USED]
    assert (line["log_level"], line["message_id"]) == ("error", message_id)
    assert api.service.tally.counts() == {Happening.FALLBACK_USED: 1}


async def test_without_a_fallback_address_there_is_an_incident_until_somebody_closes_it(api):
    folder = await api.create_folder("sales")
    members = sorted([await api.create_member("shop", folder), await api.create_member("mill", folder)])

    with capture_logs() as logs:
        message_id = await publish(api, folder)
        await api.work()

    (incident,) = await incidents(api, OnlyOpen="true")
    assert (incident["Kind"], incident["MessageId"], incident["State"]) == ("nobody-reachable", message_id, "Open")
    assert (incident["MemberCount"], sorted(incident["Members"])) == (2, members)
    assert [line["log_level"] for line in logs if line["event"] == Happening.INCIDENT_OPENED] == ["error"]
    assert api.service.tally.counts() == {Happening.INCIDENT_OPENED: 1}

    closed = await api.call("CloseIncident", OURS, IncidentId=incident["IncidentId"], Note="Told by phone.")
    assert (closed["Incident"]["State"], closed["Incident"]["Note"]) == ("Closed", "Told by phone.")
    assert closed["Incident"]["ClosedBy"] == api.key_id
    again = await api.call("CloseIncident", OURS, IncidentId=incident["IncidentId"], Note="Something else.")
    assert again == closed
    assert await incidents(api, OnlyOpen="true") == []
    assert len(await incidents(api)) == 1


async def test_a_directory_without_anybody_in_it_is_an_incident_too(api):
    await publish(api, await api.root_folder())
    await api.work()

    (incident,) = await incidents(api)
    assert (incident["MemberCount"], incident["Members"]) == (0, [])


async def test_a_member_that_only_text_messages_reach_is_unreached_unless_it_is_critical(api):
    """Text messages are for critical ones: a normal message does not go out as one, nor is it lost."""
    member = await api.create_member("shop")
    phone = "86-13900001234"
    contact = await api.add_contact(MessageTypes=FAULT, PhoneNumber=phone)
    await api.call("SendPhoneVerificationForMessageContact", ContactId=contact, PhoneNumber=phone)
    await api.work()
    await api.confirm(phone)
    await api.call("AssociateMembers", ContactId=contact, Members=[member])

    normal = await publish(api, member)
    critical = await publish(api, member, Severity="Critical")
    await api.work()

    assert await states(api, normal) == {"tom@example.com": ("skipped", "not-verified")}
    assert [each["MessageId"] for each in await incidents(api)] == [normal]
    assert await states(api, critical) == {"tom@example.com": ("skipped", "not-verified"), phone: ("sent", "")}


async def test_a_message_whose_every_delivery_failed_is_an_incident(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, MessageTypes=FAULT)
    message_id = await publish(api, root, ExpiresAt="2026-11-21T08:00:30Z")
    await api.work("internal")
    api.clock.advance(31)
    await api.work("email-messages")
    api.clock.advance(60)

    await api.work()

    assert await states(api, message_id) == {"tom@example.com": ("expired", "expired")}
    (incident,) = await incidents(api)
    assert incident["Kind"] == "nothing-sent"


async def test_an_incident_that_does_not_exist_is_not_found(api):
    status, body = await api.error("CloseIncident", OURS, IncidentId="i-0", Note="x")
    assert (status, body["Code"]) == (404, "EntityNotExists.Incident")


# The fallback address itself.


async def test_a_fallback_address_counts_once_its_code_was_given_back(api):
    await api.call("SetFallbackAddress", OURS, EmailAddress=DUTY)
    waiting = await api.call("GetFallbackAddress", OURS)
    assert waiting == {"FallbackAddress": {"WaitingEmailAddress": DUTY}}
    await publish(api, await api.root_folder())
    await api.work()
    assert len(await incidents(api)) == 1

    confirmed = await set_fallback(api)

    assert confirmed["FallbackAddress"]["EmailAddress"] == DUTY
    assert "WaitingEmailAddress" not in confirmed["FallbackAddress"]


async def test_an_address_in_force_stays_so_until_the_next_one_is_confirmed(api):
    await set_fallback(api)
    await api.call("SetFallbackAddress", OURS, EmailAddress="night@example.com")

    found = (await api.call("GetFallbackAddress", OURS))["FallbackAddress"]
    assert (found["EmailAddress"], found["WaitingEmailAddress"]) == (DUTY, "night@example.com")

    await set_fallback(api, "night@example.com")
    found = (await api.call("GetFallbackAddress", OURS))["FallbackAddress"]
    assert found["EmailAddress"] == "night@example.com"


async def test_wrong_codes_are_counted_over_new_mails_and_then_no_code_helps(api):
    for _ in range(2):
        await api.call("SetFallbackAddress", OURS, EmailAddress=DUTY)
        for _ in range(5):
            status, body = await api.error("ConfirmFallbackAddress", OURS, Code="no")
            assert (status, body["Code"]) == (400, "InvalidParameter.Code")
    await api.call("SetFallbackAddress", OURS, EmailAddress=DUTY)
    await api.work()
    code = re.search(r"Code: ([0-9]{6})", (await api.inbox(DUTY))[-1]["Text"])[1]

    status, body = await api.error("ConfirmFallbackAddress", OURS, Code=code)

    assert (status, body["Code"]) == (400, "InvalidParameter.Code")


async def test_a_code_that_is_too_old_is_refused(api):
    await api.call("SetFallbackAddress", OURS, EmailAddress=DUTY)
    await api.work()
    code = re.search(r"Code: ([0-9]{6})", (await api.inbox(DUTY))[-1]["Text"])[1]
    api.clock.advance(86_400)

    status, _ = await api.error("ConfirmFallbackAddress", OURS, Code=code)

    assert status == 400


async def test_mails_with_codes_are_limited_like_verifications(api):
    for _ in range(10):
        await api.call("SetFallbackAddress", OURS, EmailAddress=DUTY)

    status, body = await api.error("SetFallbackAddress", OURS, EmailAddress=DUTY)

    assert (status, body["Code"]) == (409, "SendValidateCodeExceedsLimitForAccount")


@pytest.mark.parametrize("action", ["GetFallbackAddress", "DeleteFallbackAddress"])
async def test_without_a_fallback_address_there_is_none_to_show(api, action):
    status, body = await api.error(action, OURS)
    assert (status, body["Code"]) == (404, "EntityNotExists.FallbackAddress")


async def test_a_deleted_fallback_address_gets_nothing_even_if_it_was_on_its_way(api):
    await set_fallback(api)
    message_id = await publish(api, await api.root_folder())
    await api.work("internal")

    await api.call("DeleteFallbackAddress", OURS)
    await api.work()

    assert await states(api, message_id) == {DUTY: ("skipped", "address-gone")}
