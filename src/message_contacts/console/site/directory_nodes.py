"""What the pages of the directory read: places in the tree, open branches, and contacts at each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from message_contacts import errors
from message_contacts.console.site.visit import Visit
from message_contacts.errors import ApiError
from message_contacts.operations.registry import RESOURCE_DIRECTORY_MASTER

#: Subfolders that a branch shows; a page lists the others.
MOST_IN_BRANCH = 100
#: Contacts of one object that a page shows; the page of contacts lists the others.
MOST_CONTACTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An object that contacts can be bound to."""

    node_id: str
    #: `directory`, `folder` or `member`.
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is in the tree."""

    directory_id: str
    root_id: str
    #: Folders above it, Root first.
    above: Sequence[Node]

    def inherited(self, visit: Visit) -> list[Node]:
        """What it inherits contacts from: the directory, then the folders above it."""
        whole = Node(node_id=self.directory_id, kind="directory", name=visit._("The whole directory"))
        return [whole, *self.above]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The contacts bound to one object; as many as a page shows."""

    node: Node
    contacts: Sequence[Mapping[str, Any]]
    total: int
    refusal: ApiError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A folder in the tree, with what is shown below it."""

    node: Node
    is_here: bool
    is_open: bool
    folders: Sequence[Branch] = ()
    #: Folders that are not shown.
    more: int = 0


async def directory_of(visit: Visit) -> Mapping[str, Any] | None:
    """The account's directory; None when it has none."""
    found = await visit.attempt("GetResourceDirectory")
    if found.refusal is None:
        return dict((found.fields or {})["ResourceDirectory"])
    if found.refusal.definition is errors.RESOURCE_DIRECTORY_NOT_IN_USE:
        return None
    raise found.refusal


async def existing_directory(visit: Visit) -> Mapping[str, Any]:
    """The account's directory. Raises: ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY, which has a page of its own."""
    directory = await directory_of(visit)
    if directory is None:
        raise errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY()
    return directory


async def place_of(visit: Visit, directory: Mapping[str, Any], child_id: str) -> Place:
    """Where a folder or member is."""
    above: list[Node] = []
    if child_id != directory["RootFolderId"]:
        found = await visit.call("ListAncestors", {"ChildId": child_id})
        above = [_folder(visit, directory, folder) for folder in found["Folders"]["Folder"]]
    return Place(directory_id=directory["ResourceDirectoryId"], root_id=directory["RootFolderId"], above=above)


async def folder_node(visit: Visit, directory: Mapping[str, Any], folder_id: str) -> Node:
    """A folder with its name."""
    found = await visit.call("GetFolder", {"FolderId": folder_id})
    return _folder(visit, directory, found["Folder"])


async def branch(visit: Visit, directory: Mapping[str, Any], here: Node, above: Sequence[Node]) -> Branch:
    """The tree, open from Root down to where the visitor is."""
    path = [*above, here]
    listed = await asyncio.gather(*(_subfolders(visit, directory, node) for node in path))
    below: Branch | None = None
    for node, (folders, total) in zip(reversed(path), reversed(listed), strict=True):
        shown = [
            below
            if below is not None and folder.node_id == below.node.node_id
            else Branch(node=folder, is_here=False, is_open=False)
            for folder in folders
        ]
        if below is not None and below.node.node_id not in {each.node.node_id for each in shown}:
            shown.append(below)  # where the visitor is stays in sight, however many there are beside it
        below = Branch(
            node=node,
            is_here=node.node_id == here.node_id,
            is_open=True,
            folders=shown,
            more=max(total - len(shown), 0),
        )
    if below is None:
        raise RuntimeError("a path has at least the folder itself")
    return below


async def bound_to(visit: Visit, nodes: Sequence[Node]) -> list[Bound]:
    """The contacts at each of these objects."""
    return list(await asyncio.gather(*(_bound(visit, node) for node in nodes)))


async def contact_counts(visit: Visit, node_ids: Sequence[str]) -> dict[str, int]:
    """How many contacts are bound to each of these objects; those that the visitor may not see are left out."""
    found = await asyncio.gather(
        *(visit.attempt("ListMessageContacts", {"Member": node_id, "PageSize": 1}) for node_id in node_ids)
    )
    return {
        node_id: attempt.fields["TotalCount"]
        for node_id, attempt in zip(node_ids, found, strict=True)
        if attempt.fields is not None
    }


async def subfolders(visit: Visit, directory: Mapping[str, Any], node: Node) -> Branch:
    """One branch, opened."""
    folders, total = await _subfolders(visit, directory, node)
    return Branch(
        node=node,
        is_here=False,
        is_open=True,
        folders=[Branch(node=folder, is_here=False, is_open=False) for folder in folders],
        more=max(total - len(folders), 0),
    )


async def member_named(visit: Visit, member_id: str) -> Mapping[str, Any]:
    """A member."""
    found = await visit.call("GetAccount", {"AccountId": member_id}, version=RESOURCE_DIRECTORY_MASTER)
    return dict(found["Account"])


async def _bound(visit: Visit, node: Node) -> Bound:
    found = await visit.attempt("ListMessageContacts", {"Member": node.node_id, "PageSize": MOST_CONTACTS})
    if found.fields is None:
        return Bound(node=node, contacts=(), total=0, refusal=found.refusal)
    return Bound(node=node, contacts=found.fields["Contacts"], total=found.fields["TotalCount"], refusal=None)


async def _subfolders(visit: Visit, directory: Mapping[str, Any], node: Node) -> tuple[list[Node], int]:
    found = await visit.call("ListFoldersForParent", {"ParentFolderId": node.node_id, "PageSize": MOST_IN_BRANCH})
    folders = sorted(found["Folders"]["Folder"], key=lambda folder: str(folder["FolderName"]).lower())
    return [_folder(visit, directory, folder) for folder in folders], found["TotalCount"]


def _folder(visit: Visit, directory: Mapping[str, Any], folder: Mapping[str, Any]) -> Node:
    is_root = folder["FolderId"] == directory["RootFolderId"]
    return Node(node_id=folder["FolderId"], kind="folder", name=visit._("Root") if is_root else folder["FolderName"])
