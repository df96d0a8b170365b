"""Showing a person everything that is held on them."""

from __future__ import annotations

import json
from typing import Any

from tests.api.privacy_world import (
    EMAIL,
    NAME,
    OWN,
    PHONE,
    REPLACEMENT,
    SEND_EMAIL,
    VISITOR,
    leave_traces,
)
from tests.harness import Api

NOW = "2026-11-21T08:00:00.000Z"


async def test_the_export_holds_everything_with_its_times(api: Api) -> None:
    traces = await leave_traces(api)
    found = await api.call("ExportPerson", OWN, ContactId=traces.contact_id, MaxResults=100)

    bindings = found["Contact"].pop("Bindings")
    assert [binding["BindTime"] for binding in bindings] == [NOW]
    assert found["Contact"] == {
        "Name": NAME,
        "Title": "CEO",
        "MessageTypes": ["SecurityMessage"],
        "Status": "Verifying",
        "CreateTime": NOW,
        "EmailAddress": {"Target": EMAIL, "ConfirmTime": NOW, "Captured": True, "Replacement": REPLACEMENT},
        "PhoneNumber": {"Target": PHONE},
    }
    (copy,) = found["DetachedContacts"]
    assert (copy["Name"], copy["EmailAddress"], copy["DetachTime"]) == (NAME, EMAIL, NOW)
    verifications = {entry["Target"]: entry for entry in found["Verifications"]}
    assert verifications[EMAIL]["State"] == "confirmed"
    assert verifications[PHONE] | {"VerificationId": ""} == {
        "VerificationId": "",
        "Channel": "sms",
        "Target": PHONE,
        "State": "waiting",
        "TimesSent": 2,
        "SendTime": NOW,
        "ExpireTime": "2026-11-22T08:00:00.000Z",
        "WrongCodes": 0,
    }
    (evidence,) = found["Evidence"]
    assert (evidence["Target"], evidence["SourceAddress"], evidence["UserAgent"], evidence["ConfirmTime"]) == (
        EMAIL,
        VISITOR.source_address,
        VISITOR.user_agent,
        NOW,
    )
    assert found["Blocks"] == [
        {"Channel": "email", "Target": REPLACEMENT, "BlockTime": NOW, "SourceAddress": VISITOR.source_address}
    ]
    (job,) = found["Jobs"]
    assert (job["Kind"], job["Channel"], job["DueTime"]) == ("send-verification", "sms", NOW)
    assert [message["Recipient"] for message in found["Messages"]] == [EMAIL, PHONE, REPLACEMENT]
    operations = {event["Operation"] for event in found["AuditEvents"]}
    assert {"AddMessageContact", SEND_EMAIL, "UpdateMessageContact"} <= operations
    added = next(event for event in found["AuditEvents"] if event["Operation"] == "AddMessageContact")
    (told,) = json.loads(added["Personal"])["changes"]
    assert told["fields"]["email.shown"]["masked"] == "e***@example.com"
    assert "NextToken" not in found


async def test_messages_and_events_come_in_pages_that_miss_and_repeat_nothing(api: Api) -> None:
    traces = await leave_traces(api)
    whole = await api.call("ExportPerson", OWN, ContactId=traces.contact_id, MaxResults=100)
    for size in (1, 2, 3, 4, 5):
        pages = await pages_of(api, traces.contact_id, size)
        assert all(len(page["Messages"]) + len(page["AuditEvents"]) == size for page in pages[:-1])
        for name in ("Messages", "AuditEvents"):
            assert [entry for page in pages for entry in page[name]] == whole[name]
        assert "Contact" in pages[0]
        assert all("Contact" not in page and "Evidence" not in page for page in pages[1:])


async def pages_of(api: Api, contact_id: str, size: int) -> list[dict[str, Any]]:
    """All pages of an export."""
    pages = [await api.call("ExportPerson", OWN, ContactId=contact_id, MaxResults=size)]
    while token := pages[-1].get("NextToken"):
        pages.append(await api.call("ExportPerson", OWN, ContactId=contact_id, MaxResults=size, NextToken=token))
    return pages


async def test_of_a_contact_that_is_gone_what_it_left_is_shown(api: Api) -> None:
    traces = await leave_traces(api)
    await api.call("DeleteMessageContact", ContactId=traces.contact_id)
    found = await api.call("ExportPerson", OWN, ContactId=traces.contact_id, MaxResults=100)
    assert "Contact" not in found
    assert len(found["DetachedContacts"]) == 2
    assert len(found["Evidence"]) == 1
    assert len(found["Messages"]) == 3


async def test_exporting_changes_nothing(api: Api) -> None:
    traces = await leave_traces(api)
    first = await api.call("ExportPerson", OWN, ContactId=traces.contact_id, MaxResults=100)
    assert await api.call("ExportPerson", OWN, ContactId=traces.contact_id, MaxResults=100) == first


async def test_messages_about_others_to_a_shared_address_are_not_shown(api: Api) -> None:
    mine, theirs = [await api.add_contact(Name=name, EmailAddress=EMAIL) for name in (NAME, "Other")]
    for contact_id in (mine, theirs):
        await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    (message,) = (await api.call("ExportPerson", OWN, ContactId=mine))["Messages"]
    assert NAME in message["Text"]


async def test_a_token_that_is_none_and_a_contact_id_that_is_none_are_refused(api: Api) -> None:
    contact_id = await api.add_contact()
    for token in ("%%%", "eA", "!"):
        status, body = await api.error("ExportPerson", OWN, ContactId=contact_id, NextToken=token)
        assert (status, body["Code"]) == (400, "InvalidParameter.NextToken")
    for operation in ("ExportPerson", "ErasePerson"):
        status, body = await api.error(operation, OWN)
        assert (status, body["Code"]) == (400, "MissingParameter.ContactId")
        status, body = await api.error(operation, OWN, ContactId="nobody")
        assert (status, body["Code"]) == (400, "InvalidParameter.ContactId")
