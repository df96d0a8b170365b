"""All that is held on one contact, wherever it lies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from message_contacts.changes import Job
from message_contacts.contacts.model import Address, Contact, DetachedContact
from message_contacts.delivery.messages import Delivery, job_id
from message_contacts.delivery.standing import HandOver, Preference, Suspension
from message_contacts.verification.model import Block, Evidence, Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is known of one contact id, whether the contact is still there or not."""

    account_id: str
    contact_id: str
    contact: Contact | None = None
    #: What members keep of it.
    copies: tuple[DetachedContact, ...] = ()
    verifications: tuple[Verification, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    #: "This was not me", said about its addresses.
    blocks: tuple[Block, ...] = ()
    #: Work that waits for it, or was given up.
    jobs: tuple[Job, ...] = ()
    #: Its addresses that no other contact or copy of the account has, in the form in which addresses are compared.
    own_addresses: frozenset[str] = frozenset()
    #: Its addresses that others have as well: contacts, copies, or the tenant as its fallback address.
    shared_addresses: frozenset[str] = frozenset()
    #: All to its own addresses, and those to others that name it.
    deliveries: tuple[Delivery, ...] = ()
    #: What came back from its addresses.
    suspensions: tuple[Suspension, ...] = ()
    #: What it said it wants, and what was said for its addresses by one click.
    preferences: tuple[Preference, ...] = ()
    #: What it asked of the operator.
    hand_overs: tuple[HandOver, ...] = ()
    #: How many captured messages went to it: all to its own addresses; to a shared one those that are about it.
    messages: int = 0
    #: How many audit events have a part about it.
    audit_parts: int = 0

    @property
    def is_known(self) -> bool:
        """Whether anything at all is held on it."""
        held = self.copies, self.verifications, self.evidence, self.blocks, self.jobs, self.messages, self.audit_parts
        said = self.deliveries, self.suspensions, self.preferences, self.hand_overs
        return self.contact is not None or any(held) or any(said)

    @property
    def verification_ids(self) -> frozenset[str]:
        """Ids of its verifications, those gone included as far as something tells of them."""
        return frozenset(
            [verification.verification_id for verification in self.verifications]
            + [evidence.verification_id for evidence in self.evidence]
        )

    @property
    def named_message_ids(self) -> tuple[str, ...]:
        """Ids of captured messages to shared addresses that name it, if they were captured."""
        shared = (each for each in self.deliveries if each.address_key not in self.own_addresses)
        return tuple(job_id(each.delivery_id) for each in shared)


def address_keys(
    contact: Contact | None,
    copies: Iterable[DetachedContact],
    verifications: Iterable[Verification],
    evidence: Iterable[Evidence],
) -> frozenset[str]:
    """Every address that these tell of, in the form in which addresses are compared."""
    found: list[Address | None] = []
    if contact is not None:
        found += [contact.email.shown, contact.email.waiting, contact.phone.shown, contact.phone.waiting]
    for copy in copies:
        found += [copy.email, copy.phone]
    return frozenset(
        [address.key for address in found if address is not None]
        + [entry.address.lower() for entry in verifications]
        + [entry.address.lower() for entry in evidence]
    )
