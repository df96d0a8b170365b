"""Mail servers that do not answer: what goes by another channel need not wait for them."""

from __future__ import annotations

import asyncio

import pytest

from message_contacts.delivery.pace import WorkerRules
from tests.api.publishing import counts, publish, states
from tests.delivery.awkward_server import Stage, awkward_server
from tests.delivery.conftest import until
from tests.delivery.mailing import TOM, service
from tests.delivery.messages import becomes, plant_contacts, with_phone, working
from tests.fakes.waiting_clock import WaitingClock

#: With servers that take commands one by one, and with such as take several in one breath.
pytestmark = pytest.mark.usefixtures("pipelining")


@pytest.fixture
def clock():
    return WaitingClock()


async def test_a_mail_server_that_says_nothing_does_not_hold_up_text_messages(database_path, clock):
    let_go = asyncio.Event()

    async def slow(_stage, _conversation):
        await let_go.wait()

    async with awkward_server(slow) as server, service(database_path, clock, server.port) as (api, sms):
        root = await api.root_folder()
        numbers = [f"86-139000012{number:02}" for number in range(30)]
        for first, number in enumerate(numbers, start=1):
            await plant_contacts(api, root, f"person{first}@example.com", first=first, **with_phone(number))
        async with working(api):
            message_id = await publish(api, root, Severity="Critical")
            await until(lambda: server.connections == WorkerRules().of_one_tenant)
            await until(lambda: len(sms.sent) == len(numbers))
            await becomes(lambda: _counted(api, message_id, {"Sent": 30, "Pending": 30}))
            assert server.kept == []

            let_go.set()
            await becomes(lambda: _counted(api, message_id, {"Sent": 60}))
        assert len(server.kept) == 30
        assert server.connections == WorkerRules().of_one_tenant


async def _counted(api, message_id, expected):
    return await counts(api, message_id) == expected


async def test_a_mail_server_that_never_answers_lets_text_messages_pass_try_after_try(database_path, clock):
    """Each try at a mail ends in its own time, and the next message's text messages need not wait for it."""
    let_go = asyncio.Event()

    async def silent(stage, _conversation):
        if stage is Stage.BANNER:
            await let_go.wait()

    async with (
        awkward_server(silent) as server,
        service(database_path, clock, server.port, step_seconds=0.02) as (api, sms),
    ):
        root = await api.root_folder()
        await plant_contacts(api, root, TOM, **with_phone("86-13900001234"))
        async with working(api):
            for number in range(1, 4):
                message_id = await publish(api, root, Severity="Critical")
                await until(lambda number=number: len(sms.sent) == number)
                await becomes(lambda message_id=message_id: _mail_is(api, message_id, "deferred"))
        let_go.set()
        assert server.kept == []


async def _mail_is(api, message_id, state):
    return (await states(api, message_id)).get(TOM, ("",))[0] == state
