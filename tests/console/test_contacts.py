"""Pages of contacts: the table, one contact, adding and changing, without a browser."""

from __future__ import annotations

import csv
import io
import json

import pytest

from message_contacts.console.site.contact_words import SENTENCES
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.verification.challenge import Visitor
from tests.console.conftest import Console
from tests.harness import open_api

READ_ONLY = (
    '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["resourcemanager:GetMessageContact",'
    ' "resourcemanager:ListMessageContactVerifications"], "Resource": "*"}]}'
)
FILLED = {
    "Name": "Anna",
    "EmailAddress": "anna@example.com",
    "Title": "CEO",
    "MessageTypes": ["SecurityMessage", "FaultMessage"],
}


@pytest.fixture
async def api(database_url):
    """A service with room for many contacts."""
    async with open_api(database_url, {"contacts_per_directory": 500}) as opened:
        yield opened


async def as_user(api, *documents):
    """The console of a user with these policies and nothing else."""
    await api.call("CreateUser", "2015-05-01", UserName="narrow")
    for number, document in enumerate(documents):
        name = f"narrow{number}"
        await api.call("CreatePolicy", "2015-05-01", PolicyName=name, PolicyDocument=document)
        await api.call("AttachPolicyToUser", "2015-05-01", PolicyName=name, PolicyType="Custom", UserName="narrow")
    user = await api.as_user("narrow")
    console = Console(api)
    assert (await console.sign_in(user.key_id, user.secret)).status == 303
    return console


def names(answer):
    return [link.text for link in answer.page.all("a") if "/contacts/c-" in link.get("href")]


def error_of(answer, field):
    """What stands beside a field."""
    return " ".join(answer.page.one("p", id=f"{field}-error").text.split())


async def test_a_directory_without_contacts_says_what_to_do(console):
    answer = await console.open("/contacts")

    assert "No contacts yet" in answer.page.text
    assert answer.page.all("table") == []


async def test_the_table_shows_addresses_in_force_and_waiting_and_what_people_are_bound_to(api, console):
    folder = await api.create_folder("online")
    contact = await api.add_verified_contact(folder, Name="Anna", EmailAddress="anna@example.com")
    await api.call("UpdateMessageContact", ContactId=contact, EmailAddress="new@example.com")

    text = (await console.open("/contacts")).page.one("table").text

    assert "anna@example.com" in text
    assert "new@example.com to be confirmed" in " ".join(text.split())
    assert "online" in text
    assert "Active" in text


async def test_filters_search_and_order_go_together_and_stay_in_links(api, console):
    for name, kind in (("Bob", "FaultMessage"), ("Anna", "SecurityMessage"), ("Carl", "FaultMessage")):
        await api.add_contact(Name=name, EmailAddress=f"{name.lower()}@example.com", MessageTypes=[kind])

    assert names(await console.open("/contacts")) == ["Anna", "Bob", "Carl"]
    assert names(await console.open("/contacts?sort=CreateDate&down=yes")) == ["Carl", "Anna", "Bob"]
    answer = await console.open("/contacts?type=FaultMessage&down=yes&status=Verifying&bound=no&q=EXAMPLE")
    assert names(answer) == ["Carl", "Bob"]
    (csv_link,) = [link["href"] for link in answer.page.all("a") if link.text == "CSV"]
    assert "type=FaultMessage" in csv_link
    assert answer.page.all("th", aria_sort="descending")[0].text.strip().startswith("Contact name")
    assert "No contact matches" in (await console.open("/contacts?q=nobody")).page.text


async def test_pages_go_forwards_and_back_and_know_how_many_there_are(api, console):
    for number in range(120):
        name = "".join(chr(97 + int(digit)) for digit in f"{number:03d}")
        await api.add_contact(Name=name, EmailAddress=f"a{number}@example.com")

    first = await console.open("/contacts")
    assert len(names(first)) == 50
    assert "120 contacts" in first.page.text
    second = await console.open(first.page.one("a", rel="next")["href"])
    third = await console.open(second.page.one("a", rel="next")["href"])
    assert len(names(third)) == 20
    assert third.page.all("a", rel="next") == []
    back = await console.open(third.page.one("a", rel="prev")["href"])

    assert names(back) == names(second)
    assert len({*names(first), *names(second), *names(third)}) == 120


async def test_an_address_with_nonsense_shows_the_table_with_what_is_wrong(console):
    answer = await console.open("/contacts?status=Asleep")

    assert answer.status == 400
    assert "InvalidParameter.Status" in answer.page.text
    assert (await console.open("/contacts?page=nonsense")).status == 400


async def test_the_list_is_exported_as_it_is_filtered(api, console):
    await api.add_contact(Name="张三", EmailAddress="=cmd@example.com".replace("=", "-"), PhoneNumber="86-13900001234")
    await api.add_contact(Name="Anna", EmailAddress="anna@example.com", MessageTypes=["FaultMessage"])

    answer = await console.open("/contacts/export?form=csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
    one = json.loads((await console.open("/contacts/export?form=json&type=FaultMessage")).body)
    none = json.loads((await console.open("/contacts/export?form=json&q=nobody")).body)

    assert [row["Name"] for row in rows] == ["Anna", "张三"]
    assert rows[1]["PendingEmailAddress"] == "'-cmd@example.com", "no program takes it for a formula"
    assert rows[1]["PendingPhoneNumber"] == "86-13900001234"
    assert 'attachment; filename="contacts.csv"' in answer.headers["content-disposition"]
    assert [each["Name"] for each in one] == ["Anna"]
    assert none == []


async def test_an_export_holds_more_than_one_page(api, console):
    for number in range(130):
        name = "".join(chr(97 + int(digit)) for digit in f"{number:03d}")
        await api.add_contact(Name=name, EmailAddress=f"a{number}@example.com")

    assert len(json.loads((await console.open("/contacts/export?form=json")).body)) == 130


async def test_a_contact_is_added_and_its_owner_asked(api, console):
    answer = await console.submit("/contacts/add", {**FILLED, "PhoneNumber": "86-13900001234", "send": "yes"})

    assert answer.page.title == "Anna To be confirmed"
    assert "1 message sent" in answer.page.text
    await api.work()
    assert [each["Channel"] for each in await api.inbox()] == ["email", "sms"]


async def test_a_contact_is_added_without_sending_anything(api, console):
    answer = await console.submit("/contacts/add", FILLED)

    assert "Nothing has been sent yet." in answer.page.text
    await api.work()
    assert await api.inbox() == []


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"Name": "a1"}, "Name", "InvalidParameter.Name"),
        ({"Name": "a"}, "Name", "InvalidParameter.Name.Length"),
        ({"Name": "Taken"}, "Name", "InvalidParameter.Name.AlreadyUsed"),
        ({"EmailAddress": "nonsense"}, "EmailAddress", "InvalidParameter.EmailAddress"),
        ({"EmailAddress": "a" * 250 + "@b.de"}, "EmailAddress", "InvalidParameter.EmailAddress.Length"),
        ({"PhoneNumber": "12"}, "PhoneNumber", "InvalidParameter.PhoneNumber"),
        ({"PhoneNumber": "1-2025550123"}, "PhoneNumber", "InvalidParameter.MobileCountryCode"),
        ({"Title": "King"}, "Title", "InvalidParameter.Title"),
        ({"MessageTypes": ["Gossip"]}, "MessageTypes", "InvalidParameter.MessageTypes"),
    ],
)
async def test_what_the_api_refuses_stands_at_the_field_and_nothing_that_was_typed_is_lost(
    api, console, given, field, code
):
    await api.add_contact(Name="Taken", EmailAddress="taken@example.com")

    answer = await console.submit("/contacts/add", {**FILLED, **given})

    assert answer.status == 400
    assert error_of(answer, field).endswith(code)
    assert [each["id"] for each in answer.page.all("p", class_="error")] == [f"{field}-error"]
    assert answer.page.value("Name") == given.get("Name", "Anna")


async def test_everything_that_is_missing_is_told_at_once(console):
    answer = await console.submit("/contacts/add", {})

    found = [each["id"] for each in answer.page.all("p", class_="error")]
    assert found == ["Name-error", "EmailAddress-error", "Title-error", "MessageTypes-error"]


async def test_a_full_directory_is_told_above_the_form(database_path):
    async with open_api(database_path, {"contacts_per_directory": 1}) as api:
        console = Console(api)
        await console.sign_in()
        await api.add_contact()

        answer = await console.submit("/contacts/add", FILLED)

    assert "LimitExceeded.Contacts" in answer.page.one("div", role="alert").text


async def test_changing_something_else_leaves_an_address_that_waits_alone(api, console):
    contact = await api.add_verified_contact(Name="Anna", EmailAddress="anna@example.com")
    await api.call("UpdateMessageContact", ContactId=contact, EmailAddress="new@example.com")
    edit = await console.open(f"/contacts/{contact}/edit")
    assert edit.page.value("EmailAddress") == "anna@example.com"

    answer = await console.submit(
        f"/contacts/{contact}/edit", {**FILLED, "Title": "Other", "MessageTypes": ["SecurityMessage"]}
    )

    assert "Saved." in answer.page.text
    assert "new@example.com" in answer.page.text
    assert (await api.contact(contact))["Title"] == "Other"


async def test_a_phone_number_is_taken_away_by_emptying_its_field(api, console):
    contact = await api.add_contact(**FILLED, PhoneNumber="86-13900001234")

    await console.submit(f"/contacts/{contact}/edit", {**FILLED, "PhoneNumber": ""})

    assert (await api.contact(contact))["PhoneNumber"] == ""


async def test_an_emptied_name_is_refused_at_its_field(api, console):
    contact = await api.add_contact(**FILLED)

    answer = await console.submit(f"/contacts/{contact}/edit", {**FILLED, "Name": "", "MessageTypes": []})

    assert answer.status == 400
    assert error_of(answer, "Name").endswith("MissingParameter.Name")
    assert error_of(answer, "MessageTypes").endswith("MissingParameter.MessageTypes")


async def test_taking_a_type_away_that_nobody_else_gets_asks_first(api, console):
    folder = await api.create_folder("online")
    await api.create_member("shop", folder)
    contact = await api.add_verified_contact(folder, **FILLED)
    changed = {**FILLED, "MessageTypes": ["SecurityMessage"]}

    asked = await console.submit(f"/contacts/{contact}/edit", changed)
    assert "1 member would be left with nobody" in asked.page.text
    assert len((await api.contact(contact))["MessageTypes"]) == 2

    saved = await console.submit(f"/contacts/{contact}/edit", {**changed, "sure": "yes"})
    assert "Saved." in saved.page.text
    assert (await api.contact(contact))["MessageTypes"] == ["SecurityMessage"]


async def test_sending_again_tells_what_is_left_and_a_used_up_limit_what_to_do(api, console):
    contact = await api.add_contact(**FILLED)

    for sent in range(1, 11):
        answer = await console.submit(f"/contacts/{contact}/verify", {"target": "anna@example.com"})
        assert f"{10 - sent} more may be sent to it this minute" in answer.page.text
    assert "90 of 100 for all contacts today" in answer.page.text
    refused = await console.submit(f"/contacts/{contact}/verify", {"target": "anna@example.com"})

    assert "a limit is used up" in refused.page.one("div", role="alert").text


async def test_an_address_that_waits_is_dropped(api, console):
    contact = await api.add_verified_contact(**FILLED)
    await api.call("UpdateMessageContact", ContactId=contact, EmailAddress="new@example.com")

    answer = await console.submit(f"/contacts/{contact}/cancel-update", {"target": "new@example.com"})

    assert "The address that waited was dropped." in answer.page.text
    assert "new@example.com" not in answer.page.text
    again = await console.submit(f"/contacts/{contact}/cancel-update", {"target": "new@example.com"})
    assert again.page.all("div", role="alert")


async def test_a_block_is_shown_and_lifted_after_asking(api, console):
    contact = await api.add_contact(**FILLED)
    await console.submit(f"/contacts/{contact}/verify", {"target": "anna@example.com"})
    await api.work()
    await api.service.verification.refuse(await api.token_sent_to("anna@example.com"), Visitor("198.51.100.4", ""))
    shown = await console.open(f"/contacts/{contact}")
    assert "blocked by its owner" in shown.page.text
    assert "Send again" not in shown.page.text

    asked = await console.submit(f"/contacts/{contact}/unblock", {"target": "anna@example.com"})
    assert asked.page.title == "Allow messages to a blocked address"
    assert (await api.call("ListVerificationBlocks", "2026-11-01"))["Blocks"]
    lifted = await console.submit(f"/contacts/{contact}/unblock", {"target": "anna@example.com", "sure": "yes"})

    assert "The block was lifted." in lifted.page.text
    assert (await api.call("ListVerificationBlocks", "2026-11-01"))["Blocks"] == []


async def test_evidence_of_a_confirmation_is_shown(api, console):
    contact = await api.add_verified_contact(**FILLED)

    text = (await console.open(f"/contacts/{contact}")).page.text

    assert "by the link" in text
    assert "203.0.113.9" in text


async def test_a_narrow_key_sees_what_it_may_and_which_permission_is_missing(api):
    contact = await api.add_verified_contact(**FILLED)
    await api.call("UpdateMessageContact", ContactId=contact, EmailAddress="new@example.com")
    narrow = await as_user(api, READ_ONLY)

    table, page = await narrow.open("/contacts"), await narrow.open(f"/contacts/{contact}")

    assert table.status == 403
    assert "messagecontacts:SearchMessageContacts" in table.page.text
    assert page.status == 200
    assert "new@example.com" in page.page.text
    assert "messagecontacts:GetContactStanding" in page.page.text
    assert "messagecontacts:ListVerificationEvidence" in page.page.text
    refused = await narrow.submit(f"/contacts/{contact}/verify", {"target": "new@example.com"})
    assert "SendEmailVerificationForMessageContact" in refused.page.all("div", role="alert")[0].text


async def test_names_that_a_key_may_not_read_are_asked_for_once_and_shown_as_ids(api):
    contact = await api.add_contact(**FILLED)
    folders = [await api.create_folder(f"folder-{number}") for number in range(3)]
    await api.call("AssociateMembers", ContactId=contact, Members=folders)
    narrow = await as_user(api, READ_ONLY)

    page = await narrow.open(f"/contacts/{contact}")

    assert all(folder in page.page.text for folder in folders)
    events = (await api.call("ListAuditEvents", "2026-11-01", MaxResults=100))["Events"]
    assert len([event for event in events if event["Operation"] == "GetFolder"]) <= 1


async def test_a_contact_that_does_not_exist_is_a_page_of_its_own(console):
    answer = await console.open("/contacts/c-0000000000000009")

    assert answer.status == 404
    assert answer.page.title == "This does not exist"


async def test_what_others_sent_is_never_markup(api, console):
    contact = await api.add_contact(**FILLED)
    await console.submit(f"/contacts/{contact}/verify", {"target": "anna@example.com"})
    await api.work()
    await api.service.verification.confirm(
        await api.token_sent_to("anna@example.com"), Visitor("198.51.100.4", "<b>Browser")
    )

    assert "&lt;b&gt;Browser" in (await console.open(f"/contacts/{contact}")).html
    found = await console.open("/contacts?q=%3Cb%3Enobody&node_filter=%3Cb%3E")
    assert "<b>" not in found.html


def test_every_sentence_about_a_refusal_is_about_one_that_there_is():
    declared = [operation for _, operation in REGISTRY.all()]
    codes = {error.code for operation in declared for error in operation.errors}

    assert SENTENCES.keys() - codes == set()


async def test_pages_of_contacts_speak_chinese(api, console):
    contact = await api.add_contact(**FILLED)
    console.language = "zh-CN"

    assert (await console.open("/contacts")).page.title == "联系人"
    assert "等待确认" in (await console.open(f"/contacts/{contact}")).page.text
    answer = await console.submit("/contacts/add", {})
    assert error_of(answer, "Name") == "请输入姓名。 MissingParameter.Name"


async def test_the_first_page_is_small(api, console):
    for number in range(60):
        name = "".join(chr(97 + int(digit)) for digit in f"{number:03d}")
        await api.add_contact(Name=name, EmailAddress=f"a{number}@example.com", PhoneNumber="86-13900001234")

    answer = await console.open("/contacts")
    files = [each.get("href") or each.get("src") for each in answer.page.elements if each.tag in ("link", "script")]
    total = len(answer.body) + sum([len((await console.open(file)).body) for file in files if file])

    assert total < 100_000
