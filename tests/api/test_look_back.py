"""After a message has come to rest: whoever got it for nobody, the fallback address, or an incident that names them."""

from __future__ import annotations

import re

import pytest
from structlog.testing import capture_logs

from message_contacts.clock import Instant
from message_contacts.delivery import missed
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.delivery.tally import Happening
from tests.api.publishing import OURS, come_to_rest, deliveries, publish, states, work_as_workers_do
from tests.api.recipients import report
from tests.api.test_webhooks import confirm, create
from tests.conftest import ENGINES
from tests.harness import open_api

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

FAULT = ["FaultMessage"]
DUTY = "duty@example.com"
GONE = "bounce+bob@example.com"
PHONE = "86-13900001234"


async def two_members(api):
    """A folder with two members; for the first there is somebody who can be reached."""
    folder = await api.create_folder("sales")
    first, second = await api.create_member("shop", folder), await api.create_member("mill", folder)
    await api.add_verified_contact(first, Name="Ann", EmailAddress="ann@example.com", MessageTypes=FAULT)
    return folder, first, second


async def person(api, node, name, address, **fields):
    return await api.add_verified_contact(node, Name=name, EmailAddress=address, MessageTypes=FAULT, **fields)


async def set_fallback(api, address=DUTY):
    await api.call("SetFallbackAddress", OURS, EmailAddress=address)
    await work_as_workers_do(api)
    code = re.search(r"Code: ([0-9]{6})", (await api.inbox(address))[-1]["Text"])[1]
    await api.call("ConfirmFallbackAddress", OURS, Code=code)


async def comes_back(api, message_id, address):
    """A mail that was sent turns out to be for a mailbox that is not there."""
    (delivery,) = [each for each in await deliveries(api, message_id) if each["Address"] == address]
    bounces = api.service.recipients.bounces
    await bounces.take(report(address), [bounces.return_paths.address(api.account_id, delivery["DeliveryId"])])


async def incidents(api):
    """Kind, members and message of each, oldest first."""
    found = (await api.call("ListIncidents", OURS))["Incidents"]
    return [(each["Kind"], each["MemberCount"], sorted(each["Members"]), each["MessageId"]) for each in found]


async def test_a_member_whose_only_contact_is_refused_is_told_of_though_others_got_it(api):
    folder, _, second = await two_members(api)
    await person(api, second, "Bob", GONE)

    with capture_logs() as logs:
        message_id = await publish(api, folder)
        await come_to_rest(api)

    assert await states(api, message_id) == {
        "ann@example.com": ("sent", ""),
        GONE: ("failed", "mailbox-unknown"),
    }
    assert await incidents(api) == [("members-missed", 1, [second], message_id)]
    (line,) = [line for line in logs if line["event"] == Happening.INCIDENT_OPENED]
    assert (line["log_level"], line["kind"], line["members"]) == ("error", "members-missed", 1)
    assert api.service.tally.counts()[Happening.INCIDENT_OPENED] == 1


async def test_what_was_refused_goes_to_the_fallback_address_once(api):
    folder, _, second = await two_members(api)
    await person(api, second, "Bob", GONE)
    await set_fallback(api)

    message_id = await publish(api, folder)
    await come_to_rest(api)

    (last,) = [each for each in await deliveries(api, message_id) if each["Address"] == DUTY]
    assert (last["State"], last["Route"]) == ("sent", "fallback")
    assert await incidents(api) == []
    assert api.service.tally.counts()[Happening.FALLBACK_USED] == 1


async def test_a_fallback_address_that_fails_or_is_suspended_leaves_an_incident(api):
    folder, _, second = await two_members(api)
    await set_fallback(api, "bounce+fb@example.com")

    failed = await publish(api, folder)
    await come_to_rest(api)
    suspended = await publish(api, folder)
    await come_to_rest(api)

    assert (await states(api, failed))["bounce+fb@example.com"] == ("failed", "mailbox-unknown")
    assert await states(api, suspended) == {"ann@example.com": ("sent", "")}
    assert await incidents(api) == [
        ("members-missed", 1, [second], failed),
        ("nobody-reachable", 1, [second], suspended),
    ]


async def test_a_fallback_address_that_is_suspended_meanwhile_leaves_an_incident(api):
    folder, _, second = await two_members(api)
    await set_fallback(api, "bounce+fb@example.com")

    first, later = await publish(api, folder), await publish(api, folder)
    await come_to_rest(api)

    ends = {(await states(api, each))["bounce+fb@example.com"][0] for each in (first, later)}
    assert ends == {"failed", "skipped"}
    assert [each[:3] for each in await incidents(api)] == [("members-missed", 1, [second])] * 2


async def test_after_the_text_messages_of_the_day_somebody_is_told_of_the_member(database_url):
    async with open_api(database_url, {"sms_per_day": 1}) as api:
        folder, _, second = await two_members(api)
        contact = await api.add_contact(Name="Bob", MessageTypes=FAULT, PhoneNumber=PHONE)
        await api.call("SendPhoneVerificationForMessageContact", ContactId=contact, PhoneNumber=PHONE)
        await api.work()
        await api.confirm(PHONE)
        await api.call("AssociateMembers", ContactId=contact, Members=[second])

        await publish(api, folder, Severity="Critical")
        beyond = await publish(api, folder, Severity="Critical")
        await come_to_rest(api)

        assert (await states(api, beyond))[PHONE] == ("skipped", "daily-limit")
        assert await incidents(api) == [("members-missed", 1, [second], beyond)]


async def test_a_webhook_is_nobody_who_got_it(api):
    member = await api.create_member("shop")
    await person(api, member, "Bob", GONE)
    directory = (await api.call("GetResourceDirectory"))["ResourceDirectory"]["ResourceDirectoryId"]
    webhook = await create(api, directory)
    await confirm(api, webhook["WebhookId"])

    message_id = await publish(api, member)
    await come_to_rest(api)

    assert await states(api, message_id) == {GONE: ("failed", "mailbox-unknown"), webhook["WebhookId"]: ("sent", "")}
    assert await incidents(api) == [("members-missed", 1, [member], message_id)]


async def test_who_is_reached_by_somebody_else_is_no_incident(api):
    """By another contact of its own, of its folder, of the directory, or a copy that it keeps."""
    folder, first, second = await two_members(api)
    third = await api.create_member("third", folder)
    directory = (await api.call("GetResourceDirectory"))["ResourceDirectory"]["ResourceDirectoryId"]
    for number, node in enumerate((first, folder, directory)):
        await person(api, node, f"Bob{'abc'[number]}", f"bounce+{number}@example.com")
    await person(api, second, "Eve", "eve@example.com")
    api.clock.advance(1)
    kept = await person(api, third, "Kai", "kai@example.com")
    await api.call("DeleteMessageContact", ContactId=kept)
    await api.work()

    message_id = await publish(api, folder)
    await come_to_rest(api)

    found = await states(api, message_id)
    assert sorted(state for state, _ in found.values()) == ["failed"] * 3 + ["sent"] * 3
    assert await incidents(api) == []


async def test_somebody_who_has_gone_since_has_got_it_all_the_same(api):
    folder, _, second = await two_members(api)
    await person(api, second, "Bob", GONE)
    eve = await person(api, second, "Eve", "eve@example.com")
    await publish(api, folder)
    await work_as_workers_do(api)

    await api.call("DeleteMessageContact", ContactId=eve, RetainContactInMembers="false")
    await come_to_rest(api)

    assert await incidents(api) == []


async def test_a_contact_that_went_before_it_was_sent_leaves_its_member_without(api):
    folder, _, second = await two_members(api)
    bob = await person(api, second, "Bob", "bob@example.com")
    message_id = await publish(api, folder)
    await api.work("internal")

    await api.call("DeleteMessageContact", ContactId=bob, RetainContactInMembers="false")
    await come_to_rest(api)

    assert (await states(api, message_id))["bob@example.com"][0] == "skipped"
    assert await incidents(api) == [("members-missed", 1, [second], message_id)]


async def test_of_a_folders_contact_all_members_without_anybody_else_are_named(api):
    folder, _, second = await two_members(api)
    inner = await api.create_folder("inner", folder)
    third = await api.create_member("third", inner)
    elsewhere = await api.create_member("elsewhere")
    await person(api, elsewhere, "Eve", "eve@example.com")
    await person(api, folder, "Bob", GONE)

    message_id = await publish(api, await api.root_folder())
    await come_to_rest(api)

    assert await incidents(api) == [("members-missed", 2, sorted([second, third]), message_id)]


async def test_a_message_to_a_member_by_name_is_looked_back_at_for_that_member(api):
    folder, first, second = await two_members(api)
    await person(api, folder, "Bob", GONE)

    message_id = await publish(api, first, second)
    await come_to_rest(api)

    assert await incidents(api) == [("members-missed", 1, [second], message_id)]


@pytest.mark.parametrize("few", [missed.FEW_OBJECTS, 0], ids=["few lost", "many lost"])
async def test_the_look_back_goes_on_in_bounded_steps(api, monkeypatch, few):
    """Whatever number of members there is, and of deliveries that were lost; each step can be done twice."""
    monkeypatch.setattr(missed, "FEW_OBJECTS", few)
    monkeypatch.setattr(missed, "LOOKED_AT_ONCE", 2)
    monkeypatch.setattr(missed, "AT_ONCE", 1)
    folder, _, second = await two_members(api)
    others = [await api.create_member(f"m{number}", folder) for number in range(5)]
    for number, member in enumerate([second, *others]):
        await person(api, member, f"Bob{'abcdef'[number]}", f"bounce+{number}@example.com")
    await person(api, folder, "Zoe", "bounce+zoe@example.com")
    message_id = await publish(api, folder)
    await work_as_workers_do(api)
    api.clock.advance(61)

    ((job,), reasons) = await claimed(api), []
    await api.service.handlers[job.kind](job)  # by a worker that dies before that is recorded
    for _ in range(100):
        api.clock.advance(61)
        for job in await claimed(api):
            outcome = await api.service.handlers[job.kind](job)
            reasons.append(outcome.reason)
            await api.service.storage.outbox.settle("x", [Settlement(job, Fate.DONE, api.clock.now(), outcome.reason)])

    assert "goes-on" in reasons
    assert reasons.count("members-missed") == 1
    assert await incidents(api) == [("members-missed", 6, sorted([second, *others]), message_id)]


async def claimed(api):
    now = api.clock.now()
    return list(await api.service.storage.outbox.claim("internal", "x", now=now, until=Instant(now + 1), limit=10))


async def test_when_all_comes_back_in_the_end_nothing_was_sent(database_url):
    async with open_api(database_url, {"bounce_domain": "bounces.example.com"}) as api:
        folder, first, second = await two_members(api)
        await person(api, second, "Bob", GONE)
        message_id = await publish(api, folder)
        await come_to_rest(api)

        await comes_back(api, message_id, "ann@example.com")
        await come_to_rest(api)

        assert await incidents(api) == [
            ("members-missed", 1, [second], message_id),
            ("nothing-sent", 1, [first], message_id),
        ]


async def test_a_second_member_that_is_missed_later_opens_the_incident_again(database_url):
    async with open_api(database_url, {"bounce_domain": "bounces.example.com"}) as api:
        folder, first, second = await two_members(api)
        third = await api.create_member("third", folder)
        await person(api, third, "Eve", "eve@example.com")
        await person(api, second, "Bob", GONE)
        message_id = await publish(api, folder)
        await come_to_rest(api)
        (incident,) = (await api.call("ListIncidents", OURS))["Incidents"]
        await api.call("CloseIncident", OURS, IncidentId=incident["IncidentId"], Note="Told by phone.")

        await comes_back(api, message_id, "ann@example.com")
        await come_to_rest(api)

        assert await incidents(api) == [("members-missed", 2, sorted([first, second]), message_id)]
        (incident,) = (await api.call("ListIncidents", OURS))["Incidents"]
        assert incident["State"] == "Open"


async def test_too_late_for_the_fallback_address_is_an_incident(api):
    folder, _, second = await two_members(api)
    await person(api, second, "Bob", GONE)
    await set_fallback(api)

    message_id = await publish(api, folder, ExpiresAt="2026-11-21T08:00:30Z")
    await come_to_rest(api)

    assert DUTY not in await states(api, message_id)
    assert await incidents(api) == [("members-missed", 1, [second], message_id)]


async def test_a_fallback_address_that_has_it_as_a_contact_does_not_know_of_the_member(api):
    """It got the message for somebody else, and nothing in that says that nobody got it for this member."""
    folder, _, second = await two_members(api)
    await person(api, second, "Bob", GONE)
    await set_fallback(api, "ann@example.com")

    message_id = await publish(api, folder)
    await come_to_rest(api)

    assert await incidents(api) == [("members-missed", 1, [second], message_id)]


async def test_answers_that_are_temporary_are_waited_for(api):
    folder, _, second = await two_members(api)
    await person(api, second, "Bob", "defer+1@example.com")

    message_id = await publish(api, folder)
    await come_to_rest(api)

    assert (await states(api, message_id))["defer+1@example.com"] == ("sent", "")
    assert await incidents(api) == []
