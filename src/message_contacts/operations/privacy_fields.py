"""How everything that is held on one contact is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.audit.model import KeptEvent
from message_contacts.changes import Job
from message_contacts.contacts.model import Address, Contact, Slot
from message_contacts.delivery.messages import Delivery
from message_contacts.delivery.standing import Preference, Suspension
from message_contacts.operations.call import Call
from message_contacts.operations.dates import utc_time, utc_time_if_any
from message_contacts.operations.message_parameters import DELIVERY_FIELDS, shown_delivery
from message_contacts.operations.own_parameters import DATE
from message_contacts.operations.registry import Field, Items, Shape
from message_contacts.verification.model import Verification

_ADDRESS_FIELDS: Mapping[str, Shape] = {
    "Target": Field("string", "Address in use, or first to be confirmed.", "tom@example.com"),
    "ConfirmTime": Field(
        "string", "When it was confirmed; absent when it was not. " + DATE, "2026-11-21T08:15:00.000Z"
    ),
    "Captured": Field("boolean", "Confirmed from the captured inbox: no proof of a person.", example=False),
    "Replacement": Field("string", "Address that waits to be confirmed; absent when none does.", "t@example.com"),
}

HELD_CONTACT_FIELDS: Mapping[str, Shape] = {
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

HELD_VERIFICATION_FIELDS: Mapping[str, Shape] = {
    "VerificationId": Field("string", "The verification.", "3zzbpbhjfx"),
    "Channel": Field("string", "email or sms.", "email"),
    "Target": Field("string", "Address to be confirmed.", "tom@example.com"),
    "State": Field("string", "waiting or confirmed.", "confirmed"),
    "TimesSent": Field("integer", "How often it was asked for.", 1),
    "SendTime": Field("string", "When it was last asked for. " + DATE, "2026-11-21T08:15:00.000Z"),
    "ExpireTime": Field("string", "When link and code run out. " + DATE, "2026-11-22T08:15:00.000Z"),
    "WrongCodes": Field("integer", "Wrong codes entered since it was last sent.", 0),
}

HELD_JOB_FIELDS: Mapping[str, Shape] = {
    "JobId": Field("string", "The job.", "j-019aa8a5598094250d04b0b8"),
    "Kind": Field("string", "What it does.", "send-verification"),
    "Channel": Field("string", "email, sms or internal.", "email"),
    "CreateTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "DueTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "Attempts": Field("integer", "Tries made.", 1),
    "Reason": Field("string", "Why the last try failed; absent before the first.", "mailbox-unknown"),
}

HELD_DELIVERY_FIELDS: Mapping[str, Shape] = {
    name: DELIVERY_FIELDS[name]
    for name in ("DeliveryId", "MessageId", "Channel", "Address", "State", "Reason", "Route", "CreateTime", "SentTime")
}

HELD_SUSPENSION_FIELDS: Mapping[str, Shape] = {
    "Channel": Field("string", "email or sms.", "email"),
    "Address": Field("string", "Address.", "tom@example.com"),
    "Reason": Field("string", "Why nothing is sent there; absent while it is.", "hard-bounce"),
    "LastTime": Field("string", "When the last message came back. " + DATE, "2026-11-21T08:15:00.000Z"),
    "Told": Items(Field("string", "What the other side said, cut.", "550 5.1.1 User unknown")),
}

HELD_PREFERENCE_FIELDS: Mapping[str, Shape] = {
    "Channel": Field("string", "email or sms.", "email"),
    "Address": Field("string", "Where it was said.", "tom@example.com"),
    "ForAddress": Field("boolean", "Said for the address, by one click, whoever else has it.", example=False),
    "UnwantedTypes": Items(Field("string", "Type that is not wanted.", "ProductMessage")),
    "QuietHours": Field("string", "Without messages; absent when there are none.", "22:00-07:00 Asia/Shanghai"),
    "Language": Field("string", "Language chosen; empty when none was.", "en"),
    "ChangeTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
}

HELD_AUDIT_FIELDS: Mapping[str, Shape] = {
    "EventId": Field("string", "The audit event.", "ae-019aa8a5598094250d04b0b8"),
    "EventTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "Operation": Field("string", "What was done.", "AddMessageContact"),
    "Personal": Field("string", "JSON: what the event says about the person, addresses masked.", '{"changes":[]}'),
}


def held_contact(contact: Contact, call: Call) -> dict[str, Any]:
    """A contact: `HELD_CONTACT_FIELDS`."""
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


def held_verification(verification: Verification) -> dict[str, Any]:
    """A verification: `HELD_VERIFICATION_FIELDS`."""
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


def held_job(job: Job) -> dict[str, Any]:
    """Waiting work: `HELD_JOB_FIELDS`."""
    return {
        "JobId": job.job_id,
        "Kind": job.kind,
        "Channel": job.channel,
        "CreateTime": utc_time(job.created_at),
        "DueTime": utc_time(job.due_at),
        "Attempts": job.attempts,
        **({"Reason": job.last_failure} if job.last_failure else {}),
    }


def held_delivery(delivery: Delivery) -> dict[str, Any]:
    """A delivery: `HELD_DELIVERY_FIELDS`."""
    shown = shown_delivery(delivery)
    return {name: shown[name] for name in HELD_DELIVERY_FIELDS if name in shown}


def held_suspension(suspension: Suspension) -> dict[str, Any]:
    """What came back from an address: `HELD_SUSPENSION_FIELDS`."""
    return {
        "Channel": suspension.channel,
        "Address": suspension.address,
        **({} if suspension.reason is None else {"Reason": suspension.reason}),
        "LastTime": utc_time(suspension.bounced_at),
        "Told": [sign.told for sign in suspension.signs],
    }


def held_preference(preference: Preference) -> dict[str, Any]:
    """What was said about messages: `HELD_PREFERENCE_FIELDS`."""
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


def held_audit_event(kept: KeptEvent) -> dict[str, Any]:
    """An audit event with its personal part: `HELD_AUDIT_FIELDS`."""
    return {
        "EventId": kept.event.event_id,
        **({} if (moment := utc_time_if_any(kept.event.happened_at)) is None else {"EventTime": moment}),
        "Operation": kept.event.operation,
        "Personal": kept.personal[0].details,
    }
