"""What `/metrics` tells of messages and of connections, and that it says nothing about anybody."""

from __future__ import annotations

import asyncio

import pytest

from message_contacts.delivery.outcome import Outcome, Verdict
from tests.api.publishing import OURS, publish
from tests.api.test_metrics import of, scraped
from tests.conftest import ENGINES
from tests.delivery.messages import becomes, plant_contacts, sending_api, with_phone, working
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)
AGAIN = Outcome(Verdict.TRY_AGAIN, "connection-lost")
NEVER = Outcome(Verdict.NEVER, "mailbox-unknown")


async def test_messages_and_what_became_of_deliveries_are_told(database_url):
    async with sending_api(database_url, FakeClock()) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, "tom@example.com", "ann@example.com", "bob@example.com")
        await plant_contacts(api, root, "eve@example.com", first=9, **with_phone("1-2025550123"))
        mail.script = {"tom@example.com": [AGAIN], "ann@example.com": [NEVER]}
        async with working(api):
            await publish(api, root, Severity="Critical", ClientToken="once")
            await publish(api, root, Severity="Critical", ClientToken="once")
            await becomes(lambda: _told(api, "deferred"))
            api.clock.advance(60)
            await becomes(lambda: _none_waits(api))
        samples = await scraped(api)

        assert of(samples, "messages_total", type="FaultMessage", severity="Critical") == 1
        told = {
            state: of(samples, "deliveries_total", channel="email", state=state)
            for state in ("sent", "deferred", "failed", "skipped")
        }
        assert told == {"sent": 3, "deferred": 1, "failed": 1, "skipped": None}
        assert of(samples, "addresses_skipped_total", channel="sms", reason="country-not-allowed") == 1
        assert of(samples, "incidents_opened_total") == 0


async def _told(api, state):
    return f'state="{state}"' in (await api.service.meter.page(""))[1].decode()


async def _none_waits(api):
    found = await api.call("ListDeliveries", OURS, MaxResults=100)
    return not {"pending", "deferred"} & {each["State"] for each in found["Deliveries"]}


async def test_what_the_operator_should_look_at_is_told_from_nought_on(database_url):
    async with sending_api(database_url, FakeClock()) as (api, _mail, _):
        names = ("incidents_opened", "messages_nobody_subscribed", "message_fallbacks", "addresses_suspended",
                 "hand_overs_asked", "text_messages_over_limit")  # fmt: skip
        before = await scraped(api)
        assert [of(before, f"{name}_total") for name in names] == [0] * 6

        await publish(api, await api.root_folder())
        await api.work()

        assert of(await scraped(api), "incidents_opened_total") == 1


async def test_a_delivery_that_ends_without_a_try_is_told_with_its_reason(database_url):
    async with sending_api(database_url, FakeClock()) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, "tom@example.com")
        await publish(api, root)
        await api.work("internal")
        await api.call("UpdateMessageContact", ContactId="c-0000000000000001", MessageTypes=["SecurityMessage"])
        async with working(api):
            await becomes(lambda: _told(api, "skipped"))
        samples = await scraped(api)

        assert mail.sent == []
        assert of(samples, "deliveries_total", channel="email", state="skipped") == 1
        assert of(samples, "addresses_skipped_total", channel="email", reason="not-subscribed") == 1


async def test_connections_are_told_where_there_are_any(database_url, engine):
    async with sending_api(database_url, FakeClock()) as (api, _mail, _):
        await api.add_contact()
        storage = api.service.storage
        if engine == "sqlite":
            assert storage.pools() == ()
            assert of(await scraped(api), "database_connections_limit", pool="reading") is None
            return
        pool = storage.outbox._database._reading
        lent = [await pool.take() for _ in range(pool._free_places + len(pool._idle))]
        waiting = asyncio.ensure_future(pool.take())
        await asyncio.sleep(0)
        samples = await scraped(api)
        pool.give_back(lent.pop())
        pool.give_back(await waiting)
        for connection in lent:
            pool.give_back(connection)

        most = of(samples, "database_connections_limit", pool="reading")
        assert of(samples, "database_connections", pool="reading", state="in-use") == most > 1
        assert of(samples, "database_connections", pool="reading", state="idle") == 0
        assert of(samples, "database_connection_waiters", pool="reading") == 1
        after = await scraped(api)
        assert of(after, "database_connections", pool="reading", state="idle") == most
        assert of(after, "database_connection_waiters", pool="reading") == 0
        assert of(after, "database_connections_limit", pool="committing") == 1
