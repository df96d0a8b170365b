"""One contact: its page, adding and changing it, its addresses and their verification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from message_contacts.console.site.contact_nodes import names_of
from message_contacts.console.site.contact_words import field_problems, spoken
from message_contacts.console.site.form import Form
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit
from message_contacts.contacts.model import Channel
from message_contacts.errors import ApiError

#: Pieces of evidence on a contact's page.
_EVIDENCE_SHOWN = 20


async def show_contact(visit: Visit) -> Response:
    """All there is to know of one contact."""
    return await contact_page(visit, visit.path["contact_id"])


async def contact_page(visit: Visit, contact_id: str, *, refusal: ApiError | None = None) -> Response:
    """A contact's page, with what something on it was refused with."""
    contact = (await visit.call("GetMessageContact", {"ContactId": contact_id}))["Contact"]
    standing, standing_refusal = await visit.attempt("GetContactStanding", {"ContactId": contact_id})
    evidence, evidence_refusal = await visit.attempt(
        "ListVerificationEvidence", {"ContactId": contact_id, "MaxResults": _EVIDENCE_SHOWN}
    )
    status = await _deletion_status(visit, contact)
    failed_in = [each["AccountId"] for each in status.get("FailReasonList", ())]
    addresses = standing["Addresses"] if standing else await _addresses_shown(visit, contact)
    return visit.page(
        "contacts/contact.html",
        title=contact["Name"],
        status=200 if refusal is None else refusal.definition.status,
        contact=contact,
        channels=_by_channel(addresses),
        standing=standing,
        standing_refusal=standing_refusal,
        evidence=evidence,
        evidence_refusal=evidence_refusal,
        deletion=status,
        names=await names_of(visit, [*contact["Members"], *failed_in]),
        refusal=refusal,
        **spoken(visit),
    )


async def _deletion_status(visit: Visit, contact: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the contact's deletion goes; nothing when there is none, or the visitor may not know."""
    found, refusal = await visit.attempt("GetMessageContactDeletionStatus", {"ContactId": contact["ContactId"]})
    if found is not None:
        status: Mapping[str, Any] = found["ContactDeletionStatus"]
        return status
    # Finished since the contact was read: as the page looks again by itself, it will say so.
    ended = contact["Status"] == "Deleting" and refusal is not None and refusal.definition.status == 404
    return {"Status": "Deleting"} if ended else {}


async def _addresses_shown(visit: Visit, contact: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The addresses as the contact itself and its verifications tell, for keys that may see no more."""
    waiting, _ = await visit.attempt("ListMessageContactVerifications", {"ContactId": contact["ContactId"]})
    targets = [each["Target"] for each in waiting["ContactVerifications"]] if waiting else []
    found: list[Mapping[str, Any]] = []
    for channel, shown in ((Channel.EMAIL, contact["EmailAddress"]), (Channel.SMS, contact["PhoneNumber"])):
        if shown and shown not in targets:
            found.append({"Channel": channel, "Address": shown, "Standing": "Effective"})
        found += [
            {"Channel": channel, "Address": target, "Standing": "Pending"}
            for target in targets
            if ("@" in target) == (channel is Channel.EMAIL)
        ]
    return found


def _by_channel(addresses: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each channel the address in force and the one that waits, side by side."""

    def one(channel: Channel, standing: str) -> Mapping[str, Any] | None:
        found = (each for each in addresses if (each["Channel"], each["Standing"]) == (channel, standing))
        return next(found, None)

    return [
        {"channel": channel.value, "effective": one(channel, "Effective"), "pending": one(channel, "Pending")}
        for channel in (Channel.EMAIL, Channel.SMS)
    ]


async def add_page(visit: Visit) -> Response:
    """The empty form."""
    return _form(visit, Form(), None)


async def add(visit: Visit) -> Response:
    """Add a contact, and offer to have its addresses confirmed."""
    form = await visit.form()
    given = {
        "Name": form.text("Name"),
        "EmailAddress": form.text("EmailAddress"),
        "PhoneNumber": form.text("PhoneNumber"),
        "Title": form.text("Title"),
        "MessageTypes": form.texts("MessageTypes"),
    }
    added, refusal = await visit.attempt("AddMessageContact", given)
    if added is None:
        problems = field_problems(visit, "AddMessageContact", refusal)
        if problems.keys() & _missing(visit, given).keys():  # the API names one thing that is missing at a time
            problems = _missing(visit, given)
        return _form(visit, form, None, problems=problems)
    contact_id = added["Contact"]["ContactId"]
    if not form.text("send"):
        return visit.go(f"/contacts/{contact_id}", said=visit._("The contact was added. Nothing has been sent yet."))
    for target in (form.text("EmailAddress"), form.text("PhoneNumber")):
        if target:
            _, refusal = await visit.attempt(*_sending(contact_id, target))
            if refusal is not None:
                return await contact_page(visit, contact_id, refusal=refusal)
    return visit.go(
        f"/contacts/{contact_id}",
        said=visit._("The contact was added, and its owner was asked to confirm the address."),
    )


async def edit_page(visit: Visit) -> Response:
    """The form with what the contact has now."""
    return _form(visit, None, await _contact(visit))


async def edit(visit: Visit) -> Response:
    """Change what differs: an address that is left as it is keeps what waits to replace it."""
    form, contact = await visit.form(), await _contact(visit)
    contact_id = contact["ContactId"]
    given: dict[str, Any] = {
        name: form.text(name)
        for name in ("Name", "EmailAddress", "PhoneNumber", "Title")
        if form.text(name) != contact[name]
    }
    types = form.texts("MessageTypes")
    if set(types) != set(contact["MessageTypes"]):
        kept = [kind for kind in contact["MessageTypes"] if kind in types]
        given["MessageTypes"] = [*kept, *(kind for kind in types if kind not in kept)]
    missing = [name for name in ("Name", "EmailAddress", "Title", "MessageTypes") if name in given and not given[name]]
    if missing:
        # An update leaves empty fields as they are, which is not what an emptied form means.
        return _form(visit, form, contact, problems=_missing(visit, dict.fromkeys(missing)))
    if not given:
        return visit.go(f"/contacts/{contact_id}", said=visit._("Nothing was changed."))
    lost = set(contact["MessageTypes"]) - set(types)
    if lost and "sure" not in form:
        preview, _ = await visit.attempt(
            "PreviewChange",
            {"Change": "ChangeTypes", "ContactId": contact_id, "MessageTypes": types, "MaxResults": 20},
        )
        if preview and preview["Summary"]["MembersLeftWithout"]:
            return _form(visit, form, contact, preview=preview)
    _, refusal = await visit.attempt("UpdateMessageContact", {"ContactId": contact_id, **given})
    if refusal is not None:
        return _form(visit, form, contact, problems=field_problems(visit, "UpdateMessageContact", refusal))
    said = visit._("Saved.")
    if given.get("EmailAddress") or given.get("PhoneNumber"):
        said = visit._("Saved. A new address gets messages after its owner has confirmed it.")
    return visit.go(f"/contacts/{contact_id}", said=said)


def _missing(visit: Visit, given: Mapping[str, Any]) -> dict[str, Markup]:
    """What the declaration of AddMessageContact says about what is missing."""
    declared = visit.calls.registry.find(visit.calls.version_of("AddMessageContact"), "AddMessageContact")
    problems: dict[str, Markup] = {}
    for parameter in declared.parameters:
        if parameter.required and parameter.name in given and not given[parameter.name]:
            problems |= field_problems(visit, "AddMessageContact", parameter.missing_error())
    return problems


def _form(
    visit: Visit,
    form: Form | None,
    contact: Mapping[str, Any] | None,
    *,
    problems: Mapping[str, Markup] | None = None,
    preview: Mapping[str, Any] | None = None,
) -> Response:
    """The form, as it was filled in or as the contact is."""
    names = ("Name", "EmailAddress", "PhoneNumber", "Title")
    if form is None and contact is not None:
        values = {name: contact[name] for name in names}
        types = list(contact["MessageTypes"])
    else:
        filled = form or Form()
        values = {name: filled.text(name) for name in names}
        types = filled.texts("MessageTypes")
    return visit.page(
        "contacts/form.html",
        title=visit._("Add a contact") if contact is None else visit._("Change %(name)s") % {"name": contact["Name"]},
        status=400 if problems else 200,
        contact=contact,
        values=values,
        ticked=types,
        problems=problems or {},
        preview=preview,
        send=form is None or "send" in form or not list(form),
        **spoken(visit),
    )


async def _contact(visit: Visit) -> Mapping[str, Any]:
    found = await visit.call("GetMessageContact", {"ContactId": visit.path["contact_id"]})
    contact: Mapping[str, Any] = found["Contact"]
    return contact


def _sending(contact_id: str, target: str) -> tuple[str, dict[str, str]]:
    """The operation that asks for the confirmation of an address, and what it is given."""
    if "@" in target:
        return "SendEmailVerificationForMessageContact", {"ContactId": contact_id, "EmailAddress": target}
    return "SendPhoneVerificationForMessageContact", {"ContactId": contact_id, "PhoneNumber": target}


async def send_verification(visit: Visit) -> Response:
    """Ask the owner of an address to confirm it."""
    form, contact_id = await visit.form(), visit.path["contact_id"]
    _, refusal = await visit.attempt(*_sending(contact_id, form.text("target")))
    if refusal is not None:
        return await contact_page(visit, contact_id, refusal=refusal)
    return visit.go(f"/contacts/{contact_id}", said=visit._("Sent. Earlier links to this address are void."))


async def cancel_update(visit: Visit) -> Response:
    """Drop an address that waits to replace another, or to be the first."""
    form, contact_id = await visit.form(), visit.path["contact_id"]
    target = form.text("target")
    named = {"EmailAddress": target} if "@" in target else {"PhoneNumber": target}
    _, refusal = await visit.attempt("CancelMessageContactUpdate", {"ContactId": contact_id, **named})
    if refusal is not None:
        return await contact_page(visit, contact_id, refusal=refusal)
    return visit.go(f"/contacts/{contact_id}", said=visit._("The address that waited was dropped."))


async def lift_block(visit: Visit) -> Response:
    """Undo "this was not me", after a page that says what that means."""
    form, contact = await visit.form(), await _contact(visit)
    contact_id, target = contact["ContactId"], form.text("target")
    if "sure" not in form:
        return visit.page(
            "contacts/unblock.html",
            title=visit._("Allow messages to a blocked address"),
            contact=contact,
            target=target,
            **spoken(visit),
        )
    channel = Channel.EMAIL if "@" in target else Channel.SMS
    _, refusal = await visit.attempt("DeleteVerificationBlock", {"Channel": channel.value, "Target": target})
    if refusal is not None:
        return await contact_page(visit, contact_id, refusal=refusal)
    return visit.go(f"/contacts/{contact_id}", said=visit._("The block was lifted."))


async def back_to_contact(visit: Visit) -> Response:
    """The contact's page, for who asks for the target of a form: after choosing another language there, for example."""
    return visit.go(f"/contacts/{visit.path['contact_id']}")


ROUTES: tuple[Route, ...] = (
    Route("GET", "/contacts/add", add_page),
    Route("POST", "/contacts/add", add),
    Route("GET", "/contacts/{contact_id}", show_contact),
    Route("GET", "/contacts/{contact_id}/edit", edit_page),
    Route("POST", "/contacts/{contact_id}/edit", edit),
    Route("POST", "/contacts/{contact_id}/verify", send_verification),
    Route("POST", "/contacts/{contact_id}/cancel-update", cancel_update),
    Route("POST", "/contacts/{contact_id}/unblock", lift_block),
    Route("GET", "/contacts/{contact_id}/verify", back_to_contact),
    Route("GET", "/contacts/{contact_id}/cancel-update", back_to_contact),
    Route("GET", "/contacts/{contact_id}/unblock", back_to_contact),
    Route("GET", "/contacts/{contact_id}/unbind", back_to_contact),
)
