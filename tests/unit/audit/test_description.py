"""The table of what is told: nothing that is stored may be forgotten in it, and nothing personal told in the open."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import get_args, get_origin, get_type_hints

import pytest

from message_contacts.audit import keeping
from message_contacts.audit.description import DESCRIPTIONS
from message_contacts.audit.kind import Description
from message_contacts.audit.message_description import BOOKKEEPING
from message_contacts.audit.model import AuditEvent, PersonalPart
from message_contacts.changes import Job
from message_contacts.contacts.model import EmailAddress, PhoneNumber
from message_contacts.storage.committing import ADDED, RECORDS

#: Of every record: the event's own account, and the count of changes.
ALWAYS = {"account_id", "version"}
#: Fields that only say which record it is, or whom it is about: they stand in its id or its targets.
IDENTITY = {
    "Contact": {"contact_id"},
    "DeletedMember": {"member_id"},
    "DetachedContact": {"detached_id"},
    "Verification": {"verification_id"},
    "Evidence": {"verification_id"},
    "Block": {"verification_id"},
    "Folder": {"folder_id"},
    "Member": {"member_id"},
    "ResourceDirectory": {"directory_id"},
    "AccessKey": {"access_key_id"},
    "ConsoleSession": {"access_key_id"},
    "ConsoleTicket": {"access_key_id"},
    "User": {"user_id"},
    "Policy": {"name"},
    "PolicyVersion": {"policy_name"},
    "Attachment": {"user_id"},
    "Message": {"message_id"},
    "Incident": {"incident_id"},
    # When bounces are counted and what they said: nobody decides it, and the deliveries' timelines tell it.
    "Suspension": {"bounced_at", "signs", "soft_bounces"},
    "Preference": {"contact_id"},
    "HandOver": {"hand_over_id"},
    "Webhook": {"webhook_id"},
    # The rest of a job says when and for whom it waits; the work itself is told by the change that caused it.
    "Job": {"job_id", "payload", "due_at", "created_at"},
}
#: Values of several parts that are shown as one.
AS_ONE = {"Contact.bindings", "Contact.deletion", "Preference.quiet", "Suspension.signs", "Webhook.bindings"}


#: Names of fields that are text and hold an address.
ADDRESSES = {"address", "address_key", "email", "mobile_phone", "waiting"}


def parts(kind: type, prefix: str = "") -> set[str]:
    """The names of a record's fields, those of the values inside it with a dot."""
    found = set()
    hints = get_type_hints(kind)
    for field in fields(kind):  # type: ignore[arg-type]
        if not prefix and field.name in ALWAYS:
            continue
        name = f"{prefix}{field.name}"
        inner = [hint for hint in (hints[field.name], *get_args(hints[field.name])) if is_value(hint)]
        if inner and f"{kind.__name__}.{name}" not in AS_ONE:
            found |= parts(get_origin(inner[0]) or inner[0], f"{name}.")
        else:
            found.add(name)
    return found


def is_value(hint: object) -> bool:
    """Whether it is a value of several parts: an address or name is one, and a list is told as one."""
    kind = get_origin(hint) or hint
    return isinstance(kind, type) and is_dataclass(kind) and [field.name for field in fields(kind)] != ["text"]


def told(description: Description) -> list[str]:
    return [name for name, *_ in (*description.shown, *description.personal, *description.withheld)]


def test_every_kind_of_record_is_described() -> None:
    changing = set(RECORDS) | set(ADDED) - {AuditEvent, PersonalPart}
    assert set(DESCRIPTIONS) == changing - BOOKKEEPING | {Job}
    assert changing > BOOKKEEPING


@pytest.mark.parametrize("kind", DESCRIPTIONS, ids=lambda kind: kind.__name__)
def test_every_field_is_shown_or_personal_or_withheld(kind: type) -> None:
    description = DESCRIPTIONS[kind]
    names = told(description)
    assert description.type == kind.__name__
    assert set(names) | IDENTITY.get(kind.__name__, set()) == parts(kind)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", DESCRIPTIONS, ids=lambda kind: kind.__name__)
def test_personal_fields_belong_to_a_person(kind: type) -> None:
    description = DESCRIPTIONS[kind]
    assert bool(description.personal) == (description.person is not None)


def test_addresses_are_never_shown() -> None:
    """By their types, where fields have any; by their names, where they are text. Those of nobody are withheld."""
    for kind, description in DESCRIPTIONS.items():
        for name, hint in get_type_hints(kind).items():
            if {EmailAddress, PhoneNumber} & {hint, *get_args(hint)} or (name in ADDRESSES and hint is str):
                shown = {shown.partition(".")[0] for shown, _ in description.shown} & {name}
                withheld = {entry for entry, _ in description.withheld}
                treated = [how for entry, _, how in description.personal if entry.partition(".")[0] == name]
                assert not shown or name in {"email", "phone"}  # parts of a contact's slot
                assert treated or name in withheld
                assert set(treated) <= {keeping.address}
