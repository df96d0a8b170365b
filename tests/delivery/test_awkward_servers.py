"""Mail servers that misbehave, with the whole service before them: nothing is lost, little comes twice.

The exception that docs/guide/messages.md names: a connection that is lost after the server has the whole mail, or a
last answer that does not come in time, costs one more copy, with the same Message-ID.
"""

from __future__ import annotations

import asyncio

import pytest

from message_contacts.transports.mail import Sender
from message_contacts.transports.smtp import SmtpTransport
from message_contacts.transports.smtp_server import SmtpServer
from tests.api.publishing import OURS, counts, deliveries, publish
from tests.delivery.awkward_server import HangUp, Stage, awkward_server, nothing_special
from tests.delivery.conftest import mail_server, make_message
from tests.delivery.mailing import TOM, service
from tests.delivery.messages import becomes, plant_contacts, working
from tests.fakes.clock import START
from tests.fakes.waiting_clock import WaitingClock

#: With servers that take commands one by one, and with such as take several in one breath.
pytestmark = pytest.mark.usefixtures("pipelining")

#: More than a socket takes at once, so that the middle of it is really in the middle.
LARGE = "<p>" + "long words " * 15_000 + "</p>"


@pytest.fixture
def clock():
    return WaitingClock()


async def published(api, **parameters):
    """Publish to Tom."""
    root = await api.root_folder()
    await plant_contacts(api, root, TOM)
    return await publish(api, root, **parameters)


async def has_come_to(api, message_id, state, tries):
    found = await deliveries(api, message_id)
    return bool(found) and (found[0]["State"], found[0]["Attempts"]) == (state, tries)


async def timeline(api, message_id):
    """Seconds since the start, state and answer of each try."""
    (delivery,) = await deliveries(api, message_id)
    shown = (await api.call("GetDelivery", OURS, DeliveryId=delivery["DeliveryId"]))["Delivery"]
    return [(_seconds(each["Time"]), each["State"], each["Reply"]) for each in shown["Timeline"]][1:]


def _seconds(time):
    assert time.startswith("2026-11-21T08:")
    return int(time[14:16]) * 60 + int(time[17:19])


def at_first(stage, what):
    """Behave like this on the first connection, at one stage, and well ever after."""

    async def behaviour(now, conversation):
        if conversation.number == 1 and now is stage:
            return what(conversation)
        return None

    return behaviour


def hang_up(_conversation):
    raise HangUp


async def test_a_server_that_greylists_gets_the_mail_again_at_the_pace_and_keeps_it_once(database_path, clock):
    """It knows a mail again by who sends it to whom: the return path of a delivery has to stay the same."""
    first_seen = {}

    async def greylisting(stage, conversation):
        if stage is Stage.RECIPIENT:
            since = first_seen.setdefault((conversation.sender, conversation.recipient), clock.now())
            if clock.now() < since + 300_000:
                return "451 4.7.1 Greylisted, please try again in 300 seconds"
        return None

    async with awkward_server(greylisting) as server, service(database_path, clock, server.port) as (api, _):
        async with working(api):
            message_id = await published(api)
            for tries, wait in enumerate((15, 30, 60, 120, 240), start=1):
                await becomes(lambda tries=tries: has_come_to(api, message_id, "deferred", tries))
                clock.advance(wait - 1)
                clock.advance(1)
            await becomes(lambda: has_come_to(api, message_id, "sent", 6))

        put_off = [(seconds, "deferred", "server-error") for seconds in (0, 15, 45, 105, 225)]
        assert await timeline(api, message_id) == [*put_off, (465, "sent", "accepted")]
        assert len(first_seen) == 1
        assert len(server.kept) == 1
        ((sender, recipient),) = first_seen
        assert sender.startswith("bounce+")
        assert recipient == TOM


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in {Stage.TLS, Stage.RESET, Stage.GOODBYE}])
async def test_a_connection_dropped_before_the_server_has_the_mail_costs_a_try_and_no_copy(database_path, clock, stage):
    behaviour = at_first(stage, hang_up)
    async with awkward_server(behaviour) as server, service(database_path, clock, server.port) as (api, _):
        async with working(api):
            message_id = await published(api, Html=LARGE)
            await becomes(lambda: has_come_to(api, message_id, "deferred", 1))
            assert server.kept == []
            clock.advance(15)
            await becomes(lambda: has_come_to(api, message_id, "sent", 2))

        (first, second) = await timeline(api, message_id)
        assert first[2] in {"connection-lost", "connection-failed"}
        assert second == (15, "sent", "accepted")
        assert server.message_ids() == [f"<j-{message_id[2:]}000001@example.com>"]
        assert len(server.kept[0].content) > len(LARGE)


async def test_a_connection_dropped_after_the_server_has_the_mail_costs_one_copy_with_the_same_message_id(
    database_path, clock
):
    def keep_and_hang_up(conversation):
        server.keep(conversation)
        raise HangUp

    behaviour = at_first(Stage.FINAL_DOT, keep_and_hang_up)
    async with awkward_server(behaviour) as server, service(database_path, clock, server.port) as (api, _):
        async with working(api):
            message_id = await published(api)
            await becomes(lambda: has_come_to(api, message_id, "deferred", 1))
            clock.advance(15)
            await becomes(lambda: has_come_to(api, message_id, "sent", 2))
            clock.advance(3600)

        assert server.message_ids() == [f"<j-{message_id[2:]}000001@example.com>"] * 2
        first, second = server.kept
        assert (first.sender, first.recipient) == (second.sender, second.recipient)


async def test_an_answer_to_the_final_dot_that_does_not_come_in_time_costs_one_copy_with_the_same_message_id(
    database_path, clock
):
    let_go = asyncio.Event()

    async def too_late(stage, conversation):
        if conversation.number == 1 and stage is Stage.FINAL_DOT:
            server.keep(conversation)
            await let_go.wait()
            raise HangUp

    async with (
        awkward_server(too_late) as server,
        service(database_path, clock, server.port, step_seconds=0.05) as (api, _),
    ):
        async with working(api):
            message_id = await published(api)
            await becomes(lambda: has_come_to(api, message_id, "deferred", 1))
            assert (await timeline(api, message_id))[0] == (0, "deferred", "timed-out")
            clock.advance(15)
            await becomes(lambda: has_come_to(api, message_id, "sent", 2))
            clock.advance(3600)
        let_go.set()

        assert server.message_ids() == [f"<j-{message_id[2:]}000001@example.com>"] * 2


async def test_the_answer_to_the_final_dot_may_take_longer_than_others(database_path, clock):
    """A server that looks through a mail for a while before it takes it must not get a copy for each try."""

    async def thorough(stage, _conversation):
        if stage is Stage.FINAL_DOT:
            await asyncio.sleep(0.15)

    async with (
        awkward_server(thorough) as server,
        service(database_path, clock, server.port, step_seconds=0.1) as (api, _),
    ):
        async with working(api):
            message_id = await published(api)
            await becomes(lambda: has_come_to(api, message_id, "sent", 1))
        assert len(server.kept) == 1


@pytest.mark.parametrize("refusal", ["454 4.7.0 TLS not available", "502 5.5.1 Not implemented", "554 5.7.3 No"])
async def test_a_server_that_offers_starttls_and_refuses_it_is_not_told_the_mail_in_clear(
    database_path, clock, refusal
):
    says = []

    async def offering(stage, conversation):
        says.append(conversation.line)
        if stage is Stage.GREETING and conversation.number == 1:
            return "250-awkward.test\r\n250 STARTTLS"
        return refusal if stage is Stage.TLS else None

    async with awkward_server(offering) as server, service(database_path, clock, server.port) as (api, _):
        async with working(api):
            message_id = await published(api)
            await becomes(lambda: has_come_to(api, message_id, "deferred", 1))
            assert (await timeline(api, message_id))[0][2] == "tls-unavailable"
            assert not any(line.startswith("MAIL") for line in says)
            clock.advance(15)
            await becomes(lambda: has_come_to(api, message_id, "sent", 2))
        assert len(server.kept) == 1


async def test_a_server_without_starttls_waits_in_vain_for_mail_that_requires_it(database_path, clock):
    async with (
        awkward_server() as server,
        service(database_path, clock, server.port, "?starttls=require") as (api, _),
    ):
        async with working(api):
            message_id = await published(api)
            await becomes(lambda: has_come_to(api, message_id, "deferred", 1))
        assert (await timeline(api, message_id))[0][2] == "starttls-missing"
        assert server.kept == []


@pytest.mark.parametrize(
    "stage", [Stage.BANNER, Stage.GREETING, Stage.SENDER, Stage.RECIPIENT, Stage.DATA, Stage.FINAL_DOT]
)
async def test_a_server_that_closes_down_in_the_middle_gets_the_mail_later_and_once(database_path, clock, stage):
    behaviour = at_first(stage, lambda _: "421 4.3.2 Shutting down")
    async with awkward_server(behaviour) as server, service(database_path, clock, server.port) as (api, _):
        async with working(api):
            message_id = await published(api)
            await becomes(lambda: has_come_to(api, message_id, "deferred", 1))
            clock.advance(15)
            await becomes(lambda: has_come_to(api, message_id, "sent", 2))
        assert await timeline(api, message_id) == [(0, "deferred", "server-busy"), (15, "sent", "accepted")]
        assert len(server.kept) == 1


@pytest.mark.parametrize("stage", [Stage.SENDER, Stage.RECIPIENT, Stage.DATA, Stage.FINAL_DOT])
async def test_a_server_that_closes_down_between_many_mails_loses_and_doubles_none(database_path, clock, stage):
    """Each connection takes two mails and is closed in the third: kept ones as well as fresh ones."""
    taken = {}

    async def short_breathed(now, conversation):
        if now is Stage.FINAL_DOT and stage is not now:
            taken[conversation.number] = taken.get(conversation.number, 0) + 1
        if now is stage and taken.get(conversation.number, 0) >= 2:
            return "421 4.7.0 Too many mails on this connection"
        if now is Stage.FINAL_DOT and stage is now:
            taken[conversation.number] = taken.get(conversation.number, 0) + 1
        return None

    emails = [f"person{number}@example.com" for number in range(40)]
    async with awkward_server(short_breathed) as server, service(database_path, clock, server.port) as (api, _):
        root = await api.root_folder()
        await plant_contacts(api, root, *emails)
        async with working(api):
            message_id = await publish(api, root)
            for _ in range(20):
                await becomes(lambda: _is_at_rest(api, message_id))
                if await counts(api, message_id) == {"Sent": 40}:
                    break
                clock.advance(1800)
        assert await counts(api, message_id) == {"Sent": 40}
        assert sorted(each.recipient for each in server.kept) == sorted(emails)


async def _is_at_rest(api, message_id):
    """Whether every mail has been tried, and nothing is being tried: a claim would run out when the time moves on."""
    found = await counts(api, message_id)
    ((claimed, due),) = await api.service.storage.outbox._database.rows(
        "SELECT count(worker_id), min(ready_at) FROM job WHERE channel = $1", ("email-messages",)
    )
    return bool(found) and "Pending" not in found and not claimed and (due is None or due > api.clock.now())


async def test_the_server_of_these_tests_takes_mail_like_others_when_it_does_nothing_special(database_path, clock):
    """What it kept is what a well-known implementation got: otherwise the tests above would measure the server."""
    contents = []
    async with awkward_server(nothing_special) as server, mail_server() as (mailbox, port):
        for where, kept in ((server.port, lambda: server.kept[0].content), (port, lambda: mailbox.raw[0])):
            transport = SmtpTransport(
                SmtpServer.parse(f"smtp://127.0.0.1:{where}"), Sender.parse("contacts@example.com"), clock
            )
            await transport.send(make_message(text="dots\n.\n..\n...x\n"))
            await transport.close()
            contents.append(kept())
    assert contents[0] == contents[1]
    assert clock.now() == START
