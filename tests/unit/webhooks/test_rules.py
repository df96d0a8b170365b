"""The life of a webhook, without anything around it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.access.keys import SealBrokenError, Vault
from message_contacts.changes import CountDown, CountUp, Delete, Enqueue, Insert, RelyOn, Update
from message_contacts.clock import MINUTE, Instant
from message_contacts.contacts.model import Binding, MessageType, Verified
from message_contacts.errors import ApiError
from message_contacts.protocol.standard_webhooks import secret_bytes
from message_contacts.verification.model import VerificationRules
from message_contacts.webhooks import rules
from message_contacts.webhooks.addresses import Url
from message_contacts.webhooks.model import (
    Endpoint,
    PendingCode,
    SealedEndpoint,
    Webhook,
    WebhookForm,
    WebhookName,
    WebhookRules,
    WebhookStatus,
)
from message_contacts.webhooks.rules import WebhookUpdate
from message_contacts.webhooks.sealing import EndpointSeal
from tests.fakes.clock import START
from tests.fakes.ids import CountingIds

LATER = Instant(START + MINUTE)
RULES = VerificationRules()
GENERIC_SECRET = "whsec_" + "A" * 32


def place(letter, *, signed=False):
    return SealedEndpoint(letter.encode(), letter.encode() * 16, f"https://{letter}.example/***", signed)


A, B, C = place("a"), place("b"), place("c")
CONFIRMED = Verified(START, captured=False)
CODE = PendingCode("0123456789", 3, False, 0, LATER)


def make_webhook(**fields):
    return Webhook(
        **{
            "account_id": "1000000000000001",
            "webhook_id": "wh-0000000000000001",
            "name": WebhookName("duty"),
            "form": WebhookForm.DING_TALK,
            "message_types": (MessageType.FAULT_MESSAGE,),
            "endpoint": A,
            "created_at": START,
            **fields,
        }
    )


def code_of(call):
    with pytest.raises(ApiError) as refusal:
        call()
    return refusal.value.definition.code


def test_a_new_webhook_is_bound_and_counted_and_verifying():
    decision = rules.create(make_webhook(), ["r-1", "fd-1"], {"r-1", "fd-1"}, WebhookRules(per_directory=7))
    made = decision.result
    assert [binding.node_id for binding in made.bindings] == ["r-1", "fd-1"]
    assert made.status(captured_counts=True) is WebhookStatus.VERIFYING
    insert, count = decision.changes
    assert insert == Insert(made)
    assert isinstance(count, CountUp)
    assert (count.limit, count.error.code) == (7, "LimitExceeded.Webhooks")


def test_a_new_webhook_of_an_unknown_object_is_refused():
    assert code_of(lambda: rules.create(make_webhook(), ["r-1"], set(), WebhookRules())) == "InvalidMember"


@pytest.mark.parametrize(
    ("before", "endpoint", "names_address", "expected"),
    [
        # endpoint, waiting, whether the code stays good
        (make_webhook(code=CODE), B, True, (B, None, False)),
        (make_webhook(code=CODE), A, True, (A, None, True)),
        (make_webhook(verified=CONFIRMED, code=CODE), B, True, (A, B, False)),
        (make_webhook(verified=CONFIRMED, code=CODE), A, True, (A, None, True)),
        (make_webhook(verified=CONFIRMED, waiting=B, code=CODE), C, True, (A, C, False)),
        (make_webhook(verified=CONFIRMED, waiting=B, code=CODE), B, True, (A, B, True)),
        (make_webhook(verified=CONFIRMED, waiting=B, code=CODE), A, True, (A, None, False)),
        (make_webhook(verified=CONFIRMED, waiting=B, code=CODE), A, False, (A, B, True)),
        (make_webhook(verified=CONFIRMED, waiting=B, code=CODE), None, False, (A, B, True)),
    ],
)
def test_a_new_address_takes_effect_after_confirmation(before, endpoint, names_address, expected):
    """The table of contacts' addresses, behaviour.md section 3."""
    asked = WebhookUpdate(endpoint=endpoint, names_address=names_address)
    after = rules.update(before, asked, set(), now=LATER).result
    assert (after.endpoint, after.waiting, bool(after.code.reference)) == expected
    assert after.verified == before.verified
    assert after.code.generation == 3


def test_another_secret_for_the_same_address_needs_no_confirmation():
    signed = replace(A, sealed=b"other", signed=True)
    before = make_webhook(verified=CONFIRMED)
    after = rules.update(before, WebhookUpdate(endpoint=signed), set(), now=LATER).result
    assert after.endpoint == signed
    assert after.in_force(captured_counts=False)


def test_an_update_that_changes_nothing_only_relies_on_what_it_read():
    before = make_webhook(bindings=(Binding("r-1", START),))
    asked = WebhookUpdate(name=before.name, node_ids=["r-1"])
    decision = rules.update(before, asked, {"r-1"}, now=LATER)
    assert decision.changes == (RelyOn(before),)


def test_bindings_given_take_the_place_of_those_there_and_kept_ones_keep_their_date():
    before = make_webhook(bindings=(Binding("r-1", START), Binding("fd-1", START)))
    after = rules.update(before, WebhookUpdate(node_ids=["fd-2", "fd-1"]), {"fd-1", "fd-2"}, now=LATER).result
    assert after.bindings == (Binding("fd-1", START), Binding("fd-2", LATER))
    asked = WebhookUpdate(node_ids=["fd-9"])
    assert code_of(lambda: rules.update(before, asked, set(), now=LATER)) == "InvalidMember"


def test_deleting_gives_the_place_back():
    webhook = make_webhook()
    assert rules.delete(webhook).changes == (Delete(webhook), CountDown(webhook.account_id, rules.WEBHOOKS))


def test_nothing_can_be_done_to_a_webhook_that_is_not_there():
    asked = WebhookUpdate()
    calls = [
        lambda: rules.delete(None),
        lambda: rules.update(None, asked, set(), now=LATER),
        lambda: rules.ask_for_code(None, captured=False, now=LATER, rules=RULES, ids=CountingIds()),
        lambda: confirm(None),
    ]
    assert {code_of(call) for call in calls} == {"EntityNotExists.Webhook"}


def test_a_code_is_asked_for_with_its_limits_and_voids_the_one_before():
    before = make_webhook(code=CODE)
    decision = rules.ask_for_code(before, captured=True, now=START, rules=RULES, ids=CountingIds())
    update, day, minute, job = decision.changes
    assert isinstance(update, Update)
    assert update.after.code.generation == 4
    assert update.after.code.reference != CODE.reference
    assert update.after.code.captured
    assert update.after.code.expires_at == START + RULES.valid_for
    assert isinstance(day, CountUp)
    assert isinstance(minute, CountUp)
    assert (day.limit, minute.limit) == (RULES.per_account_and_day, RULES.per_address_and_minute)
    assert isinstance(job, Enqueue)
    assert job.job.payload == {"webhook_id": before.webhook_id, "generation": 4, "captured": 1}
    assert job.job.channel == "webhook"


def test_no_code_is_posted_where_nothing_waits():
    webhook = make_webhook(verified=CONFIRMED)
    call = lambda: rules.ask_for_code(webhook, captured=False, now=START, rules=RULES, ids=CountingIds())  # noqa: E731
    assert code_of(call) == "EntityNotExists.Webhook.Verification"
    assert code_of(lambda: confirm(webhook)) == "EntityNotExists.Webhook.Verification"


def confirm(webhook, *, is_right=True, wrong_today=0, captured_counts=False, now=START):
    return rules.confirm(
        webhook, is_right=is_right, wrong_today=wrong_today, captured_counts=captured_counts, now=now, rules=RULES
    )


def test_the_code_puts_the_address_in_force_once():
    confirmed = confirm(make_webhook(code=CODE)).result
    assert confirmed.verified == Verified(START, captured=False)
    assert confirmed.status(captured_counts=False) is WebhookStatus.ACTIVE
    assert confirmed.code == PendingCode(generation=3)


def test_the_code_puts_a_replacement_in_the_place_of_the_address_before():
    confirmed = confirm(make_webhook(verified=CONFIRMED, waiting=B, code=CODE)).result
    assert (confirmed.endpoint, confirmed.waiting) == (B, None)


def test_what_was_confirmed_from_the_inbox_counts_only_while_webhooks_are_captured():
    captured = confirm(make_webhook(code=replace(CODE, captured=True)), captured_counts=True).result
    assert captured.in_force(captured_counts=True)
    assert not captured.in_force(captured_counts=False)
    assert captured.pending(captured_counts=False) == A


@pytest.mark.parametrize(
    ("code", "wrong_today", "now"),
    [
        (replace(CODE, reference=""), 0, START),
        (CODE, 0, LATER),
        (replace(CODE, wrong_codes=RULES.wrong_codes_per_message), 0, START),
        (CODE, RULES.wrong_codes_per_address_and_day, START),
    ],
)
def test_even_the_right_code_is_refused_when_void_expired_or_tried_out(code, wrong_today, now):
    decision = confirm(make_webhook(code=code), wrong_today=wrong_today, now=now)
    assert decision.result is None
    assert decision.changes == ()


def test_a_wrong_code_is_remembered_for_the_message_and_for_the_day():
    decision = confirm(make_webhook(code=CODE), is_right=False)
    update, count = decision.changes
    assert decision.result is None
    assert isinstance(update, Update)
    assert update.after.code.wrong_codes == 1
    assert isinstance(count, CountUp)
    assert count.limit == RULES.wrong_codes_per_address_and_day


def test_an_object_that_goes_takes_its_bindings_along():
    webhook = make_webhook(bindings=(Binding("r-1", START), Binding("fd-1", START)))
    (update,) = rules.unbound([webhook], "fd-1")
    assert isinstance(update, Update)
    assert update.after.bindings == (Binding("r-1", START),)


URL_A, URL_B = Url("https://a.example/x"), Url("https://b.example/x")


def test_secrets_are_those_that_the_product_has():
    taken = {
        form: [
            secret
            for secret in ("SECabc", GENERIC_SECRET, "whsec_AAAA", "with space")
            if not refused(lambda form=form, secret=secret: rules.new_endpoint(form, URL_A, secret))
        ]
        for form in WebhookForm
    }
    assert taken == {
        WebhookForm.DING_TALK: ["SECabc", GENERIC_SECRET, "whsec_AAAA"],
        WebhookForm.FEISHU: ["SECabc", GENERIC_SECRET, "whsec_AAAA"],
        WebhookForm.WE_COM: [],
        WebhookForm.SLACK: [],
        WebhookForm.GENERIC: [GENERIC_SECRET],
    }


def refused(call):
    try:
        call()
    except ApiError as refusal:
        assert refusal.definition.code == "InvalidParameter.Secret"  # noqa: PT017 - both ends are wanted
        return True
    return False


def test_posts_to_programs_are_always_signed():
    made = rules.new_endpoint(WebhookForm.GENERIC, URL_A, None)
    assert made.secret is not None
    assert len(secret_bytes(made.secret)) == 32
    assert made.secret != rules.new_endpoint(WebhookForm.GENERIC, URL_A, None).secret
    known = [Endpoint(URL_A, made.secret)]
    assert rules.changed_endpoint(WebhookForm.GENERIC, known, URL_B, None) == Endpoint(URL_B, made.secret)
    assert refused(lambda: rules.changed_endpoint(WebhookForm.GENERIC, known, None, ""))


@pytest.mark.parametrize(
    ("url", "secret", "expected"),
    [
        (None, None, None),
        (None, "new", Endpoint(URL_A, "new")),
        (None, "", Endpoint(URL_A, None)),
        (URL_A, None, Endpoint(URL_A, "old")),
        (URL_B, None, Endpoint(URL_B, "waits")),
        (Url("https://c.example/x"), None, Endpoint(Url("https://c.example/x"), None)),
        (Url("https://c.example/x"), "new", Endpoint(Url("https://c.example/x"), "new")),
    ],
)
def test_an_address_that_is_known_keeps_its_secret_and_a_new_one_has_its_own(url, secret, expected):
    known = [Endpoint(URL_A, "old"), Endpoint(URL_B, "waits")]
    assert rules.changed_endpoint(WebhookForm.DING_TALK, known, url, secret) == expected


def test_sealed_endpoints_open_for_their_webhook_only():
    seal = EndpointSeal(Vault(b"k" * 32))
    endpoint = Endpoint(Url("https://a.example/x?token=secret"), "SECabc")
    sealed = seal.close(endpoint, "wh-1")
    assert seal.open(sealed, "wh-1") == endpoint
    assert b"secret" not in sealed.sealed
    assert "secret" not in f"{sealed}{endpoint!r}"
    assert (sealed.shown, sealed.signed) == ("https://a.example/***", True)
    with pytest.raises(SealBrokenError):
        seal.open(sealed, "wh-2")
    with pytest.raises(SealBrokenError):
        EndpointSeal(Vault(b"l" * 32)).open(sealed, "wh-1")


def test_what_was_sealed_by_the_first_release_opens_after_a_rotation():
    kept = SealedEndpoint(
        bytes.fromhex(
            "7674bf0c262dea695db0a67dc6920b1d0705c627ded17007826be856196c85314e31e6690fce1b613a7994c1cd8eaed03a004e465db11712"
            "cf193a8370a5de12f3e1dcaf48ef42eef5"
        ),
        bytes.fromhex("3bd8767b8d863d668b24115bbd91808d"),
        "https://a.example/***",
        signed=True,
    )
    endpoint = Endpoint(Url("https://a.example/x?token=secret"), "SECabc")
    seal = EndpointSeal(Vault(b"n" * 32, b"k" * 32))
    assert seal.open(kept, "wh-1") == endpoint
    assert seal.opened_by(kept, "wh-1") == b"k" * 32
    assert seal.opened_by(seal.close(endpoint, "wh-1"), "wh-1") == b"n" * 32
    assert EndpointSeal(Vault(b"k" * 32)).close(endpoint, "wh-1").digest == kept.digest


def test_an_address_that_is_given_again_is_known_though_the_key_was_replaced():
    endpoint, other = Endpoint(URL_A, "x"), Endpoint(URL_B, None)
    kept = EndpointSeal(Vault(b"k" * 32)).close(endpoint, "wh-1")
    seal = EndpointSeal(Vault(b"n" * 32, b"k" * 32))
    known = [(kept, endpoint)]
    assert seal.close(Endpoint(URL_A, "y"), "wh-1", known).digest == kept.digest
    assert seal.close(other, "wh-1", known).digest == seal.close(other, "wh-1").digest != kept.digest


def test_an_endpoint_is_sealed_with_a_key_that_another_process_has_just_made():
    source: list[tuple[bytes, ...]] = []
    seal = EndpointSeal(Vault(b"k" * 32, newer=lambda: source.pop() if source else None))
    endpoint = Endpoint(URL_A, None)
    made_there = EndpointSeal(Vault(b"n" * 32)).close(endpoint, "wh-1")
    with pytest.raises(SealBrokenError):
        seal.open(made_there, "wh-1")
    source.append((b"n" * 32, b"k" * 32))
    assert seal.open(made_there, "wh-1") == endpoint
    source.append((b"m" * 32, b"n" * 32))
    made_here = seal.close(endpoint, "wh-1")
    assert EndpointSeal(Vault(b"m" * 32)).close(endpoint, "wh-1").digest == made_here.digest
    assert seal.opened_by(made_here, "wh-1") == b"m" * 32


def test_the_same_address_is_known_again_whatever_its_secret():
    seal = EndpointSeal(Vault(b"k" * 32))
    first = seal.close(Endpoint(URL_A, None), "wh-1")
    assert first.digest == seal.close(Endpoint(URL_A, "x"), "wh-1").digest
    assert first.digest != seal.close(Endpoint(URL_B, None), "wh-1").digest
    assert first.digest != EndpointSeal(Vault(b"l" * 32)).close(Endpoint(URL_A, None), "wh-1").digest


@pytest.mark.parametrize("text", ["", " duty", "duty ", "a\nb", "a" * 65, "a\x00b"])
def test_a_name_is_one_line_of_at_most_64_characters(text):
    assert code_of(lambda: WebhookName.parse(text)) == "InvalidParameter.Name"


def test_names_may_be_in_any_language():
    assert WebhookName.parse("值班 群 1").text == "值班 群 1"
