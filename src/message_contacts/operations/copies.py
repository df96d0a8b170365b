"""Copies of contacts that members keep. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.contacts.model import DetachedContact
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call
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
from message_contacts.operations.registry import Access, Field, Items, Operation, Shape, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS

NO_DETACHED_CONTACT = ErrorDefinition(404, "EntityNotExists.DetachedContact", "This detached contact does not exist.")


#: What answers say of a copy.
COPY_FIELDS: Mapping[str, Shape] = {
    "DetachedContactId": Field("string", "The copy.", "dc-4fXkPq9LmZ2aB7cD"),
    "ContactId": Field("string", "The contact it was.", "c-qL4HqKONzOM7****"),
    "Name": Field("string", "Name.", "tom"),
    "EmailAddress": Field("string", "Verified e-mail address; absent when there was none.", "t@example.com"),
    "PhoneNumber": Field("string", "Verified number; absent when there was none.", "86-13900001234"),
    "Title": Field("string", "Job title.", "CEO"),
    "MessageTypes": Items(Field("string", "Type.", "AccountExpenses")),
    "Members": Items(Field("string", "Object whose members of that moment keep the copy.", "fd-ZDNPiT****")),
    "DetachTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
}


def copy_fields(copy: DetachedContact) -> dict[str, Any]:
    """A copy as answers show it."""
    return {
        "DetachedContactId": copy.detached_id,
        "ContactId": copy.contact_id,
        "Name": copy.name.text,
        **({"EmailAddress": copy.email.text} if copy.email else {}),
        **({"PhoneNumber": copy.phone.text} if copy.phone else {}),
        "Title": copy.title,
        "MessageTypes": copy.message_types,
        "Members": copy.node_ids,
        "DetachTime": utc_time(copy.detached_at),
    }


@operation(
    "ListDetachedContacts",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists the copies that members keep of contacts that were deleted, or that they took along when they left.",
    source=SOURCE,
    parameters=[MAX_RESULTS, NEXT_TOKEN],
    raises=list_errors(),
    returns={
        **TOKEN_FIELDS,
        "DetachedContacts": Items(COPY_FIELDS),
    },
    resources=["detachedcontact/*"],
    needs_directory=False,
)
async def list_detached_contacts(call: Call, *, max_results: int, next_token: str | None) -> Mapping[str, Any]:
    found = await call.services.contacts.detached_page(call.account_id, after=next_token, limit=max_results + 1)
    return page(
        "DetachedContacts",
        [copy_fields(copy) for copy in found],
        max_results,
        "DetachedContactId",
    )


@operation(
    "DeleteDetachedContact",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Takes a copy away from the members that keep it.",
    source=SOURCE,
    parameters=[needed_text("DetachedContactId", "The copy.", "dc-4fXkPq9LmZ2aB7cD")],
    raises=[missing_parameter("DetachedContactId"), NO_DETACHED_CONTACT],
    resources=["detachedcontact/{DetachedContactId}"],
    needs_directory=False,
)
async def delete_detached_contact(call: Call, *, detached_contact_id: str) -> Mapping[str, Any]:
    await call.change(
        lambda: call.services.contacts.detached_contact(call.account_id, detached_contact_id),
        lambda copy: deleted(copy, NO_DETACHED_CONTACT),
    )
    return {}


OPERATIONS: tuple[Operation, ...] = (
    list_detached_contacts,
    delete_detached_contact,
)
