"""Demo data: one directory with a contact in each state that lasts, made once, through operations.

The key of the demo is public. `Settings.problems` and `Service.first_start` refuse it on every service that others can
reach or that really sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.bootstrap import Service
from message_contacts.operations.registry import RESOURCE_DIRECTORY_MASTER
from message_contacts.settings import DEMO_ACCESS_KEY_ID, DEMO_ACCESS_KEY_SECRET
from message_contacts.verification.challenge import Visitor

ACCOUNT_ID = "1000000000000001"
#: Settings of a demo where nothing else is set.
SETTINGS: Mapping[str, str] = {
    "ROOT_ACCOUNT_ID": ACCOUNT_ID,
    "ROOT_ACCOUNT_NAME": "demo-company",
    "ROOT_ACCESS_KEY_ID": DEMO_ACCESS_KEY_ID,
    "ROOT_ACCESS_KEY_SECRET": DEMO_ACCESS_KEY_SECRET,
    "LOG_FORMAT": "console",
    "LOG_LEVEL": "warning",
}


async def fill(service: Service, account_id: str) -> bool:
    """Make the demo's folders, members and contacts, unless the account's directory holds anything already.

    Returns: Whether it was made now.
    """
    demo = _Demo(service, account_id)
    directory = await demo.call("GetResourceDirectory")
    if await demo.in_use():
        return False
    production = await demo.folder("Production")
    await demo.folder("Payments", parent=production)
    staging = await demo.folder("Staging")

    # Verifying: nothing was sent yet.
    fang = await demo.contact("王芳", "fang@example.com", "FinanceDirector", ["AccountExpenses"])
    # Verifying: the mail is in the inbox.
    lena = await demo.contact("Lena", "lena@example.com", "ProjectDirector", ["ProductMessage", "ServiceMessage"])
    await demo.send(lena, "lena@example.com")
    # Active: e-mail and phone confirmed.
    security = ["SecurityMessage", "FaultMessage", "ServiceMessage"]
    tom = await demo.contact("Tom", "tom@example.com", "TechnicalDirector", security, phone="86-13900001234")
    await demo.confirm(tom, "tom@example.com")
    await demo.confirm(tom, "86-13900001234")
    # Active: a replacement waits; the mail to it is in the inbox.
    lei = await demo.contact("李雷", "lei@example.com", "MaintenanceDirector", ["FaultMessage"])
    await demo.confirm(lei, "lei@example.com")
    await demo.call("UpdateMessageContact", ContactId=lei, EmailAddress="lei.li@example.com")
    await demo.send(lei, "lei.li@example.com")
    # Verifying, and yet mail reaches her: the phone is not confirmed.
    maya = await demo.contact("Maya", "maya@example.com", "CEO", ["SecurityMessage"], phone="86-13700005678")
    await demo.confirm(maya, "maya@example.com")

    shop = await demo.member("shop", production)
    await demo.member("shop-staging", staging)
    await demo.bind(tom, directory["ResourceDirectory"]["ResourceDirectoryId"])
    await demo.bind(lei, production)
    await demo.bind(fang, shop)
    return True


class _Demo:
    """The calls that the demo is made of, as the account that gets it."""

    def __init__(self, service: Service, account_id: str) -> None:
        self._service = service
        self._account_id = account_id

    async def call(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        return await self._service.invoke(operation, RESOURCE_DIRECTORY_MASTER, self._account_id, **parameters)

    async def in_use(self) -> bool:
        lists = ("ListFoldersForParent", "ListAccounts", "ListMessageContacts")
        return any([(await self.call(operation))["TotalCount"] for operation in lists])

    async def folder(self, name: str, *, parent: str = "") -> str:
        answer = await self.call("CreateFolder", FolderName=name, ParentFolderId=parent)
        return str(answer["Folder"]["FolderId"])

    async def member(self, name: str, folder: str) -> str:
        answer = await self.call(
            "CreateResourceAccount", DisplayName=name, AccountNamePrefix=name, ParentFolderId=folder
        )
        return str(answer["Account"]["AccountId"])

    async def contact(self, name: str, email: str, title: str, message_types: list[str], *, phone: str = "") -> str:
        answer = await self.call(
            "AddMessageContact",
            Name=name,
            EmailAddress=email,
            PhoneNumber=phone,
            Title=title,
            MessageTypes=message_types,
        )
        return str(answer["Contact"]["ContactId"])

    async def bind(self, contact_id: str, node_id: str) -> None:
        await self.call("AssociateMembers", ContactId=contact_id, Members=[node_id])

    async def send(self, contact_id: str, address: str) -> None:
        if "@" in address:
            await self.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=address)
        else:
            await self.call("SendPhoneVerificationForMessageContact", ContactId=contact_id, PhoneNumber=address)

    async def confirm(self, contact_id: str, address: str) -> None:
        """What the owner of the address would do with the link."""
        await self.send(contact_id, address)
        contact = await self._service.services.contacts.contact(self._account_id, contact_id)
        if contact is None:
            raise LookupError(contact_id)
        slot = contact.email if "@" in address else contact.phone
        token = self._service.verification.tokens.token(slot.verification_id or "", 1)
        await self._service.verification.confirm(token, Visitor(source_address="127.0.0.1", user_agent="demo data"))
