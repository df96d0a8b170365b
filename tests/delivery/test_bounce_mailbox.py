"""Reports fetched from a mailbox: a real IMAP server, a whole service, and what is left in the mailbox afterwards."""

from __future__ import annotations

import asyncio
import imaplib
import threading
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from message_contacts.bootstrap.errors import StartError
from message_contacts.delivery.bounces import Bounces
from message_contacts.errors import SERVICE_UNAVAILABLE
from message_contacts.settings import Settings
from message_contacts.transports import imap_session
from message_contacts.transports.bounce_intake import LARGEST_REPORT
from message_contacts.transports.imap_session import LEFT
from tests.api.publishing import publish, states
from tests.api.recipients import complaint, report, suspensions
from tests.delivery.conftest import mail_server, until
from tests.delivery.dovecot import IN_URL, PASSWORD, USERNAME, dovecot_server
from tests.delivery.messages import plant_contacts
from tests.fakes.waiting_clock import WaitingClock
from tests.harness import open_api
from tests.postgres import free_port

HOLIDAY = b"From: jerry@example.com\r\nSubject: On holiday\r\nAuto-Submitted: auto-replied\r\n\r\nBack on Monday.\r\n"
INTERVAL = 60.0


@pytest.fixture(scope="module")
def running(certificate):
    with dovecot_server(certificate.file, certificate.key_file, (free_port(), free_port())) as server:
        yield server


@pytest.fixture
def dovecot(running):
    running.clear()
    return running


@pytest.fixture
def url(dovecot):
    return f"imap://{IN_URL}@127.0.0.1:{dovecot.port}"


@asynccontextmanager
async def fetching(database, url, clock=None):
    """A service that sends to a mail server and fetches reports; the mailbox it sends to, too."""
    async with mail_server() as (mailbox, port):
        settings = {
            "smtp_url": f"smtp://127.0.0.1:{port}",
            "smtp_from": "contacts@example.com",
            "bounce_domain": "bounces.example.com",
            "bounce_imap_url": url,
        }
        async with open_api(database, settings, clock=clock) as api:
            yield api, mailbox


async def sent(api, mailbox, *addresses):
    """Publish to contacts; the message, and by address the return path that its mail had."""
    root = await api.root_folder()
    await plant_contacts(api, root, *addresses)
    message_id = await publish(api, root)
    await api.work()
    return message_id, {recipients[0]: path for path, recipients in mailbox.envelopes}


async def look(api):
    """The next turn of the process; what it logged."""
    api.clock.advance(INTERVAL)
    with capture_logs() as logged:
        await api.service.mailbox.turn()
    return logged


def came_for(path, mail, field="Delivered-To"):
    """A mail as the server of its recipient keeps it."""
    return f"Return-Path: <>\r\n{field}: {path}\r\n".encode() + mail


@pytest.mark.parametrize("field", ["Delivered-To", "X-Original-To", "Envelope-To", "To"])
async def test_a_report_is_recorded_and_then_gone_from_the_mailbox(database_path, dovecot, url, field):
    async with fetching(database_path, url) as (api, mailbox):
        message_id, paths = await sent(api, mailbox, "tom@example.com")
        dovecot.put(came_for(paths["tom@example.com"].upper(), report("tom@example.com"), field))

        await look(api)

        assert await states(api, message_id) == {"tom@example.com": ("failed", "mailbox-unknown")}
        assert len(await suspensions(api)) == 1
        assert dovecot.flags() == []


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
async def test_a_mailbox_is_read_over_tls(database_path, dovecot, certificate, scheme):
    options, port = ("", dovecot.tls_port) if scheme == "imaps" else ("starttls=require&", dovecot.port)
    url = f"{scheme}://{IN_URL}@localhost:{port}/INBOX?{options}ca={certificate.file}"
    async with fetching(database_path, url) as (api, mailbox):
        message_id, paths = await sent(api, mailbox, "tom@example.com")
        dovecot.put(complaint(paths["tom@example.com"]))

        await look(api)

        assert (await suspensions(api))[0]["Reason"] == "complaint"
        assert await states(api, message_id) == {"tom@example.com": ("sent", "")}
        assert dovecot.flags() == []


async def test_what_is_no_report_of_ours_stays_and_is_looked_at_once(database_path, dovecot, url):
    async with fetching(database_path, url) as (api, _):
        dovecot.put(HOLIDAY, report("somebody@example.com"))

        first = await look(api)
        assert {"log_level": "info", "event": "bounce_mailbox_read", "not_a_report": 1, "not_ours": 1} in first
        assert dovecot.flags() == [{LEFT}, {LEFT}]
        assert not [entry for entry in await look(api) if entry["event"] == "bounce_mailbox_read"]


async def test_mail_that_somebody_else_has_marked_as_deleted_is_neither_read_nor_removed(database_path, dovecot, url):
    async with fetching(database_path, url) as (api, mailbox):
        message_id, paths = await sent(api, mailbox, "tom@example.com", "jerry@example.com")
        for address, path in paths.items():
            dovecot.put(came_for(path, report(address)))
        with dovecot.looked_at() as imap:
            imap.store("1", "+FLAGS", r"\Deleted")

        await look(api)

        assert sorted(state for state, _ in (await states(api, message_id)).values()) == ["failed", "sent"]
        assert dovecot.flags() == [{r"\Deleted"}]


async def test_a_report_about_a_mail_that_is_not_recorded_yet_is_looked_at_again(database_path, dovecot, url):
    async with fetching(database_path, url) as (api, _):
        root = await api.root_folder()
        await plant_contacts(api, root, "tom@example.com")
        message_id = await publish(api, root)
        await api.work("internal")
        bounces = api.service.recipients.bounces
        (delivery,) = (await api.call("ListDeliveries", "2026-11-01", MessageId=message_id))["Deliveries"]
        path = bounces.return_paths.address(api.account_id, delivery["DeliveryId"])
        dovecot.put(came_for(path, report("tom@example.com")))

        await look(api)
        assert dovecot.flags() == [set()]
        await api.work()
        await look(api)

        assert await states(api, message_id) == {"tom@example.com": ("failed", "mailbox-unknown")}
        assert dovecot.flags() == []


@pytest.mark.parametrize("failure", [RuntimeError("a bug"), SERVICE_UNAVAILABLE()])
async def test_a_report_that_cannot_be_recorded_holds_no_other_up_and_is_looked_at_again(
    database_path, dovecot, url, failure, monkeypatch
):
    async with fetching(database_path, url) as (api, mailbox):
        message_id, paths = await sent(api, mailbox, "tom@example.com", "jerry@example.com")
        for address in ("tom@example.com", "jerry@example.com"):
            dovecot.put(came_for(paths[address], report(address)))
        take = Bounces.take

        async def spoilt(self, content, recipients):
            if paths["tom@example.com"].encode() in content:
                raise failure
            return await take(self, content, recipients)

        with monkeypatch.context() as patched:
            patched.setattr(Bounces, "take", spoilt)
            await look(api)
        assert await states(api, message_id) == {
            "tom@example.com": ("sent", ""),
            "jerry@example.com": ("failed", "mailbox-unknown"),
        }
        assert dovecot.flags() == [set()]

        await look(api)
        assert dovecot.flags() == []
        assert (await states(api, message_id))["tom@example.com"] == ("failed", "mailbox-unknown")


async def test_a_connection_lost_before_the_mail_was_removed_changes_nothing_twice(
    database_path, dovecot, url, monkeypatch
):
    async with fetching(database_path, url) as (api, mailbox):
        _, paths = await sent(api, mailbox, "tom@example.com")
        dovecot.put(came_for(paths["tom@example.com"], report("tom@example.com", status="5.2.2")))

        def lost(self, _numbers):
            self.abandon()
            raise imap_session.MailboxFailure(imap_session.ImapFault.UNREACHABLE)

        with monkeypatch.context() as patched:
            patched.setattr(imap_session.ImapSession, "remove", lost)
            await look(api)
        assert dovecot.flags() == [set()]

        api.clock.advance(600)
        logged = await look(api)
        assert dovecot.flags() == []
        assert [entry["nothing_new"] for entry in logged if entry["event"] == "bounce_mailbox_read"] == [1]


async def test_a_mail_that_is_too_large_stays(database_path, dovecot, url):
    async with fetching(database_path, url) as (api, _):
        dovecot.put(report("tom@example.com") + b"x" * LARGEST_REPORT)

        await look(api)

        assert dovecot.flags() == [{LEFT}]


async def test_more_mails_than_are_marked_together_are_all_dealt_with(database_path, dovecot, url):
    async with fetching(database_path, url) as (api, _):
        with dovecot.looked_at() as imap:
            for _ in range(45):
                imap.append("INBOX", "", "", HOLIDAY)
        await look(api)
        assert dovecot.flags() == [{LEFT}] * 45


async def test_another_folder_than_the_usual_one(database_path, dovecot, url):
    with dovecot.looked_at() as imap:
        imap.create('"Bounced mail"')
    async with fetching(database_path, f"{url}/Bounced%20mail") as (api, _):
        dovecot.put(HOLIDAY, folder='"Bounced mail"')
        await look(api)
        assert dovecot.flags('"Bounced mail"') == [{LEFT}]


async def test_of_several_processes_one_looks_at_a_time(database_path, url):
    async with fetching(database_path, url) as (one, _), fetching(database_path, url, one.clock) as (other, _):

        async def both():
            one.clock.advance(INTERVAL)
            await asyncio.gather(one.service.mailbox.turn(), other.service.mailbox.turn())

        def looks():
            return sum(
                sample.value
                for api in (one, other)
                for sample in api.service.meter._metrics.numbers().samples()
                if sample.family.name == "message_contacts_bounce_mailbox_reads"
            )

        await both()
        assert looks() == 1
        await both()
        assert looks() == 2


def words_of(logged):
    return [(entry["event"], entry.get("why")) for entry in logged if entry["event"].startswith("bounce_mailbox")]


async def readyz(api):
    response = await api.service.operator.answer("GET", "/readyz", [])
    return response.status, response.body.decode().split()


@pytest.mark.parametrize(
    ("broken", "why", "word"),
    [
        (("p%2Fw", "wrong"), "login-refused", "bounce-mailbox-login-refused"),
        (("/INBOX", "/Nowhere"), "no-such-folder", "bounce-mailbox-unusable"),
        (("starttls=never", "starttls=require"), "certificate-refused", "bounce-mailbox-unreachable"),
    ],
)
async def test_a_mailbox_that_cannot_be_read_is_told_and_the_service_stays_ready(database_path, url, broken, why, word):
    url = f"{url}/INBOX?starttls=never"
    async with fetching(database_path, url.replace(*broken)) as (api, _):
        logged = await look(api)

        assert words_of(logged) == [("bounce_mailbox_failed", why)]
        assert all(secret not in str(logged) for secret in (USERNAME, PASSWORD, "127.0.0.1"))
        assert await readyz(api) == (200, ["ok", word])
        _, page = await api.service.meter.page("text/plain")
        assert f'message_contacts_bounce_mailbox_reads_total{{outcome="{why}"}} 1' in page.decode()
        api.clock.advance(3_600)
        assert await readyz(api) == (200, ["ok"])


async def test_a_mailbox_that_works_again_is_well(database_path, dovecot, url, monkeypatch):
    async with fetching(database_path, url) as (api, _):
        with monkeypatch.context() as patched:
            patched.setattr(imaplib.IMAP4, "open", lambda *_: (_ for _ in ()).throw(ConnectionRefusedError()))
            assert words_of(await look(api)) == [("bounce_mailbox_failed", "unreachable")]
            assert await readyz(api) == (200, ["ok", "bounce-mailbox-unreachable"])

        assert ("bounce_mailbox_works_again", None) in words_of(await look(api))
        assert await readyz(api) == (200, ["ok"])


async def test_a_mailbox_that_fails_is_left_alone_for_longer_each_time(database_path):
    async with fetching(database_path, f"imap://{IN_URL}@127.0.0.1:{free_port()}") as (api, _):
        mailbox = api.service.mailbox
        mailbox._jitter = lambda: 0.5
        pauses = []
        with capture_logs():
            for _ in range(6):
                api.clock.advance(700)
                pauses.append(await mailbox.turn())
        assert pauses == [60.5, 90, 180, 360, 450, 450]


async def test_a_service_that_works_looks_and_stops_looking(database_path, dovecot, url):
    async with fetching(database_path, url, WaitingClock()) as (api, _):
        dovecot.put(HOLIDAY)
        working = asyncio.create_task(api.service.work())
        await until(lambda: dovecot.flags() == [{LEFT}])
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working


async def test_a_service_that_stops_does_not_wait_for_a_server_that_says_nothing(database_path):
    heard = threading.Event()
    open_ones = []

    async def silent(_reader, writer):
        open_ones.append(writer)
        heard.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with fetching(database_path, f"imap://{IN_URL}@127.0.0.1:{port}", WaitingClock()) as (api, _):
            working = asyncio.create_task(api.service.work())
            await until(heard.is_set)
            working.cancel()
            started = asyncio.get_running_loop().time()
            with pytest.raises(asyncio.CancelledError):
                await working
            assert asyncio.get_running_loop().time() - started < imap_session.SILENCE_SECONDS / 2
    finally:
        for writer in open_ones:
            writer.close()
        server.close()
        await server.wait_closed()


def test_to_fetch_needs_a_domain():
    problems = list(Settings(bounce_imap_url="imaps://a:b@mail.example.com").problems())
    assert any("BOUNCE_IMAP_URL needs" in problem for problem in problems)


async def test_a_mailbox_that_cannot_be_meant_stops_the_start(database_path):
    settings = {"bounce_domain": "bounces.example.com", "bounce_imap_url": "imaps://only-a-user@mail.example.com"}
    with pytest.raises(StartError, match="user and a password"):
        async with open_api(database_path, settings):
            pass
