"""Mails handed over to real servers, and what becomes of them when servers are difficult."""

from __future__ import annotations

import asyncio
import re
import socket

import pytest

from message_contacts.changes import Job
from message_contacts.clock import Instant
from message_contacts.delivery.outbox import Fate
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.worker import Worker
from message_contacts.transports.smtp import CONNECTIONS, IDLE_SECONDS
from message_contacts.transports.smtp_conversation import Conversation
from tests.delivery.conftest import mail_server, make_message, polite, scripted_server, until
from tests.fakes.clock import START
from tests.fakes.outbox import FakeOutbox
from tests.fakes.waiting_clock import WaitingClock, settled

#: With servers that take commands one by one, and with such as take several in one breath.
pytestmark = pytest.mark.usefixtures("pipelining")

ACCEPTED = Outcome(Verdict.ACCEPTED, "accepted")


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_mail_arrives_with_envelope_headers_and_both_parts(connect):
    async with mail_server() as (mailbox, port):
        assert await connect(f"smtp://127.0.0.1:{port}").send(make_message()) == ACCEPTED
    (mail,) = mailbox.mails
    assert mailbox.envelopes == [("contacts@example.com", ["tom@example.com"])]
    assert mailbox.greeted_as == "example.com"
    assert mail["Subject"] == "Please confirm / 请确认"
    assert mail["Message-ID"] == "<j-0123456789ab@example.com>"
    text, html = mail.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == make_message().text
    assert html.get_content().replace("\r\n", "\n") == make_message().html
    assert re.findall(r"https?://\S+", text.get_content())[0] == "https://contacts.example.com/verify/x"
    assert mail.defects == []


async def test_mails_one_after_the_other_share_a_connection(connect):
    async with mail_server() as (mailbox, port):
        transport = connect(f"smtp://127.0.0.1:{port}")
        for number in range(5):
            assert await transport.send(make_message(message_id=f"j-{number}")) == ACCEPTED
        assert mailbox.connections == 1
        assert len(mailbox.mails) == 5


async def test_many_mails_at_once_use_as_many_connections_as_there_may_be_and_no_more(connect):
    async with mail_server() as (mailbox, port):
        transport = connect(f"smtp://127.0.0.1:{port}")
        outcomes = await asyncio.gather(
            *(transport.send(make_message(message_id=f"j-{n}", delivery_id=f"d-{n}")) for n in range(50))
        )
        assert outcomes == [ACCEPTED] * 50
        assert mailbox.connections == CONNECTIONS


async def test_a_verification_does_not_wait_behind_mails_to_many(connect):
    """Each of those is stuck in its conversation; connections of another kind are left."""
    stuck = asyncio.Event()

    def script(_: int, line: str | None) -> str | None:
        if line == "RCPT TO:<ann@example.com>":
            stuck.set()
            return ""
        return polite(line)

    async with scripted_server(script) as port:
        transport = connect(f"smtp://127.0.0.1:{port}")
        many = [
            asyncio.ensure_future(
                transport.send(make_message(recipient="ann@example.com", message_id=f"j-{n}", delivery_id=f"d-{n}"))
            )
            for n in range(50)
        ]
        await until(lambda: bool(transport._places.locked() and stuck.is_set()))

        assert await transport.send(make_message()) == ACCEPTED

        for sending in many:
            sending.cancel()
        await asyncio.wait(many)


async def test_connection_that_was_idle_for_long_is_not_used_again(connect, clock):
    async with mail_server() as (mailbox, port):
        transport = connect(f"smtp://127.0.0.1:{port}")
        await transport.send(make_message())
        clock.advance(IDLE_SECONDS + 1)
        assert await transport.send(make_message()) == ACCEPTED
        assert mailbox.connections == 2


async def test_starttls_is_used_when_offered(connect, certificate):
    async with mail_server(tls=certificate.server) as (mailbox, port):
        transport = connect(f"smtp://127.0.0.1:{port}?ca={certificate.file}")
        assert await transport.send(make_message()) == ACCEPTED
        assert mailbox.encrypted == [True]


async def test_starttls_never_stays_plain(connect, certificate):
    async with mail_server(tls=certificate.server) as (mailbox, port):
        assert await connect(f"smtp://127.0.0.1:{port}?starttls=never").send(make_message()) == ACCEPTED
        assert mailbox.encrypted == [False]


async def test_starttls_that_is_required_but_missing_stops_the_mail(connect):
    async with mail_server() as (mailbox, port):
        outcome = await connect(f"smtp://127.0.0.1:{port}?starttls=require").send(make_message())
        assert outcome == Outcome(Verdict.TRY_AGAIN, "starttls-missing")
        assert mailbox.mails == []


async def test_certificate_that_nobody_vouches_for_is_refused(connect, certificate):
    """Also when TLS is only used because it was offered: whoever stands between would offer it too."""
    async with mail_server(tls=certificate.server) as (mailbox, port):
        outcome = await connect(f"smtp://127.0.0.1:{port}").send(make_message())
        assert outcome == Outcome(Verdict.TRY_AGAIN, "certificate-not-trusted")
        assert mailbox.mails == []


async def test_smtps_is_encrypted_from_the_first_byte(connect, certificate):
    async with mail_server(tls=certificate.server, implicit=True) as (mailbox, port):
        transport = connect(f"smtps://localhost:{port}?ca={certificate.file}")
        assert await transport.send(make_message()) == ACCEPTED
        assert mailbox.encrypted == [True]


async def test_login_with_percent_encoded_password(connect, certificate):
    async with mail_server(tls=certificate.server, auth=True) as (mailbox, port):
        transport = connect(f"smtp://mailer%40x:p%2Fw%3A@127.0.0.1:{port}?ca={certificate.file}")
        assert await transport.send(make_message()) == ACCEPTED
        assert mailbox.users == ["mailer@x"]
        assert mailbox.encrypted == [True]


async def test_wrong_password_delays_the_mail(connect, certificate):
    async with mail_server(tls=certificate.server, auth=True) as (mailbox, port):
        transport = connect(f"smtp://mailer%40x:wrong@127.0.0.1:{port}?ca={certificate.file}")
        assert await transport.send(make_message()) == Outcome(Verdict.TRY_AGAIN, "login-refused")
        assert mailbox.mails == []


async def test_password_is_not_sent_to_a_server_that_offers_no_login(connect):
    async with mail_server() as (_, port):
        outcome = await connect(f"smtp://a:b@127.0.0.1:{port}").send(make_message())
        assert outcome == Outcome(Verdict.TRY_AGAIN, "login-missing")


@pytest.mark.parametrize(
    ("command", "answer", "outcome"),
    [
        ("RCPT", "550 5.1.1 no such user", Outcome(Verdict.NEVER, "mailbox-unknown")),
        ("RCPT", "450 4.2.0 greylisted", Outcome(Verdict.TRY_AGAIN, "mailbox-busy")),
        ("RCPT", "552 5.2.2 full", Outcome(Verdict.TRY_AGAIN, "mailbox-full")),
        ("MAIL", "553 not yours", Outcome(Verdict.TRY_AGAIN, "sender-refused")),
        ("DATA", "554 5.7.1 spam", Outcome(Verdict.NEVER, "content-refused")),
        ("DATA", "451 try later", Outcome(Verdict.TRY_AGAIN, "server-error")),
    ],
)
async def test_refusal_is_told_and_the_connection_serves_the_next_mail(connect, command, answer, outcome):
    async with mail_server() as (mailbox, port):
        transport = connect(f"smtp://127.0.0.1:{port}")
        mailbox.answers = {command: answer}
        assert await transport.send(make_message()) == outcome
        mailbox.answers = {}
        assert await transport.send(make_message(message_id="j-2")) == ACCEPTED
        assert mailbox.connections == 1
        assert [mail["Message-ID"] for mail in mailbox.mails] == ["<j-2@example.com>"]


async def test_server_that_is_not_there_delays_the_mail(connect):
    outcome = await connect(f"smtp://127.0.0.1:{unused_port()}").send(make_message())
    assert outcome == Outcome(Verdict.TRY_AGAIN, "connection-refused")


@pytest.mark.parametrize("broken_at", [None, "EHLO example.com", "MAIL", "RCPT", "DATA", "."])
async def test_connection_that_breaks_off_delays_the_mail(connect, broken_at):
    def script(_: int, line: str | None) -> str | None:
        broken = line is None if broken_at is None else (line or "").startswith(broken_at)
        return None if broken else polite(line)

    async with scripted_server(script) as port:
        outcome = await connect(f"smtp://127.0.0.1:{port}").send(make_message())
    assert outcome.verdict is Verdict.TRY_AGAIN
    assert outcome.reason in {"connection-lost", "connection-failed"}


@pytest.mark.parametrize(
    ("silent_at", "reason"),
    [
        (None, "connect-timed-out"),
        ("EHLO", "timed-out"),
        ("MAIL", "timed-out"),
        ("RCPT", "timed-out"),
        ("DATA", "timed-out"),
        (".", "timed-out"),
    ],
)
async def test_server_that_says_nothing_is_given_up_in_time(connect, silent_at, reason):
    silent = False

    def script(_: int, line: str | None) -> str | None:
        nonlocal silent
        silent = silent or (line is None if silent_at is None else (line or "").startswith(silent_at))
        return "" if silent else polite(line)

    async with scripted_server(script) as port:
        outcome = await connect(f"smtp://127.0.0.1:{port}", step_seconds=0.1).send(make_message())
    assert outcome == Outcome(Verdict.TRY_AGAIN, reason)


async def test_mail_has_a_limit_in_time_altogether(connect):
    async with scripted_server(lambda _, line: "" if line == "DATA" else polite(line)) as port:
        outcome = await connect(f"smtp://127.0.0.1:{port}", send_seconds=0.03).send(make_message())
    assert outcome == Outcome(Verdict.TRY_AGAIN, "timed-out")


@pytest.mark.parametrize("goodbye", ["421 too long idle", None])
async def test_kept_connection_that_the_server_gave_up_costs_nothing(connect, goodbye):
    mails = 0

    def script(connection: int, line: str | None) -> str | None:
        nonlocal mails
        mails += line == "."
        if connection == 1 and mails == 1 and (line or "").startswith("MAIL"):
            return goodbye
        return polite(line)

    async with scripted_server(script) as port:
        transport = connect(f"smtp://127.0.0.1:{port}")
        assert await transport.send(make_message()) == ACCEPTED
        assert await transport.send(make_message()) == ACCEPTED


async def test_busy_server_is_not_asked_twice_at_once(connect):
    """Only a kept connection is replaced; a fresh one that is refused means what it says."""
    connections = set()

    def script(connection: int, line: str | None) -> str | None:
        connections.add(connection)
        return "421 busy" if (line or "").startswith("MAIL") else polite(line)

    async with scripted_server(script) as port:
        outcome = await connect(f"smtp://127.0.0.1:{port}").send(make_message())
    assert outcome == Outcome(Verdict.TRY_AGAIN, "server-busy")
    assert connections == {1}


@pytest.mark.parametrize("answer", ["what?", "999 what?", "250-endless\r\n250-endless\r\n" * 3000])
async def test_nonsense_is_not_taken_for_acceptance(connect, answer):
    def script(_: int, line: str | None) -> str | None:
        return answer if line == "." else polite(line)

    async with scripted_server(script) as port:
        outcome = await connect(f"smtp://127.0.0.1:{port}").send(make_message())
    assert outcome == Outcome(Verdict.TRY_AGAIN, "answer-not-understood")


async def test_server_without_ehlo_is_greeted_the_old_way(connect):
    def script(_: int, line: str | None) -> str | None:
        return "502 unknown" if (line or "").startswith("EHLO") else polite(line)

    async with scripted_server(script) as port:
        assert await connect(f"smtp://127.0.0.1:{port}").send(make_message()) == ACCEPTED


@pytest.mark.parametrize("recipient", ["86-13900001234", "a b@example.com", "tom@example.com\r\nRCPT TO:<x@y.z>", ""])
async def test_address_that_no_mail_can_carry_is_never_tried(connect, recipient):
    transport = connect("smtp://127.0.0.1:9")
    outcome = await transport.send(make_message(recipient=recipient))
    assert outcome == Outcome(Verdict.NEVER, "address-not-mailable")


async def test_cancelled_mail_leaves_no_half_used_connection(connect):
    async with scripted_server(lambda _, line: "" if line == "DATA" else polite(line)) as port:
        transport = connect(f"smtp://127.0.0.1:{port}")
        sending = asyncio.ensure_future(transport.send(make_message(delivery_id="d-1")))
        await until(lambda: bool(transport._places._value < CONNECTIONS))
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert transport._idle == []
        assert transport._places._value == CONNECTIONS


async def test_server_that_was_down_costs_delay_and_not_the_mail(connect):
    """The whole way: worker, transport, a server that comes up after the first tries; the clock is moved by hand."""
    port = unused_port()
    transport, clock = connect(f"smtp://127.0.0.1:{port}"), WaitingClock()
    outbox = FakeOutbox(
        Job(
            job_id="j-1",
            account_id="1000000000000001",
            kind="send",
            channel="email",
            payload={},
            due_at=START,
            created_at=START,
        )
    )

    async def handler(job: Job) -> Outcome:
        return await transport.send(make_message(message_id=job.job_id))

    async def pass_time(seconds: int) -> None:
        """In steps of the worker's poll, so that it sleeps anew each time."""
        for _ in range(seconds):
            clock.advance(1.0)
            await settled(8)

    worker = Worker(outbox, {"send": handler}, ("email",), clock, worker_id="w1", jitter=lambda: 0.5)
    working = asyncio.ensure_future(worker.run())
    await until(lambda: len(outbox.settlements) == 1)
    tries = 1
    while clock.now() < START + 3_600_000:
        due = outbox.settlements[-1].due_at
        await pass_time((due - clock.now()) // 1000 + 1)
        tries += 1
        await until(lambda expected=tries: len(outbox.settlements) == expected)
    async with mail_server(port=port) as (mailbox, _):
        await pass_time((outbox.settlements[-1].due_at - clock.now()) // 1000 + 1)
        await until(lambda: bool(mailbox.mails))
        await until(lambda: outbox.settlements[-1].fate is Fate.DONE)
        worker.stop()
        await working
        await transport.close()
    assert [mail["Message-ID"] for mail in mailbox.mails] == ["<j-1@example.com>"]
    assert {entry.reason for entry in outbox.settlements[:-1]} == {"connection-refused"}
    assert clock.now() < Instant(START + 2 * 3_600_000)


async def test_goodbyes_do_not_wait_for_each_other(connect, monkeypatch):
    met = asyncio.Barrier(3)

    async def when_all_are_at_it(_talk, _seconds):
        await met.wait()

    monkeypatch.setattr(Conversation, "say_goodbye", when_all_are_at_it)
    async with mail_server() as (mailbox, port):
        transport = connect(f"smtp://127.0.0.1:{port}")
        await asyncio.gather(*(transport.send(make_message(message_id=f"j-{number}")) for number in range(3)))
        assert mailbox.connections == 3
        async with asyncio.timeout(5):
            await transport.close()
