"""Tenants do not see each other: another one's id is one that does not exist."""

from __future__ import annotations

from message_contacts import errors
from message_contacts.access.model import KeyStatus
from message_contacts.verification.challenge import Visitor
from tests import signing
from tests.assertions import assert_error
from tests.harness import Api

ADDED = {"EmailAddress": "tom@example.com", "Title": "CEO", "MessageTypes": ["FaultMessage"]}


async def test_contacts_of_another_tenant_do_not_exist(api: Api) -> None:
    contact_id = await api.add_contact()
    other = await api.other_tenant()
    for action, more in (
        ("GetMessageContact", {}),
        ("UpdateMessageContact", {"Name": "Mine"}),
        ("CancelMessageContactUpdate", {}),
        ("DeleteMessageContact", {}),
        ("GetMessageContactDeletionStatus", {}),
        ("ListMessageContactVerifications", {}),
        ("ListMessageContacts", {}),
        ("SendEmailVerificationForMessageContact", {"EmailAddress": "tom@example.com"}),
        ("AssociateMembers", {"Members": [await other.root_folder()]}),
        ("DisassociateMembers", {"Members": [await other.root_folder()]}),
    ):
        refused = await other.error(action, ContactId=contact_id, **more)
        assert_error(refused, errors.ENTITY_NOT_EXISTS_CONTACT)
    assert (await api.contact(contact_id))["Name"] == "Tom"


async def test_folders_and_members_of_another_tenant_do_not_exist(api: Api) -> None:
    folder = await api.create_folder("Finance")
    member = await api.create_member("Dev", folder)
    other = await api.other_tenant()
    contact_id = await other.add_contact()
    for node in (folder, member, await api.root_folder()):
        refused = await other.error("AssociateMembers", ContactId=contact_id, Members=[node])
        assert_error(refused, errors.INVALID_MEMBER)
        assert_error(await other.error("ListMessageContacts", Member=node), errors.ENTITY_NOT_EXISTS_MEMBER)


async def test_names_and_limits_are_each_tenants_own(api: Api) -> None:
    await api.add_contact(Name="Tom")
    other = await api.other_tenant()
    await other.call("AddMessageContact", Name="Tom", **ADDED)
    assert (await other.call("ListMessageContacts"))["TotalCount"] == 1


async def test_own_operations_show_nothing_of_another_tenant(api: Api) -> None:
    contact_id = await api.add_contact()
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress="tom@example.com")
    await api.work()
    token = await api.token_sent_to("tom@example.com")
    other = await api.other_tenant()
    assert await other.inbox() == []
    await api.service.verification.confirm(token, Visitor("198.51.100.4", ""))
    assert (await other.call("ListVerificationEvidence", "2026-11-01"))["Evidence"] == []
    assert (await other.call("ListVerificationBlocks", "2026-11-01"))["Blocks"] == []
    assert (await other.call("ListDetachedContacts", "2026-11-01"))["DetachedContacts"] == []
    assert (await other.call("ListFailedJobs", "2026-11-01"))["FailedJobs"] == []


async def test_member_and_account_without_a_directory_have_no_contacts(api: Api) -> None:
    member = await api.as_account(await api.create_member("Dev"))
    stranger = await api.as_account("1000000000000777")
    for caller in (member, stranger):
        refused = await caller.error("AddMessageContact", Name="Tom", **ADDED)
        assert_error(refused, errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)


async def test_key_switched_off_is_refused_from_the_next_call_on(api: Api) -> None:
    administration = api.service.administration
    second = await api.as_account(api.account_id)
    await second.call("ListMessageContacts")
    await administration.set_access_key_status(second.key_id, KeyStatus.INACTIVE)
    assert_error(await second.error("ListMessageContacts"), errors.INVALID_ACCESS_KEY_ID_INACTIVE)
    await administration.set_access_key_status(second.key_id, KeyStatus.ACTIVE)
    await second.call("ListMessageContacts")
    await administration.delete_access_key(second.key_id)
    assert_error(await second.error("ListMessageContacts"), errors.INVALID_ACCESS_KEY_ID_NOT_FOUND)


async def test_repeated_change_is_refused_even_by_a_process_that_has_not_seen_it(api: Api) -> None:
    """The nonce of a change lies in the database, beside the change."""
    request = signing.v3(
        "AddMessageContact", {"Name": "Tom", **ADDED}, key_id=api.key_id, secret=api.secret, now_ms=api.clock.now()
    )
    assert (await api.send(request)).status == 200
    api.service.gateway.nonces.__init__()  # type: ignore[misc]  # what a second process knows: nothing
    response = await api.send(request)
    assert response.status == 400
    assert b'"SignatureNonceUsed"' in response.body
    assert (await api.call("ListMessageContacts"))["TotalCount"] == 1
