"""GetContactStanding: confirmed, waiting, blocked, suspended, unwanted; and what may still be sent."""

from __future__ import annotations

import pytest

from message_contacts.contacts.model import MessageType
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.preference_rules import Choice
from message_contacts.delivery.standing import QuietHours
from message_contacts.verification.challenge import Visitor
from tests.api.publishing import deliveries, publish
from tests.api.recipients import preference_links
from tests.conftest import ENGINES

OURS = "2026-11-01"

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)


async def standing(api, contact_id):
    return await api.call("GetContactStanding", OURS, ContactId=contact_id)


async def send(api, contact_id, address="tom@example.com"):
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=address)


async def test_an_address_that_nobody_was_asked_about_waits_with_the_whole_quota(api):
    contact_id = await api.add_contact()

    found = await standing(api, contact_id)

    assert found["Addresses"] == [
        {
            "Channel": "email",
            "Address": "tom@example.com",
            "Standing": "Pending",
            "SentMessages": 0,
            "RemainingThisMinute": 10,
            "MinuteEndTime": found["Addresses"][0]["MinuteEndTime"],
        }
    ]
    assert [(each["Channel"], each["Limit"], each["Remaining"]) for each in found["Quotas"]] == [
        ("email", 100, 100),
        ("sms", 100, 100),
    ]
    assert found["Preferences"] == []


async def test_each_message_takes_from_the_minute_of_the_address_and_from_the_day_of_the_account(api):
    contact_id = await api.add_contact()
    await send(api, contact_id)
    await send(api, contact_id)

    found = await standing(api, contact_id)

    (address,) = found["Addresses"]
    assert (address["SentMessages"], address["RemainingThisMinute"]) == (2, 8)
    assert address["SendTime"] < address["ExpireTime"]
    assert [each["Remaining"] for each in found["Quotas"]] == [98, 100]

    api.clock.advance(60)
    assert (await standing(api, contact_id))["Addresses"][0]["RemainingThisMinute"] == 10


async def test_quotas_renew_when_the_answer_says(api):
    contact_id = await api.add_contact()
    await send(api, contact_id)
    quota = (await standing(api, contact_id))["Quotas"][0]
    assert quota["RenewTime"].endswith("T16:00:00.000Z"), "midnight, UTC+8"

    api.clock.advance(86_400)

    later = (await standing(api, contact_id))["Quotas"][0]
    assert later["Remaining"] == 100
    assert later["RenewTime"] > quota["RenewTime"]


async def test_a_confirmed_address_and_the_one_to_replace_it_are_told_apart(api):
    contact_id = await api.add_verified_contact()
    await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress="new@example.com")

    effective, pending = (await standing(api, contact_id))["Addresses"]

    assert (effective["Address"], effective["Standing"], effective["Captured"]) == (
        "tom@example.com",
        "Effective",
        True,
    )
    assert "SentMessages" not in effective
    assert (pending["Address"], pending["Standing"], pending["SentMessages"]) == ("new@example.com", "Pending", 0)


async def test_a_block_by_the_owner_is_told(api):
    contact_id = await api.add_contact()
    await send(api, contact_id)
    await api.work()
    await api.service.verification.refuse(await api.token_sent_to("tom@example.com"), Visitor("198.51.100.4", ""))

    (address,) = (await standing(api, contact_id))["Addresses"]

    assert address["BlockTime"].endswith("Z")


async def test_a_suspension_and_what_the_owner_wants_are_told(api):
    folder = await api.create_folder("online")
    await api.create_member("shop", folder)
    contact_id = await api.add_verified_contact(folder, MessageTypes=["SecurityMessage", "ProductMessage"])
    message = await publish(api, folder, MessageType="SecurityMessage", Subject="One")
    await api.work()
    link = (await preference_links(api, "tom@example.com"))["Tom"].rpartition("/")[2]
    chosen = Choice(
        wanted=frozenset(MessageType) - {MessageType.PRODUCT_MESSAGE},
        quiet=QuietHours(starts=22 * 60, ends=7 * 60 + 30, zone="Asia/Shanghai"),
        language="zh",
    )
    await api.service.recipients.preferences.choose(link, chosen, "198.51.100.4")
    (delivery,) = await deliveries(api, message)
    kept = await api.service.storage.messages.delivery(api.account_id, delivery["DeliveryId"])
    await api.service.recipients.bounces.answered(kept, Outcome(Verdict.NEVER, "mailbox-unknown", status="5.1.1"))

    found = await standing(api, contact_id)

    (address,) = found["Addresses"]
    assert address["SuspensionReason"] == "hard-bounce"
    assert len(address["SuspendedTypes"]) == 6
    (preference,) = found["Preferences"]
    assert preference["UnwantedTypes"] == ["ProductMessage"]
    assert preference["QuietHours"] == "22:00-07:30 Asia/Shanghai"
    assert (preference["Language"], preference["ForAddress"], preference["HoldUrgent"]) == ("zh", False, False)
    assert preference["Address"] == "tom@example.com"


async def test_a_contact_that_does_not_exist_is_refused(api):
    status, body = await api.error("GetContactStanding", OURS, ContactId="c-0000000000000009")

    assert (status, body["Code"]) == (404, "EntityNotExists.Contact")
