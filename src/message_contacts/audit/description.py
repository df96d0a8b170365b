"""What the audit trail says of each kind of record: one table, which names every field.

A field is shown, or personal, or withheld. Personal ones go to the part that is erased with the person: names and
addresses masked, with a salted digest by which whoever knows them can prove that it was them. Withheld ones are
secrets: the trail says that they changed and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from message_contacts.access.console_sessions import ConsoleSession, ConsoleTicket
from message_contacts.access.model import AccessKey, Account, Attachment, Policy, PolicyVersion, User
from message_contacts.audit import keeping
from message_contacts.audit.kind import Description
from message_contacts.audit.message_description import MESSAGE_DESCRIPTIONS
from message_contacts.changes import Job
from message_contacts.contacts.model import Address, Channel, Contact, DetachedContact, EmailAddress, PhoneNumber
from message_contacts.directory.model import DeletedMember, Folder, Member, ResourceDirectory
from message_contacts.verification.model import Block, Evidence, Verification


def _contact_id(record: Any) -> str:
    contact_id: str = record.contact_id
    return contact_id


def _user_id(record: Any) -> str:
    user_id: str = record.user_id
    return user_id


def _address(record: Verification | Evidence) -> Address:
    """The address of a record that keeps it as text."""
    return EmailAddress(record.address) if record.channel is Channel.EMAIL else PhoneNumber(record.address)


#: Parts of a job's payload that name what the work is for.
_WORK_FOR = ("verification_id", "contact_id", "delivery_id", "message_id", "webhook_id")


def _job_targets(job: Job) -> tuple[str, ...]:
    return (job.job_id, *(str(job.payload[name]) for name in _WORK_FOR if name in job.payload))


def _verified_at(slot: Any) -> int | None:
    return None if slot.verified is None else slot.verified.at


def _deletion(contact: Contact) -> object:
    deletion = contact.deletion
    if deletion is None:
        return None
    return {
        "failures": [
            {"member_id": failure.member_id, "message_types": failure.message_types} for failure in deletion.failures
        ],
        "state": deletion.state,
    }


def _tags(record: Folder | Member) -> object:
    return [{"key": key, "value": value} for key, value in record.tags]


#: By kind of record. Their `account_id` is the event's; `version` only counts changes.
DESCRIPTIONS: Mapping[type, Description] = {
    Contact: Description(
        type="Contact",
        targets=lambda contact: (contact.contact_id,),
        person=_contact_id,
        shown=(
            ("bindings", lambda contact: [binding.node_id for binding in contact.bindings]),
            ("created_at", attrgetter("created_at")),
            ("deletion", _deletion),
            ("email.added_by_update", attrgetter("email.added_by_update")),
            ("email.verification_id", attrgetter("email.verification_id")),
            ("email.verified.at", lambda contact: _verified_at(contact.email)),
            ("email.verified.captured", lambda contact: contact.email.verified and contact.email.verified.captured),
            ("message_types", attrgetter("message_types")),
            ("phone.added_by_update", attrgetter("phone.added_by_update")),
            ("phone.verification_id", attrgetter("phone.verification_id")),
            ("phone.verified.at", lambda contact: _verified_at(contact.phone)),
            ("phone.verified.captured", lambda contact: contact.phone.verified and contact.phone.verified.captured),
        ),
        personal=(
            ("email.shown", attrgetter("email.shown"), keeping.address),
            ("email.waiting", attrgetter("email.waiting"), keeping.address),
            ("name", attrgetter("name.text"), keeping.name),
            ("phone.shown", attrgetter("phone.shown"), keeping.address),
            ("phone.waiting", attrgetter("phone.waiting"), keeping.address),
            ("title", attrgetter("title"), keeping.plain),
        ),
    ),
    DetachedContact: Description(
        type="DetachedContact",
        targets=lambda copy: (copy.detached_id, copy.contact_id),
        person=_contact_id,
        shown=(
            ("contact_id", _contact_id),
            ("detached_at", lambda copy: copy.detached_at),
            ("email_captured", lambda copy: copy.email_captured),
            ("message_types", lambda copy: copy.message_types),
            ("node_ids", lambda copy: copy.node_ids),
            ("phone_captured", lambda copy: copy.phone_captured),
        ),
        personal=(
            ("email", lambda copy: copy.email, keeping.address),
            ("name", lambda copy: copy.name.text, keeping.name),
            ("phone", lambda copy: copy.phone, keeping.address),
            ("title", lambda copy: copy.title, keeping.plain),
        ),
    ),
    Verification: Description(
        type="Verification",
        targets=lambda verification: (verification.verification_id, verification.contact_id),
        person=_contact_id,
        shown=(
            ("captured", lambda verification: verification.captured),
            ("channel", lambda verification: verification.channel),
            ("contact_id", _contact_id),
            ("expires_at", lambda verification: verification.expires_at),
            ("generation", lambda verification: verification.generation),
            ("sent_at", lambda verification: verification.sent_at),
            ("state", lambda verification: verification.state),
            ("wrong_codes", lambda verification: verification.wrong_codes),
        ),
        personal=(("address", _address, keeping.address),),
    ),
    Evidence: Description(
        type="Evidence",
        targets=lambda evidence: (evidence.verification_id, evidence.contact_id),
        person=_contact_id,
        shown=(
            ("captured", lambda evidence: evidence.captured),
            ("channel", lambda evidence: evidence.channel),
            ("confirmed_at", lambda evidence: evidence.confirmed_at),
            ("contact_id", _contact_id),
            ("way", lambda evidence: evidence.way),
        ),
        personal=(
            ("address", _address, keeping.address),
            ("source_address", lambda evidence: evidence.source_address, keeping.plain),
            ("user_agent", lambda evidence: evidence.user_agent, keeping.plain),
        ),
    ),
    # Names no contact: the verification does, whose own events hold the address. Hence the two are not told here.
    Block: Description(
        type="Block",
        targets=lambda block: (block.verification_id,),
        shown=(("blocked_at", lambda block: block.blocked_at), ("channel", lambda block: block.channel)),
        withheld=(
            ("address_key", lambda block: block.address_key),
            ("source_address", lambda block: block.source_address),
        ),
    ),
    Folder: Description(
        type="Folder",
        targets=lambda folder: (folder.folder_id,),
        shown=(
            ("created_at", lambda folder: folder.created_at),
            ("name", lambda folder: folder.name),
            ("parent_id", lambda folder: folder.parent_id),
            ("tags", _tags),
        ),
    ),
    Member: Description(
        type="Member",
        targets=lambda member: (member.member_id,),
        shown=(
            ("account_name", lambda member: member.account_name),
            ("display_name", lambda member: member.display_name),
            ("folder_id", lambda member: member.folder_id),
            ("joined_at", lambda member: member.joined_at),
            ("modified_at", lambda member: member.modified_at),
            ("placed_at", lambda member: member.placed_at),
            ("status", lambda member: member.status),
            ("tags", _tags),
            ("type", lambda member: member.type),
        ),
    ),
    DeletedMember: Description(
        type="DeletedMember",
        targets=lambda deleted: (deleted.member_id,),
        shown=(("deleted_at", lambda deleted: deleted.deleted_at),),
    ),
    ResourceDirectory: Description(
        type="ResourceDirectory",
        targets=lambda directory: (directory.directory_id,),
        shown=(
            ("account_name", lambda directory: directory.account_name),
            ("created_at", lambda directory: directory.created_at),
            ("root_folder_id", lambda directory: directory.root_folder_id),
        ),
    ),
    Account: Description(
        type="Account",
        targets=lambda account: (account.account_id,),
        shown=(("created_at", lambda account: account.created_at), ("name", lambda account: account.name)),
    ),
    AccessKey: Description(
        type="AccessKey",
        targets=lambda key: (key.access_key_id, *((key.user_id,) if key.user_id else ())),
        shown=(
            ("created_at", lambda key: key.created_at),
            ("status", lambda key: key.status),
            ("user_id", _user_id),
        ),
        withheld=(("sealed_secret", lambda key: key.sealed_secret),),
    ),
    ConsoleSession: Description(
        type="ConsoleSession",
        targets=lambda session: (session.access_key_id,),
        shown=(
            ("expires_at", lambda session: session.expires_at),
            ("opened_at", lambda session: session.opened_at),
            ("seen_at", lambda session: session.seen_at),
            ("source_address", lambda session: session.source_address),
        ),
        withheld=(("digest", lambda session: session.digest),),
    ),
    ConsoleTicket: Description(
        type="ConsoleTicket",
        targets=lambda ticket: (ticket.access_key_id,),
        shown=(("expires_at", lambda ticket: ticket.expires_at), ("made_at", lambda ticket: ticket.made_at)),
        withheld=(("digest", lambda ticket: ticket.digest),),
    ),
    User: Description(
        type="User",
        targets=lambda user: (user.user_id,),
        person=_user_id,
        shown=(("created_at", lambda user: user.created_at), ("updated_at", lambda user: user.updated_at)),
        personal=(
            ("comments", lambda user: user.comments, keeping.digest_only),
            ("display_name", lambda user: user.display_name, keeping.name),
            ("email", lambda user: EmailAddress(user.email) if user.email else None, keeping.address),
            (
                "mobile_phone",
                lambda user: PhoneNumber(user.mobile_phone) if user.mobile_phone else None,
                keeping.address,
            ),
            # Policies and resources name users by it, so an auditor has to read it.
            ("name", lambda user: user.name, keeping.plain),
        ),
    ),
    Policy: Description(
        type="Policy",
        targets=lambda policy: (policy.name,),
        shown=(
            ("created_at", lambda policy: policy.created_at),
            ("default_version_id", lambda policy: policy.default_version_id),
            ("description", lambda policy: policy.description),
            ("updated_at", lambda policy: policy.updated_at),
            ("versions_made", lambda policy: policy.versions_made),
        ),
    ),
    PolicyVersion: Description(
        type="PolicyVersion",
        targets=lambda version: (version.policy_name,),
        shown=(
            ("created_at", lambda version: version.created_at),
            ("document", lambda version: hashlib.sha256(version.document.encode()).hexdigest()),
            ("version_id", lambda version: version.version_id),
        ),
    ),
    Attachment: Description(
        type="Attachment",
        targets=lambda attachment: (attachment.user_id, attachment.policy_name),
        shown=(
            ("attached_at", lambda attachment: attachment.attached_at),
            ("policy_name", lambda attachment: attachment.policy_name),
            ("policy_type", lambda attachment: attachment.policy_type),
        ),
    ),
    # Waiting work is told of only where somebody makes work that was given up wait again.
    Job: Description(
        type="Job",
        targets=_job_targets,
        shown=(
            ("attempts", lambda job: job.attempts),
            ("channel", lambda job: job.channel),
            ("kind", lambda job: job.kind),
            ("last_failure", lambda job: job.last_failure),
        ),
    ),
    **MESSAGE_DESCRIPTIONS,
}
