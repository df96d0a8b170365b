"""What each product gets, worked out here from its own documentation, and what its answers come to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.transports.webhook_answers import CODES, STATUSES
from message_contacts.webhooks.model import WebhookForm
from tests.fakes.clock import START
from tests.webhooks.conftest import post_to

ACCEPTED = Outcome(Verdict.ACCEPTED, "accepted")
SUBJECT = "Disk full / 磁盘已满"
TEXT = 'The disk is <full> & hot.\n<at user_id="all">all</at>'
WHSEC = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def body_of(product):
    (seen,) = product.seen
    return json.loads(seen.body)


async def test_ding_talk_gets_text(connect, product):
    assert await connect().send(post_to(product.url(), WebhookForm.DING_TALK)) == ACCEPTED
    assert body_of(product) == {"msgtype": "text", "text": {"content": f"{SUBJECT}\n\n{TEXT}"}}
    assert product.seen[0].query == {"access_token": "secret-token"}
    assert product.seen[0].headers["content-type"] == "application/json; charset=utf-8"
    assert product.seen[0].headers["host"] == f"hooks.test:{product.port}"


async def test_ding_talk_signature_is_in_the_query(connect, product):
    await connect().send(post_to(product.url(), WebhookForm.DING_TALK, "SECabc+/="))
    query = product.seen[0].query
    mac = hmac.new(b"SECabc+/=", f"{START}\nSECabc+/=".encode(), hashlib.sha256).digest()
    assert query == {
        "access_token": "secret-token",
        "timestamp": str(START),
        "sign": base64.b64encode(mac).decode(),
    }


async def test_feishu_gets_a_post_whose_text_calls_nobody(connect, product):
    assert await connect().send(post_to(product.url("/hook/x"), WebhookForm.FEISHU)) == ACCEPTED
    assert body_of(product) == {
        "msg_type": "post",
        "content": {"post": {"zh_cn": {"title": SUBJECT, "content": [[{"tag": "text", "text": TEXT}]]}}},
    }


async def test_feishu_signature_is_in_the_body(connect, product):
    """The key is timestamp and secret; what is signed is nothing."""
    await connect().send(post_to(product.url("/hook/x"), WebhookForm.FEISHU, "demo"))
    body = body_of(product)
    timestamp = str(START // 1000)
    mac = hmac.new(f"{timestamp}\ndemo".encode(), b"", hashlib.sha256).digest()
    assert (body["timestamp"], body["sign"]) == (timestamp, base64.b64encode(mac).decode())


async def test_we_com_gets_text(connect, product):
    assert await connect().send(post_to(product.url("/send?key=k"), WebhookForm.WE_COM)) == ACCEPTED
    assert body_of(product) == {"msgtype": "text", "text": {"content": f"{SUBJECT}\n\n{TEXT}"}}


async def test_slack_gets_text_in_which_nothing_is_special(connect, product):
    product.answers("ok")
    assert await connect().send(post_to(product.url("/services/T/B/x"), WebhookForm.SLACK)) == ACCEPTED
    assert body_of(product) == {
        "text": f'{SUBJECT}\n\nThe disk is &lt;full&gt; &amp; hot.\n&lt;at user_id="all"&gt;all&lt;/at&gt;',
        "mrkdwn": False,
    }


async def test_a_program_gets_our_json_signed_by_standard_webhooks(connect, product, clock):
    transport = connect()
    await transport.send(post_to(product.url("/in"), secret=WHSEC))
    clock.advance(60)
    await transport.send(post_to(product.url("/in"), secret=WHSEC))
    first, again = product.seen
    assert json.loads(first.body) == {
        "type": "message.published",
        "timestamp": "2026-11-21T08:00:00.000+00:00",
        "data": {"messageId": "m-1", "subject": SUBJECT, "text": post_to("https://x/").text},
    }
    assert first.headers["webhook-id"] == again.headers["webhook-id"] == "j-0123456789ab"
    assert first.headers["webhook-timestamp"] == str(START // 1000)
    signed = f"j-0123456789ab.{START // 1000}.".encode() + first.body
    mac = hmac.new(b"0123456789abcdef0123456789abcdef", signed, hashlib.sha256).digest()
    assert first.headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
    assert again.headers["webhook-signature"] != first.headers["webhook-signature"]


@pytest.mark.parametrize(
    "taken",
    [
        (WebhookForm.DING_TALK, 20_000, len),
        (WebhookForm.FEISHU, 20_480, len),
        (WebhookForm.WE_COM, 2_048, lambda body: len(json.loads(body)["text"]["content"].encode())),
        (WebhookForm.SLACK, 40_000, lambda body: len(json.loads(body)["text"])),
    ],
)
@pytest.mark.parametrize("letter", ["满", '"', "<", "x"])
async def test_a_long_text_is_cut_to_what_the_product_takes(connect, product, taken, letter):
    form, most, length = taken
    await connect().send(post_to(product.url("/hook/x"), form, text=letter * 20_000))
    body = product.seen[0].body
    assert length(body) <= most
    if form is not WebhookForm.SLACK or letter == "<":
        assert "…" in json.dumps(json.loads(body), ensure_ascii=False)
        assert length(body) > most * 0.8


@pytest.mark.parametrize(
    ("form", "answer", "expected"),
    [
        (form, {codes.names[0]: code, "errmsg": "secret-token"}, outcome)
        for form, codes in CODES.items()
        for code, outcome in codes.outcomes.items()
    ],
)
async def test_a_products_own_codes_are_told_by_the_table(connect, product, form, answer, expected):
    product.answers(answer)
    assert await connect().send(post_to(product.url("/hook/x"), form)) == expected


def test_codes_say_what_the_products_say():
    """The ones that matter most, written down a second time."""
    told = {(form, code): (CODES[form].outcomes[code].verdict, CODES[form].outcomes[code].reason) for form, code in (
        (WebhookForm.DING_TALK, 130101), (WebhookForm.DING_TALK, 310000), (WebhookForm.DING_TALK, 300001),
        (WebhookForm.FEISHU, 11232), (WebhookForm.FEISHU, 19021), (WebhookForm.FEISHU, 19024),
        (WebhookForm.WE_COM, 45009), (WebhookForm.WE_COM, 93000),
    )}  # fmt: skip
    again, never = Verdict.TRY_AGAIN, Verdict.NEVER
    assert told == {
        (WebhookForm.DING_TALK, 130101): (again, "throttled"),
        (WebhookForm.DING_TALK, 310000): (never, "security-settings"),
        (WebhookForm.DING_TALK, 300001): (never, "webhook-not-found"),
        (WebhookForm.FEISHU, 11232): (again, "throttled"),
        (WebhookForm.FEISHU, 19021): (never, "security-settings"),
        (WebhookForm.FEISHU, 19024): (never, "security-settings"),
        (WebhookForm.WE_COM, 45009): (again, "throttled"),
        (WebhookForm.WE_COM, 93000): (never, "webhook-not-found"),
    }
    assert all(codes.outcomes[0] == ACCEPTED for codes in CODES.values())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"errcode": 123456}, "code-unlisted"),
        ({}, "answer-not-understood"),
        ([0], "answer-not-understood"),
        ({"errcode": "0"}, "answer-not-understood"),
        ({"errcode": False}, "answer-not-understood"),
    ],
)
async def test_a_success_that_does_not_say_so_is_tried_again(connect, product, answer, expected):
    product.answers(answer)
    assert await connect().send(post_to(product.url(), WebhookForm.DING_TALK)) == Outcome(Verdict.TRY_AGAIN, expected)


async def test_feishus_older_field_counts_when_the_newer_is_missing(connect, product):
    product.answers({"StatusCode": 0, "StatusMessage": "success"})
    assert await connect().send(post_to(product.url("/hook/x"), WebhookForm.FEISHU)) == ACCEPTED
    product.answers({"StatusCode": 0, "code": 19021})
    outcome = await connect().send(post_to(product.url("/hook/x"), WebhookForm.FEISHU))
    assert outcome == Outcome(Verdict.NEVER, "security-settings")


async def test_a_listed_code_counts_for_more_than_the_status(connect, product):
    product.answers({"code": 11232}, status=400)
    outcome = await connect().send(post_to(product.url("/hook/x"), WebhookForm.FEISHU))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "throttled", 60.0)
    product.answers({"code": 77}, status=400)
    outcome = await connect().send(post_to(product.url("/hook/x"), WebhookForm.FEISHU))
    assert outcome == Outcome(Verdict.NEVER, "message-refused")


@pytest.mark.parametrize("form", [WebhookForm.SLACK, WebhookForm.GENERIC])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *STATUSES.items(),
        (200, ACCEPTED),
        (202, ACCEPTED),
        (204, ACCEPTED),
        (418, Outcome(Verdict.NEVER, "message-refused")),
        (500, Outcome(Verdict.TRY_AGAIN, "server-error")),
        (502, Outcome(Verdict.TRY_AGAIN, "server-error")),
        (599, Outcome(Verdict.TRY_AGAIN, "server-error")),
    ],
)
async def test_statuses_are_told_by_the_table(connect, product, form, status, expected):
    product.answers({"errcode": 0}, status=status)
    assert await connect().send(post_to(product.url("/hook/x"), form)) == expected


async def test_slacks_answers_are_told_apart(connect, product):
    """As its documentation lists them."""
    verdicts = {}
    for status in (400, 403, 404, 410, 429, 500):
        product.answers("x", status=status)
        verdicts[status] = (await connect().send(post_to(product.url("/s"), WebhookForm.SLACK))).verdict
    never, again = Verdict.NEVER, Verdict.TRY_AGAIN
    assert verdicts == {400: never, 403: never, 404: never, 410: never, 429: again, 500: again}


@pytest.mark.parametrize(
    ("given", "expected"),
    [("30", 30.0), ("Sat, 21 Nov 2026 08:01:30 GMT", 90.0), ("Sat, 21 Nov 2026 07:00:00 GMT", 0.0), ("soon", None)],
)
async def test_retry_after_is_honoured(connect, product, given, expected):
    product.answers({}, status=429, headers={"Retry-After": given})
    assert await connect().send(post_to(product.url())) == Outcome(Verdict.TRY_AGAIN, "throttled", expected)


async def test_retry_after_of_the_server_outranks_the_tables_wait(connect, product):
    product.answers({"errcode": 130101}, headers={"Retry-After": "5"})
    outcome = await connect().send(post_to(product.url(), WebhookForm.DING_TALK))
    assert outcome == Outcome(Verdict.TRY_AGAIN, "throttled", 5.0)


async def test_retry_after_means_nothing_with_a_refusal_for_good(connect, product):
    product.answers({}, status=404, headers={"Retry-After": "5"})
    assert await connect().send(post_to(product.url())) == Outcome(Verdict.NEVER, "webhook-not-found")
