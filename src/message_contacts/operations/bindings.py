"""Binding contacts to the directory, folders and members. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts import errors
from message_contacts.contacts import bindings
from message_contacts.operations.call import Call
from message_contacts.operations.contact_parameters import (
    CONTACT,
    CONTACT_ID_PARAMETER,
    MEMBERS_TO_BIND,
    MEMBERS_TO_UNBIND,
    binding_fields,
)
from message_contacts.operations.directory_parameters import nodes_named
from message_contacts.operations.lookups import existing
from message_contacts.operations.registry import Access, Field, Items, Operation, operation

_RETURNS = {
    "Members": Items(
        {
            "ContactId": Field("string", "Contact.", "c-qL4HqKONzOM7****"),
            "MemberId": Field("string", "Directory, folder or member, in the order given.", "fd-ZDNPiT****"),
            "ModifyDate": Field("string", "When it was bound or unbound.", "2023-03-27 17:19:21"),
        }
    )
}


@operation(
    "AssociateMembers",
    access=Access.WRITE,
    doc="Binds a contact to the directory, folders or members: all of them or none.",
    source="API reference, AssociateMembers, 2026-07-04",
    parameters=[CONTACT_ID_PARAMETER.needed(), MEMBERS_TO_BIND],
    raises=[
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_MEMBERS,
        errors.INVALID_PARAMETER_MEMBERS_DUPLICATE,
        errors.LIMIT_EXCEEDED_CONTACT_MEMBERS,
        errors.INVALID_MEMBER,
        errors.CONTACT_STATUS_MISMATCH_ACTION,
        errors.ENTITY_NOT_EXISTS_CONTACT,
        errors.CONCURRENT_CALL_NOT_SUPPORTED,
    ],
    returns=_RETURNS,
    deniable_on=[CONTACT, *nodes_named("Members")],
)
async def associate_members(call: Call, *, contact_id: str, members: list[str]) -> Mapping[str, Any]:
    bound = await call.change(
        lambda: _contact_and_nodes(call, contact_id, members),
        lambda found: bindings.associate(found[0], members, found[1], call.now),
    )
    return {"Members": [binding_fields(contact_id, binding, call.rules) for binding in bound]}


@operation(
    "DisassociateMembers",
    access=Access.WRITE,
    doc="Unbinds a contact from the directory, folders or members: all of them or none.",
    source="API reference, DisassociateMembers, 2026-07-04",
    parameters=[CONTACT_ID_PARAMETER.needed(), MEMBERS_TO_UNBIND],
    raises=[
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_MEMBERS,
        errors.INVALID_PARAMETER_MEMBERS_DUPLICATE,
        errors.INVALID_PARAMETER_MEMBERS_LENGTH,
        errors.INVALID_MEMBER,
        errors.CONTACT_STATUS_MISMATCH_ACTION,
        errors.ENTITY_NOT_EXISTS_CONTACT,
    ],
    never={"QuotaExceeded.Members": "It has the text of InvalidParameter.Members.Length, which is answered."},
    returns=_RETURNS,
    deniable_on=[CONTACT, *nodes_named("Members")],
)
async def disassociate_members(call: Call, *, contact_id: str, members: list[str]) -> Mapping[str, Any]:
    unbound = await call.change(
        lambda: _contact_and_nodes(call, contact_id, members),
        lambda found: bindings.disassociate(found[0], members, found[1], call.now),
    )
    return {"Members": [binding_fields(contact_id, binding, call.rules) for binding in unbound]}


async def _contact_and_nodes(call: Call, contact_id: str, node_ids: list[str]) -> Any:
    contact = await call.services.contacts.contact(call.account_id, contact_id)
    return contact, await existing(call, node_ids)


OPERATIONS: tuple[Operation, ...] = (associate_members, disassociate_members)
