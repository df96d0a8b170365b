"""Mail through a real mail server of Debian: out of the service, through its queue, into a mailbox - and back."""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
import time
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from message_contacts.changes import Job
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.transports.mail import MailComposer, Sender
from tests.api.publishing import OURS, deliveries, publish, states
from tests.api.recipients import suspensions
from tests.delivery.conftest import mail_server, make_message
from tests.delivery.messages import plant_contacts
from tests.fakes.waiting_clock import WaitingClock
from tests.harness import open_api
from tests.pages.conftest import Browser
from tests.prove import real_mta as this
from tests.prove.real_mta import LMTP_BOUNCES, SMTP_BOUNCES, CannotStartError, real_mta

#: Seconds after which a test gives up; all of this takes less than one, on a machine that has nothing else to do.
PATIENCE = 90
ACCEPTED = Outcome(Verdict.ACCEPTED, "accepted")
TOM, NOBODY = "tom@example.com", "nobody@example.com"
ONE_CLICK = {
    "content-type": "application/x-www-form-urlencoded",
    "sec-fetch-site": "cross-site",
    "origin": "https://mail.example.net",
}
#: What a mail server puts before a mail that passes through it.
_TRACE = re.compile(rb"(?:(?:Received|Return-Path|Delivered-To|X-Original-To):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+")


@pytest.fixture(scope="module")
def running_mta(certificate):
    with real_mta(certificate.file, certificate.file.parent / "key.pem") as mta:
        yield mta


@pytest.fixture
def mta(running_mta):
    """The mail server; what a test leaves in its queue is thrown away."""
    yield running_mta
    sys.stderr.write(running_mta.log())  # shown with a test that failed
    running_mta.drop_all()


@asynccontextmanager
async def service(database_path, port, *, reports=None, works=True):
    """A service that mails through a port of the mail server and takes its reports there; its work runs beside."""
    settings = {"smtp_url": f"smtp://127.0.0.1:{port}?starttls=never", "smtp_from": "Contacts <contacts@example.org>"}
    if reports is not None:
        settings |= {"bounce_domain": reports[0], "bounce_listen": reports[1]}
    async with open_api(database_path, settings, clock=WaitingClock()) as api:
        if not works:
            yield api
            return
        task = asyncio.create_task(api.service.work())
        try:
            yield api
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def happens(condition):
    """Let the mail server work until something is so: it needs the processor, so this looks now and then only."""
    end = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if await found if inspect.isawaitable(found) else found:
            return
        assert time.monotonic() < end, "this did not happen"
        await asyncio.sleep(0.01)


async def published(api, *emails, **parameters):
    """Publish to contacts with these addresses."""
    root = await api.root_folder()
    await plant_contacts(api, root, *emails)
    return await publish(api, root, **parameters)


async def has_become(api, message_id, address, state):
    return (await states(api, message_id)).get(address) == state


async def test_a_published_message_arrives_whole_and_its_link_unsubscribes(database_path, mta):
    async with mail_server(port=mta.mailbox_port) as (mailbox, _), service(database_path, mta.port) as api:
        message_id = await published(
            api,
            TOM,
            Severity="Critical",
            Subject="磁盘已满 / Disk full, and a subject that is longer than one line of a header may be 😀",
            Text=".\n..two dots\nFrom the beginning\n" + "x" * 3000,
            Markdown="**Full**, 满",
        )
        await happens(lambda: len(mailbox.mails) == 1)
        await happens(lambda: has_become(api, message_id, TOM, ("sent", "")))

        (mail,) = mailbox.mails
        assert mail.defects == []
        assert mail["From"] == "Contacts <contacts@example.org>"
        assert mail["To"] == TOM
        assert mail["Subject"].startswith("磁盘已满 / Disk full, and a subject")
        assert mail["Subject"].endswith("may be 😀")
        assert mail["Message-ID"] == f"<j-{message_id[2:]}000001@example.org>"
        assert mail["Date"] == "Sat, 21 Nov 2026 08:00:00 +0000"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["List-Id"] == f"<faultmessage.{api.account_id}.127.0.0.1>"
        assert mail["Importance"] == "high"
        text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert text.replace("\r\n", "\n").startswith(".\n..two dots\nFrom the beginning\n" + "x" * 3000)
        assert "<strong>Full</strong>, 满" in html

        # RFC 8058: one POST, without a page, without cookies, from another site.
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = mail["List-Unsubscribe"].strip("<>")
        assert link in text
        answer = await Browser(api.service.app).open(
            urlsplit(link).path, "POST", body=b"List-Unsubscribe=One-Click", headers=ONE_CLICK
        )
        assert answer.status == 200
        again = await publish(api, await api.root_folder())
        await happens(lambda: has_become(api, again, TOM, ("skipped", "opted-out")))
        assert mailbox.envelopes == [("contacts@example.org", ["tom@mailboxes.test"])]


async def test_a_mail_that_is_handed_over_twice_has_one_message_id_and_one_return_path(database_path, mta):
    """A worker that died before it could record the first: the mail is sent again by another one."""
    reports = SMTP_BOUNCES, f"smtp://127.0.0.1:{mta.smtp_reports}"
    async with (
        mail_server(port=mta.mailbox_port) as (mailbox, _),
        service(database_path, mta.port, reports=reports, works=False) as api,
    ):
        message_id = await published(api, TOM)
        await api.work("internal")
        job = await _claimed(api)
        for _ in range(2):
            assert (await api.service.handlers[job.kind](job)) == ACCEPTED
        await happens(lambda: len(mailbox.mails) == 2)

        assert {mail["Message-ID"] for mail in mailbox.mails} == {f"<j-{message_id[2:]}000001@example.org>"}
        ((sender, _), (again, _)) = mailbox.envelopes
        assert sender == again
        assert sender.endswith("@bounces.example.com")


@pytest.mark.parametrize("way", ["smtp", "lmtp"])
async def test_a_bounce_for_an_unknown_user_comes_back_and_suspends_the_address(database_path, mta, way):
    """Also by LMTP with the three settings of postfix that docs/guide/bounces.md names."""
    domain, port = (SMTP_BOUNCES, mta.smtp_reports) if way == "smtp" else (LMTP_BOUNCES, mta.lmtp_reports)
    async with (
        mail_server(port=mta.mailbox_port) as (mailbox, _),
        service(database_path, mta.port, reports=(domain, f"{way}://127.0.0.1:{port}")) as api,
    ):
        message_id = await published(api, TOM, NOBODY)
        await happens(lambda: has_become(api, message_id, NOBODY, ("failed", "mailbox-unknown")))
        await happens(lambda: has_become(api, message_id, TOM, ("sent", "")))

        (suspension,) = await suspensions(api)
        assert (suspension["Address"], suspension["Reason"]) == (NOBODY, "hard-bounce")
        (sign,) = suspension["Evidence"]
        assert (sign["Source"], sign["Status"]) == ("report", "5.1.1")
        again = await publish(api, await api.root_folder())
        await happens(lambda: has_become(api, again, NOBODY, ("skipped", "suppressed")))
        await happens(lambda: has_become(api, again, TOM, ("sent", "")))
        await happens(lambda: len(mailbox.mails) == 2)


async def test_a_report_that_is_faster_than_our_own_record_comes_again(database_path, mta):
    reports = SMTP_BOUNCES, f"smtp://127.0.0.1:{mta.smtp_reports}"
    async with service(database_path, mta.port, reports=reports, works=False) as api, api.service.intake.serving():
        message_id = await published(api, NOBODY)
        await api.work("internal")
        job = await _claimed(api)
        outcome = await api.service.handlers[job.kind](job)
        await happens(lambda: "451 4.3.0 The mail is still being recorded" in mta.log())
        assert await states(api, message_id) == {NOBODY: ("pending", "")}

        settlement = Settlement(job, Fate.DONE, api.clock.now(), outcome.reason, becomes=outcome.becomes)
        await api.service.storage.outbox.settle("test", [settlement])

        async def has_come_again() -> bool:
            mta.try_again_now()  # more than once: it skips a mail that it has not put aside yet
            return await has_become(api, message_id, NOBODY, ("failed", "mailbox-unknown"))

        await happens(has_come_again)
        assert len(await suspensions(api)) == 1


@pytest.mark.parametrize(
    ("answer", "reason", "suspended"),
    [
        ("550 5.2.1 This mailbox is disabled", "mailbox-disabled", ["hard-bounce"]),
        ("554 5.2.2 Mailbox full", "mailbox-full", []),
        ("550 5.7.1 Not from you", "policy-refused", []),
        ("550 No such user here", "mailbox-unknown", ["hard-bounce"]),
    ],
)
async def test_what_the_next_server_refuses_comes_back_as_what_it_said(database_path, mta, answer, reason, suspended):
    reports = SMTP_BOUNCES, f"smtp://127.0.0.1:{mta.smtp_reports}"
    async with (
        mail_server(port=mta.mailbox_port) as (mailbox, _),
        service(database_path, mta.port, reports=reports) as api,
    ):
        mailbox.answers["RCPT"] = answer
        message_id = await published(api, TOM)
        await happens(lambda: has_become(api, message_id, TOM, ("failed", reason)))
        assert [each["Reason"] for each in await suspensions(api) if each["Reason"]] == suspended


async def test_a_user_unknown_while_the_mail_is_handed_over_suspends_the_address_at_once(database_path, mta):
    async with (
        mail_server(port=mta.mailbox_port) as (mailbox, _),
        service(database_path, mta.strict_port) as api,
    ):
        message_id = await published(api, TOM, NOBODY)
        await happens(lambda: has_become(api, message_id, NOBODY, ("failed", "mailbox-unknown")))
        await happens(lambda: len(mailbox.mails) == 1)
        (suspension,) = await suspensions(api)
        assert (suspension["Address"], suspension["Reason"]) == (NOBODY, "hard-bounce")
        assert suspension["Evidence"][0]["Source"] == "smtp"
        (job,) = (await api.call("ListFailedJobs", OURS))["FailedJobs"]
        assert job["Reason"] == "mailbox-unknown"


async def test_a_server_that_does_not_relay_for_us_says_nothing_of_the_address(database_path, mta):
    """A mail server of one's own that is set up wrongly refuses everybody; nobody is suspended for that."""
    async with service(database_path, mta.port) as api:
        message_id = await published(api, "tom@elsewhere.example")
        await happens(lambda: has_become(api, message_id, "tom@elsewhere.example", ("failed", "policy-refused")))
        assert await suspensions(api) == []


LONG = "x" * 5_000


@pytest.mark.parametrize("extensions", ["8BITMIME and SMTPUTF8", "none"])
@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Grüße, 您好, 😀\n" * 50, "subject": "您好 " * 60},
        {"text": f"{LONG}\n{LONG} {LONG}\n", "html": f"<p>{LONG * 20}</p>"},
        {"text": ".\n..\n...\n.QUIT\n\n.\n\n", "html": ".\r\n.\r\n<p>.</p>\r\n."},
        {"text": "alone\r.\r\nand\n.\r\nthen\r\n.\rMAIL FROM:<a@b.c>\r\n", "html": None},
        {"text": "From here\n>From there\n \t \ntrailing  \n=2E=\n\x00\x7f\u2028\n", "html": "\ufeff\u0085"},
        {"headers": (("List-Unsubscribe", f"<https://contacts.example.com/u/{'a' * 850}>"), ("X-Note", "满" * 400))},
    ],
    ids=["not ascii", "long lines", "dots", "bare line ends", "delicate", "headers"],
)
async def test_a_mail_arrives_byte_for_byte(connect, clock, mta, extensions, fields):
    message = make_message(**fields)
    port = mta.old_port if extensions == "none" else mta.port
    async with mail_server(port=mta.mailbox_port) as (mailbox, _):
        assert await connect(f"smtp://127.0.0.1:{port}?starttls=never").send(message) == ACCEPTED
        await happens(lambda: len(mailbox.raw) == 1)

    composed = MailComposer(Sender.parse("Message Contacts <contacts@example.com>")).compose(message, now=clock.now())
    sent = re.sub(rb"\r\n|\r|\n", b"\r\n", composed)
    arrived = mailbox.raw[0]
    trace = _TRACE.match(arrived)
    assert trace is not None
    assert arrived[trace.end() :] == sent
    assert max(len(line) for line in arrived.split(b"\r\n")) <= 998
    (mail,) = mailbox.mails
    assert mail.defects == []
    text = mail.get_body(("plain",)).get_payload(decode=True).decode()
    ended = message.text if message.text.endswith("\n") else message.text + "\n"
    assert _lines(text) == _lines(ended)


def _lines(text):
    return re.split(r"\r\n|\r|\n", text)


@pytest.mark.parametrize("recipient", ["汤姆@example.com", "tom@例子.example"])
async def test_an_address_that_only_smtputf8_could_carry_is_refused_before_a_server_is_asked(connect, mta, recipient):
    """Also by a server that could: most of those behind it cannot, and the mail would be lost on the way."""
    before = mta.log().count("connect from")
    outcome = await connect(f"smtp://127.0.0.1:{mta.port}").send(make_message(recipient=recipient))
    assert outcome == Outcome(Verdict.NEVER, "address-not-mailable")
    assert mta.log().count("connect from") == before


async def test_mail_goes_over_tls_when_the_server_wants_it(connect, certificate, mta):
    async with mail_server(port=mta.mailbox_port) as (mailbox, _):
        plain = connect(f"smtp://127.0.0.1:{mta.tls_port}?starttls=never")
        assert (await plain.send(make_message())).verdict is Verdict.TRY_AGAIN
        distrustful = connect(f"smtp://127.0.0.1:{mta.tls_port}")
        assert await distrustful.send(make_message()) == Outcome(Verdict.TRY_AGAIN, "certificate-not-trusted")
        encrypted = connect(f"smtp://127.0.0.1:{mta.tls_port}?starttls=require&ca={certificate.file}")
        assert await encrypted.send(make_message()) == ACCEPTED
        await happens(lambda: len(mailbox.mails) == 1)
    assert "with ESMTPS" in mailbox.mails[0].get_all("Received")[-1]


async def test_many_mails_at_once_all_arrive_once(database_path, mta):
    emails = [f"tom+{number}@example.com" for number in range(120)]
    async with mail_server(port=mta.mailbox_port) as (mailbox, _), service(database_path, mta.port) as api:
        message_id = await published(api, *emails)
        await happens(lambda: len(mailbox.mails) >= len(emails))
        await happens(mta.queue_is_empty)
        assert sorted(mail["To"] for mail in mailbox.mails) == sorted(emails)
        assert len({mail["Message-ID"] for mail in mailbox.mails}) == len(emails)
        await happens(lambda: _all_sent(api, message_id))


async def _all_sent(api, message_id):
    return {each["State"] for each in await deliveries(api, message_id)} == {"sent"}


async def _claimed(api) -> Job:
    (job,) = await api.service.storage.outbox.claim(
        "email-messages", "test", now=api.clock.now(), until=api.clock.now() + 60_000, limit=10
    )
    return job


def test_nothing_is_left_of_the_server(certificate):
    with real_mta(certificate.file, certificate.file.parent / "key.pem") as mta:
        assert mta.folder.exists()
    assert not mta.folder.exists()


def test_without_postfix_it_is_said_what_to_install(certificate, monkeypatch):
    monkeypatch.setattr(this, "_PATH", "/nowhere")
    with (
        pytest.raises(CannotStartError, match="sudo apt-get install postfix"),
        real_mta(certificate.file, certificate.file),
    ):
        pass
