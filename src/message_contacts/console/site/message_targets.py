"""Choosing whom something is about: the directory, folders and members, by walking the tree or by name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit

#: Folders and members that are offered at once.
_OFFERED = 50


@dataclass(frozen=True, slots=True)
class Target:
    """An object of the tree, as it is shown."""

    target_id: str
    #: `directory`, `folder` or `member`.
    kind: str
    name: str


def kind_of(target_id: str) -> str:
    """What an id stands for, by its form."""
    if target_id.startswith("rd-"):
        return "directory"
    return "member" if target_id.isdigit() else "folder"


async def named_targets(visit: Visit, target_ids: Sequence[str]) -> list[Target]:
    """Objects with their names; of one that is gone or may not be seen, its id."""

    async def named(target_id: str) -> Target:
        kind = kind_of(target_id)
        if kind == "directory":
            return Target(target_id, kind, visit._("The whole directory"))
        if kind == "folder":
            found = await visit.attempt("GetFolder", {"FolderId": target_id})
            return Target(target_id, kind, found.fields["Folder"]["FolderName"] if found.fields else target_id)
        found = await visit.attempt("GetAccount", {"AccountId": target_id}, version="2022-04-19")
        return Target(target_id, kind, found.fields["Account"]["DisplayName"] if found.fields else target_id)

    return list(await asyncio.gather(*(named(target_id) for target_id in target_ids)))


async def offered_targets(visit: Visit, folder_id: str, words: str) -> Mapping[str, Any]:
    """What can be chosen: what lies in a folder, or members and folders by a part of their names.

    Args:
        folder_id: Folder to look into; empty: Root.
        words: Part of names to look for anywhere; empty: look into the folder.
    """
    directory = (await visit.call("GetResourceDirectory"))["ResourceDirectory"]
    where = folder_id or directory["RootFolderId"]
    size = {"PageSize": _OFFERED}
    above = await visit.attempt("ListAncestors", {"ChildId": where})
    here = await visit.attempt("GetFolder", {"FolderId": where})
    trail = [] if above.fields is None else above.fields["Folders"]["Folder"]
    if words:
        folders = await visit.attempt("ListFoldersForParent", {"ParentFolderId": where, "QueryKeyword": words, **size})
        members = await visit.attempt("ListAccounts", {"QueryKeyword": words, **size}, version="2022-04-19")
    else:
        folders = await visit.attempt("ListFoldersForParent", {"ParentFolderId": where, **size})
        members = await visit.attempt("ListAccountsForParent", {"ParentFolderId": where, **size}, version="2022-04-19")
    return {
        "directory_id": directory["ResourceDirectoryId"],
        "here": where,
        "here_name": here.fields["Folder"]["FolderName"] if here.fields else where,
        "above": [each for each in trail if each["FolderId"] != where],
        "words": words,
        "folders": [] if folders.fields is None else folders.fields["Folders"]["Folder"],
        "members": [] if members.fields is None else members.fields["Accounts"]["Account"],
        "more_folders": folders.fields is not None and folders.fields["TotalCount"] > _OFFERED,
        "more_members": members.fields is not None and members.fields["TotalCount"] > _OFFERED,
        "refusal": folders.refusal or members.refusal,
    }


async def picker(visit: Visit) -> Response:
    """What can be chosen, alone: for the page that shows it already."""
    offered = await offered_targets(visit, visit.query.text("folder"), visit.query.text("words"))
    return visit.page("messages/picker.html", title="", offered=offered, chosen_ids=visit.query.texts("chosen"))


ROUTES: tuple[Route, ...] = (Route("GET", "/messages/targets", picker),)
