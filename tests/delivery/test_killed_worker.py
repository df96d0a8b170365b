"""A worker that is killed at any moment: nothing is lost, and nobody is mailed twice beyond what SMTP cannot exclude.

A kill before a try costs time only. A kill after the server took the mail over and before that was recorded costs a
second copy, with the same Message-ID: nobody but the server knew.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from message_contacts.bootstrap import CHANNELS
from message_contacts.clock import MINUTE, Instant
from message_contacts.delivery.messages import DELIVER
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.delivery.outcome import Outcome, Verdict
from tests.api.publishing import OURS, deliveries, publish
from tests.conftest import ENGINES
from tests.delivery.messages import plant_contacts, sending_api
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

EMAILS = [f"{name}@example.com" for name in ("tom", "ann", "bob", "eve")]
CLAIM = 5 * MINUTE
AGAIN = Outcome(Verdict.TRY_AGAIN, "connection-lost")


class Killed(Exception):  # noqa: N818 - what happened
    """The worker is gone, with all that it had not committed."""


class MortalWorker:
    """Does one job after the other, and dies where it is told to."""

    def __init__(self, api, dies_at) -> None:
        self.api = api
        #: By the number of the moment, whether to die; moments are before a job, after it, and after it was recorded.
        self.dies_at = dies_at
        self.moments = 0
        #: Deliveries that were sent by a worker that died before it could say so.
        self.unrecorded: Counter[str] = Counter()

    def moment(self, job=None, outcome=None) -> None:
        number = self.moments
        self.moments += 1
        if self.dies_at(number):
            if job is not None and job.kind == DELIVER and outcome.verdict is Verdict.ACCEPTED and not outcome.becomes:
                self.unrecorded[job.payload["delivery_id"]] += 1
            raise Killed

    async def work(self) -> bool:
        """Until nothing is due, or death; whether anything was done."""
        outbox, clock, handlers = self.api.service.storage.outbox, self.api.clock, self.api.service.handlers
        done = False
        for channel in CHANNELS:
            until = Instant(clock.now() + CLAIM)
            for job in await outbox.claim(channel, f"w{self.moments}", now=clock.now(), until=until, limit=2):
                worker_id = f"w{self.moments}"
                await self._claimed_by(job, worker_id)
                self.moment()
                outcome = await handlers[job.kind](job)
                self.moment(job, outcome)
                fate = Fate.DONE if outcome.verdict is Verdict.ACCEPTED else Fate.AGAIN
                due = Instant(clock.now() + (0 if fate is Fate.DONE else MINUTE))
                settlement = Settlement(job, fate, due, outcome.reason, clock.now(), outcome.becomes)
                await outbox.settle(worker_id, [settlement])
                self.moment()
                done = True
        return done

    async def _claimed_by(self, job, worker_id) -> None:
        """The claim is renewed in the name of this moment, so that a settlement counts."""
        database = self.api.service.storage.outbox._database
        sql = "UPDATE job SET worker_id = $1 WHERE account_id = $2 AND job_id = $3"
        await database.write(sql, (worker_id, job.account_id, job.job_id))


async def published_with(database_url, dies_at, *, failing=False):
    """Publish to four contacts with workers that die; what became of it."""
    clock = FakeClock()
    async with sending_api(database_url, clock) as (api, mail, _):
        root = await api.root_folder()
        await plant_contacts(api, root, *EMAILS)
        if failing:
            mail.script[EMAILS[1]] = [AGAIN, AGAIN]
        message_id = await publish(api, root)
        worker = MortalWorker(api, dies_at)
        for _ in range(500):
            try:
                if await worker.work():
                    continue
            except Killed:
                pass
            # Claims of the dead run out, and what was put off is due.
            clock.advance(CLAIM / 1000 + 1)
            message = (await api.call("GetMessage", OURS, MessageId=message_id))["Message"]
            waiting = message["Counts"]["Pending"] + message["Counts"]["Deferred"]
            if message["State"] == "Published" and not waiting:
                break
        return await deliveries(api, message_id), mail, worker


def assert_all_well(found, mail, worker):
    assert {each["Address"]: each["State"] for each in found} == dict.fromkeys(EMAILS, "sent")
    for each in found:
        ids = mail.accepted_by(each["Address"])
        assert len(set(ids)) == 1
        assert 1 <= len(ids) <= 1 + worker.unrecorded[each["DeliveryId"]], each


async def test_without_a_kill_everybody_is_mailed_once(database_url):
    found, mail, worker = await published_with(database_url, lambda _: False)

    assert_all_well(found, mail, worker)
    assert len(mail.sent) == len(EMAILS)
    assert worker.moments > 3 * len(EMAILS)


@pytest.mark.parametrize("moment", range(21))
async def test_a_kill_at_each_moment_loses_nothing(database_url, moment):
    found, mail, worker = await published_with(database_url, lambda number: number == moment)

    assert_all_well(found, mail, worker)
    assert len(mail.sent) == len(EMAILS) + sum(worker.unrecorded.values())


@pytest.mark.parametrize("seed", range(6))
async def test_kills_again_and_again_lose_nothing(database_url, seed):
    chance = random.Random(seed)
    found, mail, worker = await published_with(database_url, lambda _: chance.random() < 0.25, failing=True)

    assert_all_well(found, mail, worker)
