"""Making, renaming and finding folders. Deleting one touches contacts: see `contacts.detachment`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from message_contacts import errors
from message_contacts.changes import CountUp, Decision, Insert, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.directory import tree
from message_contacts.directory.model import MAX_DEPTH, DirectoryRules, Folder, Tags

#: Counter of a tenant's folders, Root not included.
FOLDERS = "folders"


def create_folder(
    above: Sequence[Folder], *, folder_id: str, name: str, tags: Tags, now: Instant, rules: DirectoryRules
) -> Decision[Folder]:
    """A new folder in the last of the lineage `above`.

    The parent cannot go meanwhile (foreign key), and folders never move, so its depth holds. A sibling of the same name
    is refused by the commit, before the quota is looked at.

    Raises: ENTITY_NOT_EXISTS_FOLDER, LIMIT_EXCEEDED_FOLDER_DEPTH.
    """
    parent = existing(above)
    if tree.depth(above) >= MAX_DEPTH:
        raise errors.LIMIT_EXCEEDED_FOLDER_DEPTH(parent_id=parent.folder_id)
    folder = Folder(
        account_id=parent.account_id,
        folder_id=folder_id,
        parent_id=parent.folder_id,
        name=name,
        created_at=now,
        tags=tags,
    )
    quota = CountUp(parent.account_id, FOLDERS, "", rules.folders, errors.QUOTA_EXCEEDED_FOLDER_COUNT)
    return Decision((Insert(folder), quota), folder)


def rename_folder(folder: Folder | None, name: str) -> Decision[Folder]:
    """The folder under its new name; its own name again changes nothing.

    Raises: ENTITY_NOT_EXISTS_FOLDER.
    """
    if folder is None:
        raise errors.ENTITY_NOT_EXISTS_FOLDER()
    if name == folder.name:
        return Decision((RelyOn(folder),), folder)
    renamed = replace(folder, name=name)
    return Decision((Update(folder, renamed),), renamed)


def existing(lineage: Sequence[Folder]) -> Folder:
    """The lineage's folder.

    Raises: ENTITY_NOT_EXISTS_FOLDER when the lineage is empty.
    """
    if not lineage:
        raise errors.ENTITY_NOT_EXISTS_FOLDER()
    return lineage[-1]
