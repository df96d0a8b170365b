"""The rules of verifications: sending one, confirming, refusing.

Pure: what was read and what is asked in, a `Decision` out. Source: contract/behaviour.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from message_contacts import errors
from message_contacts.changes import Change, CountUp, Decision, Delete, Enqueue, Insert, Job, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.contacts.lifecycle import confirmed
from message_contacts.contacts.model import (
    Address,
    Channel,
    Contact,
    ContactRules,
    Verified,
)
from message_contacts.ids import Ids
from message_contacts.verification import limits
from message_contacts.verification.model import (
    Block,
    Evidence,
    Verification,
    VerificationRules,
    VerificationState,
    Way,
)

#: Kind of the job that sends a verification message.
SEND_VERIFICATION = "send-verification"
#: What a used-up limit answers.
TOO_MANY = errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT


class PageState(StrEnum):
    """What somebody who holds a link or a code is told."""

    #: The address waits for this confirmation.
    READY = "ready"
    #: Confirmed just now.
    CONFIRMED = "confirmed"
    ALREADY_CONFIRMED = "already-confirmed"
    EXPIRED = "expired"
    #: A newer message was sent.
    SUPERSEDED = "superseded"
    #: The address was changed, the change cancelled, or the contact deleted.
    REPLACED = "replaced"
    #: "This was not me" was said.
    BLOCKED = "blocked"
    #: Not a link of ours, or older than what is kept.
    UNKNOWN = "unknown"
    #: Wrong code, unknown reference, or too many tries: one answer for all, so that it tells a stranger nothing.
    CODE_REFUSED = "code-refused"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who opened the page, as far as one can tell."""

    #: IP address.
    source_address: str
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was read about one verification."""

    verification: Verification | None
    contact: Contact | None
    block: Block | None
    #: Changes that go along with a confirmation.
    along: tuple[Change, ...] = ()
    #: Wrong codes entered today for the address.
    wrong_codes_today: int = 0


def send(
    contact: Contact | None,
    verification: Verification | None,
    block: Block | None,
    channel: Channel,
    address: Address,
    *,
    now: Instant,
    contact_rules: ContactRules,
    rules: VerificationRules,
    ids: Ids,
) -> Decision[Verification]:
    """Queue the verification message of the address that waits on this contact; earlier links and codes become void.

    Args:
        verification: The one that the contact's slot names, if it names one.
        block: The block on the address, if there is one.
    Raises: ENTITY_NOT_EXISTS_CONTACT; ENTITY_NOT_EXISTS_CONTACT_VERIFICATION when the address does not wait there;
        SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT when its owner said "this was not me" or a limit is used up.
    """
    if contact is None:
        raise errors.ENTITY_NOT_EXISTS_CONTACT()
    captured = channel in contact_rules.captured_counts
    slot = contact.email if channel is Channel.EMAIL else contact.phone
    pending = slot.pending(captured_counts=captured)
    if contact.deleting or pending is None or pending.key != address.key:
        raise errors.ENTITY_NOT_EXISTS_CONTACT_VERIFICATION(contact_id=contact.contact_id)
    if block is not None:
        raise TOO_MANY(contact_id=contact.contact_id, reason="blocked-by-recipient")
    changes: list[Change]
    if verification is None:
        sent = Verification(
            account_id=contact.account_id,
            verification_id=ids.verification(),
            contact_id=contact.contact_id,
            channel=channel,
            address=pending.text,
            generation=1,
            state=VerificationState.WAITING,
            sent_at=now,
            expires_at=Instant(now + rules.valid_for),
            captured=captured,
        )
        changes = [Insert(sent), Update(contact, _naming(contact, channel, sent.verification_id))]
    else:
        sent = replace(
            verification,
            address=pending.text,
            generation=verification.generation + 1,
            sent_at=now,
            expires_at=Instant(now + rules.valid_for),
            captured=captured,
            wrong_codes=0,
        )
        changes = [Update(verification, sent), RelyOn(contact)]
    job = Job(
        job_id=ids.job(now),
        account_id=contact.account_id,
        kind=SEND_VERIFICATION,
        channel=channel.value,
        payload={
            "verification_id": sent.verification_id,
            "generation": sent.generation,
            "captured": int(captured),
        },
        due_at=now,
        created_at=now,
    )
    counts = (
        CountUp(contact.account_id, limits.sent_counter(channel), limits.day(now), rules.per_account_and_day, TOO_MANY),
        CountUp(
            contact.account_id,
            limits.sent_to_counter(channel, pending),
            limits.minute(now),
            rules.per_address_and_minute,
            TOO_MANY,
        ),
    )
    return Decision((*changes, *counts, Enqueue(job)), sent)


def state(case: Case, generation: int, *, now: Instant, contact_rules: ContactRules) -> PageState:
    """What a link of that generation is worth now. Looking changes nothing."""
    verification = case.verification
    if verification is None or generation > verification.generation:
        return PageState.UNKNOWN
    if verification.state is VerificationState.CONFIRMED:
        return PageState.ALREADY_CONFIRMED
    if case.block is not None:
        return PageState.BLOCKED
    if case.contact is None or not _waits(case.contact, verification, contact_rules):
        return PageState.REPLACED
    if generation < verification.generation:
        return PageState.SUPERSEDED
    return PageState.READY if now < verification.expires_at else PageState.EXPIRED


def confirm(
    case: Case, generation: int, way: Way, visitor: Visitor, *, now: Instant, contact_rules: ContactRules
) -> Decision[PageState]:
    """Put the address in force and keep the evidence; anything but READY changes nothing."""
    found = state(case, generation, now=now, contact_rules=contact_rules)
    verification, contact = case.verification, case.contact
    if found is not PageState.READY or verification is None or contact is None:
        return Decision((), found)
    evidence = Evidence(
        account_id=verification.account_id,
        verification_id=verification.verification_id,
        contact_id=verification.contact_id,
        channel=verification.channel,
        address=verification.address,
        confirmed_at=now,
        way=way,
        source_address=visitor.source_address,
        user_agent=visitor.user_agent[:200],
        captured=verification.captured,
    )
    after = confirmed(contact, verification.channel, Verified(now, captured=verification.captured))
    return Decision(
        (
            Update(verification, replace(verification, state=VerificationState.CONFIRMED)),
            Update(contact, after),
            Insert(evidence),
            *case.along,
        ),
        PageState.CONFIRMED,
    )


def may_try_code(case: Case, rules: VerificationRules) -> bool:
    """Whether another code may be tried for this message and address."""
    verification = case.verification
    return (
        verification is not None
        and verification.wrong_codes < rules.wrong_codes_per_message
        and case.wrong_codes_today < rules.wrong_codes_per_address_and_day
    )


def count_wrong_code(verification: Verification, rules: VerificationRules, *, now: Instant) -> Decision[PageState]:
    """Remember a wrong code, for this message and for its address today."""
    count = CountUp(
        verification.account_id,
        limits.wrong_codes_counter(verification),
        limits.day(now),
        rules.wrong_codes_per_address_and_day,
        TOO_MANY,
    )
    after = replace(verification, wrong_codes=verification.wrong_codes + 1)
    return Decision((Update(verification, after), count), PageState.CODE_REFUSED)


def refuse(case: Case, visitor: Visitor, *, now: Instant) -> Decision[PageState]:
    """ "This was not me": no further verification messages from this account to this address."""
    verification = case.verification
    if verification is None:
        return Decision((), PageState.UNKNOWN)
    if verification.state is VerificationState.CONFIRMED:
        return Decision((), PageState.ALREADY_CONFIRMED)
    if case.block is not None:
        return Decision((), PageState.BLOCKED)
    block = Block(
        account_id=verification.account_id,
        channel=verification.channel,
        address_key=limits.address_key(verification),
        verification_id=verification.verification_id,
        blocked_at=now,
        source_address=visitor.source_address,
    )
    # The verification moves: an erasure of the person that is under way is decided again, with the block in sight.
    return Decision((Update(verification, verification), Insert(block)), PageState.BLOCKED)


def take_back(case: Case, generation: int, *, now: Instant, contact_rules: ContactRules) -> Decision[PageState]:
    """The recipient, or the operator, undoes "this was not me"."""
    left = state(replace(case, block=None), generation, now=now, contact_rules=contact_rules)
    if case.block is None:
        return Decision((), left)
    return Decision((*(() if case.verification is None else (RelyOn(case.verification),)), Delete(case.block)), left)


def _waits(contact: Contact, verification: Verification, rules: ContactRules) -> bool:
    """Whether the contact still waits for this very verification."""
    channel = verification.channel
    slot = contact.email if channel is Channel.EMAIL else contact.phone
    pending = slot.pending(captured_counts=channel in rules.captured_counts)
    return (
        not contact.deleting
        and slot.verification_id == verification.verification_id
        and pending is not None
        and pending.key == limits.address_key(verification)
    )


def _naming(contact: Contact, channel: Channel, verification_id: str) -> Contact:
    """The contact whose slot names the verification sent for it."""
    if channel is Channel.EMAIL:
        return replace(contact, email=replace(contact.email, verification_id=verification_id))
    return replace(contact, phone=replace(contact.phone, verification_id=verification_id))
