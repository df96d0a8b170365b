"""How each row of the contact operations' error tables is provoked: (operation, code) -> a call refused with it.

Every row starts from a tenant with one contact, `TOM`, that waits for the verification of its e-mail address, and a
member, whose id stands in the stage. `test_error_rows.py` makes a test of each row, and the conformance tests see
that no row of the reference is left out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from message_contacts.bootstrap import Service
from message_contacts.changes import Seam, Update
from tests.fakes.ids import CountingIds
from tests.harness import ACCOUNT_ID, Api

TOM = "c-0000000000000001"
#: Well-formed, and nobody's.
NOBODY = "c-zzzzzzzzzzzzzzzz"
EMAIL = "tom@example.com"
PHONE = "86-13900001234"
LONG_EMAIL = f"{'a' * 243}@example.com"

Refusal = tuple[int, dict[str, Any]]
Provocation = Callable[["Stage"], Awaitable[Refusal]]


class StubbornIds(CountingIds):
    """Counts up until it is told to draw the same contact id for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck = False

    def contact(self) -> str:
        return TOM if self.stuck else super().contact()


class Rival(Seam):
    """Somebody who changes a contact whenever another decided about it but has not committed yet."""

    def __init__(self) -> None:
        self.service: Service | None = None

    async def decided(self) -> None:
        if self.service is not None:
            contact = await self.service.storage.contacts.contact(ACCOUNT_ID, TOM)
            await self.service.storage.committer.commit((Update(contact, contact),), None)


@dataclass(frozen=True)
class Stage:
    """The tenant with Tom, and what makes it awkward."""

    api: Api
    shop: str
    rival: Rival = field(default_factory=Rival)
    ids: StubbornIds = field(default_factory=StubbornIds)

    async def refused(self, operation: str, **parameters: Any) -> Refusal:
        """A call about Tom that is refused, and changes nothing that can be seen."""
        before = await self.api.call("ListMessageContacts", PageSize=100)
        refusal = await self.api.error(operation, **{"ContactId": TOM, **parameters})
        self.rival.service = None
        assert await self.api.call("ListMessageContacts", PageSize=100) == before
        return refusal


def new_contact(**parameters: Any) -> dict[str, Any]:
    """What AddMessageContact needs, with other values, or without those that are None."""
    return {
        "Name": "Anna",
        "EmailAddress": "anna@example.com",
        "Title": "CEO",
        "MessageTypes": ["SecurityMessage"],
        **parameters,
    }


def calling(operation: str, parameters: Mapping[str, Any]) -> Provocation:
    """A row that one call is enough for."""

    async def provoke(stage: Stage) -> Refusal:
        return await stage.refused(operation, **parameters)

    return provoke


#: Rows that one call with these parameters provokes; `ContactId` is Tom's unless given.
_BY_ONE_CALL: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "AddMessageContact": {
        "MissingParameter.Name": new_contact(Name=None),
        "InvalidParameter.Name": new_contact(Name="Anna 2"),
        "InvalidParameter.Name.Length": new_contact(Name="AnnaAnnaAnnaA"),
        "InvalidParameter.Name.AlreadyUsed": new_contact(Name="Tom"),
        "MissingParameter.EmailAddress": new_contact(EmailAddress=""),
        "InvalidParameter.EmailAddress": new_contact(EmailAddress="anna@localhost"),
        "InvalidParameter.PhoneNumber": new_contact(PhoneNumber="13900001234"),
        "MissingParameter.Title": new_contact(Title=None),
        "InvalidParameter.Title": new_contact(Title="ceo"),
        "MissingParameter.MessageTypes": new_contact(MessageTypes=None),
        "InvalidParameter.MessageTypes": new_contact(MessageTypes=["SecurityMessage", "SecurityMessage"]),
        "InvalidParameter.MobileCountryCode": new_contact(PhoneNumber="1-4155550100"),
        "InvalidParameter.EmailAddress.Length": new_contact(EmailAddress=LONG_EMAIL),
    },
    "UpdateMessageContact": {
        "InvalidParameter.Name": {"Name": "Tom!"},
        "InvalidParameter.Name.Length": {"Name": "T"},
        "InvalidParameter.EmailAddress": {"EmailAddress": "tom"},
        "InvalidParameter.PhoneNumber": {"PhoneNumber": "86-12900001234"},
        "InvalidParameter.Title": {"Title": "Chief"},
        "InvalidParameter.MessageTypes": {"MessageTypes": ["Everything"]},
        "InvalidParameter.MobileCountryCode": {"PhoneNumber": "852-91234567"},
        "InvalidParameter.ContactId": {"ContactId": "tom"},
        "MissingParameter.ContactId": {"ContactId": None},
        "InvalidParameter.EmailAddress.Length": {"EmailAddress": LONG_EMAIL},
        "EntityNotExists.Contact": {"ContactId": NOBODY, "Title": "CEO"},
    },
    "DeleteMessageContact": {
        "InvalidParameter.ContactId": {"ContactId": "c-"},
        "MissingParameter.ContactId": {"ContactId": ""},
        "EntityNotExists.Contact": {"ContactId": NOBODY},
    },
    "GetMessageContact": {
        "InvalidParameter.ContactId": {"ContactId": "c-1 2"},
        "MissingParameter.ContactId": {"ContactId": None},
        "EntityNotExists.Contact": {"ContactId": NOBODY},
    },
    "ListMessageContacts": {
        "InvalidParameter.ContactId": {"ContactId": "1"},
        "InvalidParameter.Member": {"Member": "shop"},
        "EntityNotExists.Contact": {"ContactId": NOBODY},
        "EntityNotExists.Member": {"ContactId": None, "Member": "fd-0000000000"},
    },
    "ListMessageContactVerifications": {
        "InvalidParameter.ContactId": {"ContactId": f"c-{'a' * 65}"},
        "MissingParameter.ContactId": {"ContactId": None},
        "EntityNotExists.Contact": {"ContactId": NOBODY},
    },
    "SendEmailVerificationForMessageContact": {
        "MissingParameter.ContactId": {"ContactId": None, "EmailAddress": EMAIL},
        "InvalidParameter.ContactId": {"ContactId": "m-1", "EmailAddress": EMAIL},
        "MissingParameter.EmailAddress": {},
        "InvalidParameter.EmailAddress": {"EmailAddress": "tom at example.com"},
        "EntityNotExists.Contact": {"ContactId": NOBODY, "EmailAddress": EMAIL},
        "EntityNotExists.Contact.Verification": {"EmailAddress": "thomas@example.com"},
    },
    "SendPhoneVerificationForMessageContact": {
        "MissingParameter.ContactId": {"ContactId": None, "PhoneNumber": PHONE},
        "InvalidParameter.ContactId": {"ContactId": "C-0000000000000001", "PhoneNumber": PHONE},
        "MissingParameter.PhoneNumber": {"PhoneNumber": ""},
        "InvalidParameter.PhoneNumber": {"PhoneNumber": "+86-13900001234"},
        "InvalidParameter.MobileCountryCode": {"PhoneNumber": "44-7700900123"},
        "EntityNotExists.Contact": {"ContactId": NOBODY, "PhoneNumber": PHONE},
        "EntityNotExists.Contact.Verification": {"PhoneNumber": PHONE},
    },
    "CancelMessageContactUpdate": {
        "MissingParameter.ContactId": {"ContactId": None},
        "InvalidParameter.ContactId": {"ContactId": "c_1"},
        "InvalidParameter.PhoneNumber": {"PhoneNumber": "86-"},
        "InvalidParameter.MobileCountryCode": {"PhoneNumber": "1-4155550100"},
        "InvalidParameter.EmailAddress": {"EmailAddress": "@example.com"},
        "ContactStatusMismatchAction": {},
        "EntityNotExists.Contact": {"ContactId": NOBODY},
    },
    "GetMessageContactDeletionStatus": {
        "InvalidParameter.ContactId": {"ContactId": "王小明"},
        "MissingParameter.ContactId": {"ContactId": None},
        "EntityNotExists.Contact": {"ContactId": NOBODY},
    },
    "AssociateMembers": {
        "InvalidParameter.ContactId": {"ContactId": "x", "Members": ["fd-0000000000"]},
        "MissingParameter.ContactId": {"ContactId": None, "Members": ["fd-0000000000"]},
        "InvalidParameter.Members": {},
        "InvalidParameter.Members.Duplicate": {"Members": ["fd-0000000000", "fd-0000000000"]},
        "InvalidMember": {"Members": ["fd-0000000000"]},
        "EntityNotExists.Contact": {"ContactId": NOBODY, "Members": ["fd-0000000000"]},
    },
    "DisassociateMembers": {
        "InvalidParameter.ContactId": {"ContactId": "x", "Members": ["fd-0000000000"]},
        "MissingParameter.ContactId": {"ContactId": None, "Members": ["fd-0000000000"]},
        "InvalidParameter.Members": {"Members": ["everybody"]},
        "InvalidParameter.Members.Duplicate": {"Members": ["fd-0000000000", "fd-0000000000"]},
        "InvalidParameter.Members.Length": {"Members": [f"fd-000000000{digit}" for digit in range(6)]},
        "InvalidMember": {"Members": [ACCOUNT_ID]},
        "EntityNotExists.Contact": {"ContactId": NOBODY, "Members": ["fd-0000000000"]},
    },
}

ROWS: dict[tuple[str, str], Provocation] = {
    (operation, code): calling(operation, parameters)
    for operation, rows in _BY_ONE_CALL.items()
    for code, parameters in rows.items()
}


def row(operation: str, code: str) -> Callable[[Provocation], Provocation]:
    """Register the decorated function as the way to provoke a row."""

    def register(provocation: Provocation) -> Provocation:
        if (operation, code) in ROWS:
            raise ValueError(f"{operation} has two ways to provoke {code}")
        ROWS[operation, code] = provocation
        return provocation

    return register


@row("AddMessageContact", "LimitExceeded.Contacts")
async def add_to_a_full_directory(stage: Stage) -> Refusal:
    for letter in "abcdefghijklmnopqrs":
        await stage.api.add_contact(Name=f"Full{letter}")
    return await stage.refused("AddMessageContact", **new_contact())


@row("AddMessageContact", "ConcurrentCallNotSupported")
async def add_with_ids_that_are_always_taken(stage: Stage) -> Refusal:
    stage.ids.stuck = True
    return await stage.refused("AddMessageContact", **new_contact())


@row("UpdateMessageContact", "InvalidParameter.Name.AlreadyUsed")
async def rename_to_somebody_elses_name(stage: Stage) -> Refusal:
    await stage.api.add_contact(Name="Anna")
    return await stage.refused("UpdateMessageContact", Name="Anna")


@row("UpdateMessageContact", "ContactStatusMismatchAction")
async def update_while_deleting(stage: Stage) -> Refusal:
    await _delete_everywhere(stage)
    return await stage.refused("UpdateMessageContact", Title="Other")


@row("UpdateMessageContact", "ConcurrentCallNotSupported")
async def update_against_a_rival(stage: Stage) -> Refusal:
    stage.rival.service = stage.api.service
    return await stage.refused("UpdateMessageContact", Title="Other")


@row("DeleteMessageContact", "ConcurrentCallNotSupported")
async def delete_while_deleting(stage: Stage) -> Refusal:
    await _delete_everywhere(stage)
    return await stage.refused("DeleteMessageContact")


@row("SendEmailVerificationForMessageContact", "SendValidateCodeExceedsLimitForAccount")
async def send_an_eleventh_mail_in_a_minute(stage: Stage) -> Refusal:
    for _ in range(10):
        await stage.api.call("SendEmailVerificationForMessageContact", ContactId=TOM, EmailAddress=EMAIL)
    return await stage.refused("SendEmailVerificationForMessageContact", EmailAddress=EMAIL)


@row("SendPhoneVerificationForMessageContact", "SendValidateCodeExceedsLimitForAccount")
async def send_an_eleventh_text_message_in_a_minute(stage: Stage) -> Refusal:
    await stage.api.call("UpdateMessageContact", ContactId=TOM, PhoneNumber=PHONE)
    for _ in range(10):
        await stage.api.call("SendPhoneVerificationForMessageContact", ContactId=TOM, PhoneNumber=PHONE)
    return await stage.refused("SendPhoneVerificationForMessageContact", PhoneNumber=PHONE)


@row("AssociateMembers", "LimitExceeded.ContactMembers")
async def bind_to_an_eleventh_object(stage: Stage) -> Refusal:
    folders = [await stage.api.create_folder(f"folder-{number}") for number in range(10)]
    for part in (folders[:5], folders[5:]):
        await stage.api.call("AssociateMembers", ContactId=TOM, Members=part)
    return await stage.refused("AssociateMembers", Members=[stage.shop])


@row("AssociateMembers", "ContactStatusMismatchAction")
async def bind_while_deleting(stage: Stage) -> Refusal:
    await _delete_everywhere(stage)
    return await stage.refused("AssociateMembers", Members=[stage.shop])


@row("AssociateMembers", "ConcurrentCallNotSupported")
async def bind_against_a_rival(stage: Stage) -> Refusal:
    stage.rival.service = stage.api.service
    return await stage.refused("AssociateMembers", Members=[stage.shop])


@row("DisassociateMembers", "ContactStatusMismatchAction")
async def unbind_while_deleting(stage: Stage) -> Refusal:
    await _delete_everywhere(stage)
    return await stage.refused("DisassociateMembers", Members=[stage.shop])


async def _delete_everywhere(stage: Stage) -> None:
    """Start a deletion that a worker would have to finish; none does."""
    await stage.api.call("DeleteMessageContact", ContactId=TOM, RetainContactInMembers=False)
