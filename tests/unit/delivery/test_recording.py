"""What a worker has done and cannot record: it is recorded later, and not done again meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from message_contacts.delivery.outbox import Settlement
from message_contacts.errors import SERVICE_UNAVAILABLE
from tests.fakes.outbox import FakeOutbox
from tests.fakes.waiting_clock import WaitingClock, settled
from tests.unit.delivery.test_worker import ACCEPTED, Hand, at_work, make_job, make_worker

#: Claims that run out after a minute.
CLAIMS = {"claim_for": 60_000, "try_seconds": 10.0}


@pytest.fixture
def clock() -> WaitingClock:
    return WaitingClock()


class Spoiled(FakeOutbox):
    """Cannot record some jobs, whoever asks."""

    spoiled: frozenset[str] = frozenset()

    async def settle(self, worker_id: str, settlements: Sequence[Settlement]) -> None:
        if any(each.job.job_id in self.spoiled for each in settlements):
            raise KeyError("made up")
        await super().settle(worker_id, settlements)


async def pass_time(clock: WaitingClock, seconds: float) -> None:
    """In steps, so that whatever waits meanwhile has its turn."""
    for _ in range(round(seconds / 10)):
        clock.advance(10.0)
        await settled()


async def test_while_nothing_can_be_recorded_nothing_is_sent_again_and_nothing_more_is_begun(clock):
    outbox, hand = FakeOutbox(make_job(1)), Hand(ACCEPTED)
    outbox.settle_failures = [SERVICE_UNAVAILABLE()] * 10
    async with at_work(make_worker(outbox, hand, clock, **CLAIMS)):
        outbox.add(make_job(2))
        await pass_time(clock, 150)
        assert hand.begun == ["j-0001"]
        assert outbox.settle_failures

        outbox.settle_failures.clear()
        await pass_time(clock, 60)
    assert sorted(hand.begun) == ["j-0001", "j-0002"]
    assert outbox.waiting == []


async def test_one_job_that_cannot_be_recorded_stops_no_other_and_is_not_done_again(clock):
    outbox, hand = Spoiled(*(make_job(number) for number in range(1, 6))), Hand(ACCEPTED)
    outbox.spoiled = frozenset({"j-0003"})
    with capture_logs() as lines:
        async with at_work(make_worker(outbox, hand, clock, **CLAIMS)):
            await pass_time(clock, 200)
            assert [job.job_id for job in outbox.waiting] == ["j-0003"]
            assert sorted(hand.begun) == [f"j-000{number}" for number in range(1, 6)]

            outbox.spoiled = frozenset()
            await pass_time(clock, 70)
    assert outbox.waiting == []
    assert len(hand.begun) == 5
    assert {line["job_id"] for line in lines if line["event"] == "job_not_recorded"} == {"j-0003"}


async def test_what_cannot_be_recorded_at_the_end_is_not_handed_back(clock):
    outbox, hand = Spoiled(make_job(1)), Hand(ACCEPTED)
    outbox.spoiled = frozenset({"j-0001"})
    async with at_work(make_worker(outbox, hand, clock, **CLAIMS)):
        await settled()
    assert outbox.worker_of("j-0001") == "w1"


async def test_a_worker_ends_though_it_cannot_hand_back(clock, monkeypatch):
    outbox = FakeOutbox()

    async def unavailable(_worker_id: str) -> None:
        raise SERVICE_UNAVAILABLE()

    monkeypatch.setattr(outbox, "hand_back", unavailable)
    with capture_logs() as lines:
        async with at_work(make_worker(outbox, Hand(ACCEPTED), clock)):
            pass
    assert [line["event"] for line in lines] == ["worker_hand_back_failed"]
