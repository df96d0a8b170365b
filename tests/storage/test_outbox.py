from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from message_contacts import errors
from message_contacts.changes import DueNow, Enqueue, Insert, Job, Requeue, Stale
from message_contacts.delivery.messages import DELIVER
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.errors import ApiError
from message_contacts.storage import Storage
from message_contacts.storage.engine import Database, Parameters, Row, Step
from message_contacts.storage.outbox import JobOutbox
from tests.factories import ACCOUNT, make_contact
from tests.storage.making import OTHER_ACCOUNT, after, commit, make_job

NOW = after(100)
LATER = after(200)


async def enqueue(storage: Storage, *jobs: Job) -> None:
    await commit(storage, *(Enqueue(job) for job in jobs))


async def enqueue_many(storage: Storage, tenant: str, count: int, **fields: object) -> None:
    """Work of one tenant, due for long."""
    for start in range(0, count, 500):
        numbers = range(start, min(start + 500, count))
        await enqueue(storage, *(make_job(number, account_id=tenant, due_at=after(0), **fields) for number in numbers))


async def claim(storage: Storage, worker_id: str = "one", **asked: object) -> list[Job]:
    given: dict[str, object] = {"now": NOW, "until": LATER, "limit": 10, **asked}
    return list(await storage.outbox.claim("email", worker_id, **given))  # type: ignore[arg-type]


async def test_due_jobs_are_claimed_as_they_were_put_oldest_due_first(storage: Storage) -> None:
    second, first = make_job(1, due_at=after(20)), make_job(2, due_at=after(10), account_id=OTHER_ACCOUNT)
    await enqueue(storage, second, first, make_job(3, due_at=after(101)), make_job(4, channel="sms"))

    assert await claim(storage) == [first, second]
    assert await claim(storage) == []


async def test_a_claim_takes_no_more_than_its_limit_the_oldest_due(storage: Storage) -> None:
    await enqueue(storage, *(make_job(number) for number in range(5)))

    assert await claim(storage, limit=2) == [make_job(0), make_job(1)]
    assert await claim(storage, "two") == [make_job(2), make_job(3), make_job(4)]


async def test_a_job_of_a_worker_that_died_is_due_again_when_its_claim_runs_out(storage: Storage) -> None:
    await enqueue(storage, make_job())
    await claim(storage)
    assert await storage.outbox.next_due("email") == LATER

    assert await claim(storage, "two", now=after(199)) == []
    assert await claim(storage, "two", now=LATER, until=after(300)) == [make_job()]


async def test_what_is_settled_is_done_put_off_or_given_up(storage: Storage) -> None:
    await enqueue(storage, *(make_job(number) for number in range(3)))
    done, again, dead = await claim(storage)

    await storage.outbox.settle(
        "one",
        [
            Settlement(done, Fate.DONE, NOW, "accepted"),
            Settlement(again, Fate.AGAIN, after(150), "connection-refused"),
            Settlement(dead, Fate.DEAD, NOW, "mailbox-unknown"),
        ],
    )

    assert await storage.outbox.next_due("email") == after(150)
    assert await claim(storage, now=after(149)) == []
    assert await claim(storage, now=after(150)) == [
        make_job(1, due_at=after(150), attempts=1, last_failure="connection-refused")
    ]
    assert await storage.outbox.dead_jobs(ACCOUNT, after=None, limit=10) == [
        make_job(2, attempts=1, last_failure="mailbox-unknown")
    ]


@pytest.mark.parametrize("fate", list(Fate))
async def test_a_job_that_another_worker_has_claimed_since_is_left_alone(storage: Storage, fate: Fate) -> None:
    await enqueue(storage, make_job())
    (job,) = await claim(storage)
    await claim(storage, "two", now=LATER, until=after(300))

    await storage.outbox.settle("one", [Settlement(job, fate, after(250), "overdue")])

    assert await storage.outbox.next_due("email") == after(300)
    assert await claim(storage, "three", now=after(300)) == [job]


async def test_what_a_worker_hands_back_is_due_at_once(storage: Storage) -> None:
    await enqueue(storage, make_job(1), make_job(2))
    (mine,) = await claim(storage, limit=1)
    await claim(storage, "two")

    await storage.outbox.hand_back("one")

    assert await claim(storage, "three") == [mine]


async def test_nothing_is_due_when_nothing_waits(storage: Storage) -> None:
    assert await storage.outbox.next_due("email") is None
    await enqueue(storage, make_job(due_at=after(7)), make_job(2, channel="sms", due_at=after(5)))
    assert await storage.outbox.next_due("email") == after(7)


async def test_work_that_was_put_off_is_made_due_and_other_work_left_alone(storage: Storage) -> None:
    put_off, at_a_worker, given_up = make_job(), make_job(2), make_job(3)
    await enqueue(storage, put_off, at_a_worker, given_up)
    jobs = {job.job_id: job for job in await claim(storage)}
    fates = [(put_off, Fate.AGAIN, after(9_000)), (given_up, Fate.DEAD, NOW)]
    await storage.outbox.settle(
        "one", [Settlement(jobs[job.job_id], fate, due_at, "quiet-hours") for job, fate, due_at in fates]
    )
    woken: list[str] = []
    storage.on_enqueued = woken.append

    for job in (put_off, at_a_worker, given_up):
        await commit(storage, DueNow(OTHER_ACCOUNT, job.job_id, "email", NOW))
    assert await claim(storage, "two") == []
    for job in (put_off, at_a_worker, given_up):
        await commit(storage, DueNow(ACCOUNT, job.job_id, "email", NOW))

    assert set(woken) == {"email"}
    assert await claim(storage, "two") == [make_job(due_at=NOW, last_failure="quiet-hours")], "the wait was no try"
    assert await storage.outbox.dead_job(ACCOUNT, given_up.job_id) is not None


async def test_a_job_that_was_given_up_waits_again_when_replayed(storage: Storage) -> None:
    await enqueue(storage, make_job())
    (job,) = await claim(storage)
    await storage.outbox.settle("one", [Settlement(job, Fate.DEAD, NOW, "mailbox-unknown")])
    woken: list[str] = []
    storage.on_enqueued = woken.append

    assert await storage.outbox.dead_job(OTHER_ACCOUNT, job.job_id) is None
    dead = await storage.outbox.dead_job(ACCOUNT, job.job_id)
    assert dead is not None
    await commit(storage, Requeue(dead, NOW))
    with pytest.raises(Stale):
        await commit(storage, Requeue(dead, NOW))

    assert woken == ["email"]
    assert await storage.outbox.dead_jobs(ACCOUNT, after=None, limit=10) == []
    assert await claim(storage) == [make_job(due_at=NOW, last_failure="mailbox-unknown")]


async def test_a_page_of_dead_jobs_goes_by_id(storage: Storage) -> None:
    await enqueue(storage, *(make_job(number) for number in range(4)), make_job(5, account_id=OTHER_ACCOUNT))
    claimed = await claim(storage)
    await storage.outbox.settle("one", [Settlement(job, Fate.DEAD, NOW, "overdue") for job in claimed if job])

    first = await storage.outbox.dead_jobs(ACCOUNT, after=None, limit=3)
    rest = await storage.outbox.dead_jobs(ACCOUNT, after=first[-1].job_id, limit=3)

    assert [job.job_id for job in [*first, *rest]] == [make_job(number).job_id for number in range(4)]


async def test_a_tenant_with_little_to_do_does_not_wait_behind_one_with_much(storage: Storage) -> None:
    await enqueue_many(storage, ACCOUNT, 10_000)
    await claim(storage, limit=50)
    await enqueue(storage, make_job(1, account_id=OTHER_ACCOUNT, due_at=NOW))

    claimed = await claim(storage, limit=50)

    assert len(claimed) == 50
    assert make_job(1, account_id=OTHER_ACCOUNT, due_at=NOW) in claimed


async def test_tenants_share_a_claim_and_of_each_the_oldest_due_are_taken(storage: Storage) -> None:
    tenants = [f"3{number:015}" for number in range(4)]
    for tenant in tenants:
        await enqueue(storage, *(make_job(number, account_id=tenant) for number in range(30)))

    claimed = await claim(storage, limit=20)

    assert sorted((job.account_id, job.due_at) for job in claimed) == [
        (tenant, after(number)) for tenant in tenants for number in range(5)
    ]


async def test_every_tenant_has_its_turn_however_many_there_are(storage: Storage) -> None:
    """Ids of any length; a claim looks at few of them, and not all have work that is due."""
    tenants = [f"4{number}" for number in range(150)]
    for tenant in tenants:
        await enqueue(storage, *(make_job(number, account_id=tenant, due_at=after(0)) for number in range(3)))
    idle = [make_job(1, account_id=f"5{number}", due_at=LATER) for number in range(100)]
    await enqueue(storage, *idle)

    rounds = [await claim(storage, limit=30) for _ in range(11)]

    assert all(len(claimed) == 30 for claimed in rounds)
    assert {job.account_id for claimed in rounds for job in claimed} == set(tenants)


async def test_a_claim_for_others_takes_nothing_of_those_who_have_something_at_hand(storage: Storage) -> None:
    await enqueue_many(storage, ACCOUNT, 100)
    assert await claim(storage, limit=50, not_of=[ACCOUNT]) == []
    await enqueue(storage, make_job(1, account_id=OTHER_ACCOUNT))

    assert await claim(storage, limit=50, not_of=[ACCOUNT]) == [make_job(1, account_id=OTHER_ACCOUNT)]


async def test_work_of_a_dead_worker_has_its_turn_though_another_tenant_has_much_that_is_older(
    storage: Storage,
) -> None:
    await enqueue(storage, make_job(1, account_id=OTHER_ACCOUNT))
    await claim(storage, "dead", until=after(150))
    await enqueue_many(storage, ACCOUNT, 200)

    claimed = await claim(storage, now=after(150), until=after(300), limit=50)

    assert make_job(1, account_id=OTHER_ACCOUNT) in claimed


async def test_two_workers_never_claim_the_same_job(storage: Storage, other: Storage) -> None:
    await enqueue(storage, *(make_job(number, due_at=after(0)) for number in range(200)))

    claimed = await asyncio.gather(
        *(claim(at, worker, limit=7) for at, worker in ((storage, "one"), (other, "two")) for _ in range(20))
    )

    job_ids = [job.job_id for batch in claimed for job in batch]
    assert len(job_ids) == 200
    assert len(set(job_ids)) == 200


async def test_a_worker_is_woken_once_its_work_is_committed_and_only_then(storage: Storage) -> None:
    woken: list[str] = []
    storage.on_enqueued = woken.append

    with pytest.raises(Stale):
        await commit(storage, Enqueue(make_job(1)), Insert(make_contact()))  # there is no directory
    assert woken == []

    await commit(storage, Enqueue(make_job(1)), Enqueue(make_job(2)), Enqueue(make_job(3, channel="sms")))
    assert sorted(woken) == ["email", "sms"]


class _InTheWay:
    """A database in which somebody else is in the way of so many commits."""

    def __init__(self, database: Database, times: int) -> None:
        self._database = database
        self._times = times

    async def commit(self, steps: Sequence[Step]) -> None:
        self._times -= 1
        if self._times >= 0:
            raise Stale
        await self._database.commit(steps)


async def test_what_became_of_jobs_is_recorded_though_somebody_was_in_the_way(storage: Storage) -> None:
    """On PostgreSQL: whoever withdraws a message, or hears of a bounce, has locked the same deliveries."""
    await enqueue(storage, make_job())
    (job,) = await claim(storage)
    settlement = Settlement(job, Fate.DEAD, NOW, "mailbox-unknown")

    with pytest.raises(ApiError) as refused:
        await JobOutbox(cast("Database", _InTheWay(storage._database, 1000))).settle("one", [settlement])
    assert refused.value.definition is errors.SERVICE_UNAVAILABLE
    assert await storage.outbox.dead_job(ACCOUNT, job.job_id) is None

    await JobOutbox(cast("Database", _InTheWay(storage._database, 2))).settle("one", [settlement])
    assert await storage.outbox.dead_job(ACCOUNT, job.job_id) is not None


class _FailsLater:
    """A database that carries out one statement more."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left = 1

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    async def write(self, sql: str, parameters: Parameters) -> tuple[list[Row], int]:
        self._left -= 1
        if self._left < 0:
            raise errors.SERVICE_UNAVAILABLE()
        return await self._database.write(sql, parameters)


async def test_what_was_claimed_before_the_store_failed_is_told(storage: Storage) -> None:
    """Else it would be nobody's until the claim ends."""
    await enqueue_many(storage, ACCOUNT, 1)
    await enqueue_many(storage, OTHER_ACCOUNT, 9)
    outbox = JobOutbox(cast("Database", _FailsLater(storage._database)))

    found = await outbox.claim("email", "one", now=NOW, until=LATER, limit=4)  # two of each, then whatever there is
    assert [job.account_id for job in found].count(ACCOUNT) == 1
    assert len(found) == 3

    with pytest.raises(ApiError, match="ServiceUnavailable"):
        await outbox.claim("email", "one", now=NOW, until=LATER, limit=4)


async def test_a_delivery_of_another_release_is_recorded_as_far_as_it_is_known(storage: Storage) -> None:
    await enqueue(storage, make_job(kind=DELIVER))
    (job,) = await claim(storage)
    await storage.outbox.settle("one", [Settlement(job, Fate.DEAD, NOW, "internal-error")])
    assert await storage.outbox.dead_job(ACCOUNT, job.job_id) is not None
