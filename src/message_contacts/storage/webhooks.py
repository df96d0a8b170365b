"""Webhooks with their bindings."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.clock import Instant
from message_contacts.contacts.model import Verified
from message_contacts.directory.model import ACCOUNT_ID, FOLDER_ID
from message_contacts.storage.engine import Database, Parameters, Row, Step
from message_contacts.storage.records import Record
from message_contacts.storage.texts import (
    bindings_from_text,
    message_types_from_text,
    text_from_bindings,
    text_from_message_types,
)
from message_contacts.webhooks.model import PendingCode, SealedEndpoint, Webhook, WebhookForm, WebhookName

WEBHOOK = """
    -- One webhook.
    SELECT webhook_id, name, form, message_types, endpoint_sealed, endpoint_digest, endpoint_shown, endpoint_signed,
           verified_at, verified_captured, waiting_sealed, waiting_digest, waiting_shown, waiting_signed,
           code_reference, code_generation, code_captured, code_wrong, code_expires_at, created_at, bindings, version
      FROM webhook WHERE account_id = $1 AND webhook_id = $2
"""

WEBHOOK_PAGE = """
    -- A page of a tenant's webhooks by id, those behind one.
    SELECT webhook_id, name, form, message_types, endpoint_sealed, endpoint_digest, endpoint_shown, endpoint_signed,
           verified_at, verified_captured, waiting_sealed, waiting_digest, waiting_shown, waiting_signed,
           code_reference, code_generation, code_captured, code_wrong, code_expires_at, created_at, bindings, version
      FROM webhook WHERE account_id = $1 AND webhook_id > $2
     ORDER BY webhook_id LIMIT $3
"""

# `CROSS JOIN`: SQLite then begins with the bindings.
WEBHOOKS_OF_NODE = """
    -- The webhooks bound directly to an object, by id.
    SELECT webhook.webhook_id, name, form, message_types,
           endpoint_sealed, endpoint_digest, endpoint_shown, endpoint_signed,
           verified_at, verified_captured, waiting_sealed, waiting_digest, waiting_shown, waiting_signed,
           code_reference, code_generation, code_captured, code_wrong, code_expires_at, created_at, bindings, version
      FROM webhook_binding CROSS JOIN webhook
     WHERE webhook_binding.account_id = $1 AND webhook_binding.node_id = $2
       AND webhook.account_id = webhook_binding.account_id AND webhook.webhook_id = webhook_binding.webhook_id
     ORDER BY webhook_binding.webhook_id
"""

INSERT_WEBHOOK = """
    -- Add a webhook.
    INSERT INTO webhook (name, form, message_types,
                         endpoint_sealed, endpoint_digest, endpoint_shown, endpoint_signed,
                         verified_at, verified_captured,
                         waiting_sealed, waiting_digest, waiting_shown, waiting_signed,
                         code_reference, code_generation, code_captured, code_wrong, code_expires_at,
                         created_at, bindings, account_id, webhook_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
"""

UPDATE_WEBHOOK = """
    -- Change a webhook if nobody changed it since it was read.
    UPDATE webhook SET name = $1, form = $2, message_types = $3,
           endpoint_sealed = $4, endpoint_digest = $5, endpoint_shown = $6, endpoint_signed = $7,
           verified_at = $8, verified_captured = $9,
           waiting_sealed = $10, waiting_digest = $11, waiting_shown = $12, waiting_signed = $13,
           code_reference = $14, code_generation = $15, code_captured = $16, code_wrong = $17, code_expires_at = $18,
           created_at = $19, bindings = $20, version = version + 1
     WHERE account_id = $21 AND webhook_id = $22 AND version = $23
"""

DELETE_WEBHOOK = """
    -- Delete a webhook if nobody changed it since it was read.
    DELETE FROM webhook WHERE account_id = $1 AND webhook_id = $2 AND version = $3
"""

RELY_ON_WEBHOOK = """
    -- Whether a webhook is as it was read.
    SELECT 1 FROM webhook WHERE account_id = $1 AND webhook_id = $2 AND version = $3
"""

INSERT_WEBHOOK_BINDING = """
    -- Bind a webhook to an object.
    INSERT INTO webhook_binding (account_id, webhook_id, node_id, folder_id, member_id) VALUES ($1, $2, $3, $4, $5)
"""

DELETE_WEBHOOK_BINDING = """
    -- Take one binding of a webhook away.
    DELETE FROM webhook_binding WHERE account_id = $1 AND webhook_id = $2 AND node_id = $3
"""

DELETE_WEBHOOK_BINDINGS = """
    -- Take all bindings of a webhook away.
    DELETE FROM webhook_binding WHERE account_id = $1 AND webhook_id = $2
"""


class Webhooks:
    """`webhooks.store.WebhookStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def webhook(self, account_id: str, webhook_id: str) -> Webhook | None:
        rows = await self._database.rows(WEBHOOK, (account_id, webhook_id))
        return webhook_from_row(account_id, rows[0]) if rows else None

    async def webhook_page(self, account_id: str, *, after: str | None, limit: int) -> Sequence[Webhook]:
        (rows,) = await self._database.report((WEBHOOK_PAGE, (account_id, after or "", limit)))
        return [webhook_from_row(account_id, row) for row in rows]

    async def webhooks_bound_to(self, account_id: str, node_id: str) -> Sequence[Webhook]:
        (rows,) = await self._database.report((WEBHOOKS_OF_NODE, (account_id, node_id)))
        return [webhook_from_row(account_id, row) for row in rows]


def webhook_from_row(account_id: str, row: Row) -> Webhook:
    """A webhook from its row."""
    (
        webhook_id, name, form, message_types, sealed, digest, shown, signed, verified_at, verified_captured,
        waiting_sealed, waiting_digest, waiting_shown, waiting_signed,
        reference, generation, code_captured, wrong_codes, expires_at, created_at, bindings, version,
    ) = row  # fmt: skip
    return Webhook(
        account_id=account_id,
        webhook_id=webhook_id,
        name=WebhookName(name),
        form=WebhookForm(form),
        message_types=message_types_from_text(message_types),
        endpoint=SealedEndpoint(bytes(sealed), bytes(digest), shown, bool(signed)),
        verified=None if verified_at is None else Verified(Instant(verified_at), captured=bool(verified_captured)),
        waiting=None
        if waiting_sealed is None
        else SealedEndpoint(bytes(waiting_sealed), bytes(waiting_digest), waiting_shown, bool(waiting_signed)),
        code=PendingCode(reference, generation, bool(code_captured), wrong_codes, Instant(expires_at)),
        bindings=bindings_from_text(bindings),
        created_at=Instant(created_at),
        version=version,
    )


def _key(webhook: Webhook) -> Parameters:
    return webhook.account_id, webhook.webhook_id


def _values(webhook: Webhook) -> Parameters:
    endpoint, waiting, code = webhook.endpoint, webhook.waiting, webhook.code
    return (
        webhook.name.text,
        webhook.form.value,
        text_from_message_types(webhook.message_types),
        endpoint.sealed,
        endpoint.digest,
        endpoint.shown,
        endpoint.signed,
        None if webhook.verified is None else webhook.verified.at,
        webhook.verified is not None and webhook.verified.captured,
        None if waiting is None else waiting.sealed,
        None if waiting is None else waiting.digest,
        None if waiting is None else waiting.shown,
        waiting is not None and waiting.signed,
        code.reference,
        code.generation,
        code.captured,
        code.wrong_codes,
        code.expires_at,
        webhook.created_at,
        text_from_bindings(webhook.bindings),
    )


def _bind(webhook: Webhook, node_id: str) -> Step:
    """The step that writes one binding; its kind of node is told by the form of the id."""
    return Step(
        INSERT_WEBHOOK_BINDING,
        (
            *_key(webhook),
            node_id,
            node_id if FOLDER_ID.fullmatch(node_id) else None,
            node_id if ACCOUNT_ID.fullmatch(node_id) else None,
        ),
    )


def _insert_bindings(webhook: Webhook) -> list[Step]:
    return [_bind(webhook, binding.node_id) for binding in webhook.bindings]


def _update_bindings(before: Webhook, after: Webhook) -> list[Step]:
    """Only what differs: bindings gone, then new ones."""
    nodes_before = [binding.node_id for binding in before.bindings]
    nodes_after = [binding.node_id for binding in after.bindings]
    gone = [
        Step(DELETE_WEBHOOK_BINDING, (*_key(before), node_id)) for node_id in nodes_before if node_id not in nodes_after
    ]
    return gone + [_bind(after, node_id) for node_id in nodes_after if node_id not in nodes_before]


def _delete_bindings(webhook: Webhook) -> list[Step]:
    return [Step(DELETE_WEBHOOK_BINDINGS, _key(webhook))]


WEBHOOK_RECORD: Record[Webhook] = Record(
    insert=INSERT_WEBHOOK,
    update=UPDATE_WEBHOOK,
    delete=DELETE_WEBHOOK,
    rely_on=RELY_ON_WEBHOOK,
    key=_key,
    values=_values,
    insert_parts=_insert_bindings,
    update_parts=_update_bindings,
    delete_parts=_delete_bindings,
)
