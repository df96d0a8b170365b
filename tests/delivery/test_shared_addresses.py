"""Many contacts at one address: one mail with every reason and a link for each, and nobody is forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.changes import Delete, Insert, Update
from message_contacts.contacts.model import Channel, EmailAddress, MessageType
from message_contacts.delivery.messages import CONTACTS_NAMED
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.standing import Preference, QuietHours
from tests.api.publishing import publish, states
from tests.conftest import ENGINES
from tests.delivery.messages import becomes, plant_contacts, sending_api, working
from tests.fakes.clock import START
from tests.fakes.waiting_clock import WaitingClock
from tests.storage.making import make_copy

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

TEAM = "team@example.com"
AGAIN = Outcome(Verdict.TRY_AGAIN, "mailbox-busy")
REASON = "You are the contact"
#: More than a delivery names.
CROWD = CONTACTS_NAMED + 30


@pytest.fixture
def clock():
    return WaitingClock()


async def change(api, numbers, **fields):
    """Change contacts that were planted with these numbers."""
    changes = []
    for number in numbers:
        contact = await api.service.storage.contacts.contact(api.account_id, f"c-{number:016}")
        changes.append(Update(contact, replace(contact, **fields)))
    await api.service.storage.committer.commit(tuple(changes), None)


async def said(api, contact_number, **fields):
    """A contact says what it wants, at the address."""
    made = Preference(
        account_id=api.account_id,
        channel=Channel.EMAIL,
        address_key=TEAM,
        contact_id=f"c-{contact_number:016}",
        changed_at=START,
        **fields,
    )
    await api.service.storage.committer.commit((Insert(made),), None)


async def published_and_deferred(api, mail, contacts):
    """A message to so many contacts at one address, of which the first try failed for now."""
    root = await api.root_folder()
    await plant_contacts(api, root, *[TEAM] * contacts)
    mail.script[TEAM] = [AGAIN]
    message_id = await publish(api, root)
    await becomes(lambda: _is(api, message_id, "deferred", ""))
    return message_id


async def _is(api, message_id, state, reason):
    return (await states(api, message_id)).get(TEAM) == (state, reason)


@pytest.mark.parametrize(
    ("contacts", "listed", "rest"),
    [(25, 25, ""), (CONTACTS_NAMED, CONTACTS_NAMED, ""), (CROWD, CONTACTS_NAMED, "And for 30 further reasons.")],
)
async def test_a_mail_lists_every_reason_that_is_stored_and_counts_the_others(
    database_url, clock, contacts, listed, rest
):
    async with sending_api(database_url, clock) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, *[TEAM] * contacts)
        async with working(api):
            message_id = await publish(api, root)
            await becomes(lambda: _is(api, message_id, "sent", ""))

        (sent,) = mail.sent
        for part in (sent.text, sent.html):
            assert part.count(REASON) == listed
            assert part.count("/preferences/") == listed * 2, "in each of both languages"
            assert ("further reasons" in part) == bool(rest)
            assert rest in part


async def test_every_contact_that_is_named_is_asked_again_before_the_address_is_given_up(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _), working(api):
        message_id = await published_and_deferred(api, mail, 25)

        await change(api, range(1, 25), message_types=(MessageType.PRODUCT_MESSAGE,))
        clock.advance(16)
        await becomes(lambda: _is(api, message_id, "sent", ""))

        assert mail.sent[-1].text.count(REASON) == 1
        assert "contact 25 of all accounts" in mail.sent[-1].text


async def test_when_nobody_is_left_who_is_named_the_others_are_looked_for(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _), working(api):
        message_id = await published_and_deferred(api, mail, CROWD)

        await change(api, range(1, CROWD - 1), message_types=(MessageType.PRODUCT_MESSAGE,))
        clock.advance(16)
        await becomes(lambda: _is(api, message_id, "sent", ""))

        root = await api.root_folder()
        text = mail.sent[-1].text
        for number in (CROWD - 1, CROWD):
            assert f"{REASON} contact {number} of all accounts in the folder root ({root})." in text
        assert text.count(REASON) == 2
        assert "further reasons" not in text


async def test_a_copy_that_members_keep_is_found_among_the_others_too(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _), working(api):
        member = await api.create_member("shop")
        message_id = await published_and_deferred(api, mail, CROWD)

        await change(api, range(1, CROWD), message_types=(MessageType.PRODUCT_MESSAGE,))
        last = await api.service.storage.contacts.contact(api.account_id, f"c-{CROWD:016}")
        copy = make_copy(
            contact_id=last.contact_id,
            account_id=api.account_id,
            email=EmailAddress(TEAM),
            node_ids=(member,),
            message_types=last.message_types,
            detached_at=clock.now(),
        )
        await api.service.storage.committer.commit((Delete(last), Insert(copy)), None)
        clock.advance(16)
        await becomes(lambda: _is(api, message_id, "sent", ""))

        assert f"shop ({member}), which kept you" in mail.sent[-1].text


async def test_the_others_are_asked_what_they_want_and_whether_they_still_have_the_address(database_url, clock):
    async with sending_api(database_url, clock) as (api, mail, _), working(api):
        message_id = await published_and_deferred(api, mail, CROWD)

        await change(api, range(1, CROWD), message_types=(MessageType.PRODUCT_MESSAGE,))
        await said(api, CROWD, unwanted=frozenset({MessageType.FAULT_MESSAGE}))
        clock.advance(16)
        await becomes(lambda: _is(api, message_id, "skipped", "not-subscribed"))


async def test_who_waits_for_the_end_of_quiet_hours_is_not_forgotten_for_others_who_left(database_url, clock):
    """Of several words against an address that which ends by itself counts, whoever was asked last."""
    async with sending_api(database_url, clock) as (api, mail, _), working(api):
        message_id = await published_and_deferred(api, mail, 3)

        # It is 16:00 in Shanghai.
        hours = QuietHours(starts=15 * 60, ends=17 * 60 + 30, zone="Asia/Shanghai", hold_urgent=True)
        await said(api, 1, quiet=hours)
        await change(api, (2, 3), message_types=(MessageType.PRODUCT_MESSAGE,))
        clock.advance(16)
        await becomes(lambda: _reply(api, message_id, "quiet-hours"))
        assert await _is(api, message_id, "deferred", "")
        clock.advance(5400)
        await becomes(lambda: _is(api, message_id, "sent", ""))


async def _reply(api, message_id, reply):
    page = await api.call("ListDeliveries", "2026-11-01", MessageId=message_id)
    return page["Deliveries"][0]["Reply"] == reply
