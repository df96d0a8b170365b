"""Showing and erasing everything that is held on one contact. Ours, version 2026-11-01."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts import errors
from message_contacts.operations.call import Call
from message_contacts.operations.contact_parameters import CONTACT_ID_PARAMETER
from message_contacts.operations.copies import COPY_FIELDS, copy_fields
from message_contacts.operations.evidence import BLOCK_FIELDS, EVIDENCE_FIELDS, block_fields, evidence_fields
from message_contacts.operations.hand_overs import HAND_OVER_FIELDS, shown_hand_over
from message_contacts.operations.inbox import MESSAGE_FIELDS, message_fields
from message_contacts.operations.own_parameters import SOURCE, VERSIONS, list_errors
from message_contacts.operations.privacy_fields import (
    HELD_AUDIT_FIELDS,
    HELD_CONTACT_FIELDS,
    HELD_DELIVERY_FIELDS,
    HELD_JOB_FIELDS,
    HELD_PREFERENCE_FIELDS,
    HELD_SUSPENSION_FIELDS,
    HELD_VERIFICATION_FIELDS,
    held_audit_event,
    held_contact,
    held_delivery,
    held_job,
    held_preference,
    held_suspension,
    held_verification,
)
from message_contacts.operations.registry import Access, Field, Items, Operation, operation
from message_contacts.operations.token_paging import (
    INVALID_NEXT_TOKEN,
    MAX_RESULTS,
    NEXT_TOKEN,
    TOKEN_FIELDS,
    next_token,
)
from message_contacts.privacy.erasure import erase, without_addresses
from message_contacts.privacy.model import Person
from message_contacts.verification.model import Block

_CONTACT_ID = CONTACT_ID_PARAMETER.needed()
#: Begins the tokens of pages: messages come first, then deliveries, then audit events.
_AUDIT_EVENTS, _DELIVERIES, _MESSAGES = "a", "d", "m"
_SALT_BYTES = 16


@operation(
    "ExportPerson",
    versions=VERSIONS,
    access=Access.READ,
    doc="Shows everything that is held on one contact, whether it still exists or not. Captured messages, "
    "deliveries and audit events come in pages, in this order; what else there is comes with the first page.",
    source=SOURCE,
    parameters=[_CONTACT_ID, MAX_RESULTS, NEXT_TOKEN],
    raises=[
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_CONTACT_ID,
        *list_errors(),
        errors.ENTITY_NOT_EXISTS_CONTACT,
    ],
    returns={
        **TOKEN_FIELDS,
        "ContactId": Field("string", "Contact.", "c-qL4HqKONzOM7****"),
        "Contact": HELD_CONTACT_FIELDS,
        "DetachedContacts": Items(COPY_FIELDS),
        "Verifications": Items(HELD_VERIFICATION_FIELDS),
        "Evidence": Items(EVIDENCE_FIELDS),
        "Blocks": Items(BLOCK_FIELDS),
        "Jobs": Items(HELD_JOB_FIELDS),
        "Suspensions": Items(HELD_SUSPENSION_FIELDS),
        "Preferences": Items(HELD_PREFERENCE_FIELDS),
        "HandOvers": Items(HAND_OVER_FIELDS),
        "Messages": Items(MESSAGE_FIELDS),
        "Deliveries": Items(HELD_DELIVERY_FIELDS),
        "AuditEvents": Items(HELD_AUDIT_FIELDS),
    },
    resources=["contact/{ContactId}"],
    needs_directory=False,
)
async def export_person(call: Call, *, contact_id: str, max_results: int, next_token: str | None) -> Mapping[str, Any]:
    if next_token is not None and next_token[:1] not in (_AUDIT_EVENTS, _DELIVERIES, _MESSAGES):
        raise INVALID_NEXT_TOKEN()
    person = await call.services.people.person(call.account_id, contact_id)
    if not person.is_known:
        raise errors.ENTITY_NOT_EXISTS_CONTACT(contact_id=contact_id)
    return {
        "ContactId": contact_id,
        **(_held(person, call) if next_token is None else {}),
        **await _page(call, person, next_token or _MESSAGES, max_results),
    }


def _held(person: Person, call: Call) -> dict[str, Any]:
    """What comes with the first page."""
    contact = person.contact
    return {
        **({} if contact is None else {"Contact": held_contact(contact, call)}),
        "DetachedContacts": [copy_fields(copy) for copy in person.copies],
        "Verifications": [held_verification(verification) for verification in person.verifications],
        "Evidence": [evidence_fields(evidence) for evidence in person.evidence],
        "Blocks": [block_fields(block) for block in person.blocks],
        "Jobs": [held_job(job) for job in person.jobs],
        "Suspensions": [held_suspension(suspension) for suspension in person.suspensions],
        "Preferences": [held_preference(preference) for preference in person.preferences],
        "HandOvers": [shown_hand_over(hand_over) for hand_over in person.hand_overs],
    }


async def _page(call: Call, person: Person, position: str, limit: int) -> dict[str, Any]:
    """Captured messages, deliveries and audit events behind a position: the kind's letter and the last id."""
    kind, after = position[0], position[1:]
    entries: list[tuple[str, dict[str, Any]]] = []
    if kind == _MESSAGES:
        messages = await call.services.people.messages(person, after=after, limit=limit + 1)
        entries += [(_MESSAGES + message.message_id, message_fields(message)) for message in messages]
        after = ""
    if kind != _AUDIT_EVENTS:
        behind = (delivery for delivery in person.deliveries if delivery.delivery_id > after)
        entries += [(_DELIVERIES + delivery.delivery_id, held_delivery(delivery)) for delivery in behind]
        after = ""
    if len(entries) <= limit:
        wanted = limit + 1 - len(entries)
        events = await call.services.audit.events_of_person(
            call.account_id, person.contact_id, after=after, limit=wanted
        )
        entries += [(_AUDIT_EVENTS + kept.event.event_id, held_audit_event(kept)) for kept in events]
    return {
        "Messages": [fields for key, fields in entries[:limit] if key.startswith(_MESSAGES)],
        "Deliveries": [fields for key, fields in entries[:limit] if key.startswith(_DELIVERIES)],
        "AuditEvents": [fields for key, fields in entries[:limit] if key.startswith(_AUDIT_EVENTS)],
        **next_token(entries, limit, lambda entry: entry[0]),
    }


@operation(
    "ErasePerson",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Erases everything that is held on one contact, whether it still exists or not: contact and bindings, copies "
    "in members, verifications (their links and codes stop working), evidence, waiting work, captured messages, what "
    "came back from its addresses, what it wants and asked for, and what audit events tell of it. Cannot be undone. "
    'Deliveries and audit events stay, without the person; "this was not me" stays in force, without the address.',
    source=SOURCE,
    parameters=[_CONTACT_ID],
    raises=[
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.ENTITY_NOT_EXISTS_CONTACT,
    ],
    returns={
        "Erased": {
            "Contacts": Field("integer", "1, or 0 when the contact was gone already.", 1),
            "DetachedContacts": Field("integer", "Copies in members.", 0),
            "Verifications": Field("integer", "Verifications.", 1),
            "Evidence": Field("integer", "Proofs of who confirmed which address.", 1),
            "Blocks": Field("integer", 'Times "this was not me" was said: what stays has no address.', 0),
            "Jobs": Field("integer", "Work that waited or was given up.", 0),
            "Messages": Field("integer", "Captured messages.", 1),
            "Deliveries": Field("integer", "Deliveries that tell nothing of the person any more.", 12),
            "Suspensions": Field("integer", "Addresses from which messages came back.", 0),
            "Preferences": Field("integer", "What was said about messages, by address.", 0),
            "HandOvers": Field("integer", "Requests to have somebody else get the messages.", 0),
            "AuditEvents": Field("integer", "Audit events that tell nothing of the person any more.", 4),
        }
    },
    resources=["contact/{ContactId}"],
    needs_directory=False,
)
async def erase_person(call: Call, *, contact_id: str) -> Mapping[str, Any]:
    people = call.services.people

    async def read() -> tuple[Person, Sequence[Block]]:
        person = await people.person(call.account_id, contact_id)
        if not person.blocks:
            return person, ()
        already = await people.erased_blocks(call.account_id)
        # Digests that are slow to make, so not on the event loop.
        return person, await asyncio.to_thread(without_addresses, person.blocks, already, os.urandom(_SALT_BYTES))

    erased = await call.change(read, lambda found: erase(*found))
    people.scrub()
    return {
        "Erased": {
            "Contacts": erased.contacts,
            "DetachedContacts": erased.copies,
            "Verifications": erased.verifications,
            "Evidence": erased.evidence,
            "Blocks": erased.blocks,
            "Jobs": erased.jobs,
            "Messages": erased.messages,
            "Deliveries": erased.deliveries,
            "Suspensions": erased.suspensions,
            "Preferences": erased.preferences,
            "HandOvers": erased.hand_overs,
            "AuditEvents": erased.audit_parts,
        }
    }


OPERATIONS: tuple[Operation, ...] = (
    export_person,
    erase_person,
)
