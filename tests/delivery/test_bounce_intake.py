"""Mail that comes back, over real connections: out by SMTP with a signed return path, back in by SMTP or LMTP."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiosmtplib
import pytest

from message_contacts.settings import Settings
from message_contacts.transports.bounce_intake import LARGEST_REPORT, Listen
from tests.api.publishing import deliveries, publish, states
from tests.api.recipients import report, suspensions
from tests.delivery.conftest import mail_server, until
from tests.delivery.messages import plant_contacts
from tests.fakes.waiting_clock import WaitingClock
from tests.harness import open_api


@asynccontextmanager
async def intake(database_path, listen="smtp://127.0.0.1:0"):
    """A service that sends to a mail server and takes reports; the mailbox there, too."""
    async with mail_server() as (mailbox, port):
        settings = {
            "smtp_url": f"smtp://127.0.0.1:{port}",
            "smtp_from": "contacts@example.com",
            "bounce_domain": "Bounces.example.com",
            "bounce_listen": listen,
        }
        async with open_api(database_path, settings) as api, api.service.intake.serving():
            yield api, mailbox


async def sent(api, mailbox):
    """Publish to one contact; the message and the return path that its mail had."""
    root = await api.root_folder()
    if not mailbox.mails:
        await plant_contacts(api, root, "tom@example.com")
    message_id = await publish(api, root)
    await api.work()
    return message_id, mailbox.envelopes[-1][0]


async def hand_in(api, content, *recipients, lmtp=False, sender=""):
    """Send a mail to the intake; its last answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.service.intake.port)
    answers = [await reader.readline()]

    async def say(line):
        writer.write(line.encode() + b"\r\n")
        answers.append(await reader.readline())
        while answers[-1][3:4] == b"-":
            answers.append(await reader.readline())
        return answers[-1].decode().strip()

    try:
        await say("LHLO mx.example.com" if lmtp else "EHLO mx.example.com")
        await say(f"MAIL FROM:<{sender}>")
        for recipient in recipients:
            refused = await say(f"RCPT TO:<{recipient}>")
            if not refused.startswith("250"):
                return refused
        await say("DATA")
        writer.write(content + b".\r\n")
        return [(await reader.readline()).decode().strip() for _ in (recipients if lmtp else [0])][-1]
    finally:
        writer.close()


async def test_a_mail_goes_out_with_a_return_path_of_its_own_and_comes_back(database_path):
    async with intake(database_path) as (api, mailbox):
        message_id, path = await sent(api, mailbox)
        assert path.startswith("bounce+")
        assert path.endswith("@bounces.example.com")
        assert len(path.rpartition("@")[0]) <= 64
        assert mailbox.mails[0]["From"] == "contacts@example.com"

        # Servers on the way may write it in capitals.
        assert (await hand_in(api, report("tom@example.com"), path.upper())).startswith("250")

        assert await states(api, message_id) == {"tom@example.com": ("failed", "mailbox-unknown")}
        (suspension,) = await suspensions(api)
        assert suspension["Evidence"][0]["Source"] == "report"


async def test_reports_come_by_lmtp_too_with_an_answer_for_each_recipient(database_path):
    async with intake(database_path, "lmtp://127.0.0.1:0") as (api, mailbox):
        message_id, path = await sent(api, mailbox)

        answer = await hand_in(api, report("tom@example.com"), path, "bounce@bounces.example.com", lmtp=True)

        assert answer.startswith("250")
        assert await states(api, message_id) == {"tom@example.com": ("failed", "mailbox-unknown")}


async def test_every_mail_has_another_return_path_and_a_retry_the_same(database_path):
    async with intake(database_path) as (api, mailbox):
        _, first = await sent(api, mailbox)
        _, second = await sent(api, mailbox)
        assert first != second
        bounces = api.service.recipients.bounces
        assert bounces.return_paths.read(first)[0] == api.account_id


async def test_whoever_is_no_return_path_is_refused_before_anything_is_said(database_path):
    async with intake(database_path) as (api, mailbox):
        _, path = await sent(api, mailbox)
        for stranger in (
            "tom@example.com",
            "bounce+aaaa@bounces.example.com",
            path.replace("bounces.", "other."),
            path[:20] + ("a" if path[20] != "a" else "b") + path[21:],
            "postmaster@example.org",
        ):
            assert (await hand_in(api, b"", stranger)).startswith("550 5.1.1"), stranger


async def test_the_open_address_takes_what_holds_a_signed_return_path_inside(database_path):
    async with intake(database_path) as (api, mailbox):
        message_id, path = await sent(api, mailbox)
        unsigned = report("tom@example.com")
        assert (await hand_in(api, unsigned, "bounce@bounces.example.com")).startswith("250")
        assert await states(api, message_id) == {"tom@example.com": ("sent", "")}

        signed = report("tom@example.com", returned=f"Return-Path: <{path}>\r\n")
        assert (await hand_in(api, signed, "bounce@bounces.example.com")).startswith("250")
        assert await states(api, message_id) == {"tom@example.com": ("failed", "mailbox-unknown")}


async def test_a_report_about_a_mail_that_is_not_recorded_yet_has_to_come_again(database_path):
    async with intake(database_path) as (api, _):
        root = await api.root_folder()
        await plant_contacts(api, root, "tom@example.com")
        message_id = await publish(api, root)
        await api.work("internal")
        (delivery,) = await deliveries(api, message_id)
        path = api.service.recipients.bounces.return_paths.address(api.account_id, delivery["DeliveryId"])

        assert (await hand_in(api, report("tom@example.com"), path)).startswith("451")
        await api.work()
        assert (await hand_in(api, report("tom@example.com"), path)).startswith("250")


async def test_what_cannot_be_recorded_has_to_come_again(database_path, monkeypatch):
    async with intake(database_path) as (api, mailbox):
        message_id, path = await sent(api, mailbox)

        async def broken(*_):
            raise RuntimeError("the database is gone")

        with monkeypatch.context() as patched:
            patched.setattr(type(api.service.storage.messages), "delivery", broken)
            assert (await hand_in(api, report("tom@example.com"), path)).startswith("451")
        assert (await hand_in(api, report("tom@example.com"), path)).startswith("250")
        assert await states(api, message_id) == {"tom@example.com": ("failed", "mailbox-unknown")}


async def test_a_report_that_is_too_large_is_refused(database_path):
    async with intake(database_path) as (api, mailbox):
        _, path = await sent(api, mailbox)
        large = report("tom@example.com") + b"x" * 70 + b"\r\n"
        large += (b"y" * 76 + b"\r\n") * (LARGEST_REPORT // 78 + 1)
        assert (await hand_in(api, large, path)).startswith("552")


async def test_an_ordinary_mail_client_can_hand_in_a_report(database_path):
    async with intake(database_path) as (api, mailbox):
        message_id, path = await sent(api, mailbox)
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=api.service.intake.port) as client:
            await client.sendmail("", [path], report("tom@example.com", status="5.2.2", told="smtp; 552 full"))
        assert await states(api, message_id) == {"tom@example.com": ("failed", "mailbox-full")}


async def test_a_refusal_at_once_with_a_status_suspends_and_one_in_prose_does_not(database_path):
    async with intake(database_path) as (api, mailbox):
        root = await api.root_folder()
        await plant_contacts(api, root, "tom@example.com")
        for answer, number in (
            ("550 relay not permitted", 0),
            ("550 5.7.1 Relaying denied", 0),
            ("550 5.1.1 No such user", 1),
        ):
            mailbox.answers["RCPT"] = answer
            await publish(api, root)
            await api.work("internal")
            service = api.service
            for job in await service.storage.outbox.claim(
                "email-messages", "test", now=api.clock.now(), until=api.clock.now() + 60_000, limit=10
            ):
                await service.handlers[job.kind](job)
            assert len(await suspensions(api)) == number, answer


@pytest.mark.parametrize(
    "text", ["", "smtp://", "http://127.0.0.1:25", "smtp://127.0.0.1", "smtp://127.0.0.1:99999", "smtp://a b:25"]
)
def test_where_nothing_can_be_listened_at_is_said(text):
    with pytest.raises(ValueError, match="smtp://host:port"):
        Listen.parse(text)


def test_to_listen_needs_a_domain():
    problems = list(Settings(bounce_listen="smtp://127.0.0.1:2525").problems())
    assert any("BOUNCE_LISTEN needs" in problem for problem in problems)


async def test_a_service_that_works_listens(database_path):
    settings = {"bounce_domain": "bounces.example.com", "bounce_listen": "smtp://127.0.0.1:0"}
    async with open_api(database_path, settings, clock=WaitingClock()) as api:
        working = asyncio.create_task(api.service.work())
        await until(lambda: api.service.intake.port != 0)
        assert (await hand_in(api, b"", "tom@example.com")).startswith("550")
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection("127.0.0.1", api.service.intake.port)
