"""What webhooks answer, as outcomes: by status, and by the codes of their own that products put into the body.

A body is looked at for its code only; nothing of it is kept or logged.

Sources: DingTalk, "custom robot access" and its error codes; Feishu, "custom bot guide"; WeCom, "group robot
configuration" and global error codes; Slack, "Changes to errors for incoming webhooks" (2016-05-17); 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from message_contacts.clock import Instant
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.transports.http_answers import seconds_to_wait
from message_contacts.webhooks.model import WebhookForm

AGAIN = Verdict.TRY_AGAIN
NEVER = Verdict.NEVER
ACCEPTED = Outcome(Verdict.ACCEPTED, "accepted")

#: Status -> outcome. What is not listed is told by `OTHERWISE`.
STATUSES: Mapping[int, Outcome] = {
    400: Outcome(NEVER, "message-refused"),
    401: Outcome(NEVER, "not-allowed"),
    403: Outcome(NEVER, "not-allowed"),
    404: Outcome(NEVER, "webhook-not-found"),
    405: Outcome(NEVER, "webhook-not-found"),
    408: Outcome(AGAIN, "timed-out"),
    409: Outcome(AGAIN, "busy"),
    410: Outcome(NEVER, "webhook-gone"),
    413: Outcome(NEVER, "message-too-large"),
    422: Outcome(NEVER, "message-refused"),
    425: Outcome(AGAIN, "busy"),
    429: Outcome(AGAIN, "throttled"),
    501: Outcome(NEVER, "not-allowed"),
    503: Outcome(AGAIN, "busy"),
    504: Outcome(AGAIN, "busy"),
}
#: First digit -> outcome. Redirects are not followed: they would take the message to a place that nobody confirmed.
OTHERWISE: Mapping[int, Outcome] = {
    2: ACCEPTED,
    3: Outcome(NEVER, "redirect-refused"),
    4: Outcome(NEVER, "message-refused"),
    5: Outcome(AGAIN, "server-error"),
}
NOT_UNDERSTOOD = Outcome(AGAIN, "answer-not-understood")
#: A code of the product's own that no table lists.
UNLISTED = Outcome(AGAIN, "code-unlisted")


@dataclass(frozen=True, slots=True)
class Codes:
    """A product's own codes in the body of an answer."""

    #: Members of the JSON object that may hold the code; the first that is there counts.
    names: tuple[str, ...]
    outcomes: Mapping[int, Outcome]


CODES: Mapping[WebhookForm, Codes] = {
    WebhookForm.DING_TALK: Codes(
        ("errcode",),
        {
            -1: Outcome(AGAIN, "busy"),
            0: ACCEPTED,
            88: Outcome(NEVER, "not-allowed"),
            40035: Outcome(NEVER, "message-refused"),
            43004: Outcome(NEVER, "message-refused"),
            # More than 20 posts a minute: the robot is silent for 10 minutes.
            130101: Outcome(AGAIN, "throttled", 600.0),
            300001: Outcome(NEVER, "webhook-not-found"),
            # Keywords, addresses allowed, or signature: whoever set up the robot has to look.
            310000: Outcome(NEVER, "security-settings"),
            400013: Outcome(NEVER, "webhook-gone"),
            400101: Outcome(NEVER, "webhook-not-found"),
            400102: Outcome(NEVER, "webhook-disabled"),
            400105: Outcome(NEVER, "message-refused"),
            400106: Outcome(NEVER, "webhook-gone"),
            410100: Outcome(AGAIN, "throttled", 600.0),
            430101: Outcome(NEVER, "content-refused"),
            430102: Outcome(NEVER, "content-refused"),
            430103: Outcome(NEVER, "content-refused"),
            430104: Outcome(NEVER, "content-refused"),
            460101: Outcome(NEVER, "message-too-large"),
        },
    ),
    WebhookForm.FEISHU: Codes(
        ("code", "StatusCode"),
        {
            0: ACCEPTED,
            # "Bad Request", but "too many request" as well.
            9499: Outcome(AGAIN, "busy"),
            11232: Outcome(AGAIN, "throttled", 60.0),
            19001: Outcome(NEVER, "webhook-not-found"),
            19007: Outcome(NEVER, "webhook-disabled"),
            19021: Outcome(NEVER, "security-settings"),
            19022: Outcome(NEVER, "security-settings"),
            19024: Outcome(NEVER, "security-settings"),
        },
    ),
    WebhookForm.WE_COM: Codes(
        ("errcode",),
        {
            -1: Outcome(AGAIN, "busy"),
            0: ACCEPTED,
            40008: Outcome(NEVER, "message-refused"),
            40058: Outcome(NEVER, "message-refused"),
            44004: Outcome(NEVER, "message-refused"),
            45002: Outcome(NEVER, "message-too-large"),
            # More than 20 posts a minute.
            45009: Outcome(AGAIN, "throttled", 60.0),
            45033: Outcome(AGAIN, "throttled", 60.0),
            93000: Outcome(NEVER, "webhook-not-found"),
        },
    ),
}


def has_codes(form: WebhookForm) -> bool:
    """Whether the body of an answer has to be read."""
    return form in CODES


def outcome_of_answer(form: WebhookForm, status: int, retry_after: str | None, body: bytes, *, now: Instant) -> Outcome:
    """What an answer means: a listed code of the product's own counts for more than the status.

    Args:
        retry_after: The header of that name, if it is there.
        body: The beginning of the body; not looked at for forms without codes.
    """
    outcome = _by_status(status)
    codes = CODES.get(form)
    if codes is not None:
        code = _code(body, codes.names)
        if code is not None and code in codes.outcomes:
            outcome = codes.outcomes[code]
        elif outcome.verdict is Verdict.ACCEPTED:
            outcome = NOT_UNDERSTOOD if code is None else UNLISTED
    if outcome.verdict is not AGAIN or retry_after is None:
        return outcome
    asked = seconds_to_wait(retry_after, now)
    return outcome if asked is None else Outcome(AGAIN, outcome.reason, asked)


def _by_status(status: int) -> Outcome:
    return STATUSES.get(status) or OTHERWISE.get(status // 100) or NOT_UNDERSTOOD


def _code(body: bytes, names: tuple[str, ...]) -> int | None:
    """The product's code; None when the body has none."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(answer, dict):
        return None
    found = next((answer[name] for name in names if name in answer), None)
    return found if isinstance(found, int) and not isinstance(found, bool) else None
