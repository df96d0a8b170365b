"""Writing a message: its text, whom it is about, how it would look and who would get it, and publishing it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.form import Form
from message_contacts.console.site.message_targets import named_targets, offered_targets
from message_contacts.console.site.message_words import moment_of, refusal_text, spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.shown_mail import shown_mail
from message_contacts.console.site.visit import Visit
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.rules import Severity
from message_contacts.errors import ApiError

_RECIPIENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was written so far, as it stands in the form."""

    message_type: str
    severity: str
    subject: str
    text: str
    #: `text`, `markdown` or `html`: what the mail's HTML is made of.
    body: str
    markup: str
    targets: tuple[str, ...]
    #: In the service's zone, as fields for date and time have it.
    expires: str
    #: The same for every time this message is sent off, so that it is published once.
    client_token: str

    @classmethod
    def of(cls, form: Form) -> Draft:
        """What a form holds."""
        body = form.text("body")
        return cls(
            message_type=form.text("message_type") or MessageType.SERVICE_MESSAGE,
            severity=form.text("severity") or Severity.NORMAL,
            subject=form.text("subject"),
            text=form.raw("text"),
            body=body if body in ("markdown", "html") else "text",
            markup=form.raw("markup"),
            targets=tuple(form.texts("targets")),
            expires=form.text("expires"),
            client_token=form.text("client_token") or secrets.token_urlsafe(18),
        )

    def parameters(self, visit: Visit) -> dict[str, Any]:
        """As the operations take it."""
        return {
            "MessageType": self.message_type,
            "Severity": self.severity,
            "Subject": self.subject,
            "Text": self.text,
            "Html": self.markup if self.body == "html" else "",
            "Markdown": self.markup if self.body == "markdown" else "",
            "Targets": list(self.targets),
            "ExpiresAt": moment_of(self.expires, visit) if self.expires else "",
        }

    def fields(self) -> list[tuple[str, str]]:
        """All of it as fields of a form."""
        return [
            ("message_type", self.message_type),
            ("severity", self.severity),
            ("subject", self.subject),
            ("text", self.text),
            ("body", self.body),
            ("markup", self.markup),
            *(("targets", target) for target in self.targets),
            ("expires", self.expires),
            ("client_token", self.client_token),
        ]


async def compose(visit: Visit) -> Response:
    """An empty message; about something already, if the link says so."""
    return await _form(visit, Draft.of(visit.query), Form())


async def write_on(visit: Visit) -> Response:
    """The message as it was sent: to look for whom it is about, or back from the preview."""
    form = await visit.form()
    return await _form(visit, Draft.of(form), form)


async def _form(visit: Visit, draft: Draft, picking: Form, refusal: ApiError | None = None) -> Response:
    return visit.page(
        "messages/compose.html",
        title=visit._("Write a message"),
        status=200 if refusal is None else refusal.definition.status,
        draft=draft,
        chosen=await named_targets(visit, draft.targets),
        offered=await offered_targets(visit, picking.text("open") or picking.text("folder"), picking.text("words")),
        chosen_ids=draft.targets,
        refusal=refusal,
        wrong=_wrong_fields(visit, refusal),
        **spoken(visit),
    )


#: The field of the form that holds a parameter.
_FIELD_OF: Mapping[str, str] = {
    "MessageType": "message_type",
    "Severity": "severity",
    "Subject": "subject",
    "Text": "text",
    "Html": "markup",
    "Markdown": "markup",
    "Targets": "targets",
    "Target": "targets",
    "ExpiresAt": "expires",
}


def _wrong_fields(visit: Visit, refusal: ApiError | None) -> Mapping[str, str]:
    """By field, what is wrong with it; a refusal's code names the parameter."""
    if refusal is None:
        return {}
    field = _FIELD_OF.get(refusal.definition.code.rpartition(".")[2])
    return {} if field is None else {field: refusal_text(visit, refusal)}


async def preview(visit: Visit) -> Response:
    """How it would look and who would get it, before it is published."""
    form = await visit.form()
    draft = Draft.of(form)
    reached = form.text("reached") or "true"
    found = await visit.attempt(
        "PreviewMessage",
        {
            **draft.parameters(visit),
            "Reached": reached,
            "MaxResults": _RECIPIENTS,
            "NextToken": form.text("next"),
        },
    )
    if found.fields is None:
        return await _form(visit, draft, form, found.refusal)
    return visit.page(
        "messages/preview.html",
        title=visit._("Before it is published"),
        draft=draft,
        found=found.fields,
        reached=reached,
        targets=await named_targets(visit, draft.targets),
        **spoken(visit),
    )


async def mail(visit: Visit) -> Response:
    """The mail as it would look, for the frame on the preview."""
    draft = Draft.of(await visit.form())
    answer = await visit.call("PreviewMessage", {**draft.parameters(visit), "MaxResults": 1})
    return shown_mail(answer["Mail"]["Html"])


async def publish(visit: Visit) -> Response:
    """Publish it. The form's token sees to it that the same form publishes once, however often it is sent."""
    form = await visit.form()
    draft = Draft.of(form)
    found = await visit.attempt("PublishMessage", {**draft.parameters(visit), "ClientToken": draft.client_token})
    if found.fields is None:
        return await _form(visit, draft, form, found.refusal)
    return visit.go(f"/messages/m/{found.fields['MessageId']}", said=visit._("The message was published."))


async def ask_test(visit: Visit) -> Response:
    """A short test message to a contact: to whom, and by which channel."""
    return await _test_form(visit, visit.query.text("contact"), "email", None, None)


async def send_test(visit: Visit) -> Response:
    """Send it at once, and show what the channel answers."""
    form = await visit.form()
    contact_id, channel = form.text("contact"), form.text("channel")
    found = await visit.attempt("SendTestMessage", {"ContactId": contact_id, "Channel": channel})
    return await _test_form(visit, contact_id, channel, found.fields, found.refusal)


async def _test_form(
    visit: Visit, contact_id: str, channel: str, outcome: Mapping[str, Any] | None, refusal: ApiError | None
) -> Response:
    contacts = await visit.attempt("SearchMessageContacts", {"MaxResults": 100, "SortBy": "Name"})
    return visit.page(
        "messages/test.html",
        title=visit._("Send a test message"),
        status=200 if refusal is None else refusal.definition.status,
        contacts=[] if contacts.fields is None else contacts.fields["Contacts"],
        contact_id=contact_id,
        channel=channel,
        outcome=outcome,
        refusal=refusal,
        **spoken(visit),
    )


ROUTES: tuple[Route, ...] = (
    Route("GET", "/messages/new", compose),
    Route("POST", "/messages/new", write_on),
    Route("POST", "/messages/preview", preview),
    Route("POST", "/messages/mail", mail),
    Route("POST", "/messages", publish),
    Route("GET", "/messages/test", ask_test),
    Route("POST", "/messages/test", send_test),
)
