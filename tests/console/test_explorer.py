"""The API explorer: lists, forms, what runs and what does not, and what is shown of a call."""

from __future__ import annotations

import json
import re
from pathlib import Path

from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import PRODUCTS
from tests.console.conftest import Console
from tests.harness import Api, open_api

CONTACTS = "/explorer/2022-04-19"
OWN = "/explorer/2026-11-01"
ADDED = {
    "Name": "王小明",
    "EmailAddress": "ming@example.com",
    "Title": "CEO",
    "MessageTypes": ["SecurityMessage", "FaultMessage"],
    "PhoneNumber": "",
}


async def test_explorer_lists_every_operation_of_every_version(console: Console) -> None:
    page = (await console.open("/explorer")).page
    links = {link["href"] for link in page.all("a")}
    for version, operation in REGISTRY.all():
        assert f"/console/explorer/{version}/{operation.name}" in links
    for version, product in PRODUCTS.items():
        assert f"{product} {version}" in page.text


async def test_explorer_finds_operations_by_words_of_name_text_and_parameters(console: Console) -> None:
    page = (await console.open("/explorer?q=detached+contactid")).page
    found = [item.text for item in page.all("li") if "data-words" in item.attributes]
    assert len(found) == 2  # DeleteDetachedContact and PreviewChange name the parameter
    assert "2 operations." in page.text


async def test_explorer_narrows_to_a_version(console: Console) -> None:
    page = (await console.open("/explorer?version=2015-04-01")).page
    assert [item.text.split()[0] for item in page.all("li") if "data-words" in item.attributes] == ["GetCallerIdentity"]


async def test_explorer_says_that_nothing_matches(console: Console) -> None:
    page = (await console.open("/explorer?q=unheardof")).page
    assert "No operation matches." in page.text
    assert "Show all operations" in [link.text for link in page.all("a", href="/console/explorer")]


async def test_explorer_has_a_page_for_every_operation_and_its_errors(console: Console) -> None:
    for version, operation in REGISTRY.all():
        answer = await console.open(f"/explorer/{version}/{operation.name}")
        assert answer.status == 200
        assert len(answer.body) < 100_000
        page = answer.page
        assert operation.doc.replace("`", "") in page.text
        names = {element.get("name").partition(".")[0] for element in page.elements}
        assert {parameter.name for parameter in operation.parameters} <= names
        errors = (await console.open(f"/explorer/{version}/{operation.name}/errors")).page
        for definition in operation.errors:
            assert definition.code in errors.text
        for code, reason in operation.never.items():
            assert code in errors.text
            assert reason.replace("`", "") in errors.text


async def test_opening_a_page_runs_nothing(console: Console, api: Api) -> None:
    await console.open(f"{CONTACTS}/AddMessageContact?Name=tom&EmailAddress=a@example.com&Title=CEO&MessageTypes=x")
    assert (await api.call("ListMessageContacts"))["TotalCount"] == 0
    await console.open(f"{CONTACTS}/DestroyResourceDirectory?do=run&confirmed=yes")
    assert (await api.call("GetResourceDirectory"))["ResourceDirectory"]


async def test_link_fills_in_the_form(console: Console) -> None:
    query = "Members.1=fd-1&Members.2=r-1&ContactId=c-1"
    page = (await console.open(f"{CONTACTS}/AssociateMembers?{query}")).page
    assert page.value("ContactId") == "c-1"
    assert [field["value"] for field in page.all("input", name="Members")] == ["fd-1", "r-1", ""]
    query = "Tag.1.Key=k&Tag.1.Value=v&IncludeTags=true"
    page = (await console.open(f"{CONTACTS}/ListAccounts?{query}")).page
    assert page.value("Tag.1.Key") == "k"
    assert page.value("Tag.1.Value") == "v"
    assert page.one("option", value="true", selected="").text == "true"


async def test_running_shows_the_answer_as_the_wire_would(console: Console, api: Api) -> None:
    page = (await console.submit(f"{CONTACTS}/AddMessageContact", {**ADDED, "do": "run"})).page
    answer = json.loads(page.one("code", id="answer-json").text)
    contact_id = answer["Contact"]["ContactId"]
    assert (await api.contact(contact_id))["Name"] == "王小明"
    assert answer["RequestId"] in page.one("section", id="answer").text
    assert re.search(r"[0-9.]+ ms", page.one("section", id="answer").text)
    assert "Carried out 200" in page.text
    xml = page.one("code", id="answer-xml").text
    assert xml.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<AddMessageContactResponse>')
    assert f"<ContactId>{contact_id}</ContactId>" in xml
    # The form still holds what was sent.
    assert page.value("Name") == "王小明"
    assert len(page.all("input", name="MessageTypes", checked="")) == 2


async def test_refusal_is_shown_with_its_cause(console: Console) -> None:
    page = (await console.submit(f"{CONTACTS}/AddMessageContact", {**ADDED, "Name": "x1", "do": "run"})).page
    section = page.one("section", id="answer").text
    assert "Refused 400" in section
    assert "InvalidParameter.Name" in section
    assert "2 to 12 English letters or Chinese characters" in section
    assert page.all("a", href="/console/explorer/2022-04-19/AddMessageContact/errors#InvalidParameter.Name")
    assert json.loads(page.one("code", id="answer-json").text)["Code"] == "InvalidParameter.Name"


async def test_what_is_missing_and_what_is_doubled_reaches_the_operation_as_it_was_entered(console: Console) -> None:
    page = (await console.submit(f"{CONTACTS}/AddMessageContact", {"do": "run"})).page
    assert "MissingParameter.Name" in page.text
    fields = {"ContactId": "c-qL4HqKONzOM7abcd", "Members": ["fd-ZDNPiT1234", "fd-ZDNPiT1234"], "do": "run"}
    page = (await console.submit(f"{CONTACTS}/AssociateMembers", fields)).page
    assert "InvalidParameter.Members.Duplicate" in page.one("section", id="answer").text


async def test_objects_are_entered_without_scripts(console: Console, api: Api) -> None:
    fields = {"DisplayName": "Dev", "Tag.1.Key": "stage", "Tag.1.Value": "测试", "Tag.2.Key": "", "do": "run"}
    page = (await console.submit(f"{CONTACTS}/CreateResourceAccount", fields)).page
    member = json.loads(page.one("code", id="answer-json").text)["Account"]["AccountId"]
    account = (await api.call("GetAccount", AccountId=member, IncludeTags=True))["Account"]
    assert account["Tags"] == [{"Key": "stage", "Value": "测试"}]


async def test_another_row_keeps_what_was_entered_and_runs_nothing(console: Console, api: Api) -> None:
    fields = {"DisplayName": "Dev", "Tag.1.Key": "a", "Tag.2.Key": "b", "do": "more:Tag"}
    page = (await console.submit(f"{CONTACTS}/CreateResourceAccount", fields)).page
    assert page.value("DisplayName") == "Dev"
    assert [page.value(f"Tag.{position}.Key") for position in (1, 2, 3)] == ["a", "b", ""]
    fields = {"Members": ["x", "", ""], "do": "more:Members"}
    page = (await console.submit(f"{CONTACTS}/AssociateMembers", fields)).page
    assert [field["value"] for field in page.all("input", name="Members")] == ["x", "", "", ""]
    assert (await api.call("ListAccounts"))["TotalCount"] == 0


async def test_empty_value_is_sent_only_when_asked_for(console: Console, api: Api) -> None:
    contact_id = await api.add_contact(PhoneNumber="86-13900001234")
    given = {"ContactId": contact_id, "PhoneNumber": "", "Title": "Other", "do": "run"}
    await console.submit(f"{CONTACTS}/UpdateMessageContact", given)
    assert (await api.contact(contact_id))["PhoneNumber"] == "86-13900001234"
    await console.submit(f"{CONTACTS}/UpdateMessageContact", {**given, "empty": "PhoneNumber"})
    assert (await api.contact(contact_id))["PhoneNumber"] == ""


async def test_what_takes_away_is_asked_for_once_more(console: Console, api: Api) -> None:
    contact_id = await api.add_contact()
    fields = {"ContactId": contact_id, "RetainContactInMembers": "", "do": "run"}
    asking = (await console.submit(f"{CONTACTS}/DeleteMessageContact", fields)).page
    assert asking.title == "Run DeleteMessageContact?"
    assert contact_id in asking.text
    assert await api.contact(contact_id)
    again = {field["name"]: field["value"] for field in asking.all("input", type="hidden") if field["name"] != "csrf"}
    page = (await console.submit(f"{CONTACTS}/DeleteMessageContact", {**again, "do": "run"})).page
    assert "Carried out 200" in page.text
    assert (await api.call("ListMessageContacts"))["TotalCount"] == 0


async def test_samples_follow_the_form_and_hold_no_secret(console: Console) -> None:
    page = (await console.submit(f"{CONTACTS}/AddMessageContact", {**ADDED, "do": "show"})).page
    samples = [element for element in page.all("code") if element.get("id").startswith("sample-")]
    assert len(samples) == 9
    for sample in samples:
        assert "王小明" in sample.text or "%E7%8E%8B%E5%B0%8F%E6%98%8E" in sample.text
        assert "127.0.0.1" in sample.text
        assert "8080" in sample.text
    assert "test-secret" not in page.html
    assert "Nothing has been run yet." in page.text


async def test_samples_show_examples_until_something_is_entered(console: Console) -> None:
    page = (await console.open(f"{CONTACTS}/AddMessageContact")).page
    assert "With the example values of the required parameters" in page.text
    assert "TechnicalDirector" in page.one("code", id="sample-python").text


async def test_signed_text_has_placeholders_for_what_only_the_caller_has(console: Console) -> None:
    page = (await console.submit(f"{CONTACTS}/AddMessageContact", {**ADDED, "do": "show"})).page
    request = page.one("code", id="request-1").text
    assert "Credential=<AccessKeyId>," in request
    assert "Signature=<Signature>" in request
    assert "x-acs-signature-nonce:<Nonce>" in page.one("code", id="canonical-1").text
    assert page.one("code", id="to-sign-2").text.startswith("POST&%2F&AccessKeyId%3D<AccessKeyId>%26Action%3D")


async def test_narrow_user_sees_pages_and_is_told_which_permission_is_missing(console: Console, api: Api) -> None:
    await api.call("CreateUser", "2015-05-01", UserName="narrow")
    key = (await api.call("CreateAccessKey", "2015-05-01", UserName="narrow"))["AccessKey"]
    narrow = Console(api)
    await narrow.sign_in(key["AccessKeyId"], key["AccessKeySecret"])
    assert (await narrow.open(f"{CONTACTS}/ListMessageContacts")).status == 200
    page = (await narrow.submit(f"{CONTACTS}/ListMessageContacts", {"do": "run"})).page
    section = page.one("section", id="answer").text
    assert "Refused 403" in section
    assert "resourcemanager:ListMessageContacts" in section


async def test_what_is_run_counts_towards_the_calls_a_second_and_pages_do_not(database_path: Path) -> None:
    async with open_api(database_path, {"requests_per_second": 2}) as api:
        console = Console(api)
        await console.sign_in()
        api.clock.advance(1)
        for _ in range(5):
            assert (await console.open("/contacts")).status == 200
        adding = [
            (await console.submit(f"{CONTACTS}/CreateFolder", {"FolderName": f"f-{number}", "do": "run"})).page
            for number in range(3)
        ]
        told = [page.one("section", id="answer").text for page in adding]
        assert ["Carried out 200" in text for text in told] == [True, True, False]
        assert "Refused 400" in told[2]
        assert "Throttling.User" in told[2]
        api.clock.advance(0.5)
        await api.call("CreateFolder", FolderName="f-2")  # nothing was done, and one limit holds for both
        assert (await api.error("GetResourceDirectory"))[1]["Code"] == "Throttling.User"


async def test_a_page_says_on_what_its_operation_can_be_denied_as_well(console: Console) -> None:
    page = (await console.open(f"{CONTACTS}/TagResources")).page
    (term,) = [element for element in page.all("dt") if element.text == "Can be denied on"]
    assert "acs:resourcemanager:*:*:account/{ResourceId}" in page.elements[page.elements.index(term) + 1].text
    assert "Can be denied on" not in (await console.open(f"{CONTACTS}/GetFolder")).page.text


async def test_unknown_operation_is_a_page_of_its_own(console: Console) -> None:
    assert (await console.open(f"{CONTACTS}/PublishMessage")).status == 404
    assert (await console.open("/explorer/1999-01-01/AddMessageContact")).status == 400


async def test_hostile_values_stay_text(console: Console) -> None:
    hostile = "</code><script>alert(1)</script>\"'{{ 7*7 }}"
    answer = await console.submit(f"{OWN}/PublishMessage", {"Subject": hostile, "Text": hostile, "do": "run"})
    assert "<script>alert" not in answer.html
    assert len(answer.page.all("script")) == len((await console.open(f"{OWN}/PublishMessage")).page.all("script"))
    assert answer.page.value("Subject") == hostile


async def test_errors_page_has_every_error_with_its_cause(console: Console) -> None:
    page = (await console.open("/explorer/errors")).page
    ids = {row.get("id") for row in page.all("tr")}
    for _, operation in REGISTRY.all():
        assert {definition.code for definition in operation.errors} <= ids
    assert {"SignatureDoesNotMatch", "NoPermission", "InternalError"} <= ids
    assert [cause.text for cause in page.all("p", class_="cause") if not cause.text] == []


async def test_errors_are_found_by_words(console: Console) -> None:
    page = (await console.open("/explorer/errors?q=temporary+key")).page
    assert [row.get("id") for row in page.all("tr") if row.get("id")] == ["InvalidSecurityToken.Expired"]
    assert "No error matches." in (await console.open("/explorer/errors?q=unheardof")).page.text
