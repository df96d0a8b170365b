"""The captured inbox as tests of other systems use it: list, wait, clear."""

from __future__ import annotations

import asyncio

import pytest

from message_contacts.contacts.model import Channel
from message_contacts.delivery.outcome import OutgoingMessage
from tests import signing
from tests.api.publishing import OURS, publish
from tests.api.test_races import Interruption
from tests.conftest import ENGINES
from tests.fakes.waiting_clock import WaitingClock, settled
from tests.harness import open_api


async def capture(api, recipient="tom@example.com", number=1):
    """Have something land in the inbox."""
    await api.service.transports[Channel.EMAIL].send(
        OutgoingMessage(
            account_id=api.account_id,
            channel=Channel.EMAIL,
            recipient=recipient,
            message_id=f"j-{number:024}",
            subject=f"Number {number}",
            text="Text",
        )
    )


async def subjects(api, **parameters):
    return [each["Subject"] for each in (await api.call("ListInboxMessages", OURS, **parameters))["Messages"]]


@pytest.fixture
async def waiting(database_path):
    """A service on a clock on which waiting really waits."""
    async with open_api(database_path, clock=WaitingClock()) as opened:
        yield opened


async def test_a_call_that_waits_is_answered_as_soon_as_something_comes(waiting):
    call = asyncio.ensure_future(subjects(waiting, WaitSeconds=30))
    await settled()
    assert not call.done()

    await capture(waiting)
    assert await call == ["Number 1"]
    assert waiting.clock.now() == 1_795_248_000_000, "no time had to pass"


async def test_what_is_there_already_is_not_waited_for(waiting):
    await capture(waiting)
    assert await subjects(waiting, WaitSeconds=30) == ["Number 1"]


async def test_what_another_process_puts_there_is_found_by_looking_again(waiting, database_path):
    call = asyncio.ensure_future(subjects(waiting, WaitSeconds=30))
    await settled()
    async with open_api(database_path) as other:
        await capture(other)
    await settled()
    assert not call.done()
    waiting.clock.advance(0.5)
    assert await call == ["Number 1"]


async def test_a_call_that_waited_in_vain_gets_an_empty_list(waiting):
    call = asyncio.ensure_future(subjects(waiting, WaitSeconds=2))
    for _ in range(4):
        await settled()
        assert not call.done()
        waiting.clock.advance(0.5)
    assert await call == []
    assert waiting.service.storage.inbox._waiting == {}, "nobody listens any more"


async def test_only_what_was_asked_for_ends_the_wait(waiting):
    await capture(waiting, number=1)
    call = asyncio.ensure_future(
        subjects(waiting, WaitSeconds=30, Recipient="ann@example.com", AfterMessageId=f"j-{1:024}")
    )
    await settled()
    await capture(waiting, number=2)
    await settled()
    assert not call.done()
    await capture(waiting, "Ann@example.com", number=3)
    assert await call == ["Number 3"]


async def test_another_tenant_does_not_end_the_wait(waiting):
    other = await waiting.other_tenant()
    call = asyncio.ensure_future(subjects(waiting, WaitSeconds=30))
    await settled()
    await capture(other)
    await settled()
    assert not call.done()
    call.cancel()


async def test_messages_behind_one_that_was_seen(api):
    for number in (1, 2, 3):
        await capture(api, number=number)
    assert await subjects(api, AfterMessageId=f"j-{2:024}") == ["Number 3"]


@pytest.mark.parametrize("seconds", ["31", "-1", "soon", "1.5"])
async def test_a_wait_that_is_too_long_or_none_is_refused(api, seconds):
    status, body = await api.error("ListInboxMessages", OURS, WaitSeconds=seconds)
    assert (status, body["Code"]) == (400, "InvalidParameter.WaitSeconds")


async def test_the_inbox_is_cleared_whole_or_of_one_address(api):
    for number, recipient in enumerate(["tom@example.com", "ann@example.com", "Tom@Example.com"], start=1):
        await capture(api, recipient, number)
    other = await api.other_tenant()
    await capture(other)

    assert await api.call("ClearInbox", OURS, Recipient="TOM@example.com") == {"Cleared": 2}
    assert await subjects(api) == ["Number 2"]
    assert await api.call("ClearInbox", OURS) == {"Cleared": 1}
    assert await api.call("ClearInbox", OURS) == {"Cleared": 0}
    assert await subjects(other) == ["Number 1"]


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_a_repeated_call_to_clear_takes_nothing_away_that_came_since(api):
    await capture(api, number=1)
    request = signing.v3("ClearInbox", {}, key_id=api.key_id, secret=api.secret, now_ms=api.clock.now(), version=OURS)
    assert (await api.send(request)).status == 200
    await capture(api, number=2)

    assert (await api.send(request)).status == 400
    assert await subjects(api) == ["Number 2"]


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_what_is_captured_while_the_inbox_is_cleared_stays(database_url):
    race = Interruption()
    async with open_api(database_url, seam=race) as api:
        await capture(api, number=1)
        race.once(lambda: capture(api, number=2))

        assert await api.call("ClearInbox", OURS) == {"Cleared": 1}
        assert await subjects(api) == ["Number 2"]


async def test_many_messages_are_cleared(api):
    for number in range(1, 602):
        await capture(api, number=number)
    assert await api.call("ClearInbox", OURS) == {"Cleared": 601}


async def test_requests_to_confirm_a_magic_address_arrive(api):
    await api.add_verified_contact(
        await api.root_folder(), EmailAddress="bounce+tom@example.com", MessageTypes=["FaultMessage"]
    )
    await publish(api, await api.root_folder())
    assert (await api.inbox("bounce+tom@example.com"))[0]["Subject"]


async def test_the_last_message_can_come_first_and_pages_go_back_in_time(api):
    for number in range(1, 4):
        await capture(api, number=number)

    page = await api.call("ListInboxMessages", OURS, NewestFirst="true", MaxResults=2)
    rest = await subjects(api, NewestFirst="true", MaxResults=2, NextToken=page["NextToken"])

    assert [each["Subject"] for each in page["Messages"]] == ["Number 3", "Number 2"]
    assert rest == ["Number 1"]
    status, body = await api.error("ListInboxMessages", OURS, NewestFirst="true", AfterMessageId="j-1")
    assert (status, body["Code"]) == (400, "InvalidParameter.NewestFirst")


async def test_one_message_is_read_by_its_id(api):
    await capture(api, number=1)
    await capture(api, "ann@example.com", number=2)

    assert await subjects(api, MessageId=f"j-{2:024}") == ["Number 2"]
    assert await subjects(api, MessageId=f"j-{2:024}", Recipient="ANN@example.com") == ["Number 2"]
    assert await subjects(api, MessageId=f"j-{2:024}", Recipient="tom@example.com") == []
    assert await subjects(api, MessageId="j-nothing") == []


async def test_the_inbox_tells_of_which_channels_everything_is_captured(api):
    assert (await api.call("ListInboxMessages", OURS))["CapturedChannels"] == ["email", "sms", "webhook"]
