"""Webhooks on the wire: from adding one to a message in it, captured and posted."""

from __future__ import annotations

import re
from typing import Any

import pytest
import structlog

from message_contacts.contacts.model import Channel
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.webhooks.model import WebhookForm
from tests.api.publishing import OURS, deliveries, publish, states
from tests.fakes.clock import FakeClock
from tests.fakes.transport import ScriptedTransport
from tests.harness import Api, open_api

FAULT = ["FaultMessage"]
URL = "https://oapi.dingtalk.com/robot/send?access_token=secret-token"
OTHER_URL = "https://oapi.dingtalk.com/robot/send?access_token=other-token"
_CODE = re.compile(r"\b([0-9]{6})\b")
_ID = re.compile(r"wh-[0-9a-hjkmnp-tv-z]{16}")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def create(api: Api, *nodes: str, **parameters: Any) -> dict[str, Any]:
    """Create a webhook; what is not named is filled in."""
    given = {
        "Name": "duty",
        "Form": "DingTalk",
        "Url": URL,
        "MessageTypes": FAULT,
        "Members": list(nodes) or [await api.root_folder()],
        **parameters,
    }
    webhook: dict[str, Any] = (await api.call("CreateWebhook", OURS, **given))["Webhook"]
    return webhook


async def confirm(api: Api, webhook_id: str) -> dict[str, Any]:
    """Confirm a webhook with the code from the captured inbox."""
    await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
    await api.work()
    return (await api.call("ConfirmWebhook", OURS, WebhookId=webhook_id, Code=await code(api, webhook_id)))["Webhook"]


async def code(api: Api, webhook_id: str) -> str:
    """The code in the newest post to a webhook."""
    found = _CODE.search((await api.inbox(webhook_id))[-1]["Text"])
    assert found is not None
    return found[1]


async def webhook_of(api: Api, webhook_id: str) -> dict[str, Any]:
    return (await api.call("GetWebhook", OURS, WebhookId=webhook_id))["Webhook"]


async def refusal(api: Api, operation: str, **parameters: Any) -> tuple[int, str]:
    status, body = await api.error(operation, OURS, **parameters)
    return status, body["Code"]


async def test_a_new_webhook_shows_everything_but_its_secrets(api):
    root = await api.root_folder()
    webhook = await create(api, root, Secret="SECabc")

    assert _ID.fullmatch(webhook.pop("WebhookId"))
    assert webhook == {
        "Name": "duty",
        "Form": "DingTalk",
        "Url": "https://oapi.dingtalk.com/***",
        "Signed": True,
        "MessageTypes": FAULT,
        "Members": [root],
        "Status": "Verifying",
        "CreateTime": "2026-11-21T08:00:00.000Z",
    }
    assert await api.inbox() == []


async def test_the_code_that_was_posted_confirms(api):
    webhook_id = (await create(api))["WebhookId"]
    await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
    await api.work()

    (posted,) = await api.inbox(webhook_id)
    assert posted["Channel"] == "webhook"
    assert posted["Subject"] == "确认 platform-team 的 Webhook 的验证码 / Code to confirm a webhook of platform-team"
    assert "as webhook duty" in posted["Text"]
    assert (await webhook_of(api, webhook_id))["Status"] == "Verifying"
    confirmed = await api.call("ConfirmWebhook", OURS, WebhookId=webhook_id, Code=await code(api, webhook_id))
    assert confirmed["Webhook"]["Status"] == "Active"
    assert await webhook_of(api, webhook_id) == confirmed["Webhook"]


async def test_a_message_is_posted_to_webhooks_in_effect(api):
    folder = await api.create_folder("sales")
    member = await api.create_member("shop", folder)
    for number, node in enumerate((await api.root_folder(), folder, member)):
        webhook = await create(api, node, Name=f"chat {number}", Form="Slack", Url=f"https://hooks.slack.com/{number}")
        await confirm(api, webhook["WebhookId"])
    elsewhere = await create(api, await api.create_folder("other"), Name="elsewhere")
    await confirm(api, elsewhere["WebhookId"])

    message_id = await publish(api, folder, Severity="Critical")
    await api.work()

    found = [each for each in await deliveries(api, message_id) if each["Channel"] == "webhook"]
    assert [
        (each["State"], each["Contacts"][0]["Name"], each["Contacts"][0]["Because"], each["Contacts"][0]["NodeName"])
        for each in found
    ] == [("sent", *expected) for expected in named(found)]
    assert {each["Contacts"][0]["Name"] for each in found} == {"chat 0", "chat 1", "chat 2"}
    assert all(each["Address"] == each["Contacts"][0]["WebhookId"] for each in found)
    (posted,) = [each for each in await api.inbox(found[0]["Address"]) if each["Subject"] == "Disk full"]
    assert posted["Text"].startswith("The disk of the database is full.\n")
    assert "platform-team posted this notice" in posted["Text"]
    assert "通知类型：故障" in posted["Text"]
    assert "This notice is critical" in posted["Text"]


def named(found: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """What each of the three webhooks is, in the order in which they were found."""
    expected = {"chat 0": ("Folder", "root"), "chat 1": ("Folder", "sales"), "chat 2": ("Own", "shop")}
    names = [each["Contacts"][0]["Name"] for each in found]
    return [(name, *expected[name]) for name in names]


async def test_a_webhook_bound_twice_gets_one_post_with_both_reasons(api):
    member = await api.create_member("shop")
    directory = (await api.call("GetResourceDirectory"))["ResourceDirectory"]["ResourceDirectoryId"]
    webhook = await create(api, member, directory)
    await confirm(api, webhook["WebhookId"])

    message_id = await publish(api, member)
    await api.work()

    (delivery,) = [each for each in await deliveries(api, message_id) if each["Channel"] == "webhook"]
    assert sorted(each["Because"] for each in delivery["Contacts"]) == ["Directory", "Own"]
    assert len([each for each in await api.inbox(webhook["WebhookId"]) if each["Subject"] == "Disk full"]) == 1


async def test_webhooks_that_are_not_confirmed_or_have_other_types_get_nothing(api):
    new = await create(api)
    other = await create(api, Name="bills", MessageTypes=["AccountExpenses"])
    await confirm(api, other["WebhookId"])

    message_id = await publish(api, await api.root_folder())
    await api.work()

    assert await states(api, message_id) == {new["WebhookId"]: ("skipped", "not-verified")}


async def test_a_webhook_is_nobody_who_could_be_reached(api):
    """A member with a webhook alone is one for whom nobody is reached: somebody has to look."""
    await api.create_member("shop")
    await confirm(api, (await create(api))["WebhookId"])

    await publish(api, await api.root_folder())
    await api.work()

    incidents = (await api.call("ListIncidents", OURS))["Incidents"]
    assert [each["Kind"] for each in incidents] == ["nobody-reachable"]


async def test_effective_contacts_show_webhooks_apart(api):
    folder = await api.create_folder("sales")
    member = await api.create_member("shop", folder)
    webhook = await create(api, folder)
    await create(api, folder, Name="unconfirmed")
    await confirm(api, webhook["WebhookId"])

    found = await api.call("ListEffectiveContacts", OURS, Member=member)
    assert found == {
        "EffectiveContacts": [],
        "Webhooks": [
            {
                "WebhookId": webhook["WebhookId"],
                "Name": "duty",
                "MessageTypes": FAULT,
                "Outcome": "passed",
                "Reasons": [{"Because": "Folder", "ObjectId": folder}],
            }
        ],
    }
    of_type = await api.call("ListEffectiveContacts", OURS, Member=member, MessageType="SecurityMessage")
    assert of_type["Webhooks"] == []
    assert (await api.call("ListEffectiveContacts", OURS, Folder=folder))["Webhooks"] == found["Webhooks"]
    assert (await api.call("ListEffectiveContacts", OURS, Folder=await api.root_folder()))["Webhooks"] == []


async def test_a_new_address_takes_effect_once_it_is_confirmed(api):
    webhook_id = (await create(api))["WebhookId"]
    await confirm(api, webhook_id)

    changed = (await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Url=OTHER_URL, Name="night duty"))["Webhook"]
    assert (changed["Name"], changed["Status"], changed["WaitingUrl"]) == (
        "night duty", "Active", "https://oapi.dingtalk.com/***",
    )  # fmt: skip
    confirmed = await confirm(api, webhook_id)
    assert "WaitingUrl" not in confirmed
    assert await refusal(api, "SendVerificationForWebhook", WebhookId=webhook_id) == (
        404, "EntityNotExists.Webhook.Verification",
    )  # fmt: skip


async def test_the_address_in_force_drops_the_one_that_waits_with_its_code(api):
    webhook_id = (await create(api))["WebhookId"]
    await confirm(api, webhook_id)
    await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Url=OTHER_URL)
    await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
    await api.work()

    changed = (await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Url=URL))["Webhook"]
    assert "WaitingUrl" not in changed
    assert await refusal(api, "ConfirmWebhook", WebhookId=webhook_id, Code=await code(api, webhook_id)) == (
        404, "EntityNotExists.Webhook.Verification",
    )  # fmt: skip


async def test_an_update_that_says_nothing_new_changes_nothing(api):
    webhook_id = (await create(api, Secret="SECabc"))["WebhookId"]
    await confirm(api, webhook_id)
    before = await api.service.storage.webhooks.webhook(api.account_id, webhook_id)

    await api.call(
        "UpdateWebhook", OURS, WebhookId=webhook_id, Name="duty", Url=URL, Secret="SECabc", MessageTypes=FAULT
    )

    assert await api.service.storage.webhooks.webhook(api.account_id, webhook_id) == before


async def test_a_secret_can_be_taken_away_and_given_again(api):
    webhook_id = (await create(api, Secret="SECabc"))["WebhookId"]
    await confirm(api, webhook_id)
    for secret, signed in (("", False), ("SECnew", True)):
        changed = (await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Secret=secret))["Webhook"]
        assert (changed["Signed"], changed["Status"]) == (signed, "Active")


async def test_a_program_gets_a_secret_of_its_own_shown_once(api):
    given = {"Form": "Generic", "Url": "https://program.example.com/in"}
    made = await create(api, **given)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["Secret"])
    assert "Secret" not in await webhook_of(api, made["WebhookId"])
    own = await create(api, **given, Name="own", Secret="whsec_" + "A" * 32)
    assert "Secret" not in own
    assert own["Signed"]


async def test_webhooks_are_listed_page_by_page(api):
    made = sorted([(await create(api, Name=f"chat {number}"))["WebhookId"] for number in range(5)])
    first = await api.call("ListWebhooks", OURS, MaxResults=3)
    second = await api.call("ListWebhooks", OURS, MaxResults=3, NextToken=first["NextToken"])
    assert [each["WebhookId"] for each in first["Webhooks"] + second["Webhooks"]] == made
    assert "NextToken" not in second


async def test_a_deleted_webhook_is_gone_and_gives_its_place_and_name_back(database_path):
    async with open_api(database_path, {"webhooks_per_directory": 1}) as api:
        webhook_id = (await create(api))["WebhookId"]
        given = {
            "Name": "more",
            "Form": "Slack",
            "Url": URL,
            "MessageTypes": FAULT,
            "Members": [await api.root_folder()],
        }
        assert await refusal(api, "CreateWebhook", **given) == (409, "LimitExceeded.Webhooks")
        await api.call("DeleteWebhook", OURS, WebhookId=webhook_id)
        assert await refusal(api, "GetWebhook", WebhookId=webhook_id) == (404, "EntityNotExists.Webhook")
        await create(api)


async def test_a_message_that_waits_for_a_deleted_webhook_is_not_posted(api):
    webhook = await create(api)
    await confirm(api, webhook["WebhookId"])
    message_id = await publish(api, await api.root_folder())
    await api.work("internal")
    await api.call("DeleteWebhook", OURS, WebhookId=webhook["WebhookId"])
    await api.work()
    assert await states(api, message_id) == {webhook["WebhookId"]: ("skipped", "address-gone")}


async def test_a_folder_that_goes_takes_its_bindings_along(api):
    folder, root = await api.create_folder("sales"), await api.root_folder()
    webhook_id = (await create(api, folder, root))["WebhookId"]
    await api.call("DeleteFolder", FolderId=folder)
    assert (await webhook_of(api, webhook_id))["Members"] == [root]


async def test_a_member_that_leaves_takes_its_binding_along_and_keeps_nothing(api):
    invited = await api.create_member("shop")
    await api.call("UpdateAccount", AccountId=invited, NewAccountType="CloudAccount")
    webhook_id = (await create(api, invited))["WebhookId"]
    await confirm(api, webhook_id)
    await api.call("RemoveCloudAccount", AccountId=invited)
    assert (await webhook_of(api, webhook_id))["Members"] == []
    assert (await api.call("ListDetachedContacts", OURS))["DetachedContacts"] == []


async def test_a_member_that_moves_keeps_its_own_webhook(api):
    member = await api.create_member("shop")
    webhook_id = (await create(api, member))["WebhookId"]
    await api.call("MoveAccount", AccountId=member, DestinationFolderId=await api.create_folder("sales"))
    assert (await webhook_of(api, webhook_id))["Members"] == [member]


async def test_a_directory_that_ends_takes_its_webhooks_along(api):
    await create(api)
    await api.call("DestroyResourceDirectory")
    await api.call("EnableResourceDirectory", EnableMode="CurrentAccount")
    assert (await api.call("ListWebhooks", OURS))["Webhooks"] == []
    await create(api)


async def test_nothing_of_another_tenant_can_be_seen_or_changed(api):
    webhook_id = (await create(api))["WebhookId"]
    other = await api.other_tenant()
    assert (await other.call("ListWebhooks", OURS))["Webhooks"] == []
    for operation in ("GetWebhook", "UpdateWebhook", "DeleteWebhook", "SendVerificationForWebhook"):
        assert await refusal(other, operation, WebhookId=webhook_id) == (404, "EntityNotExists.Webhook")
    await create(other, Name="duty")


async def test_wrong_codes_are_counted_and_end_the_code(api):
    webhook_id = (await create(api))["WebhookId"]
    await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
    await api.work()
    right = await code(api, webhook_id)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        assert await refusal(api, "ConfirmWebhook", WebhookId=webhook_id, Code=wrong) == (400, "InvalidParameter.Code")
    assert await refusal(api, "ConfirmWebhook", WebhookId=webhook_id, Code=right) == (400, "InvalidParameter.Code")


async def test_codes_of_before_are_void_and_expire(api):
    webhook_id = (await create(api))["WebhookId"]
    for _ in range(2):
        await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
        await api.work()
    first, second = [_CODE.search(each["Text"])[1] for each in await api.inbox(webhook_id)]
    assert await refusal(api, "ConfirmWebhook", WebhookId=webhook_id, Code=first) == (400, "InvalidParameter.Code")
    api.clock.advance(86_400)
    assert await refusal(api, "ConfirmWebhook", WebhookId=webhook_id, Code=second) == (400, "InvalidParameter.Code")


async def test_codes_are_posted_at_most_so_often(api):
    webhook_id = (await create(api))["WebhookId"]
    for _ in range(10):
        await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
    assert await refusal(api, "SendVerificationForWebhook", WebhookId=webhook_id) == (
        409, "SendValidateCodeExceedsLimitForAccount",
    )  # fmt: skip
    api.clock.advance(60)
    await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)


#: Rows of the error tables that one call provokes: operation, changed parameters, status and code.
ROWS = [
    ("CreateWebhook", {"Name": None}, 400, "MissingParameter.Name"),
    ("CreateWebhook", {"Form": ""}, 400, "MissingParameter.Form"),
    ("CreateWebhook", {"Url": None}, 400, "MissingParameter.Url"),
    ("CreateWebhook", {"MessageTypes": None}, 400, "MissingParameter.MessageTypes"),
    ("CreateWebhook", {"Members": None}, 400, "MissingParameter.Members"),
    ("CreateWebhook", {"Form": "Teams"}, 400, "InvalidParameter.Form"),
    ("CreateWebhook", {"Name": "a\nb"}, 400, "InvalidParameter.Name"),
    ("CreateWebhook", {"Url": "http://chat.example.com/x"}, 400, "InvalidParameter.Url"),
    ("CreateWebhook", {"Url": "https://127.0.0.1/x"}, 400, "InvalidParameter.Url.Address"),
    ("CreateWebhook", {"Secret": "with space"}, 400, "InvalidParameter.Secret"),
    ("CreateWebhook", {"Form": "Slack", "Secret": "x"}, 400, "InvalidParameter.Secret"),
    ("CreateWebhook", {"Form": "Generic", "Secret": "x"}, 400, "InvalidParameter.Secret"),
    ("CreateWebhook", {"MessageTypes": ["Everything"]}, 400, "InvalidParameter.MessageTypes"),
    ("CreateWebhook", {"Members": ["shop"]}, 400, "InvalidParameter.Members"),
    ("CreateWebhook", {"Members": ["fd-0000000000"] * 2}, 400, "InvalidParameter.Members.Duplicate"),
    (
        "CreateWebhook",
        {"Members": [f"fd-{number:010}" for number in range(11)]},
        400,
        "InvalidParameter.Members.Length",
    ),
    ("CreateWebhook", {"Members": ["fd-0000000000"]}, 400, "InvalidMember"),
    ("CreateWebhook", {"Name": "duty"}, 400, "InvalidParameter.Name.AlreadyUsed"),
    ("UpdateWebhook", {"WebhookId": None}, 400, "MissingParameter.WebhookId"),
    ("UpdateWebhook", {"Name": " "}, 400, "InvalidParameter.Name"),
    ("UpdateWebhook", {"Name": "night"}, 400, "InvalidParameter.Name.AlreadyUsed"),
    ("UpdateWebhook", {"Url": "https://u:p@chat.example.com/x"}, 400, "InvalidParameter.Url"),
    ("UpdateWebhook", {"Url": "https://[::ffff:169.254.169.254]/x"}, 400, "InvalidParameter.Url.Address"),
    ("UpdateWebhook", {"Secret": "SEC abc"}, 400, "InvalidParameter.Secret"),
    ("UpdateWebhook", {"MessageTypes": [*FAULT, *FAULT]}, 400, "InvalidParameter.MessageTypes"),
    ("UpdateWebhook", {"Members": ["x"]}, 400, "InvalidParameter.Members"),
    ("UpdateWebhook", {"Members": ["r-000000", "r-000000"]}, 400, "InvalidParameter.Members.Duplicate"),
    (
        "UpdateWebhook",
        {"Members": [f"fd-{number:010}" for number in range(11)]},
        400,
        "InvalidParameter.Members.Length",
    ),
    ("UpdateWebhook", {"Members": ["2000000000000000"]}, 400, "InvalidMember"),
    ("UpdateWebhook", {"WebhookId": "wh-0"}, 404, "EntityNotExists.Webhook"),
    ("DeleteWebhook", {"WebhookId": ""}, 400, "MissingParameter.WebhookId"),
    ("DeleteWebhook", {"WebhookId": "wh-0"}, 404, "EntityNotExists.Webhook"),
    ("GetWebhook", {"WebhookId": None}, 400, "MissingParameter.WebhookId"),
    ("GetWebhook", {"WebhookId": "x"}, 404, "EntityNotExists.Webhook"),
    ("ListWebhooks", {"MaxResults": 0}, 400, "InvalidParameter.MaxResults"),
    ("ListWebhooks", {"NextToken": "é"}, 400, "InvalidParameter.NextToken"),
    ("SendVerificationForWebhook", {"WebhookId": None}, 400, "MissingParameter.WebhookId"),
    ("SendVerificationForWebhook", {"WebhookId": "wh-0"}, 404, "EntityNotExists.Webhook"),
    ("ConfirmWebhook", {"WebhookId": None}, 400, "MissingParameter.WebhookId"),
    ("ConfirmWebhook", {"Code": None}, 400, "MissingParameter.Code"),
    ("ConfirmWebhook", {"Code": "12345x"}, 400, "InvalidParameter.Code"),
    ("ConfirmWebhook", {"WebhookId": "wh-0", "Code": "123456"}, 404, "EntityNotExists.Webhook"),
]


@pytest.mark.parametrize(("operation", "parameters", "status", "expected"), ROWS)
async def test_a_call_that_cannot_be_is_refused_and_changes_nothing(api, operation, parameters, status, expected):
    root = await api.root_folder()
    webhook_id = (await create(api))["WebhookId"]
    await create(api, Name="night")
    before = await api.call("ListWebhooks", OURS)
    given: dict[str, Any] = {"WebhookId": webhook_id}
    if operation == "CreateWebhook":
        given = {"Name": "new", "Form": "DingTalk", "Url": URL, "MessageTypes": FAULT, "Members": [root]}

    assert await refusal(api, operation, **{**given, **parameters}) == (status, expected)
    assert await api.call("ListWebhooks", OURS) == before


async def test_posts_go_to_the_opened_address_with_the_opened_secret(database_path, clock):
    webhooks = ScriptedTransport()
    async with posting_api(database_path, clock, webhooks) as api:
        made = await create(api, Secret="SECabc")
        with structlog.testing.capture_logs() as lines:
            await api.call("SendVerificationForWebhook", OURS, WebhookId=made["WebhookId"])
            await api.work()
            (posted,) = webhooks.sent
            await api.call("ConfirmWebhook", OURS, WebhookId=made["WebhookId"], Code=_CODE.search(posted.text)[1])
            await publish(api, await api.root_folder())
            await api.work()
        posted, notice = webhooks.sent
        assert notice.recipient == made["WebhookId"]
        assert notice.webhook.endpoint.url.text == URL
        assert notice.webhook.endpoint.secret == "SECabc"
        assert notice.webhook.form is WebhookForm.DING_TALK
        assert (posted.webhook.event, notice.webhook.event) == ("webhook.verification", "message.published")
        assert "secret-token" not in f"{lines}{webhooks.sent}"
        assert "SECabc" not in f"{lines}{webhooks.sent}"


async def test_the_database_alone_does_not_tell_where_to_post(database_path, clock):
    async with posting_api(database_path, clock, ScriptedTransport()) as api:
        await create(api, Secret="SECabc")
    stored = b"".join(path.read_bytes() for path in database_path.parent.glob(f"{database_path.name}*"))
    assert b"oapi.dingtalk.com/***" in stored
    assert b"secret-token" not in stored
    assert b"SECabc" not in stored


async def test_what_was_asked_for_while_captured_is_never_posted(database_path, clock):
    async with open_api(database_path, {"webhooks": "capture"}, clock=clock) as api:
        confirmed = (await create(api))["WebhookId"]
        await confirm(api, confirmed)
        asked = (await create(api, Name="asked"))["WebhookId"]
        await api.call("SendVerificationForWebhook", OURS, WebhookId=asked)
        message_id = await publish(api, await api.root_folder())
        await api.work("internal")
    webhooks = ScriptedTransport()
    async with posting_api(database_path, clock, webhooks) as api:
        await api.work()
        assert webhooks.sent == []
        assert (await webhook_of(api, confirmed))["Status"] == "Verifying"
        found = await states(api, message_id)
        assert found[confirmed] == ("skipped", "captured-before")


async def test_a_refused_post_ends_with_its_word(database_path, clock):
    webhooks = ScriptedTransport()
    async with posting_api(database_path, clock, webhooks) as api:
        webhook_id = (await create(api))["WebhookId"]
        webhooks.script[webhook_id] = [Outcome(Verdict.NEVER, "webhook-not-found")]
        job = await first_job(api, webhook_id)
        outcome = await api.service.handlers[job.kind](job)
        assert outcome == Outcome(Verdict.NEVER, "webhook-not-found")


async def first_job(api: Api, webhook_id: str) -> Any:
    """The job that posts a code, claimed."""
    await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
    now = api.clock.now()
    (job,) = await api.service.storage.outbox.claim("webhook", "test", now=now, until=now + 60_000, limit=10)
    return job


def posting_api(database_path, clock, webhooks):
    """A service that posts to webhooks by a script and captures the rest."""
    capturing = ScriptedTransport()
    transports = {Channel.EMAIL: capturing, Channel.SMS: capturing, Channel.WEBHOOK: webhooks}
    return open_api(database_path, {"webhooks": "post"}, clock=clock, transports=transports)


async def test_it_is_explained_why_a_webhook_gets_a_message_or_not(api):
    member = await api.create_member("shop")
    webhook_id = (await create(api, member))["WebhookId"]
    asked = {"MessageType": "FaultMessage", "Target": member, "Address": webhook_id}

    (before,) = (await api.call("ExplainDelivery", OURS, **asked))["Explanations"]
    await confirm(api, webhook_id)
    (after,) = (await api.call("ExplainDelivery", OURS, **asked))["Explanations"]
    other = {**asked, "Target": await api.create_folder("sales")}
    (elsewhere,) = (await api.call("ExplainDelivery", OURS, **other))["Explanations"]
    nobodys = {**asked, "Address": "wh-0000000000000000"}
    (unknown,) = (await api.call("ExplainDelivery", OURS, **nobodys))["Explanations"]

    assert [each["Outcome"] for each in (before, after, elsewhere, unknown)] == [
        "not-verified", "passed", "not-in-effect", "no-such-contact",
    ]  # fmt: skip
    assert (after["WebhookId"], after["Channel"], after["Name"]) == (webhook_id, "webhook", "duty")
    assert after["Reasons"] == [{"Because": "Own", "ObjectId": member}]


async def test_deliveries_of_a_webhook_are_found_by_its_id(api):
    webhook_id = (await create(api))["WebhookId"]
    await publish(api, await api.root_folder())
    await api.work()
    found = (await api.call("ListDeliveries", OURS, Address=webhook_id))["Deliveries"]
    assert [each["Address"] for each in found] == [webhook_id]


async def test_contacts_have_no_webhooks_as_addresses(api):
    contact_id = await api.add_contact()
    assert await refusal(api, "SendTestMessage", ContactId=contact_id, Channel="webhook") == (
        400, "InvalidParameter.Channel",
    )  # fmt: skip
    assert await refusal(api, "DeleteVerificationBlock", Channel="webhook", Target="x") == (
        400, "InvalidParameter.Channel",
    )  # fmt: skip


async def test_a_test_message_is_posted_to_a_confirmed_webhook_and_its_answer_told(database_path, clock):
    webhooks = ScriptedTransport()
    async with open_api(database_path, clock=clock) as api:
        webhook_id = (await create(api))["WebhookId"]
        assert await refusal(api, "SendTestMessage", WebhookId=webhook_id) == (409, "WebhookNotConfirmed")
        await confirm(api, webhook_id)
        assert await api.call("SendTestMessage", OURS, WebhookId=webhook_id) == {
            "Verdict": "accepted", "Reply": "captured"
        }  # fmt: skip
        captured = (await api.inbox(webhook_id))[-1]
        assert "tests whether its notices reach you" in captured["Text"]
    async with posting_api(database_path, clock, webhooks) as api:
        # Confirmed in the captured inbox only.
        assert await refusal(api, "SendTestMessage", WebhookId=webhook_id) == (409, "WebhookNotConfirmed")
        assert webhooks.sent == []


async def test_a_test_message_of_a_webhook_says_what_it_answered(database_path, clock):
    webhooks = ScriptedTransport()
    async with posting_api(database_path, clock, webhooks) as api:
        webhook_id = (await create(api))["WebhookId"]
        await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
        await api.work()
        posted = webhooks.sent.pop().webhook
        await api.call("ConfirmWebhook", OURS, WebhookId=webhook_id, Code=posted.data["code"])
        webhooks.script[webhook_id] = [Outcome(Verdict.NEVER, "webhook-not-found")]

        refused = await api.call("SendTestMessage", OURS, WebhookId=webhook_id)
        accepted = await api.call("SendTestMessage", OURS, WebhookId=webhook_id)

        assert refused == {"Verdict": "never", "Reply": "webhook-not-found"}
        assert accepted == {"Verdict": "accepted", "Reply": "accepted"}
        (sent,) = webhooks.sent
        assert sent.webhook.event == "webhook.test"
        assert sent.webhook.endpoint.url == posted_to(posted)


def posted_to(posted):
    return posted.endpoint.url


async def test_a_test_message_goes_to_a_contact_or_to_a_webhook(api):
    webhook_id = (await create(api))["WebhookId"]
    contact_id = await api.add_contact()
    for beside in ({"ContactId": contact_id}, {"Channel": "email"}):
        assert await refusal(api, "SendTestMessage", WebhookId=webhook_id, **beside) == (
            400, "InvalidParameter.WebhookId"
        )  # fmt: skip
    assert await refusal(api, "SendTestMessage") == (400, "MissingParameter.ContactId")
    assert await refusal(api, "SendTestMessage", ContactId=contact_id) == (400, "MissingParameter.Channel")
    assert await refusal(api, "SendTestMessage", WebhookId="wh-0000000000000000") == (404, "EntityNotExists.Webhook")


async def test_a_webhook_that_is_gone_is_explained_by_its_delivery(api):
    webhook_id = (await create(api))["WebhookId"]
    await confirm(api, webhook_id)
    message_id = await publish(api, await api.create_member("shop"))
    await api.work()
    await api.call("DeleteWebhook", OURS, WebhookId=webhook_id)

    (entry,) = (await api.call("ExplainDelivery", OURS, MessageId=message_id, Address=webhook_id))["Explanations"]

    assert (entry["Outcome"], entry["OutcomeNow"]) == ("passed", "no-such-contact")
    assert (entry["Channel"], entry["Address"], entry["Delivery"]["State"]) == ("webhook", webhook_id, "sent")
