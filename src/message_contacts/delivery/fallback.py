"""The fallback address: where messages go that would reach nobody. It counts once its owner's code was given back.

Pure rules, and the sending of the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from message_contacts import errors
from message_contacts.changes import Change, CountUp, Decision, Delete, Enqueue, Insert, Job, Update
from message_contacts.clock import Clock, Instant
from message_contacts.contacts.model import Channel, EmailAddress, MessageType
from message_contacts.delivery.message_store import MessageStore
from message_contacts.delivery.messages import CAPTURED_BEFORE, FallbackAddress
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Transport, Verdict
from message_contacts.delivery.rules import Circumstances
from message_contacts.delivery.texts.message_texts import MessageTexts
from message_contacts.directory.store import DirectoryStore
from message_contacts.errors import ErrorDefinition
from message_contacts.ids import Ids
from message_contacts.verification import limits
from message_contacts.verification.model import Block, VerificationRules
from message_contacts.verification.tokens import Tokens

#: Kind of the job that sends the code.
SEND_FALLBACK_CODE = "send-fallback-code"

NO_FALLBACK = ErrorDefinition(404, "EntityNotExists.FallbackAddress", "There is no fallback address.")
CODE_REFUSED = ErrorDefinition(400, "InvalidParameter.Code", "The Code is wrong, has expired, or was tried too often.")
TOO_MANY = errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT


def is_usable(
    fallback: FallbackAddress, message_type: MessageType, circumstances: Circumstances, *, captured_counts: bool
) -> bool:
    """Whether messages of a type go to the fallback address: it is confirmed, and not suspended."""
    suspended = circumstances.suppressed.get((Channel.EMAIL, fallback.address.lower()), ())
    return fallback.in_force(captured_counts=captured_counts) and message_type not in suspended


def set_address(
    fallback: FallbackAddress | None,
    block: Block | None,
    address: EmailAddress,
    *,
    account_id: str,
    captured: bool,
    now: Instant,
    rules: VerificationRules,
    ids: Ids,
) -> Decision[FallbackAddress]:
    """Let an address wait for its code, and send that. The address in force stays in force until then.

    The address that is in force already changes nothing, save that one that waits is dropped.

    Args:
        block: That the owner of the address wants no such mail from this account.
    Raises: SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT when a limit is used up, or the owner wants no such mail.
    """
    before = fallback or FallbackAddress(account_id=account_id)
    if before.in_force(captured_counts=captured) and before.address.lower() == address.key:
        after = replace(before, waiting="", reference="")
        return Decision(() if after == before else (Update(before, after),), after)
    if block is not None:
        raise TOO_MANY(reason="blocked-by-recipient")
    after = replace(
        before,
        waiting=address.text,
        reference=ids.verification(),
        generation=before.generation + 1,
        waiting_captured=captured,
        wrong_codes=0,
        expires_at=Instant(now + rules.valid_for),
    )
    job = Job(
        job_id=ids.job(now),
        account_id=account_id,
        kind=SEND_FALLBACK_CODE,
        channel=Channel.EMAIL.value,
        payload={"generation": after.generation, "captured": int(captured)},
        due_at=now,
        created_at=now,
    )
    counts: tuple[Change, ...] = (
        CountUp(account_id, limits.sent_counter(Channel.EMAIL), limits.day(now), rules.per_account_and_day, TOO_MANY),
        CountUp(
            account_id,
            limits.sent_to_counter(Channel.EMAIL, address),
            limits.minute(now),
            rules.per_address_and_minute,
            TOO_MANY,
        ),
    )
    changed = Insert(after) if fallback is None else Update(fallback, after)
    return Decision((changed, *counts, Enqueue(job)), after)


def wrong_codes(account_id: str, now: Instant) -> tuple[str, str, str]:
    """Account, name and period of the counter of wrong codes for fallback addresses today."""
    return account_id, "wrong codes for fallback addresses", limits.day(now)


def confirm(
    fallback: FallbackAddress | None,
    *,
    is_right: bool,
    wrong_today: int,
    along: tuple[Change, ...] = (),
    now: Instant,
    rules: VerificationRules,
) -> Decision[FallbackAddress | None]:
    """Put the address that waits in force; None when the code is refused, which is remembered.

    Args:
        wrong_today: How far `wrong_codes` stands; asking for new codes does not lower it.
        along: Changes elsewhere that go along with a confirmation.
    Raises: NO_FALLBACK when none waits.
    """
    if fallback is None or not fallback.waiting:
        raise NO_FALLBACK()
    tried_out = (
        fallback.wrong_codes >= rules.wrong_codes_per_message or wrong_today >= rules.wrong_codes_per_address_and_day
    )
    if tried_out or now >= fallback.expires_at:
        return Decision((), None)
    if not is_right:
        count = CountUp(*wrong_codes(fallback.account_id, now), rules.wrong_codes_per_address_and_day, CODE_REFUSED)
        after = replace(fallback, wrong_codes=fallback.wrong_codes + 1)
        return Decision((Update(fallback, after), count), None)
    after = replace(
        fallback,
        address=fallback.waiting,
        confirmed_at=now,
        captured=fallback.waiting_captured,
        waiting="",
        reference="",
        wrong_codes=0,
    )
    return Decision((Update(fallback, after), *along), after)


def delete(fallback: FallbackAddress | None) -> Decision[None]:
    """No fallback address any more. Raises: NO_FALLBACK."""
    if fallback is None:
        raise NO_FALLBACK()
    return Decision((Delete(fallback),), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackCodeSender:
    """Does jobs of kind `send-fallback-code`. A retry has the same code."""

    messages: MessageStore
    directories: DirectoryStore
    tokens: Tokens
    texts: Callable[[], MessageTexts]
    transports: Mapping[Channel, Transport]
    clock: Clock

    async def __call__(self, job: Job) -> Outcome:
        """Send the code unless it is not wanted any more."""
        fallback = await self.messages.fallback(job.account_id)
        if fallback is None or not fallback.waiting or fallback.generation != int(job.payload["generation"]):
            return Outcome(Verdict.ACCEPTED, "superseded")
        if self.clock.now() >= fallback.expires_at:
            return Outcome(Verdict.ACCEPTED, "expired")
        transport = self.transports[Channel.EMAIL]
        if job.payload.get("captured") and not transport.captures:
            return Outcome(Verdict.ACCEPTED, CAPTURED_BEFORE)
        directory = await self.directories.directory(job.account_id)
        subject, text = self.texts().confirmation(
            "" if directory is None else directory.account_name,
            fallback.waiting,
            self.tokens.code(fallback.reference, fallback.generation),
            fallback.expires_at,
        )
        return await transport.send(
            OutgoingMessage(
                account_id=job.account_id,
                channel=Channel.EMAIL,
                recipient=fallback.waiting,
                message_id=job.job_id,
                subject=subject,
                text=text,
            )
        )
