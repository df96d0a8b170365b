"""Contacts: add, update, cancel an update, get, list. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts import errors
from message_contacts.contacts import lifecycle
from message_contacts.contacts.lifecycle import ContactUpdate
from message_contacts.contacts.model import Contact
from message_contacts.operations import paging
from message_contacts.operations.call import Call
from message_contacts.operations.contact_parameters import (
    ANY_CONTACT,
    CONTACT,
    CONTACT_FIELDS,
    CONTACT_ID_PARAMETER,
    EMAIL_ADDRESS,
    MEMBER,
    MESSAGE_TYPES,
    NAME,
    PENDING_EMAIL_ADDRESS,
    PHONE_NUMBER,
    TITLE,
    contact_fields,
)
from message_contacts.operations.dates import contact_date
from message_contacts.operations.directory_parameters import nodes_named
from message_contacts.operations.lookups import existing_contact, exists
from message_contacts.operations.registry import Access, Field, Items, Operation, Parameter, operation


@operation(
    "AddMessageContact",
    access=Access.WRITE,
    doc="Adds a contact to the directory. Nothing is sent until a verification is asked for.",
    source="API reference, AddMessageContact, 2026-03-30",
    parameters=[NAME.needed(), EMAIL_ADDRESS.needed(), PHONE_NUMBER, TITLE.needed(), MESSAGE_TYPES.needed()],
    raises=[
        errors.MISSING_PARAMETER_NAME,
        errors.INVALID_PARAMETER_NAME,
        errors.INVALID_PARAMETER_NAME_LENGTH,
        errors.INVALID_PARAMETER_NAME_ALREADY_USED,
        errors.MISSING_PARAMETER_EMAIL_ADDRESS,
        errors.INVALID_PARAMETER_EMAIL_ADDRESS,
        errors.INVALID_PARAMETER_PHONE_NUMBER,
        errors.MISSING_PARAMETER_TITLE,
        errors.INVALID_PARAMETER_TITLE,
        errors.MISSING_PARAMETER_MESSAGE_TYPES,
        errors.INVALID_PARAMETER_MESSAGE_TYPES,
        errors.LIMIT_EXCEEDED_CONTACTS,
        errors.INVALID_PARAMETER_MOBILE_COUNTRY_CODE,
        errors.INVALID_PARAMETER_EMAIL_ADDRESS_LENGTH,
        errors.CONCURRENT_CALL_NOT_SUPPORTED,
    ],
    never={"MissingParameter.PhoneNumber": "PhoneNumber is optional; an absent or empty one means none."},
    returns={
        "Contact": {
            "ContactId": Field("string", "The new contact.", "c-qL4HqKONzOM7****"),
            "CreateDate": Field("string", "yyyy-MM-dd HH:mm:ss, UTC+8 unless set otherwise.", "2023-03-27 17:19:21"),
        }
    },
    resources=[ANY_CONTACT],
)
async def add_message_contact(call: Call, *, email_address: Any, phone_number: Any, **fields: Any) -> Mapping[str, Any]:
    directory = call.directory

    async def read() -> None:
        """Nothing more to read: the commit checks that the directory is still there."""

    contact = await call.change(
        read,
        lambda _: lifecycle.add(
            directory,
            contact_id=call.ids.contact(),
            email=email_address,
            phone=phone_number,
            now=call.now,
            rules=call.rules.contacts,
            **fields,
        ),
    )
    created = contact_date(contact.created_at, call.rules.contact_dates)
    return {"Contact": {"ContactId": contact.contact_id, "CreateDate": created}}


def _parse_new_phone(text: str, rules: Any) -> Any:
    return PHONE_NUMBER.parse(text, rules) if text else ""


@operation(
    "UpdateMessageContact",
    access=Access.WRITE,
    doc="Changes the fields given. A new address takes effect after it is verified.",
    source="API reference, UpdateMessageContact, 2026-03-30",
    parameters=[
        CONTACT_ID_PARAMETER.needed(),
        NAME,
        EMAIL_ADDRESS,
        Parameter(
            name="PhoneNumber",
            parse=_parse_new_phone,
            doc="New mobile number; empty takes the number away.",
            example="86-139****1234",
            invalid=PHONE_NUMBER.invalid,
            empty_means_something=True,
        ),
        TITLE,
        MESSAGE_TYPES,
    ],
    raises=[
        errors.INVALID_PARAMETER_NAME,
        errors.INVALID_PARAMETER_NAME_LENGTH,
        errors.INVALID_PARAMETER_NAME_ALREADY_USED,
        errors.INVALID_PARAMETER_EMAIL_ADDRESS,
        errors.INVALID_PARAMETER_PHONE_NUMBER,
        errors.INVALID_PARAMETER_TITLE,
        errors.INVALID_PARAMETER_MESSAGE_TYPES,
        errors.INVALID_PARAMETER_MOBILE_COUNTRY_CODE,
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_EMAIL_ADDRESS_LENGTH,
        errors.CONTACT_STATUS_MISMATCH_ACTION,
        errors.ENTITY_NOT_EXISTS_CONTACT,
        errors.CONCURRENT_CALL_NOT_SUPPORTED,
    ],
    resources=[CONTACT],
)
async def update_message_contact(
    call: Call, *, contact_id: str, email_address: Any, phone_number: Any, **fields: Any
) -> Mapping[str, Any]:
    asked = ContactUpdate(email=email_address, phone=phone_number or None, remove_phone=phone_number == "", **fields)
    await call.change(
        lambda: call.services.contacts.contact(call.account_id, contact_id),
        lambda contact: lifecycle.update(contact, asked, call.rules.contacts),
    )
    return {}


@operation(
    "CancelMessageContactUpdate",
    access=Access.WRITE,
    doc="Drops a change of an address that waits for verification; with no address named, all such changes.",
    source="API reference, CancelMessageContactUpdate, 2026-07-04",
    parameters=[CONTACT_ID_PARAMETER.needed(), PHONE_NUMBER, PENDING_EMAIL_ADDRESS],
    raises=[
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_PHONE_NUMBER,
        errors.INVALID_PARAMETER_MOBILE_COUNTRY_CODE,
        errors.INVALID_PARAMETER_EMAIL_ADDRESS,
        errors.CONTACT_STATUS_MISMATCH_ACTION,
        errors.ENTITY_NOT_EXISTS_CONTACT,
    ],
    resources=[CONTACT],
)
async def cancel_message_contact_update(
    call: Call, *, contact_id: str, phone_number: Any, email_address: Any
) -> Mapping[str, Any]:
    await call.change(
        lambda: call.services.contacts.contact(call.account_id, contact_id),
        lambda contact: lifecycle.cancel(contact, email_address, phone_number),
    )
    return {}


@operation(
    "GetMessageContact",
    access=Access.READ,
    doc="Returns one contact.",
    source="API reference, GetMessageContact, 2026-07-04",
    parameters=[CONTACT_ID_PARAMETER.needed()],
    raises=[
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.ENTITY_NOT_EXISTS_CONTACT,
    ],
    returns={"Contact": CONTACT_FIELDS},
    resources=[CONTACT],
)
async def get_message_contact(call: Call, *, contact_id: str) -> Mapping[str, Any]:
    return {"Contact": contact_fields(await existing_contact(call, contact_id), call.rules)}


@operation(
    "ListMessageContacts",
    access=Access.READ,
    doc="Lists contacts by creation date; one contact, or those bound directly to one object, if asked.",
    source="API reference, ListMessageContacts, 2026-07-04",
    parameters=[CONTACT_ID_PARAMETER, MEMBER, paging.PAGE_NUMBER, paging.PAGE_SIZE],
    raises=[
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_MEMBER,
        errors.ENTITY_NOT_EXISTS_CONTACT,
        errors.ENTITY_NOT_EXISTS_MEMBER,
    ],
    returns={
        **paging.PAGE_FIELDS,
        "Contacts": Items(
            {
                **CONTACT_FIELDS,
                "AssociatedDate": Field(
                    "string",
                    "With Member, when it was bound to that; else its latest binding; absent when bound nowhere.",
                    "2023-03-27 17:19:21",
                ),
            }
        ),
    },
    resources=[ANY_CONTACT],
    deniable_on=[CONTACT, *nodes_named("Member")],
)
async def list_message_contacts(
    call: Call, *, contact_id: str | None, member: str | None, page_number: int, page_size: int
) -> Mapping[str, Any]:
    if contact_id is not None:
        await existing_contact(call, contact_id)
    if member is not None and not await exists(call, member):
        raise errors.ENTITY_NOT_EXISTS_MEMBER(node_id=member)
    contacts, total = await call.services.contacts.contact_page(
        call.account_id,
        contact_id=contact_id,
        node_id=member,
        offset=paging.offset(page_number, page_size),
        limit=page_size,
    )
    return {
        "TotalCount": total,
        "PageSize": page_size,
        "PageNumber": page_number,
        "Contacts": [_listed(call, contact, member) for contact in contacts],
    }


def _listed(call: Call, contact: Contact, member: str | None) -> dict[str, Any]:
    dates = [binding.bound_at for binding in contact.bindings if member in (None, binding.node_id)]
    fields = contact_fields(contact, call.rules)
    if dates:
        fields["AssociatedDate"] = contact_date(max(dates), call.rules.contact_dates)
    return fields


OPERATIONS: tuple[Operation, ...] = (
    add_message_contact,
    update_message_contact,
    cancel_message_contact_update,
    get_message_contact,
    list_message_contacts,
)
