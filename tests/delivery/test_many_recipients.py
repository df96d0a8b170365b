"""A message to many: in bounded steps, each of which can be repeated."""

from __future__ import annotations

import asyncio

import pytest

from message_contacts.changes import Insert
from message_contacts.delivery.batch import AT_ONCE
from tests.api.publishing import OURS, counts, publish
from tests.conftest import ENGINES
from tests.delivery.messages import becomes, plant_contacts, sending_api, working
from tests.fakes.clock import FakeClock
from tests.storage.making import make_member

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

#: Contacts. Several steps on both engines; many more where a row costs the test little.
MANY = {"sqlite": 10_000, "postgresql": 2_000}


async def test_thousands_of_contacts_get_one_mail_each(database_url, engine):
    many = MANY[engine]
    async with sending_api(database_url, FakeClock()) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, *(f"{number}@example.com" for number in range(many)))
        steps = []
        expand = api.service.handlers["expand-message"]
        commit = api.service.storage.committer.commit

        async def watched(changes, nonce):
            steps.append(len(changes))
            await commit(changes, nonce)

        api.service.storage.committer.commit = watched
        async with working(api):
            message_id = await publish(api, root)
            await becomes(lambda: _all_sent(api, message_id, many))

        assert len({message.recipient for message in mail.sent}) == len(mail.sent) == many
        assert max(steps) <= AT_ONCE + 5
        assert expand.tally.counts() == {}


async def _all_sent(api, message_id, many):
    await asyncio.sleep(0.05)  # counting takes its time, too
    return await counts(api, message_id) == {"Sent": many}


async def test_members_that_nobody_is_reached_for_are_counted_and_the_first_are_named(database_url):
    """Thousands of members in a folder without a contact; one of them has its own."""
    async with sending_api(database_url, FakeClock()) as (api, _mail, _):
        folder = await api.create_folder("sales")
        members = [f"2{number:015}" for number in range(3_000)]
        for start in range(0, len(members), 1_000):
            rows = (
                Insert(
                    make_member(
                        member_id,
                        account_id=api.account_id,
                        folder_id=folder,
                        display_name=member_id,
                        account_name=f"{member_id}@x.aliyunid.com",
                    )
                )
                for member_id in members[start : start + 1_000]
            )
            await api.service.storage.committer.commit(tuple(rows), None)
        await plant_contacts(api, members[1_500], "tom@example.com")

        message_id = await publish(api, folder)
        await api.work()

        assert await counts(api, message_id) == {"Sent": 1}
        (incident,) = (await api.call("ListIncidents", OURS))["Incidents"]
        assert (incident["MemberCount"], incident["Members"]) == (2_999, members[:100])
