"""Changing a member: its name, its place, its type, and taking it out of the directory or deleting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.directory_nodes import (
    MOST_IN_BRANCH,
    existing_directory,
    folder_node,
    member_named,
    place_of,
    subfolders,
)
from message_contacts.console.site.field_errors import errors_beside
from message_contacts.console.site.message_words import spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Attempt, Visit
from message_contacts.errors import ApiError

#: Members left without somebody that a preview names.
_MOST_NAMED = 50


async def ask_rename(visit: Visit) -> Response:
    """The form for a member's other name."""
    return await _rename_page(visit)


async def rename(visit: Visit) -> Response:
    """Give a member another name."""
    member_id, name = visit.path["member_id"], (await visit.form()).text("name")
    attempt = await visit.attempt("UpdateAccount", {"AccountId": member_id, "NewDisplayName": name})
    if attempt.refusal is not None:
        return await _rename_page(visit, name=name, refusal=attempt.refusal)
    return visit.go(f"/directory/members/{member_id}", said=visit._("Member renamed."))


async def _rename_page(visit: Visit, *, name: str | None = None, refusal: ApiError | None = None) -> Response:
    member, above = await _member(visit)
    beside = errors_beside(
        refusal, {"NewDisplayName": "name", "DisplayName": "name", "MissingDisplayNameOrAccountType": "name"}
    )
    return visit.page(
        "directory/rename_member.html",
        title=visit._("Rename the member"),
        status=refusal.definition.status if refusal else 200,
        member=member,
        above=above,
        name=member["DisplayName"] if name is None else name,
        errors=beside,
        refusal=None if beside else refusal,
    )


async def ask_move(visit: Visit) -> Response:
    """Where a member could go; once a folder is chosen, who would be left without somebody."""
    return await _move_page(visit, visit.query.text("to"))


async def move(visit: Visit) -> Response:
    """Move a member to another folder."""
    member_id, to = visit.path["member_id"], (await visit.form()).text("to")
    attempt = await visit.attempt("MoveAccount", {"AccountId": member_id, "DestinationFolderId": to})
    if attempt.refusal is not None:
        return await _move_page(visit, to, refusal=attempt.refusal)
    return visit.go(f"/directory/members/{member_id}", said=visit._("Member moved."))


async def _move_page(visit: Visit, to: str, *, refusal: ApiError | None = None) -> Response:
    directory = await existing_directory(visit)
    member, above = await _member(visit)
    looked_at = visit.query.text("at") or to or member["FolderId"]
    here = await folder_node(visit, directory, looked_at)
    place = await place_of(visit, directory, looked_at)
    inside = await subfolders(visit, directory, here)
    preview = Attempt(None, None)
    chosen = None
    if to:
        chosen = await folder_node(visit, directory, to)
        preview = await _preview(visit, "MoveMember", {"AccountId": member["AccountId"], "DestinationFolderId": to})
    return visit.page(
        "directory/move.html",
        title=visit._("Move the member"),
        status=refusal.definition.status if refusal else 200,
        member=member,
        above=above,
        spot=here,
        above_here=place.above,
        inside=inside,
        most=MOST_IN_BRANCH,
        chosen=chosen,
        preview=preview,
        refusal=refusal,
        **spoken(visit),
    )


async def ask_remove(visit: Visit) -> Response:
    """Whether a member is to leave, and what that would mean."""
    return await _remove_page(visit)


async def remove(visit: Visit) -> Response:
    """Take a member out of the directory."""
    member, _above = await _member(visit)
    attempt = await visit.attempt("RemoveCloudAccount", {"AccountId": member["AccountId"]})
    if attempt.refusal is not None:
        return await _remove_page(visit, refusal=attempt.refusal)
    return visit.go(f"/directory/folders/{member['FolderId']}", said=visit._("Member removed."))


async def switch_type(visit: Visit) -> Response:
    """Turn a resource account into a cloud account, or back: only cloud accounts can leave."""
    member_id, kind = visit.path["member_id"], (await visit.form()).text("type")
    attempt = await visit.attempt("UpdateAccount", {"AccountId": member_id, "NewAccountType": kind})
    if attempt.refusal is not None:
        return await _remove_page(visit, refusal=attempt.refusal)
    return visit.go(f"/directory/members/{member_id}/remove", said=visit._("The type of the member was switched."))


async def _remove_page(visit: Visit, *, refusal: ApiError | None = None) -> Response:
    member, above = await _member(visit)
    can_leave = member["Type"] == "CloudAccount"
    preview = Attempt(None, None)
    if can_leave:
        preview = await _preview(visit, "RemoveMember", {"AccountId": member["AccountId"]})
    return visit.page(
        "directory/remove.html",
        title=visit._("Remove the member"),
        status=refusal.definition.status if refusal else 200,
        member=member,
        above=above,
        can_leave=can_leave,
        preview=preview,
        refusal=refusal,
        **spoken(visit),
    )


async def ask_delete(visit: Visit) -> Response:
    """Whether a member is to be deleted, and what that would mean."""
    return await _delete_page(visit)


async def delete(visit: Visit) -> Response:
    """Delete a member for good."""
    member, _above = await _member(visit)
    attempt = await visit.attempt("DeleteAccount", {"AccountId": member["AccountId"]})
    if attempt.refusal is not None:
        return await _delete_page(visit, refusal=attempt.refusal)
    return visit.go(f"/directory/folders/{member['FolderId']}", said=visit._("Member deleted."))


async def _delete_page(visit: Visit, *, refusal: ApiError | None = None) -> Response:
    member, above = await _member(visit)
    return visit.page(
        "directory/delete_member.html",
        title=visit._("Delete the member"),
        status=refusal.definition.status if refusal else 200,
        member=member,
        above=above,
        preview=await _preview(visit, "DeleteMember", {"AccountId": member["AccountId"]}),
        refusal=refusal,
        **spoken(visit),
    )


async def _preview(visit: Visit, change: str, about: Mapping[str, Any]) -> Attempt:
    return await visit.attempt("PreviewChange", {"Change": change, "MaxResults": _MOST_NAMED, **about})


async def _member(visit: Visit) -> tuple[Mapping[str, Any], Any]:
    directory = await existing_directory(visit)
    member = await member_named(visit, visit.path["member_id"])
    place = await place_of(visit, directory, member["AccountId"])
    return member, place.above


ROUTES: tuple[Route, ...] = (
    Route("GET", "/directory/members/{member_id}/rename", ask_rename),
    Route("POST", "/directory/members/{member_id}/rename", rename),
    Route("GET", "/directory/members/{member_id}/move", ask_move),
    Route("POST", "/directory/members/{member_id}/move", move),
    Route("GET", "/directory/members/{member_id}/remove", ask_remove),
    Route("POST", "/directory/members/{member_id}/remove", remove),
    Route("POST", "/directory/members/{member_id}/type", switch_type),
    Route("GET", "/directory/members/{member_id}/delete", ask_delete),
    Route("POST", "/directory/members/{member_id}/delete", delete),
)
