"""Objects of the tree on the pages of contacts: what they are called, and the picker that opens folder by folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.form import Form
from message_contacts.console.site.visit import Visit
from message_contacts.directory.model import ACCOUNT_ID, DIRECTORY_ID
from message_contacts.errors import ApiError

#: Names that one page looks up.
_NAMES_AT_MOST = 40
#: Folders and members that the picker shows in one folder; more are found by searching.
_FOLDERS_SHOWN = 100
_MEMBERS_SHOWN = 50
#: Folders that can be open at the same time.
_OPEN_AT_MOST = 30
#: How the name of an object is asked for: operation, its parameter, and where the answer has the name.
_FOLDER = ("GetFolder", "FolderId", "Folder", "FolderName")
_MEMBER = ("GetAccount", "AccountId", "Account", "DisplayName")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A folder in the picker."""

    node_id: str
    name: str
    is_open: bool = False
    folders: Sequence[Branch] = ()
    #: Id and name.
    members: Sequence[tuple[str, str]] = ()
    #: How many folders and members there are beside those that are shown.
    more: int = 0
    #: Why it cannot be opened.
    refusal: ApiError | None = None

    def node_ids(self) -> Iterator[str]:
        """It and everything shown below it."""
        yield self.node_id
        for member_id, _ in self.members:
            yield member_id
        for folder in self.folders:
            yield from folder.node_ids()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picker:
    """The tree as far as it is open, what was found in it, and what is chosen."""

    directory_id: str = ""
    root: Branch | None = None
    refusal: ApiError | None = None
    #: What was searched for, and the members found; None when nothing was.
    query: str = ""
    found: Sequence[tuple[str, str]] | None = None
    search_refusal: ApiError | None = None
    chosen: frozenset[str] = frozenset()
    #: Chosen, and nowhere in what is shown: id and name.
    elsewhere: Sequence[tuple[str, str]] = ()
    #: Cannot be chosen.
    taken: frozenset[str] = frozenset()
    opened: frozenset[str] = field(default_factory=frozenset)
    #: Whether only one can be chosen.
    single: bool = False


async def names_of(visit: Visit, node_ids: Iterable[str]) -> dict[str, str]:
    """What objects are called; those whose names cannot be read, or that are too many, are called by their ids."""
    wanted = list(dict.fromkeys(node_ids))
    names = {node_id: node_id for node_id in wanted}
    denied: set[str] = set()  # not asked again: each refusal stands in the audit trail
    for node_id in wanted[:_NAMES_AT_MOST]:
        if DIRECTORY_ID.fullmatch(node_id):
            names[node_id] = visit._("Whole directory")
        elif node_id.startswith("r-"):
            names[node_id] = visit._("Root folder")  # as the tree shows it
        else:
            operation, parameter, entity, name = _MEMBER if ACCOUNT_ID.fullmatch(node_id) else _FOLDER
            if operation in denied:
                continue
            found, refusal = await visit.attempt(operation, {parameter: node_id})
            if found is not None:
                names[node_id] = str(found[entity][name])
            elif refusal is not None and refusal.access_denied:
                denied.add(operation)
    return names


async def picker(visit: Visit, form: Form, *, taken: Iterable[str] = (), single: bool = False) -> Picker:
    """The picker as the form left it, with the folder opened or closed and the search done that it asks for."""
    chosen, query = frozenset(form.texts("node")), form.text("member_query")
    opened = frozenset(form.texts("opened")) ^ frozenset(form.texts("toggle"))
    common: Mapping[str, Any] = {"chosen": chosen, "taken": frozenset(taken), "single": single, "query": query}
    directory, refusal = await visit.attempt("GetResourceDirectory")
    if directory is None:
        return Picker(refusal=refusal, elsewhere=await _elsewhere(visit, chosen, ()), **common)
    root_id = directory["ResourceDirectory"]["RootFolderId"]
    directory_id = directory["ResourceDirectory"]["ResourceDirectoryId"]
    if not form.texts("opened") and "toggle" not in form:
        opened = frozenset({root_id})
    opened = frozenset(sorted(opened)[:_OPEN_AT_MOST])
    root = await branch(visit, root_id, visit._("Root folder"), opened)
    found, search_refusal = await _members_named(visit, query)
    shown = {directory_id, *root.node_ids(), *(node_id for node_id, _ in found or ())}
    return Picker(
        directory_id=directory_id,
        root=root,
        found=found,
        search_refusal=search_refusal,
        elsewhere=await _elsewhere(visit, chosen, shown),
        opened=opened,
        **common,
    )


async def _elsewhere(visit: Visit, chosen: Iterable[str], shown: Iterable[str]) -> list[tuple[str, str]]:
    hidden = sorted(set(chosen) - set(shown))
    names = await names_of(visit, hidden)
    return [(node_id, names[node_id]) for node_id in hidden]


async def branch(visit: Visit, folder_id: str, name: str, opened: frozenset[str]) -> Branch:
    """A folder, and what is in it where it is open."""
    if folder_id not in opened:
        return Branch(node_id=folder_id, name=name)
    folders, refusal = await visit.attempt(
        "ListFoldersForParent", {"ParentFolderId": folder_id, "PageSize": _FOLDERS_SHOWN}
    )
    members, members_refusal = await visit.attempt(
        "ListAccountsForParent", {"ParentFolderId": folder_id, "PageSize": _MEMBERS_SHOWN}
    )
    below = [each["FolderId"] for each in folders["Folders"]["Folder"]] if folders else []
    named = {each["FolderId"]: each["FolderName"] for each in folders["Folders"]["Folder"]} if folders else {}
    listed = [(each["AccountId"], each["DisplayName"]) for each in members["Accounts"]["Account"]] if members else []
    total = (folders["TotalCount"] if folders else 0) + (members["TotalCount"] if members else 0)
    return Branch(
        node_id=folder_id,
        name=name,
        is_open=True,
        folders=[await branch(visit, each, named[each], opened - {folder_id}) for each in below],
        members=listed,
        more=total - len(below) - len(listed),
        refusal=refusal or members_refusal,
    )


async def _members_named(visit: Visit, query: str) -> tuple[list[tuple[str, str]] | None, ApiError | None]:
    """Members with a part of a name, or with an id."""
    if not query:
        return None, None
    if ACCOUNT_ID.fullmatch(query):
        one, _ = await visit.attempt("GetAccount", {"AccountId": query})
        return ([(query, one["Account"]["DisplayName"])] if one else []), None
    found, refusal = await visit.attempt("ListAccounts", {"QueryKeyword": query, "PageSize": _MEMBERS_SHOWN})
    if found is None:
        return None, refusal
    return [(each["AccountId"], each["DisplayName"]) for each in found["Accounts"]["Account"]], None


async def open_branch(visit: Visit) -> Response:
    """What is in one folder, for a page that shows the tree already."""
    folder_id = visit.query.text("folder")
    opened = await branch(visit, folder_id, "", frozenset({folder_id}))
    if opened.refusal is not None:
        raise opened.refusal
    shown = Picker(root=opened, single=visit.query.text("single") == "yes")
    return visit.page("contacts/branch.html", title="", picker=shown, branch=opened)
