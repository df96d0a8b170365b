"""The links in mails: unsubscribe, and what somebody wants of messages. Opened as browsers and mail programs do."""

from __future__ import annotations

from pathlib import Path

import pytest

import message_contacts.console
from message_contacts.clock import MINUTE, Instant
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.outcome import Verdict
from message_contacts.verification.texts.catalogue import environments
from tests.api.publishing import OURS, deliveries, notices, publish, states
from tests.api.recipients import preference_links, unsubscribe_link
from tests.harness import open_api
from tests.pages.conftest import Browser

TYPES = ["FaultMessage", "ProductMessage", "SecurityMessage"]
ONE_CLICK = {
    "content-type": "multipart/form-data; boundary=b1",
    "sec-fetch-site": "cross-site",
    "origin": "https://mail.example.net",
}
ONE_CLICK_BODY = b'--b1\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b1--\r\n'


@pytest.fixture
def browser(api):
    return Browser(api.service.app)


async def tell(api, *targets, **parameters):
    """Publish and send; state and reason by address."""
    message_id = await publish(api, *(targets or [await api.root_folder()]), **parameters)
    await api.work()
    return await states(api, message_id)


async def tom(api, **parameters):
    return await api.add_verified_contact(
        await api.root_folder(), **{"Name": "Tom", "MessageTypes": TYPES, **parameters}
    )


async def preferences(api, address="tom@example.com", name="Tom"):
    return (await preference_links(api, address))[name]


def form(*types, **fields):
    return {**{f"type-{kind}": "on" for kind in types}, "language": "", **fields}


async def test_to_open_the_link_asks_and_changes_nothing(api, browser):
    await tom(api)
    await tell(api)
    link = await unsubscribe_link(api, "tom@example.com")

    for path in (link, f"{link}/undo"):
        answer = await browser.open(path, headers={"accept-language": "en"})
        assert answer.status == 200
        assert "Get no more notices of this kind?" in answer.page.text
        assert "t***@example.com" in answer.page.text
        assert "incidents" in answer.page.text
        assert "tom@example.com" not in answer.text
        assert [each["action"] for each in answer.page.all("form")] == [link]

    assert await tell(api) == {"tom@example.com": ("sent", "")}


async def test_one_click_of_a_mail_program_unsubscribes_from_that_type_only(api, browser):
    contact_id = await tom(api)
    await tell(api)
    before = await api.contact(contact_id)

    answer = await browser.open(
        await unsubscribe_link(api, "tom@example.com"), "POST", body=ONE_CLICK_BODY, headers=ONE_CLICK
    )

    assert answer.status == 200
    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}
    assert await tell(api, MessageType="ProductMessage") == {"tom@example.com": ("sent", "")}
    assert await api.contact(contact_id) == before, "Terraform must see no difference"


async def test_no_update_of_the_contact_undoes_it(api, browser):
    contact_id = await tom(api)
    await tell(api)
    await browser.open(await unsubscribe_link(api, "tom@example.com"), "POST")

    await api.call("UpdateMessageContact", ContactId=contact_id, MessageTypes=["FaultMessage"], Name="Thomas")

    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}
    (explanation, *_) = (
        await api.call(
            "ExplainDelivery",
            OURS,
            MessageType="FaultMessage",
            Target=await api.root_folder(),
            ContactId=contact_id,
        )
    )["Explanations"]
    assert explanation["Outcome"] == "opted-out"


async def test_unsubscribing_is_undone_by_the_button_of_the_page(api, browser):
    await tom(api)
    await tell(api)
    link = await unsubscribe_link(api, "tom@example.com")

    done = await browser.open(link, "POST", headers={"accept-language": "zh-CN"})
    assert "您将不再收到这类通知" in done.page.text
    assert [each["action"] for each in done.page.all("form")] == [f"{link}/undo"]
    again = await browser.open(f"{link}/undo", "POST", headers={"accept-language": "en"})

    assert "You get these notices again." in again.page.text
    assert await tell(api) == {"tom@example.com": ("sent", "")}


async def test_nobody_can_be_without_security_messages(api, browser):
    await tom(api)
    await tell(api, MessageType="SecurityMessage")

    assert await unsubscribe_link(api, "tom@example.com") is None
    page = (await browser.open(await preferences(api), headers={"accept-language": "en"})).page
    (box,) = [each for each in page.all("input") if each.get("name") == "type-SecurityMessage"]
    assert {"checked", "disabled"} <= set(box)

    await browser.open(await preferences(api), "POST", fields=form())
    assert await tell(api, MessageType="SecurityMessage") == {"tom@example.com": ("sent", "")}
    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}


async def test_the_operator_may_allow_it_and_change_its_mind(database_path):
    async with open_api(database_path, {"security_messages_optional": True}) as api:
        await tom(api)
        await tell(api, MessageType="SecurityMessage")
        link = await unsubscribe_link(api, "tom@example.com")
        await Browser(api.service.app).open(link, "POST")
        assert await tell(api, MessageType="SecurityMessage") == {"tom@example.com": ("skipped", "opted-out")}

    async with open_api(database_path) as api:
        assert (await Browser(api.service.app).open(link)).status == 404
        assert await tell(api, MessageType="SecurityMessage") == {"tom@example.com": ("sent", "")}


async def test_mail_to_the_fallback_address_has_no_links(api):
    await api.call("SetFallbackAddress", OURS, EmailAddress="duty@example.com")
    await api.work()
    await api.call("ConfirmFallbackAddress", OURS, Code=await api.code_sent_to("duty@example.com"))
    await api.create_member("shop")

    assert await tell(api) == {"duty@example.com": ("sent", "")}
    assert await unsubscribe_link(api, "duty@example.com") is None
    assert await preference_links(api, "duty@example.com") == {}


async def test_verifications_have_no_links(api):
    contact_id = await api.add_contact()
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress="tom@example.com")
    await api.work()

    (mail,) = await api.inbox()
    assert "/unsubscribe/" not in mail["Text"] + mail["Html"]
    assert "/preferences/" not in mail["Text"] + mail["Html"]


async def test_the_page_tells_why_and_what_and_looking_changes_nothing(api, browser):
    root = await api.root_folder()
    member = await api.create_member("shop")
    contact_id = await tom(api)
    await api.call("AssociateMembers", ContactId=contact_id, Members=[member])
    await tell(api)

    answer = await browser.open(await preferences(api), headers={"accept-language": "en"})

    text = answer.page.text
    assert f"You are a contact of all accounts in the folder root ({root})." in text
    assert f"You are a contact of the account shop ({member})." in text
    boxes = {each["name"]: "checked" in each for each in answer.page.all("input") if each.get("type") == "checkbox"}
    assert boxes == {
        "type-FaultMessage": True,
        "type-SecurityMessage": True,
        "type-ProductMessage": True,
        "quiet": False,
        "hold-urgent": False,
    }
    assert "tom@example.com" not in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "script" not in answer.text
    assert await tell(api) == {"tom@example.com": ("sent", "")}


async def test_what_somebody_chooses_holds_and_is_shown_again(api, browser):
    await tom(api)
    await tell(api)
    link = await preferences(api)

    saved = await browser.open(link, "POST", fields=form("ProductMessage"), headers={"accept-language": "en"})

    assert "Saved." in saved.page.text
    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}
    assert await tell(api, MessageType="ProductMessage") == {"tom@example.com": ("sent", "")}
    shown = {each["name"]: "checked" in each for each in (await browser.open(link)).page.all("input") if "name" in each}
    assert (shown["type-FaultMessage"], shown["type-ProductMessage"]) == (False, True)
    await browser.open(link, "POST", fields=form("FaultMessage", "ProductMessage"))
    assert await tell(api) == {"tom@example.com": ("sent", "")}


async def test_what_one_click_said_is_undone_on_the_page(api, browser):
    await tom(api)
    await tell(api)
    link = await preferences(api)
    await browser.open(await unsubscribe_link(api, "tom@example.com"), "POST")
    page = (await browser.open(link)).page
    (box,) = [each for each in page.all("input") if each.get("name") == "type-FaultMessage"]
    assert "checked" not in box

    await browser.open(link, "POST", fields=form("FaultMessage", "ProductMessage"))

    assert await tell(api) == {"tom@example.com": ("sent", "")}


async def test_a_page_saved_as_it_is_shown_leaves_the_click_to_be_taken_back(api, browser):
    """A box that is empty since the click was never unticked on the page."""
    contact_id = await tom(api)
    await tell(api)
    link, click = await preferences(api), await unsubscribe_link(api, "tom@example.com")
    await browser.open(click, "POST")
    await browser.open(link, "POST", fields=form("ProductMessage", language="en"))
    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}
    assert await whose(api, contact_id) == ([None, contact_id], [("opted-out", None, True)])

    again = await browser.open(f"{click}/undo", "POST", headers={"accept-language": "en"})

    assert "You get these notices again." in again.page.text
    assert await tell(api) == {"tom@example.com": ("sent", "")}


async def test_what_was_unticked_before_the_click_is_not_undone_with_it(api, browser):
    contact_id = await tom(api)
    await tell(api)
    link, click = await preferences(api), await unsubscribe_link(api, "tom@example.com")
    await browser.open(link, "POST", fields=form("ProductMessage"))
    await browser.open(click, "POST")
    await browser.open(link, "POST", fields=form("ProductMessage", language="en"))

    again = await browser.open(f"{click}/undo", "POST", headers={"accept-language": "en"})

    assert "You get these notices again." not in again.page.text
    assert "They come again once that is changed there" in again.page.text
    assert "These notices do not come" in (await browser.open(click, headers={"accept-language": "en"})).page.text
    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}
    assert await whose(api, contact_id) == ([contact_id], [("opted-out", contact_id, False)])


async def test_to_take_a_click_back_says_that_somebody_else_still_does_not_want_these(api, browser):
    await two_at_one_address(api, browser)
    click = await unsubscribe_link(api, "tom@example.com")
    await browser.open(click, "POST")

    again = await browser.open(f"{click}/undo", "POST", headers={"accept-language": "zh-CN"})

    assert "您已重新接收这类通知" not in again.page.text
    assert "在偏好设置页面中选择了不接收" in again.page.text
    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}


async def test_where_contacts_share_an_address_the_strictest_holds_with_a_link_for_each(api, browser):
    await tom(api)
    await tom(api, Name="Ann", EmailAddress="TOM@example.com")
    await tell(api)
    links = await preference_links(api, "tom@example.com")
    assert set(links) == {"Tom", "Ann"}

    await browser.open(links["Tom"], "POST", fields=form("ProductMessage"))

    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}
    page = (await browser.open(links["Ann"], headers={"accept-language": "en"})).page
    assert "Somebody else who is reached at this address does not want these." in page.text
    await browser.open(links["Ann"], "POST", fields=form("FaultMessage", "ProductMessage"))
    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}, "only Tom can take that back"
    await browser.open(links["Tom"], "POST", fields=form("FaultMessage", "ProductMessage"))
    assert (await tell(api))["tom@example.com"] == ("sent", "")


async def two_at_one_address(api, browser):
    """Two contacts at an address, of whom Tom does without incidents; their ids, and Ann's link."""
    ids = [await tom(api), await tom(api, Name="Ann")]
    await tell(api)
    links = await preference_links(api, "tom@example.com")
    hours = form("ProductMessage", quiet="on", starts="15:00", ends="17:30", zone="Asia/Shanghai")
    await browser.open(links["Tom"], "POST", fields=hours)
    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}
    return (*ids, links["Ann"])


async def whose(api, contact_id, message_type="FaultMessage"):
    """Through whom the contact does not get messages of a type: as its standing tells, and as an explanation does."""
    said = (await api.call("GetContactStanding", OURS, ContactId=contact_id))["Preferences"]
    found = await api.call(
        "ExplainDelivery", OURS, MessageType=message_type, Target=await api.root_folder(), ContactId=contact_id
    )
    explained = found["Explanations"][0]
    return [each.get("ContactId") for each in said], [
        (each["Outcome"], each.get("ContactId"), each["ForAddress"]) for each in explained["HeldBackBy"]
    ]


async def test_through_whom_others_at_an_address_are_held_back_is_told(api, browser):
    tom_id, ann_id, _ = await two_at_one_address(api, browser)

    assert await whose(api, ann_id) == ([tom_id], [("opted-out", tom_id, False)])
    assert await whose(api, tom_id) == ([tom_id], [("opted-out", tom_id, False)])
    assert (await whose(api, ann_id, "ProductMessage"))[1] == [("quiet-hours", tom_id, False)]
    assert (await whose(api, ann_id, "SecurityMessage"))[1] == []


async def test_what_one_click_said_for_the_address_is_told_as_that(api, browser):
    contact_id = await tom(api)
    await tell(api)
    await browser.open(await unsubscribe_link(api, "tom@example.com"), "POST")

    assert await whose(api, contact_id) == ([None], [("opted-out", None, True)])


async def test_who_has_another_address_now_holds_nobody_back_at_the_old_one(api, browser):
    tom_id, ann_id, anns_link = await two_at_one_address(api, browser)
    await api.call("UpdateMessageContact", ContactId=tom_id, EmailAddress="new@example.com")
    await api.call("SendEmailVerificationForMessageContact", ContactId=tom_id, EmailAddress="new@example.com")
    await api.work()
    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}, "it is Tom's until he confirms the other"
    await api.confirm("new@example.com")

    assert await tell(api) == {"tom@example.com": ("sent", ""), "new@example.com": ("skipped", "opted-out")}
    assert await whose(api, ann_id) == ([], [])
    assert (await whose(api, ann_id, "ProductMessage"))[1] == [], "nor do his quiet hours"
    assert (await whose(api, tom_id))[1] == [("opted-out", tom_id, False)]
    page = (await browser.open(anns_link, headers={"accept-language": "en"})).page
    assert "Somebody else who is reached at this address" not in page.text


@pytest.mark.parametrize(("kept", "still"), [(False, "sent"), (True, "skipped")])
async def test_who_was_deleted_holds_others_back_only_as_a_copy(api, browser, kept, still):
    tom_id, ann_id, _ = await two_at_one_address(api, browser)
    await api.create_member("shop")
    await api.call("DeleteMessageContact", ContactId=tom_id, RetainContactInMembers=kept)
    await api.work()

    assert (await tell(api))["tom@example.com"][0] == still
    assert await whose(api, ann_id) == (([tom_id], [("opted-out", tom_id, False)]) if kept else ([], []))


async def test_a_contact_that_is_back_at_its_address_is_heard_there_again(api, browser):
    tom_id, _, anns_link = await two_at_one_address(api, browser)
    for address in ("new@example.com", "tom@example.com"):
        await api.call("UpdateMessageContact", ContactId=tom_id, EmailAddress=address)
        await api.call("SendEmailVerificationForMessageContact", ContactId=tom_id, EmailAddress=address)
        await api.work()
        await api.confirm(address)

    assert await tell(api) == {"tom@example.com": ("skipped", "opted-out")}
    page = (await browser.open(anns_link, headers={"accept-language": "en"})).page
    assert "Somebody else who is reached at this address" in page.text


async def test_what_a_contact_said_holds_at_its_next_address_too(api, browser):
    contact_id = await tom(api)
    await tell(api)
    await browser.open(await preferences(api), "POST", fields=form("ProductMessage"))
    await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress="new@example.com")
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress="new@example.com")
    await api.work()
    await api.confirm("new@example.com")

    assert await tell(api) == {"new@example.com": ("skipped", "opted-out")}

    assert await tell(api, MessageType="ProductMessage") == {"new@example.com": ("sent", "")}
    link = await preferences(api, "new@example.com")
    page = (await browser.open(link, headers={"accept-language": "en"})).page
    ticked = {field["name"] for field in page.all("input") if "checked" in field}
    assert "type-ProductMessage" in ticked
    assert "type-FaultMessage" not in ticked, "what holds is what is shown"
    await browser.open(link, "POST", fields=form("ProductMessage", "FaultMessage"))
    assert await tell(api) == {"new@example.com": ("sent", "")}


async def test_quiet_hours_and_language_are_one_word_of_the_contact_wherever_it_said_it(api, browser):
    contact_id = await tom(api)
    await tell(api)
    first = await preferences(api)
    fields = {"quiet": "on", "starts": "21:45", "ends": "07:00", "zone": "Europe/Berlin"}
    await browser.open(first, "POST", fields=form(*TYPES, **fields) | {"language": "en"})
    await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress="new@example.com")
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress="new@example.com")
    await api.work()
    await api.confirm("new@example.com")
    await tell(api, MessageType="SecurityMessage")

    second = await preferences(api, "new@example.com")
    for link in (first, second):
        page = (await browser.open(link)).page
        assert "21:45" in [field.get("value") for field in page.all("input")]
        assert page.all("html") == [{"lang": "en"}]
    await browser.open(second, "POST", fields=form(*TYPES) | {"language": "zh"})
    for link in (first, second):
        page = (await browser.open(link)).page
        assert "21:45" not in [field.get("value") for field in page.all("input")]
        assert page.all("html") == [{"lang": "zh-CN"}]


async def test_messages_wait_for_the_end_of_quiet_hours_and_then_come(api, browser):
    await tom(api)
    await tell(api)
    # It is 16:00 in Shanghai.
    hours = form(*TYPES, quiet="on", starts="15:00", ends="17:30", zone="Asia/Shanghai")
    await browser.open(await preferences(api), "POST", fields=hours)

    message_id = await publish(api, await api.root_folder(), MessageType="ProductMessage", Subject="News")
    (outcome,) = await try_once(api)
    assert (outcome.verdict, outcome.reason, outcome.retry_after) == (Verdict.TRY_AGAIN, "quiet-hours", 5400.0)
    (delivery,) = await deliveries(api, message_id)
    assert (delivery["State"], delivery["Reply"]) == ("deferred", "quiet-hours")

    api.clock.advance(5400)
    (outcome,) = await try_once(api)
    assert outcome.verdict is Verdict.ACCEPTED
    assert [each["Subject"] for each in await notices(api)] == ["Disk full", "News"]


@pytest.mark.parametrize("hours", [{}, {"quiet": "on", "starts": "15:00", "ends": "15:30", "zone": "Asia/Shanghai"}])
async def test_what_waits_comes_at_once_when_quiet_hours_are_ended_or_made_shorter(api, browser, hours):
    """Also what waits for them at an address that others share; one whose own hours hold it goes on waiting."""
    await tom(api)
    await tom(api, Name="Ann")
    await tell(api)
    links = await preference_links(api, "tom@example.com")
    long = {"quiet": "on", "starts": "15:00", "ends": "23:30", "zone": "Asia/Shanghai"}
    for name in ("Tom", "Ann"):
        await browser.open(links[name], "POST", fields=form(*TYPES, **long))
    message_id = await publish(api, await api.root_folder(), MessageType="ProductMessage", Subject="News")
    assert [each.reason for each in await try_once(api)] == ["quiet-hours"]

    await browser.open(links["Tom"], "POST", fields=form(*TYPES, **hours))
    (outcome,) = await try_once(api)
    assert (outcome.reason, outcome.retry_after) == ("quiet-hours", 7.5 * 3600.0), "Ann's"
    await browser.open(links["Ann"], "POST", fields=form(*TYPES, **hours))
    (outcome,) = await try_once(api)

    assert outcome.verdict is Verdict.ACCEPTED
    (delivery,) = await deliveries(api, message_id)
    assert (delivery["State"], delivery["Attempts"]) == ("sent", 3)


async def test_quiet_hours_that_stay_as_they_are_let_nothing_go(api, browser):
    await tom(api)
    await tell(api)
    link = await preferences(api)
    hours = {"quiet": "on", "starts": "15:00", "ends": "23:30", "zone": "Asia/Shanghai"}
    await browser.open(link, "POST", fields=form(*TYPES, **hours))
    await publish(api, await api.root_folder(), MessageType="ProductMessage", Subject="News")
    assert [each.reason for each in await try_once(api)] == ["quiet-hours"]

    await browser.open(link, "POST", fields=form(*TYPES, **{**hours, "language": "en"}))

    assert await try_once(api) == []


async def test_what_a_worker_puts_off_just_then_is_let_go_by_a_second_look(api, browser):
    """It had read the quiet hours before they were ended."""
    await tom(api)
    await tell(api)
    link = await preferences(api)
    hours = {"quiet": "on", "starts": "15:00", "ends": "23:30", "zone": "Asia/Shanghai"}
    await browser.open(link, "POST", fields=form(*TYPES, **hours))
    await publish(api, await api.root_folder(), MessageType="ProductMessage", Subject="News")
    await api.work("internal")
    outbox, lane = api.service.storage.outbox, api.service.worker._lanes["email-messages"]
    until = Instant(api.clock.now() + MINUTE)
    (job,) = await outbox.claim("email-messages", "test", now=api.clock.now(), until=until, limit=100)
    outcome = await api.service.handlers[job.kind](job)
    assert outcome.reason == "quiet-hours"

    await browser.open(link, "POST", fields=form(*TYPES))
    await api.work("internal")
    await outbox.settle("test", [lane._settlement(job, outcome, duration_ms=0.0)])
    assert await try_once(api) == []

    api.clock.advance(60)
    assert [each.verdict for each in await try_once(api)] == [Verdict.ACCEPTED]


async def test_very_many_that_wait_are_let_go_in_steps(api, browser):
    """A hundred in a commit."""
    await tom(api)
    await tell(api)
    link = await preferences(api)
    hours = {"quiet": "on", "starts": "15:00", "ends": "23:30", "zone": "Asia/Shanghai"}
    await browser.open(link, "POST", fields=form(*TYPES, **hours))
    for number in range(120):
        await publish(api, await api.root_folder(), MessageType="ProductMessage", Subject=f"News {number}")
    while await try_once(api):
        pass

    await browser.open(link, "POST", fields=form(*TYPES))

    await api.work()
    assert (await api.call("ListDeliveries", OURS, State="deferred"))["Deliveries"] == []


async def test_security_and_incidents_pass_unless_they_are_to_wait_too(api, browser):
    await tom(api)
    await tell(api)
    hours = form(*TYPES, quiet="on", starts="15:00", ends="17:30", zone="Asia/Shanghai")
    await browser.open(await preferences(api), "POST", fields=hours)
    assert await tell(api) == {"tom@example.com": ("sent", "")}
    assert await tell(api, MessageType="SecurityMessage") == {"tom@example.com": ("sent", "")}

    await browser.open(await preferences(api), "POST", fields={**hours, "hold-urgent": "on"})
    await publish(api, await api.root_folder())
    (outcome,) = await try_once(api)
    assert outcome.reason == "quiet-hours"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"quiet": "on", "starts": "22:00", "ends": "22:00", "zone": "UTC"}, "two different times"),
        ({"quiet": "on", "starts": "24:00", "ends": "07:00", "zone": "UTC"}, "two different times"),
        ({"quiet": "on", "starts": "", "ends": "07:00", "zone": "UTC"}, "two different times"),
        ({"quiet": "on", "starts": "22:00", "ends": "07:00", "zone": "../../etc/passwd"}, "a time zone from the list"),
        ({"language": "de"}, "could not be read"),
    ],
)
async def test_what_cannot_be_kept_is_said_and_nothing_changes(api, browser, fields, problem):
    await tom(api)
    await tell(api)

    answer = await browser.open(
        await preferences(api), "POST", fields={**form(), **fields}, headers={"accept-language": "en"}
    )

    assert answer.status == 400
    assert problem in answer.page.text
    assert await tell(api) == {"tom@example.com": ("sent", "")}


async def test_the_language_somebody_chose_is_that_of_mail_and_page(api, browser):
    await tom(api)
    await tell(api)
    link = await preferences(api)
    assert "通知类型" in (await notices(api))[-1]["Text"]

    await browser.open(link, "POST", fields=form(*TYPES, language="en"))
    await tell(api, Subject="Later")

    text = (await notices(api))[-1]["Text"]
    assert "Kind of notice: incidents" in text
    assert "通知类型" not in text
    assert "What you get, and when" in (await browser.open(link, headers={"accept-language": "zh"})).page.text
    assert "接收哪些通知" in (await browser.open(f"{link}?lang=zh")).page.text


async def test_to_hand_over_asks_the_operator_who_closes_it(api, browser):
    contact_id = await tom(api)
    await tell(api)
    link = await preferences(api)

    for wish in ("Ann", "  Ann   Lee, ann@example.com "):
        answer = await browser.open(
            f"{link}/hand-over", "POST", fields={"wish": wish}, headers={"accept-language": "en"}
        )
        assert answer.status == 200
    assert "Passed on already: Ann Lee, ann@example.com" in answer.page.text

    (asked,) = (await api.call("ListHandOvers", OURS, OnlyOpen=True))["HandOvers"]
    assert (asked["ContactId"], asked["Wish"], asked["State"]) == (contact_id, "Ann Lee, ann@example.com", "Open")
    closed = (await api.call("CloseHandOver", OURS, HandOverId=asked["HandOverId"], Note="Ann was added."))["HandOver"]
    assert (closed["State"], closed["Note"], closed["ClosedBy"]) == ("Closed", "Ann was added.", api.key_id)
    assert (await api.call("ListHandOvers", OURS, OnlyOpen=True))["HandOvers"] == []
    assert len((await api.call("ListHandOvers", OURS))["HandOvers"]) == 1
    assert "Passed on already" not in (await browser.open(link, headers={"accept-language": "en"})).page.text


@pytest.mark.parametrize("wish", ["", "   ", "x" * 301, "a\u202eb"])
async def test_a_wish_that_cannot_be_passed_on_is_refused(api, browser, wish):
    await tom(api)
    await tell(api)

    answer = await browser.open(
        f"{await preferences(api)}/hand-over", "POST", fields={"wish": wish}, headers={"accept-language": "en"}
    )

    assert answer.status == 400
    assert "Please write who should get the notices" in answer.page.text
    assert (await api.call("ListHandOvers", OURS))["HandOvers"] == []


async def test_rows_of_the_operations_about_requests(api):
    for parameters, status, code in (
        ({"Note": "x"}, 400, "MissingParameter.HandOverId"),
        ({"HandOverId": "h-1"}, 400, "MissingParameter.Note"),
        ({"HandOverId": "h-1", "Note": "x" * 1001}, 400, "InvalidParameter.Note"),
        ({"HandOverId": "h-1", "Note": "x"}, 404, "EntityNotExists.HandOver"),
    ):
        refused = await api.error("CloseHandOver", OURS, **parameters)
        assert (refused[0], refused[1]["Code"]) == (status, code)
    refused = await api.error("ListHandOvers", OURS, OnlyOpen="perhaps")
    assert (refused[0], refused[1]["Code"]) == (400, "InvalidParameter.OnlyOpen")


async def test_other_links_lead_nowhere_and_forms_of_other_sites_are_refused(api, browser):
    await tom(api)
    await tell(api)
    link, unsubscribe = await preferences(api), await unsubscribe_link(api, "tom@example.com")
    token, other = link.rpartition("/")[2], unsubscribe.rpartition("/")[2]

    for path in (
        f"/preferences/{other}",
        f"/unsubscribe/{token}",
        f"{link}x",
        link[:-1],
        "/preferences/x",
        "/preferences/",
    ):
        assert (await browser.open(path)).status == 404, path
        assert (await browser.open(path, "POST", fields=form())).status == 404, path
    elsewhere = {"origin": "https://evil.example", "host": "127.0.0.1:8080", "sec-fetch-site": "cross-site"}
    for path in (link, f"{link}/hand-over", f"{unsubscribe}/undo"):
        assert (await browser.open(path, "POST", fields=form(), headers=elsewhere)).status == 403
    assert (await browser.open(unsubscribe, "POST", body=b"x" * 5000)).status == 413
    assert (await browser.open(link, "PUT")).status == 405
    assert await tell(api) == {"tom@example.com": ("sent", "")}


async def test_the_link_works_on_when_the_contact_is_gone(api, browser):
    contact_id = await tom(api)
    await tell(api)
    link = await preferences(api)
    await api.call("DeleteMessageContact", ContactId=contact_id)

    text = (await browser.open(link, headers={"accept-language": "en"})).page.text
    assert "You are a contact of no account any more" in text or "which kept you" in text
    assert (await browser.open(link, "POST", fields=form("FaultMessage"))).status == 200


async def try_once(api):
    """Do what is due for mail as a worker does, and say what came of it."""
    await api.work("internal")
    outbox = api.service.storage.outbox
    lane = api.service.worker._lanes["email-messages"]
    outcomes = []
    until = Instant(api.clock.now() + MINUTE)
    for job in await outbox.claim("email-messages", "test", now=api.clock.now(), until=until, limit=100):
        outcome = await api.service.handlers[job.kind](job)
        outcomes.append(outcome)
        await outbox.settle("test", [lane._settlement(job, outcome, duration_ms=0.0)])
    return outcomes


def test_every_type_has_a_name_on_the_pages():
    folder = Path(message_contacts.console.__file__).parent
    for environment in environments(folder, ("zh", "en")).values():
        names = {environment.get_template("type.html").render(message_type=kind.value).strip() for kind in MessageType}
        assert len(names) == len(MessageType)
