"""ExplainDelivery about what was decided: it agrees with the deliveries as they are, and says what differs now."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.publishing import OURS, come_to_rest, deliveries, publish
from tests.conftest import ENGINES
from tests.harness import Api, open_api

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

FAULT = ["FaultMessage"]
DUTY = "duty@example.com"
PHONE = "86-13900001234"


async def explained(api: Api, **parameters: Any) -> list[dict[str, Any]]:
    answer = await api.call("ExplainDelivery", OURS, **parameters)
    found: list[dict[str, Any]] = answer["Explanations"]
    return found


def rules(entry: dict[str, Any]) -> dict[str, str]:
    """What was said beyond the rules that are asked now, and which of those stand against it."""
    beyond = {"was-found", "route", "still-wanted", "within-daily-limit", "taken-over"}
    return {
        rule["Rule"]: rule["Outcome"]
        for rule in entry["Rules"]
        if rule["Outcome"] != "passed" or rule["Rule"] in beyond
    }


async def set_fallback(api: Api) -> None:
    await api.call("SetFallbackAddress", OURS, EmailAddress=DUTY)
    await api.work()
    code = re.search(r"Code: ([0-9]{6})", (await api.inbox(DUTY))[-1]["Text"])
    assert code is not None
    await api.call("ConfirmFallbackAddress", OURS, Code=code[1])


async def test_who_got_it_passed_everything(api: Api) -> None:
    member = await api.create_member("shop")
    ann = await api.add_verified_contact(member, Name="Ann", EmailAddress="ann@example.com", MessageTypes=FAULT)
    message_id = await publish(api, member)
    await api.work()

    entry, phone = await explained(api, MessageId=message_id, ContactId=ann)

    (delivery,) = await deliveries(api, message_id)
    assert entry["Outcome"] == "passed"
    assert "OutcomeNow" not in entry
    assert entry["Delivery"] == {
        "DeliveryId": delivery["DeliveryId"],
        "State": "sent",
        "Route": "subscribed",
        "Reason": "",
    }
    assert [rule["Rule"] for rule in entry["Rules"]][-5:] == [
        "not-cancelled",
        "not-expired",
        "not-captured-before",
        "still-wanted",
        "taken-over",
    ]
    assert {rule["Outcome"] for rule in entry["Rules"]} == {"passed"}
    assert (phone["Outcome"], "Delivery" in phone) == ("no-address", False)


async def test_who_got_it_since_nobody_has_the_type_did_get_it(api: Api) -> None:
    member = await api.create_member("shop")
    ann = await api.add_verified_contact(member, Name="Ann", EmailAddress="ann@example.com")

    (foreseen, _) = await explained(api, MessageType="FaultMessage", Target=member, ContactId=ann)
    message_id = await publish(api, member)
    await api.work()
    (entry, _) = await explained(api, MessageId=message_id, ContactId=ann)

    assert (foreseen["Outcome"], foreseen["OutcomeNow"]) == ("passed", "not-subscribed")
    assert rules(foreseen) == {"subscribed": "not-subscribed", "route": "nobody-subscribed"}
    assert "Delivery" not in foreseen
    assert (entry["Outcome"], entry["OutcomeNow"]) == ("passed", "not-subscribed")
    assert entry["Delivery"]["Route"] == "nobody-subscribed"
    assert rules(entry)["route"] == "nobody-subscribed"


async def test_where_somebody_has_the_type_the_others_are_not_asked(api: Api) -> None:
    member = await api.create_member("shop")
    ann = await api.add_verified_contact(member, Name="Ann", EmailAddress="ann@example.com")
    await api.add_verified_contact(member, Name="Tom", MessageTypes=FAULT)

    (foreseen, _) = await explained(api, MessageType="FaultMessage", Target=member, ContactId=ann)
    message_id = await publish(api, member)
    await api.work()
    (entry, _) = await explained(api, MessageId=message_id, ContactId=ann)

    assert foreseen["Outcome"] == entry["Outcome"] == "not-subscribed"
    assert entry["Delivery"]["State"] == "skipped"


async def test_the_fallback_address_is_explained(api: Api) -> None:
    member = await api.create_member("shop")
    await set_fallback(api)

    (foreseen,) = await explained(api, MessageType="FaultMessage", Target=member, Address="DUTY@example.com")
    message_id = await publish(api, member)
    await api.work()
    (entry,) = await explained(api, MessageId=message_id, Address=DUTY)
    (nobody,) = await explained(api, MessageId=message_id, Address="nobody@example.com")

    assert (foreseen["Outcome"], foreseen["Channel"], foreseen["Address"]) == ("passed", "email", DUTY)
    assert rules(foreseen) == {"exists": "no-such-contact", "route": "fallback"}
    assert "Delivery" not in foreseen
    assert (entry["Outcome"], entry["OutcomeNow"]) == ("passed", "no-such-contact")
    assert (entry["Delivery"]["State"], entry["Delivery"]["Route"]) == ("sent", "fallback")
    assert rules(entry)["route"] == "fallback"
    assert nobody["Outcome"] == "no-such-contact"


async def test_a_fallback_address_that_is_not_needed_gets_nothing(api: Api) -> None:
    member = await api.create_member("shop")
    await api.add_verified_contact(member, Name="Tom", MessageTypes=FAULT)
    await set_fallback(api)

    (foreseen,) = await explained(api, MessageType="FaultMessage", Target=member, Address=DUTY)

    assert foreseen["Outcome"] == "no-such-contact"


async def test_the_daily_limit_of_text_messages_is_told(database_url: str) -> None:
    async with open_api(database_url, {"sms_per_day": 1}) as api:
        member = await api.create_member("shop")
        await api.add_verified_contact(member, Name="Tom", MessageTypes=FAULT, PhoneNumber=PHONE)
        about = {"MessageType": "FaultMessage", "Severity": "Critical", "Target": member, "Address": PHONE}

        (before,) = await explained(api, **about)
        sent = await publish(api, member, Severity="Critical")
        await api.work()
        beyond = await publish(api, member, Severity="Critical")
        await api.work()
        (after,) = await explained(api, **about)
        (first,) = await explained(api, MessageId=sent, Address=PHONE)
        (second,) = await explained(api, MessageId=beyond, Address=PHONE)

        assert (before["Outcome"], rules(before)) == ("passed", {"within-daily-limit": "passed"})
        assert (after["Outcome"], rules(after)) == ("daily-limit", {"within-daily-limit": "daily-limit"})
        assert first["Outcome"] == "passed"
        assert (second["Outcome"], second["OutcomeNow"]) == ("daily-limit", "passed")
        assert rules(second) == {"still-wanted": "passed", "within-daily-limit": "daily-limit"}
        assert second["Delivery"]["State"] == "skipped"


async def test_a_cancelled_or_expired_message_was_not_sent(api: Api) -> None:
    member = await api.create_member("shop")
    ann = await api.add_verified_contact(member, Name="Ann", EmailAddress="ann@example.com", MessageTypes=FAULT)
    cancelled, at_once = await publish(api, member), await publish(api, member)
    await api.call("CancelMessage", OURS, MessageId=at_once)
    await api.work("internal")
    await api.call("CancelMessage", OURS, MessageId=cancelled)
    expired = await publish(api, member, ExpiresAt="2026-11-21T08:00:30Z")
    await api.work("internal")
    api.clock.advance(31)
    await api.work()

    for message_id, word, rule in (
        (cancelled, "cancelled", "not-cancelled"),
        (expired, "expired", "not-expired"),
        (at_once, "cancelled", "not-cancelled"),
    ):
        (entry, _) = await explained(api, MessageId=message_id, ContactId=ann)
        assert (entry["Outcome"], entry["OutcomeNow"]) == (word, "passed")
        assert rules(entry) == {rule: word}
    assert "Delivery" not in entry


async def test_a_refusal_is_the_answer_and_the_rules_say_what_holds_now(api: Api) -> None:
    member = await api.create_member("shop")
    address = "bounce+bob@example.com"
    bob = await api.add_verified_contact(member, Name="Bob", EmailAddress=address, MessageTypes=FAULT)
    message_id = await publish(api, member)
    await come_to_rest(api)

    (entry, _) = await explained(api, MessageId=message_id, ContactId=bob)

    assert (entry["Outcome"], entry["OutcomeNow"]) == ("mailbox-unknown", "suppressed")
    assert rules(entry) == {
        "not-suppressed": "suppressed",
        "still-wanted": "passed",
        "taken-over": "mailbox-unknown",
    }


async def test_what_holds_now_does_not_change_what_was_sent(api: Api) -> None:
    """The contact dropped the type after it got the message; another was bound after it had been worked out."""
    member = await api.create_member("shop")
    ann = await api.add_verified_contact(member, Name="Ann", EmailAddress="ann@example.com", MessageTypes=FAULT)
    message_id = await publish(api, member)
    await api.work()
    await api.call("UpdateMessageContact", ContactId=ann, MessageTypes=["SecurityMessage"])
    late = await api.add_verified_contact(member, Name="Late", EmailAddress="late@example.com", MessageTypes=FAULT)

    (got, _) = await explained(api, MessageId=message_id, ContactId=ann)
    (missed, _) = await explained(api, MessageId=message_id, ContactId=late)

    assert (got["Outcome"], got["OutcomeNow"]) == ("passed", "not-subscribed")
    assert (missed["Outcome"], missed["OutcomeNow"]) == ("no-delivery", "passed")
    assert rules(missed) == {"was-found": "no-delivery"}


async def test_a_rule_that_stood_against_it_when_it_left_is_told(api: Api) -> None:
    member = await api.create_member("shop")
    ann = await api.add_verified_contact(member, Name="Ann", EmailAddress="ann@example.com", MessageTypes=FAULT)
    message_id = await publish(api, member)
    await api.work("internal")
    await api.call("UpdateMessageContact", ContactId=ann, MessageTypes=["SecurityMessage"])
    await api.work()
    await api.call("UpdateMessageContact", ContactId=ann, MessageTypes=FAULT)

    (entry, _) = await explained(api, MessageId=message_id, ContactId=ann)

    assert (entry["Outcome"], entry["OutcomeNow"]) == ("not-subscribed", "passed")
    assert rules(entry) == {"still-wanted": "not-subscribed"}


async def test_an_address_that_nobody_has_any_more_is_explained_by_its_delivery(api: Api) -> None:
    member = await api.create_member("shop")
    ann = await api.add_verified_contact(member, Name="Ann", EmailAddress="ann@example.com", MessageTypes=FAULT)
    message_id = await publish(api, member)
    await api.work()
    await api.call("DeleteMessageContact", ContactId=ann, RetainContactInMembers="false")
    await api.work()

    (entry,) = await explained(api, MessageId=message_id, Address="ann@example.com")

    assert (entry["Outcome"], entry["OutcomeNow"]) == ("passed", "no-such-contact")
    assert (entry["Address"], entry["Delivery"]["State"]) == ("ann@example.com", "sent")


async def test_of_those_who_share_an_address_each_has_its_own_answer(api: Api) -> None:
    member = await api.create_member("shop")
    await api.add_verified_contact(member, Name="Ann", EmailAddress="both@example.com", MessageTypes=FAULT)
    await api.add_verified_contact(member, Name="Ben", EmailAddress="both@example.com")
    message_id = await publish(api, member)
    await api.work()

    found = await explained(api, MessageId=message_id, Address="both@example.com")

    assert {entry["Name"]: entry["Outcome"] for entry in found} == {"Ann": "passed", "Ben": "not-subscribed"}
    assert {entry["Delivery"]["State"] for entry in found} == {"sent"}
