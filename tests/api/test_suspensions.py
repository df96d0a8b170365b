"""What follows from mail that comes back: deliveries, suspensions, lists, and how it is undone."""

from __future__ import annotations

import pytest

from message_contacts.clock import MINUTE, Instant
from message_contacts.delivery.bounces import Taken
from message_contacts.delivery.outcome import Verdict
from tests.api.publishing import OURS, deliveries, notices, publish, states
from tests.api.recipients import complaint, report, suspensions
from tests.harness import open_api

TYPES = ["FaultMessage", "SecurityMessage"]
DOMAIN = {"bounce_domain": "bounces.example.com"}


@pytest.fixture
async def api(database_path):
    """A service whose mail comes back to a domain of its own."""
    async with open_api(database_path, DOMAIN) as opened:
        yield opened


async def sent(api, address="tom@example.com", **parameters):
    """Publish to a contact that is bound to Root; the delivery."""
    message_id = await publish(api, await api.root_folder(), **parameters)
    await api.work()
    return next(each for each in await deliveries(api, message_id) if each["Address"] == address)


async def give_back(api, delivery, content=None, **fields):
    """Hand in a report about a delivery, as the mail server of its address sends it."""
    bounces = api.service.recipients.bounces
    path = bounces.return_paths.address(api.account_id, delivery["DeliveryId"])
    return await bounces.take(content or report(delivery["Address"], **fields), [path])


async def delivery_now(api, delivery):
    return (await api.call("GetDelivery", OURS, DeliveryId=delivery["DeliveryId"]))["Delivery"]


async def test_a_mailbox_that_is_not_there_suspends_the_address_at_once_with_the_evidence(api):
    await api.add_verified_contact(await api.root_folder(), EmailAddress="Tom@example.com", MessageTypes=TYPES)
    delivery = await sent(api, "Tom@example.com")

    assert await give_back(api, delivery) is Taken.SUSPENDED

    after = await delivery_now(api, delivery)
    assert (after["State"], after["Reason"]) == ("failed", "mailbox-unknown")
    (suspension,) = await suspensions(api)
    assert suspension["Address"] == "Tom@example.com"
    assert suspension["Reason"] == "hard-bounce"
    assert len(suspension["MessageTypes"]) == 6
    (sign,) = suspension["Evidence"]
    assert sign == {
        "Time": "2026-11-21T08:00:00.000Z",
        "Source": "report",
        "DeliveryId": delivery["DeliveryId"],
        "Weight": "hard",
        "Word": "mailbox-unknown",
        "Status": "5.1.1",
        "Told": "550 5.1.1 <tom@example.com>: User unknown",
    }


async def test_nothing_more_is_sent_there_and_everything_says_so(api):
    root = await api.root_folder()
    member = await api.create_member("shop")
    contact_id = await api.add_verified_contact(root, MessageTypes=TYPES)
    await give_back(api, await sent(api))
    before = await api.contact(contact_id)

    later = await sent(api, Subject="Later")

    assert (later["State"], later["Reason"]) == ("skipped", "suppressed")
    assert [each["Subject"] for each in await notices(api)] == ["Disk full"]
    (effective,) = (await api.call("ListEffectiveContacts", OURS, Member=member))["EffectiveContacts"]
    assert effective["Addresses"] == [{"Channel": "email", "Address": "tom@example.com", "Outcome": "suppressed"}]
    summary = (await api.call("GetCoverage", OURS))["Summary"]
    assert summary["MembersWithout"] == 1
    (explanation,) = [
        each
        for each in (
            await api.call("ExplainDelivery", OURS, MessageType="FaultMessage", Target=root, Address="tom@example.com")
        )["Explanations"]
        if each["Channel"] == "email"
    ]
    assert explanation["Outcome"] == "suppressed"
    assert {"Rule": "not-suppressed", "Outcome": "suppressed"} in explanation["Rules"]
    assert await api.contact(contact_id) == before, "the vendor's operations know nothing of it"


async def test_what_waits_already_is_not_sent_after_a_suspension(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, MessageTypes=TYPES)
    first = await sent(api)
    message_id = await publish(api, root, Subject="Later")
    await api.work("internal")
    await give_back(api, first)

    await api.work()

    assert await states(api, message_id) == {"tom@example.com": ("skipped", "suppressed")}


async def test_a_suspension_is_undone_and_begins_to_count_anew(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    await give_back(api, await sent(api))

    await api.call("DeleteSuspension", OURS, Address="TOM@example.com")

    assert await suspensions(api) == []
    assert (await sent(api, Subject="Later"))["State"] == "sent"


async def test_to_undo_what_is_not_suspended_is_refused(api):
    status, body = await api.error("DeleteSuspension", OURS, Address="tom@example.com")
    assert (status, body["Code"]) == (404, "EntityNotExists.Suspension")
    status, body = await api.error("DeleteSuspension", OURS)
    assert (status, body["Code"]) == (400, "MissingParameter.Address")


async def test_bounces_below_the_limit_are_only_counted_and_cannot_be_undone(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)

    assert await give_back(api, delivery, status="5.2.2", told="smtp; 552 5.2.2 Over quota") is Taken.RECORDED

    assert (await delivery_now(api, delivery))["Reason"] == "mailbox-full"
    assert await suspensions(api) == []
    status, body = await api.error("DeleteSuspension", OURS, Address="tom@example.com")
    assert (status, body["Code"]) == (404, "EntityNotExists.Suspension")
    assert (await sent(api, Subject="Later"))["State"] == "sent"


async def test_so_many_messages_in_a_row_that_come_back_suspend(database_path):
    async with open_api(database_path, {**DOMAIN, "soft_bounces_until_suspended": 3}) as api:
        await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
        results = [
            await give_back(api, await sent(api, Subject=f"Number {number}"), status="4.4.7") for number in range(3)
        ]

        assert results == [Taken.RECORDED, Taken.RECORDED, Taken.SUSPENDED]
        (suspension,) = await suspensions(api)
        assert (suspension["Reason"], suspension["SoftBounces"]) == ("soft-bounces", 3)
        assert len(suspension["Evidence"]) == 3


async def test_the_same_report_twice_counts_once(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)

    assert await give_back(api, delivery, status="4.4.7") is Taken.RECORDED
    assert await give_back(api, delivery, status="4.4.7") is Taken.NOTHING_NEW

    tries = (await delivery_now(api, delivery))["Timeline"]
    assert [each["State"] for each in tries] == ["pending", "sent", "failed"]


async def failed_jobs(api):
    return (await api.call("ListFailedJobs", OURS))["FailedJobs"]


async def test_what_came_back_lies_with_the_failed_jobs_and_is_sent_again_after_the_suspension_is_undone(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)
    assert await failed_jobs(api) == []
    await give_back(api, delivery)

    (job,) = await failed_jobs(api)
    assert job["DeliveryId"] == delivery["DeliveryId"]
    assert job["JobId"] == (await delivery_now(api, delivery))["JobId"]
    assert (job["Kind"], job["Channel"], job["Attempts"]) == ("deliver", "email", 1)
    assert job["Reason"] == "mailbox-unknown"
    await api.work()
    assert len(await notices(api)) == 1, "it does not wait"

    await api.call("DeleteSuspension", OURS, Address="tom@example.com")
    await api.call("RetryFailedJob", OURS, JobId=job["JobId"])
    await api.work()

    assert (await delivery_now(api, delivery))["State"] == "sent"
    assert await failed_jobs(api) == []
    assert await give_back(api, delivery) is Taken.SUSPENDED, "it was sent anew, and came back anew"
    assert len(await failed_jobs(api)) == 1


async def test_a_failed_job_whose_address_is_still_suspended_is_skipped(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)
    await give_back(api, delivery)

    (job,) = await failed_jobs(api)
    await api.call("RetryFailedJob", OURS, JobId=job["JobId"])
    await api.work()

    after = await delivery_now(api, delivery)
    assert (after["State"], after["Reason"]) == ("skipped", "suppressed")
    assert await failed_jobs(api) == []


@pytest.mark.parametrize("status", ["5.1.1", "4.4.7"])
async def test_the_same_report_counts_nothing_after_the_suspension_was_undone(database_path, status):
    async with open_api(database_path, {**DOMAIN, "soft_bounces_until_suspended": 1}) as api:
        await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
        delivery = await sent(api)
        assert await give_back(api, delivery, status=status) is Taken.SUSPENDED
        await api.call("DeleteSuspension", OURS, Address="tom@example.com")

        assert await give_back(api, delivery, status=status) is Taken.NOTHING_NEW

        assert await suspensions(api) == []
        assert len((await delivery_now(api, delivery))["Timeline"]) == 3
        later = await sent(api, Subject="Later")
        assert later["State"] == "sent"
        assert await give_back(api, later, status=status) is Taken.SUSPENDED, "of another delivery it counts"


async def test_a_report_that_nobody_signed_changes_nothing(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)
    bounces = api.service.recipients.bounces
    path = bounces.return_paths.address(api.account_id, delivery["DeliveryId"])
    forged = path[:7] + ("b" if path[7] == "a" else "a") + path[8:]

    for recipients in ([forged], ["bounce@bounces.example.com"], ["bounce+@bounces.example.com"], []):
        assert await bounces.take(report("tom@example.com"), recipients) is Taken.NOT_OURS

    assert (await delivery_now(api, delivery))["State"] == "sent"
    assert await suspensions(api) == []


async def test_a_return_path_of_another_server_is_not_ours(api, tmp_path, database_path):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)
    other = tmp_path / "other.db"
    other.write_bytes(database_path.read_bytes())
    async with open_api(
        other, {**DOMAIN, "encryption_key": b"x" * 32, "root_access_key_secret": None, "root_access_key_id": None}
    ) as stranger:
        path = stranger.service.recipients.bounces.return_paths.address(api.account_id, delivery["DeliveryId"])

    assert await api.service.recipients.bounces.take(report("tom@example.com"), [path]) is Taken.NOT_OURS


async def test_an_answer_from_somebody_on_holiday_is_no_report(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)
    holiday = (
        b"From: tom@example.com\r\nSubject: Away\r\nAuto-Submitted: auto-replied\r\n\r\nUntil Monday: 550 5.1.1\r\n"
    )

    assert await give_back(api, delivery, holiday) is Taken.NOT_A_REPORT
    assert (await delivery_now(api, delivery))["State"] == "sent"


async def test_a_report_that_comes_before_the_mail_is_recorded_has_to_come_again(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, MessageTypes=TYPES)
    message_id = await publish(api, root)
    await api.work("internal")
    (delivery,) = await deliveries(api, message_id)

    assert await give_back(api, delivery) is Taken.TOO_EARLY
    await api.work()
    assert await give_back(api, delivery) is Taken.SUSPENDED


async def test_a_mail_that_arrived_is_delivered(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)

    assert await give_back(api, delivery, action="delayed", status="4.4.1") is Taken.NOTHING_NEW
    assert await give_back(api, delivery, action="delivered", status="2.1.5") is Taken.RECORDED

    assert (await delivery_now(api, delivery))["State"] == "delivered"


async def test_a_message_that_came_back_from_everybody_is_an_incident(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)
    api.clock.advance(120)
    await api.work()
    assert (await api.call("ListIncidents", OURS))["Incidents"] == []

    await give_back(api, delivery)
    await api.work()

    (incident,) = (await api.call("ListIncidents", OURS))["Incidents"]
    assert (incident["Kind"], incident["MessageId"]) == ("nothing-sent", delivery["MessageId"])


async def test_after_a_complaint_only_security_messages_are_sent(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)
    bounces = api.service.recipients.bounces
    path = bounces.return_paths.address(api.account_id, delivery["DeliveryId"])

    assert await bounces.take(complaint(path), ["complaints@bounces.example.com"]) is Taken.SUSPENDED

    (suspension,) = await suspensions(api)
    assert suspension["Reason"] == "complaint"
    assert "SecurityMessage" not in suspension["MessageTypes"]
    assert (await delivery_now(api, delivery))["State"] == "sent", "it did arrive"
    assert (await sent(api, Subject="Later"))["Reason"] == "suppressed"
    assert (await sent(api, Subject="Attack", MessageType="SecurityMessage"))["State"] == "sent"


async def test_somebody_who_says_it_is_no_spam_does_not_complain(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)
    path = api.service.recipients.bounces.return_paths.address(api.account_id, delivery["DeliveryId"])

    assert await give_back(api, delivery, complaint(path, kind="not-spam")) is Taken.NOTHING_NEW
    assert await suspensions(api) == []


async def test_suspensions_come_in_pages_and_belong_to_their_tenant(api):
    root = await api.root_folder()
    for name in ("Ann", "Bob", "Cid"):
        await api.add_verified_contact(root, Name=name, EmailAddress=f"{name.lower()}@example.com", MessageTypes=TYPES)
    message_id = await publish(api, root)
    await api.work()
    for delivery in await deliveries(api, message_id):
        await give_back(api, delivery)
    other = await api.other_tenant()

    first = await api.call("ListSuspensions", OURS, MaxResults=2)
    second = await api.call("ListSuspensions", OURS, MaxResults=2, NextToken=first["NextToken"])

    assert [each["Address"] for each in first["Suspensions"]] == ["ann@example.com", "bob@example.com"]
    assert [each["Address"] for each in second["Suspensions"]] == ["cid@example.com"]
    assert "NextToken" not in second
    assert await suspensions(other) == []
    for token in ("!", "YQ", "eDp5"):
        status, body = await api.error("ListSuspensions", OURS, NextToken=token)
        assert (status, body["Code"]) == (400, "InvalidParameter.NextToken"), token


async def test_magic_addresses_bounce_fill_up_and_complain_on_purpose(api):
    root = await api.root_folder()
    for name, address in (
        ("Ann", "bounce+a@example.com"),
        ("Bob", "full+b@example.com"),
        ("Cid", "complain+c@example.com"),
    ):
        await api.add_verified_contact(root, Name=name, EmailAddress=address, MessageTypes=TYPES)

    message_id = await publish(api, root)
    verdicts = await _work_once(api)

    assert verdicts.count(Verdict.NEVER) == 2
    assert await states(api, message_id) == {
        "bounce+a@example.com": ("failed", "mailbox-unknown"),
        "full+b@example.com": ("failed", "mailbox-full"),
        "complain+c@example.com": ("sent", ""),
    }
    assert {each["Address"]: each["Reason"] for each in await suspensions(api)} == {
        "bounce+a@example.com": "hard-bounce",
        "complain+c@example.com": "complaint",
    }
    assert [each["Recipient"] for each in await notices(api)] == ["complain+c@example.com"]


async def test_a_magic_address_defers_and_then_takes_it(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, EmailAddress="defer+1@example.com", MessageTypes=TYPES)

    message_id = await publish(api, root)
    await _work_once(api)
    assert await states(api, message_id) == {"defer+1@example.com": ("deferred", "")}
    api.clock.advance(60)
    await _work_once(api)

    assert await states(api, message_id) == {"defer+1@example.com": ("sent", "")}


async def _work_once(api):
    """Do what is due, as a worker does, failures included; what came of it."""
    await api.work("internal")
    service, outbox = api.service, api.service.storage.outbox
    verdicts = []
    until = Instant(api.clock.now() + MINUTE)
    lane = service.worker._lanes["email-messages"]
    for job in await outbox.claim("email-messages", "test", now=api.clock.now(), until=until, limit=100):
        outcome = await service.handlers[job.kind](job)
        verdicts.append(outcome.verdict)
        await outbox.settle("test", [lane._settlement(job, outcome, duration_ms=0.0)])
    await api.work("internal")
    return verdicts


async def test_a_person_who_confirms_a_suspended_address_gets_messages_there_again(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    await give_back(api, await sent(api))
    assert len(await suspensions(api)) == 1
    # Another contact with the same address: whoever reads its mail confirms it.
    await api.add_verified_contact(await api.root_folder(), Name="Ann", EmailAddress="Tom@example.com")

    assert await suspensions(api) == []
    assert (await sent(api))["State"] == "sent"


async def test_who_confirms_an_address_after_a_complaint_is_still_left_in_peace(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    delivery = await sent(api)
    path = api.service.recipients.bounces.return_paths.address(api.account_id, delivery["DeliveryId"])
    await give_back(api, delivery, complaint(path))
    await api.add_verified_contact(await api.root_folder(), Name="Ann", EmailAddress="Tom@example.com")

    (suspension,) = await suspensions(api)
    assert suspension["Reason"] == "complaint"


async def test_the_fallback_address_is_suspended_no_more_once_it_is_confirmed_again(api):
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)
    await give_back(api, await sent(api))
    await api.call("SetFallbackAddress", OURS, EmailAddress="tom@example.com")
    await api.work()
    await api.call("ConfirmFallbackAddress", OURS, Code=await api.code_sent_to("tom@example.com"))

    assert await suspensions(api) == []
