"""The life of a contact through the API: behaviour.md sections 2 to 7."""

from __future__ import annotations

import pytest

from message_contacts import errors
from message_contacts.verification.challenge import PageState, Visitor
from tests.assertions import assert_error
from tests.conftest import ENGINES
from tests.harness import Api

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

VISITOR = Visitor("198.51.100.4", "Browser")
EMAIL = "tom@example.com"
PHONE = "86-13900001234"


async def send(api: Api, contact_id: str, *, email: str | None = None, phone: str | None = None) -> None:
    """Ask for a verification message and let it be sent."""
    if email:
        await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=email)
    if phone:
        await api.call("SendPhoneVerificationForMessageContact", ContactId=contact_id, PhoneNumber=phone)
    await api.work()


async def confirm(api: Api, contact_id: str, *, email: str | None = None, phone: str | None = None) -> None:
    """Ask for a verification message and press the button behind its link."""
    await send(api, contact_id, email=email, phone=phone)
    view = await api.service.verification.confirm(await api.token_sent_to(email or phone or ""), VISITOR)
    assert view.state is PageState.CONFIRMED


async def pending(api: Api, contact_id: str) -> list[str]:
    listed = await api.call("ListMessageContactVerifications", ContactId=contact_id)
    assert listed["TotalCount"] == len(listed["ContactVerifications"])
    return [entry["Target"] for entry in listed["ContactVerifications"]]


async def test_added_contact_is_shown_as_given_and_verifying(api: Api) -> None:
    contact_id = await api.add_contact(
        Name="汤姆",
        EmailAddress="a+b@example.com",
        PhoneNumber=PHONE,
        MessageTypes=["ProductMessage", "SecurityMessage", "ActivityMessage"],
    )
    assert await api.contact(contact_id) == {
        "ContactId": contact_id,
        "Name": "汤姆",
        "EmailAddress": "a+b@example.com",
        "PhoneNumber": PHONE,
        "Title": "CEO",
        "MessageTypes": ["ProductMessage", "SecurityMessage", "ActivityMessage"],
        "Members": [],
        "Status": "Verifying",
        "CreateDate": "2026-11-21 16:00:00",
    }
    assert await pending(api, contact_id) == ["a+b@example.com", PHONE]
    assert await api.inbox() == []


async def test_contact_becomes_active_when_every_address_is_verified(api: Api) -> None:
    contact_id = await api.add_contact(PhoneNumber=PHONE)
    await confirm(api, contact_id, email=EMAIL)
    assert (await api.contact(contact_id))["Status"] == "Verifying"
    await confirm(api, contact_id, phone=PHONE)
    assert (await api.contact(contact_id))["Status"] == "Active"
    assert await pending(api, contact_id) == []


async def test_update_of_a_verified_address_waits_until_it_is_verified(api: Api) -> None:
    contact_id = await api.add_contact()
    await confirm(api, contact_id, email=EMAIL)
    await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress="new@example.com", Name="Jerry")
    contact = await api.contact(contact_id)
    assert (contact["EmailAddress"], contact["Name"], contact["Status"]) == (EMAIL, "Jerry", "Active")
    assert await pending(api, contact_id) == ["new@example.com"]
    await confirm(api, contact_id, email="new@example.com")
    assert (await api.contact(contact_id))["EmailAddress"] == "new@example.com"


async def test_cancel_drops_the_update_and_its_link(api: Api) -> None:
    contact_id = await api.add_contact()
    await confirm(api, contact_id, email=EMAIL)
    await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress="new@example.com")
    await send(api, contact_id, email="new@example.com")
    await api.call("CancelMessageContactUpdate", ContactId=contact_id, EmailAddress="NEW@example.com")
    assert await pending(api, contact_id) == []
    view = await api.service.verification.confirm(await api.token_sent_to("new@example.com"), VISITOR)
    assert view.state is PageState.REPLACED
    assert (await api.contact(contact_id))["EmailAddress"] == EMAIL


async def test_repeating_an_update_keeps_the_link_that_was_sent(api: Api) -> None:
    """A repeated Terraform apply must not void the message its owner is about to confirm."""
    contact_id = await api.add_contact()
    await confirm(api, contact_id, email=EMAIL)
    for _ in range(2):
        await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress="new@example.com")
        if not await api.inbox("new@example.com"):
            await send(api, contact_id, email="new@example.com")
    view = await api.service.verification.confirm(await api.token_sent_to("new@example.com"), VISITOR)
    assert view.state is PageState.CONFIRMED


async def test_empty_phone_takes_the_number_away_and_an_absent_one_does_not(api: Api) -> None:
    contact_id = await api.add_contact(PhoneNumber=PHONE)
    await api.call("UpdateMessageContact", ContactId=contact_id, Title="Other")
    assert (await api.contact(contact_id))["PhoneNumber"] == PHONE
    await api.call("UpdateMessageContact", ContactId=contact_id, PhoneNumber="")
    assert (await api.contact(contact_id))["PhoneNumber"] == ""


async def test_empty_optional_values_count_as_absent(api: Api) -> None:
    contact_id = await api.add_contact(PhoneNumber="")
    before = await api.contact(contact_id)
    await api.call("UpdateMessageContact", ContactId=contact_id, Name="", EmailAddress="", Title="")
    assert await api.contact(contact_id) == before


async def test_own_name_may_be_given_again_and_a_deleted_ones_is_free(api: Api) -> None:
    contact_id = await api.add_contact(Name="Tom")
    await api.call("UpdateMessageContact", ContactId=contact_id, Name="Tom")
    assert_error(
        await api.error(
            "AddMessageContact", Name="Tom", EmailAddress=EMAIL, Title="CEO", MessageTypes=["FaultMessage"]
        ),
        errors.INVALID_PARAMETER_NAME_ALREADY_USED,
    )
    await api.add_contact(Name="tom")  # upper and lower case differ
    await api.call("DeleteMessageContact", ContactId=contact_id)
    await api.add_contact(Name="Tom")


async def test_deleted_contact_is_gone_at_once(api: Api) -> None:
    contact_id = await api.add_contact()
    assert await api.call("DeleteMessageContact", ContactId=contact_id) == {"Status": "Deleted"}
    for action in ("GetMessageContact", "DeleteMessageContact", "GetMessageContactDeletionStatus"):
        assert_error(await api.error(action, ContactId=contact_id), errors.ENTITY_NOT_EXISTS_CONTACT)


async def test_deletion_everywhere_runs_in_the_background(api: Api) -> None:
    contact_id = await api.add_contact()
    folder = await api.create_folder("Finance")
    await api.call("AssociateMembers", ContactId=contact_id, Members=[folder])
    deleted = await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=False)
    assert deleted == {"Status": "Deleting"}
    assert (await api.contact(contact_id))["Status"] == "Deleting"
    assert await pending(api, contact_id) == []
    assert await api.call("GetMessageContactDeletionStatus", ContactId=contact_id) == {
        "ContactDeletionStatus": {"ContactId": contact_id, "Status": "Deleting", "FailReasonList": []}
    }
    await api.work()
    assert_error(
        await api.error("GetMessageContactDeletionStatus", ContactId=contact_id), errors.ENTITY_NOT_EXISTS_CONTACT
    )
    assert (await api.call("ListDetachedContacts", "2026-11-01"))["DetachedContacts"] == []


async def test_deletion_status_of_a_contact_nobody_deletes_has_no_status(api: Api) -> None:
    contact_id = await api.add_contact()
    assert await api.call("GetMessageContactDeletionStatus", ContactId=contact_id) == {
        "ContactDeletionStatus": {"ContactId": contact_id, "FailReasonList": []}
    }


async def test_deleting_with_retention_leaves_a_copy_in_the_members(api: Api) -> None:
    contact_id = await api.add_contact(PhoneNumber=PHONE)
    await confirm(api, contact_id, email=EMAIL)
    folder = await api.create_folder("Finance")
    await api.call("AssociateMembers", ContactId=contact_id, Members=[folder])
    await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers="True")
    (copy,) = (await api.call("ListDetachedContacts", "2026-11-01"))["DetachedContacts"]
    copy_id = copy.pop("DetachedContactId")
    assert copy == {
        "ContactId": contact_id,
        "Name": "Tom",
        "EmailAddress": EMAIL,
        "Title": "CEO",
        "MessageTypes": ["SecurityMessage"],
        "Members": [folder],
        "DetachTime": "2026-11-21T08:00:00.000Z",
    }
    await api.call("DeleteDetachedContact", "2026-11-01", DetachedContactId=copy_id)
    assert (await api.call("ListDetachedContacts", "2026-11-01"))["DetachedContacts"] == []
    status, body = await api.error("DeleteDetachedContact", "2026-11-01", DetachedContactId=copy_id)
    assert (status, body["Code"]) == (404, "EntityNotExists.DetachedContact")


async def test_list_is_in_order_of_creation_and_pages_do_not_shift(api: Api) -> None:
    ids = []
    for name in ("Anna", "Bert", "Carl"):
        ids.append(await api.add_contact(Name=name))
        api.clock.advance(1)
    first = await api.call("ListMessageContacts", PageNumber=1, PageSize=2)
    assert [entry["ContactId"] for entry in first["Contacts"]] == ids[:2]
    assert (first["TotalCount"], first["PageNumber"], first["PageSize"]) == (3, 1, 2)
    await api.add_contact(Name="Dora")
    second = await api.call("ListMessageContacts", PageNumber=2, PageSize=2)
    assert [entry["Name"] for entry in second["Contacts"]] == ["Carl", "Dora"]
    beyond = await api.call("ListMessageContacts", PageNumber=9)
    assert (beyond["Contacts"], beyond["TotalCount"], beyond["PageNumber"], beyond["PageSize"]) == ([], 4, 9, 10)


async def test_list_by_member_shows_direct_bindings_and_their_date(api: Api) -> None:
    folder = await api.create_folder("Finance")
    member = await api.create_member("Dev", folder)
    tom, jerry = await api.add_contact(Name="Tom"), await api.add_contact(Name="Jerry")
    await api.call("AssociateMembers", ContactId=tom, Members=[folder])
    api.clock.advance(60)
    await api.call("AssociateMembers", ContactId=tom, Members=[member])
    listed = await api.call("ListMessageContacts", Member=folder)
    assert [(entry["Name"], entry["AssociatedDate"]) for entry in listed["Contacts"]] == [
        ("Tom", "2026-11-21 16:00:00")
    ]
    everyone = (await api.call("ListMessageContacts"))["Contacts"]
    assert {entry["Name"]: entry.get("AssociatedDate") for entry in everyone} == {
        "Tom": "2026-11-21 16:01:00",
        "Jerry": None,
    }
    assert (await api.call("ListMessageContacts", Member=member, ContactId=jerry))["TotalCount"] == 0


@pytest.mark.parametrize(("parameter", "value"), [("PageNumber", "0"), ("PageNumber", "x"), ("PageSize", "101")])
async def test_list_refuses_pages_that_cannot_be(api: Api, parameter: str, value: str) -> None:
    assert_error(await api.error("ListMessageContacts", **{parameter: value}), errors.invalid(parameter))


async def test_retention_has_to_be_a_truth_value(api: Api) -> None:
    contact_id = await api.add_contact()
    refused = await api.error("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers="perhaps")
    assert_error(refused, errors.invalid("RetainContactInMembers"))


async def test_bindings_are_all_or_nothing_in_the_order_given(api: Api) -> None:
    contact_id = await api.add_contact()
    root = await api.root_folder()
    directory = (await api.call("GetResourceDirectory"))["ResourceDirectory"]["ResourceDirectoryId"]
    member = await api.create_member("Dev")
    refused = await api.error("AssociateMembers", ContactId=contact_id, Members=[root, "fd-unknown"])
    assert_error(refused, errors.INVALID_MEMBER)
    assert (await api.contact(contact_id))["Members"] == []
    bound = await api.call("AssociateMembers", ContactId=contact_id, Members=[member, directory, root])
    assert [entry["MemberId"] for entry in bound["Members"]] == [member, directory, root]
    assert (await api.contact(contact_id))["Members"] == [member, directory, root]
    unbound = await api.call("DisassociateMembers", ContactId=contact_id, Members=[directory])
    assert [entry["MemberId"] for entry in unbound["Members"]] == [directory]
    assert (await api.contact(contact_id))["Members"] == [member, root]


async def test_management_account_is_not_a_member(api: Api) -> None:
    contact_id = await api.add_contact()
    refused = await api.error("AssociateMembers", ContactId=contact_id, Members=[api.account_id])
    assert_error(refused, errors.INVALID_MEMBER)


async def test_deleting_counts_until_it_is_done(api: Api) -> None:
    """Contacts in every status count against the directory's limit."""
    names = ["Ab" + chr(ord("a") + number) for number in range(20)]
    ids = [await api.add_contact(Name=name) for name in names]
    await api.call("DeleteMessageContact", ContactId=ids[0], RetainContactInMembers=False)
    more = {"Name": "More", "EmailAddress": EMAIL, "Title": "CEO", "MessageTypes": ["FaultMessage"]}
    assert_error(await api.error("AddMessageContact", **more), errors.LIMIT_EXCEEDED_CONTACTS)
    assert_error(
        await api.error("AddMessageContact", **{**more, "Name": names[1]}), errors.INVALID_PARAMETER_NAME_ALREADY_USED
    )
    await api.work()
    await api.call("AddMessageContact", **more)
