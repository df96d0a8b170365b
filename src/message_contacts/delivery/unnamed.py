"""Contacts that a delivery does not name: of those who share an address only the first are stored, the rest counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from message_contacts.contacts.model import Contact, DetachedContact
from message_contacts.delivery import routing
from message_contacts.delivery.candidates import Because, Candidate, contact_candidates, copy_candidates
from message_contacts.delivery.circumstances import Standing
from message_contacts.delivery.explanation import member_ids
from message_contacts.delivery.ground import RoutingStore
from message_contacts.delivery.messages import CONTACTS_NAMED, Delivery, Message, Named, Route
from message_contacts.delivery.routing import Placed, Scope
from message_contacts.delivery.rules import Asked, Word, judge
from message_contacts.directory.model import ACCOUNT_ID
from message_contacts.directory.store import DirectoryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class UnnamedContacts:
    """Finds them, as they are now: it goes through all contacts of the tenant, so it is asked last."""

    routing: RoutingStore
    directories: DirectoryStore
    standing: Standing

    async def wanted(self, message: Message, delivery: Delivery) -> tuple[list[Named], str]:
        """Some through whom the address still gets the message, or none and what stands against it.

        Returns:
            At most `CONTACTS_NAMED`, and `PASSED`; or none and `QUIET_HOURS` if it has to wait, or an empty word.
        """
        tree = await self.routing.folder_tree(delivery.account_id)
        if tree is None:
            return [], ""
        targets = [target for target in message.targets if ACCOUNT_ID.fullmatch(target)]
        scope = routing.scope_of_targets(tree, message.targets, await self.routing.placed(delivery.account_id, targets))
        against, after = "", ""
        while True:
            page = await self.routing.holders(
                delivery.account_id, delivery.address_key, after=after, limit=CONTACTS_NAMED
            )
            wanted, word = await self._judged(message, delivery, scope, page)
            if wanted:
                return await self._named(delivery, scope, wanted), Word.PASSED
            against = word or against
            if len(page) < CONTACTS_NAMED:
                return [], against
            after = _id(page[-1])

    async def _judged(
        self, message: Message, delivery: Delivery, scope: Scope, page: Sequence[Contact | DetachedContact]
    ) -> tuple[list[Candidate], str]:
        """Those of a page to whose address the message goes now; and whether it waits for others' quiet hours."""
        members = [node_id for node_id in member_ids(page) if ACCOUNT_ID.fullmatch(node_id)]
        placed = await self.routing.placed(delivery.account_id, members)
        candidates = [
            candidate
            for record in page
            for candidate in _candidates(record, scope, placed)
            if candidate.channel is delivery.channel
            and candidate.address is not None
            and candidate.address.key == delivery.address_key
        ]
        circumstances = await self.standing.of_candidates(delivery.account_id, candidates)
        asked = Asked(
            message_type=message.message_type,
            severity=message.severity,
            to_any_subscriber=delivery.route is Route.NOBODY_SUBSCRIBED,
        )
        words = [(candidate, judge(candidate, asked, circumstances)) for candidate in candidates]
        waits = any(word is Word.QUIET_HOURS for _, word in words)
        return [each for each, word in words if word is Word.PASSED], Word.QUIET_HOURS if waits else ""

    async def _named(self, delivery: Delivery, scope: Scope, wanted: Sequence[Candidate]) -> list[Named]:
        """As a delivery names them, each with the first of its reasons."""
        reasons = [each.reasons[0] for each in wanted]
        names = dict(
            await self.routing.display_names(
                delivery.account_id, sorted({each.node_id for each in reasons if ACCOUNT_ID.fullmatch(each.node_id)})
            )
        )
        for node_id in {each.node_id for each in reasons if each.because is Because.FOLDER}:
            folder = await self.directories.folder(delivery.account_id, node_id)
            names[node_id] = "" if folder is None else folder.name
        directory = await self.directories.directory(delivery.account_id)
        names[scope.directory_id] = "" if directory is None else directory.account_name
        word = Route.NOBODY_SUBSCRIBED if delivery.route is Route.NOBODY_SUBSCRIBED else Word.PASSED
        return [
            Named(
                candidate.contact_id,
                candidate.detached_id,
                candidate.name,
                reason.because,
                reason.node_id,
                names.get(reason.node_id, ""),
                word,
            )
            for candidate, reason in zip(wanted, reasons, strict=True)
        ]


def _candidates(record: Contact | DetachedContact, scope: Scope, placed: Mapping[str, Placed]) -> Sequence[Candidate]:
    if isinstance(record, Contact):
        return contact_candidates(record, routing.contact_reasons(scope, record, placed))
    return copy_candidates(record, routing.copy_reasons(scope, record, placed))


def _id(record: Contact | DetachedContact) -> str:
    """By which they are in order: ids of copies sort behind those of contacts."""
    return record.contact_id if isinstance(record, Contact) else record.detached_id
