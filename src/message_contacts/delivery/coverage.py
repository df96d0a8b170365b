"""For every member and message type, how many contacts would be reached and who they are.

What a folder's members inherit is worked out once for each folder; a member is looked at only for what is its own and
for copies that it came too late for. The rules are those of `delivery.rules`, asked once for each contact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import add

from message_contacts.changes import Change, Delete, Insert, Update
from message_contacts.clock import Instant
from message_contacts.contacts.detachment import was_there
from message_contacts.contacts.model import Channel, Contact, DetachedContact, MessageType
from message_contacts.delivery.candidates import Because, Candidate, Reason, contact_candidates, copy_candidates
from message_contacts.delivery.ground import Ground
from message_contacts.delivery.routing import FolderTree, Placed
from message_contacts.delivery.rules import Circumstances, Severity, types_reached
from message_contacts.directory.model import Member

#: The types, in the order in which numbers of contacts stand.
TYPES: tuple[MessageType, ...] = tuple(MessageType)
_NONE = (0,) * len(TYPES)
_POSITIONS = {message_type: position for position, message_type in enumerate(TYPES)}


@dataclass(frozen=True, slots=True)
class Reached:
    """A contact, or a copy of one, that would be reached."""

    contact_id: str
    #: None when it is no copy.
    detached_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class MemberCoverage:
    """How many contacts would be reached for a member."""

    member_id: str
    #: One number for each of `TYPES`.
    counts: tuple[int, ...]


#: Types that reach a contact, by position in `TYPES`.
_Types = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """The copies of deleted contacts that an object's members keep, oldest first."""

    detached_at: list[Instant]
    copies: list[tuple[DetachedContact, _Types]]
    #: By position, how many copies from there on reach for each type; one more than there are copies.
    counts_from: list[tuple[int, ...]]

    def first(self, placed_at: Instant) -> int:
        """Position of the oldest copy that holds for a member placed then."""
        return bisect_left(self.detached_at, placed_at)


class Coverage:
    """Who would be reached for whom, worked out for a whole directory."""

    def __init__(self, ground: Ground, circumstances: Circumstances, severity: Severity | None = None) -> None:
        """Work it out.

        Args:
            severity: Only what reaches for messages of this severity; None: of any.
        """
        self._ground = ground
        #: By object, the contacts bound to it that reach for some type and are not inherited from above it.
        self._bound: dict[str, list[tuple[Contact, _Types]]] = defaultdict(list)
        self._kept: dict[str, _Kept] = {}
        self._place_contacts(circumstances, severity)
        self._place_copies(circumstances, severity)
        self._inherited: dict[str, tuple[int, ...]] = {}

    def members(self, folder_id: str | None = None) -> Iterator[MemberCoverage]:
        """Every member of the directory, or of a folder and the folders in it."""
        tree = self._ground.tree
        for member_id, placed in self._ground.members.items():
            if folder_id is None or folder_id in tree.lineage(placed.folder_id):
                yield MemberCoverage(member_id, self._counts(member_id, placed))

    def reached(self, member_id: str, message_type: MessageType) -> Iterator[Reached]:
        """Who would be reached for a member: what it inherits from the top down, then its own, then copies."""
        position = _POSITIONS[message_type]
        placed = self._ground.members[member_id]
        nodes = (*self._ground.tree.lineage(placed.folder_id), member_id)
        for node_id in nodes:
            for contact, types in self._bound.get(node_id, ()):
                if position in types:
                    yield Reached(contact.contact_id, None, contact.name.text)
        for copy, types in self._copies_for(member_id, placed):
            if position in types:
                yield Reached(copy.contact_id, copy.detached_id, copy.name.text)

    def _counts(self, member_id: str, placed: Placed) -> tuple[int, ...]:
        lineage = self._ground.tree.lineage(placed.folder_id)
        counts = self._inherited_by(lineage)
        own = self._bound.get(member_id)
        if own:
            counts = _plus(counts, (types for _, types in own))
        if self._kept:
            for node_id in lineage:
                kept = self._kept.get(node_id)
                if kept is not None:
                    counts = tuple(map(add, counts, kept.counts_from[kept.first(placed.placed_at)]))
            counts = _plus(counts, (types for _, types in self._own_copies(member_id, placed, lineage)))
        return counts

    def _inherited_by(self, lineage: Sequence[str]) -> tuple[int, ...]:
        """How many contacts all members of the lineage's last object inherit."""
        known = self._inherited.get(lineage[-1])
        if known is None:
            above = self._inherited_by(lineage[:-1]) if len(lineage) > 1 else _NONE
            known = _plus(above, (types for _, types in self._bound.get(lineage[-1], ())))
            self._inherited[lineage[-1]] = known
        return known

    def _copies_for(self, member_id: str, placed: Placed) -> Iterator[tuple[DetachedContact, _Types]]:
        """The copies that hold for a member, each once."""
        lineage = self._ground.tree.lineage(placed.folder_id)
        for node_id in lineage:
            kept = self._kept.get(node_id)
            if kept is not None:
                yield from kept.copies[kept.first(placed.placed_at) :]
        yield from self._own_copies(member_id, placed, lineage)

    def _own_copies(
        self, member_id: str, placed: Placed, lineage: Sequence[str]
    ) -> Iterator[tuple[DetachedContact, _Types]]:
        """The copies that name a member and do not hold for it through anything above it."""
        kept = self._kept.get(member_id)
        for copy, types in kept.copies if kept else ():
            if not was_there(copy, placed.placed_at) or set(lineage).isdisjoint(copy.node_ids):
                yield copy, types

    def _place_contacts(self, circumstances: Circumstances, severity: Severity | None) -> None:
        tree, members = self._ground.tree, self._ground.members
        asked = _AskedOnce(circumstances, severity)
        for contact in self._ground.contacts:
            types = asked.types_of(contact)
            if not types:
                continue
            nodes = {binding.node_id for binding in contact.bindings}
            for node_id in nodes:
                above = _above(node_id, tree, members)
                if above is not None and nodes.isdisjoint(above):
                    self._bound[node_id].append((contact, types))

    def _place_copies(self, circumstances: Circumstances, severity: Severity | None) -> None:
        by_node: dict[str, list[tuple[DetachedContact, _Types]]] = defaultdict(list)
        for copy in self._ground.copies:
            types = _types_reached(copy_candidates(copy, _SOME_REASON), circumstances, severity)
            nodes = set(copy.node_ids) if types else set()
            for node_id in nodes:
                # Of a folder in another that keeps the copy as well, all members have it through that one.
                if nodes.isdisjoint(self._ground.tree.lineages.get(node_id, ())[:-1]):
                    by_node[node_id].append((copy, types))
        for node_id, copies in by_node.items():
            copies.sort(key=lambda entry: entry[0].detached_at)
            counts_from = [_NONE]
            for _, types in reversed(copies):
                counts_from.append(_plus(counts_from[-1], (types,)))
            self._kept[node_id] = _Kept([copy.detached_at for copy, _ in copies], copies, counts_from[::-1])


@dataclass(frozen=True, slots=True)
class Loss:
    """What a member would be left without."""

    member_id: str
    message_types: tuple[MessageType, ...]


def losses(before: Coverage, after: Coverage) -> list[Loss]:
    """The members for whom nobody would be reached any more for some type, by id; those that go are not among them."""
    counts_before = {entry.member_id: entry.counts for entry in before.members()}
    found = []
    for entry in after.members():
        had = counts_before.get(entry.member_id, _NONE)
        lost = tuple(
            message_type for message_type, then, now in zip(TYPES, had, entry.counts, strict=True) if then and not now
        )
        if lost:
            found.append(Loss(entry.member_id, lost))
    return sorted(found, key=lambda loss: loss.member_id)


def changed(ground: Ground, changes: Iterable[Change]) -> Ground:
    """What the ground would be after the changes of a decision."""
    contacts: dict[str, Contact] = {contact.contact_id: contact for contact in ground.contacts}
    copies: dict[str, DetachedContact] = {copy.detached_id: copy for copy in ground.copies}
    members: dict[str, Placed] = dict(ground.members)
    for change in changes:
        match change:
            case Insert(Contact() as contact) | Update(_, Contact() as contact):
                contacts[contact.contact_id] = contact
            case Delete(Contact() as contact):
                contacts.pop(contact.contact_id, None)
            case Insert(DetachedContact() as copy) | Update(_, DetachedContact() as copy):
                copies[copy.detached_id] = copy
            case Delete(DetachedContact() as copy):
                copies.pop(copy.detached_id, None)
            case Insert(Member() as member) | Update(_, Member() as member):
                members[member.member_id] = Placed(member.folder_id, member.placed_at)
            case Delete(Member() as member):
                members.pop(member.member_id, None)
            case _:  # counters, waiting work and what was relied on reach nobody
                pass
    return replace(ground, members=members, contacts=list(contacts.values()), copies=list(copies.values()))


#: Coverage asks about addresses; through what a contact is in effect it works out itself.
_SOME_REASON = (Reason(Because.OWN, ""),)


class _AskedOnce:
    """The types that reach contacts. Of those alike in all that the rules look at, only the first is asked."""

    def __init__(self, circumstances: Circumstances, severity: Severity | None) -> None:
        self._circumstances = circumstances
        self._severity = severity
        #: Addresses and contacts of which something was said: each of those is asked by itself.
        self._places = circumstances.suppressed.keys() | circumstances.opted_out.keys()
        self._contacts = circumstances.opted_out_contacts.keys()
        self._known: dict[tuple[object, ...], _Types] = {}

    def types_of(self, contact: Contact) -> _Types:
        """The types with which at least one address of the contact is reached."""
        email, phone = contact.email, contact.phone
        if contact.contact_id in self._contacts or (self._places and self._was_spoken_of(contact)):
            return self._asked(contact)
        alike = (
            contact.message_types,
            contact.deleting,
            email.shown is None,
            None if email.verified is None else email.verified.captured,
            None if phone.shown is None else phone.shown.text.partition("-")[0],
            None if phone.verified is None else phone.verified.captured,
        )
        types = self._known.get(alike)
        if types is None:
            types = self._known[alike] = self._asked(contact)
        return types

    def _was_spoken_of(self, contact: Contact) -> bool:
        slots = ((Channel.EMAIL, contact.email.shown), (Channel.SMS, contact.phone.shown))
        return any(address is not None and (channel, address.key) in self._places for channel, address in slots)

    def _asked(self, contact: Contact) -> _Types:
        return _types_reached(contact_candidates(contact, _SOME_REASON), self._circumstances, self._severity)


def _types_reached(candidates: Sequence[Candidate], circumstances: Circumstances, severity: Severity | None) -> _Types:
    """The types with which at least one address of a contact is reached."""
    found = {
        _POSITIONS[message_type]
        for candidate in candidates
        if candidate.address is not None
        for message_type in types_reached(candidate, severity, circumstances)
    }
    return tuple(found)


def _above(node_id: str, tree: FolderTree, members: Mapping[str, Placed]) -> Sequence[str] | None:
    """What lies above an object; None when it is not in the directory."""
    if node_id == tree.directory_id:
        return ()
    lineage = tree.lineages.get(node_id)
    if lineage is not None:
        return lineage[:-1]
    placed = members.get(node_id)
    return None if placed is None else tree.lineage(placed.folder_id)


def _plus(counts: tuple[int, ...], reached: Iterable[_Types]) -> tuple[int, ...]:
    more = list(counts)
    for types in reached:
        for position in types:
            more[position] += 1
    return tuple(more)
