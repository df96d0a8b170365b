"""Looking for the members for whom nobody got a message in the end: a bounded step at a time.

What counts is who got it, not who should have. It starts from the deliveries that did not succeed, of which there are
few in most messages, and goes only through the members they were for; folders whose members are all reached through a
contact of the folder, or above it, are passed over. It only reads: `delivery.review` does what follows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from message_contacts.contacts.model import Channel
from message_contacts.delivery.batch import AT_ONCE, LOOKED_AT_ONCE
from message_contacts.delivery.candidates import Candidate, contact_candidates, copy_candidates
from message_contacts.delivery.ground import RoutingStore
from message_contacts.delivery.message_store import Members, MessageStore
from message_contacts.delivery.messages import (
    ALWAYS,
    MEMBERS_NAMED,
    Delivery,
    DeliveryState,
    Message,
    Named,
    Route,
)
from message_contacts.delivery.routing import FolderTree, Placed, Scope, scope_of_targets
from message_contacts.delivery.rules import Word

#: States of a delivery that somebody got.
TAKEN_OVER = (DeliveryState.SENT, DeliveryState.DELIVERED)
#: Objects that are looked at one by one; when deliveries to more of them were lost, it goes through all members.
FEW_OBJECTS = 200
#: Words of those for whom a delivery was made to be sent.
_MEANT = (Word.PASSED, Route.NOBODY_SUBSCRIBED)


@dataclass(slots=True, kw_only=True)
class Walk:
    """How far the look has come, and what it has found. Not frozen: it grows within a step."""

    #: Folder that it is at, and behind which member of it.
    folder: str = ""
    after: tuple[str, ...] = ()
    #: Members for whom nobody got the message, and the first of them.
    members: int = 0
    member_ids: list[str] = field(default_factory=list)
    looked_at: int = 0
    finished: bool = False

    @classmethod
    def from_payload(cls, payload: Mapping[str, str | int]) -> Walk:
        """What `payload` wrote; of a job that begins, a walk that begins."""
        return cls(
            folder=str(payload.get("folder", "")),
            after=tuple(str(payload.get("after", "")).split()),
            members=int(payload.get("members", 0)),
            member_ids=str(payload.get("member_ids", "")).split(),
        )

    def payload(self) -> dict[str, str | int]:
        """For the job that goes on: everything, so that a step that is done twice finds the same."""
        return {
            "folder": self.folder,
            "after": " ".join(self.after),
            "members": self.members,
            "member_ids": " ".join(self.member_ids),
        }

    def missed(self, member_id: str) -> None:
        """Note a member for whom nobody got it."""
        self.members += 1
        if len(self.member_ids) < MEMBERS_NAMED:
            self.member_ids.append(member_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedSearch:
    """Finds the members whom a message missed."""

    messages: MessageStore
    routing: RoutingStore

    async def look(self, message: Message, lost: Sequence[Delivery], walk: Walk) -> None:
        """Go on through the members that lost deliveries were for, until it is enough for one step, or done.

        Args:
            lost: Deliveries to persons, or the fallback address, that did not succeed.
        """
        tree = await self.routing.folder_tree(message.account_id)
        if tree is not None:
            nodes = objects_of(lost)
            ids = {each for each in (*message.targets, *(nodes or ())) if each.isdigit()}
            placed = await self.routing.placed(message.account_id, sorted(ids)) if ids else {}
            targeted = {member_id: place for member_id, place in placed.items() if member_id in message.targets}
            scope = scope_of_targets(tree, message.targets, targeted)
            if nodes is not None:
                scope = _narrowed(scope, tree, nodes, placed)
            look = _Look(self.messages, message, tree, scope, walk, await self._served(message))
            if not await look.through_folders():
                return
            await look.at_single_members()
        walk.finished = True

    async def _served(self, message: Message) -> frozenset[str]:
        """Objects through which somebody got it, as it was worked out then; of a large message the first of them.

        Where a contact was unbound or has gone since, nothing else tells that it got the message.
        """
        found: set[str] = set()
        for state in TAKEN_OVER:
            taken = await self.messages.delivery_page(
                message.account_id, message_id=message.message_id, state=state, address=None, after=None, limit=AT_ONCE
            )
            for delivery in taken:
                if delivery.channel is not Channel.WEBHOOK:
                    # Of copies, only members who were there then: that is looked up.
                    found.update(
                        each.node_id
                        for each in delivery.contacts
                        if each.word in _MEANT and (each.detached_id is None or each.node_id.isdigit())
                    )
        return frozenset(found)


def objects_of(lost: Sequence[Delivery]) -> frozenset[str] | None:
    """The objects that deliveries were made through; None when these are not known, or too many to look at each."""
    if len(lost) > FEW_OBJECTS:
        return None
    nodes: set[str] = set()
    for delivery in lost:
        if delivery.contact_count > len(delivery.contacts) or not delivery.contacts:
            return None
        if any(each.word == Route.FALLBACK for each in delivery.contacts):
            return None  # it was for members for whom there is nobody
        nodes.update(each.node_id for each in delivery.contacts if each.word in _MEANT)
    return frozenset(nodes) if len(nodes) <= FEW_OBJECTS else None


def _narrowed(scope: Scope, tree: FolderTree, nodes: Collection[str], placed: Mapping[str, Placed]) -> Scope:
    """As much of a scope as is in these objects."""
    within = frozenset(folder for folder in scope.folders if not set(tree.lineage(folder)).isdisjoint(nodes))
    single = {
        member_id
        for member_id, place in placed.items()
        if (member_id in nodes and (member_id in scope.members or place.folder_id in scope.folders))
        or (member_id in scope.members and not set(tree.lineage(place.folder_id)).isdisjoint(nodes))
    }
    return replace(scope, folders=within, members=frozenset(single))


@dataclass(slots=True)
class _Look:
    """One step."""

    messages: MessageStore
    message: Message
    tree: FolderTree
    scope: Scope
    walk: Walk
    served: frozenset[str]
    #: By object, until when members must have been placed to be reached through it.
    _reach: dict[str, int] = field(default_factory=dict)

    async def through_folders(self) -> bool:
        """Whether it has come to the end of them."""
        walk, account_id = self.walk, self.message.account_id
        for folder_id in sorted(self.scope.folders & self.tree.oldest.keys()):
            if folder_id < walk.folder:
                continue
            if folder_id != walk.folder:
                walk.folder, walk.after = folder_id, ()
            while True:
                if walk.looked_at >= LOOKED_AT_ONCE:
                    return False
                if await self._above(folder_id) == ALWAYS:
                    break
                found = await self.messages.members_of_folder(account_id, folder_id, after=walk.after, limit=AT_ONCE)
                await self._look_at(found)
                if found.places:
                    last = found.places[-1]
                    walk.after = (str(last.joined_at), last.member_id)
                if len(found.places) < AT_ONCE:
                    break
        return True

    async def at_single_members(self) -> None:
        """Those that are not in one of the folders."""
        if self.scope.members:
            found = await self.messages.members_named(self.message.account_id, sorted(self.scope.members))
            places = [place for place in found.places if place.folder_id not in self.scope.folders]
            await self._look_at(replace(found, places=places))

    async def _look_at(self, members: Members) -> None:
        own: dict[str, list[Candidate]] = {}
        for place in members.places:
            self.walk.looked_at += 1
            if place.member_id in self.served or await self._above(place.folder_id) >= place.placed_at:
                continue
            own[place.member_id] = [
                candidate
                for candidates in (
                    *(contact_candidates(each, ()) for each in members.contacts.get(place.member_id, ())),
                    *(copy_candidates(each, ()) for each in members.copies.get(place.member_id, ())),
                )
                for candidate in candidates
            ]
        got = await self._got([each for candidates in own.values() for each in candidates])
        for member_id, candidates in own.items():
            if not any(_who(each) in got for each in candidates):
                self.walk.missed(member_id)

    async def _above(self, folder_id: str) -> int:
        """Until when members of a folder must have been placed to be reached through it, or what is above it."""
        return max([await self._through(node_id) for node_id in self.tree.lineage(folder_id)])

    async def _through(self, node_id: str) -> int:
        if node_id not in self._reach:
            self._reach[node_id] = ALWAYS if node_id in self.served else await self._looked_up(node_id)
        return self._reach[node_id]

    async def _looked_up(self, node_id: str) -> int:
        account_id = self.message.account_id
        after: tuple[str, ...] = ()
        while contacts := await self.messages.contacts_of_node(account_id, node_id, after=after, limit=AT_ONCE):
            if await self._got([candidate for each in contacts for candidate in contact_candidates(each, ())]):
                return ALWAYS
            after = (str(contacts[-1].created_at), contacts[-1].contact_id)
            self.walk.looked_at += len(contacts)
        until, after = 0, ()
        while copies := await self.messages.copies_of_node(account_id, node_id, after=after, limit=AT_ONCE):
            got = await self._got([candidate for each in copies for candidate in copy_candidates(each, ())])
            for copy in copies:
                if any(_who(each) in got for each in copy_candidates(copy, ())):
                    until = max(until, copy.detached_at)
            after = (copies[-1].detached_id,)
            self.walk.looked_at += len(copies)
        return until

    async def _got(self, candidates: Sequence[Candidate]) -> set[tuple[str, Channel, str]]:
        """Those of the candidates who got the message at their address."""
        places = {(each.channel, each.address.key) for each in candidates if each.address is not None}
        if not places:
            return set()
        found = await self.messages.deliveries_at(self.message.account_id, self.message.message_id, sorted(places))
        return {
            _who(each)
            for each in candidates
            if each.address is not None
            and (delivery := found.get((each.channel, each.address.key))) is not None
            and delivery.state in TAKEN_OVER
            and _is_meant(delivery, each.contact_id)
        }


def _who(candidate: Candidate) -> tuple[str, Channel, str]:
    return candidate.contact_id, candidate.channel, candidate.address.key if candidate.address is not None else ""


def _is_meant(delivery: Delivery, contact_id: str) -> bool:
    """Whether a delivery was for a contact, and not only for others who share its address."""
    named: list[Named] = [each for each in delivery.contacts if each.contact_id == contact_id]
    if not named:
        return delivery.contact_count > len(delivery.contacts)
    return any(each.word in _MEANT for each in named)
