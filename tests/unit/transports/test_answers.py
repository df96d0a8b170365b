"""The tables that say what a server's answer means."""

from __future__ import annotations

import re

import pytest

from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.transports import sms_http, smtp_answers
from message_contacts.transports.sms_http import outcome_of_status
from message_contacts.transports.smtp_answers import ANSWERS, ENHANCED, OTHERWISE, Step, outcome_of_answer
from tests.fakes.clock import START

ALL_OUTCOMES = [
    *ANSWERS.values(),
    *OTHERWISE.values(),
    *ENHANCED.values(),
    smtp_answers.NOT_UNDERSTOOD,
    *sms_http.STATUSES.values(),
    *sms_http.OTHERWISE.values(),
    sms_http.NOT_UNDERSTOOD,
]


def test_tables_are_sorted():
    for table in (ANSWERS, OTHERWISE, sms_http.STATUSES, sms_http.OTHERWISE):
        assert list(table) == sorted(table)
    assert list(ENHANCED) == sorted(ENHANCED, key=lambda code: [int(part) for part in code.split(".")])


@pytest.mark.parametrize("outcome", ALL_OUTCOMES)
def test_reasons_are_words_for_logs_and_metrics(outcome):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", outcome.reason)


def test_one_reason_means_one_verdict_in_a_channel():
    mail = [*ANSWERS.values(), *OTHERWISE.values(), *ENHANCED.values()]
    sms = [*sms_http.STATUSES.values(), *sms_http.OTHERWISE.values()]
    for outcomes in (mail, sms):
        verdicts = {}
        for outcome in outcomes:
            assert verdicts.setdefault(outcome.reason, outcome.verdict) is outcome.verdict


def test_every_step_has_an_answer_for_both_kinds_of_refusal():
    assert set(OTHERWISE) == {(step, digit) for step in Step for digit in (4, 5)}


def test_temporary_answers_are_never_final():
    for (_, code), outcome in ANSWERS.items():
        assert code // 100 == 5 or outcome.verdict is Verdict.TRY_AGAIN
    for code, outcome in ENHANCED.items():
        assert code.startswith("5") or outcome.verdict is Verdict.TRY_AGAIN


@pytest.mark.parametrize("step", [Step.GREETING, Step.TLS, Step.LOGIN, Step.SENDER])
def test_what_is_wrong_with_us_is_never_the_end_of_a_message(step):
    for code in range(400, 600):
        assert outcome_of_answer(step, code, "").verdict is Verdict.TRY_AGAIN, code


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("code", [-1, 0, 199, 250, 299, 354, 600, 999])
def test_answer_that_is_no_refusal_is_not_understood(step, code):
    assert outcome_of_answer(step, code, "") == Outcome(Verdict.TRY_AGAIN, "answer-not-understood")


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (550, "5.1.1 no such user", "mailbox-unknown"),
        (550, "5.7.1 blocked", "policy-refused"),
        (550, "5.2.2 over quota", "mailbox-full"),
        (554, "5.7.1: relay access denied", "recipient-refused"),
        (550, "5.9.9 something new", "mailbox-unknown"),
        (550, "no 5.2.2 here", "mailbox-unknown"),
        (599, "", "recipient-refused"),
        (499, "", "recipient-put-off"),
    ],
)
def test_enhanced_codes_say_more_about_a_recipient(code, text, reason):
    assert outcome_of_answer(Step.RECIPIENT, code, text).reason == reason


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, "accepted"), (204, "accepted"), (302, "try-again"), (418, "never"), (599, "try-again"), (100, "try-again")],
)
def test_status_that_is_not_listed_goes_by_its_first_digit(status, verdict):
    assert outcome_of_status(status, None, now=START).verdict == verdict


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sat, 21 Nov 2026 08:02:00 GMT", 120.0),
        ("Sat, 21 Nov 2026 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert outcome_of_status(429, header, now=START).retry_after == seconds


def test_retry_after_of_a_final_answer_is_nothing():
    assert outcome_of_status(400, "120", now=START).retry_after is None
    assert outcome_of_status(200, "120", now=START).retry_after is None
