"""Changing the tree: folders, new members, and the directory as a whole."""

from __future__ import annotations

from starlette.responses import Response

from message_contacts.console.site.directory_nodes import (
    bound_to,
    existing_directory,
    folder_node,
    place_of,
)
from message_contacts.console.site.field_errors import errors_beside
from message_contacts.console.site.message_words import spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit
from message_contacts.errors import ApiError


async def enable(visit: Visit) -> Response:
    """Begin a directory."""
    await visit.call("EnableResourceDirectory", {"EnableMode": "CurrentAccount"})
    return visit.go("/directory", said=visit._("The directory is enabled."))


async def ask_destroy(visit: Visit) -> Response:
    """Whether the directory is to end."""
    return await _destroy_page(visit)


async def destroy(visit: Visit) -> Response:
    """End the directory, once its id was typed."""
    directory = await existing_directory(visit)
    form = await visit.form()
    if form.text("directory_id") != directory["ResourceDirectoryId"]:
        return await _destroy_page(visit, wrong=visit._("This is not the id of the directory."))
    attempt = await visit.attempt("DestroyResourceDirectory")
    if attempt.refusal is not None:
        return await _destroy_page(visit, refusal=attempt.refusal)
    return visit.go("/directory", said=visit._("The directory is gone, with its contacts and webhooks."))


async def _destroy_page(visit: Visit, *, wrong: str = "", refusal: ApiError | None = None) -> Response:
    status = 200
    if wrong or refusal:
        status = refusal.definition.status if refusal else 400
    return visit.page(
        "directory/destroy.html",
        title=visit._("Destroy the directory"),
        status=status,
        directory=await existing_directory(visit),
        wrong=wrong,
        refusal=refusal,
    )


async def new_folder(visit: Visit) -> Response:
    """The form for a folder."""
    return await _form(visit, "folder")


async def create_folder(visit: Visit) -> Response:
    """Make a folder below another one."""
    parent_id, name = visit.path["folder_id"], (await visit.form()).text("name")
    attempt = await visit.attempt("CreateFolder", {"ParentFolderId": parent_id, "FolderName": name})
    if attempt.fields is None:
        return await _form(visit, "folder", name=name, refusal=attempt.refusal)
    made = attempt.fields["Folder"]["FolderId"]
    return visit.go(f"/directory/folders/{made}", said=visit._("Folder created."))


async def new_member(visit: Visit) -> Response:
    """The form for a member."""
    return await _form(visit, "member")


async def create_member(visit: Visit) -> Response:
    """Make a member in a folder."""
    form = await visit.form()
    name, prefix = form.text("name"), form.text("prefix")
    given = {"ParentFolderId": visit.path["folder_id"], "DisplayName": name, "AccountNamePrefix": prefix}
    attempt = await visit.attempt("CreateResourceAccount", given)
    if attempt.fields is None:
        return await _form(visit, "member", name=name, prefix=prefix, refusal=attempt.refusal)
    made = attempt.fields["Account"]["AccountId"]
    return visit.go(f"/directory/members/{made}", said=visit._("Member created."))


async def ask_rename(visit: Visit) -> Response:
    """The form for a folder's other name."""
    return await _form(visit, "rename")


async def rename(visit: Visit) -> Response:
    """Give a folder another name."""
    folder_id, name = visit.path["folder_id"], (await visit.form()).text("name")
    attempt = await visit.attempt("UpdateFolder", {"FolderId": folder_id, "NewFolderName": name})
    if attempt.refusal is not None:
        return await _form(visit, "rename", name=name, refusal=attempt.refusal)
    return visit.go(f"/directory/folders/{folder_id}", said=visit._("Folder renamed."))


async def _form(
    visit: Visit, kind: str, *, name: str | None = None, prefix: str = "", refusal: ApiError | None = None
) -> Response:
    directory = await existing_directory(visit)
    here = await folder_node(visit, directory, visit.path["folder_id"])
    place = await place_of(visit, directory, here.node_id)
    titles = {
        "folder": visit._("New folder"),
        "member": visit._("New member"),
        "rename": visit._("Rename the folder"),
    }
    beside = errors_beside(
        refusal,
        {
            "InvalidParameter.Folder.Name": "name",
            "MissingParameter.Folder.Name": "name",
            "DisplayName": "name",
            "AccountNamePrefix": "prefix",
            "EntityAlreadyExists.ResourceDirectory.Account": "prefix",
        },
    )
    return visit.page(
        "directory/form.html",
        title=titles[kind],
        status=refusal.definition.status if refusal else 200,
        kind=kind,
        spot=here,
        above=place.above,
        name=name if name is not None else (here.name if kind == "rename" else ""),
        prefix=prefix,
        errors=beside,
        refusal=None if beside else refusal,
    )


async def ask_delete(visit: Visit) -> Response:
    """Whether a folder is to go, and what goes with it."""
    return await _delete_page(visit)


async def delete(visit: Visit) -> Response:
    """Delete an empty folder."""
    directory = await existing_directory(visit)
    place = await place_of(visit, directory, visit.path["folder_id"])
    attempt = await visit.attempt("DeleteFolder", {"FolderId": visit.path["folder_id"]})
    if attempt.refusal is not None:
        return await _delete_page(visit, refusal=attempt.refusal)
    above = place.above[-1].node_id if place.above else place.root_id
    return visit.go(f"/directory/folders/{above}", said=visit._("Folder deleted."))


async def _delete_page(visit: Visit, *, refusal: ApiError | None = None) -> Response:
    directory = await existing_directory(visit)
    here = await folder_node(visit, directory, visit.path["folder_id"])
    place = await place_of(visit, directory, here.node_id)
    size = {"ParentFolderId": here.node_id, "PageSize": 1}
    folders = await visit.attempt("ListFoldersForParent", size)
    members = await visit.attempt("ListAccountsForParent", size)
    (own,) = await bound_to(visit, [here])
    return visit.page(
        "directory/delete_folder.html",
        title=visit._("Delete the folder"),
        status=refusal.definition.status if refusal else 200,
        spot=here,
        above=place.above,
        folders=0 if folders.fields is None else folders.fields["TotalCount"],
        members=0 if members.fields is None else members.fields["TotalCount"],
        own=own,
        refusal=refusal,
        **spoken(visit),
    )


ROUTES: tuple[Route, ...] = (
    Route("POST", "/directory/enable", enable),
    Route("GET", "/directory/destroy", ask_destroy),
    Route("POST", "/directory/destroy", destroy),
    Route("GET", "/directory/folders/{folder_id}/new-folder", new_folder),
    Route("POST", "/directory/folders/{folder_id}/new-folder", create_folder),
    Route("GET", "/directory/folders/{folder_id}/new-member", new_member),
    Route("POST", "/directory/folders/{folder_id}/new-member", create_member),
    Route("GET", "/directory/folders/{folder_id}/rename", ask_rename),
    Route("POST", "/directory/folders/{folder_id}/rename", rename),
    Route("GET", "/directory/folders/{folder_id}/delete", ask_delete),
    Route("POST", "/directory/folders/{folder_id}/delete", delete),
)
