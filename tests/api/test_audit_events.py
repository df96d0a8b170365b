"""Every change writes one event in the same commit, whoever makes it; a call that changes nothing writes none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import orjson
import pytest

from message_contacts.contacts.model import MessageType
from message_contacts.delivery.preference_rules import Choice
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import Access
from message_contacts.verification.challenge import PageState
from tests import signing
from tests.api.audit_world import (
    CHANGING,
    DUTY,
    EMAIL,
    NAME,
    NEW_CONTACT,
    NOTE,
    OTHER_EMAIL,
    PHONE,
    SUBJECT,
    URL_SECRET,
    VISITOR,
    WISH,
    confirmed_contact,
    contact,
    preferences_link,
)
from tests.api.ram_users import ram_user, statement
from tests.api.recipients import unsubscribe_link
from tests.harness import KEY_ID, SECRET, Api, open_api

OWN = "2026-11-01"
#: Changing operations that never change anything: Terraform asks for them, and the answer is that there is nothing; and
#: a check that elsewhere is work of its own.
NEVER = {"CheckAccountDelete", "DeleteLoginProfile", "UnbindMFADevice"}
#: Changing operations that change no record: captured messages are outside the trail, and so are messages sent to try.
UNTOLD = {"ClearInbox", "SendTestMessage"}
WRITES = [
    pytest.param(version, operation.name, id=f"{operation.name}-{version}")
    for version, operation in REGISTRY.all()
    if operation.access is Access.WRITE and operation.name not in NEVER | UNTOLD
]
#: Must never stand in the trail as it is.
PERSONAL = [EMAIL, OTHER_EMAIL, PHONE, "13900001234", "mustermann@", NAME, DUTY, WISH, NOTE, URL_SECRET, SUBJECT]
#: Must stand in the personal parts only.
OF_VISITORS = [VISITOR.source_address, VISITOR.user_agent]


async def events(api: Api, **filters: Any) -> list[dict[str, Any]]:
    """The tenant's events, oldest first."""
    found: list[dict[str, Any]] = (await api.call("ListAuditEvents", OWN, MaxResults=100, **filters))["Events"]
    return found[::-1]


def rows(path: Path) -> dict[str, Sequence[tuple[Any, ...]]]:
    """All rows of the trail, looked at from outside."""
    connection = apsw.Connection(str(path))
    try:
        return {
            table: connection.execute(f"SELECT * FROM {table}").fetchall()
            for table in ("audit_event", "audit_personal")
        }
    finally:
        connection.close()


def test_every_changing_operation_is_tried() -> None:
    names = {operation.name for _, operation in REGISTRY.all() if operation.access is Access.WRITE}
    assert names == set(CHANGING) | NEVER | UNTOLD


@pytest.mark.parametrize(("version", "operation"), WRITES)
async def test_a_change_writes_one_event_that_says_who_and_what(
    version: str, operation: str, database_path: Path
) -> None:
    async with open_api(database_path) as api:
        asked = await CHANGING[operation](api)
        caller = asked.api or api
        api.clock.advance(1)
        before = {row[1] for row in rows(database_path)["audit_event"]}
        declared = {parameter.name for parameter in REGISTRY.find(version, operation).parameters}
        given = {name: value for name, value in asked.parameters.items() if name in declared}

        status, body = await caller.answer(operation, version, **given)

        assert status == 200, body
        new = [row for row in rows(database_path)["audit_event"] if row[1] not in before]
        assert len(new) == 1
        (event,) = [event for event in await events(caller) if event["EventId"] == new[0][1]]
        assert (event["Operation"], event["Kind"], event["Times"]) == (operation, "change", 1)
        assert (event["AccessKeyId"], event["SourceAddress"]) == (caller.key_id, "203.0.113.9")
        assert event["RequestId"] == body["RequestId"]
        assert "UserId" not in event
        assert event["Changes"]
        if asked.target is None:
            assert any(target in orjson.dumps(body).decode() for target in event["Targets"])
        else:
            assert asked.target in event["Targets"]
        stored = repr(rows(database_path))
        for word in [*PERSONAL, SECRET, caller.secret, body.get("AccessKey", {}).get("AccessKeySecret") or SECRET]:
            assert word not in stored
        assert not [word for word in OF_VISITORS if word in repr(rows(database_path)["audit_event"])]


@pytest.mark.parametrize("operation", ["CreateResourceAccount", "EnableResourceDirectory", "UpdateAccount"])
async def test_a_dry_run_writes_no_event(operation: str, api: Api, database_path: Path) -> None:
    asked = await CHANGING[operation](api)
    before = rows(database_path)

    await (asked.api or api).call(operation, **asked.parameters, DryRun="true")

    assert rows(database_path) == before


async def test_a_refused_change_writes_no_event(api: Api, database_path: Path) -> None:
    await api.call("AddMessageContact", **NEW_CONTACT)
    before = rows(database_path)
    await api.error("AddMessageContact", **NEW_CONTACT)
    await api.error("UpdateMessageContact", ContactId="c-nobody", Name="Anna")
    await api.error("DeleteFolder", FolderId=await api.root_folder())

    assert rows(database_path) == before


async def test_a_change_that_changes_nothing_writes_no_event(api: Api, database_path: Path) -> None:
    contact_id = await contact(api)
    before = rows(database_path)

    await api.call("UpdateMessageContact", ContactId=contact_id, Name=NAME, EmailAddress=EMAIL)

    assert rows(database_path) == before


async def test_a_change_that_is_repeated_is_told_once(api: Api) -> None:
    request = signing.v3("AddMessageContact", NEW_CONTACT, key_id=KEY_ID, secret=SECRET, now_ms=api.clock.now())
    await api.send(request)
    await api.send(request)

    assert len(await events(api, Operation="AddMessageContact")) == 1


async def test_what_changed_is_told_before_and_after_addresses_masked(api: Api) -> None:
    contact_id = await confirmed_contact(api)
    api.clock.advance(1)
    await api.call(
        "UpdateMessageContact",
        ContactId=contact_id,
        EmailAddress=OTHER_EMAIL,
        Title="Other",
        MessageTypes=["FaultMessage"],
    )

    (event,) = await events(api, Operation="UpdateMessageContact")

    (change,) = event["Changes"]
    fields = {entry["Name"]: (entry.get("Before"), entry.get("After")) for entry in change["Fields"]}
    assert (change["Action"], change["Type"], change["Id"]) == ("update", "Contact", contact_id)
    assert fields["message_types"] == ('["SecurityMessage"]', '["FaultMessage"]')
    (person,) = event["People"]
    fields = {entry["Name"]: (entry.get("Before"), entry.get("After")) for entry in person["Changes"][0]["Fields"]}
    assert person["PersonId"] == contact_id
    assert fields == {"email.waiting": (None, "t***@example.org"), "title": ("CEO", "Other")}


async def test_the_person_at_the_page_is_told_apart_from_callers(api: Api) -> None:
    """Who confirmed, and from where, is personal: it stands in the part that can be erased, and only there."""
    contact_id = await contact(api)
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    token, service = await api.token_sent_to(EMAIL), api.service.verification
    for act in (service.refuse, service.take_back, service.confirm):
        api.clock.advance(1)
        await act(token, VISITOR)

    told = (await events(api))[-3:]

    assert [event["Operation"] for event in told] == ["page:refuse", "page:take-back", "page:confirm"]
    for event in told:
        assert not {"AccessKeyId", "SourceAddress", "RequestId"} & set(event)
        (person,) = event["People"]
        assert (person["PersonId"], person["SourceAddress"]) == (contact_id, VISITOR.source_address)
        assert set(event["Targets"]) == {contact_id, token[:10]}
    assert (await events(api, TargetId=contact_id))[-3:] == told


async def test_what_a_person_wants_of_messages_is_told_with_where_it_came_from(api: Api) -> None:
    """But one click in a mail is about an address, whoever has it: then nobody is named, and nothing personal kept."""
    link = await preferences_link(api)
    pages = api.service.recipients.preferences
    api.clock.advance(1)
    choice = Choice(wanted=frozenset({MessageType.FAULT_MESSAGE}), quiet=None, language="en")
    await pages.choose(link, choice, VISITOR.source_address)
    api.clock.advance(1)
    await pages.ask_to_hand_over(link, WISH, VISITOR.source_address)
    api.clock.advance(1)
    await pages.unsubscribe((await unsubscribe_link(api, EMAIL)).rpartition("/")[2], VISITOR.source_address)

    chosen, asked, unsubscribed = (await events(api))[-3:]

    contact_id = chosen["Targets"][0]
    assert (chosen["Operation"], chosen["Changes"][0]["Type"]) == ("page:preferences", "Preference")
    assert (asked["Operation"], asked["Changes"][0]["Type"]) == ("page:hand-over", "HandOver")
    for event in (chosen, asked):
        (person,) = event["People"]
        assert (person["PersonId"], person["SourceAddress"]) == (contact_id, VISITOR.source_address)
    assert (unsubscribed["Operation"], unsubscribed["People"], unsubscribed["Targets"]) == ("page:unsubscribe", [], [])
    assert VISITOR.source_address not in repr(unsubscribed)


async def test_sending_writes_no_events_of_its_own(api: Api) -> None:
    """However many deliveries a message has: the trail tells that it was published, and that everybody was found."""
    await preferences_link(api)

    told = await events(api)
    of_message = sorted(
        (event["Operation"], [change["Type"] for change in event["Changes"]])
        for event in told
        if any(target.startswith("m-") for target in event["Targets"])
    )

    assert of_message == [("PublishMessage", ["Message"]), ("worker:expand-message", ["Message"])]
    assert "worker:deliver" not in {event["Operation"] for event in told}


async def test_work_that_is_tried_again_is_found_by_its_verification(api: Api) -> None:
    asked = await CHANGING["RetryFailedJob"](api)
    (sent,) = await events(api, Operation="SendEmailVerificationForMessageContact")
    verification_id = sent["Targets"][0]
    api.clock.advance(1)
    await api.call("RetryFailedJob", OWN, **asked.parameters)

    found = (await events(api, TargetId=verification_id))[-1]
    assert (found["Operation"], found["Targets"]) == ("RetryFailedJob", [asked.target, verification_id])


async def test_a_wrong_code_is_told(api: Api) -> None:
    contact_id = await contact(api)
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    reference = (await api.token_sent_to(EMAIL))[:10]
    wrong = f"{(int(await api.code_sent_to(EMAIL)) + 1) % 1_000_000:06}"
    api.clock.advance(1)

    view = await api.service.verification.confirm_by_code(reference, wrong, VISITOR)

    assert view.state is PageState.CODE_REFUSED
    event = (await events(api))[-1]
    assert (event["Operation"], event["Targets"]) == ("page:code", [reference, contact_id])


async def test_the_worker_the_operator_and_the_first_start_are_told(api: Api) -> None:
    api.clock.advance(1)
    contact_id = await contact(api)
    api.clock.advance(1)
    await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=False)
    api.clock.advance(1)
    await api.work()
    api.clock.advance(1)
    key = await api.service.administration.create_access_key(api.account_id)
    api.clock.advance(1)
    _, new = await api.service.administration.rotate_access_key(key.access_key_id)
    api.clock.advance(1)
    await api.service.administration.delete_access_key(key.access_key_id)

    told = [(event["Operation"], event["Targets"]) for event in await events(api)]

    assert told[0][0] == "first-start"
    assert api.account_id in told[0][1]
    assert told[3:] == [
        ("worker:withdraw-contact", [contact_id]),
        ("operator:create-access-key", [key.access_key_id]),
        ("operator:rotate-access-key", [new.access_key_id, key.access_key_id]),
        ("operator:delete-access-key", [key.access_key_id]),
    ]


async def test_a_ram_user_is_named_by_its_id_and_found_by_its_name(api: Api) -> None:
    user = await ram_user(api, "editor", statement("Allow", "*"))
    await user.call("AddMessageContact", **NEW_CONTACT)

    (event,) = await events(api, UserName="editor")

    assert (event["Operation"], event["AccessKeyId"]) == ("AddMessageContact", user.key_id)
    assert await events(api, UserId=event["UserId"]) == [event]
    assert await events(api, UserName="nobody") == []


async def test_refusals_for_lack_of_permission_are_written_beside_the_calls(api: Api) -> None:
    user = await ram_user(api, "reader", statement("Allow", "resourcemanager:Get*"))
    for _ in range(12):
        await user.error("AddMessageContact", **NEW_CONTACT)
    assert await events(api, Kind="refusal") == []

    await api.service.refusals.write(everything=True)

    told = await events(api, Kind="refusal")
    assert sorted(event["Times"] for event in told) == [1] * 10 + [2]
    assert {(event["Operation"], event["AccessKeyId"], event["SourceAddress"]) for event in told} == {
        ("AddMessageContact", user.key_id, "203.0.113.9")
    }
    assert all(event["Targets"] and not event["Changes"] for event in told)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"Operation": "CreateFolder"}, ["CreateFolder"] * 3),
        ({"TargetId": "{folder}"}, ["CreateFolder", "UpdateFolder"]),
        ({"StartTime": "2026-11-21T08:00:02Z"}, ["CreateFolder", "CreateFolder", "UpdateFolder"]),
        ({"EndTime": "2026-11-21T08:00:02.000Z"}, ["first-start", "CreateFolder"]),
        ({"EndTime": "2026-11-21T08:00:02"}, ["first-start", "CreateFolder"]),
        ({"StartTime": "2026-11-21T16:00:02+08:00", "EndTime": "2026-11-21T08:00:03Z"}, ["CreateFolder"]),
        (
            {"UserAccessKeyId": KEY_ID, "Kind": "change"},
            ["CreateFolder", "CreateFolder", "CreateFolder", "UpdateFolder"],
        ),
        ({"UserAccessKeyId": "MCnobody"}, []),
    ],
)
async def test_events_are_found_by_what_is_asked_for(filters: dict[str, str], expected: list[str], api: Api) -> None:
    folders = []
    for name in ("a", "b", "c"):
        api.clock.advance(1)
        folders.append(await api.create_folder(name))
    api.clock.advance(1)
    await api.call("UpdateFolder", FolderId=folders[0], NewFolderName="d")

    told = await events(api, **{name: value.format(folder=folders[0]) for name, value in filters.items()})

    assert [event["Operation"] for event in told] == expected


async def test_pages_begin_with_the_newest_and_do_not_shift(api: Api) -> None:
    for name in "abcd":
        api.clock.advance(1)
        await api.create_folder(name)
    first = await api.call("ListAuditEvents", OWN, MaxResults=2)
    api.clock.advance(1)
    await api.create_folder("e")

    second = await api.call("ListAuditEvents", OWN, MaxResults=2, NextToken=first["NextToken"])
    third = await api.call("ListAuditEvents", OWN, MaxResults=2, NextToken=second["NextToken"])

    def names(page: dict[str, Any]) -> list[str]:
        fields = [event["Changes"][-1]["Fields"] for event in page["Events"]]
        return [next(entry["After"] for entry in entries if entry["Name"] == "name") for entries in fields]

    assert [names(first), names(second), names(third)] == [["d", "c"], ["b", "a"], ["root"]]
    assert "NextToken" not in third


async def test_a_page_looks_at_a_bounded_number_of_events(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("message_contacts.audit.reading.LOOKED_AT", 2)
    monkeypatch.setattr("message_contacts.audit.reading._AT_A_TIME", 2)
    for name in "abc":
        api.clock.advance(1)
        await api.create_folder(name)

    page = await api.call("ListAuditEvents", OWN, Operation="first-start")
    assert page["Events"] == []
    last = await api.call("ListAuditEvents", OWN, Operation="first-start", NextToken=page["NextToken"])
    assert [event["Operation"] for event in last["Events"]] == ["first-start"]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *((parameter, "é") for parameter in ("Kind", "StartTime", "EndTime", "NextToken", "MaxResults")),
        ("StartTime", "2026-11-21T08:00:00Z\0"),
    ],
)
async def test_what_cannot_be_is_refused(parameter: str, value: str, api: Api) -> None:
    status, body = await api.error("ListAuditEvents", OWN, **{parameter: value})
    assert (status, body["Code"]) == (400, f"InvalidParameter.{parameter}")


async def test_events_of_another_tenant_are_not_shown(api: Api) -> None:
    other = await api.other_tenant()
    contact_id = await contact(api)

    told = await events(other)

    assert {event["Operation"] for event in told} == {
        "operator:create-account",
        "operator:create-access-key",
        "EnableResourceDirectory",
    }
    assert await events(other, TargetId=contact_id) == []
    assert await events(other, UserAccessKeyId=api.key_id) == []


async def test_an_erased_person_leaves_events_without_a_personal_part(api: Api, database_path: Path) -> None:
    contact_id = await confirmed_contact(api)
    await api.service.sealer.seal()

    await api.call("ErasePerson", OWN, ContactId=contact_id)

    assert rows(database_path)["audit_personal"] == []
    told = await events(api, TargetId=contact_id)
    assert {event["Operation"] for event in told} > {"AddMessageContact", "page:confirm"}
    assert all(event["People"] == [] for event in told)
    (erasure,) = await events(api, Operation="ErasePerson")
    assert erasure["Changes"][-1]["Action"] == "erase"


async def test_a_sealed_event_has_its_place_and_hash(api: Api) -> None:
    assert not {"Sequence", "Hash"} & set((await events(api))[0])

    await api.service.sealer.seal()

    (event,) = await events(api)
    assert (event["Sequence"], len(event["Hash"])) == (1, 64)
