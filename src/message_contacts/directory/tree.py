"""Where things are in the tree. A lineage is a folder and all above it, Root first."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.directory.model import Folder, Member, ResourceDirectory


def depth(lineage: Sequence[Folder]) -> int:
    """How many levels below Root the lineage's folder lies; Root itself is 0."""
    return len(lineage) - 1


def path(directory: ResourceDirectory, lineage: Sequence[Folder]) -> str:
    """Ids from the directory down to the folder: `rd-3G1a2b/r-Wm1a2b/fd-Jyl5U7a1b2`."""
    return "/".join(node_ids(directory, lineage))


def member_path(directory: ResourceDirectory, lineage: Sequence[Folder], member: Member) -> str:
    """Ids from the directory down to the member."""
    return f"{path(directory, lineage)}/{member.member_id}"


def location(lineage: Sequence[Folder]) -> str:
    """Names from Root down to the folder: `root/sales/north`."""
    return "/".join(folder.name for folder in lineage)


def node_ids(directory: ResourceDirectory, lineage: Sequence[Folder]) -> tuple[str, ...]:
    """The objects through which a member in the lineage's folder inherits contacts: directory and folders."""
    return (directory.directory_id, *(folder.folder_id for folder in lineage))
