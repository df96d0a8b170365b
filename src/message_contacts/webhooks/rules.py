"""The rules of webhooks: adding, changing, confirming and taking them away.

Pure: what was read and what is asked in, a `Decision` out. A webhook counts once the code that was posted to it is
given back; a new address takes effect after that, the one before it stays in force until then - as with contacts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from message_contacts import errors
from message_contacts.changes import Change, CountDown, CountUp, Decision, Delete, Enqueue, Insert, Job, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.contacts.model import Binding, MessageType, Verified
from message_contacts.ids import Ids
from message_contacts.protocol.standard_webhooks import new_secret
from message_contacts.verification import limits
from message_contacts.verification.model import VerificationRules
from message_contacts.webhooks import webhook_errors as refusals
from message_contacts.webhooks.addresses import Url
from message_contacts.webhooks.model import (
    Endpoint,
    PendingCode,
    SealedEndpoint,
    Webhook,
    WebhookForm,
    WebhookName,
    WebhookRules,
    checked_secret,
)

#: Counter of a directory's webhooks.
WEBHOOKS = "webhooks"
#: Kind of the job that posts a code, and the queue that posts to webhooks wait in.
SEND_WEBHOOK_CODE = "send-webhook-code"
CHANNEL = "webhook"

_TOO_MANY = errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookUpdate:
    """What to change; None: nothing about it."""

    name: WebhookName | None = None
    message_types: tuple[MessageType, ...] | None = None
    node_ids: Sequence[str] | None = None
    endpoint: SealedEndpoint | None = None
    #: Whether the address was named: then one that waits is dropped when it is the one in force.
    names_address: bool = False


def new_endpoint(form: WebhookForm, url: Url, secret: str | None) -> Endpoint:
    """The endpoint of a new webhook. A Generic one without a secret gets a random one: its posts are always signed.

    Raises: INVALID_SECRET.
    """
    secret = checked_secret(form, secret or None)
    return Endpoint(url, new_secret() if secret is None and form is WebhookForm.GENERIC else secret)


def changed_endpoint(
    form: WebhookForm, known: Sequence[Endpoint], url: Url | None, secret: str | None
) -> Endpoint | None:
    """The endpoint after an update; None when neither address nor secret is named.

    An address that is known keeps its secret unless one is given, an empty one takes it away. A new address has none;
    of a Generic webhook it keeps the one there was, since its posts are always signed.

    Args:
        known: The endpoint in force (or the unconfirmed one), then the one that waits, if one does; without those that
            no key opens any more.
    Raises: INVALID_SECRET, UNREADABLE_ADDRESS.
    """
    if url is None and secret is None:
        return None
    generic = form is WebhookForm.GENERIC
    if not known and (url is None or (generic and secret is None)):
        raise refusals.UNREADABLE_ADDRESS()
    same = next((endpoint for endpoint in known if url is None or endpoint.url == url), None)
    if secret is None:
        kept = same or (known[0] if generic else None)
        return Endpoint(url or known[0].url, kept.secret if kept else None)
    if not secret and generic:
        raise refusals.INVALID_SECRET(form=form)
    return Endpoint(url or known[0].url, checked_secret(form, secret or None))


def create(webhook: Webhook, node_ids: Sequence[str], known: Collection[str], rules: WebhookRules) -> Decision[Webhook]:
    """A new webhook, nothing posted yet. Bound to all these objects, or not made.

    Args:
        known: Those of the objects that are in the directory; that they still are is checked by the commit.
    Raises: INVALID_MEMBER. From the commit, in this order: INVALID_PARAMETER_NAME_ALREADY_USED,
        LIMIT_EXCEEDED_WEBHOOKS.
    """
    _check(node_ids, known)
    made = replace(webhook, bindings=tuple(Binding(node_id, webhook.created_at) for node_id in node_ids))
    count = CountUp(webhook.account_id, WEBHOOKS, "", rules.per_directory, refusals.LIMIT_EXCEEDED_WEBHOOKS)
    return Decision((Insert(made), count), made)


def update(webhook: Webhook | None, asked: WebhookUpdate, known: Collection[str], *, now: Instant) -> Decision[Webhook]:
    """Change what is given, all or nothing.

    Raises: NO_WEBHOOK, INVALID_MEMBER. From the commit: INVALID_PARAMETER_NAME_ALREADY_USED.
    """
    before = existing(webhook)
    bindings = before.bindings
    if asked.node_ids is not None:
        _check(asked.node_ids, known)
        present = {binding.node_id: binding for binding in before.bindings}
        kept = tuple(binding for binding in before.bindings if binding.node_id in asked.node_ids)
        bindings = kept + tuple(Binding(node_id, now) for node_id in asked.node_ids if node_id not in present)
    after = replace(
        _with_endpoint(before, asked),
        name=asked.name or before.name,
        message_types=asked.message_types or before.message_types,
        bindings=bindings,
    )
    return Decision((RelyOn(before) if after == before else Update(before, after),), after)


def delete(webhook: Webhook | None) -> Decision[None]:
    """No webhook any more; messages that wait for it are not posted. Raises: NO_WEBHOOK."""
    found = existing(webhook)
    return Decision(gone([found]), None)


def gone(webhooks: Iterable[Webhook]) -> tuple[Change, ...]:
    """The changes that take webhooks away."""
    return tuple(change for each in webhooks for change in (Delete(each), CountDown(each.account_id, WEBHOOKS)))


def unbound(webhooks: Iterable[Webhook], node_id: str) -> tuple[Change, ...]:
    """The changes that take an object's bindings away, because the object goes."""
    return tuple(
        Update(each, replace(each, bindings=tuple(tie for tie in each.bindings if tie.node_id != node_id)))
        for each in webhooks
    )


def ask_for_code(
    webhook: Webhook | None, *, captured: bool, now: Instant, rules: VerificationRules, ids: Ids
) -> Decision[None]:
    """Have a code posted to the endpoint that waits to be confirmed; codes posted before are void.

    Raises: NO_WEBHOOK, NO_VERIFICATION, SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT.
    """
    before = existing(webhook)
    if before.pending(captured_counts=captured) is None:
        raise refusals.NO_VERIFICATION(webhook_id=before.webhook_id)
    code = PendingCode(
        reference=ids.verification(),
        generation=before.code.generation + 1,
        captured=captured,
        expires_at=Instant(now + rules.valid_for),
    )
    job = Job(
        job_id=ids.job(now),
        account_id=before.account_id,
        kind=SEND_WEBHOOK_CODE,
        channel=CHANNEL,
        payload={"webhook_id": before.webhook_id, "generation": code.generation, "captured": int(captured)},
        due_at=now,
        created_at=now,
    )
    return Decision(
        (
            Update(before, replace(before, code=code)),
            CountUp(before.account_id, "webhook verifications", limits.day(now), rules.per_account_and_day, _TOO_MANY),
            CountUp(
                before.account_id,
                f"webhook verifications to {before.webhook_id}",
                limits.minute(now),
                rules.per_address_and_minute,
                _TOO_MANY,
            ),
            Enqueue(job),
        ),
        None,
    )


def wrong_codes(account_id: str, webhook_id: str, now: Instant) -> tuple[str, str, str]:
    """Account, name and period of the counter of wrong codes for a webhook today."""
    return account_id, f"wrong codes for {webhook_id}", limits.day(now)


def confirm(
    webhook: Webhook | None,
    *,
    is_right: bool,
    wrong_today: int,
    captured_counts: bool,
    now: Instant,
    rules: VerificationRules,
) -> Decision[Webhook | None]:
    """Put the endpoint that waits in force; None when the code is refused, which is remembered.

    Args:
        is_right: Whether the code is that of `webhook.code`.
        wrong_today: How far the counter `wrong_codes` stands; asking for new codes does not lower it.
    Raises: NO_WEBHOOK, NO_VERIFICATION.
    """
    before = existing(webhook)
    pending = before.pending(captured_counts=captured_counts)
    if pending is None:
        raise refusals.NO_VERIFICATION(webhook_id=before.webhook_id)
    code = before.code
    tried_out = (
        code.wrong_codes >= rules.wrong_codes_per_message or wrong_today >= rules.wrong_codes_per_address_and_day
    )
    if not code.reference or tried_out or now >= code.expires_at:
        return Decision((), None)
    if not is_right:
        counter = wrong_codes(before.account_id, before.webhook_id, now)
        count = CountUp(*counter, rules.wrong_codes_per_address_and_day, refusals.INVALID_CODE)
        after = replace(before, code=replace(code, wrong_codes=code.wrong_codes + 1))
        return Decision((Update(before, after), count), None)
    confirmed = replace(
        before,
        endpoint=pending,
        verified=Verified(now, captured=code.captured),
        waiting=None,
        code=code.void(),
    )
    return Decision((Update(before, confirmed),), confirmed)


def existing(webhook: Webhook | None) -> Webhook:
    """The webhook. Raises: NO_WEBHOOK when there is none."""
    if webhook is None:
        raise refusals.NO_WEBHOOK()
    return webhook


def _check(node_ids: Iterable[str], known: Collection[str]) -> None:
    for node_id in node_ids:
        if node_id not in known:
            raise errors.INVALID_MEMBER(node_id=node_id)


def _with_endpoint(webhook: Webhook, asked: WebhookUpdate) -> Webhook:
    """The webhook with another endpoint: the table of contacts' addresses (behaviour.md section 3), for URLs."""
    endpoint, waiting = asked.endpoint, webhook.waiting
    if endpoint is None:
        return webhook
    if endpoint.digest == webhook.endpoint.digest:
        # The same place, perhaps with another secret. A code posted to an address that waited is void with it.
        drops = waiting is not None and asked.names_address
        return replace(
            webhook,
            endpoint=endpoint,
            waiting=None if drops else waiting,
            code=webhook.code.void() if drops else webhook.code,
        )
    if webhook.verified is None:
        return replace(webhook, endpoint=endpoint, code=webhook.code.void())
    same = waiting is not None and endpoint.digest == waiting.digest
    return replace(webhook, waiting=endpoint, code=webhook.code if same else webhook.code.void())
