"""What was stored and sent before the encryption key was replaced: it works afterwards, in every process, and after a
restart. Both procedures: the key file by command, and keys from settings, on both engines.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from message_contacts.bootstrap.key_rotation import KeyRotation, key_rotation
from message_contacts.changes import Update
from message_contacts.clock import DAY, Instant
from message_contacts.delivery.bounces import Taken
from message_contacts.verification.challenge import PageState, Visitor
from tests.api.publishing import OURS, deliveries, publish, states
from tests.api.recipients import preference_links, report, unsubscribe_link
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds
from tests.harness import Api, open_api
from tests.pages.conftest import Browser

TYPES = ["FaultMessage", "SecurityMessage"]
URL = "https://oapi.dingtalk.com/robot/send?access_token=secret-token"
OTHER_URL = "https://oapi.dingtalk.com/robot/send?access_token=other-token"
OLD, NEW = b"o" * 32, b"n" * 32
KEPT = 365 * DAY
_CODE = re.compile(r"\b([0-9]{6})\b")


def quietly(_: int) -> None:
    """Says nothing of progress."""


@dataclass
class Deployment:
    """A service that is stopped and started, and whose encryption key is replaced, as the guide says."""

    database_url: str
    keys_in_file: bool
    clock: FakeClock
    ids: CountingIds
    is_replaced: bool = False

    @asynccontextmanager
    async def process(self, **settings: Any) -> AsyncIterator[Api]:
        """A process of it, started now."""
        keys: dict[str, Any] = {"encryption_key": None}
        if not self.keys_in_file:
            current, accepted = (NEW, OLD) if self.is_replaced else (OLD, NEW)
            keys = {"encryption_key": current, "encryption_keys_accepted": (accepted,)}
        given = {"bounce_domain": "bounces.example.com", **keys, **settings}
        async with open_api(self.database_url, given, clock=self.clock, ids=self.ids) as api:
            yield api

    async def replace_key(self) -> None:
        """Make another key the current one, and seal anew with it."""
        self.is_replaced = True
        async with self.process() as command:
            await key_rotation(command.service).rotate(progress=quietly)


@pytest.fixture(params=["sqlite-file", "sqlite-settings", "postgresql-settings"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    engine, _, keys = request.param.partition("-")
    url = (
        request.getfixturevalue("postgres_url")
        if engine == "postgresql"
        else f"sqlite:///{request.getfixturevalue('database_path')}"
    )
    return Deployment(url, keys == "file", FakeClock(), CountingIds())


@pytest.fixture
async def in_file(database_path) -> Deployment:
    return Deployment(f"sqlite:///{database_path}", True, FakeClock(), CountingIds())


async def create_webhook(api: Api, url: str = URL, name: str = "duty") -> str:
    webhook = await api.call(
        "CreateWebhook",
        OURS,
        Name=name,
        Form="DingTalk",
        Url=url,
        Secret="SECabc",
        MessageTypes=TYPES,
        Members=[await api.root_folder()],
    )
    return str(webhook["Webhook"]["WebhookId"])


async def code_for(api: Api, webhook_id: str) -> str:
    """Have a code posted to a webhook; the code."""
    await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
    await api.work()
    return await newest_code(api, webhook_id)


async def newest_code(api: Api, recipient: str) -> str:
    found = _CODE.search((await api.inbox(recipient))[-1]["Text"])
    assert found is not None
    return found[1]


async def confirmed_webhook(api: Api, name: str = "duty") -> str:
    webhook_id = await create_webhook(api, name=name)
    await api.call("ConfirmWebhook", OURS, WebhookId=webhook_id, Code=await code_for(api, webhook_id))
    return webhook_id


async def posts(api: Api, webhook_id: str) -> None:
    """See that messages and test messages reach a webhook."""
    message_id = await publish(api, await api.root_folder())
    await api.work()
    assert (await states(api, message_id))[webhook_id] == ("sent", "")
    await api.call("SendTestMessage", OURS, WebhookId=webhook_id, MessageType="FaultMessage")


async def opened_endpoint(api: Api, webhook_id: str) -> tuple[str, str | None]:
    webhook = await api.service.storage.webhooks.webhook(api.account_id, webhook_id)
    assert webhook is not None
    endpoint = api.service.services.endpoint_seal.open(webhook.endpoint, webhook_id)
    return endpoint.url.text, endpoint.secret


async def published(api: Api) -> tuple[str, str, str, dict[str, Any]]:
    """Links to preferences and to unsubscribe, and the return path, of a mail that was sent to Tom; its delivery."""
    message_id = await publish(api, await api.root_folder())
    await api.work()
    found = await deliveries(api, message_id)
    (delivery,) = [each for each in found if each["Address"] == "tom@example.com"]
    paths = api.service.recipients.bounces.return_paths
    assert paths is not None
    unsubscribe = await unsubscribe_link(api, "tom@example.com")
    assert unsubscribe is not None
    return (
        (await preference_links(api, "tom@example.com"))["Tom"],
        unsubscribe,
        paths.address(api.account_id, delivery["DeliveryId"]),
        delivery,
    )


async def tom(api: Api) -> None:
    await api.add_verified_contact(await api.root_folder(), MessageTypes=TYPES)


async def test_webhooks_are_posted_to_in_processes_that_run_and_after_a_restart(deployment: Deployment):
    async with deployment.process() as running:
        webhook_id = await confirmed_webhook(running)
        await deployment.replace_key()
        await posts(running, webhook_id)
        made_later = await create_webhook(running, OTHER_URL, "night")
    async with deployment.process() as restarted:
        await posts(restarted, webhook_id)
        assert await opened_endpoint(restarted, webhook_id) == (URL, "SECabc")
        assert await opened_endpoint(restarted, made_later) == (OTHER_URL, "SECabc")


async def test_a_webhook_whose_address_is_given_again_needs_no_new_code(deployment: Deployment):
    async with deployment.process() as api:
        webhook_id = await confirmed_webhook(api)
        await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Url=OTHER_URL)
        code = await code_for(api, webhook_id)
    deployment.is_replaced = True  # not sealed anew yet, in the procedure by settings
    if deployment.keys_in_file:
        await deployment.replace_key()
    async with deployment.process() as api:
        for _ in range(2):
            changed = await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Url=OTHER_URL, Secret="SECnew")
            assert "WaitingUrl" in changed["Webhook"]
            await deployment.replace_key()
        await api.call("ConfirmWebhook", OURS, WebhookId=webhook_id, Code=code)
        assert await opened_endpoint(api, webhook_id) == (OTHER_URL, "SECnew")
        again = await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Url=OTHER_URL, Secret="SECnext")
        assert (again["Webhook"]["Status"], "WaitingUrl" in again["Webhook"]) == ("Active", False)


async def test_links_in_mails_sent_before_work(deployment: Deployment):
    async with deployment.process() as running:
        await tom(running)
        preferences, unsubscribe, _, _ = await published(running)
        await deployment.replace_key()
        new_preferences, new_unsubscribe, _, _ = await published(running)
        assert (await Browser(running.service.app).open(preferences)).status == 200
        async with deployment.process() as restarted:
            for api in (running, restarted):
                for link in (preferences, unsubscribe, new_preferences, new_unsubscribe):
                    assert (await Browser(api.service.app).open(link)).status == 200
            await Browser(restarted.service.app).open(unsubscribe, "POST")
            message_id = await publish(running, await running.root_folder())
            await running.work()
            assert await states(running, message_id) == {"tom@example.com": ("skipped", "opted-out")}


async def test_mail_that_was_sent_before_and_comes_back_is_recognised(deployment: Deployment):
    async with deployment.process() as running:
        await tom(running)
        _, _, path, delivery = await published(running)
        _, _, other_path, _ = await published(running)
        await deployment.replace_key()
        taken = await running.service.recipients.bounces.take(report("tom@example.com", status="4.2.2"), [path])
        assert taken is Taken.RECORDED
    async with deployment.process() as restarted:
        intake = restarted.service.recipients.bounces.return_paths
        assert intake is not None
        assert intake.takes(other_path)
        taken = await restarted.service.recipients.bounces.take(report("tom@example.com"), [other_path])
        assert taken is Taken.SUSPENDED
        shown = await restarted.call("GetDelivery", OURS, DeliveryId=delivery["DeliveryId"])
        assert shown["Delivery"]["State"] == "failed"


async def test_codes_that_were_sent_before_confirm(deployment: Deployment):
    async with deployment.process() as api:
        webhook_id = await create_webhook(api)
        webhook_code = await code_for(api, webhook_id)
        await api.call("SetFallbackAddress", OURS, EmailAddress="duty@example.com")
        await api.work()
        fallback_code = await newest_code(api, "duty@example.com")
        contact_id = await api.add_contact()
        await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress="tom@example.com")
        await api.work()
        token = await api.token_sent_to("tom@example.com")
    await deployment.replace_key()
    async with deployment.process() as api:
        await api.call("ConfirmWebhook", OURS, WebhookId=webhook_id, Code=webhook_code)
        await api.call("ConfirmFallbackAddress", OURS, Code=fallback_code)
        view = await api.service.verification.confirm(token, Visitor("192.0.2.1", "a browser"))
        assert view.state is PageState.CONFIRMED


async def test_webhooks_are_counted_and_sealed_anew_as_access_keys_are(deployment: Deployment):
    async with deployment.process() as api:
        await confirmed_webhook(api)
        waiting = await confirmed_webhook(api, "night")
        await api.call("UpdateWebhook", OURS, WebhookId=waiting, Url=OTHER_URL)
    if not deployment.keys_in_file:
        deployment.is_replaced = True
    async with deployment.process() as api:
        command = key_rotation(api.service)
        # An access key, and three endpoints of two webhooks.
        assert sum(key.secrets for key in (await command.report()).keys) == 4
        rotated = await command.rotate(progress=quietly)
        assert rotated.resealed == 4
        assert [key.secrets for key in (await command.report()).keys] == [4, 0]
        assert (await command.report()).broken == ()
        assert await opened_endpoint(api, waiting) == (URL, "SECabc")


async def test_webhooks_that_are_changed_or_deleted_meanwhile_stay_so(in_file: Deployment):
    async with in_file.process() as api:
        changed, deleted = await confirmed_webhook(api), await confirmed_webhook(api, "night")
        command = key_rotation(api.service)

        class Meanwhile:
            """The first commit comes after others have changed what it is about."""

            happened = False

            async def commit(self, changes: Any, nonce: Any) -> None:
                if not self.happened and changes[0].before.__class__.__name__ == "Webhook":
                    self.happened = True
                    await api.call("UpdateWebhook", OURS, WebhookId=changed, Secret="SECnew")
                    await api.call("DeleteWebhook", OURS, WebhookId=deleted)
                await command.committer.commit(changes, nonce)

        await replace(command, committer=Meanwhile()).rotate(progress=quietly)
        assert [key.secrets for key in (await command.report()).keys] == [2, 0]
        assert await opened_endpoint(api, changed) == (URL, "SECnew")
        webhooks = (await api.call("ListWebhooks", OURS))["Webhooks"]
        assert [each["WebhookId"] for each in webhooks] == [changed]


# What `forget` keeps


async def forget(deployment: Deployment, **how: Any) -> tuple[int, KeyRotation]:
    async with deployment.process() as api:
        command = key_rotation(api.service)
        gone, _ = await command.forget(**how)
        return len(gone), command


async def test_a_key_that_seals_an_endpoint_is_kept_until_that_is_sealed_anew(in_file: Deployment):
    async with in_file.process() as api:
        webhook_id = await confirmed_webhook(api)
        before = await api.service.storage.webhooks.webhook(api.account_id, webhook_id)
        await in_file.replace_key()
        now = await api.service.storage.webhooks.webhook(api.account_id, webhook_id)
        assert before is not None
        assert now is not None
        # As if a process had been held up with an endpoint that it had sealed before.
        await api.service.storage.committer.commit((Update(now, replace(now, endpoint=before.endpoint)),), None)
    in_file.clock.advance(120)
    assert (await forget(in_file))[0] == 0
    async with in_file.process() as api:
        command = key_rotation(api.service)
        assert (await command.report()).keys[1].secrets == 1
        assert not (await command.rotate(progress=quietly)).is_new
    assert (await forget(in_file))[0] == 1
    async with in_file.process() as api:
        assert await opened_endpoint(api, webhook_id) == (URL, "SECabc")
        await posts(api, webhook_id)


@pytest.mark.parametrize("kind", ["webhook", "fallback"])
async def test_a_key_is_kept_for_codes_that_wait(in_file: Deployment, kind: str):
    async with in_file.process() as api:
        if kind == "webhook":
            await code_for(api, await create_webhook(api))
        else:
            await api.call("SetFallbackAddress", OURS, EmailAddress="duty@example.com")
    sent = in_file.clock.now()
    in_file.clock.advance(3600)
    await in_file.replace_key()
    in_file.clock.advance(120)
    async with in_file.process() as api:
        (_, old) = (await key_rotation(api.service).report()).keys
        assert old.links_until == sent + DAY
    assert (await forget(in_file))[0] == 0
    async with in_file.process() as api:  # one sent after the rotation does not need it
        await code_for(api, await create_webhook(api, name="night"))
    in_file.clock.advance(DAY / 1000 - 3600)
    assert (await forget(in_file))[0] == 1


async def test_a_key_is_kept_for_mails_of_messages_as_long_as_these_are_on_record(in_file: Deployment):
    async with in_file.process() as api:
        await tom(api)
        preferences, unsubscribe, path, _ = await published(api)
        sent = in_file.clock.now()
    in_file.clock.advance(DAY / 1000)
    await in_file.replace_key()
    in_file.clock.advance(2 * DAY / 1000)
    async with in_file.process() as api:
        await published(api)  # after the rotation: does not need it
        (_, old) = (await key_rotation(api.service).report()).keys
        assert not old.is_needed_beside_mails
        assert old.mails is not None
        assert old.mails.until == sent + KEPT
        assert (await key_rotation(api.service).forget())[0] == ()
        for link in (preferences, unsubscribe):
            assert (await Browser(api.service.app).open(link)).status == 200
    in_file.clock.advance((sent + KEPT - in_file.clock.now()) / 1000)
    async with in_file.process() as api:
        assert len((await key_rotation(api.service).forget())[0]) == 1
        assert (await Browser(api.service.app).open(preferences)).status == 404
        paths = api.service.recipients.bounces.return_paths
        assert paths is not None
        assert not paths.takes(path)


async def test_links_in_mails_end_before_that_only_when_asked_for(in_file: Deployment):
    async with in_file.process() as api:
        await tom(api)
        preferences, *_ = await published(api)
        webhook_id = await confirmed_webhook(api)
    await in_file.replace_key()
    assert (await forget(in_file, with_mails=True))[0] == 0, "something may be on its way"
    in_file.clock.advance(2 * DAY / 1000)
    async with in_file.process(messages_kept=None) as api:
        (_, old) = (await key_rotation(api.service).report()).keys
        assert old.mails is not None
        assert old.mails.until is None
    assert (await forget(in_file))[0] == 0
    async with in_file.process() as running:
        assert (await Browser(running.service.app).open(preferences)).status == 200
        assert (await forget(in_file, with_mails=True))[0] == 1
        new, *_ = await published(running)
        assert (await Browser(running.service.app).open(new)).status == 200
        assert (await Browser(running.service.app).open(preferences)).status == 404
        await posts(running, webhook_id)


async def test_of_keys_in_settings_somebody_has_to_say_when_they_were_replaced(database_path):
    deployment = Deployment(f"sqlite:///{database_path}", False, FakeClock(), CountingIds())
    async with deployment.process() as api:
        await tom(api)
        await published(api)
    sent = deployment.clock.now()
    deployment.clock.advance(DAY / 1000)
    await deployment.replace_key()
    replaced = deployment.clock.now()
    deployment.clock.advance(5 * DAY / 1000)
    async with deployment.process() as api:
        await published(api)
        command = key_rotation(api.service)
        untold = (await command.report()).keys[1].mails
        told = (await command.report(replaced=Instant(replaced))).keys[1].mails
        assert untold is not None
        assert told is not None
        assert (untold.until, told.until) == (deployment.clock.now() + KEPT, sent + KEPT)
