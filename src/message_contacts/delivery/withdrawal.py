"""Taking a deleted contact out of the members, behind the answer that promised it.

Source: contract/behaviour.md section 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from message_contacts.changes import Cause, Job, Settler
from message_contacts.contacts import deletion
from message_contacts.contacts.model import Contact, DeletionState, WithdrawalFailure
from message_contacts.contacts.store import ContactStore
from message_contacts.delivery.outcome import Outcome, Verdict


class MemberSettings(Protocol):
    """Where members keep who gets their messages, if that is anywhere else than here."""

    async def withdraw(self, contact: Contact, node_id: str) -> Sequence[WithdrawalFailure]:
        """Take the contact out of one object that it is bound to, and all members in it.

        Doing it again succeeds. Returns the members in which it failed, with the types the contact still gets there.
        """
        ...


class NoMemberSettings:
    """Members keep nothing of their own: there is nothing to take a contact out of."""

    async def withdraw(self, contact: Contact, node_id: str) -> Sequence[WithdrawalFailure]:
        """Succeed."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWithdrawal:
    """Does jobs of kind `withdraw-contact`."""

    contacts: ContactStore
    members: MemberSettings
    settler: Settler

    async def __call__(self, job: Job) -> Outcome:
        """Withdraw the contact from each object it is bound to, then delete it or say where that failed."""
        contact_id = str(job.payload["contact_id"])
        contact = await self.contacts.contact(job.account_id, contact_id)
        if contact is None or not contact.deleting:
            return Outcome(Verdict.ACCEPTED, "gone-already")
        failures: dict[str, Sequence[WithdrawalFailure]] = {}
        for binding in contact.bindings:
            failures[binding.node_id] = await self.members.withdraw(contact, binding.node_id)
        left = await self.settler.settle(
            lambda: self.contacts.contact(job.account_id, contact_id),
            lambda now_stored: deletion.withdrawn(now_stored, failures),
            cause=Cause(operation=f"worker:{job.kind}"),
        )
        return Outcome(Verdict.ACCEPTED, "withdrawn" if left is not DeletionState.FAILED else "withdrawn-in-part")
