"""Incidents, failed work, suspended addresses, hand-overs, the fallback address, and webhooks."""

from __future__ import annotations

from typing import Any

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.outbox import Fate, Settlement, messages_queue
from message_contacts.delivery.outcome import Outcome, Verdict
from tests.api.publishing import OURS, deliveries, publish
from tests.api.recipients import preference_links
from tests.console.conftest import Console
from tests.harness import Api

FAULT = ["FaultMessage"]


async def test_an_incident_is_closed_with_a_note_and_not_without(console: Console, api: Api) -> None:
    shop = await api.create_member("shop")
    await publish(api, shop)
    await api.work()
    (incident,) = (await api.call("ListIncidents", OURS))["Incidents"]
    at = f"/messages/incidents/{incident['IncidentId']}"

    assert "shop" in (await console.open(at)).page.text
    refused = await console.submit(f"{at}/close", {"note": " "})
    assert refused.status == 400
    assert refused.page.one("p", id=f"error-{incident['IncidentId']}").text == "Write down what was done."
    page = (await console.submit(f"{at}/close", {"note": "Told by phone."})).page

    assert "No incidents" in page.text
    assert "Told by phone." in (await console.open("/messages/incidents?all=1")).page.text


async def test_failed_work_is_tried_again(console: Console, api: Api) -> None:
    member = await api.create_member("shop")
    await api.add_verified_contact(member, EmailAddress="bounce+1@example.com", MessageTypes=FAULT)
    message_id = await publish(api, member)
    await api.work("internal")
    (delivery,) = await deliveries(api, message_id)
    await _give_up(api)

    page = (await console.open("/messages/failed")).page
    assert "There is no such mailbox" in page.text
    box = page.one("input", name="job")
    timeline = (await console.open(f"/messages/deliveries/{delivery['DeliveryId']}")).page
    assert timeline.all("form", action=f"/console/messages/deliveries/{delivery['DeliveryId']}/retry")
    page = (await console.submit("/messages/failed/retry", {"job": box["value"]})).page

    assert "1 is tried again." in page.text
    assert "Nothing was given up" in page.text


async def _give_up(api: Api) -> None:
    """A worker tries the waiting deliveries and is refused for good."""
    outbox, now = api.service.storage.outbox, api.clock.now()
    for job in await outbox.claim(
        messages_queue(Channel.EMAIL), "test", now=now, until=Instant(now + 60_000), limit=10
    ):
        outcome = await api.service.handlers[job.kind](job)
        assert outcome.verdict is Verdict.NEVER
        await outbox.settle("test", [Settlement(job, Fate.DEAD, now, outcome.reason)])


async def test_a_suspended_address_is_sent_to_again(console: Console, api: Api) -> None:
    member = await api.create_member("shop")
    await api.add_verified_contact(member, MessageTypes=FAULT)
    (delivery,) = [each for each in await _published(api, member) if each["Address"] == "tom@example.com"]
    kept = await api.service.storage.messages.delivery(api.account_id, delivery["DeliveryId"])
    assert kept is not None
    await api.service.recipients.bounces.answered(kept, Outcome(Verdict.NEVER, "mailbox-unknown", status="5.1.1"))

    page = (await console.open("/messages/suspensions")).page
    assert "tom@example.com" in page.text
    assert "5.1.1" in page.text
    page = (await console.submit("/messages/suspensions/lift", {"address": "tom@example.com"})).page

    assert "No address is suspended" in page.text


async def _published(api: Api, member: str) -> list[dict[str, Any]]:
    message_id = await publish(api, member)
    await api.work()
    return await deliveries(api, message_id)


async def test_a_hand_over_is_closed_with_a_note(console: Console, api: Api) -> None:
    member = await api.create_member("shop")
    await api.add_verified_contact(member, MessageTypes=FAULT)
    await _published(api, member)
    link = (await preference_links(api, "tom@example.com"))["Tom"].rpartition("/")[2]
    await api.service.recipients.preferences.ask_to_hand_over(link, "Ann, please <b>", "198.51.100.4")
    (asked,) = (await api.call("ListHandOvers", OURS))["HandOvers"]

    answer = await console.open("/messages/hand-overs")
    assert "Ann, please &lt;b&gt;" in answer.html
    at = f"/messages/hand-overs/{asked['HandOverId']}/close"
    assert (await console.submit(at, {})).status == 400
    page = (await console.submit(at, {"note": "Ann was added."})).page

    assert "Nobody asked for anything" in page.text


async def test_the_fallback_address_is_set_confirmed_and_taken_away(console: Console, api: Api) -> None:
    assert "None" in (await console.open("/messages/fallback")).page.text
    refused = await console.submit("/messages/fallback", {"address": "nonsense"})
    assert refused.status == 400
    assert refused.page.value("address") == "nonsense"
    await console.submit("/messages/fallback", {"address": "duty@example.com"})
    await api.work()
    wrong = await console.submit("/messages/fallback/confirm", {"code": "000000"})
    assert wrong.status >= 400
    assert wrong.page.one("p", id="code-error").text
    page = (
        await console.submit("/messages/fallback/confirm", {"code": await api.code_sent_to("duty@example.com")})
    ).page

    assert "In force duty@example.com" in page.text
    assert "duty@example.com" in (await console.open("/messages/fallback/delete")).page.text
    assert "None" in (await console.submit("/messages/fallback/delete")).page.text


async def test_a_webhook_is_added_confirmed_changed_and_deleted(console: Console, api: Api) -> None:
    root = await api.root_folder()
    form = {
        "save": "1",
        "name": "duty chat",
        "form": "DingTalk",
        "url": "https://oapi.dingtalk.com/robot/send?access_token=one",
        "message_types": FAULT,
        "targets": [root],
    }
    refused = await console.submit("/messages/webhooks", {**form, "url": "ftp://x"})
    assert refused.status == 400
    assert refused.page.one("p", id="url-error").text

    page = (await console.submit("/messages/webhooks", form)).page
    assert "Waits for its code" in page.text
    (webhook,) = (await api.call("ListWebhooks", OURS))["Webhooks"]
    at = f"/messages/webhooks/{webhook['WebhookId']}"
    await console.submit(f"{at}/code")
    await api.work()
    assert (await console.submit(f"{at}/confirm", {"code": "000000"})).page.one("p", id="code-error").text
    code = await api.code_sent_to(webhook["WebhookId"])
    assert "The webhook is in force." in (await console.submit(f"{at}/confirm", {"code": code})).page.text

    editing = (await console.open(f"{at}/edit")).page
    assert editing.value("name") == "duty chat"
    assert editing.value("url") == ""
    page = (await console.submit(f"{at}/edit", {**form, "url": "", "name": "night chat"})).page
    assert page.title == "night chat"
    assert "In force" in page.text

    assert "night chat" in (await console.open(f"{at}/delete")).page.text
    assert "No webhooks yet" in (await console.submit(f"{at}/delete")).page.text


async def test_a_secret_that_was_made_is_shown_once(console: Console, api: Api) -> None:
    form = {
        "save": "1",
        "name": "program",
        "form": "Generic",
        "url": "https://hooks.example.com/in",
        "message_types": FAULT,
        "targets": [await api.root_folder()],
    }

    page = (await console.submit("/messages/webhooks", form)).page

    assert page.one("code", id="secret").text.startswith("whsec_")
    (webhook,) = (await api.call("ListWebhooks", OURS))["Webhooks"]
    assert "whsec_" not in (await console.open(f"/messages/webhooks/{webhook['WebhookId']}")).html
