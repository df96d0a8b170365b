"""Races, made to happen between a decision and its commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from message_contacts import errors
from message_contacts.changes import Seam
from message_contacts.verification.challenge import PageState, Visitor
from tests.assertions import assert_error
from tests.conftest import ENGINES
from tests.harness import Api, open_api

EMAIL = "tom@example.com"
SEND = "SendEmailVerificationForMessageContact"

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)


class Interruption(Seam):
    """Lets another caller finish between the next decision and its commit."""

    def __init__(self) -> None:
        self._then: Callable[[], Awaitable[object]] | None = None
        self.every_time = False

    def once(self, then: Callable[[], Awaitable[object]]) -> None:
        """Do this before the next commit."""
        self._then, self.every_time = then, False

    def always(self, then: Callable[[], Awaitable[object]]) -> None:
        """Do this before every commit but its own."""
        self._then, self.every_time = then, True

    async def decided(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            await then()
            if self.every_time:
                self._then = then


@pytest.fixture
def race() -> Interruption:
    return Interruption()


@pytest.fixture
async def api(database_url: str, race: Interruption) -> AsyncIterator[Api]:
    async with open_api(database_url, seam=race) as opened:
        yield opened


async def test_two_updates_of_one_contact_both_get_through_without_losing_fields(api: Api, race: Interruption) -> None:
    contact_id = await api.add_contact()
    race.once(lambda: api.call("UpdateMessageContact", ContactId=contact_id, Title="Other"))
    await api.call("UpdateMessageContact", ContactId=contact_id, Name="Jerry")
    contact = await api.contact(contact_id)
    assert (contact["Name"], contact["Title"]) == ("Jerry", "Other")


async def test_binding_to_a_folder_that_is_deleted_meanwhile_is_refused(api: Api, race: Interruption) -> None:
    contact_id = await api.add_contact()
    folder = await api.create_folder("Finance")
    race.once(lambda: api.call("DeleteFolder", FolderId=folder))
    refused = await api.error("AssociateMembers", ContactId=contact_id, Members=[folder])
    assert_error(refused, errors.INVALID_MEMBER)
    assert (await api.contact(contact_id))["Members"] == []


async def test_folder_that_is_bound_meanwhile_takes_the_binding_along(api: Api, race: Interruption) -> None:
    contact_id = await api.add_contact()
    folder = await api.create_folder("Finance")
    race.once(lambda: api.call("AssociateMembers", ContactId=contact_id, Members=[folder]))
    await api.call("DeleteFolder", FolderId=folder)
    assert (await api.contact(contact_id))["Members"] == []


async def test_folder_that_gets_a_member_meanwhile_is_not_deleted(api: Api, race: Interruption) -> None:
    folder = await api.create_folder("Finance")
    race.once(lambda: api.create_member("Dev", folder))
    assert_error(await api.error("DeleteFolder", FolderId=folder), errors.DELETE_CONFLICT_FOLDER_ACCOUNT)


async def test_member_is_not_moved_to_a_folder_that_is_deleted_meanwhile(api: Api, race: Interruption) -> None:
    folder = await api.create_folder("Finance")
    member = await api.create_member("Dev")
    race.once(lambda: api.call("DeleteFolder", FolderId=folder))
    refused = await api.error("MoveAccount", AccountId=member, DestinationFolderId=folder)
    assert_error(refused, errors.ENTITY_NOT_EXISTS_FOLDER)
    assert (await api.call("GetAccount", AccountId=member))["Account"]["FolderId"] == await api.root_folder()


async def test_member_that_moves_while_a_contact_is_deleted_keeps_its_copy(api: Api, race: Interruption) -> None:
    """Whichever comes first, the member had the contact at the moment it was deleted."""
    folder = await api.create_folder("Finance")
    member = await api.create_member("Dev", folder)
    contact_id = await api.add_contact()
    await api.call("AssociateMembers", ContactId=contact_id, Members=[folder])
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    await api.service.verification.confirm(await api.token_sent_to(EMAIL), Visitor("198.51.100.4", ""))
    race.once(lambda: api.call("DeleteMessageContact", ContactId=contact_id))
    await api.call("MoveAccount", AccountId=member, DestinationFolderId=await api.root_folder())
    (copy,) = (await api.call("ListDetachedContacts", "2026-11-01"))["DetachedContacts"]
    assert copy["Members"] == [folder, member]


async def test_name_taken_meanwhile_is_refused(api: Api, race: Interruption) -> None:
    fields = {"EmailAddress": EMAIL, "Title": "CEO", "MessageTypes": ["FaultMessage"]}
    race.once(lambda: api.add_contact(Name="Tom"))
    assert_error(await api.error("AddMessageContact", Name="Tom", **fields), errors.INVALID_PARAMETER_NAME_ALREADY_USED)
    other = await api.add_contact(Name="Jerry")
    race.once(lambda: api.add_contact(Name="Spike"))
    assert_error(
        await api.error("UpdateMessageContact", ContactId=other, Name="Spike"),
        errors.INVALID_PARAMETER_NAME_ALREADY_USED,
    )


async def test_last_place_of_a_directory_goes_to_one_only(database_url: str, race: Interruption) -> None:
    async with open_api(database_url, {"contacts_per_directory": 1}, seam=race) as api:
        race.once(lambda: api.add_contact(Name="Jerry"))
        fields = {"EmailAddress": EMAIL, "Title": "CEO", "MessageTypes": ["FaultMessage"]}
        assert_error(await api.error("AddMessageContact", Name="Tom", **fields), errors.LIMIT_EXCEEDED_CONTACTS)
        assert (await api.call("ListMessageContacts"))["TotalCount"] == 1


async def test_link_pressed_twice_at_once_confirms_once(api: Api, race: Interruption) -> None:
    contact_id = await api.add_contact()
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    token = await api.token_sent_to(EMAIL)
    visitor = Visitor("198.51.100.4", "")
    states = []

    async def other() -> None:
        states.append((await api.service.verification.confirm(token, visitor)).state)

    race.once(other)
    states.append((await api.service.verification.confirm(token, visitor)).state)
    assert states == [PageState.CONFIRMED, PageState.ALREADY_CONFIRMED]
    assert len((await api.call("ListVerificationEvidence", "2026-11-01"))["Evidence"]) == 1


async def test_address_replaced_while_its_link_is_pressed_is_not_put_in_force(api: Api, race: Interruption) -> None:
    contact_id = await api.add_contact()
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    token = await api.token_sent_to(EMAIL)
    race.once(lambda: api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress="new@example.com"))
    view = await api.service.verification.confirm(token, Visitor("198.51.100.4", ""))
    assert view.state is PageState.REPLACED
    contact = await api.contact(contact_id)
    assert (contact["EmailAddress"], contact["Status"]) == ("new@example.com", "Verifying")


async def test_change_that_never_gets_through_is_told_so_after_the_wait(api: Api, race: Interruption) -> None:
    contact_id = await api.add_contact()
    titles = iter(["Other", "CEO"] * 1000)
    race.always(lambda: api.call("UpdateMessageContact", ContactId=contact_id, Title=next(titles)))
    started = api.clock.monotonic()
    refused = await api.error("UpdateMessageContact", ContactId=contact_id, Name="Jerry")
    assert_error(refused, errors.CONCURRENT_CALL_NOT_SUPPORTED)
    assert 3.0 <= api.clock.monotonic() - started < 3.2
    assert (await api.contact(contact_id))["Name"] == "Tom"


async def test_two_verifications_asked_for_at_once_are_two_generations_of_one(api: Api, race: Interruption) -> None:
    contact_id = await api.add_contact()
    race.once(lambda: api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL))
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    assert len(await api.inbox(EMAIL)) == 1
