"""Whom a message is about, and who is in effect for them, through what.

A `Scope` is whom a message is about: some objects of the tree with everything in them. It is worked out from the
folders, so that a binding is held against it without a look at each member. What then decides about each address is
`delivery.rules`.

Source: contract/behaviour.md sections 7, 8 and 11.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from message_contacts.clock import Instant
from message_contacts.contacts.detachment import was_there
from message_contacts.contacts.model import Binding, Contact, DetachedContact
from message_contacts.delivery.candidates import Because, Reason
from message_contacts.quick import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True)
class Placed:
    """Where a member is."""

    folder_id: str
    #: When it came there.
    placed_at: Instant


class FolderTree:
    """The folders of a directory.

    Attributes:
        lineages: By folder, the objects through which its members inherit: the directory, Root, ..., the folder.
        oldest: By folder, when the first of the members that are directly in it came there; only folders with members.
    """

    def __init__(
        self, directory_id: str, parents: Mapping[str, str | None], oldest: Mapping[str, Instant] | None = None
    ) -> None:
        """Put it together from each folder's parent; Root's is None."""
        self.directory_id = directory_id
        self.oldest: Mapping[str, Instant] = oldest or {}
        self.lineages: dict[str, tuple[str, ...]] = {}
        for folder_id in parents:
            self._add(folder_id, parents)

    def lineage(self, folder_id: str) -> tuple[str, ...]:
        """The objects through which members of a folder inherit; of one made since then, the directory alone."""
        return self.lineages.get(folder_id) or (self.directory_id,)

    def _add(self, folder_id: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
        known = self.lineages.get(folder_id)
        if known is not None:
            return known
        parent_id = parents[folder_id]
        above = (self.directory_id,) if parent_id is None else self._add(parent_id, parents)
        self.lineages[folder_id] = lineage = (*above, folder_id)
        return lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom a message is about."""

    directory_id: str
    #: Directory and folders through which any of them inherits.
    nodes: frozenset[str]
    #: Folders of which all members belong to it.
    folders: frozenset[str]
    #: Members that belong to it by name.
    members: frozenset[str]
    #: By object, when the first of its members that belong to the scope came to its folder. A copy of a deleted contact
    #: that names the object holds for somebody in the scope unless it was made before that.
    earliest: Mapping[str, Instant]


def scope_of_member(inherited: Sequence[str], member_id: str, placed_at: Instant) -> Scope:
    """One member.

    Args:
        inherited: The directory and the folders from Root down to the member's.
    """
    return Scope(
        directory_id=inherited[0],
        nodes=frozenset(inherited),
        folders=frozenset(),
        members=frozenset({member_id}),
        earliest=dict.fromkeys(inherited, placed_at),
    )


def scope_within_folder(inherited: Sequence[str]) -> Scope:
    """What every member of a folder inherits, whenever it came: copies of deleted contacts are not among it.

    Args:
        inherited: The directory and the folders from Root down to this one; of the directory, just that.
    """
    return Scope(
        directory_id=inherited[0], nodes=frozenset(inherited), folders=frozenset(), members=frozenset(), earliest={}
    )


def scope_of_targets(tree: FolderTree, targets: Collection[str], members: Mapping[str, Placed]) -> Scope:
    """Several objects with everything in them.

    Args:
        targets: Directory and folders. One that is not in the tree stands for nobody.
        members: The members among the targets, as they are placed now.
    """
    wanted = set(targets)
    folders = frozenset(folder_id for folder_id, lineage in tree.lineages.items() if not wanted.isdisjoint(lineage))
    nodes = {tree.directory_id} & wanted
    earliest: dict[str, Instant] = {}
    for folder_id in folders:
        nodes.update(tree.lineages[folder_id])
        if folder_id in tree.oldest:
            _came(earliest, tree.lineages[folder_id], tree.oldest[folder_id])
    for placed in members.values():
        nodes.update(tree.lineage(placed.folder_id))
        _came(earliest, tree.lineage(placed.folder_id), placed.placed_at)
    return Scope(
        directory_id=tree.directory_id,
        nodes=frozenset(nodes),
        folders=folders,
        members=frozenset(members),
        earliest=earliest,
    )


def contact_reasons(scope: Scope, contact: Contact, placed: Mapping[str, Placed]) -> tuple[Reason, ...]:
    """Through what a contact is in effect in the scope, oldest binding first; empty: it is not.

    Args:
        placed: The members to which contacts are bound, at least those that are in the directory.
    """
    return binding_reasons(scope, contact.bindings, placed)


def binding_reasons(scope: Scope, bindings: Iterable[Binding], placed: Mapping[str, Placed]) -> tuple[Reason, ...]:
    """Through what something with these bindings is in effect in the scope; as `contact_reasons`."""
    return tuple(
        Reason(_because(scope, binding.node_id), binding.node_id)
        for binding in bindings
        if binding.node_id in scope.nodes or _belongs(scope, binding.node_id, placed)
    )


def copy_reasons(scope: Scope, copy: DetachedContact, placed: Mapping[str, Placed]) -> tuple[Reason, ...]:
    """Through what a copy of a deleted contact holds in the scope; empty: it does not.

    Args:
        placed: The members whom copies name, at least those that are in the directory: copies of others are dormant.
    """
    return tuple(
        Reason(Because.RETAINED, node_id)
        for node_id in copy.node_ids
        if ((came := scope.earliest.get(node_id)) is not None and was_there(copy, came))
        or _belongs(scope, node_id, placed)
    )


def _because(scope: Scope, node_id: str) -> Because:
    if node_id == scope.directory_id:
        return Because.DIRECTORY
    return Because.FOLDER if node_id in scope.nodes else Because.OWN


def _belongs(scope: Scope, member_id: str, placed: Mapping[str, Placed]) -> bool:
    if member_id in scope.members:
        return True
    where = placed.get(member_id)
    return where is not None and where.folder_id in scope.folders


def _came(earliest: dict[str, Instant], lineage: Sequence[str], placed_at: Instant) -> None:
    """Note a member's coming at each object above it."""
    for node_id in lineage:
        before = earliest.get(node_id)
        if before is None or placed_at < before:
            earliest[node_id] = placed_at
