"""Group chats and programs that get messages. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts import errors
from message_contacts.contacts.model import Channel, MessageType
from message_contacts.operations.call import Call
from message_contacts.operations.lookups import existing
from message_contacts.operations.own_parameters import SOURCE, VERSIONS, list_errors, page
from message_contacts.operations.registry import Access, Field, Items, Operation, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS
from message_contacts.operations.webhook_parameters import (
    CODE,
    FORM,
    MEMBERS,
    MESSAGE_TYPES,
    MISSING_CODE,
    MISSING_FORM,
    MISSING_MEMBERS,
    MISSING_URL,
    MISSING_WEBHOOK_ID,
    NAME,
    SECRET,
    URL,
    WEBHOOK_FIELDS,
    WEBHOOK_ID,
    shown_webhook,
)
from message_contacts.webhooks import rules
from message_contacts.webhooks import webhook_errors as refusals
from message_contacts.webhooks.addresses import Url
from message_contacts.webhooks.model import Webhook, WebhookForm, WebhookName
from message_contacts.webhooks.rules import WebhookUpdate

_WEBHOOK = "webhook/{WebhookId}"
_INVALID_FIELDS = (
    errors.INVALID_PARAMETER_NAME,
    refusals.INVALID_URL,
    refusals.INVALID_URL_ADDRESS,
    refusals.INVALID_SECRET,
    errors.INVALID_PARAMETER_MESSAGE_TYPES,
    errors.INVALID_PARAMETER_MEMBERS,
    errors.INVALID_PARAMETER_MEMBERS_DUPLICATE,
    errors.INVALID_PARAMETER_MEMBERS_LENGTH,
    errors.INVALID_MEMBER,
    errors.INVALID_PARAMETER_NAME_ALREADY_USED,
)


@operation(
    "CreateWebhook",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Adds a group chat or program that gets the messages of members, as contacts do. Nothing is posted yet: it "
    "counts once ConfirmWebhook is given the code that SendVerificationForWebhook posts to it.",
    source=SOURCE,
    parameters=[
        NAME.needed(),
        FORM.needed(),
        URL.needed(),
        SECRET,
        MESSAGE_TYPES.needed(),
        MEMBERS.needed(),
    ],
    raises=[
        errors.MISSING_PARAMETER_NAME,
        MISSING_FORM,
        MISSING_URL,
        errors.MISSING_PARAMETER_MESSAGE_TYPES,
        MISSING_MEMBERS,
        refusals.INVALID_FORM,
        *_INVALID_FIELDS,
        refusals.LIMIT_EXCEEDED_WEBHOOKS,
    ],
    returns={
        "Webhook": {
            **WEBHOOK_FIELDS,
            "Secret": Field(
                "string", "Only here, only for a Generic webhook made without one: what signs its posts.", "whsec_****"
            ),
        }
    },
    resources=["webhook/*"],
)
async def create_webhook(
    call: Call,
    *,
    name: WebhookName,
    form: WebhookForm,
    url: Url,
    secret: str | None,
    message_types: tuple[MessageType, ...],
    members: list[str],
) -> Mapping[str, Any]:
    endpoint = rules.new_endpoint(form, url, secret)
    webhook_id = call.ids.webhook()
    webhook = Webhook(
        account_id=call.account_id,
        webhook_id=webhook_id,
        name=name,
        form=form,
        message_types=message_types,
        endpoint=call.services.endpoint_seal.close(endpoint, webhook_id),
        created_at=call.now,
    )
    made = await call.change(
        lambda: existing(call, members),
        lambda known: rules.create(webhook, members, known, call.rules.webhooks),
    )
    told = {} if secret or endpoint.secret is None else {"Secret": endpoint.secret}
    return {"Webhook": {**shown_webhook(made, call.rules), **told}}


@operation(
    "UpdateWebhook",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Changes what is given. A new address takes effect once its code was given back; the one before it stays in "
    "force until then. The address in force drops one that waits.",
    source=SOURCE,
    parameters=[WEBHOOK_ID, NAME, URL, SECRET, MESSAGE_TYPES, MEMBERS],
    raises=[MISSING_WEBHOOK_ID, *_INVALID_FIELDS, refusals.NO_WEBHOOK, refusals.UNREADABLE_ADDRESS],
    returns={"Webhook": WEBHOOK_FIELDS},
    resources=[_WEBHOOK],
)
async def update_webhook(
    call: Call,
    *,
    webhook_id: str,
    name: WebhookName | None,
    url: Url | None,
    secret: str | None,
    message_types: tuple[MessageType, ...] | None,
    members: list[str] | None,
) -> Mapping[str, Any]:
    seal = call.services.endpoint_seal

    async def read() -> tuple[Webhook, WebhookUpdate, set[str]]:
        webhook = rules.existing(await call.services.webhooks.webhook(call.account_id, webhook_id))
        known = seal.known(webhook)
        endpoint = rules.changed_endpoint(webhook.form, [opened for _, opened in known], url, secret)
        unchanged = next((kept for kept, opened in known if opened == endpoint), None)
        asked = WebhookUpdate(
            name=name,
            message_types=message_types,
            node_ids=members,
            endpoint=unchanged or (None if endpoint is None else seal.close(endpoint, webhook_id, known)),
            names_address=url is not None,
        )
        return webhook, asked, await existing(call, members or ())

    changed = await call.change(read, lambda found: rules.update(*found, now=call.now))
    return {"Webhook": shown_webhook(changed, call.rules)}


@operation(
    "DeleteWebhook",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Takes a webhook away. Messages that wait for it are not posted.",
    source=SOURCE,
    parameters=[WEBHOOK_ID],
    raises=[MISSING_WEBHOOK_ID, refusals.NO_WEBHOOK],
    resources=[_WEBHOOK],
)
async def delete_webhook(call: Call, *, webhook_id: str) -> Mapping[str, Any]:
    await call.change(lambda: call.services.webhooks.webhook(call.account_id, webhook_id), rules.delete)
    return {}


@operation(
    "GetWebhook",
    versions=VERSIONS,
    access=Access.READ,
    doc="Returns one webhook.",
    source=SOURCE,
    parameters=[WEBHOOK_ID],
    raises=[MISSING_WEBHOOK_ID, refusals.NO_WEBHOOK],
    returns={"Webhook": WEBHOOK_FIELDS},
    resources=[_WEBHOOK],
)
async def get_webhook(call: Call, *, webhook_id: str) -> Mapping[str, Any]:
    found = rules.existing(await call.services.webhooks.webhook(call.account_id, webhook_id))
    return {"Webhook": shown_webhook(found, call.rules)}


@operation(
    "ListWebhooks",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists the webhooks by id.",
    source=SOURCE,
    parameters=[MAX_RESULTS, NEXT_TOKEN],
    raises=list_errors(),
    returns={**TOKEN_FIELDS, "Webhooks": Items(WEBHOOK_FIELDS)},
    resources=["webhook/*"],
)
async def list_webhooks(call: Call, *, max_results: int, next_token: str | None) -> Mapping[str, Any]:
    found = await call.services.webhooks.webhook_page(call.account_id, after=next_token, limit=max_results + 1)
    return page("Webhooks", [shown_webhook(webhook, call.rules) for webhook in found], max_results, "WebhookId")


@operation(
    "SendVerificationForWebhook",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Posts a code to the address that waits to be confirmed. Codes posted before are void. Whether it arrives is "
    "not said here; a post that is refused is found by ListFailedJobs.",
    source=SOURCE,
    parameters=[WEBHOOK_ID],
    raises=[
        MISSING_WEBHOOK_ID,
        refusals.NO_WEBHOOK,
        refusals.NO_VERIFICATION,
        errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT,
    ],
    resources=[_WEBHOOK],
)
async def send_verification_for_webhook(call: Call, *, webhook_id: str) -> Mapping[str, Any]:
    await call.change(
        lambda: call.services.webhooks.webhook(call.account_id, webhook_id),
        lambda webhook: rules.ask_for_code(
            webhook, captured=_captured(call), now=call.now, rules=call.rules.verification, ids=call.ids
        ),
    )
    return {}


@operation(
    "ConfirmWebhook",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Puts the address that waits in force, with the code that was posted to it.",
    source=SOURCE,
    parameters=[WEBHOOK_ID, CODE],
    raises=[MISSING_WEBHOOK_ID, MISSING_CODE, refusals.INVALID_CODE, refusals.NO_WEBHOOK, refusals.NO_VERIFICATION],
    returns={"Webhook": WEBHOOK_FIELDS},
    resources=[_WEBHOOK],
)
async def confirm_webhook(call: Call, *, webhook_id: str, code: str) -> Mapping[str, Any]:
    services = call.services

    async def read() -> tuple[Webhook | None, int]:
        webhook = await services.webhooks.webhook(call.account_id, webhook_id)
        wrong = await services.verification.count(*rules.wrong_codes(call.account_id, webhook_id, call.now))
        return webhook, wrong

    confirmed = await call.change(
        read,
        lambda found: rules.confirm(
            found[0],
            is_right=found[0] is not None
            and services.webhook_codes.is_code(code.strip(), found[0].code.reference, found[0].code.generation),
            wrong_today=found[1],
            captured_counts=_captured(call),
            now=call.now,
            rules=call.rules.verification,
        ),
    )
    if confirmed is None:
        raise refusals.INVALID_CODE(webhook_id=webhook_id)
    return {"Webhook": shown_webhook(confirmed, call.rules)}


def _captured(call: Call) -> bool:
    return Channel.WEBHOOK in call.rules.contacts.captured_counts


OPERATIONS: tuple[Operation, ...] = (
    create_webhook,
    update_webhook,
    delete_webhook,
    get_webhook,
    list_webhooks,
    send_verification_for_webhook,
    confirm_webhook,
)
