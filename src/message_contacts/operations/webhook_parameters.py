"""Parameters of webhooks, and how they are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from message_contacts import errors
from message_contacts.contacts.model import MAX_BINDINGS, Channel
from message_contacts.operations.call import Rules
from message_contacts.operations.contact_parameters import MESSAGE_TYPES as CONTACT_MESSAGE_TYPES
from message_contacts.operations.contact_parameters import is_node_id
from message_contacts.operations.dates import utc_time
from message_contacts.operations.own_parameters import DATE, missing_parameter, needed_text
from message_contacts.operations.registry import Field, Items, Kind, Parameter, Shape
from message_contacts.webhooks import webhook_errors as refusals
from message_contacts.webhooks.addresses import Url
from message_contacts.webhooks.model import Webhook, WebhookForm, WebhookName, WebhookStatus

WEBHOOK_ID_EXAMPLE = "wh-4fxkpq9tmz2ab7cd"
MISSING_FORM = missing_parameter("Form")
MISSING_URL = missing_parameter("Url")
MISSING_MEMBERS = missing_parameter("Members")
MISSING_WEBHOOK_ID = missing_parameter("WebhookId")
MISSING_CODE = missing_parameter("Code")
_SECRET = re.compile(r"[!-~]{0,256}")


def _parse_form(text: str, _rules: Rules) -> WebhookForm:
    try:
        return WebhookForm(text)
    except ValueError:
        raise refusals.INVALID_FORM() from None


def _parse_secret(text: str, _rules: Rules) -> str:
    """Whether it suits the form is looked at when that is known."""
    if not _SECRET.fullmatch(text):
        raise refusals.INVALID_SECRET()
    return text


def _parse_members(texts: list[str], _rules: Rules) -> list[str]:
    if not all(is_node_id(text) for text in texts):
        raise errors.INVALID_PARAMETER_MEMBERS()
    if len(set(texts)) < len(texts):
        raise errors.INVALID_PARAMETER_MEMBERS_DUPLICATE()
    if len(texts) > MAX_BINDINGS:
        raise errors.INVALID_PARAMETER_MEMBERS_LENGTH(count=len(texts))
    return texts


WEBHOOK_ID = needed_text("WebhookId", "The webhook.", WEBHOOK_ID_EXAMPLE)
NAME = Parameter(
    name="Name",
    parse=lambda text, _rules: WebhookName.parse(text),
    doc="Name of the webhook: 1 to 64 characters, unique in the directory.",
    example="duty chat",
    missing=errors.MISSING_PARAMETER_NAME,
    invalid=(errors.INVALID_PARAMETER_NAME,),
)
FORM = Parameter(
    name="Form",
    parse=_parse_form,
    doc="Whose JSON it takes. It cannot be changed later.",
    example="DingTalk",
    choices=tuple(WebhookForm),
    missing=MISSING_FORM,
    invalid=(refusals.INVALID_FORM,),
)
URL = Parameter(
    name="Url",
    parse=lambda text, rules: Url.parse(text, rules.webhooks.private_networks),
    doc="Address to post to, `https://` only, as the product gives it. It is kept sealed and never shown again.",
    example="https://oapi.dingtalk.com/robot/send?access_token=****",
    missing=MISSING_URL,
    invalid=(refusals.INVALID_URL, refusals.INVALID_URL_ADDRESS),
)
SECRET = Parameter(
    name="Secret",
    parse=_parse_secret,
    doc="DingTalk, Feishu: the secret of the robot's signature check, if it has one; empty takes it away. Generic: "
    "`whsec_...`; without one, a random one is made. WeCom and Slack have none.",
    example="SEC****",
    invalid=(refusals.INVALID_SECRET,),
    empty_means_something=True,
)
MESSAGE_TYPES = replace(CONTACT_MESSAGE_TYPES, doc="Types of messages it gets, without duplicates; the order is kept.")
MEMBERS = Parameter(
    name="Members",
    kind=Kind.TEXTS,
    parse=_parse_members,
    doc=f"Directory, folders or members whose messages it gets: all of them, at most {MAX_BINDINGS}.",
    example=["fd-ZDNPiT****"],
    missing=MISSING_MEMBERS,
    invalid=(
        errors.INVALID_PARAMETER_MEMBERS,
        errors.INVALID_PARAMETER_MEMBERS_DUPLICATE,
        errors.INVALID_PARAMETER_MEMBERS_LENGTH,
    ),
)
CODE = needed_text("Code", "The six digits.", "123456")

WEBHOOK_FIELDS: Mapping[str, Shape] = {
    "WebhookId": Field("string", "The webhook.", WEBHOOK_ID_EXAMPLE),
    "Name": Field("string", "Name.", "duty chat"),
    "Form": Field("string", f"One of {', '.join(WebhookForm)}.", "DingTalk"),
    "Url": Field("string", "Address, without what is secret in it.", "https://oapi.dingtalk.com/***"),
    "Signed": Field("boolean", "Whether it has a secret.", example=True),
    "WaitingUrl": Field(
        "string", "New address that waits for its code; absent when none does.", "https://oapi.dingtalk.com/***"
    ),
    "MessageTypes": Items(Field("string", "Type it gets, in the order set.", "FaultMessage")),
    "Members": Items(Field("string", "Object it is bound to, oldest first.", "fd-ZDNPiT****")),
    "Status": Field("string", f"{' or '.join(WebhookStatus)}: posted to once its code was given back.", "Active"),
    "CreateTime": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
}


def shown_webhook(webhook: Webhook, rules: Rules) -> dict[str, Any]:
    """A webhook as answers show it."""
    captured = Channel.WEBHOOK in rules.contacts.captured_counts
    return {
        "WebhookId": webhook.webhook_id,
        "Name": webhook.name.text,
        "Form": webhook.form,
        "Url": webhook.endpoint.shown,
        "Signed": webhook.endpoint.signed,
        **({} if webhook.waiting is None else {"WaitingUrl": webhook.waiting.shown}),
        "MessageTypes": webhook.message_types,
        "Members": [binding.node_id for binding in webhook.bindings],
        "Status": webhook.status(captured_counts=captured),
        "CreateTime": utc_time(webhook.created_at),
    }
