from __future__ import annotations

from message_contacts.access.sharing import Demand
from message_contacts.access.throttle import Subject
from message_contacts.clock import Instant
from message_contacts.storage import Storage
from tests.factories import ACCOUNT

KEY, WHOLE = Subject(ACCOUNT, "key"), Subject(ACCOUNT)


def demand(subject: Subject, process_id: str, moment: int, calls: int) -> Demand:
    return Demand(subject=subject, process_id=process_id, measured_at=Instant(moment), calls=calls)


async def test_processes_hear_what_each_other_said_last(storage: Storage, other: Storage) -> None:
    await storage.demands.tell([demand(KEY, "a", 1, 10), demand(WHOLE, "a", 1, 30)])
    await storage.demands.tell([demand(KEY, "a", 2, 20)])
    await other.demands.tell([demand(KEY, "b", 2, 5)])

    told = await other.demands.told(Instant(0))

    assert sorted(told, key=lambda said: (said.subject.access_key_id, said.process_id)) == [
        demand(WHOLE, "a", 1, 30),
        demand(KEY, "a", 2, 20),
        demand(KEY, "b", 2, 5),
    ]
    assert len(await other.demands.told(Instant(1))) == 2


async def test_what_is_old_is_taken_away(storage: Storage) -> None:
    await storage.demands.tell([demand(KEY, "a", 1, 10), demand(KEY, "b", 2, 10)])
    await storage.demands.forget(Instant(1))
    assert await storage.demands.told(Instant(0)) == [demand(KEY, "b", 2, 10)]
