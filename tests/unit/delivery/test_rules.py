"""The rules that decide about an address: each one's word, and which of them counts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.contacts.model import Channel, EmailAddress, MessageType, PhoneNumber, Verified
from message_contacts.delivery.candidates import Because, Candidate, Reason, contact_candidates, copy_candidates
from message_contacts.delivery.rules import (
    RULES,
    Asked,
    Circumstances,
    Severity,
    Word,
    findings,
    judge,
    judge_standing,
    types_reached,
)
from tests.factories import BY_PERSON, EMAIL, FROM_INBOX, PHONE, make_contact
from tests.fakes.clock import START
from tests.storage.making import make_copy

FAULT, SECURITY, EXPENSES = (
    MessageType.FAULT_MESSAGE,
    MessageType.SECURITY_MESSAGE,
    MessageType.ACCOUNT_EXPENSES,
)
OWN = (Reason(Because.OWN, "2000000000000001"),)
CRITICAL = Asked(message_type=SECURITY, severity=Severity.CRITICAL)
NORMAL = Asked(message_type=SECURITY, severity=Severity.NORMAL)
MAIL_KEY = (Channel.EMAIL, "tom@example.com")


def mail(**fields: Any) -> Candidate:
    """An e-mail address that gets a security message."""
    return Candidate(
        **{
            "contact_id": "c-0000000000000001",
            "detached_id": None,
            "name": "Tom",
            "message_types": (SECURITY, FAULT),
            "channel": Channel.EMAIL,
            "address": EMAIL,
            "verified": BY_PERSON,
            "deleting": False,
            "reasons": OWN,
            **fields,
        }
    )


def phone(**fields: Any) -> Candidate:
    """A phone number that gets a critical security message."""
    return mail(channel=Channel.SMS, address=PHONE, **fields)


CASES: list[tuple[str, Candidate, Asked, Circumstances, Word]] = [
    ("everything in order", mail(), NORMAL, Circumstances(), Word.PASSED),
    ("nothing leads there", mail(reasons=()), NORMAL, Circumstances(), Word.NOT_IN_EFFECT),
    ("being deleted", mail(deleting=True), NORMAL, Circumstances(), Word.BEING_DELETED),
    ("another type", mail(message_types=(FAULT,)), NORMAL, Circumstances(), Word.NOT_SUBSCRIBED),
    ("a message of any type", mail(message_types=(FAULT,)), Asked(), Circumstances(), Word.PASSED),
    (
        "the last resort",
        mail(message_types=(FAULT,)),
        Asked(message_type=SECURITY, to_any_subscriber=True),
        Circumstances(),
        Word.PASSED,
    ),
    ("no address", mail(address=None, verified=None), NORMAL, Circumstances(), Word.NO_ADDRESS),
    ("never confirmed", mail(verified=None), NORMAL, Circumstances(), Word.NOT_VERIFIED),
    ("confirmed from the inbox", mail(verified=FROM_INBOX), NORMAL, Circumstances(), Word.VERIFIED_IN_CAPTURE),
    (
        "confirmed from the inbox, which is in use",
        mail(verified=FROM_INBOX),
        NORMAL,
        Circumstances(captured_counts=frozenset({Channel.EMAIL})),
        Word.PASSED,
    ),
    (
        "confirmed from the inbox of another channel",
        mail(verified=FROM_INBOX),
        NORMAL,
        Circumstances(captured_counts=frozenset({Channel.SMS})),
        Word.VERIFIED_IN_CAPTURE,
    ),
    ("suppressed", mail(), NORMAL, Circumstances(suppressed={MAIL_KEY: frozenset({SECURITY})}), Word.SUPPRESSED),
    (
        "suppressed in another spelling",
        mail(address=EmailAddress("Tom@Example.com")),
        NORMAL,
        Circumstances(suppressed={MAIL_KEY: frozenset({SECURITY})}),
        Word.SUPPRESSED,
    ),
    (
        "suppressed for another type",
        mail(),
        NORMAL,
        Circumstances(suppressed={MAIL_KEY: frozenset({FAULT})}),
        Word.PASSED,
    ),
    (
        "the contact opted out",
        mail(),
        NORMAL,
        Circumstances(opted_out_contacts={"c-0000000000000001": frozenset({SECURITY})}),
        Word.OPTED_OUT,
    ),
    (
        "the contact wants quiet",
        mail(),
        NORMAL,
        Circumstances(quiet_contacts={"c-0000000000000001": frozenset({SECURITY})}),
        Word.QUIET_HOURS,
    ),
    ("opted out", mail(), NORMAL, Circumstances(opted_out={MAIL_KEY: frozenset({SECURITY})}), Word.OPTED_OUT),
    (
        "opted out of another type",
        mail(),
        NORMAL,
        Circumstances(opted_out={MAIL_KEY: frozenset({FAULT})}),
        Word.PASSED,
    ),
    (
        "opted out of some of its types",
        mail(),
        Asked(),
        Circumstances(opted_out={MAIL_KEY: frozenset({FAULT})}),
        Word.PASSED,
    ),
    (
        "opted out of all of its types",
        mail(),
        Asked(),
        Circumstances(opted_out={MAIL_KEY: frozenset({FAULT, SECURITY, EXPENSES})}),
        Word.OPTED_OUT,
    ),
    ("text message of a normal message", phone(), NORMAL, Circumstances(), Word.CHANNEL_NOT_ALLOWED),
    ("text message of a critical message", phone(), CRITICAL, Circumstances(), Word.PASSED),
    ("text message of some message", phone(), Asked(message_type=SECURITY), Circumstances(), Word.PASSED),
    (
        "no text messages at all",
        phone(),
        Asked(message_type=SECURITY),
        Circumstances(text_messages_for=frozenset()),
        Word.CHANNEL_NOT_ALLOWED,
    ),
    (
        "a country that is allowed",
        phone(),
        CRITICAL,
        Circumstances(text_message_countries=frozenset({"86"})),
        Word.PASSED,
    ),
    (
        "another country",
        mail(channel=Channel.SMS, address=PhoneNumber("49-17012345678")),
        CRITICAL,
        Circumstances(text_message_countries=frozenset({"86"})),
        Word.COUNTRY_NOT_ALLOWED,
    ),
    ("mail to any country", mail(), CRITICAL, Circumstances(text_message_countries=frozenset()), Word.PASSED),
    ("quiet", mail(), NORMAL, Circumstances(quiet={MAIL_KEY: frozenset({SECURITY})}), Word.QUIET_HOURS),
    ("quiet for another type", mail(), NORMAL, Circumstances(quiet={MAIL_KEY: frozenset({FAULT})}), Word.PASSED),
]


each_case = pytest.mark.parametrize(
    ("candidate", "asked", "circumstances", "word"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)


@each_case
def test_the_word_that_counts(candidate: Candidate, asked: Asked, circumstances: Circumstances, word: Word) -> None:
    assert judge(candidate, asked, circumstances) is word


@each_case
def test_the_first_finding_that_does_not_pass_is_the_word_that_counts(
    candidate: Candidate, asked: Asked, circumstances: Circumstances, word: Word
) -> None:
    found = findings(candidate, asked, circumstances)

    assert [finding.rule for finding in found] == [rule.name for rule in RULES]
    assert next((finding.word for finding in found if finding.word is not Word.PASSED), Word.PASSED) is word


def test_the_hour_of_the_day_does_not_count_for_what_stands() -> None:
    quiet = Circumstances(quiet={MAIL_KEY: frozenset({SECURITY})})

    assert judge_standing(mail(), NORMAL, quiet) is Word.PASSED
    assert judge_standing(mail(verified=None), NORMAL, quiet) is Word.NOT_VERIFIED


def test_the_earlier_rule_counts_when_several_stand_against_an_address() -> None:
    hopeless = mail(reasons=(), deleting=True, message_types=(FAULT,), verified=None)

    assert judge(hopeless, NORMAL, Circumstances(suppressed={MAIL_KEY: frozenset({SECURITY})})) is Word.NOT_IN_EFFECT
    assert [finding.word for finding in findings(hopeless, NORMAL, Circumstances())][:5] == [
        Word.NOT_IN_EFFECT,
        Word.BEING_DELETED,
        Word.NOT_SUBSCRIBED,
        Word.PASSED,
        Word.NOT_VERIFIED,
    ]


some_types = st.frozensets(st.sampled_from(MessageType), max_size=3)
said_of_places = st.dictionaries(st.sampled_from([MAIL_KEY, (Channel.SMS, PHONE.key)]), some_types)
said_of_contacts = st.dictionaries(st.sampled_from(["c-0000000000000001", "c-2"]), some_types)


@given(
    candidate=st.builds(
        lambda make, types, **fields: make(message_types=tuple(types), **fields),
        st.sampled_from([mail, phone]),
        st.lists(st.sampled_from(MessageType), min_size=1, unique=True),
        verified=st.sampled_from([None, BY_PERSON, FROM_INBOX]),
        deleting=st.booleans(),
        reasons=st.sampled_from([(), OWN]),
    ),
    severity=st.sampled_from([None, *Severity]),
    circumstances=st.builds(
        Circumstances,
        suppressed=said_of_places,
        opted_out=said_of_places,
        opted_out_contacts=said_of_contacts,
        quiet=said_of_places,
        text_messages_for=st.frozensets(st.sampled_from(Severity)),
    ),
)
def test_the_types_that_reach_an_address_are_those_that_pass_one_by_one(
    candidate: Candidate, severity: Severity | None, circumstances: Circumstances
) -> None:
    assert types_reached(candidate, severity, circumstances) == tuple(
        message_type
        for message_type in candidate.message_types
        if judge_standing(candidate, Asked(message_type=message_type, severity=severity), circumstances) is Word.PASSED
    )


def test_without_an_address_the_rules_about_addresses_are_not_asked() -> None:
    found = findings(mail(address=None, verified=None), NORMAL, Circumstances())

    assert [finding.rule for finding in found if finding.word is Word.NOT_ASKED] == [
        rule.name for rule in RULES if rule.needs_address
    ]


def test_every_word_of_a_refusal_is_said_by_some_case() -> None:
    """A word that nothing says would be a rule that nobody tested."""
    said = {case[4] for case in CASES}

    assert set(Word) - said == {Word.NOT_ASKED, Word.NO_SUCH_CONTACT}


def test_a_contact_comes_with_both_of_its_addresses() -> None:
    contact = make_contact()

    email, number = contact_candidates(contact, OWN)

    assert (email.channel, email.address, email.verified) == (Channel.EMAIL, EMAIL, None)
    assert (number.channel, number.address) == (Channel.SMS, None)
    assert email.reasons == number.reasons == OWN


def test_a_copy_counts_as_verified_when_it_was_made() -> None:
    copy = make_copy(email_captured=True)

    email, number = copy_candidates(copy, OWN)

    assert email.verified == Verified(START, captured=True)
    assert (number.address, number.verified) == (None, None)
    assert (email.contact_id, email.detached_id) == (copy.contact_id, copy.detached_id)
