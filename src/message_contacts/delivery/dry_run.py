"""Who would get a message that was not published: found as publishing finds them, kept nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.batch import Batch
from message_contacts.delivery.messages import (
    CONTACTS_NAMED,
    Delivery,
    DeliveryState,
    Message,
    Progress,
    Route,
    Stage,
)
from message_contacts.delivery.recipient_search import RecipientSearch
from message_contacts.delivery.rules import Circumstances
from message_contacts.delivery.tally import Happening

#: Contacts, copies and members that a dry run looks at, about.
LOOKED_AT_MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """Who would get a message."""

    #: One for each address, as publishing would store it.
    deliveries: Sequence[Delivery]
    #: Members for whom nobody can be reached, and the first of them.
    unreached: int
    unreached_members: Sequence[str]
    #: Whether there would be an incident.
    leaves_incident: bool
    #: Whether all were looked at.
    complete: bool

    def to_be_sent(self) -> Mapping[Channel, int]:
        """How many deliveries there would be to send, by channel."""
        return Counter(each.channel for each in self.deliveries if each.state is DeliveryState.PENDING)

    def skipped(self) -> Mapping[str, int]:
        """How many addresses would get nothing, by the word of the rule that stands against it."""
        return Counter(each.reason for each in self.deliveries if each.state is not DeliveryState.PENDING)

    def by_route(self) -> Mapping[Route, int]:
        """How many deliveries there would be to send, by why they are made."""
        return Counter(each.route for each in self.deliveries if each.state is DeliveryState.PENDING)


async def dry_run(search: RecipientSearch, message: Message, circumstances: Circumstances, now: Instant) -> DryRun:
    """Find everybody a message would go to, and who would not get it and why. Nothing is stored.

    Args:
        message: As it would be published.
    """
    found: dict[tuple[Channel, str], Delivery] = {}
    progress = Progress(account_id=message.account_id, message_id=message.message_id)
    looked_at, leaves_incident = 0, False
    while True:
        batch = Batch(message=message, before=progress, circumstances=circumstances, now=now)
        await search.find(batch)
        for delivery in batch.deliveries:
            key = delivery.channel, delivery.address_key
            known = found.get(key)
            found[key] = delivery if known is None else joined(known, delivery)
        progress = batch.progress()
        looked_at += batch.looked_at
        leaves_incident = leaves_incident or Happening.INCIDENT_OPENED in batch.happenings
        complete = batch.stage is Stage.RELEASE
        if complete or looked_at >= LOOKED_AT_MOST:
            return DryRun(
                deliveries=list(found.values()),
                unreached=progress.unreached,
                unreached_members=progress.unreached_members,
                leaves_incident=leaves_incident,
                complete=complete,
            )


def joined(known: Delivery, further: Delivery) -> Delivery:
    """A delivery and a further way to its address: one to be sent outranks one skipped, as where they are stored."""
    sends, sent_before = (each.state is DeliveryState.PENDING for each in (further, known))
    outranks = sends and not sent_before
    contacts = known.contacts
    if outranks:
        contacts = (*further.contacts, *known.contacts)
    elif known.contact_count < CONTACTS_NAMED:
        contacts = (*known.contacts, *further.contacts)
    return replace(
        known,
        state=further.state if sends else known.state,
        route=further.route if sends and (outranks or further.route is Route.SUBSCRIBED) else known.route,
        reason=further.reason if outranks else known.reason,
        contacts=contacts,
        contact_count=known.contact_count + further.contact_count,
    )
