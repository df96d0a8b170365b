"""What a mail server's answer means for a message: one table, code and step to outcome.

Two thoughts behind it. An answer about this message or this mailbox may be final; an answer about us (login, sender,
our address) is the operator's to mend, and until then it costs delay, not messages. And an enhanced status code
(RFC 3463), where the server gives one, says more than the three digits.

Source: RFC 5321 section 4.2, RFC 4954 section 6, RFC 3463 section 3, RFC 7504.
"""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum

from message_contacts.delivery.outcome import Outcome, Verdict


class Step(StrEnum):
    """Where in the conversation an answer was given."""

    GREETING = "greeting"
    TLS = "tls"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


AGAIN = Verdict.TRY_AGAIN
NEVER = Verdict.NEVER

#: (step, code) -> outcome. Sorted; what is not listed is told by `OTHERWISE`.
ANSWERS: dict[tuple[Step, int], Outcome] = {
    (Step.CONTENT, 421): Outcome(AGAIN, "server-busy"),
    (Step.CONTENT, 450): Outcome(AGAIN, "mailbox-busy"),
    (Step.CONTENT, 451): Outcome(AGAIN, "server-error"),
    (Step.CONTENT, 452): Outcome(AGAIN, "storage-full"),
    (Step.CONTENT, 550): Outcome(NEVER, "content-refused"),
    (Step.CONTENT, 552): Outcome(NEVER, "message-too-large"),
    (Step.CONTENT, 554): Outcome(NEVER, "content-refused"),
    (Step.GREETING, 421): Outcome(AGAIN, "server-busy"),
    (Step.GREETING, 521): Outcome(AGAIN, "server-takes-no-mail"),
    (Step.GREETING, 554): Outcome(AGAIN, "server-refuses-us"),
    (Step.LOGIN, 421): Outcome(AGAIN, "server-busy"),
    (Step.LOGIN, 454): Outcome(AGAIN, "login-unavailable"),
    (Step.LOGIN, 534): Outcome(AGAIN, "login-refused"),
    (Step.LOGIN, 535): Outcome(AGAIN, "login-refused"),
    (Step.LOGIN, 538): Outcome(AGAIN, "tls-required"),
    (Step.RECIPIENT, 421): Outcome(AGAIN, "server-busy"),
    (Step.RECIPIENT, 450): Outcome(AGAIN, "mailbox-busy"),
    (Step.RECIPIENT, 451): Outcome(AGAIN, "server-error"),
    (Step.RECIPIENT, 452): Outcome(AGAIN, "storage-full"),
    (Step.RECIPIENT, 530): Outcome(AGAIN, "login-required"),
    (Step.RECIPIENT, 550): Outcome(NEVER, "mailbox-unknown"),
    (Step.RECIPIENT, 551): Outcome(NEVER, "mailbox-moved"),
    (Step.RECIPIENT, 552): Outcome(AGAIN, "mailbox-full"),  # RFC 5321 section 4.5.3.1.10: to be read as 452
    (Step.RECIPIENT, 553): Outcome(NEVER, "address-refused"),
    (Step.RECIPIENT, 554): Outcome(NEVER, "recipient-refused"),
    (Step.RECIPIENT, 556): Outcome(NEVER, "domain-takes-no-mail"),
    (Step.SENDER, 421): Outcome(AGAIN, "server-busy"),
    (Step.SENDER, 530): Outcome(AGAIN, "login-required"),
    (Step.TLS, 454): Outcome(AGAIN, "tls-unavailable"),
}

#: (step, first digit) -> outcome of codes that are not listed; what SMTP does not know is `NOT_UNDERSTOOD`.
OTHERWISE: dict[tuple[Step, int], Outcome] = {
    (Step.CONTENT, 4): Outcome(AGAIN, "content-put-off"),
    (Step.CONTENT, 5): Outcome(NEVER, "content-refused"),
    (Step.GREETING, 4): Outcome(AGAIN, "server-busy"),
    (Step.GREETING, 5): Outcome(AGAIN, "server-refuses-us"),
    (Step.LOGIN, 4): Outcome(AGAIN, "login-unavailable"),
    (Step.LOGIN, 5): Outcome(AGAIN, "login-refused"),
    (Step.RECIPIENT, 4): Outcome(AGAIN, "recipient-put-off"),
    (Step.RECIPIENT, 5): Outcome(NEVER, "recipient-refused"),
    (Step.SENDER, 4): Outcome(AGAIN, "sender-put-off"),
    (Step.SENDER, 5): Outcome(AGAIN, "sender-refused"),
    (Step.TLS, 4): Outcome(AGAIN, "tls-unavailable"),
    (Step.TLS, 5): Outcome(AGAIN, "tls-unavailable"),
}

#: Enhanced status codes that override both for a recipient.
ENHANCED: dict[str, Outcome] = {
    "4.2.2": Outcome(AGAIN, "mailbox-full"),
    "5.1.1": Outcome(NEVER, "mailbox-unknown"),
    "5.1.2": Outcome(NEVER, "domain-unknown"),
    "5.1.10": Outcome(NEVER, "domain-takes-no-mail"),
    "5.2.1": Outcome(NEVER, "mailbox-disabled"),
    "5.2.2": Outcome(AGAIN, "mailbox-full"),
    "5.7.1": Outcome(NEVER, "policy-refused"),
}

NOT_UNDERSTOOD = Outcome(AGAIN, "answer-not-understood")
_ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")


def outcome_of_answer(step: Step, code: int, text: str) -> Outcome:
    """What a refusing answer means.

    Args:
        text: The answer's text; only an enhanced status code at its start is looked at.
    """
    enhanced = _ENHANCED_CODE.match(text) if step is Step.RECIPIENT else None
    listed = ANSWERS.get((step, code)) or OTHERWISE.get((step, code // 100)) or NOT_UNDERSTOOD
    if enhanced is None:
        return listed
    return replace(ENHANCED.get(enhanced[0], listed), status=enhanced[0])
