"""Reports as mail servers write them, and what they come to. The texts are ours; their form is that of the servers."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.delivery.reports import STATUSES, SUBJECTS, Weight, finding, read_report, weigh

TOM = "tom@example.com"
RETURNED = """\
--b1
Content-Type: message/rfc822

Return-Path: <bounce+abc@bounces.example.org>
Subject: Disk full
Content-Type: text/plain

550 5.1.1 this is only what was sent
"""


def mail(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def dsn(fields: str, *, head: str = "Reporting-MTA: dns; mx.example.net", rest: str = RETURNED) -> bytes:
    return mail(f"""\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
To: bounce+abc@bounces.example.org
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="b1"

This is a MIME-encapsulated message.

--b1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b1
Content-Description: Delivery report
Content-Type: message/delivery-status

{head}

{fields}

{rest}
--b1--
""")


POSTFIX = dsn(
    """\
Final-Recipient: rfc822; tom@example.com
Original-Recipient: rfc822;tom@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 550 5.1.1 <tom@example.com>: Recipient address rejected:
    User unknown in virtual mailbox table""",
    head="""\
Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 4Xy1zB3cDeF
X-Postfix-Sender: rfc822; bounce+abc@bounces.example.org
Arrival-Date: Sat, 21 Nov 2026 08:00:00 +0000 (UTC)""",
)
POSTFIX_NO_DOMAIN = dsn(
    """\
Final-Recipient: rfc822; tom@example.com
Action: failed
Status: 5.4.4
Diagnostic-Code: X-Postfix; Host or domain name not found. Name service error for
    name=example.com type=AAAA: Host not found"""
)
POSTFIX_EXPIRED = dsn(
    """\
Final-Recipient: rfc822; tom@example.com
Action: failed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mx.example.com[192.0.2.1]:25: Connection timed out"""
)
POSTFIX_DELAYED = dsn(
    """\
Final-Recipient: rfc822; tom@example.com
Action: delayed
Status: 4.2.0
Will-Retry-Until: Thu, 26 Nov 2026 08:00:00 +0000 (UTC)"""
)
EXIM = dsn(
    """\
Action: failed
Final-Recipient: rfc822;tom@example.com
Status: 5.0.0
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 550 No such user here""",
    head="Reporting-MTA: dns; exim.example.net",
)
EXIM_WITH_CODE = dsn(
    """\
Action: failed
Final-Recipient: rfc822;tom@example.com
Status: 5.0.0
Diagnostic-Code: smtp; 552-5.2.2 The recipient's inbox is out of storage space.
 552 5.2.2 Please direct the recipient to its provider."""
)
EXCHANGE = dsn(
    """\
Final-Recipient: rfc822;Tom@example.com
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: Tom""",
    head="Reporting-MTA: dns;EX01.example.com",
)
GMAIL = dsn(
    """\
Final-Recipient: rfc822; tom@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; gmail-smtp-in.l.google.com. (192.0.2.7, the server for the
 domain example.com.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 unnecessary spaces.
Last-Attempt-Date: Sat, 21 Nov 2026 00:00:00 -0800 (PST)"""
)
GMAIL_POLICY = dsn(
    """\
Final-Recipient: rfc822; tom@example.com
Action: failed
Status: 5.7.26
Diagnostic-Code: smtp; 550-5.7.26 This mail has been blocked because the sender is unauthenticated."""
)
DELIVERED = dsn("Final-Recipient: rfc822; tom@example.com\nAction: delivered\nStatus: 2.1.5")
RELAYED = dsn(
    "Final-Recipient: rfc822; tom@example.com\nAction: relayed (to a server that tells nothing)\nStatus: 2.0.0"
)
FORWARDED = dsn(
    "Final-Recipient: rfc822; tom@elsewhere.example\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 5.1.1 unknown"
)
FORWARDED_BUT_TOLD = dsn(
    "Original-Recipient: rfc822; TOM@example.com\nFinal-Recipient: rfc822; u123@store.example.com\n"
    "Action: failed\nStatus: 5.2.1"
)
TWO = dsn(
    "Final-Recipient: rfc822; a@example.com\nAction: delayed\nStatus: 4.4.1\n\n"
    "Final-Recipient: rfc822; tom@example.com\nAction: failed\nStatus: 5.1.1"
)
PLAIN_EXIM = mail("""\
Return-path: <>
X-Failed-Recipients: tom@example.com
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@exim.example.net>
To: bounce+abc@bounces.example.org
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  tom@example.com
    SMTP error from remote mail server after RCPT TO:<tom@example.com>:
    host mx.example.com [192.0.2.1]: 550 5.1.1 unknown
""")
PLAIN_FULL = mail("""\
X-Failed-Recipients: tom@example.com
Subject: Mail delivery failed
Content-Type: text/plain; charset=utf-8

  tom@example.com
    Mailbox is full, quota exceeded
""")


def qmail(*paragraphs: str) -> bytes:
    said = "\n\n".join(paragraphs)
    return mail(f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.net
To: bounce+abc@bounces.example.org
Subject: failure notice

Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

{said}

--- Below this line is a copy of the message.

Return-Path: <bounce+abc@bounces.example.org>
Subject: Disk full

<tom@example.com>:
550 5.1.1 this is only what was sent
""")


QMAIL = qmail("<tom@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)")
QMAIL_REMOTE = qmail(
    "<tom@example.com>:\n192.0.2.1 does not like recipient.\n"
    "Remote host said: 552 5.2.2 over quota\nGiving up on 192.0.2.1."
)
QMAIL_EXPIRED = qmail(
    "<tom@example.com>:\n192.0.2.1 failed after I sent the message.\nRemote host said: 451 4.3.0 come again later\n"
    "I'm not going to try again; this message has been in my queue too long."
)
QMAIL_FORWARDED = qmail("<tom@elsewhere.example>:\nSorry, no mailbox here by that name. (#5.1.1)")
QMAIL_IN_PROSE = qmail("Something of its own.", "<tom@example.com>:\nuser unknown")


@pytest.mark.parametrize(
    ("content", "weight", "word"),
    [
        (QMAIL, Weight.HARD, "mailbox-unknown"),
        (QMAIL_REMOTE, Weight.SOFT, "mailbox-full"),
        (QMAIL_EXPIRED, Weight.SOFT, "server-trouble"),
        (QMAIL_FORWARDED, Weight.SOFT, "forwarded-in-vain"),
        (QMAIL_IN_PROSE, Weight.HARD, "mailbox-unknown"),
        (POSTFIX, Weight.HARD, "mailbox-unknown"),
        (POSTFIX_NO_DOMAIN, Weight.HARD, "domain-unknown"),
        (POSTFIX_EXPIRED, Weight.SOFT, "network-trouble"),
        (POSTFIX_DELAYED, Weight.NOTHING, "still-on-its-way"),
        (EXIM, Weight.HARD, "mailbox-unknown"),
        (EXIM_WITH_CODE, Weight.SOFT, "mailbox-full"),
        (EXCHANGE, Weight.HARD, "mailbox-unknown"),
        (GMAIL, Weight.HARD, "mailbox-unknown"),
        (GMAIL_POLICY, Weight.REFUSED, "policy-refused"),
        (DELIVERED, Weight.DELIVERED, "delivered"),
        (RELAYED, Weight.NOTHING, "still-on-its-way"),
        (FORWARDED, Weight.SOFT, "forwarded-in-vain"),
        (FORWARDED_BUT_TOLD, Weight.HARD, "mailbox-disabled"),
        (TWO, Weight.HARD, "mailbox-unknown"),
        (PLAIN_EXIM, Weight.HARD, "mailbox-unknown"),
        (PLAIN_FULL, Weight.SOFT, "mailbox-full"),
    ],
)
def test_what_a_report_comes_to(content, weight, word):
    report = read_report(content)
    assert report is not None
    found = finding(report, TOM)
    assert (found.weight, found.word) == (weight, word)


def test_what_the_server_said_is_kept_on_one_line():
    report = read_report(POSTFIX)
    assert report is not None
    assert finding(report, TOM).told == (
        "550 5.1.1 <tom@example.com>: Recipient address rejected: User unknown in virtual mailbox table"
    )
    assert finding(report, TOM).status == "5.1.1"


def test_the_return_path_of_what_was_sent_back_is_found():
    assert read_report(POSTFIX).return_paths == ("bounce+abc@bounces.example.org",)
    headers = RETURNED.replace("message/rfc822", "text/rfc822-headers")
    assert read_report(dsn("Final-Recipient: rfc822; a@b.example\nAction: failed", rest=headers)).return_paths == (
        "bounce+abc@bounces.example.org",
    )


def feedback(fields: str) -> bytes:
    return mail(f"""\
From: <feedback@provider.example>
Subject: FW: Disk full
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"

--b1
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report for a message received on Sat, 21 Nov 2026.

--b1
Content-Type: message/feedback-report

{fields}

{RETURNED}
--b1--
""")


@pytest.mark.parametrize(
    ("kind", "weight"),
    [
        ("abuse", Weight.COMPLAINT),
        ("Fraud", Weight.COMPLAINT),
        ("opt-out", Weight.COMPLAINT),
        ("not-spam", Weight.NOTHING),
        ("auth-failure", Weight.NOTHING),
        ("virus", Weight.NOTHING),
        ("<script>", Weight.NOTHING),
    ],
)
def test_complaints_are_told_from_other_feedback(kind, weight):
    report = read_report(
        feedback(f"Feedback-Type: {kind}\nUser-Agent: P/1\nVersion: 1\nOriginal-Mail-From: <x@y.example>")
    )
    assert report is not None
    assert finding(report, TOM).weight is weight
    assert report.return_paths == ("x@y.example", "bounce+abc@bounces.example.org")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Subject: Hello\r\n\r\n550 5.1.1 User unknown\r\n",
        mail("Subject: Away\nAuto-Submitted: auto-replied\n\nBack on Monday.\n"),
        dsn("Final-Recipient: rfc822; tom@example.com"),  # no action
        feedback("User-Agent: P/1"),  # no type
        # A report inside what was sent back is not about us.
        mail("Content-Type: message/rfc822\n\n") + POSTFIX,
        mail("Content-Type: message/rfc822\n\n") + QMAIL,
        qmail("Nobody is named here."),
        mail("Subject: Away\n\nBack on Monday.\n\n> ") + QMAIL,
    ],
)
def test_what_is_no_report_is_none(content):
    assert read_report(content) is None


@pytest.mark.parametrize(
    ("status", "told", "weight"),
    [
        ("5.0.0", "550 4.2.2 mailbox full", Weight.SOFT),
        ("5.0.0", "450 user unknown, try later", Weight.SOFT),
        ("", "", Weight.SOFT),
        ("5.9.9", "", Weight.SOFT),
        ("4.1.1", "", Weight.SOFT),
        ("5.7.13", "", Weight.HARD),
        ("5.6.0", "", Weight.REFUSED),
        ("5.1.8", "", Weight.REFUSED),
        ("9.1.1", "", Weight.SOFT),
        ("5.0.0", "from 5.1.1.2 we got nothing", Weight.SOFT),
    ],
)
def test_statuses_that_need_a_second_look(status, told, weight):
    assert weigh(status, told)[0] is weight


def test_only_the_address_itself_can_be_bad_for_good():
    """Content, policy and protocol say nothing of the address, whatever the detail."""
    for subject in (5, 6):
        for detail in range(20):
            assert weigh(f"5.{subject}.{detail}")[0] is Weight.REFUSED
    assert {weight for weight, _ in SUBJECTS.values()} == {Weight.SOFT, Weight.REFUSED}
    assert all(subject in SUBJECTS for subject, _ in STATUSES)


@given(st.binary(max_size=400))
def test_nothing_makes_it_stumble(content):
    report = read_report(content)
    if report is not None:
        finding(report, TOM)


@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.text(max_size=20),
    st.sampled_from(["failed", "delayed", "delivered", "x"]),
)
def test_hostile_fields_stay_short_and_on_one_line(recipient, told, status, action):
    fields = f"Final-Recipient: {recipient}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {told * 20}"
    report = read_report(dsn(fields))
    if report is not None:
        for each in (*report.recipients,):
            assert len(each.told) <= 300
            assert each.told.isprintable() or not each.told
        assert finding(report, TOM).word.replace("-", "").isalpha()


@given(st.integers(0, len(POSTFIX)), st.integers(0, len(POSTFIX)), st.binary(max_size=20))
def test_a_report_that_was_damaged_on_the_way_makes_no_trouble(start, end, instead):
    damaged = POSTFIX[: min(start, end)] + instead + POSTFIX[max(start, end) :]
    report = read_report(damaged)
    if report is not None:
        finding(report, TOM)


def test_a_long_word_in_it_takes_no_time():
    """It was gone through again from each of its letters; base64 gets it past the longest line that mail has."""
    word = base64.encodebytes(b"Return-Path: " + b"a" * 60_000)
    returned = f"--b1\nContent-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n{word.decode()}"
    began = time.thread_time()
    report = read_report(dsn("Final-Recipient: rfc822; tom@example.com\nAction: failed\nStatus: 5.1.1", rest=returned))
    assert time.thread_time() - began < 2
    assert report is not None
    assert report.return_paths == ()
    assert finding(report, TOM).weight is Weight.HARD


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("depth", [31, 10_000])
def test_parts_in_one_another_without_end_are_no_report(depth, end):
    """Reading them took seconds for each mail, or failed, so that the mail came again and again."""
    assert read_report(f"Content-Type: message/rfc822{end}{end}".encode() * depth) is None
    parts = "".join(
        f"Content-Type:{end} multipart/report; boundary=b{number}{end}{end}--b{number}{end}" for number in range(depth)
    )
    began = time.thread_time()
    assert read_report(parts.encode() + f"x{end}".encode() * 200_000) is None
    assert time.thread_time() - began < 2


def test_what_stands_far_behind_a_report_is_not_read():
    report = read_report(
        dsn(
            "Final-Recipient: rfc822; tom@example.com\nAction: failed\nStatus: 5.1.1",
            rest=RETURNED + "x\n" * 400_000,
        )
    )
    assert report is not None
    assert report.return_paths == ("bounce+abc@bounces.example.org",)
    assert finding(report, TOM).weight is Weight.HARD
