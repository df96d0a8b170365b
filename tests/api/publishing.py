"""Publishing as tests do it."""

from __future__ import annotations

from typing import Any

from message_contacts.bootstrap import CHANNELS
from message_contacts.clock import MINUTE, Instant
from tests.harness import Api

OURS = "2026-11-01"
WORDING = {"MessageType": "FaultMessage", "Subject": "Disk full", "Text": "The disk of the database is full."}


async def publish(api: Api, *targets: str, **parameters: Any) -> str:
    """Publish a message; what is not named is filled in."""
    published = await api.call("PublishMessage", OURS, **{**WORDING, "Targets": list(targets), **parameters})
    message_id: str = published["MessageId"]
    return message_id


async def deliveries(api: Api, message_id: str, **parameters: Any) -> list[dict[str, Any]]:
    """All deliveries of a message."""
    found: list[dict[str, Any]] = []
    token = None
    while True:
        page = await api.call(
            "ListDeliveries", OURS, MessageId=message_id, MaxResults=100, NextToken=token, **parameters
        )
        found += page["Deliveries"]
        token = page.get("NextToken")
        if token is None:
            return found


async def states(api: Api, message_id: str) -> dict[str, tuple[str, str]]:
    """State and reason of each delivery of a message, by address."""
    return {each["Address"]: (each["State"], each["Reason"]) for each in await deliveries(api, message_id)}


async def counts(api: Api, message_id: str) -> dict[str, int]:
    """How many deliveries of a message are in each state, those without any left out."""
    message = (await api.call("GetMessage", OURS, MessageId=message_id))["Message"]
    return {name: number for name, number in message["Counts"].items() if number}


async def notices(api: Api, recipient: str | None = None) -> list[dict[str, Any]]:
    """Published messages in the captured inbox, without requests to confirm."""
    return [message for message in await api.inbox(recipient) if "/verify/" not in message["Text"]]


async def work_as_workers_do(api: Api) -> None:
    """Do what is due until nothing is, refusals included."""
    service, outbox = api.service, api.service.storage.outbox
    while True:
        done = 0
        for channel in CHANNELS:
            until = Instant(api.clock.now() + MINUTE)
            for job in await outbox.claim(channel, "test", now=api.clock.now(), until=until, limit=100):
                outcome = await service.handlers[job.kind](job)
                settlement = service.worker._lanes[channel]._settlement(job, outcome, duration_ms=0.0)
                await outbox.settle("test", [settlement])
                done += 1
        if not done:
            return


async def come_to_rest(api: Api) -> None:
    """Let everything go out, and be looked back at, until nothing more comes of it."""
    await work_as_workers_do(api)
    for _ in range(3):
        api.clock.advance(61)
        await work_as_workers_do(api)
