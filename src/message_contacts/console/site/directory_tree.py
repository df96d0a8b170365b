"""The directory's tree: folders, members, and who is bound where."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.directory_nodes import (
    Node,
    bound_to,
    branch,
    contact_counts,
    directory_of,
    existing_directory,
    folder_node,
    place_of,
    subfolders,
)
from message_contacts.console.site.message_words import spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit

_MEMBERS_ON_PAGE = 25
_MEMBER_ID = re.compile(r"[0-9]{16}")


async def whole_directory(visit: Visit) -> Response:
    """The tree at its root, or how to begin when there is none."""
    directory = await directory_of(visit)
    if directory is None:
        return visit.page("directory/none.html", title=visit._("Directory"))
    return await _folder_page(visit, directory, directory["RootFolderId"])


async def show_folder(visit: Visit) -> Response:
    """The tree at one of its folders."""
    return await _folder_page(visit, await existing_directory(visit), visit.path["folder_id"])


async def _folder_page(visit: Visit, directory: Any, folder_id: str) -> Response:
    here = await folder_node(visit, directory, folder_id)
    place = await place_of(visit, directory, folder_id)
    tree = await branch(visit, directory, here, place.above)
    page = visit.query.number("page", 1)
    asked = {"ParentFolderId": folder_id, "PageNumber": page, "PageSize": _MEMBERS_ON_PAGE}
    members = await visit.attempt("ListAccountsForParent", asked)
    shown = [] if members.fields is None else members.fields["Accounts"]["Account"]
    open_here = _opened(tree)
    inherited = place.inherited(visit)
    own, *above = await bound_to(visit, [here, *inherited])
    counts = await contact_counts(
        visit, [each.node.node_id for each in open_here.folders] + [member["AccountId"] for member in shown]
    )
    total = 0 if members.fields is None else members.fields["TotalCount"]
    return visit.page(
        "directory/folder.html",
        title=here.name,
        directory=directory,
        spot=here,
        is_root=here.node_id == place.root_id,
        above=place.above,
        tree=tree,
        open_here=open_here,
        members=members,
        shown_members=shown,
        total=total,
        page=page,
        has_next=page * _MEMBERS_ON_PAGE < total,
        own=own,
        inherited=above,
        counts=counts,
        **spoken(visit),
    )


def _opened(tree: Any) -> Any:
    """The branch where the visitor is."""
    while not tree.is_here:
        tree = next(each for each in tree.folders if each.is_open)
    return tree


async def open_branch(visit: Visit) -> Response:
    """What lies below a folder, alone: for the tree of a page that is shown already."""
    directory = await existing_directory(visit)
    node = Node(node_id=visit.path["folder_id"], kind="folder", name="")
    opened = await subfolders(visit, directory, node)
    return visit.page("directory/branch.html", title="", opened=opened)


async def find_members(visit: Visit) -> Response:
    """Members anywhere in the directory by a part of their names, or the one of an id."""
    words, page = visit.query.text("q"), visit.query.number("page", 1)
    if _MEMBER_ID.fullmatch(words):
        found = await visit.attempt("GetAccount", {"AccountId": words})
        if found.fields is not None:
            return visit.go(f"/directory/members/{words}")
    directory = await existing_directory(visit)
    asked = {"QueryKeyword": words, "PageNumber": page, "PageSize": _MEMBERS_ON_PAGE}
    answer = await visit.call("ListAccounts", asked)
    members = answer["Accounts"]["Account"]
    names: dict[str, list[Node]] = {}
    for member in members:
        if member["FolderId"] not in names:
            place = await place_of(visit, directory, member["AccountId"])
            names[member["FolderId"]] = list(place.above)
    return visit.page(
        "directory/members.html",
        title=visit._("Members"),
        words=words,
        members=members,
        places=names,
        total=answer["TotalCount"],
        page=page,
        has_next=page * _MEMBERS_ON_PAGE < answer["TotalCount"],
    )


ROUTES: tuple[Route, ...] = (
    Route("GET", "/directory", whole_directory),
    Route("GET", "/directory/folders/{folder_id}", show_folder),
    Route("GET", "/directory/branches/{folder_id}", open_branch),
    Route("GET", "/directory/members", find_members),
)
