"""Writing, previewing, publishing and following messages."""

from __future__ import annotations

import re
from typing import Any

from tests.api.publishing import OURS, deliveries, publish
from tests.console.conftest import Answer, Console
from tests.harness import Api

FAULT = ["FaultMessage"]
WRITTEN = {
    "message_type": "FaultMessage",
    "severity": "Normal",
    "subject": "Disk full",
    "text": "The disk of the database is full.\nPlease look at <it>.",
    "client_token": "form-1",
}


async def reached_member(api: Api) -> str:
    """A member with one contact that gets faults, and one that does not."""
    member = await api.create_member("shop")
    await api.add_verified_contact(member, MessageTypes=FAULT)
    await api.add_verified_contact(member, Name="Ann", EmailAddress="ann@example.com")
    return member


async def preview(console: Console, *targets: str, **fields: Any) -> Answer:
    return await console.submit("/messages/preview", {**WRITTEN, "targets": list(targets), **fields})


async def test_nothing_published_yet_leads_to_writing_a_message(console: Console) -> None:
    page = (await console.open("/messages")).page

    assert "Nothing was published yet" in page.text
    assert {link["href"] for link in page.all("a", class_="button")} >= {"/console/messages/new"}


async def test_the_preview_shows_who_gets_it_and_sends_nothing(console: Console, api: Api) -> None:
    member = await reached_member(api)

    page = (await preview(console, member)).page

    assert "Reaches everybody 1 by mail, 0 by text message, 0 to webhooks." in page.text
    assert "1 address does not get it: Does not get this type" in page.text
    assert [row.text for row in page.all("th", scope="row")] == ["tom@example.com"]
    assert "The disk of the database is full." in page.all("pre")[0].text
    assert (await api.call("ListMessages", OURS))["Messages"] == []


async def test_the_preview_shows_who_does_not_get_it_and_why(console: Console, api: Api) -> None:
    member = await reached_member(api)

    page = (await preview(console, member, reached="false")).page

    assert [row.text for row in page.all("th", scope="row")] == ["ann@example.com"]
    assert [cell.text for cell in page.all("td")] == ["E-mail", "Ann", "shop", "Does not get this type"]


async def test_the_preview_warns_of_an_incident(console: Console, api: Api) -> None:
    page = (await preview(console, await api.create_member("shop"))).page

    assert "Does not reach everybody" in page.text
    assert "For 1 member no contact can be reached. There is no fallback address, so there would be an incident." in (
        page.text
    )


async def test_what_the_operation_refuses_stands_at_its_field_and_nothing_is_lost(console: Console, api: Api) -> None:
    answer = await preview(console, subject="")

    assert answer.status == 400
    assert answer.page.one("p", id="subject-error").text == "Enter a subject."
    assert answer.page.value("text") == WRITTEN["text"]
    answer = await preview(console)
    assert answer.page.one("p", id="targets-error").text == "Choose whom it is about."
    answer = await preview(console, await api.create_member("shop"), expires="2020-01-01T10:00")
    assert answer.page.one("p", id="expires-error").text == "Choose a moment that is still to come."


async def test_the_same_form_sent_twice_publishes_once(console: Console, api: Api) -> None:
    member = await reached_member(api)
    form = {**WRITTEN, "targets": [member], "body": "markdown", "markup": "The **disk** is full."}

    answers = [await console.submit("/messages", form, follow=False) for _ in range(2)]

    assert answers[0].status == 303
    assert answers[0].headers["location"] == answers[1].headers["location"]
    (message,) = (await api.call("ListMessages", OURS))["Messages"]
    assert message["ClientToken"] == "form-1"
    shown = (await console.open(answers[0].headers["location"])).page
    assert shown.title == "Disk full"
    assert "The message was published." in shown.text


async def test_every_empty_form_has_a_token_of_its_own(console: Console) -> None:
    tokens = {(await console.open("/messages/new")).page.value("client_token") for _ in range(2)}

    assert len(tokens) == 2
    assert "" not in tokens


async def test_targets_are_chosen_without_scripts_by_opening_folders_and_by_name(console: Console, api: Api) -> None:
    sales = await api.create_folder("Sales")
    shop = await api.create_member("shop", sales)

    first = (await console.open("/messages/new")).page
    assert first.all("button", name="open", value=sales)
    inside = (await console.submit("/messages/new", {**WRITTEN, "open": sales})).page
    assert inside.value("subject") == "Disk full"
    assert inside.all("input", name="targets", value=shop)
    found = (await console.submit("/messages/new", {**WRITTEN, "words": "sho", "targets": sales})).page
    boxes = {box["value"]: "checked" in box.attributes for box in found.all("input", name="targets")}

    assert boxes == {sales: True, shop: False}


async def test_the_mail_is_shown_where_it_can_do_nothing(console: Console, api: Api) -> None:
    member = await reached_member(api)
    form = {**WRITTEN, "targets": [member], "body": "html", "markup": "<p onclick=x()>Full<script>x()</script></p>"}

    answer = await console.submit("/messages/mail", form)

    assert "<p>Full</p>" in answer.html
    assert '<base target="_blank">' in answer.html
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'; sandbox allow-popups" in policy
    assert "script" not in policy


async def test_a_message_shows_its_counts_and_deliveries_by_state(console: Console, api: Api) -> None:
    member = await reached_member(api)
    message_id = await publish(api, member)
    expanding = (await console.open(f"/messages/m/{message_id}")).page
    assert "It is being worked out who gets it." in expanding.text
    assert expanding.one("section", id="progress")["data-events"].endswith(f"{message_id}/events")
    await api.work()

    page = (await console.open(f"/messages/m/{message_id}?state=skipped")).page

    assert "1 of 1 deliveries have come to an end." in page.text
    assert "data-events" not in page.one("section", id="progress").attributes
    assert [row.text for row in page.all("th", scope="row")] == ["ann@example.com"]


async def test_progress_is_told_as_events_until_nothing_more_will_happen(console: Console, api: Api) -> None:
    message_id = await publish(api, await reached_member(api))
    await api.work()

    answer = await console.open(f"/messages/m/{message_id}/events")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert re.findall(r"^event: (\w+)$", answer.html, re.MULTILINE) == ["counts", "done"]
    assert "1 of 1 deliveries" in answer.html


async def test_a_delivery_shows_what_happened_and_through_whom(console: Console, api: Api) -> None:
    message_id = await publish(api, await reached_member(api))
    await api.work()
    sent = next(each for each in await deliveries(api, message_id) if each["State"] == "sent")

    page = (await console.open(f"/messages/deliveries/{sent['DeliveryId']}")).page

    steps = [" ".join(step.text.split()) for step in page.all("ol", class_="timeline")[0:1]]
    assert "Waiting" in steps[0]
    assert "Captured in the inbox captured" in steps[0]
    assert "Tom" in page.all("tr")[1].text


async def test_deliveries_are_found_by_state_and_address(console: Console, api: Api) -> None:
    await publish(api, await reached_member(api))
    await api.work()

    assert len((await console.open("/messages/deliveries?state=sent")).page.all("tr")) == 2
    assert len((await console.open("/messages/deliveries?address=ANN@example.com")).page.all("tr")) == 2
    assert "Nothing like that" in (await console.open("/messages/deliveries?state=failed")).page.text


async def test_a_message_is_cancelled_after_a_question(console: Console, api: Api) -> None:
    message_id = await publish(api, await reached_member(api))

    asked = (await console.open(f"/messages/m/{message_id}/cancel")).page
    assert asked.title == "Cancel the message?"
    page = (await console.submit(f"/messages/m/{message_id}/cancel")).page

    assert "The message was cancelled." in page.text
    assert (await api.call("GetMessage", OURS, MessageId=message_id))["Message"]["State"] == "Cancelled"


async def test_a_test_message_shows_what_the_channel_answers(console: Console, api: Api) -> None:
    contact = await api.add_verified_contact(await api.root_folder())

    page = (await console.submit("/messages/test", {"contact": contact, "channel": "email"})).page
    refused = await console.submit("/messages/test", {"contact": contact, "channel": "sms"})

    assert "Accepted Captured in the inbox" in page.text
    assert refused.status == 409
    assert "The contact has no verified address on this channel." in refused.page.text
