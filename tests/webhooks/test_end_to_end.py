"""From adding a webhook to a message in the chat, over real TLS."""

from __future__ import annotations

import json
import re

from message_contacts.contacts.model import Channel
from tests.api.publishing import OURS, deliveries, publish
from tests.fakes.transport import ScriptedTransport
from tests.harness import open_api


async def test_a_chat_is_added_confirmed_and_told(database_path, clock, connect, product):
    elsewhere = ScriptedTransport()
    transports = {Channel.EMAIL: elsewhere, Channel.SMS: elsewhere, Channel.WEBHOOK: connect()}
    async with open_api(database_path, {"webhooks": "post"}, clock=clock, transports=transports) as api:
        root = await api.root_folder()
        given = {"Name": "chat", "Form": "DingTalk", "MessageTypes": ["FaultMessage"], "Members": [root]}
        created = await api.call("CreateWebhook", OURS, **given, Url=product.url(), Secret="SECabc")
        webhook_id = created["Webhook"]["WebhookId"]
        await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
        await api.work()
        told = json.loads(product.seen[0].body)["text"]["content"]
        code = re.search(r"\b[0-9]{6}\b", told)[0]
        await api.call("ConfirmWebhook", OURS, WebhookId=webhook_id, Code=code)
        message_id = await publish(api, root)
        await api.work()

        (delivery,) = await deliveries(api, message_id)
        assert (delivery["State"], delivery["Reply"]) == ("sent", "accepted")
        content = json.loads(product.seen[1].body)["text"]["content"]
        assert content.startswith("Disk full\n\nThe disk of the database is full.\n")
        assert product.seen[1].query["access_token"] == "secret-token"
        assert product.seen[1].query["sign"]
        assert elsewhere.sent == []
