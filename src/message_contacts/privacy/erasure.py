"""Erasing a person: everything that is held on a contact goes, in one change.

Pure: what was read in, a `Decision` out. What stays: that somebody was erased, by whom and when (the audit event of
this very change, which tells nothing of the person), earlier events without their personal parts, deliveries without
address and names (how many were sent is no secret of the person), and the person's own wish to be left alone, as a
digest; for those who share the address, also what types it does not want.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from message_contacts import errors
from message_contacts.changes import Change, Decision, Delete, EraseTraces, Insert, Update
from message_contacts.contacts import deletion
from message_contacts.delivery.messages import ERASED, WAITING, Delivery, DeliveryState
from message_contacts.delivery.standing import Place, Preference
from message_contacts.privacy.model import Person
from message_contacts.verification.erased_addresses import erased_key, salt_of
from message_contacts.verification.model import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How much went, by kind."""

    contacts: int
    copies: int
    verifications: int
    evidence: int
    #: Of these the wish stays.
    blocks: int
    jobs: int
    messages: int
    audit_parts: int
    deliveries: int
    suspensions: int
    preferences: int
    hand_overs: int


def erase(person: Person, kept_blocks: Sequence[Block]) -> Decision[Erased]:
    """Take away everything that is held on a person.

    The commit fails when the contact, a copy, a verification or a block of it changed meanwhile, and the decision is
    made again: nothing that came in between is left behind. Evidence, messages and parts of audit events go as they are
    found then, and so do copies that were made meanwhile.

    Args:
        kept_blocks: What `without_addresses` made of the person's blocks.
    Raises: ENTITY_NOT_EXISTS_CONTACT when nothing at all is known of it.
    """
    if not person.is_known:
        raise errors.ENTITY_NOT_EXISTS_CONTACT(contact_id=person.contact_id)
    changes: list[Change] = []
    if person.contact is not None:
        changes += deletion.gone(person.contact)
    # All copies go below, whichever there are. But what is said on a page of somebody of whom only copies are left
    # moves one of them along: it must not be overlooked.
    changes += [Update(copy, copy) for copy in person.copies]
    changes += [Delete(verification) for verification in person.verifications]
    changes += [Delete(block) for block in person.blocks]
    changes += [Insert(block) for block in kept_blocks]
    erased = Erased(
        contacts=int(person.contact is not None),
        copies=len(person.copies),
        verifications=len(person.verifications),
        evidence=len(person.evidence),
        blocks=len(person.blocks),
        jobs=len(person.jobs),
        messages=person.messages,
        audit_parts=person.audit_parts,
        deliveries=len(person.deliveries),
        suspensions=sum(each.address_key in person.own_addresses for each in person.suspensions),
        preferences=len(_own_preferences(person)),
        hand_overs=len(person.hand_overs),
    )
    changes.append(
        EraseTraces(
            account_id=person.account_id,
            person_id=person.contact_id,
            job_ids=tuple(job.job_id for job in person.jobs),
            verification_ids=tuple(sorted(person.verification_ids)),
            own_addresses=tuple(sorted(person.own_addresses)),
            shared_addresses=tuple(sorted(person.shared_addresses)),
            message_ids=person.named_message_ids,
            untold=(
                *(Update(each, without_person(each, person)) for each in person.deliveries),
                *(Delete(each) for each in person.suspensions if each.address_key in person.own_addresses),
                *(Delete(each) for each in person.hand_overs),
                *_preferences_gone(person),
            ),
            counts=asdict(erased),
        )
    )
    return Decision(tuple(changes), erased)


def without_person(delivery: Delivery, person: Person) -> Delivery:
    """The same delivery without the person; without its address too, unless others get it there.

    One that waits for nobody else is not sent any more.
    """
    others = tuple(each for each in delivery.contacts if each.contact_id != person.contact_id)
    count = delivery.contact_count - (len(delivery.contacts) - len(others))
    if count and delivery.address_key not in person.own_addresses:
        return replace(delivery, contacts=others, contact_count=count)
    waits = delivery.state in WAITING
    return replace(
        delivery,
        address="",
        # An address has one delivery of a message.
        address_key=f"{ERASED}:{delivery.delivery_id}",
        contacts=(),
        contact_count=0,
        state=DeliveryState.SKIPPED if waits else delivery.state,
        reason=ERASED if waits else delivery.reason,
    )


def _own_preferences(person: Person) -> list[Preference]:
    """What goes of what was said: not what was said for an address that others have."""
    return [each for each in person.preferences if each.contact_id or each.address_key in person.own_addresses]


def _preferences_gone(person: Person) -> list[Insert | Update | Delete]:
    """What the person wanted goes; types that are unwanted at a shared address stay so, for the address.

    Whoever else is reached there can take that back on a page of preferences.
    """
    gone = _own_preferences(person)
    for_address = {(each.channel, each.address_key): each for each in person.preferences if each not in gone}
    kept: dict[Place, Preference] = {}
    for each in gone:
        place = each.channel, each.address_key
        if each.unwanted and each.address_key in person.shared_addresses:
            base = (
                kept.get(place)
                or for_address.get(place)
                or replace(each, contact_id="", unwanted=frozenset(), quiet=None, language="", version=1)
            )
            kept[place] = replace(base, unwanted=base.unwanted | each.unwanted)
    changes: list[Insert | Update | Delete] = [Delete(each) for each in gone]
    for place, after in kept.items():
        before = for_address.get(place)
        changes.append(Insert(after) if before is None else Update(before, after))
    return changes


def without_addresses(blocks: Sequence[Block], already: Sequence[Block], fresh_salt: bytes) -> list[Block]:
    """The same blocks with digests for addresses, and nothing else that leads to the person; 0.1 s each.

    Args:
        already: Blocks of the account whose addresses were erased before: their salts are used on.
        fresh_salt: 16 random bytes, for a channel on which there are none.
    """
    salts = {block.channel: salt_of(block.address_key) for block in already}
    known = {(block.channel, block.address_key) for block in already}
    kept = [
        replace(
            block,
            address_key=erased_key(block.address_key, salts.get(block.channel, fresh_salt)),
            verification_id="",
            source_address="",
            version=1,
        )
        for block in blocks
    ]
    return [block for block in kept if (block.channel, block.address_key) not in known]
