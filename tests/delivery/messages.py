"""A service with contacts whose addresses were confirmed by a person, for tests of sending."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from message_contacts.changes import Insert
from message_contacts.contacts.model import Binding, Channel, ContactName, EmailAddress, MessageType, PhoneNumber, Slot
from message_contacts.delivery.pace import WorkerRules
from message_contacts.delivery.worker import Worker
from tests.factories import BY_PERSON, make_contact
from tests.fakes.clock import START, FakeClock
from tests.fakes.transport import ScriptedTransport
from tests.harness import Api, open_api

#: Seconds after which a test gives up; nothing here takes that long.
PATIENCE = 30
CHANNELS = ("email", "sms", "email-messages", "sms-messages", "internal")


@asynccontextmanager
async def sending_api(
    database: Path | str, clock: FakeClock, settings: dict[str, Any] | None = None
) -> AsyncIterator[tuple[Api, ScriptedTransport, ScriptedTransport]]:
    """A service whose mails and text messages go to scripted transports."""
    mail, sms = ScriptedTransport(), ScriptedTransport()
    given = {"smtp_url": "smtp://mail.example.com", "sms_url": "https://sms.example.com/", **(settings or {})}
    transports = {Channel.EMAIL: mail, Channel.SMS: sms}
    async with open_api(database, given, clock=clock, transports=transports) as api:
        yield api, mail, sms


async def plant_contacts(api: Api, node_id: str, *emails: str, first: int = 1, **fields: Any) -> None:
    """Contacts bound to an object, confirmed by a person, that get fault messages."""
    changes = []
    for number, email in enumerate(emails, start=first):
        contact = make_contact(
            account_id=api.account_id,
            contact_id=f"c-{number:016}",
            name=ContactName(f"contact {number}"),
            message_types=(MessageType.FAULT_MESSAGE,),
            email=Slot(shown=EmailAddress(email), verified=BY_PERSON),
            bindings=(Binding(node_id, START),),
            created_at=START + number,
        )
        changes.append(Insert(replace(contact, **fields)))
    for start in range(0, len(changes), 500):
        await api.service.storage.committer.commit(tuple(changes[start : start + 500]), None)


def with_phone(number: str) -> dict[str, Any]:
    """The field of a contact that has a confirmed number."""
    return {"phone": Slot(shown=PhoneNumber(number), verified=BY_PERSON)}


def make_worker(api: Api, name: str = "w1", **rules: Any) -> Worker:
    """A worker of its own, as another process would run it."""
    return Worker(
        api.service.storage.outbox,
        api.service.handlers,
        CHANNELS,
        api.clock,
        worker_id=name,
        rules=WorkerRules(**rules),
        jitter=lambda: 0.5,
        tally=api.service.tally,
    )


@asynccontextmanager
async def working(api: Api, **rules: Any) -> AsyncIterator[Worker]:
    """A worker that runs beside the test."""
    worker = make_worker(api, **rules)
    api.service.storage.on_enqueued = worker.wake
    task = asyncio.ensure_future(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, PATIENCE)


async def becomes(condition: Callable[[], Awaitable[bool]]) -> None:
    """Let everything work until something is so."""
    end = time.monotonic() + PATIENCE
    while not await condition():
        assert time.monotonic() < end, "this did not happen"
        await asyncio.sleep(0)
