"""Reports that come back by mail: what they say, and what that says of the address.

Delivery reports (RFC 3464 inside RFC 6522), feedback reports (RFC 5965), and plain bounces: of servers that only name
the address in `X-Failed-Recipients`, and of qmail. Pure, and careful: whoever sends it may have written anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from enum import StrEnum

#: Bytes of a mail that are read: what it reports stands before the mail that was sent back, and anybody may send one.
_READ = 128 * 1024
#: Parts that hold others; a report has three or four, and how long reading takes grows with those in one another.
_MOST_CONTAINERS = 30
_CONTAINER = re.compile(rb"(?<![^\r\n])content-type:\s*(?:multipart|message)/", re.IGNORECASE)
_MOST_RECIPIENTS = 50
_TOLD_LENGTH = 300
_TEXT_LENGTH = 20_000
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-])")
#: Looked for at the beginning of a word only, so that a long one without `@` is gone through once.
_ADDRESS = re.compile(r"(?<![^\s<>;,\"])[^\s<>;,\"]+@[^\s<>;,\"]+")


class Weight(StrEnum):
    """What a report says of the address it is about."""

    #: There is no such mailbox, and there will not be.
    HARD = "hard"
    #: The message came back; another one may get through.
    SOFT = "soft"
    #: The message came back for what it is or who sent it: nothing is said of the address.
    REFUSED = "refused"
    #: Its owner does not want such mail.
    COMPLAINT = "complaint"
    #: It arrived.
    DELIVERED = "delivered"
    #: It is still on its way, or says nothing that matters.
    NOTHING = "nothing"


#: The weightier one decides when a report names several.
_ORDER = (Weight.NOTHING, Weight.DELIVERED, Weight.REFUSED, Weight.SOFT, Weight.HARD, Weight.COMPLAINT)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a report comes to."""

    weight: Weight
    #: A word for people and logs; never free text of the other side.
    word: str
    #: Enhanced status code; empty when there is none.
    status: str = ""
    #: What the other side said, on one line, cut.
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientReport:
    """What a delivery report says of one recipient."""

    #: The address; empty when it names none.
    recipient: str
    #: The address that the mail was first sent to, where that is another one.
    original_recipient: str
    #: failed, delayed, delivered, relayed or expanded.
    action: str
    status: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came back."""

    recipients: tuple[RecipientReport, ...] = ()
    #: Type of a feedback report, e.g. `abuse`; empty: it is a delivery report.
    feedback: str = ""
    #: Addresses in it that may be a return path of ours.
    return_paths: tuple[str, ...] = ()


#: Subject and detail of a status code -> weight and word, for messages that failed for good (class 5).
#: Sources: RFC 3463 section 3, RFC 7505 section 4.2 (10 of 1), RFC 7372; usage of postfix, exim, Exchange and Gmail.
STATUSES: dict[tuple[int, int], tuple[Weight, str]] = {
    (1, 0): (Weight.HARD, "address-refused"),
    (1, 1): (Weight.HARD, "mailbox-unknown"),
    (1, 2): (Weight.HARD, "domain-unknown"),
    (1, 3): (Weight.HARD, "address-refused"),
    (1, 4): (Weight.SOFT, "address-ambiguous"),
    (1, 6): (Weight.HARD, "mailbox-moved"),
    (1, 7): (Weight.REFUSED, "sender-refused"),
    (1, 8): (Weight.REFUSED, "sender-refused"),
    (1, 9): (Weight.REFUSED, "sender-refused"),
    (1, 10): (Weight.HARD, "mailbox-unknown"),  # Exchange: recipient not found; RFC 7505: a domain without mail
    (2, 0): (Weight.SOFT, "mailbox-trouble"),
    (2, 1): (Weight.HARD, "mailbox-disabled"),
    (2, 2): (Weight.SOFT, "mailbox-full"),
    (2, 3): (Weight.REFUSED, "message-too-large"),
    (2, 4): (Weight.SOFT, "mailing-list-trouble"),
    (3, 4): (Weight.REFUSED, "message-too-large"),
    (4, 4): (Weight.HARD, "domain-unknown"),  # postfix: host or domain name not found
    (4, 7): (Weight.SOFT, "expired-on-the-way"),
    (7, 13): (Weight.HARD, "mailbox-disabled"),  # IANA's list of status codes: user account disabled
}
#: By subject alone, where the detail is not listed.
SUBJECTS: dict[int, tuple[Weight, str]] = {
    1: (Weight.SOFT, "address-trouble"),
    2: (Weight.SOFT, "mailbox-trouble"),
    3: (Weight.SOFT, "server-trouble"),
    4: (Weight.SOFT, "network-trouble"),
    5: (Weight.REFUSED, "protocol-trouble"),
    6: (Weight.REFUSED, "content-refused"),
    7: (Weight.REFUSED, "policy-refused"),
}
#: Words of servers that give no status of their own (exim says 5.0.0 of everything).
_NO_MAILBOX = re.compile(
    r"(?:no such (?:user|recipient|mailbox|address)|(?:user|recipient|mailbox|address) (?:is )?(?:unknown|not found)"
    r"|unknown (?:user|recipient|mailbox|address|local part)|unrouteable address"
    r"|(?:user|recipient|mailbox|account|address) (?:does not|doesn't) exist|no mailbox here"
    r"|invalid (?:recipient|mailbox))",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"(?:over quota|quota exceeded|mailbox (?:is )?full|exceeded (?:\w+ )*(?:storage|quota))", re.IGNORECASE
)

#: How a bounce of qmail begins, the paragraph about one recipient, and the one behind the last of those.
#: Source: QSBMF, <https://cr.yp.to/proto/qsbmf.txt>.
_QMAIL_BEGINS, _QMAIL_ENDS = "Hi. This is the", "-"
_QMAIL_RECIPIENT = re.compile(r"(<[^\n]*>):\n(.*)", re.DOTALL)

#: Types of feedback reports that say "I do not want this". Source: RFC 5965 section 7.3, RFC 6430.
COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "other"})
_FAILED, _DELIVERED = "failed", "delivered"


def read_report(content: bytes) -> Report | None:
    """What a mail reports; None when it is no report but, for instance, an answer from somebody on holiday."""
    content = content[:_READ]
    if len(_CONTAINER.findall(content)) > _MOST_CONTAINERS:
        return None
    mail = message_from_bytes(content, policy=policy.compat32)
    parts = list(_parts(mail))
    feedback = next((part for part in parts if part.get_content_type() == "message/feedback-report"), None)
    if feedback is not None:
        return _feedback(feedback, parts)
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if status is not None:
        recipients = tuple(_recipients(status))
        return Report(recipients=recipients, return_paths=_return_paths(parts)) if recipients else None
    if failed := _text(mail, "X-Failed-Recipients"):
        return Report(recipients=(_plain_bounce(failed, _prose(parts)),), return_paths=_return_paths(parts))
    if bounced := tuple(_qmail_bounces(_prose(parts))):
        return Report(recipients=bounced, return_paths=_return_paths(parts))
    return None


def finding(report: Report, address: str) -> Finding:
    """What a report comes to for an address that was written to."""
    if report.feedback:
        weight = Weight.COMPLAINT if report.feedback in COMPLAINTS else Weight.NOTHING
        return Finding(weight, f"feedback-{report.feedback}" if weight is Weight.COMPLAINT else "feedback-other")
    found = [_of_recipient(each, address.lower()) for each in report.recipients]
    return max(found, key=lambda each: _ORDER.index(each.weight), default=Finding(Weight.NOTHING, "nothing"))


def weigh(status: str, told: str = "") -> tuple[Weight, str]:
    """What a failure with this status says; of a vague one, the text is looked at too."""
    code = _STATUS.search(status)
    subject, detail = (int(code[2]), int(code[3])) if code else (0, 0)
    if subject == 0:
        # "Other" and nothing else: a better code may stand in what the server said.
        for better in _STATUS.finditer(told):
            if better[1] != "2" and better[2] != "0":
                return weigh(better[0])
        if _FULL.search(told):
            return Weight.SOFT, "mailbox-full"
        if _NO_MAILBOX.search(told) and not _reply_is_temporary(told):
            return Weight.HARD, "mailbox-unknown"
        return Weight.SOFT, "failed-for-no-reason-given"
    weight, word = STATUSES.get((subject, detail)) or SUBJECTS.get(subject) or (Weight.SOFT, "status-unknown")
    if code is not None and code[1] == "4" and weight is Weight.HARD:
        weight = Weight.SOFT  # given up on after tries that failed for now
    return weight, word


def _of_recipient(report: RecipientReport, address: str) -> Finding:
    if report.action == _DELIVERED:
        return Finding(Weight.DELIVERED, "delivered", report.status)
    if report.action != _FAILED:
        return Finding(Weight.NOTHING, "still-on-its-way", report.status)
    weight, word = weigh(report.status, report.told)
    named = {report.recipient.lower(), report.original_recipient.lower()} - {""}
    if weight is Weight.HARD and named and address not in named:
        # Forwarded by the address's server to another one, which is the one that is not there.
        return Finding(Weight.SOFT, "forwarded-in-vain", report.status, report.told)
    return Finding(weight, word, report.status, report.told)


def _recipients(part: Message) -> Iterator[RecipientReport]:
    """The blocks of a delivery report behind the first, which is about the whole mail."""
    blocks = part.get_payload()
    if not isinstance(blocks, list):
        return
    for block in blocks[: _MOST_RECIPIENTS + 1]:
        action = _text(block, "Action").partition(" ")[0].lower()
        if not action:
            continue
        told = _text(block, "Diagnostic-Code").partition(";")
        yield RecipientReport(
            recipient=_address(_text(block, "Final-Recipient")),
            original_recipient=_address(_text(block, "Original-Recipient")),
            action=action,
            status=(_STATUS.search(_text(block, "Status")) or [""])[0],
            told=_line(told[2] or told[0]),
        )


def _feedback(part: Message, parts: list[Message]) -> Report | None:
    blocks = part.get_payload()
    block = blocks[0] if isinstance(blocks, list) and blocks else part
    kind = _text(block, "Feedback-Type").lower()
    if not isinstance(block, Message) or not kind:
        return None
    return Report(
        feedback=kind if re.fullmatch(r"[a-z\-]{1,20}", kind) else "unknown",
        return_paths=(_address(_text(block, "Original-Mail-From")), *_return_paths(parts)),
    )


def _prose(parts: list[Message]) -> str:
    """The beginning of the first text of a mail."""
    for part in parts:
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            return payload.decode("utf-8", "replace")[:_TEXT_LENGTH] if isinstance(payload, bytes) else ""
    return ""


def _plain_bounce(failed: str, text: str) -> RecipientReport:
    """A bounce in prose: the address stands in a field, the reason somewhere in the text."""
    status = next((code[0] for code in _STATUS.finditer(text) if code[1] != "2"), "")
    telling = (_REPLY_CODE, _NO_MAILBOX, _FULL)
    told = next((line for line in text.splitlines() if any(form.search(line) for form in telling)), "")
    return RecipientReport(
        recipient=_address(failed), original_recipient="", action=_FAILED, status=status, told=_line(told)
    )


def _qmail_bounces(text: str) -> Iterator[RecipientReport]:
    """The recipients of a bounce of qmail, which is made of paragraphs: who it is from, one for each, the mail."""
    first, *paragraphs = "\n".join(text.strip().splitlines()).split("\n\n")
    if not first.startswith(_QMAIL_BEGINS):
        return
    for paragraph in paragraphs[:_MOST_RECIPIENTS]:
        if paragraph.startswith(_QMAIL_ENDS):
            return
        if recipient := _QMAIL_RECIPIENT.match(paragraph):
            yield _plain_bounce(recipient[1], recipient[2])


def _parts(mail: Message) -> Iterator[Message]:
    """The mail and its parts. What was sent back is a part too, but parts of that are not ours to look at."""
    yield mail
    for part in _children(mail):
        yield part
        yield from _children(part)


def _children(part: Message) -> Iterator[Message]:
    if part.get_content_maintype() == "multipart":
        payload = part.get_payload()
        for child in payload if isinstance(payload, list) else ():
            if isinstance(child, Message):
                yield child


def _return_paths(parts: list[Message]) -> tuple[str, ...]:
    """`Return-Path` of what was sent back, whole or its header only."""
    found = []
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/rfc822":
            payload = part.get_payload()
            if isinstance(payload, list) and payload:
                found.append(_address(_text(payload[0], "Return-Path")))
        elif kind == "text/rfc822-headers":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                header = message_from_bytes(content, policy=policy.compat32)
                found.append(_address(_text(header, "Return-Path")))
    return tuple(address for address in found if address)


def _reply_is_temporary(told: str) -> bool:
    code = _REPLY_CODE.search(told)
    return code is not None and code[1].startswith("4")


def _text(part: object, name: str) -> str:
    """A header field on one line; empty when there is none or it cannot be read."""
    value = part.get(name, "") if isinstance(part, Message) else ""
    return _UNPRINTABLE.sub(" ", str(value)).strip()


def _line(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:_TOLD_LENGTH]


def _address(text: str) -> str:
    """The address in `rfc822; tom@example.com` or `<tom@example.com>`; empty when there is none."""
    found = _ADDRESS.search(text.partition(";")[2] or text)
    return found[0] if found else ""
