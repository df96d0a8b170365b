"""Everything about one contact, to show it or to erase it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from message_contacts.contacts.model import Channel
from message_contacts.delivery.messages import Delivery, job_id
from message_contacts.delivery.outbox import CapturedMessage
from message_contacts.delivery.standing import Preference, Suspension
from message_contacts.privacy.model import Person, address_keys
from message_contacts.storage import contacts, incidents, standing, verification
from message_contacts.storage.contacts import contact_from_row
from message_contacts.storage.deliveries import delivery_from_row
from message_contacts.storage.detached import copy_from_row
from message_contacts.storage.engine import Database, Query, Row
from message_contacts.storage.hand_overs import hand_over_from_row
from message_contacts.storage.inbox import message_from_row
from message_contacts.storage.outbox import job_from_row
from message_contacts.storage.preferences import PREFERENCE, PREFERENCES_BY, preference_from_row
from message_contacts.storage.standing import suspension_from_row
from message_contacts.storage.verification import block_from_row, evidence_from_row, verification_from_row
from message_contacts.verification.erased_addresses import is_erased
from message_contacts.verification.model import Block

# SQLite goes by the key of a table whenever it can, even if that is through all a tenant has of something. The ids from
# an index in a query of their own, or an order that only an index has, lead it to the index.

COPIES_OF_CONTACT = """
    -- Detached copies of one contact.
    SELECT detached_id, contact_id, name, title, message_types,
           email, email_captured, phone, phone_captured, detached_at, node_ids, version
      FROM detached_contact
     WHERE account_id = $1
       AND detached_id IN (SELECT detached_id FROM detached_contact WHERE account_id = $1 AND contact_id = $2)
"""

VERIFICATIONS_OF_CONTACT = """
    -- Verifications of one contact.
    SELECT account_id, verification_id, contact_id, channel, address, generation, state, sent_at, expires_at, captured,
           wrong_codes, version
      FROM verification WHERE account_id = $1 AND contact_id = $2 AND verification_id > '' ORDER BY verification_id
"""

EVIDENCE_OF_CONTACT = """
    -- Evidence of one contact.
    SELECT verification_id, contact_id, channel, address, confirmed_at, way, source_address, user_agent, captured
      FROM evidence WHERE account_id = $1 AND contact_id = $2 AND verification_id > '' ORDER BY verification_id
"""

COUNT_AUDIT_PARTS = """
    -- How many audit events have a part about one person.
    SELECT count(*) FROM audit_personal WHERE account_id = $1 AND person_id = $2
"""

JOBS = """
    -- All work of a tenant that waits or was given up.
    SELECT account_id, job_id, kind, channel, payload, due_at, created_at, attempts, last_failure FROM job
     WHERE account_id = $1
"""

OTHER_CONTACT_WITH_ADDRESS = """
    -- Whether another contact of a tenant has an address.
    SELECT 1 FROM contact
     WHERE account_id = $1 AND contact_id <> $2
       AND (lower(email_shown) = $3 OR lower(email_waiting) = $3 OR phone_shown = $3 OR phone_waiting = $3)
     LIMIT 1
"""

OTHER_COPY_WITH_ADDRESS = """
    -- Whether a copy of another contact of a tenant has an address.
    SELECT 1 FROM detached_contact
     WHERE account_id = $1 AND contact_id <> $2 AND (lower(email) = $3 OR phone = $3)
     LIMIT 1
"""

COUNT_MESSAGES_TO = """
    -- How many captured messages went to an address.
    SELECT count(*) FROM inbox_message WHERE account_id = $1 AND recipient_key = $2
"""

COUNT_MESSAGE = """
    -- One when a captured message is there.
    SELECT count(*) FROM inbox_message WHERE account_id = $1 AND message_id = $2
"""

COUNT_MESSAGES_OF_VERIFICATION = """
    -- How many captured messages to an address carry one verification.
    SELECT count(*) FROM inbox_message WHERE account_id = $1 AND recipient_key = $2 AND verification_id = $3
"""

DELIVERIES_NAMING = """
    -- Deliveries of a tenant that name a contact, at whichever address it had.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery WHERE account_id = $1 AND replace(contacts, CAST($2 AS TEXT), '') <> contacts
"""

DELIVERIES_TO = """
    -- All deliveries of a tenant to one address.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery WHERE account_id = $1 AND channel = $2 AND address_key = $3 AND delivery_id > ''
     ORDER BY delivery_id
"""

HAND_OVERS_OF_CONTACT = """
    -- Requests of a contact to the operator, open and closed.
    SELECT hand_over_id, contact_id, channel, address, wish, asked_at, closed_at, closed_by, note, version
      FROM hand_over WHERE account_id = $1 AND contact_id = $2
"""

MESSAGE_NAMED = """
    -- A captured message by its id.
    SELECT message_id, channel, recipient, subject, text, html, captured_at, verification_id FROM inbox_message
     WHERE account_id = $1 AND message_id = $2
"""

MESSAGES_OF_VERIFICATION = """
    -- Captured messages to an address that carry one verification, by id, those behind one.
    SELECT message_id, channel, recipient, subject, text, html, captured_at, verification_id FROM inbox_message
     WHERE account_id = $1 AND recipient_key = $2 AND verification_id = $3 AND message_id > $4
     ORDER BY message_id LIMIT $5
"""

MESSAGES_TO = """
    -- Captured messages to an address, by id, those behind one.
    SELECT message_id, channel, recipient, subject, text, html, captured_at, verification_id FROM inbox_message
     WHERE account_id = $1 AND recipient_key = $2 AND message_id > $3
     ORDER BY message_id LIMIT $4
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeldAt:
    """What is held at the addresses of a person."""

    deliveries: tuple[Delivery, ...]
    suspensions: tuple[Suspension, ...]
    #: Said by one click, for the address.
    preferences: tuple[Preference, ...]


class People:
    """`privacy.store.PersonStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def person(self, account_id: str, contact_id: str) -> Person:
        key = (account_id, contact_id)
        (
            contact_rows, copy_rows, verification_rows, evidence_rows, ((audit_parts,),), naming_rows, said_rows,
            asked_rows, fallback_rows,
        ) = await self._database.report(
            (contacts.CONTACT, key),
            (COPIES_OF_CONTACT, key),
            (VERIFICATIONS_OF_CONTACT, key),
            (EVIDENCE_OF_CONTACT, key),
            (COUNT_AUDIT_PARTS, key),
            (DELIVERIES_NAMING, key),
            (PREFERENCES_BY, key),
            (HAND_OVERS_OF_CONTACT, key),
            (incidents.FALLBACK, (account_id,)),
        )  # fmt: skip
        contact = contact_from_row(account_id, contact_rows[0]) if contact_rows else None
        copies = tuple(copy_from_row(account_id, row) for row in copy_rows)
        verifications = tuple(verification_from_row(row) for row in verification_rows)
        evidence = tuple(evidence_from_row(account_id, row) for row in evidence_rows)
        naming = [
            delivery
            for delivery in (delivery_from_row(account_id, row) for row in naming_rows)
            if any(named.contact_id == contact_id for named in delivery.contacts)
        ]
        said = [preference_from_row(account_id, row[:11]) for row in said_rows]
        hand_overs = [hand_over_from_row(account_id, row) for row in asked_rows]
        addresses = sorted(
            address_keys(contact, copies, verifications, evidence)
            | {delivery.address_key for delivery in naming}
            | {preference.address_key for preference in said}
            | {hand_over.address.lower() for hand_over in hand_overs}
        )
        ids = sorted({found.verification_id for found in verifications} | {found.verification_id for found in evidence})
        # In three queries an address: two that tell whether others have it, one that counts its messages.
        block_rows, job_rows, *found = await self._database.report(
            (verification.BLOCKS, (account_id,)),
            (JOBS, (account_id,)),
            *(
                query
                for address in addresses
                for query in (
                    (OTHER_CONTACT_WITH_ADDRESS, (*key, address)),
                    (OTHER_COPY_WITH_ADDRESS, (*key, address)),
                    (COUNT_MESSAGES_TO, (account_id, address)),
                )
            ),
        )
        shared = {address for place, address in enumerate(addresses) if found[3 * place] or found[3 * place + 1]}
        if fallback_rows:
            fallback = incidents.fallback_from_row(fallback_rows[0])
            shared |= {fallback.address.lower(), fallback.waiting.lower()} & set(addresses)
        own = frozenset(addresses) - shared
        held = await self._held(account_id, addresses, own, naming)
        messages = sum(
            int(found[3 * place + 2][0][0]) for place, address in enumerate(addresses) if address not in shared
        )
        about: list[Query] = [
            (COUNT_MESSAGES_OF_VERIFICATION, (account_id, address, verification_id))
            for place, address in enumerate(addresses)
            if address in shared and found[3 * place + 2][0][0]
            for verification_id in ids
        ]
        about += [
            (COUNT_MESSAGE, (account_id, job_id(delivery.delivery_id)))
            for delivery in held.deliveries
            if delivery.address_key not in own
        ]
        if about:
            messages += sum(int(rows[0][0]) for rows in await self._database.report(*about))
        blocks = (block_from_row(account_id, row) for row in block_rows)
        jobs = (job_from_row(row) for row in job_rows)
        unsent = {
            delivery.delivery_id
            for delivery in held.deliveries
            if delivery.address_key in own or all(named.contact_id == contact_id for named in delivery.contacts)
        }
        return Person(
            account_id=account_id,
            contact_id=contact_id,
            contact=contact,
            copies=copies,
            verifications=verifications,
            evidence=evidence,
            blocks=tuple(block for block in blocks if block.verification_id in ids or block.address_key in addresses),
            jobs=tuple(
                job
                for job in jobs
                if job.payload.get("contact_id") == contact_id
                or job.payload.get("verification_id") in ids
                or job.payload.get("delivery_id") in unsent
            ),
            own_addresses=own,
            shared_addresses=frozenset(shared),
            deliveries=held.deliveries,
            suspensions=held.suspensions,
            preferences=(*said, *held.preferences),
            hand_overs=tuple(hand_overs),
            messages=messages,
            audit_parts=audit_parts,
        )

    async def _held(
        self, account_id: str, addresses: Sequence[str], own: frozenset[str], naming: Sequence[Delivery]
    ) -> _HeldAt:
        """What is held at addresses, and the deliveries that name the person there."""
        places = [(account_id, _channel(address).value, address) for address in addresses]
        found = await self._database.report(
            *((standing.SUSPENSION, place) for place in places),
            *((PREFERENCE, (*place, "")) for place in places),
            *((DELIVERIES_TO, place) for place in places if place[2] in own),
        )
        by_kind = found[: len(places)], found[len(places) : 2 * len(places)], found[2 * len(places) :]
        suspensions, preferences, deliveries = ([row for rows in kind for row in rows] for kind in by_kind)
        to_own = (delivery_from_row(account_id, row) for row in deliveries)
        by_id = {delivery.delivery_id: delivery for delivery in (*naming, *to_own)}
        return _HeldAt(
            deliveries=tuple(by_id[delivery_id] for delivery_id in sorted(by_id)),
            suspensions=tuple(suspension_from_row(account_id, row) for row in suspensions),
            preferences=tuple(preference_from_row(account_id, row) for row in preferences),
        )

    async def erased_blocks(self, account_id: str) -> Sequence[Block]:
        (rows,) = await self._database.report((verification.BLOCKS, (account_id,)))
        blocks = (block_from_row(account_id, row) for row in rows)
        return [block for block in blocks if is_erased(block.address_key)]

    async def messages(self, person: Person, *, after: str | None, limit: int) -> Sequence[CapturedMessage]:
        account_id, behind = person.account_id, after or ""
        queries: list[Query] = [(MESSAGES_TO, (account_id, address, behind, limit)) for address in person.own_addresses]
        queries += [
            (MESSAGES_OF_VERIFICATION, (account_id, address, verification_id, behind, limit))
            for address in person.shared_addresses
            for verification_id in person.verification_ids
        ]
        queries += [(MESSAGE_NAMED, (account_id, found)) for found in person.named_message_ids if found > behind]
        if not queries:
            return []
        rows: dict[str, Row] = {row[0]: row for found in await self._database.report(*queries) for row in found}
        return [message_from_row(account_id, rows[message_id]) for message_id in sorted(rows)[:limit]]

    def scrub(self) -> None:
        self._database.scrub()


def _channel(address: str) -> Channel:
    """The channel that an address belongs to, by its form."""
    return Channel.EMAIL if "@" in address else Channel.SMS
