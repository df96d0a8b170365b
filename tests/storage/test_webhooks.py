"""Webhooks and their bindings in the database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from message_contacts.changes import Delete, Insert, Stale, Update
from message_contacts.contacts.model import Binding, MessageType, Verified
from message_contacts.errors import ApiError
from message_contacts.storage import Storage
from message_contacts.webhooks.model import PendingCode, SealedEndpoint, Webhook, WebhookForm, WebhookName
from tests.factories import ACCOUNT
from tests.fakes.clock import START
from tests.storage.making import MEMBER, OTHER_ACCOUNT, ROOT, after, commit, make_folder, make_member, plant

FOLDER = "fd-0000000001"


def make_webhook(number: int = 1, **fields: Any) -> Webhook:
    return Webhook(
        **{
            "account_id": ACCOUNT,
            "webhook_id": f"wh-{number:016}",
            "name": WebhookName(f"chat {number}"),
            "form": WebhookForm.FEISHU,
            "message_types": (MessageType.SECURITY_MESSAGE, MessageType.FAULT_MESSAGE),
            "endpoint": SealedEndpoint(b"\x00sealed\xff", b"digest", "https://open.feishu.cn/***", signed=True),
            "created_at": START,
            **fields,
        }
    )


async def test_a_webhook_is_read_as_it_was_written(storage: Storage) -> None:
    full = make_webhook(
        verified=Verified(after(1), captured=True),
        waiting=SealedEndpoint(b"other", b"digest 2", "https://open.larksuite.com/***", signed=False),
        code=PendingCode("0123456789", 3, captured=True, wrong_codes=2, expires_at=after(5)),
        bindings=(Binding(ROOT, after(1)), Binding(MEMBER, after(2))),
    )
    bare = make_webhook(2)
    await plant(storage, make_member(), full, bare)

    assert await storage.webhooks.webhook(ACCOUNT, full.webhook_id) == full
    assert await storage.webhooks.webhook(ACCOUNT, bare.webhook_id) == bare
    assert await storage.webhooks.webhook(OTHER_ACCOUNT, bare.webhook_id) is None


async def test_changes_of_bindings_are_found_by_their_objects(storage: Storage) -> None:
    webhook = make_webhook(bindings=(Binding(ROOT, START), Binding(FOLDER, START)))
    await plant(storage, make_folder(FOLDER), make_member(), webhook)
    changed = replace(webhook, bindings=(Binding(FOLDER, START), Binding(MEMBER, after(1))))

    await commit(storage, Update(webhook, changed))

    stored = replace(changed, version=2)
    assert await storage.webhooks.webhooks_bound_to(ACCOUNT, ROOT) == []
    assert await storage.webhooks.webhooks_bound_to(ACCOUNT, FOLDER) == [stored]
    assert await storage.webhooks.webhooks_bound_to(ACCOUNT, MEMBER) == [stored]
    assert await storage.webhooks.webhooks_bound_to(OTHER_ACCOUNT, FOLDER) == []


async def test_pages_follow_each_other_by_id(storage: Storage) -> None:
    made = [make_webhook(number) for number in (3, 1, 2)]
    await plant(storage, *made)

    first = await storage.webhooks.webhook_page(ACCOUNT, after=None, limit=2)
    rest = await storage.webhooks.webhook_page(ACCOUNT, after=first[-1].webhook_id, limit=2)

    assert [webhook.webhook_id for webhook in (*first, *rest)] == sorted(webhook.webhook_id for webhook in made)
    assert await storage.webhooks.webhook_page(OTHER_ACCOUNT, after=None, limit=2) == []


async def test_a_name_is_used_once(storage: Storage) -> None:
    await plant(storage, make_webhook(1))
    with pytest.raises(ApiError) as refusal:
        await commit(storage, Insert(make_webhook(2, name=WebhookName("chat 1"))))
    assert refusal.value.definition.code == "InvalidParameter.Name.AlreadyUsed"
    await commit(storage, Insert(make_webhook(2, name=WebhookName("Chat 1"))))


async def test_two_changes_of_the_same_webhook_cannot_both_win(storage: Storage) -> None:
    webhook = make_webhook()
    await plant(storage, webhook)
    await commit(storage, Update(webhook, replace(webhook, name=WebhookName("first"))))
    for change in (Update(webhook, replace(webhook, name=WebhookName("second"))), Delete(webhook)):
        with pytest.raises(Stale):
            await commit(storage, change)


async def test_an_object_and_a_binding_to_it_cannot_pass_each_other(storage: Storage) -> None:
    folder, member = make_folder(FOLDER), make_member()
    webhook = make_webhook(bindings=(Binding(FOLDER, START), Binding(MEMBER, START)))
    await plant(storage, folder, member, webhook)
    for row in (folder, member):
        with pytest.raises(Stale):
            await commit(storage, Delete(row))

    await commit(storage, Delete(webhook), Delete(folder), Delete(member))

    for node_id in (FOLDER, MEMBER):
        with pytest.raises(Stale):
            await commit(storage, Insert(make_webhook(2, bindings=(Binding(node_id, START),))))
