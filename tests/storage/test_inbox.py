from __future__ import annotations

from message_contacts.contacts.model import Channel
from message_contacts.storage import Storage
from tests.factories import ACCOUNT, make_contact
from tests.storage.making import OTHER_ACCOUNT, make_message, plant


async def test_captured_messages_are_read_as_they_were_put_by_id(storage: Storage) -> None:
    text_message = make_message("m-3", channel=Channel.SMS, recipient="86-13900001234", html=None)
    for message in (text_message, make_message("m-1"), make_message("m-2"), make_message(account_id=OTHER_ACCOUNT)):
        await storage.inbox.put(message)

    everything = await storage.inbox.messages(ACCOUNT, recipient=None, after=None, limit=10)
    behind = await storage.inbox.messages(ACCOUNT, recipient=None, after="m-1", limit=1)

    assert everything == [make_message("m-1"), make_message("m-2"), text_message]
    assert behind == [make_message("m-2")]


async def test_messages_to_one_address_are_found_whatever_its_case(storage: Storage) -> None:
    for number, recipient in enumerate(["Tom@example.com", "ann@example.com", "tom@EXAMPLE.com"]):
        await storage.inbox.put(make_message(f"m-{number}", recipient=recipient))

    found = await storage.inbox.messages(ACCOUNT, recipient="tom@example.COM", after=None, limit=10)
    behind = await storage.inbox.messages(ACCOUNT, recipient="tom@example.com", after="m-0", limit=10)

    assert [message.message_id for message in found] == ["m-0", "m-2"]
    assert [message.recipient for message in behind] == ["tom@EXAMPLE.com"]


async def test_the_same_message_again_changes_nothing(storage: Storage) -> None:
    await storage.inbox.put(make_message())
    await storage.inbox.put(make_message(subject="again"))

    assert await storage.inbox.messages(ACCOUNT, recipient=None, after=None, limit=10) == [make_message()]


async def test_a_message_to_a_contact_that_is_gone_is_not_kept(storage: Storage) -> None:
    contact = make_contact()
    await plant(storage, contact)
    await storage.inbox.put(make_message("m-1", contact_id=contact.contact_id))
    await storage.inbox.put(make_message("m-2", contact_id="c-0000000000000099"))
    await storage.inbox.put(make_message("m-3", account_id=OTHER_ACCOUNT, contact_id=contact.contact_id))

    kept = await storage.inbox.messages(ACCOUNT, recipient=None, after=None, limit=10)
    of_another = await storage.inbox.messages(OTHER_ACCOUNT, recipient=None, after=None, limit=10)

    assert ([message.message_id for message in kept], of_another) == (["m-1"], [])


async def test_captured_messages_are_read_from_the_last_one_back(storage: Storage) -> None:
    for number, recipient in enumerate(["tom@example.com", "ann@example.com", "TOM@example.com"]):
        await storage.inbox.put(make_message(f"m-{number}", recipient=recipient))

    everything = await storage.inbox.messages(ACCOUNT, recipient=None, after=None, limit=2, newest_first=True)
    before = await storage.inbox.messages(ACCOUNT, recipient=None, after="m-1", limit=9, newest_first=True)
    to_one = await storage.inbox.messages(ACCOUNT, recipient="Tom@example.com", after=None, limit=9, newest_first=True)

    assert [message.message_id for message in everything] == ["m-2", "m-1"]
    assert [message.message_id for message in before] == ["m-0"]
    assert [message.message_id for message in to_one] == ["m-2", "m-0"]


async def test_one_captured_message_is_found_by_its_tenant_only(storage: Storage) -> None:
    await storage.inbox.put(make_message("m-1"))

    assert await storage.inbox.message(ACCOUNT, "m-1") == make_message("m-1")
    assert await storage.inbox.message(ACCOUNT, "m-2") is None
    assert await storage.inbox.message(OTHER_ACCOUNT, "m-1") is None
