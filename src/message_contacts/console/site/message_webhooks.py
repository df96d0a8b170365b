"""Group chats and programs that get messages: list, add, confirm, edit, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.form import Form
from message_contacts.console.site.message_targets import named_targets, offered_targets
from message_contacts.console.site.message_words import refusal_text, spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit
from message_contacts.errors import ApiError
from message_contacts.webhooks.model import WebhookForm

_A_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What stands in the form of a webhook."""

    name: str = ""
    form: str = WebhookForm.DING_TALK.value
    url: str = ""
    secret: str = ""
    message_types: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    @classmethod
    def of(cls, form: Form) -> Entered:
        """What a form holds."""
        return cls(
            name=form.text("name"),
            form=form.text("form") or WebhookForm.DING_TALK,
            url=form.text("url"),
            secret=form.text("secret"),
            message_types=tuple(form.texts("message_types")),
            targets=tuple(form.texts("targets")),
        )

    @classmethod
    def as_it_is(cls, webhook: Mapping[str, Any]) -> Entered:
        """A webhook's own values; address and secret are never shown again."""
        return cls(
            name=webhook["Name"],
            form=webhook["Form"],
            message_types=tuple(webhook["MessageTypes"]),
            targets=tuple(webhook["Members"]),
        )


async def webhooks(visit: Visit) -> Response:
    """All of them."""
    found = await visit.call("ListWebhooks", {"MaxResults": _A_PAGE, "NextToken": visit.query.text("next")})
    return visit.page("messages/webhooks.html", title=visit._("Webhooks"), found=found, **spoken(visit))


async def new(visit: Visit) -> Response:
    """The form of a new one."""
    return await _form(visit, Entered(), Form())


async def create(visit: Visit) -> Response:
    """Add it; or, while it is chosen whose messages it gets, the form again."""
    form = await visit.form()
    entered = Entered.of(form)
    if "save" not in form:
        return await _form(visit, entered, form)
    done = await visit.attempt(
        "CreateWebhook",
        {
            "Name": entered.name,
            "Form": entered.form,
            "Url": entered.url,
            "Secret": entered.secret,
            "MessageTypes": list(entered.message_types),
            "Members": list(entered.targets),
        },
    )
    if done.fields is None:
        return await _form(visit, entered, form, refusal=done.refusal)
    webhook = done.fields["Webhook"]
    if "Secret" in webhook:
        # Shown once, so on this answer and not behind a redirect.
        return visit.page(
            "messages/webhook_secret.html", title=visit._("The webhook's secret"), webhook=webhook, **spoken(visit)
        )
    return visit.go(f"/messages/webhooks/{webhook['WebhookId']}", said=visit._("The webhook was added."))


async def show(visit: Visit) -> Response:
    """One webhook: what it gets, and whether it is in force."""
    return await _show(visit)


async def _show(visit: Visit, refusal: ApiError | None = None) -> Response:
    webhook = (await visit.call("GetWebhook", {"WebhookId": visit.path["webhook_id"]}))["Webhook"]
    deliveries = await visit.attempt(
        "ListDeliveries", {"Address": webhook["WebhookId"], "NewestFirst": "true", "MaxResults": 10}
    )
    return visit.page(
        "messages/webhook.html",
        title=webhook["Name"],
        status=200 if refusal is None else refusal.definition.status,
        webhook=webhook,
        targets=await named_targets(visit, webhook["Members"]),
        deliveries=deliveries,
        refusal=refusal,
        **spoken(visit),
    )


async def edit(visit: Visit) -> Response:
    """The form of one that is there."""
    webhook = (await visit.call("GetWebhook", {"WebhookId": visit.path["webhook_id"]}))["Webhook"]
    return await _form(visit, Entered.as_it_is(webhook), Form(), webhook=webhook)


async def update(visit: Visit) -> Response:
    """Change it; or, while it is chosen whose messages it gets, the form again."""
    form = await visit.form()
    entered = Entered.of(form)
    webhook = (await visit.call("GetWebhook", {"WebhookId": visit.path["webhook_id"]}))["Webhook"]
    if "save" not in form:
        return await _form(visit, entered, form, webhook=webhook)
    given = {
        "WebhookId": webhook["WebhookId"],
        "Name": entered.name,
        "Url": entered.url,
        "MessageTypes": list(entered.message_types),
        "Members": list(entered.targets),
    }
    # An empty secret takes it away, so that it is only given when somebody typed one or asked for that.
    if entered.secret or "no_secret" in form:
        given["Secret"] = "" if "no_secret" in form else entered.secret
    done = await visit.attempt("UpdateWebhook", given)
    if done.refusal is not None:
        return await _form(visit, entered, form, webhook=webhook, refusal=done.refusal)
    return visit.go(f"/messages/webhooks/{webhook['WebhookId']}", said=visit._("The webhook was changed."))


#: The field of the form that holds a parameter.
_FIELD_OF: Mapping[str, str] = {
    "Name": "name",
    "Form": "form",
    "Url": "url",
    "Secret": "secret",
    "MessageTypes": "message_types",
    "Members": "targets",
    "Member": "targets",
}


async def _form(
    visit: Visit,
    entered: Entered,
    picking: Form,
    *,
    webhook: Mapping[str, Any] | None = None,
    refusal: ApiError | None = None,
) -> Response:
    wrong = {}
    if refusal is not None:
        words = refusal.definition.code.split(".")
        wrong = {_FIELD_OF[word]: refusal_text(visit, refusal) for word in words if word in _FIELD_OF}
    return visit.page(
        "messages/webhook_form.html",
        title=visit._("Add a webhook") if webhook is None else visit._("Change the webhook"),
        status=200 if refusal is None else refusal.definition.status,
        entered=entered,
        webhook=webhook,
        forms=[(form.value, form.value) for form in WebhookForm],
        chosen=await named_targets(visit, entered.targets),
        offered=await offered_targets(visit, picking.text("open") or picking.text("folder"), picking.text("words")),
        chosen_ids=entered.targets,
        refusal=refusal,
        wrong=wrong,
        **spoken(visit),
    )


async def send_code(visit: Visit) -> Response:
    """Post a code to the address that waits."""
    webhook_id = visit.path["webhook_id"]
    await visit.call("SendVerificationForWebhook", {"WebhookId": webhook_id})
    return visit.go(
        f"/messages/webhooks/{webhook_id}", said=visit._("A code was posted there. Enter it here to confirm.")
    )


async def confirm(visit: Visit) -> Response:
    """Give the code back."""
    webhook_id = visit.path["webhook_id"]
    code = (await visit.form()).text("code")
    done = await visit.attempt("ConfirmWebhook", {"WebhookId": webhook_id, "Code": code})
    if done.refusal is not None:
        return await _show(visit, done.refusal)
    return visit.go(f"/messages/webhooks/{webhook_id}", said=visit._("The webhook is in force."))


async def ask_delete(visit: Visit) -> Response:
    """Whether to take it away."""
    webhook = (await visit.call("GetWebhook", {"WebhookId": visit.path["webhook_id"]}))["Webhook"]
    return visit.page(
        "messages/webhook_delete.html", title=visit._("Delete the webhook?"), webhook=webhook, **spoken(visit)
    )


async def delete(visit: Visit) -> Response:
    """Take it away."""
    await visit.call("DeleteWebhook", {"WebhookId": visit.path["webhook_id"]})
    return visit.go("/messages/webhooks", said=visit._("The webhook was deleted."))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/messages/webhooks", webhooks),
    Route("GET", "/messages/webhooks/new", new),
    Route("POST", "/messages/webhooks", create),
    Route("GET", "/messages/webhooks/{webhook_id}", show),
    Route("GET", "/messages/webhooks/{webhook_id}/edit", edit),
    Route("POST", "/messages/webhooks/{webhook_id}/edit", update),
    Route("POST", "/messages/webhooks/{webhook_id}/code", send_code),
    Route("POST", "/messages/webhooks/{webhook_id}/confirm", confirm),
    Route("GET", "/messages/webhooks/{webhook_id}/delete", ask_delete),
    Route("POST", "/messages/webhooks/{webhook_id}/delete", delete),
)
