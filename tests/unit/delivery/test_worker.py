"""The worker against an outbox in memory and a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import structlog

from message_contacts import errors
from message_contacts.changes import Job
from message_contacts.clock import DAY, MINUTE, Instant
from message_contacts.delivery.outbox import Fate
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.pace import WorkerRules
from message_contacts.delivery.worker import Worker
from message_contacts.errors import SERVICE_UNAVAILABLE
from message_contacts.metrics import Metrics, families
from tests.fakes.clock import START, FakeClock
from tests.fakes.outbox import FakeOutbox
from tests.fakes.waiting_clock import WaitingClock, settled

ACCEPTED = Outcome(Verdict.ACCEPTED, "accepted")
AGAIN = Outcome(Verdict.TRY_AGAIN, "connection-refused")
NEVER = Outcome(Verdict.NEVER, "mailbox-unknown")


def make_job(
    number: int = 1,
    *,
    channel: str = "email",
    kind: str = "send",
    due_at: int = START,
    account_id: str = "1000000000000001",
) -> Job:
    return Job(
        job_id=f"j-{number:04}",
        account_id=account_id,
        kind=kind,
        channel=channel,
        payload={},
        due_at=Instant(due_at),
        created_at=START,
    )


class Hand:
    """A handler that does what it is told, when it is told."""

    def __init__(self, *outcomes: Outcome | Exception) -> None:
        self.outcomes = list(outcomes)
        self.begun: list[str] = []
        #: Clear it to keep jobs from ending.
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, job: Job) -> Outcome:
        self.begun.append(job.job_id)
        await self.open.wait()
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
def clock() -> WaitingClock:
    return WaitingClock()


def make_worker(outbox: FakeOutbox, hand: Callable, clock: WaitingClock, **rules: float) -> Worker:
    return Worker(
        outbox,
        {"send": hand},
        ("email", "sms"),
        clock,
        worker_id="w1",
        rules=WorkerRules(**rules),
        jitter=lambda: 0.5,
    )


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[asyncio.Task]:
    running = asyncio.ensure_future(worker.run())
    await settled()
    try:
        yield running
    finally:
        worker.stop()
        await asyncio.wait_for(running, 30)


async def test_due_job_is_done_and_recorded(clock):
    outbox, hand = FakeOutbox(make_job()), Hand(ACCEPTED)
    async with at_work(make_worker(outbox, hand, clock)):
        pass
    assert hand.begun == ["j-0001"]
    assert [(entry.fate, entry.reason) for entry in outbox.settlements] == [(Fate.DONE, "accepted")]
    assert outbox.waiting == []


async def test_job_that_is_not_due_waits_until_it_is(clock):
    outbox, hand = FakeOutbox(make_job(due_at=START + 700)), Hand(ACCEPTED)
    async with at_work(make_worker(outbox, hand, clock)):
        assert hand.begun == []
        clock.advance(0.69)
        await settled()
        assert hand.begun == []
        clock.advance(0.01)
        await settled()
        assert hand.begun == ["j-0001"]


async def test_job_of_another_process_is_found_by_the_next_poll(clock):
    outbox, hand = FakeOutbox(), Hand(ACCEPTED)
    async with at_work(make_worker(outbox, hand, clock)):
        outbox.add(make_job())
        await settled()
        assert hand.begun == []
        clock.advance(1.0)
        await settled()
        assert hand.begun == ["j-0001"]


async def test_wake_finds_a_job_at_once(clock):
    outbox, hand = FakeOutbox(), Hand(ACCEPTED)
    worker = make_worker(outbox, hand, clock)
    async with at_work(worker):
        outbox.add(make_job())
        worker.wake("email")
        worker.wake("a channel of other workers")
        await settled()
        assert hand.begun == ["j-0001"]


async def test_idle_worker_asks_once_a_poll(clock):
    outbox = FakeOutbox()
    async with at_work(make_worker(outbox, Hand(ACCEPTED), clock)):
        before = outbox.claims
        for _ in range(10):
            clock.advance(1.0)
            await settled()
        assert outbox.claims - before == 20  # two channels


async def test_slow_channel_does_not_hold_up_another(clock):
    jobs = [make_job(number, channel="sms") for number in range(100)]
    outbox, slow = FakeOutbox(*jobs, make_job(500)), Hand(ACCEPTED)
    slow.open.clear()

    async def hand(job: Job) -> Outcome:
        return await slow(job) if job.channel == "sms" else ACCEPTED

    async with at_work(make_worker(outbox, hand, clock)):
        assert [entry.job.job_id for entry in outbox.settlements] == ["j-0500"]
        slow.open.set()


async def test_slow_jobs_of_one_tenant_leave_room_for_those_of_another_though_they_come_later(clock):
    outbox, slow = FakeOutbox(*(make_job(number) for number in range(500))), Hand(ACCEPTED)
    slow.open.clear()

    async def hand(job: Job) -> Outcome:
        return await slow(job) if job.account_id == "1000000000000001" else ACCEPTED

    async with at_work(make_worker(outbox, hand, clock)):
        assert len(slow.begun) == WorkerRules().of_one_tenant
        for number in range(500, 540):
            outbox.add(make_job(number, account_id="1000000000000002"))
        for _ in range(3):
            clock.advance(1.0)
            await settled(100)
        assert {entry.job.account_id for entry in outbox.settlements} == {"1000000000000002"}
        assert len(outbox.settlements) == 40
        assert len(slow.begun) == WorkerRules().of_one_tenant
        slow.open.set()


async def test_no_more_is_claimed_for_others_than_can_be_kept_at_hand(clock):
    tenants = [f"2{number:015}" for number in range(400)]
    outbox, hand = FakeOutbox(), Hand(ACCEPTED)
    hand.open.clear()
    for number, tenant in enumerate(tenants):
        outbox.add(make_job(number, account_id=tenant))
    async with at_work(make_worker(outbox, hand, clock, batch=20)):
        for _ in range(60):
            clock.advance(1.0)
            await settled()
        claimed = sum(outbox.worker_of(job.job_id) == "w1" for job in outbox.waiting)
        assert 60 <= claimed <= 100
        hand.open.set()


async def test_as_many_jobs_as_allowed_are_done_at_once(clock):
    outbox, hand = FakeOutbox(*(make_job(number) for number in range(100))), Hand(ACCEPTED)
    hand.open.clear()
    async with at_work(make_worker(outbox, hand, clock, concurrency=3)):
        assert len(hand.begun) == 3
        hand.open.set()
        await settled(500)
        assert len(hand.begun) == 100
    assert outbox.waiting == []


async def test_jobs_are_claimed_in_batches(clock):
    outbox, hand = FakeOutbox(*(make_job(number) for number in range(120))), Hand(ACCEPTED)
    hand.open.clear()
    async with at_work(make_worker(outbox, hand, clock, batch=50, concurrency=8)):
        claimed = sum(outbox.worker_of(job.job_id) == "w1" for job in outbox.waiting)
        assert claimed == 50
        hand.open.set()


async def test_outcomes_are_recorded_together(clock):
    outbox, hand = FakeOutbox(*(make_job(number) for number in range(40))), Hand(ACCEPTED)
    hand.open.clear()
    async with at_work(make_worker(outbox, hand, clock, concurrency=40)):
        hand.open.set()
        await settled()
    assert sum(outbox.batches) == 40
    assert len(outbox.batches) <= 3


async def test_failure_is_tried_again_after_the_wait_and_succeeds(clock):
    outbox, hand = FakeOutbox(make_job()), Hand(AGAIN, AGAIN, ACCEPTED)
    async with at_work(make_worker(outbox, hand, clock)):
        assert [entry.due_at - START for entry in outbox.settlements] == [15_000]
        assert outbox.waiting[0].last_failure == "connection-refused"
        for _ in range(15):
            assert len(hand.begun) == 1
            clock.advance(1.0)
            await settled()
        assert outbox.settlements[1].due_at - clock.now() == 30_000
        for _ in range(30):
            clock.advance(1.0)
            await settled()
    assert [entry.fate for entry in outbox.settlements] == [Fate.AGAIN, Fate.AGAIN, Fate.DONE]


@pytest.mark.parametrize(("asked", "waited"), [(5.0, 15_000), (3600.0, 3_600_000), (10 * 86_400.0, DAY)])
async def test_other_side_may_ask_for_a_longer_wait_up_to_a_day(clock, asked, waited):
    outbox = FakeOutbox(make_job())
    hand = Hand(Outcome(Verdict.TRY_AGAIN, "throttled", retry_after=asked))
    async with at_work(make_worker(outbox, hand, clock)):
        assert outbox.settlements[0].due_at - START == waited


async def test_last_try_ends_in_the_dead_letters_and_somebody_is_told(clock):
    outbox, hand = FakeOutbox(make_job()), Hand(AGAIN)
    with structlog.testing.capture_logs() as lines:
        async with at_work(make_worker(outbox, hand, clock, tries=3)):
            for _ in range(60):
                clock.advance(1.0)
                await settled(20)
    assert len(hand.begun) == 3
    assert outbox.settlements[-1].fate is Fate.DEAD
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["event"], line["reason"], line["tries"]) == ("job_given_up", "connection-refused", 3)


async def test_dead_letter_that_is_replayed_has_all_its_tries_again(clock):
    outbox, hand = FakeOutbox(make_job()), Hand(AGAIN, ACCEPTED)
    worker = make_worker(outbox, hand, clock, tries=1)
    async with at_work(worker):
        assert [job.job_id for job in await outbox.dead_jobs("1000000000000001", after=None, limit=9)] == ["j-0001"]
        outbox.requeue("j-0001", now=clock.now())
        worker.wake("email")
        await settled()
    assert [entry.fate for entry in outbox.settlements] == [Fate.DEAD, Fate.DONE]


async def test_final_refusal_is_not_tried_again(clock):
    outbox, hand = FakeOutbox(make_job()), Hand(NEVER)
    async with at_work(make_worker(outbox, hand, clock)):
        pass
    assert [(entry.fate, entry.reason) for entry in outbox.settlements] == [(Fate.DEAD, "mailbox-unknown")]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (errors.SERVICE_UNAVAILABLE(complaint="disk full"), "store-unavailable"),
        (errors.CONCURRENT_CALL_NOT_SUPPORTED(tries=30), "changed-meanwhile"),
    ],
)
async def test_what_cannot_be_done_now_is_tried_again_and_is_nobodys_bug(clock, refusal, reason):
    outbox = FakeOutbox(make_job())
    with structlog.testing.capture_logs() as lines:
        async with at_work(make_worker(outbox, Hand(refusal), clock)):
            pass
    assert [(entry.fate, entry.reason) for entry in outbox.settlements] == [(Fate.AGAIN, reason)]
    assert [line["event"] for line in lines] == ["job_put_off"]


@pytest.mark.parametrize(
    "bug", [RuntimeError("bug"), TimeoutError("not the worker's own"), errors.ENTITY_NOT_EXISTS_CONTACT()]
)
async def test_bug_in_a_handler_is_logged_with_its_trace_and_stops_nobody_else(clock, bug):
    outbox, hand = FakeOutbox(make_job(1), make_job(2)), Hand(bug, ACCEPTED)
    with structlog.testing.capture_logs() as lines:
        async with at_work(make_worker(outbox, hand, clock, concurrency=1)):
            pass
    assert [(entry.fate, entry.reason) for entry in outbox.settlements] == [
        (Fate.AGAIN, "internal-error"),
        (Fate.DONE, "accepted"),
    ]
    (line,) = [line for line in lines if line["event"] == "job_failed"]
    assert line["exc_info"]


async def test_job_of_an_unknown_kind_waits_for_a_worker_that_knows_it(clock):
    outbox = FakeOutbox(make_job(kind="of-the-next-release"))
    async with at_work(make_worker(outbox, Hand(ACCEPTED), clock)):
        pass
    assert [(entry.fate, entry.reason) for entry in outbox.settlements] == [(Fate.AGAIN, "unknown-kind")]


async def test_try_that_takes_too_long_is_broken_off(clock):
    outbox, hand = FakeOutbox(make_job()), Hand(ACCEPTED)
    hand.open.clear()
    async with at_work(make_worker(outbox, hand, clock, try_seconds=0.0)):
        pass
    assert [(entry.fate, entry.reason) for entry in outbox.settlements] == [(Fate.AGAIN, "timed-out")]


async def test_stop_finishes_what_is_being_done_and_hands_back_the_rest(clock):
    outbox, hand = FakeOutbox(*(make_job(number) for number in range(10))), Hand(ACCEPTED)
    hand.open.clear()
    worker = make_worker(outbox, hand, clock, concurrency=2)
    async with at_work(worker) as running:
        worker.stop()
        await settled()
        assert not running.done()
        hand.open.set()
        await settled()
        assert running.done()
    assert len(hand.begun) == 2
    assert [entry.fate for entry in outbox.settlements] == [Fate.DONE, Fate.DONE]
    assert len(outbox.waiting) == 8
    assert {outbox.worker_of(job.job_id) for job in outbox.waiting} == {None}


async def test_job_whose_claim_is_nearly_over_is_left_to_others(clock):
    """Otherwise two workers might send the same message at the same time."""
    outbox, hand = FakeOutbox(make_job(1), make_job(2)), Hand(ACCEPTED)
    hand.open.clear()
    async with at_work(make_worker(outbox, hand, clock, concurrency=1, claim_for=5 * MINUTE, try_seconds=120.0)):
        clock.advance(181)
        hand.open.set()
        await settled()
        assert hand.begun == ["j-0001"]
        clock.advance(120)
        await settled()
        assert hand.begun == ["j-0001", "j-0002"]


async def test_job_of_a_dead_worker_is_done_when_its_claim_has_run_out(clock):
    outbox, hand = FakeOutbox(make_job()), Hand(ACCEPTED)
    await outbox.claim("email", "w0", now=clock.now(), until=Instant(START + 2_000), limit=1)
    async with at_work(make_worker(outbox, hand, clock)):
        assert hand.begun == []
        for _ in range(2):
            clock.advance(1.0)
            await settled()
        assert hand.begun == ["j-0001"]


async def test_store_that_is_away_for_a_while_stops_no_work(clock):
    outbox, hand = FakeOutbox(make_job()), Hand(ACCEPTED)
    outbox.claim_failures = [OSError("gone"), OSError("gone"), OSError("gone")]
    with structlog.testing.capture_logs() as lines:
        async with at_work(make_worker(outbox, hand, clock)):
            for _ in range(10):
                clock.advance(1.0)
                await settled()
    assert hand.begun == ["j-0001"]
    assert sum(line["event"] == "worker_claim_failed" for line in lines) == 3


async def test_outcome_is_recorded_once_the_store_is_back(clock):
    outbox, hand = FakeOutbox(make_job()), Hand(ACCEPTED)
    outbox.settle_failures = [SERVICE_UNAVAILABLE(), SERVICE_UNAVAILABLE()]
    async with at_work(make_worker(outbox, hand, clock)):
        for _ in range(4):
            clock.advance(1.0)
            await settled()
        assert [entry.fate for entry in outbox.settlements] == [Fate.DONE]
    assert hand.begun == ["j-0001"]


async def test_what_was_sent_but_cannot_be_recorded_is_not_handed_back(clock):
    """Handing it back would have it sent again at once."""
    outbox, hand = FakeOutbox(make_job()), Hand(ACCEPTED)
    outbox.settle_failures = [SERVICE_UNAVAILABLE()] * 9
    worker = make_worker(outbox, hand, clock)
    running = asyncio.ensure_future(worker.run())
    await settled()
    worker.stop()
    for _ in range(12):
        clock.advance(8.0)
        await settled()
    await asyncio.wait_for(running, 30)
    assert outbox.worker_of("j-0001") == "w1"


async def test_cancelled_worker_ends_and_its_claims_run_out(clock):
    outbox, hand = FakeOutbox(*(make_job(number) for number in range(10))), Hand(ACCEPTED)
    hand.open.clear()
    running = asyncio.ensure_future(make_worker(outbox, hand, clock).run())
    await settled()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert {outbox.worker_of(job.job_id) for job in outbox.waiting} == {"w1"}
    later = Instant(START + 5 * MINUTE)
    assert len(await outbox.claim("email", "w2", now=later, until=Instant(later + 1), limit=50)) == 10


async def test_log_of_a_try_names_the_job_and_no_address(clock):
    outbox, hand = FakeOutbox(make_job()), Hand(ACCEPTED)
    with structlog.testing.capture_logs() as lines:
        async with at_work(make_worker(outbox, hand, clock)):
            pass
    (line,) = lines
    assert line == {
        "event": "job_done",
        "log_level": "info",
        "job_id": "j-0001",
        "kind": "send",
        "account_id": "1000000000000001",
        "channel": "email",
        "reason": "accepted",
        "tries": 1,
        "duration_ms": 0.0,
    }


async def test_worker_that_waits_for_work_or_does_it_is_not_stalled(clock):
    outbox, hand = FakeOutbox(), Hand(ACCEPTED)
    worker = make_worker(outbox, hand, clock)
    assert not worker.is_stalled  # it does not run
    async with at_work(worker):
        for _ in range(400):
            clock.advance(1.0)
            await settled(3)
            assert not worker.is_stalled
    assert not worker.is_stalled


async def test_worker_in_which_nothing_moves_is_stalled(clock):
    outbox, hand = FakeOutbox(), Hand(ACCEPTED)
    worker = make_worker(outbox, hand, clock, poll_seconds=1.0, try_seconds=20.0)
    async with at_work(worker):
        FakeClock.advance(clock, 101.0)  # the time goes on, and nobody who sleeps is woken
        assert not worker.is_stalled
        FakeClock.advance(clock, 0.5)
        assert worker.is_stalled


async def test_worker_whose_tries_never_end_is_stalled_though_it_looks_for_other_tenants(clock):
    outbox, hand = FakeOutbox(*(make_job(number) for number in range(500))), Hand(ACCEPTED)
    hand.open.clear()
    worker = make_worker(outbox, hand, clock, poll_seconds=1.0, try_seconds=20.0)
    async with at_work(worker):
        for _ in range(102):
            clock.advance(1.0)
            await settled(3)
        assert worker.is_stalled
        hand.open.set()


async def test_worker_that_gives_way_rests_before_a_job_while_there_is_no_processor(clock):
    outbox, hand = FakeOutbox(make_job(1), make_job(2, due_at=START + 700)), Hand(ACCEPTED)
    worker = make_worker(outbox, hand, clock)
    worker.give_way(lambda: 0.5 * clock.monotonic())
    async with at_work(worker):
        assert hand.begun == ["j-0001"]
        clock.advance(0.7)
        await settled()
        assert hand.begun == ["j-0001"]
        clock.advance(0.001)
        await settled()
        assert hand.begun == ["j-0001", "j-0002"]


async def test_tries_are_counted_by_kind_and_outcome(clock):
    metrics = Metrics()
    outbox = FakeOutbox(make_job(1), make_job(2), make_job(3, kind="of a newer release"))
    worker = Worker(outbox, {"send": Hand(ACCEPTED, NEVER)}, ("email",), clock, worker_id="w1", metrics=metrics)
    async with at_work(worker):
        pass
    counted = {sample.labels: sample.value for sample in metrics.numbers().samples() if sample.family is families.JOBS}
    assert counted == {("email", "send", "done"): 1, ("email", "send", "dead"): 1, ("email", "unknown", "again"): 1}
