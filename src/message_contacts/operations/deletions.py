"""Deleting contacts, and how it goes. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts import errors
from message_contacts.contacts import deletion
from message_contacts.operations.call import Call
from message_contacts.operations.contact_parameters import CONTACT, CONTACT_ID_PARAMETER
from message_contacts.operations.lookups import existing_contact
from message_contacts.operations.registry import Access, Field, Items, Kind, Operation, Parameter, operation
from message_contacts.operations.values import parse_boolean

RETAIN_CONTACT_IN_MEMBERS = Parameter(
    name="RetainContactInMembers",
    kind=Kind.BOOLEAN,
    parse=parse_boolean,
    doc="true: members keep their copy and go on getting messages; false: it is taken away in the background.",
    example="true",
    default=True,
)


@operation(
    "DeleteMessageContact",
    access=Access.WRITE,
    doc="Deletes a contact. Members keep their copy unless RetainContactInMembers is false.",
    source="API reference, DeleteMessageContact, 2026-07-04",
    parameters=[CONTACT_ID_PARAMETER.needed(), RETAIN_CONTACT_IN_MEMBERS],
    raises=[
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.ENTITY_NOT_EXISTS_CONTACT,
        errors.CONCURRENT_CALL_NOT_SUPPORTED,
    ],
    returns={"Status": Field("string", "Deleted, or Deleting while it is taken out of the members.", "Deleting")},
    resources=[CONTACT],
)
async def delete_message_contact(call: Call, *, contact_id: str, retain_contact_in_members: bool) -> Mapping[str, Any]:
    async def read() -> Any:
        directory = await call.services.directory.directory(call.account_id)
        return directory or call.directory, await call.services.contacts.contact(call.account_id, contact_id)

    status = await call.change(
        read,
        lambda found: deletion.delete(found[1], found[0], retain=retain_contact_in_members, now=call.now, ids=call.ids),
    )
    return {"Status": status}


@operation(
    "GetMessageContactDeletionStatus",
    access=Access.READ,
    doc="Tells how a deletion with RetainContactInMembers=false is going; once it has succeeded the contact is gone.",
    source="API reference, GetMessageContactDeletionStatus, 2026-07-04",
    parameters=[CONTACT_ID_PARAMETER.needed()],
    raises=[
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.ENTITY_NOT_EXISTS_CONTACT,
    ],
    returns={
        "ContactDeletionStatus": {
            "ContactId": Field("string", "Contact.", "c-qL4HqKONzOM7****"),
            "Status": Field("string", "Deleting or Failed; absent when no deletion was asked for.", "Deleting"),
            "FailReasonList": Items(
                {
                    "AccountId": Field("string", "Member in which it failed.", "199796839435****"),
                    "MessageTypes": Items(Field("string", "Type the member still gets.", "AccountExpenses")),
                }
            ),
        }
    },
    resources=[CONTACT],
)
async def get_message_contact_deletion_status(call: Call, *, contact_id: str) -> Mapping[str, Any]:
    contact = await existing_contact(call, contact_id)
    deleting = contact.deletion
    reasons = [
        {"AccountId": failure.member_id, "MessageTypes": failure.message_types}
        for failure in (deleting.failures if deleting else ())
    ]
    status = {"Status": deleting.state} if deleting else {}
    return {"ContactDeletionStatus": {"ContactId": contact_id, **status, "FailReasonList": reasons}}


OPERATIONS: tuple[Operation, ...] = (delete_message_contact, get_message_contact_deletion_status)
