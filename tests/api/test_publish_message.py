"""The life of a message, from publishing it to the inbox."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.publishing import OURS, WORDING, counts, deliveries, notices, publish, states
from tests.conftest import ENGINES

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

FAULT = ["FaultMessage"]


async def test_a_message_reaches_the_contacts_in_effect_and_says_why(api):
    root = await api.root_folder()
    folder = await api.create_folder("sales")
    member = await api.create_member("shop", folder)
    await api.add_verified_contact(root, Name="Tom", EmailAddress="tom@example.com", MessageTypes=FAULT)
    await api.add_verified_contact(member, Name="Ann", EmailAddress="ann@example.com", MessageTypes=FAULT)

    message_id = await publish(api, folder)
    await api.work()

    assert await states(api, message_id) == {"tom@example.com": ("sent", ""), "ann@example.com": ("sent", "")}
    (to_tom,) = await notices(api, "tom@example.com")
    assert to_tom["Subject"] == "Disk full"
    assert to_tom["Text"].startswith("The disk of the database is full.\n")
    assert f"Tom of all accounts in the folder root ({root})" in to_tom["Text"]
    assert "platform-team sent you this notice" in to_tom["Text"]
    assert "通知类型：故障" in to_tom["Text"]
    (to_ann,) = await notices(api, "ann@example.com")
    assert f"Ann of the account shop ({member})" in to_ann["Text"]
    assert f"<li>You are the contact Ann of the account shop ({member}).</li>" in to_ann["Html"]


async def test_publishing_answers_at_once_and_the_rest_is_waiting_work(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, MessageTypes=FAULT)

    answer = await api.call("PublishMessage", OURS, **WORDING, Targets=[root])

    assert answer["State"] == "Expanding"
    assert set(answer["Counts"].values()) == {0}
    await api.work()
    message = (await api.call("GetMessage", OURS, MessageId=answer["MessageId"]))["Message"]
    assert message["State"] == "Published"
    assert message["Counts"]["Sent"] == 1
    assert message["Text"] == WORDING["Text"]
    assert message["PublishedBy"] == api.key_id


async def test_the_same_token_and_content_give_the_same_message_and_send_nothing_more(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, MessageTypes=FAULT)

    first = await publish(api, root, ClientToken="once")
    await api.work()
    again = await publish(api, root, ClientToken="once")
    await api.work()

    assert again == first
    assert len(await notices(api, "tom@example.com")) == 1


async def test_the_same_token_with_other_content_is_refused(api):
    root = await api.root_folder()
    await publish(api, root, ClientToken="once")

    for other in ({"Text": "Something else."}, {"Severity": "Critical"}, {"ExpiresAt": "2027-01-01T00:00:00Z"}):
        given = {**WORDING, "Targets": [root], "ClientToken": "once", **other}
        status, body = await api.error("PublishMessage", OURS, **given)
        assert (status, body["Code"]) == (409, "IdempotentParameterMismatch"), other


async def test_a_repeated_call_after_the_message_has_expired_still_gives_the_message(api):
    root = await api.root_folder()
    given = {"ClientToken": "once", "ExpiresAt": "2026-11-21T09:00:00+00:00"}
    first = await publish(api, root, **given)
    api.clock.advance(7200)

    assert await publish(api, root, **given) == first


async def test_calls_with_the_same_token_at_the_same_time_publish_one_message(api):
    root = await api.root_folder()

    published = await asyncio.gather(*(publish(api, root, ClientToken="once") for _ in range(8)))

    assert len(set(published)) == 1
    assert len((await api.call("ListMessages", OURS))["Messages"]) == 1


async def test_tokens_of_tenants_have_nothing_to_do_with_each_other(api):
    other = await api.other_tenant()
    mine = await publish(api, await api.root_folder(), ClientToken="once")
    theirs = await publish(other, await other.root_folder(), ClientToken="once", Text="Other text.")

    assert mine != theirs
    status, body = await other.error("GetMessage", OURS, MessageId=mine)
    assert (status, body["Code"]) == (404, "EntityNotExists.Message")


async def test_contacts_that_share_an_address_get_one_copy_with_every_reason(api):
    root = await api.root_folder()
    member = await api.create_member("shop")
    await api.add_verified_contact(root, Name="Tom", EmailAddress="duty@example.com", MessageTypes=FAULT)
    await api.add_verified_contact(member, Name="Ann", EmailAddress="Duty@Example.com", MessageTypes=FAULT)
    await api.add_verified_contact(root, Name="Bob", EmailAddress="DUTY@example.com")

    message_id = await publish(api, root)
    await api.work()

    (delivery,) = await deliveries(api, message_id)
    assert delivery["State"] == "sent"
    assert [(each["Name"], each["Because"], each["Word"]) for each in delivery["Contacts"]] == [
        ("Tom", "Folder", "passed"),
        ("Bob", "Folder", "not-subscribed"),
        ("Ann", "Own", "passed"),
    ]
    (notice,) = [message for message in await notices(api) if message["Subject"] == "Disk full"]
    assert "Tom of all accounts in the folder" in notice["Text"]
    assert "Ann of the account shop" in notice["Text"]
    assert "Bob" not in notice["Text"]


async def test_a_contact_bound_twice_gets_one_copy_with_both_reasons(api):
    root = await api.root_folder()
    member = await api.create_member("shop")
    await api.add_verified_contact(root, member, MessageTypes=FAULT)

    message_id = await publish(api, root)
    await api.work()

    (delivery,) = await deliveries(api, message_id)
    assert [each["Because"] for each in delivery["Contacts"]] == ["Folder", "Own"]


async def test_whoever_does_not_get_it_has_a_delivery_that_says_why(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, Name="Tom", MessageTypes=FAULT)
    await api.add_verified_contact(root, Name="Ann", EmailAddress="ann@example.com")
    unverified = await api.add_contact(Name="Bob", EmailAddress="bob@example.com", MessageTypes=FAULT)
    await api.call("AssociateMembers", ContactId=unverified, Members=[root])

    message_id = await publish(api, root)
    await api.work()

    assert await states(api, message_id) == {
        "tom@example.com": ("sent", ""),
        "ann@example.com": ("skipped", "not-subscribed"),
        "bob@example.com": ("skipped", "not-verified"),
    }
    assert await notices(api, "bob@example.com") == []


async def test_contacts_elsewhere_in_the_tree_hear_nothing(api):
    root = await api.root_folder()
    here, there = await api.create_folder("here"), await api.create_folder("there")
    below = await api.create_folder("below", here)
    member_there = await api.create_member("there", there)
    for number, node in enumerate((here, below, there, member_there)):
        await api.add_verified_contact(
            node, Name="abcd"[number] * 2, EmailAddress=f"{number}@example.com", MessageTypes=FAULT
        )
    await api.create_member("here", here)

    message_id = await publish(api, here)
    await api.work()

    assert set(await states(api, message_id)) == {"0@example.com", "1@example.com"}
    of_member = await publish(api, member_there)
    await api.work()
    assert set(await states(api, of_member)) == {"2@example.com", "3@example.com"}
    everybody = await publish(api, root)
    await api.work()
    assert len(await states(api, everybody)) == 4


async def test_a_copy_that_a_member_keeps_gets_the_message(api):
    folder = await api.create_folder("sales")
    await api.create_member("shop", folder)
    contact = await api.add_verified_contact(folder, MessageTypes=FAULT)
    api.clock.advance(1)
    await api.call("DeleteMessageContact", ContactId=contact)

    message_id = await publish(api, folder)
    await api.work()

    (delivery,) = await deliveries(api, message_id)
    assert (delivery["State"], delivery["Contacts"][0]["Because"]) == ("sent", "Retained")
    assert delivery["Contacts"][0]["DetachedContactId"].startswith("dc-")
    (notice,) = await notices(api, "tom@example.com")
    assert "which kept you when the contact was deleted" in notice["Text"]


async def test_markdown_becomes_the_html_part(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, MessageTypes=FAULT)

    await publish(api, root, Markdown="Now **really** full.\n\n<script>alert(1)</script>")
    await api.work()

    (notice,) = await notices(api, "tom@example.com")
    assert "<strong>really</strong>" in notice["Html"]
    assert "<script" not in notice["Html"]


async def test_published_html_cannot_run_or_swallow_what_follows(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, MessageTypes=FAULT)

    await publish(api, root, Html='<p onclick="x()">Full<script>x()</script><div style="display:none"><!-- ')
    await api.work()

    (notice,) = await notices(api, "tom@example.com")
    assert "<p>Full" in notice["Html"]
    for gone in ("script", "onclick", "display:none", "<!--"):
        assert gone not in notice["Html"].partition("</style>")[2], gone
    assert "You are the contact Tom" in notice["Html"]


async def test_markdown_and_html_together_are_refused(api):
    given = {**WORDING, "Targets": [await api.root_folder()], "Markdown": "a", "Html": "b"}
    status, body = await api.error("PublishMessage", OURS, **given)

    assert (status, body["Code"]) == (400, "InvalidParameter.Markdown")


async def test_a_target_that_is_not_in_the_directory_is_refused(api):
    for target in ("fd-0000000000", "rd-000000", "2000000000000000"):
        status, body = await api.error("PublishMessage", OURS, **WORDING, Targets=[target])
        assert (status, body["Code"]) == (404, "EntityNotExists.Target"), target


async def test_values_out_of_bounds_are_refused(api):
    root = await api.root_folder()
    wrong = {
        "MessageType": "Gossip",
        "Severity": "Mild",
        "Subject": "two\nlines",
        "Text": "x" * 20_001,
        "Html": "x" * 200_001,
        "Markdown": "x" * 50_001,
        "Targets": [root, root],
        "ClientToken": "x" * 65,
        "ExpiresAt": "tomorrow",
    }
    for name, value in wrong.items():
        status, body = await api.error("PublishMessage", OURS, **{**WORDING, "Targets": [root], name: value})
        assert (status, body["Code"]) == (400, f"InvalidParameter.{name}"), name
    status, body = await api.error("PublishMessage", OURS, **WORDING, Targets=[root], ExpiresAt="2026-11-21T07:00:00Z")
    assert body["Code"] == "InvalidParameter.ExpiresAt"


@pytest.mark.parametrize("moment", ["2027-01-01T00:00:00", "2027-02-30T00:00:00Z"])
async def test_what_names_no_moment_is_refused(api, moment):
    parameters = {**WORDING, "Targets": [await api.root_folder()], "ExpiresAt": moment}
    for operation in ("PublishMessage", "PreviewMessage"):
        status, body = await api.error(operation, OURS, **parameters)
        assert (status, body["Code"]) == (400, "InvalidParameter.ExpiresAt")


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999999Z", "9999-12-31T00:00:00Z"])
async def test_the_end_of_all_years_is_never_in_every_zone(api, moment):
    message_id = await publish(api, await api.root_folder(), ExpiresAt=moment)
    await api.work()
    shown = (await api.call("GetMessage", OURS, MessageId=message_id))["Message"]
    assert shown["ExpiresAt"].startswith("9999-12-")


async def test_the_beginning_of_all_years_is_past_in_every_zone(api):
    parameters = {**WORDING, "Targets": [await api.root_folder()], "ExpiresAt": "0001-01-01T00:00:00+23:59"}
    status, body = await api.error("PublishMessage", OURS, **parameters)
    assert (status, body["Code"]) == (400, "InvalidParameter.ExpiresAt")


async def test_what_has_to_be_there_is_asked_for_first(api):
    status, body = await api.error("PublishMessage", OURS, Severity="Mild")
    assert (status, body["Code"]) == (400, "MissingParameter.MessageType")


async def test_messages_are_listed_newest_first_a_page_at_a_time(api):
    root = await api.root_folder()
    published = []
    for _ in range(3):
        api.clock.advance(1)
        published.append(await publish(api, root))

    first = await api.call("ListMessages", OURS, MaxResults=2)
    second = await api.call("ListMessages", OURS, MaxResults=2, NextToken=first["NextToken"])

    listed = [message["MessageId"] for message in first["Messages"] + second["Messages"]]
    assert listed == published[::-1]
    assert "NextToken" not in second


async def test_cancelling_keeps_what_was_not_sent_from_being_sent(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, MessageTypes=FAULT)
    message_id = await publish(api, root)

    cancelled = await api.call("CancelMessage", OURS, MessageId=message_id)
    await api.work()

    assert cancelled["State"] == "Cancelled"
    assert await notices(api) == []
    assert await counts(api, message_id) == {}


async def test_cancelling_leaves_what_was_sent_as_it_is(api):
    root = await api.root_folder()
    await api.add_verified_contact(root, MessageTypes=FAULT)
    message_id = await publish(api, root)
    await api.work()

    await api.call("CancelMessage", OURS, MessageId=message_id)
    await api.call("CancelMessage", OURS, MessageId=message_id)
    await api.work()

    assert await counts(api, message_id) == {"Sent": 1}


async def test_a_message_that_does_not_exist_is_not_found(api):
    for action in ("GetMessage", "CancelMessage"):
        status, body = await api.error(action, OURS, MessageId="m-000")
        assert (status, body["Code"]) == (404, "EntityNotExists.Message")


async def test_an_address_that_is_not_in_force_any_more_is_not_written_to(api):
    """Who gets it is looked at again when it leaves."""
    root = await api.root_folder()
    deleting = await api.add_verified_contact(root, Name="Tom", MessageTypes=FAULT)
    deleted = await api.add_verified_contact(root, Name="Ann", EmailAddress="ann@example.com", MessageTypes=FAULT)
    changed = await api.add_verified_contact(root, Name="Bob", EmailAddress="bob@example.com", MessageTypes=FAULT)
    unsubscribed = await api.add_verified_contact(root, Name="Eve", EmailAddress="eve@example.com", MessageTypes=FAULT)
    message_id = await publish(api, root)
    await api.work("internal")

    await api.call("DeleteMessageContact", ContactId=deleted, RetainContactInMembers="false")
    await api.work("internal")
    await api.call("DeleteMessageContact", ContactId=deleting, RetainContactInMembers="false")
    await api.call("UpdateMessageContact", ContactId=unsubscribed, MessageTypes=["SecurityMessage"])
    await api.call("UpdateMessageContact", ContactId=changed, EmailAddress="robert@example.com")
    await api.call("SendEmailVerificationForMessageContact", ContactId=changed, EmailAddress="robert@example.com")
    outbox = api.service.storage.outbox
    jobs = await outbox.claim("email", "test", now=api.clock.now(), until=api.clock.now() + 1, limit=100)
    (verification,) = [job for job in jobs if job.kind == "send-verification"]
    await api.service.handlers[verification.kind](verification)
    await api.confirm("robert@example.com")
    await api.work("email-messages")

    assert await states(api, message_id) == {
        "tom@example.com": ("skipped", "being-deleted"),
        "ann@example.com": ("skipped", "address-gone"),
        "bob@example.com": ("skipped", "address-gone"),
        "eve@example.com": ("skipped", "not-subscribed"),
    }
    assert await notices(api) == []


async def test_a_contact_deleted_after_expansion_is_reached_through_the_copy(api):
    root = await api.root_folder()
    contact = await api.add_verified_contact(root, MessageTypes=FAULT)
    message_id = await publish(api, root)
    await api.work("internal")
    await api.call("DeleteMessageContact", ContactId=contact)
    await api.work()

    assert await states(api, message_id) == {"tom@example.com": ("sent", "")}


async def test_cancelling_in_the_middle_of_releasing_lets_nothing_more_go(api):
    """Some deliveries are on their way already; none of them is sent any more."""
    root = await api.root_folder()
    for number in range(3):
        await api.add_verified_contact(
            root, Name="abc"[number] * 2, EmailAddress=f"{number}@example.com", MessageTypes=FAULT
        )
    message_id = await publish(api, root)
    await api.work("internal")

    await api.call("CancelMessage", OURS, MessageId=message_id)
    await api.work("email-messages")  # the workers are faster than the withdrawal
    await api.work()

    assert set((await states(api, message_id)).values()) == {("expired", "cancelled")}
    assert await notices(api) == []


async def test_a_directory_destroyed_before_expansion_leaves_an_incident(api):
    message_id = await publish(api, await api.root_folder())
    await api.call("DestroyResourceDirectory")
    await api.work()

    (incident,) = (await api.call("ListIncidents", OURS))["Incidents"]
    assert incident["MessageId"] == message_id


async def test_a_step_done_twice_makes_nothing_twice(api):
    """The worker died after the commit of a step and before its job was done."""
    root = await api.root_folder()
    await api.add_verified_contact(root, MessageTypes=FAULT)
    message_id = await publish(api, root)
    outbox = api.service.storage.outbox
    (job,) = await outbox.claim("internal", "w", now=api.clock.now(), until=api.clock.now() + 1, limit=9)
    expand = api.service.handlers[job.kind]

    assert (await expand(job)).reason == "release"
    assert (await expand(job)).reason == "done-already"
    api.clock.advance(1)
    await api.work()

    assert await counts(api, message_id) == {"Sent": 1}
    assert len(await notices(api)) == 1
