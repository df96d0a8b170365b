"""Tries at a delivery, one after the other: what is recorded, what follows, how it ends."""

from __future__ import annotations

import pytest

from message_contacts.contacts.model import CONTACT_CHANNELS
from message_contacts.delivery.outcome import Outcome, Verdict
from tests.api.publishing import OURS, deliveries, publish, states
from tests.conftest import ENGINES
from tests.delivery.messages import becomes, plant_contacts, sending_api, with_phone, working
from tests.fakes.waiting_clock import WaitingClock

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

TOM, ANN = "tom@example.com", "ann@example.com"
AGAIN = Outcome(Verdict.TRY_AGAIN, "mailbox-busy")
NEVER = Outcome(Verdict.NEVER, "mailbox-unknown")
PHONE = "86-13900001234"


@pytest.fixture
def clock():
    return WaitingClock()


async def has_state(api, message_id, address, state):
    return (await states(api, message_id)).get(address, ("",))[0] == state


async def test_a_try_that_fails_for_now_is_repeated_with_the_same_message_id(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM)
        mail.script[TOM] = [AGAIN, AGAIN]
        tried = []
        mail.before = lambda message: tried.append(message.message_id)
        async with working(api):
            message_id = await publish(api, root)
            await becomes(lambda: has_state(api, message_id, TOM, "deferred"))
            clock.advance(16)
            await becomes(lambda: _attempts(api, message_id, 2))
            clock.advance(31)
            await becomes(lambda: has_state(api, message_id, TOM, "sent"))

        (delivery,) = await deliveries(api, message_id)
        shown = (await api.call("GetDelivery", OURS, DeliveryId=delivery["DeliveryId"]))["Delivery"]
        timeline = [(each["Time"][17:19], each["State"], each["Reply"]) for each in shown["Timeline"]]
        assert timeline == [
            ("00", "pending", ""),
            ("00", "deferred", "mailbox-busy"),
            ("16", "deferred", "mailbox-busy"),
            ("47", "sent", "accepted"),
        ]
        assert (shown["Attempts"], shown["Reply"], shown["Reason"]) == (3, "accepted", "")
        assert shown["SentTime"] == "2026-11-21T08:00:47.000Z"
        assert set(tried) == {shown["JobId"]}


async def _attempts(api, message_id, number):
    found = await deliveries(api, message_id)
    return bool(found) and found[0]["Attempts"] == number


async def test_what_the_channel_refuses_for_good_is_a_failed_job_that_can_be_replayed(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM, ANN)
        mail.script[TOM] = [NEVER]
        async with working(api):
            message_id = await publish(api, root)
            await becomes(lambda: has_state(api, message_id, TOM, "failed"))
            await becomes(lambda: has_state(api, message_id, ANN, "sent"))
            (job,) = (await api.call("ListFailedJobs", OURS))["FailedJobs"]
            (delivery,) = await deliveries(api, message_id, State="failed")
            assert (job["DeliveryId"], job["Reason"]) == (delivery["DeliveryId"], "mailbox-unknown")
            assert (delivery["Reason"], delivery["Reply"]) == ("mailbox-unknown", "mailbox-unknown")

            await api.call("RetryFailedJob", OURS, JobId=job["JobId"])
            await becomes(lambda: has_state(api, message_id, TOM, "sent"))

        assert (await api.call("ListFailedJobs", OURS))["FailedJobs"] == []
        assert len(mail.accepted_by(TOM)) == len(mail.accepted_by(ANN)) == 1


async def test_tries_that_are_used_up_fail_the_delivery(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM)
        mail.script[TOM] = [AGAIN, AGAIN]
        async with working(api, tries=2):
            message_id = await publish(api, root)
            await becomes(lambda: has_state(api, message_id, TOM, "deferred"))
            clock.advance(16)
            await becomes(lambda: has_state(api, message_id, TOM, "failed"))


async def test_a_handler_with_a_bug_leaves_no_delivery_without_an_end(database_url, clock):
    def broken(_message):
        raise RuntimeError("a bug")

    async with sending_api(database_url, clock) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM)
        mail.before = broken
        async with working(api, tries=1):
            message_id = await publish(api, root)
            await becomes(lambda: has_state(api, message_id, TOM, "failed"))
        assert (await states(api, message_id))[TOM] == ("failed", "internal-error")


async def test_an_expired_delivery_ends_at_that_moment_and_not_at_its_next_try(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM)
        mail.script[TOM] = [AGAIN] * 9
        async with working(api):
            message_id = await publish(api, root, ExpiresAt="2026-11-21T08:00:20Z")
            await becomes(lambda: has_state(api, message_id, TOM, "deferred"))
            clock.advance(16)
            await becomes(lambda: _attempts(api, message_id, 2))
            clock.advance(4)
            await becomes(lambda: has_state(api, message_id, TOM, "expired"))
        assert mail.sent == []
        (delivery,) = await deliveries(api, message_id)
        assert (delivery["Reason"], delivery["Attempts"]) == ("expired", 2)


async def test_cancelling_ends_deliveries_that_wait_for_another_try(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM, ANN)
        mail.script[TOM] = [AGAIN]
        async with working(api):
            message_id = await publish(api, root)
            await becomes(lambda: has_state(api, message_id, TOM, "deferred"))
            await becomes(lambda: has_state(api, message_id, ANN, "sent"))
            await api.call("CancelMessage", OURS, MessageId=message_id)
            await becomes(lambda: has_state(api, message_id, TOM, "expired"))
            clock.advance(3600)
        assert (await states(api, message_id)) == {TOM: ("expired", "cancelled"), ANN: ("sent", "")}
        assert mail.accepted_by(TOM) == []


async def test_one_channel_that_hangs_does_not_hold_up_the_other(database_url, clock):
    async with sending_api(database_url, clock) as (api, _mail, sms):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM, **with_phone(PHONE))
        sms.script[PHONE] = [AGAIN] * 99
        async with working(api):
            message_id = await publish(api, root, Severity="Critical")
            await becomes(lambda: has_state(api, message_id, TOM, "sent"))
            await becomes(lambda: has_state(api, message_id, PHONE, "deferred"))


async def test_text_messages_are_for_critical_messages(database_url, clock):
    async with sending_api(database_url, clock) as (api, _mail, sms):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM, **with_phone(PHONE))
        normal = await publish(api, root)
        critical = await publish(api, root, Severity="Critical", Text="The disk is full. " * 60)
        await api.work()

        assert set(await states(api, normal)) == {TOM}
        assert set(await states(api, critical)) == {TOM, PHONE}
        (message,) = sms.sent
        assert message.text.startswith("platform-team: Disk full\nThe disk is full.")
        assert (message.text.endswith("..."), len(message.text) <= 4 * 153) == (True, True)
        assert (message.html, message.headers) == (None, ())


@pytest.mark.parametrize(("setting", "severity", "goes"), [("all", "Normal", True), ("none", "Critical", False)])
async def test_a_setting_says_which_messages_go_out_as_text_messages(database_url, clock, setting, severity, goes):
    async with sending_api(database_url, clock, {"sms_for": setting}) as (api, _, sms):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM, **with_phone(PHONE))
        await publish(api, root, Severity=severity)
        await api.work()
        assert bool(sms.sent) is goes


async def test_text_messages_go_to_allowed_countries_only(database_url, clock):
    settings = {"phone_country_codes": ("86", "49"), "sms_country_codes": ("49",)}
    async with sending_api(database_url, clock, settings) as (api, _, sms):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM, **with_phone(PHONE))
        await plant_contacts(api, root, ANN, first=2, **with_phone("49-15112345678"))
        message_id = await publish(api, root, Severity="Critical")
        await api.work()
        found = await states(api, message_id)
        assert found[PHONE] == ("skipped", "country-not-allowed")
        assert found["49-15112345678"] == ("sent", "")
        assert len(sms.sent) == 1


async def test_a_tenant_has_so_many_text_messages_a_day(database_url, clock):
    async with sending_api(database_url, clock, {"sms_per_day": 1}) as (api, mail, _sms):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM, **with_phone(PHONE))
        first, second = [await publish(api, root, Severity="Critical") for _ in range(2)]
        await api.work()
        ends = {(await states(api, each))[PHONE] for each in (first, second)}
        assert ends == {("sent", ""), ("skipped", "daily-limit")}
        clock.advance(86_400)
        third = await publish(api, root, Severity="Critical")
        await api.work()
        assert (await states(api, third))[PHONE] == ("sent", "")
        assert len(mail.sent) == 3


async def test_what_was_published_while_mail_was_captured_is_never_sent_later(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM)
        await publish(api, root)
        await api.work("internal")
        outbox = api.service.storage.outbox
        (job,) = await outbox.claim("email-messages", "w", now=clock.now(), until=clock.now() + 1, limit=9)
        captured = type(job)(**{**_fields(job), "payload": {**job.payload, "captured": 1}})
        outcome = await api.service.handlers[job.kind](captured)
        assert (outcome.becomes, outcome.reason) == ("skipped", "captured-before")
        assert mail.sent == []


def _fields(job):
    return {name: getattr(job, name) for name in type(job).__slots__}


async def test_a_test_message_answers_with_the_channels_own_reply(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM)
        mail.script[TOM] = [NEVER]
        asked = {"ContactId": "c-0000000000000001", "Channel": "email"}

        refused = await api.call("SendTestMessage", OURS, **asked)
        accepted = await api.call("SendTestMessage", OURS, **asked)

        assert refused == {"Verdict": "never", "Reply": "mailbox-unknown"}
        assert accepted == {"Verdict": "accepted", "Reply": "accepted"}
        (message,) = mail.sent
        assert "tests whether its notices reach you" in message.text


async def test_a_test_message_goes_to_confirmed_addresses_only(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _):
        contact = await api.add_contact()
        for channel in CONTACT_CHANNELS:
            status, body = await api.error("SendTestMessage", OURS, ContactId=contact, Channel=channel.value)
            assert (status, body["Code"]) == (409, "ContactAddressNotVerified")
        status, body = await api.error("SendTestMessage", OURS, ContactId="c-0", Channel="email")
        assert (status, body["Code"]) == (404, "EntityNotExists.Contact")
        assert mail.sent == []


async def test_a_test_message_that_takes_too_long_says_so(database_url, clock, monkeypatch):
    import message_contacts.operations.deliveries as module  # noqa: PLC0415 - patched

    monkeypatch.setattr(module, "_TEST_SECONDS", 0.0)
    async with sending_api(database_url, clock) as (api, mail, _):
        mail.hangs = True
        await plant_contacts(api, await api.root_folder(), TOM)
        found = await api.call("SendTestMessage", OURS, ContactId="c-0000000000000001", Channel="email")
        assert found == {"Verdict": "try-again", "Reply": "timed-out"}
