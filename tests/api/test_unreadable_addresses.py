"""Webhooks whose address no encryption key of the server opens any more: told for what they are, and mended."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from message_contacts.clock import MINUTE, Instant
from message_contacts.delivery.outcome import Outcome
from message_contacts.delivery.webhook_posts import UNREADABLE
from message_contacts.webhooks import webhook_errors
from tests.api.publishing import OURS, deliveries, publish
from tests.api.test_webhooks import OTHER_URL, URL, confirm, create, refusal, webhook_of
from tests.harness import CHANNELS, Api, open_api

#: Standard Webhooks: base64 of 24 bytes or more.
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"


@pytest.fixture
async def api(database_path):
    async with open_api(database_path) as api:
        yield api


def spoil(database_path: Path) -> None:
    """As after a restore that did not bring the key: what is sealed is opened by none."""
    with sqlite3.connect(database_path) as connection:
        connection.execute("UPDATE webhook SET endpoint_sealed = zeroblob(length(endpoint_sealed))")
    connection.close()


async def spoiled(api: Api, database_path: Path, **parameters: str) -> str:
    """A webhook that was in force."""
    webhook_id: str = (await create(api, **parameters))["WebhookId"]
    await confirm(api, webhook_id)
    spoil(database_path)
    return webhook_id


async def outcomes(api: Api, kind: str) -> list[Outcome]:
    """What one try each at the waiting jobs of a kind comes to."""
    found = []
    for channel in CHANNELS:
        until = Instant(api.clock.now() + MINUTE)
        jobs = await api.service.storage.outbox.claim(channel, "w1", now=api.clock.now(), until=until, limit=100)
        found += [await api.service.handlers[kind](job) for job in jobs if job.kind == kind]
    return found


async def test_a_message_waits_for_the_key_and_says_so(api, database_path):
    await spoiled(api, database_path)
    await publish(api, await api.root_folder())
    await api.work("internal")

    assert await outcomes(api, "deliver") == [UNREADABLE]


async def test_a_test_message_says_so(api, database_path):
    webhook_id = await spoiled(api, database_path)

    told = await api.call("SendTestMessage", OURS, WebhookId=webhook_id)

    assert told["Reply"] == "address-unreadable"


async def test_a_code_waits_for_the_key(api, database_path):
    webhook_id = (await create(api))["WebhookId"]
    spoil(database_path)

    await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)

    assert await outcomes(api, "send-webhook-code") == [UNREADABLE]


async def test_what_needs_no_address_is_changed(api, database_path):
    webhook_id = await spoiled(api, database_path)

    await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Name="night")

    assert (await webhook_of(api, webhook_id))["Name"] == "night"


async def test_a_new_address_mends_it(api, database_path):
    webhook_id = await spoiled(api, database_path)

    await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Url=OTHER_URL)
    await confirm(api, webhook_id)
    message_id = await publish(api, await api.root_folder())
    await api.work()

    found = {each["Address"]: each["State"] for each in await deliveries(api, message_id)}
    assert found[webhook_id] == "sent"


@pytest.mark.parametrize(
    ("form", "given"),
    [("DingTalk", {"Secret": "SECabc"}), ("Generic", {"Secret": SECRET}), ("Generic", {"Url": OTHER_URL})],
)
async def test_what_nobody_knows_any_more_has_to_be_named(api, database_path, form, given):
    webhook_id = await spoiled(api, database_path, Form=form)

    assert await refusal(api, "UpdateWebhook", WebhookId=webhook_id, **given) == (
        409,
        webhook_errors.UNREADABLE_ADDRESS.code,
    )


async def test_a_generic_webhook_takes_address_and_secret(api, database_path):
    webhook_id = await spoiled(api, database_path, Form="Generic")

    await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Url=URL, Secret=SECRET)

    assert (await webhook_of(api, webhook_id))["Signed"] is True
