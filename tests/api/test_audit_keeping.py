"""What a service does about the trail beside its calls: seals, writes refusals, and finishes both at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from message_contacts.bootstrap import Service
from tests.api.ram_users import ram_user, statement
from tests.harness import Api, open_api


async def run_for_a_moment(task: Callable[[Service], Awaitable[None]], service: Service) -> None:
    """Begin, give it a few turns, and end it as a server does."""
    running = asyncio.ensure_future(task(service))
    for _ in range(5):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_working_seals_and_seals_what_is_left_at_its_end(api: Api) -> None:
    await api.create_folder("Finance")

    await run_for_a_moment(Service.work, api.service)

    assert await api.service.storage.audit.unsealed(after="", limit=9) == []
    chain = await api.service.storage.audit.chain(api.account_id)
    assert chain.sequence == 2


async def test_attending_writes_refusals_and_what_is_left_at_its_end(api: Api) -> None:
    user = await ram_user(api, "reader", statement("Allow", "resourcemanager:Get*"))
    for _ in range(12):
        await user.error("CreateFolder", FolderName="Finance")

    await run_for_a_moment(Service.attend, api.service)

    told = (await api.call("ListAuditEvents", "2026-11-01", Kind="refusal", MaxResults=100))["Events"]
    assert sum(event["Times"] for event in told) == 12


async def test_an_address_given_in_place_of_an_id_does_not_get_into_the_trail(api: Api) -> None:
    user = await ram_user(api, "weak", statement("Allow", "sts:*"))
    contact_id = await api.add_contact()
    for given in ("wilhelmina.q@erase-me.example", "86-13900001234", contact_id):
        await user.error("GetMessageContact", ContactId=given)
    await user.error("GetUser", "2015-05-01", UserName="wilhelmina.q@erase-me.example")
    await api.service.refusals.write(everything=True)

    told = (await api.call("ListAuditEvents", "2026-11-01", Kind="refusal"))["Events"]

    assert sorted(target.rpartition(":")[2] for event in told for target in event["Targets"]) == sorted(
        [f"messagecontact/{contact_id}", "messagecontact/***", "messagecontact/***", "user/***"]
    )


async def test_a_service_that_makes_no_change_makes_no_event(database_path: Path) -> None:
    async with open_api(database_path) as api:
        before = await api.service.storage.audit.events_before(api.account_id, before="z", start="", limit=99)
        await api.service.first_start()
        await api.call("ListMessageContacts")
        await api.error("GetMessageContact", ContactId="c-nobody")
        assert await api.service.storage.audit.events_before(api.account_id, before="z", start="", limit=99) == before
