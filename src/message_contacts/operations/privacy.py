"""Showing and erasing everything that is held on one contact. Ours, version 2026-11-01."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts import errors
from message_contacts.audit.model import KeptEvent
from message_contacts.changes import Job
from message_contacts.clock import Instant
from message_contacts.contacts.model import Address, Contact, Slot
from message_contacts.delivery.messages import Delivery
from message_contacts.delivery.standing import Preference, Suspension
from message_contacts.operations.call import Call
from message_contacts.operations.contact_parameters import CONTACT_ID_PARAMETER
from message_contacts.operations.copies import COPY_FIELDS, copy_fields
from message_contacts.operations.dates import utc_time
from message_contacts.operations.evidence import BLOCK_FIELDS, EVIDENCE_FIELDS, block_fields, evidence_fields
from message_contacts.operations.hand_overs import HAND_OVER_FIELDS, shown_hand_over
from message_contacts.operations.inbox import MESSAGE_FIELDS, message_fields
from message_contacts.operations.message_parameters import DELIVERY_FIELDS, shown_delivery
from message_contacts.operations.own_parameters import DATE, SOURCE, VERSIONS, list_errors
from message_contacts.operations.registry import Access, Field, Items, Operation, Shape, operation
from message_contacts.operations.token_paging import (
    INVALID_NEXT_TOKEN,
    MAX_RESULTS,
    NEXT_TOKEN,
    TOKEN_FIELDS,
    next_token,
)
from message_contacts.privacy.erasure import erase, without_addresses
from message_contacts.privacy.model import Person
from message_contacts.verification.model import Block, Verification

_CONTACT_ID = CONTACT_ID_PARAMETER.needed()
#: Begins the tokens of pages: messages come first, then deliveries, then audit events.
_AUDIT_EVENTS, _DELIVERIES, _MESSAGES = "a", "d", "m"
_SALT_BYTES = 16

_ADDRESS_FIELDS: Mapping[str, Shape] = {
    "Target": Field("string", "Address in use, or first to be confirmed.", "tom@example.com"),
    "ConfirmTime": Field(
        "string", "When it was confirmed; absent when it was not. " + DATE, "2026-11-21T08:15:00.000Z"
    ),
    "Captured": Field("boolean", "Confirmed from the captured inbox: no proof of a person.", example=False),
    "Replacement": Field("string", "Address that waits to be confirmed; absent when none does.", "t@example.com"),
}
_CONTACT_FIELDS: Mapping[str, Shape] = {
    "Name": Field("string", "Name.", "tom"),
    "Title": Field("string", "Job title.", "CEO"),
    "MessageTypes": Items(Field("string", "Type.", "AccountExpenses")),
    "Status": Field("string", "Verifying, Active or Deleting.", "Active"),
    "CreateTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "EmailAddress": _ADDRESS_FIELDS,
    "PhoneNumber": _ADDRESS_FIELDS,
    "Bindings": Items(
        {
            "Member": Field("string", "Directory, folder or member.", "fd-ZDNPiT****"),
            "BindTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
        }
    ),
}
_VERIFICATION_FIELDS: Mapping[str, Shape] = {
    "VerificationId": Field("string", "The verification.", "3zzbpbhjfx"),
    "Channel": Field("string", "email or sms.", "email"),
    "Target": Field("string", "Address to be confirmed.", "tom@example.com"),
    "State": Field("string", "waiting or confirmed.", "confirmed"),
    "TimesSent": Field("integer", "How often it was asked for.", 1),
    "SendTime": Field("string", "When it was last asked for. " + DATE, "2026-11-21T08:15:00.000Z"),
    "ExpireTime": Field("string", "When link and code run out. " + DATE, "2026-11-22T08:15:00.000Z"),
    "WrongCodes": Field("integer", "Wrong codes entered since it was last sent.", 0),
}
_JOB_FIELDS: Mapping[str, Shape] = {
    "JobId": Field("string", "The job.", "j-019aa8a5598094250d04b0b8"),
    "Kind": Field("string", "What it does.", "send-verification"),
    "Channel": Field("string", "email, sms or internal.", "email"),
    "CreateTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "DueTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "Attempts": Field("integer", "Tries made.", 1),
    "Reason": Field("string", "Why the last try failed; absent before the first.", "mailbox-unknown"),
}
_DELIVERY_FIELDS: Mapping[str, Shape] = {
    name: DELIVERY_FIELDS[name]
    for name in ("DeliveryId", "MessageId", "Channel", "Address", "State", "Reason", "Route", "CreateTime", "SentTime")
}
_SUSPENSION_FIELDS: Mapping[str, Shape] = {
    "Channel": Field("string", "email or sms.", "email"),
    "Address": Field("string", "Address.", "tom@example.com"),
    "Reason": Field("string", "Why nothing is sent there; absent while it is.", "hard-bounce"),
    "LastTime": Field("string", "When the last message came back. " + DATE, "2026-11-21T08:15:00.000Z"),
    "Told": Items(Field("string", "What the other side said, cut.", "550 5.1.1 User unknown")),
}
_PREFERENCE_FIELDS: Mapping[str, Shape] = {
    "Channel": Field("string", "email or sms.", "email"),
    "Address": Field("string", "Where it was said.", "tom@example.com"),
    "ForAddress": Field("boolean", "Said for the address, by one click, whoever else has it.", example=False),
    "UnwantedTypes": Items(Field("string", "Type that is not wanted.", "ProductMessage")),
    "QuietHours": Field("string", "Without messages; absent when there are none.", "22:00-07:00 Asia/Shanghai"),
    "Language": Field("string", "Language chosen; empty when none was.", "en"),
    "ChangeTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
}
_AUDIT_FIELDS: Mapping[str, Shape] = {
    "EventId": Field("string", "The audit event.", "ae-019aa8a5598094250d04b0b8"),
    "EventTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "Operation": Field("string", "What was done.", "AddMessageContact"),
    "Personal": Field("string", "JSON: what the event says about the person, addresses masked.", '{"changes":[]}'),
}


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
        "Contact": _CONTACT_FIELDS,
        "DetachedContacts": Items(COPY_FIELDS),
        "Verifications": Items(_VERIFICATION_FIELDS),
        "Evidence": Items(EVIDENCE_FIELDS),
        "Blocks": Items(BLOCK_FIELDS),
        "Jobs": Items(_JOB_FIELDS),
        "Suspensions": Items(_SUSPENSION_FIELDS),
        "Preferences": Items(_PREFERENCE_FIELDS),
        "HandOvers": Items(HAND_OVER_FIELDS),
        "Messages": Items(MESSAGE_FIELDS),
        "Deliveries": Items(_DELIVERY_FIELDS),
        "AuditEvents": Items(_AUDIT_FIELDS),
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
        **({} if contact is None else {"Contact": _contact_fields(contact, call)}),
        "DetachedContacts": [copy_fields(copy) for copy in person.copies],
        "Verifications": [_verification_fields(verification) for verification in person.verifications],
        "Evidence": [evidence_fields(evidence) for evidence in person.evidence],
        "Blocks": [block_fields(block) for block in person.blocks],
        "Jobs": [_job_fields(job) for job in person.jobs],
        "Suspensions": [_suspension_fields(suspension) for suspension in person.suspensions],
        "Preferences": [_preference_fields(preference) for preference in person.preferences],
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
        entries += [(_DELIVERIES + delivery.delivery_id, _delivery_fields(delivery)) for delivery in behind]
        after = ""
    if len(entries) <= limit:
        wanted = limit + 1 - len(entries)
        events = await call.services.audit.events_of_person(
            call.account_id, person.contact_id, after=after, limit=wanted
        )
        entries += [(_AUDIT_EVENTS + kept.event.event_id, _audit_fields(kept)) for kept in events]
    return {
        "Messages": [fields for key, fields in entries[:limit] if key.startswith(_MESSAGES)],
        "Deliveries": [fields for key, fields in entries[:limit] if key.startswith(_DELIVERIES)],
        "AuditEvents": [fields for key, fields in entries[:limit] if key.startswith(_AUDIT_EVENTS)],
        **next_token(entries, limit, lambda entry: entry[0]),
    }


def _contact_fields(contact: Contact, call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "Name": contact.name.text,
        "Title": contact.title,
        "MessageTypes": contact.message_types,
        "Status": contact.status(call.rules.contacts),
        "CreateTime": utc_time(contact.created_at),
        "Bindings": [
            {"Member": binding.node_id, "BindTime": utc_time(binding.bound_at)} for binding in contact.bindings
        ],
    }
    for name, slot in (("EmailAddress", contact.email), ("PhoneNumber", contact.phone)):
        if slot.shown is not None:
            fields[name] = _address_fields(slot, slot.shown)
    return fields


def _address_fields(slot: Slot[Any], shown: Address) -> dict[str, Any]:
    verified, waiting = slot.verified, slot.waiting
    return {
        "Target": shown.text,
        **({} if verified is None else {"ConfirmTime": utc_time(verified.at), "Captured": verified.captured}),
        **({} if waiting is None else {"Replacement": waiting.text}),
    }


def _verification_fields(verification: Verification) -> dict[str, Any]:
    return {
        "VerificationId": verification.verification_id,
        "Channel": verification.channel,
        "Target": verification.address,
        "State": verification.state,
        "TimesSent": verification.generation,
        "SendTime": utc_time(verification.sent_at),
        "ExpireTime": utc_time(verification.expires_at),
        "WrongCodes": verification.wrong_codes,
    }


def _job_fields(job: Job) -> dict[str, Any]:
    return {
        "JobId": job.job_id,
        "Kind": job.kind,
        "Channel": job.channel,
        "CreateTime": utc_time(job.created_at),
        "DueTime": utc_time(job.due_at),
        "Attempts": job.attempts,
        **({"Reason": job.last_failure} if job.last_failure else {}),
    }


def _delivery_fields(delivery: Delivery) -> dict[str, Any]:
    shown = shown_delivery(delivery)
    return {name: shown[name] for name in _DELIVERY_FIELDS if name in shown}


def _suspension_fields(suspension: Suspension) -> dict[str, Any]:
    return {
        "Channel": suspension.channel,
        "Address": suspension.address,
        **({} if suspension.reason is None else {"Reason": suspension.reason}),
        "LastTime": utc_time(suspension.bounced_at),
        "Told": [sign.told for sign in suspension.signs],
    }


def _preference_fields(preference: Preference) -> dict[str, Any]:
    quiet = preference.quiet
    hours = "" if quiet is None else f"{_clock(quiet.starts)}-{_clock(quiet.ends)} {quiet.zone}"
    return {
        "Channel": preference.channel,
        "Address": preference.address_key,
        "ForAddress": not preference.contact_id,
        "UnwantedTypes": sorted(preference.unwanted),
        **({"QuietHours": hours} if hours else {}),
        "Language": preference.language,
        "ChangeTime": utc_time(preference.changed_at),
    }


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _audit_fields(kept: KeptEvent) -> dict[str, Any]:
    return {
        "EventId": kept.event.event_id,
        "EventTime": utc_time(Instant(kept.event.happened_at)),
        "Operation": kept.event.operation,
        "Personal": kept.personal[0].details,
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
