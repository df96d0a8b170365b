"""Binding, unbinding and deleting one contact, each with what it would mean for the members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.contact_nodes import names_of, picker
from message_contacts.console.site.contact_pages import contact_page
from message_contacts.console.site.contact_words import spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Attempt, Visit
from message_contacts.errors import ApiError
from message_contacts.operations.contact_parameters import MAX_MEMBERS_PER_CALL

#: Members that a preview names.
_MEMBERS_NAMED = 50


async def preview(visit: Visit, change: str, given: Mapping[str, Any]) -> Attempt:
    """What a change would leave members without."""
    return await visit.attempt("PreviewChange", {"Change": change, "MaxResults": _MEMBERS_NAMED, **given})


async def bind_page(visit: Visit) -> Response:
    """The tree, to choose what a contact is bound to."""
    return await _bind(visit, None)


async def bind(visit: Visit) -> Response:
    """Bind a contact to what was chosen; or the tree again, with a folder opened or a search done."""
    form, contact_id = await visit.form(), visit.path["contact_id"]
    nodes = form.texts("node")
    if "toggle" in form or "search" in form:
        return await _bind(visit, None)
    if not nodes:
        return await _bind(visit, None, nothing_chosen=True)
    for some in in_fives(nodes):
        _, refusal = await visit.attempt("AssociateMembers", {"ContactId": contact_id, "Members": some})
        if refusal is not None:
            return await _bind(visit, refusal)
    said = visit.ngettext("Bound to %(num)d object.", "Bound to %(num)d objects.", len(nodes)) % {"num": len(nodes)}
    return visit.go(f"/contacts/{contact_id}", said=said)


def in_fives(node_ids: Sequence[str]) -> list[Sequence[str]]:
    """As many at a time as one call takes."""
    return [node_ids[start : start + MAX_MEMBERS_PER_CALL] for start in range(0, len(node_ids), MAX_MEMBERS_PER_CALL)]


async def _bind(visit: Visit, refusal: ApiError | None, *, nothing_chosen: bool = False) -> Response:
    contact = (await visit.call("GetMessageContact", {"ContactId": visit.path["contact_id"]}))["Contact"]
    failed = refusal is not None or nothing_chosen
    return visit.page(
        "contacts/bind.html",
        title=visit._("Bind %(name)s") % {"name": contact["Name"]},
        status=400 if failed else 200,
        contact=contact,
        picker=await picker(visit, await visit.form(), taken=contact["Members"]),
        refusal=refusal,
        nothing_chosen=nothing_chosen,
        **spoken(visit),
    )


async def unbind(visit: Visit) -> Response:
    """Unbind a contact from one object, after a page that says who would be left unreached."""
    form, contact_id = await visit.form(), visit.path["contact_id"]
    given = {"ContactId": contact_id, "Members": form.texts("node")}
    if "sure" in form:
        _, refusal = await visit.attempt("DisassociateMembers", given)
        if refusal is not None:
            return await contact_page(visit, contact_id, refusal=refusal)
        return visit.go(f"/contacts/{contact_id}", said=visit._("The binding was removed."))
    contact = (await visit.call("GetMessageContact", {"ContactId": contact_id}))["Contact"]
    nodes = form.texts("node")
    return visit.page(
        "contacts/unbind.html",
        title=visit._("Unbind %(name)s") % {"name": contact["Name"]},
        contact=contact,
        nodes=nodes,
        names=await names_of(visit, nodes),
        preview=await preview(visit, "Unbind", given),
        **spoken(visit),
    )


async def delete_page(visit: Visit) -> Response:
    """Both ways to delete a contact, and whom each would leave unreached."""
    return await _delete(visit, None)


async def _delete(visit: Visit, refusal: ApiError | None) -> Response:
    contact = (await visit.call("GetMessageContact", {"ContactId": visit.path["contact_id"]}))["Contact"]
    given = {"ContactId": contact["ContactId"]}
    return visit.page(
        "contacts/delete.html",
        title=visit._("Delete %(name)s") % {"name": contact["Name"]},
        status=200 if refusal is None else refusal.definition.status,
        contact=contact,
        retained=await preview(visit, "DeleteContact", {**given, "RetainContactInMembers": "true"}),
        withdrawn=await preview(visit, "DeleteContact", {**given, "RetainContactInMembers": "false"}),
        refusal=refusal,
        **spoken(visit),
    )


async def delete(visit: Visit) -> Response:
    """Delete a contact in the way that was chosen."""
    form, contact_id = await visit.form(), visit.path["contact_id"]
    retain = "false" if form.text("retain") == "no" else "true"
    answer, refusal = await visit.attempt(
        "DeleteMessageContact", {"ContactId": contact_id, "RetainContactInMembers": retain}
    )
    if answer is None:
        return await _delete(visit, refusal)
    if answer["Status"] == "Deleting":
        return visit.go(f"/contacts/{contact_id}", said=visit._("The contact is being taken out of the members."))
    return visit.go("/contacts", said=visit._("The contact was deleted."))


async def deletion_state(visit: Visit) -> Response:
    """How a deletion goes, for a page that shows it and stays open."""
    contact_id = visit.path["contact_id"]
    found, refusal = await visit.attempt("GetMessageContactDeletionStatus", {"ContactId": contact_id})
    if found is None:
        gone = refusal is not None and refusal.definition.status == 404
        return Response("gone" if gone else "unknown", media_type="text/plain")
    return Response(found["ContactDeletionStatus"].get("Status", ""), media_type="text/plain")


ROUTES: tuple[Route, ...] = (
    Route("GET", "/contacts/{contact_id}/bind", bind_page),
    Route("POST", "/contacts/{contact_id}/bind", bind),
    Route("POST", "/contacts/{contact_id}/unbind", unbind),
    Route("GET", "/contacts/{contact_id}/delete", delete_page),
    Route("POST", "/contacts/{contact_id}/delete", delete),
    Route("GET", "/contacts/{contact_id}/deletion", deletion_state),
)
