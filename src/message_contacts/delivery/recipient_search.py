"""Finding who gets a message: one bounded batch after another, each going on where the one before it ended.

It goes through the objects that the message is about, not through their members: contacts of folders and of the
directory once each, and what they reach is remembered by object. Then come the members, for contacts of their own and
to find those for whom nobody is reached. Every address goes through the rules of `delivery.rules`. It only reads:
publishing stores what it finds, a dry run shows it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from message_contacts.changes import Insert
from message_contacts.clock import Instant
from message_contacts.contacts.detachment import was_there
from message_contacts.contacts.model import Channel, Contact, DetachedContact
from message_contacts.delivery.batch import Batch
from message_contacts.delivery.candidates import Because, Reason, contact_candidates, copy_candidates, webhook_candidate
from message_contacts.delivery.fallback import is_usable
from message_contacts.delivery.ground import RoutingStore
from message_contacts.delivery.message_store import Members, MessageStore
from message_contacts.delivery.messages import ALWAYS, NOT_REACHED, Incident, IncidentKind, Reach, Stage
from message_contacts.delivery.routing import FolderTree, Scope, binding_reasons, scope_of_targets
from message_contacts.delivery.tally import Happening
from message_contacts.directory.store import DirectoryStore
from message_contacts.ids import Ids
from message_contacts.webhooks.store import WebhookStore

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """The tree that a message is about, as it was read for one step."""

    tree: FolderTree
    scope: Scope
    directory_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientSearch:
    """Finds the deliveries of a message."""

    messages: MessageStore
    webhooks: WebhookStore
    routing: RoutingStore
    directories: DirectoryStore
    ids: Ids
    #: Channels whose messages are captured now.
    captured: frozenset[Channel]

    async def find(self, batch: Batch) -> None:
        """Go on until the batch is full, or all are found: then the batch is at the stage of release."""
        field = await self._field(batch)
        stages = {
            Stage.NODES: (self._nodes, Stage.COPIES),
            Stage.COPIES: (self._copies, Stage.MEMBERS),
            Stage.MEMBERS: (self._members, Stage.ANYBODY),
            Stage.ANYBODY: (self._anybody, Stage.ANY_COPIES),
            Stage.ANY_COPIES: (self._any_copies, Stage.WEBHOOKS),
            Stage.WEBHOOKS: (self._webhooks, Stage.LEFT_OVER),
        }
        while batch.stage in stages:
            work, following = stages[batch.stage]
            if field is not None and not await work(batch, field):
                return
            batch.go_to(following)
        await self._left_over(batch)
        # Deliveries are let go by a step of their own: they have to be stored first.
        batch.go_to(Stage.RELEASE)

    async def _field(self, batch: Batch) -> _Field | None:
        """The tree and what of it the message is about; None when the directory is gone, and everybody with it."""
        account_id = batch.message.account_id
        directory = await self.directories.directory(account_id)
        tree = await self.routing.folder_tree(account_id) if directory is not None else None
        if directory is None or tree is None:
            return None
        members = [target for target in batch.message.targets if target.isdigit()]
        placed = await self.routing.placed(account_id, members) if members else {}
        return _Field(
            tree=tree,
            scope=scope_of_targets(tree, batch.message.targets, placed),
            directory_name=directory.account_name,
        )

    # The stages. Each says whether it has come to its end; if not, the batch knows where to go on.

    async def _nodes(self, batch: Batch, field: _Field) -> bool:
        async def visit(node_id: str, name: str, contact: Contact) -> None:
            because = Because.DIRECTORY if node_id == field.scope.directory_id else Because.FOLDER
            considered = batch.consider(contact_candidates(contact, [Reason(because, node_id)]), name)
            batch.reached_through(node_id, considered)

        return await self._through(batch, field, sorted(field.scope.nodes), self.messages.contacts_of_node, visit)

    async def _copies(self, batch: Batch, field: _Field) -> bool:
        async def visit(node_id: str, name: str, copy: DetachedContact) -> None:
            earliest = field.scope.earliest.get(node_id)
            if earliest is not None and was_there(copy, earliest):
                considered = batch.consider(copy_candidates(copy, [Reason(Because.RETAINED, node_id)]), name)
                batch.reached_through(node_id, considered, copy.detached_at)

        return await self._through(batch, field, sorted(field.scope.nodes), self.messages.copies_of_node, visit)

    async def _anybody(self, batch: Batch, field: _Field) -> bool:
        async def visit(node_id: str, name: str, contact: Contact) -> None:
            because = Because.DIRECTORY if node_id == field.scope.directory_id else Because.FOLDER
            batch.consider_anybody(contact_candidates(contact, [Reason(because, node_id)]), name)

        return await self._through(batch, field, sorted(batch.wanted), self.messages.contacts_of_node, visit)

    async def _any_copies(self, batch: Batch, field: _Field) -> bool:
        async def visit(node_id: str, name: str, copy: DetachedContact) -> None:
            if was_there(copy, Instant(batch.wanted[node_id])):
                batch.consider_anybody(copy_candidates(copy, [Reason(Because.RETAINED, node_id)]), name)

        return await self._through(batch, field, sorted(batch.wanted), self.messages.copies_of_node, visit)

    async def _webhooks(self, batch: Batch, field: _Field) -> bool:
        account_id = batch.message.account_id
        while not batch.is_full:
            behind = batch.after[0] if batch.after else None
            limit = batch.room
            found = await self.webhooks.webhook_page(account_id, after=behind, limit=limit)
            ties = [binding.node_id for webhook in found for binding in webhook.bindings]
            members = sorted({node_id for node_id in ties if node_id.isdigit()})
            placed = await self.routing.placed(account_id, members) if members else {}
            names = await self.routing.display_names(account_id, list(placed)) if placed else {}
            for webhook in found:
                for reason in binding_reasons(field.scope, webhook.bindings, placed):
                    name = names.get(reason.node_id) or await self._name(account_id, reason.node_id, field)
                    batch.consider([webhook_candidate(webhook, [reason])], name)
                batch.after = (webhook.webhook_id,)
            batch.looked_at += len(found)
            if len(found) < limit:
                return True
        return False

    async def _through(
        self,
        batch: Batch,
        field: _Field,
        nodes: Sequence[str],
        page: Callable[..., Awaitable[Sequence[T]]],
        visit: Callable[[str, str, T], Awaitable[None]],
    ) -> bool:
        """Visit what hangs on each object, in order, from where the batch is."""
        for node_id in nodes:
            if node_id < batch.node:
                continue
            if node_id != batch.node:
                batch.node, batch.after = node_id, ()
            name = ""
            while True:
                if batch.is_full:
                    return False
                limit = batch.room
                found = await page(batch.message.account_id, node_id, after=batch.after, limit=limit)
                if found and not name:
                    name = await self._name(batch.message.account_id, node_id, field)
                for item in found:
                    await visit(node_id, name, item)
                    batch.after = _place(item)
                batch.looked_at += len(found)
                if len(found) < limit:
                    break
        return True

    async def _name(self, account_id: str, node_id: str, field: _Field) -> str:
        if node_id == field.scope.directory_id:
            return field.directory_name
        folder = await self.directories.folder(account_id, node_id)
        return "" if folder is None else folder.name

    async def _members(self, batch: Batch, field: _Field) -> bool:
        """Contacts of members' own, and the members for whom nobody is reached."""
        account_id = batch.message.account_id
        for folder_id in sorted(field.scope.folders & field.tree.oldest.keys()):
            if folder_id < batch.node:
                continue
            if folder_id != batch.node:
                batch.node, batch.after = folder_id, ()
            while True:
                if batch.is_full:
                    return False
                limit = batch.room
                found = await self.messages.members_of_folder(account_id, folder_id, after=batch.after, limit=limit)
                self._look_at(batch, field, found)
                if found.places:
                    last = found.places[-1]
                    batch.after = (str(last.joined_at), last.member_id)
                if len(found.places) < limit:
                    break
        if batch.is_full:
            return False
        single = sorted(field.scope.members)
        if single:
            found = await self.messages.members_named(account_id, single)
            places = [place for place in found.places if place.folder_id not in field.scope.folders]
            self._look_at(batch, field, replace(found, places=places))
        return True

    def _look_at(self, batch: Batch, field: _Field, members: Members) -> None:
        above: dict[str, Reach] = {}
        for place in members.places:
            batch.looked_at += 1
            own = [
                contact_candidates(contact, [Reason(Because.OWN, place.member_id)])
                for contact in members.contacts.get(place.member_id, ())
            ] + [
                copy_candidates(copy, [Reason(Because.RETAINED, place.member_id)])
                for copy in members.copies.get(place.member_id, ())
            ]
            considered = [batch.consider(candidates, place.display_name) for candidates in own]
            if place.folder_id not in above:
                above[place.folder_id] = _reach(batch, field.tree.lineage(place.folder_id))
            reach = above[place.folder_id]
            if any(each.subscribed for each in considered) or reach.subscribed >= place.placed_at:
                continue
            if any(each.anybody for each in considered) or reach.anybody >= place.placed_at:
                batch.nobody_subscribed(place.placed_at)
                for candidates in own:
                    batch.consider_anybody(candidates, place.display_name)
                for node_id in field.tree.lineage(place.folder_id):
                    if batch.reach.get(node_id, NOT_REACHED).anybody >= place.placed_at:
                        batch.wanted[node_id] = min(batch.wanted.get(node_id, ALWAYS), place.placed_at)
            else:
                batch.left_out(place.member_id)

    async def _left_over(self, batch: Batch) -> None:
        """The fallback address, or an incident, when nobody is reached for some members or at all."""
        if batch.reaches_somebody and not batch.unreached:
            return
        message = batch.message
        fallback = await self.messages.fallback(message.account_id)
        captured_counts = Channel.EMAIL in self.captured
        if fallback is not None and is_usable(
            fallback, message.message_type, batch.circumstances, captured_counts=captured_counts
        ):
            batch.to_fallback(fallback)
            batch.happenings.append(Happening.FALLBACK_USED)
            return
        batch.changes.append(
            Insert(
                Incident(
                    account_id=message.account_id,
                    incident_id=self.ids.incident(batch.now),
                    message_id=message.message_id,
                    kind=IncidentKind.NOBODY_REACHABLE,
                    members=batch.unreached,
                    member_ids=tuple(batch.unreached_members),
                    opened_at=batch.now,
                )
            )
        )
        batch.happenings.append(Happening.INCIDENT_OPENED)


def _reach(batch: Batch, lineage: Sequence[str]) -> Reach:
    above = [batch.reach.get(node_id, NOT_REACHED) for node_id in lineage]
    return Reach(max(each.subscribed for each in above), max(each.anybody for each in above))


def _place(item: object) -> tuple[str, ...]:
    """Where an object's contact or copy stands in its list."""
    match item:
        case Contact():
            return str(item.created_at), item.contact_id
        case DetachedContact():
            return (item.detached_id,)
    raise TypeError(type(item).__name__)
