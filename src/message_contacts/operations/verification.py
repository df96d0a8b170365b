"""Verifications as the directory's administrator sees them: list what waits, ask for a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts import errors
from message_contacts.contacts.model import Address, Channel, Contact
from message_contacts.operations import paging
from message_contacts.operations.call import Call
from message_contacts.operations.contact_parameters import (
    CONTACT,
    CONTACT_ID_PARAMETER,
    PENDING_EMAIL_ADDRESS,
    PHONE_NUMBER,
)
from message_contacts.operations.lookups import existing_contact
from message_contacts.operations.registry import Access, Field, Items, Operation, operation
from message_contacts.verification import challenge
from message_contacts.verification.model import Block, Verification


@operation(
    "ListMessageContactVerifications",
    access=Access.READ,
    doc="Lists the addresses of a contact that wait for verification, e-mail before phone.",
    source="API reference, ListMessageContactVerifications, 2026-07-04",
    parameters=[CONTACT_ID_PARAMETER.needed(), paging.PAGE_NUMBER, paging.PAGE_SIZE],
    raises=[
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.ENTITY_NOT_EXISTS_CONTACT,
    ],
    returns={
        **paging.PAGE_FIELDS,
        "ContactVerifications": Items(
            {
                "ContactId": Field("string", "Contact.", "c-qL4HqKONzOM7****"),
                "Target": Field("string", "Address that waits.", "someone***@example.com"),
            }
        ),
    },
    resources=[CONTACT],
)
async def list_message_contact_verifications(
    call: Call, *, contact_id: str, page_number: int, page_size: int
) -> Mapping[str, Any]:
    contact = await existing_contact(call, contact_id)
    pending = contact.pending_addresses(call.rules.contacts)
    start = paging.offset(page_number, page_size)
    return {
        "TotalCount": len(pending),
        "PageSize": page_size,
        "PageNumber": page_number,
        "ContactVerifications": [
            {"ContactId": contact_id, "Target": address.text} for address in pending[start : start + page_size]
        ],
    }


@operation(
    "SendEmailVerificationForMessageContact",
    access=Access.WRITE,
    doc="Sends the verification mail to an address of a contact that waits for it; earlier links become void.",
    source="API reference, SendEmailVerificationForMessageContact, 2026-07-04",
    parameters=[CONTACT_ID_PARAMETER.needed(), PENDING_EMAIL_ADDRESS.needed()],
    raises=[
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.MISSING_PARAMETER_EMAIL_ADDRESS,
        errors.INVALID_PARAMETER_EMAIL_ADDRESS,
        errors.ENTITY_NOT_EXISTS_CONTACT,
        errors.ENTITY_NOT_EXISTS_CONTACT_VERIFICATION,
        errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT,
    ],
    resources=[CONTACT],
)
async def send_email_verification(call: Call, *, contact_id: str, email_address: Any) -> Mapping[str, Any]:
    return await _send(call, contact_id, Channel.EMAIL, email_address)


@operation(
    "SendPhoneVerificationForMessageContact",
    access=Access.WRITE,
    doc="Sends the verification text message to a number of a contact that waits for it; earlier links become void.",
    source="API reference, SendPhoneVerificationForMessageContact, 2026-07-04",
    parameters=[CONTACT_ID_PARAMETER.needed(), PHONE_NUMBER.needed()],
    raises=[
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.MISSING_PARAMETER_PHONE_NUMBER,
        errors.INVALID_PARAMETER_PHONE_NUMBER,
        errors.INVALID_PARAMETER_MOBILE_COUNTRY_CODE,
        errors.ENTITY_NOT_EXISTS_CONTACT,
        errors.ENTITY_NOT_EXISTS_CONTACT_VERIFICATION,
        errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT,
    ],
    resources=[CONTACT],
)
async def send_phone_verification(call: Call, *, contact_id: str, phone_number: Any) -> Mapping[str, Any]:
    return await _send(call, contact_id, Channel.SMS, phone_number)


async def _send(call: Call, contact_id: str, channel: Channel, address: Address) -> Mapping[str, Any]:
    services = call.services

    async def read() -> tuple[Contact | None, Verification | None, Block | None]:
        contact = await services.contacts.contact(call.account_id, contact_id)
        named = contact.slot(channel).verification_id if contact else None
        verification = await services.verification.verification(named) if named else None
        block = await services.verification.block(call.account_id, channel, address.key)
        return contact, verification, block

    await call.change(
        read,
        lambda found: challenge.send(
            found[0],
            found[1],
            found[2],
            channel,
            address,
            now=call.now,
            contact_rules=call.rules.contacts,
            rules=call.rules.verification,
            ids=call.ids,
        ),
    )
    return {}


OPERATIONS: tuple[Operation, ...] = (
    list_message_contact_verifications,
    send_email_verification,
    send_phone_verification,
)
