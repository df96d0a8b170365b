"""The rules of behaviour.md section 5."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from message_contacts import errors
from message_contacts.changes import CountUp, Delete, Enqueue, Insert, RelyOn, Update
from message_contacts.clock import DAY, HOUR, Instant
from message_contacts.contacts.model import (
    Channel,
    Contact,
    ContactRules,
    Deletion,
    DeletionState,
    EmailAddress,
    Slot,
    Verified,
)
from message_contacts.errors import ApiError, ErrorDefinition
from message_contacts.ids import RandomIds
from message_contacts.verification import challenge, limits
from message_contacts.verification.challenge import Case, PageState, Visitor
from message_contacts.verification.model import Block, Evidence, Verification, VerificationRules, VerificationState, Way
from tests.factories import (
    ACCOUNT,
    BY_PERSON,
    EMAIL,
    OTHER_EMAIL,
    PHONE,
    make_contact,
    make_verification,
)
from tests.fakes.clock import START

RULES = VerificationRules()
CONTACT_RULES = ContactRules()
CAPTURING = ContactRules(captured_counts=frozenset({Channel.EMAIL, Channel.SMS}))
VERIFICATION = make_verification()
ASKED = make_contact(email=Slot(shown=EMAIL, verification_id=VERIFICATION.verification_id))
VISITOR = Visitor("203.0.113.7", "Browser")
BLOCK = Block(
    account_id=ACCOUNT,
    channel=Channel.EMAIL,
    address_key=EMAIL.key,
    verification_id=VERIFICATION.verification_id,
    blocked_at=START,
    source_address="203.0.113.7",
)


def send(contact: Contact | None, verification: Verification | None = None, **changed: Any) -> Any:
    arguments = {"channel": Channel.EMAIL, "address": EMAIL, "block": None, "contact_rules": CONTACT_RULES, **changed}
    return challenge.send(
        contact,
        verification,
        arguments["block"],
        arguments["channel"],
        arguments["address"],
        now=START,
        contact_rules=arguments["contact_rules"],
        rules=RULES,
        ids=RandomIds(),
    )


def refusal_of(*arguments: Any, **keywords: Any) -> ErrorDefinition:
    with pytest.raises(ApiError) as refusal:
        send(*arguments, **keywords)
    return refusal.value.definition


def state(generation: int = 1, *, now: Instant = START, **case: Any) -> PageState:
    given = {"verification": VERIFICATION, "contact": ASKED, "block": None, **case}
    return challenge.state(Case(**given), generation, now=now, contact_rules=CONTACT_RULES)


def test_send_for_the_first_time_names_a_verification_in_the_contact_and_queues_it() -> None:
    contact = make_contact()
    decision = send(contact)
    inserted, updated, per_day, per_minute, queued = decision.changes
    sent = decision.result
    assert inserted == Insert(sent)
    assert (sent.generation, sent.address, sent.expires_at) == (1, EMAIL.text, START + DAY)
    assert isinstance(updated, Update)
    assert updated.after == replace(contact, email=Slot(shown=EMAIL, verification_id=sent.verification_id))
    assert isinstance(per_day, CountUp)
    assert (per_day.counter, per_day.period, per_day.limit) == ("email verifications", "2026-11-21", 100)
    assert isinstance(per_minute, CountUp)
    assert (per_minute.period, per_minute.limit) == ("2026-11-21T08:00", 10)
    assert EMAIL.text not in per_minute.counter
    assert isinstance(queued, Enqueue)
    assert queued.job.payload == {"verification_id": sent.verification_id, "generation": 1, "captured": 0}


def test_send_again_raises_the_generation_and_forgets_wrong_codes() -> None:
    decision = send(ASKED, replace(VERIFICATION, wrong_codes=5))
    changed, relied, *_ = decision.changes
    assert isinstance(changed, Update)
    assert (decision.result.generation, decision.result.wrong_codes) == (2, 0)
    assert relied == RelyOn(ASKED)


def test_send_in_capture_mode_is_marked_everywhere() -> None:
    decision = send(make_contact(), contact_rules=CAPTURING)
    assert decision.result.captured
    assert decision.changes[-1].job.payload["captured"] == 1


def test_send_takes_another_spelling_of_the_address_and_sends_to_the_one_kept() -> None:
    assert send(make_contact(), address=EmailAddress("TOM@EXAMPLE.COM")).result.address == EMAIL.text


def test_send_to_a_replacement_that_waits() -> None:
    contact = make_contact(email=Slot(shown=EMAIL, verified=BY_PERSON, waiting=OTHER_EMAIL))
    assert send(contact, address=OTHER_EMAIL).result.address == OTHER_EMAIL.text


@pytest.mark.parametrize(
    ("contact", "changed", "expected"),
    [
        pytest.param(None, {}, errors.ENTITY_NOT_EXISTS_CONTACT, id="no contact"),
        pytest.param(
            make_contact(),
            {"address": OTHER_EMAIL},
            errors.ENTITY_NOT_EXISTS_CONTACT_VERIFICATION,
            id="another address",
        ),
        pytest.param(
            make_contact(),
            {"channel": Channel.SMS, "address": PHONE},
            errors.ENTITY_NOT_EXISTS_CONTACT_VERIFICATION,
            id="no phone",
        ),
        pytest.param(
            make_contact(email=Slot(shown=EMAIL, verified=BY_PERSON)),
            {},
            errors.ENTITY_NOT_EXISTS_CONTACT_VERIFICATION,
            id="already verified",
        ),
        pytest.param(
            make_contact(email=Slot(shown=EMAIL, verified=BY_PERSON, waiting=OTHER_EMAIL)),
            {},
            errors.ENTITY_NOT_EXISTS_CONTACT_VERIFICATION,
            id="in force, while another waits",
        ),
        pytest.param(
            make_contact(deletion=Deletion(DeletionState.DELETING)),
            {},
            errors.ENTITY_NOT_EXISTS_CONTACT_VERIFICATION,
            id="being deleted",
        ),
        pytest.param(
            make_contact(),
            {"block": BLOCK},
            errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT,
            id="its owner said no",
        ),
    ],
)
def test_send_refuses(contact: Contact | None, changed: dict[str, Any], expected: ErrorDefinition) -> None:
    assert refusal_of(contact, **changed) is expected


def test_link_states() -> None:
    second = replace(VERIFICATION, generation=2)
    assert state() is PageState.READY
    assert state(2) is PageState.UNKNOWN
    assert state(verification=None) is PageState.UNKNOWN
    assert state(1, verification=second) is PageState.SUPERSEDED
    assert state(2, verification=second) is PageState.READY
    assert state(now=Instant(START + DAY - 1)) is PageState.READY
    assert state(now=Instant(START + DAY)) is PageState.EXPIRED
    assert state(block=BLOCK) is PageState.BLOCKED
    assert state(contact=None) is PageState.REPLACED
    assert state(contact=make_contact()) is PageState.REPLACED
    assert state(contact=replace(ASKED, deletion=Deletion(DeletionState.DELETING))) is PageState.REPLACED
    assert state(verification=replace(VERIFICATION, state=VerificationState.CONFIRMED)) is PageState.ALREADY_CONFIRMED


def test_confirm_puts_the_address_in_force_and_keeps_evidence() -> None:
    case = Case(verification=VERIFICATION, contact=ASKED, block=None)
    now = Instant(START + HOUR)
    decision = challenge.confirm(case, 1, Way.LINK, VISITOR, now=now, contact_rules=CONTACT_RULES)
    assert decision.result is PageState.CONFIRMED
    assert decision.changes == (
        Update(VERIFICATION, replace(VERIFICATION, state=VerificationState.CONFIRMED)),
        Update(ASKED, replace(ASKED, email=Slot(shown=EMAIL, verified=Verified(now, captured=False)))),
        Insert(
            Evidence(
                account_id=ACCOUNT,
                verification_id=VERIFICATION.verification_id,
                contact_id=ASKED.contact_id,
                channel=Channel.EMAIL,
                address=EMAIL.text,
                confirmed_at=now,
                way=Way.LINK,
                source_address="203.0.113.7",
                user_agent="Browser",
                captured=False,
            )
        ),
    )


def test_confirm_of_a_captured_message_is_marked_even_when_the_channel_is_real_now() -> None:
    case = Case(verification=replace(VERIFICATION, captured=True), contact=ASKED, block=None)
    decision = challenge.confirm(case, 1, Way.LINK, VISITOR, now=START, contact_rules=CONTACT_RULES)
    updated = decision.changes[1]
    assert isinstance(updated, Update)
    assert isinstance(updated.after, Contact)
    assert updated.after.pending_addresses(CONTACT_RULES) == [EMAIL]


def test_confirm_of_anything_but_a_ready_link_changes_nothing() -> None:
    for case, generation in (
        (Case(verification=VERIFICATION, contact=None, block=None), 1),
        (Case(verification=VERIFICATION, contact=ASKED, block=BLOCK), 1),
        (Case(verification=replace(VERIFICATION, generation=3), contact=ASKED, block=None), 2),
        (Case(verification=None, contact=None, block=None), 1),
    ):
        assert not challenge.confirm(
            case, generation, Way.LINK, VISITOR, now=START, contact_rules=CONTACT_RULES
        ).changes


def test_codes_may_be_tried_five_times_a_message_and_ten_times_a_day() -> None:
    def may_try(wrong: int, today: int) -> bool:
        verification = replace(VERIFICATION, wrong_codes=wrong)
        return challenge.may_try_code(
            Case(verification=verification, contact=ASKED, block=None, wrong_codes_today=today), RULES
        )

    assert may_try(4, 9)
    assert not may_try(5, 5)
    assert not may_try(0, 10)


def test_refuse_blocks_once_and_take_back_undoes_it() -> None:
    case = Case(verification=VERIFICATION, contact=ASKED, block=None)
    refused = challenge.refuse(case, VISITOR, now=START)
    assert refused.changes == (Update(VERIFICATION, VERIFICATION), Insert(BLOCK))
    blocked = replace(case, block=BLOCK)
    assert challenge.refuse(blocked, VISITOR, now=START).changes == ()
    taken_back = challenge.take_back(blocked, 1, now=START, contact_rules=CONTACT_RULES)
    assert (taken_back.changes, taken_back.result) == ((RelyOn(VERIFICATION), Delete(BLOCK)), PageState.READY)


def test_refuse_of_an_address_that_was_confirmed_changes_nothing() -> None:
    done = replace(VERIFICATION, state=VerificationState.CONFIRMED)
    decision = challenge.refuse(Case(verification=done, contact=ASKED, block=None), VISITOR, now=START)
    assert (decision.changes, decision.result) == ((), PageState.ALREADY_CONFIRMED)


def test_day_of_limits_begins_at_midnight_utc_plus_8() -> None:
    before = Instant(START + 8 * HOUR - 1)
    assert (limits.day(before), limits.day(Instant(before + 1))) == ("2026-11-21", "2026-11-22")
