"""The same done to many contacts: asked once, then some at a time, each contact's outcome listed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from message_contacts.console.site.contact_changes import in_fives, preview
from message_contacts.console.site.contact_list import Filter
from message_contacts.console.site.contact_nodes import names_of, picker
from message_contacts.console.site.contact_words import sentence, spoken
from message_contacts.console.site.form import Form
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit
from message_contacts.console.site.words import mark
from message_contacts.errors import ApiError

#: Contacts that one action takes.
MOST_AT_ONCE = 500
#: Contacts whose deletion is previewed before several are deleted: each preview looks at the whole directory.
_PREVIEWED = 10
#: How long one request works on; at least one contact, however long that takes.
_SECONDS = 0.5
_SEARCHED_AT_ONCE = 100

DONE, LEFT, FAILED = "done", "left", "failed"
#: What an action is called on its pages.
ACTIONS: Mapping[str, str] = {
    "bind": mark("Bind contacts"),
    "unbind": mark("Unbind contacts"),
    "verify": mark("Ask for confirmation"),
    "delete": mark("Delete contacts"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action for one contact."""

    contact_id: str
    name: str
    #: DONE, LEFT (there was nothing to do) or FAILED.
    state: str
    #: In the visitor's language.
    text: str

    def hidden(self) -> str:
        """As the next request brings it along."""
        return orjson.dumps([self.contact_id, self.name, self.state, self.text]).decode()

    @classmethod
    def read(cls, text: str) -> Outcome | None:
        """What `hidden` wrote; None for anything else."""
        try:
            match orjson.loads(text):
                case [str(contact_id), str(name), str(state), str(said)]:
                    return cls(contact_id, name, state if state in (DONE, LEFT) else FAILED, said)
        except ValueError:
            pass
        return None


async def ask(visit: Visit) -> Response:
    """What is to be done with the contacts that were ticked: everything that has to be known first."""
    form = await visit.form()
    action = form.text("action")
    if action not in ACTIONS:
        return visit.go("/contacts", said=visit._("Choose what to do with the contacts."))
    contacts = await _everything(visit, form) if "everything" in form else form.texts("contact")[:MOST_AT_ONCE]
    if not contacts:
        return visit.go("/contacts", said=visit._("Tick the contacts first."))
    return await _ask(visit, form, action, contacts)


async def _ask(
    visit: Visit, form: Form, action: str, contacts: Sequence[str], *, nothing_chosen: bool = False
) -> Response:
    previews = []
    if action == "delete" and len(contacts) <= _PREVIEWED:
        for contact in contacts:
            contact_id, _, name = contact.partition(" ")
            given = {"ContactId": contact_id, "RetainContactInMembers": "false"}
            previews.append((name, await preview(visit, "DeleteContact", given)))
    bound = await _bound(visit, contacts) if action == "unbind" else []
    return visit.page(
        "contacts/bulk.html",
        title=visit._(ACTIONS[action]),
        status=400 if nothing_chosen else 200,
        action=action,
        contacts=contacts,
        names=[contact.partition(" ")[2] for contact in contacts],
        picker=await picker(visit, form) if action == "bind" else None,
        bound=bound,
        bound_options=[(node_id, f"{name} ({count})") for node_id, name, count in bound],
        previews=previews,
        nothing_chosen=nothing_chosen,
        back=Filter.read(form).query(),
        **spoken(visit),
    )


async def _everything(visit: Visit, form: Form) -> list[str]:
    """All contacts that the list's filter leaves, as far as one action takes them."""
    found: list[str] = []
    token = ""
    asked = Filter.read(form).arguments()
    while len(found) < MOST_AT_ONCE:
        page = await visit.call("SearchMessageContacts", {**asked, "MaxResults": _SEARCHED_AT_ONCE, "NextToken": token})
        found += [f"{contact['ContactId']} {contact['Name']}" for contact in page["Contacts"]]
        token = page.get("NextToken", "")
        if not token:
            break
    return found[:MOST_AT_ONCE]


async def _bound(visit: Visit, contacts: Sequence[str]) -> list[tuple[str, str, int]]:
    """Objects that any of the contacts is bound to: id, name, and how many of them are."""
    counts: dict[str, int] = {}
    for contact in contacts:
        found, _ = await visit.attempt("GetMessageContact", {"ContactId": contact.partition(" ")[0]})
        for node_id in found["Contact"]["Members"] if found else ():
            counts[node_id] = counts.get(node_id, 0) + 1
    names = await names_of(visit, counts)
    return sorted(((node_id, names[node_id], count) for node_id, count in counts.items()), key=lambda one: -one[2])


async def run(visit: Visit) -> Response:
    """Carry the action out on some of the contacts; the page goes on with the rest."""
    form = await visit.form()
    action, waiting = form.text("action"), form.texts("contact")[:MOST_AT_ONCE]
    if action not in ACTIONS:
        return visit.go("/contacts")
    if action in ("bind", "unbind") and ("toggle" in form or "search" in form or not form.texts("node")):
        asks_only = "toggle" in form or "search" in form
        return await _ask(visit, form, action, waiting, nothing_chosen=not asks_only)
    outcomes = [each for each in map(Outcome.read, form.texts("outcome")) if each is not None]
    began, handled = time.perf_counter(), 0
    for contact in waiting:
        contact_id, _, name = contact.partition(" ")
        outcomes.append(await _do(visit, form, action, contact_id, name))
        handled += 1
        if time.perf_counter() - began > _SECONDS:
            break
    return visit.page(
        "contacts/bulk_run.html",
        title=visit._(ACTIONS[action]),
        action=action,
        waiting=waiting[handled:],
        outcomes=outcomes,
        nodes=form.texts("node"),
        retain=form.text("retain"),
        counts={state: sum(each.state == state for each in outcomes) for state in (DONE, LEFT, FAILED)},
        back=Filter.read(form).query(),
        **spoken(visit),
    )


async def _do(visit: Visit, form: Form, action: str, contact_id: str, name: str) -> Outcome:
    try:
        state, text = await _HOW[action](visit, form, contact_id)
    except ApiError as refusal:
        state, text = FAILED, f"{sentence(visit, refusal)} {refusal.definition.code}"
    return Outcome(contact_id, name, state, text)


async def _bind(visit: Visit, form: Form, contact_id: str) -> tuple[str, str]:
    bound = await _members(visit, contact_id)
    nodes = [node_id for node_id in form.texts("node") if node_id not in bound]
    if not nodes:
        return LEFT, visit._("Was bound already.")
    for some in in_fives(nodes):
        await visit.call("AssociateMembers", {"ContactId": contact_id, "Members": some})
    return DONE, visit.ngettext("Bound to %(num)d object.", "Bound to %(num)d objects.", len(nodes)) % {
        "num": len(nodes)
    }


async def _unbind(visit: Visit, form: Form, contact_id: str) -> tuple[str, str]:
    bound = await _members(visit, contact_id)
    nodes = [node_id for node_id in form.texts("node") if node_id in bound]
    if not nodes:
        return LEFT, visit._("Was not bound there.")
    for some in in_fives(nodes):
        await visit.call("DisassociateMembers", {"ContactId": contact_id, "Members": some})
    return DONE, visit._("Unbound.")


async def _members(visit: Visit, contact_id: str) -> list[str]:
    found = await visit.call("GetMessageContact", {"ContactId": contact_id})
    members: list[str] = found["Contact"]["Members"]
    return members


async def _verify(visit: Visit, _form: Form, contact_id: str) -> tuple[str, str]:
    waiting = (await visit.call("ListMessageContactVerifications", {"ContactId": contact_id}))["ContactVerifications"]
    if not waiting:
        return LEFT, visit._("No address waits for confirmation.")
    for each in waiting:
        target = each["Target"]
        if "@" in target:
            given = {"ContactId": contact_id, "EmailAddress": target}
            await visit.call("SendEmailVerificationForMessageContact", given)
        else:
            await visit.call("SendPhoneVerificationForMessageContact", {"ContactId": contact_id, "PhoneNumber": target})
    return DONE, visit.ngettext("Sent to %(num)d address.", "Sent to %(num)d addresses.", len(waiting)) % {
        "num": len(waiting)
    }


async def _delete(visit: Visit, form: Form, contact_id: str) -> tuple[str, str]:
    retain = "false" if form.text("retain") == "no" else "true"
    given: dict[str, Any] = {"ContactId": contact_id, "RetainContactInMembers": retain}
    answer = await visit.call("DeleteMessageContact", given)
    return DONE, visit._("Is being taken out of the members.") if answer["Status"] == "Deleting" else visit._(
        "Deleted."
    )


_HOW: Mapping[str, Callable[[Visit, Form, str], Awaitable[tuple[str, str]]]] = {
    "bind": _bind,
    "unbind": _unbind,
    "verify": _verify,
    "delete": _delete,
}


async def back_to_contacts(visit: Visit) -> Response:
    """The table, for who asks for the target of a form."""
    return visit.go("/contacts")


ROUTES: tuple[Route, ...] = (
    Route("GET", "/contacts/bulk", back_to_contacts),
    Route("GET", "/contacts/bulk/run", back_to_contacts),
    Route("POST", "/contacts/bulk", ask),
    Route("POST", "/contacts/bulk/run", run),
)
