"""Who confirmed which address, and who said "this was not me". Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.contacts.model import CONTACT_CHANNELS, Channel
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.contact_parameters import CONTACT_ID_PARAMETER
from message_contacts.operations.dates import utc_time
from message_contacts.operations.own_parameters import (
    DATE,
    SOURCE,
    VERSIONS,
    deleted,
    list_errors,
    missing_parameter,
    needed_text,
    page,
)
from message_contacts.operations.registry import Access, Field, Items, Operation, Parameter, Shape, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS
from message_contacts.verification.erased_addresses import is_erased
from message_contacts.verification.model import Block, Evidence

INVALID_CHANNEL = ErrorDefinition(400, "InvalidParameter.Channel", "The Channel is invalid.")
NO_BLOCK = ErrorDefinition(404, "EntityNotExists.VerificationBlock", "This verification block does not exist.")

_CONTACT_ID = Parameter(
    name="ContactId",
    parse=CONTACT_ID_PARAMETER.parse,
    doc="Only this contact; it need not exist any more.",
    example="c-qL4HqKONzOM7****",
    invalid=CONTACT_ID_PARAMETER.invalid,
)


def _parse_channel(text: str, _rules: Rules) -> Channel:
    try:
        channel = Channel(text)
    except ValueError:
        raise INVALID_CHANNEL() from None
    if channel not in CONTACT_CHANNELS:
        raise INVALID_CHANNEL()
    return channel


#: What answers say of a piece of evidence.
EVIDENCE_FIELDS: Mapping[str, Shape] = {
    "VerificationId": Field("string", "The verification.", "3zzbpbhjfx"),
    "ContactId": Field("string", "Contact.", "c-qL4HqKONzOM7****"),
    "Channel": Field("string", "email or sms.", "email"),
    "Target": Field("string", "Address confirmed.", "tom@example.com"),
    "ConfirmTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "Way": Field("string", "link or code.", "link"),
    "SourceAddress": Field("string", "IP address of the person.", "203.0.113.7"),
    "UserAgent": Field("string", "The browser's own description.", "Mozilla/5.0"),
    "Captured": Field("boolean", "Confirmed from the captured inbox: no proof of a person.", example=False),
}


def evidence_fields(evidence: Evidence) -> dict[str, Any]:
    """A piece of evidence as answers show it."""
    return {
        "VerificationId": evidence.verification_id,
        "ContactId": evidence.contact_id,
        "Channel": evidence.channel,
        "Target": evidence.address,
        "ConfirmTime": utc_time(evidence.confirmed_at),
        "Way": evidence.way,
        "SourceAddress": evidence.source_address,
        "UserAgent": evidence.user_agent,
        "Captured": evidence.captured,
    }


@operation(
    "ListVerificationEvidence",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists who confirmed which address, when, from where and how; kept when the contact is gone.",
    source=SOURCE,
    parameters=[_CONTACT_ID, MAX_RESULTS, NEXT_TOKEN],
    raises=list_errors(*CONTACT_ID_PARAMETER.invalid),
    returns={
        **TOKEN_FIELDS,
        "Evidence": Items(EVIDENCE_FIELDS),
    },
    resources=["contact/{ContactId}"],
    needs_directory=False,
)
async def list_verification_evidence(
    call: Call, *, contact_id: str | None, max_results: int, next_token: str | None
) -> Mapping[str, Any]:
    found = await call.services.verification.evidence_page(
        call.account_id, contact_id=contact_id, after=next_token, limit=max_results + 1
    )
    return page(
        "Evidence",
        [evidence_fields(evidence) for evidence in found],
        max_results,
        "VerificationId",
    )


#: What answers say of a block.
BLOCK_FIELDS: Mapping[str, Shape] = {
    "Channel": Field("string", "email or sms.", "email"),
    "Target": Field("string", "Address; absent when its owner was erased.", "tom@example.com"),
    "BlockTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "SourceAddress": Field("string", "IP address of the person; absent likewise.", "203.0.113.7"),
}


def block_fields(block: Block) -> dict[str, Any]:
    """A block as answers show it."""
    erased = is_erased(block.address_key)
    return {
        "Channel": block.channel,
        **({} if erased else {"Target": block.address_key}),
        "BlockTime": utc_time(block.blocked_at),
        **({} if erased else {"SourceAddress": block.source_address}),
    }


@operation(
    "ListVerificationBlocks",
    versions=VERSIONS,
    access=Access.READ,
    doc='Lists the addresses whose owners said "this was not me": they get no verification messages from this account.',
    source=SOURCE,
    returns={"Blocks": Items(BLOCK_FIELDS)},
    resources=["verificationblock/*"],
    needs_directory=False,
)
async def list_verification_blocks(call: Call) -> Mapping[str, Any]:
    blocks = await call.services.verification.blocks(call.account_id)
    return {"Blocks": [block_fields(block) for block in blocks]}


@operation(
    "DeleteVerificationBlock",
    versions=VERSIONS,
    access=Access.WRITE,
    doc='Undoes "this was not me" for an address, after its owner was asked.',
    source=SOURCE,
    parameters=[
        Parameter(
            name="Channel",
            parse=_parse_channel,
            doc="email or sms.",
            example="email",
            choices=CONTACT_CHANNELS,
            required=True,
            missing=missing_parameter("Channel"),
            invalid=(INVALID_CHANNEL,),
        ),
        needed_text("Target", "Address.", "tom@example.com"),
    ],
    raises=[missing_parameter("Channel"), INVALID_CHANNEL, missing_parameter("Target"), NO_BLOCK],
    resources=["verificationblock/*"],
    needs_directory=False,
)
async def delete_verification_block(call: Call, *, channel: Channel, target: str) -> Mapping[str, Any]:
    await call.change(
        lambda: call.services.verification.block(call.account_id, channel, target.lower()),
        lambda block: deleted(block, NO_BLOCK),
    )
    return {}


OPERATIONS: tuple[Operation, ...] = (
    list_verification_evidence,
    list_verification_blocks,
    delete_verification_block,
)
