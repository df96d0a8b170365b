"""A deletion that some members refuse: behaviour.md section 7."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from message_contacts.contacts.model import Contact, MessageType, WithdrawalFailure
from tests.harness import open_api


class RefusingMembers:
    """Members of one object cannot let go of their contact, until they can."""

    def __init__(self) -> None:
        self.refusing: dict[str, str] = {}

    async def withdraw(self, contact: Contact, node_id: str) -> Sequence[WithdrawalFailure]:
        member_id = self.refusing.get(node_id)
        return [WithdrawalFailure(member_id, (MessageType.SECURITY_MESSAGE,))] if member_id else ()


async def test_failed_deletion_says_where_and_can_be_asked_for_again(database_path: Path) -> None:
    members = RefusingMembers()
    async with open_api(database_path, members=members) as api:
        stubborn, easy = await api.create_folder("Stubborn"), await api.create_folder("Easy")
        member = await api.create_member("Dev", stubborn)
        contact_id = await api.add_contact()
        await api.call("AssociateMembers", ContactId=contact_id, Members=[easy, stubborn])
        members.refusing[stubborn] = member
        await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=False)
        await api.work()
        assert await api.call("GetMessageContactDeletionStatus", ContactId=contact_id) == {
            "ContactDeletionStatus": {
                "ContactId": contact_id,
                "Status": "Failed",
                "FailReasonList": [{"AccountId": member, "MessageTypes": ["SecurityMessage"]}],
            }
        }
        contact = await api.contact(contact_id)
        assert (contact["Status"], contact["Members"]) == ("Verifying", [stubborn])
        await api.call("UpdateMessageContact", ContactId=contact_id, Name="Still")
        members.refusing.clear()
        await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=False)
        await api.work()
        assert (await api.call("ListMessageContacts"))["TotalCount"] == 0
