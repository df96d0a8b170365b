"""Several processes and one limit, on a clock that stands still: how much they let through together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from message_contacts.access.model import Caller
from message_contacts.access.sharing import Demand, Sharing
from message_contacts.access.throttle import Subject, Throttle
from message_contacts.clock import Instant
from message_contacts.errors import ApiError
from tests.fakes.clock import START, FakeClock

ACCOUNT = "1000000000000001"
CALLER = Caller(ACCOUNT, "key")
KEY = Subject(ACCOUNT, "key")
LIMIT = 100


class Board:
    """A `DemandStore` in memory; counts commits."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Subject, str], Demand] = {}
        self.told_times = 0
        self.failure: Exception | None = None

    async def tell(self, demands: Sequence[Demand]) -> None:
        if self.failure is not None:
            raise self.failure
        self.told_times += 1
        self.rows |= {(demand.subject, demand.process_id): demand for demand in demands}

    async def told(self, since: Instant) -> Sequence[Demand]:
        return [demand for demand in self.rows.values() if demand.measured_at > since]

    async def forget(self, before: Instant) -> None:
        self.rows = {name: demand for name, demand in self.rows.items() if demand.measured_at > before}


class Process:
    def __init__(
        self, board: Board, clock: FakeClock, name: str, *, per_key: int = LIMIT, per_account: int = 0
    ) -> None:
        self.throttle = Throttle(per_key=per_key, per_account=per_account)
        self.clock = clock
        self.sharing = Sharing(self.throttle, board, clock, process_id=name)

    def call(self, caller: Caller = CALLER) -> bool:
        try:
            self.throttle.admit(caller, self.clock.monotonic())
        except ApiError:
            return False
        return True


async def second(clock: FakeClock, asked: dict[Process, int]) -> int:
    """One second of so many evenly spread calls to each process, then their turns; how many passed in all."""
    passed = 0
    for _ in range(100):
        clock.advance(0.01)
        for process, calls in asked.items():
            passed += sum(process.call() for _ in range(calls // 100))
    for process in asked:
        await process.sharing.turn()
    return passed


@pytest.mark.parametrize("split", [(400, 0), (200, 200), (900, 100), (1000, 1000), (100, 0), (100, 100), (0, 300)])
async def test_the_sum_converges_to_the_limit_whichever_way_the_load_is_split(split: tuple[int, int]):
    clock, board = FakeClock(), Board()
    first, other = Process(board, clock, "a"), Process(board, clock, "b")
    asked = {first: split[0], other: split[1]}
    started = [await second(clock, asked) for _ in range(2)]
    assert sum(started) <= 2 * (2 * LIMIT + LIMIT)  # each the whole limit, until they have heard of each other
    await second(clock, asked)  # what was overdrawn is made up for
    passed = [await second(clock, asked) for _ in range(10)]
    assert max(passed) <= LIMIT * 1.05
    assert sum(passed) == pytest.approx(10 * min(LIMIT, sum(split)), rel=0.05)


async def test_load_that_moves_takes_its_share_along():
    clock, board = FakeClock(), Board()
    first, other = Process(board, clock, "a"), Process(board, clock, "b")
    for _ in range(5):
        await second(clock, {first: 900, other: 100})
    moved = [await second(clock, {first: 100, other: 900}) for _ in range(6)]
    assert max(moved) <= 2 * LIMIT
    assert moved[3:] == [pytest.approx(LIMIT, rel=0.05)] * 3
    alone = [await second(clock, {first: 0, other: 900}) for _ in range(6)]
    assert max(alone) <= 2 * LIMIT
    assert alone[3:] == [pytest.approx(LIMIT, rel=0.05)] * 3


async def test_the_share_of_a_process_that_died_is_free_again():
    clock, board = FakeClock(), Board()
    first, other = Process(board, clock, "a"), Process(board, clock, "b")
    for _ in range(5):
        await second(clock, {first: 200, other: 200})
    left = [await second(clock, {first: 200}) for _ in range(6)]
    assert left[0] == pytest.approx(LIMIT / 2, rel=0.05)
    assert left[5] == pytest.approx(LIMIT, rel=0.05)


async def test_another_machines_clock_need_not_be_right():
    clock, late = FakeClock(), FakeClock(Instant(START - 20_000))
    late._monotonic = clock.monotonic()
    board = Board()
    first, other = Process(board, clock, "a"), Process(board, late, "b")
    for _ in range(5):
        late.advance(1.0)
        await second(clock, {first: 200})
        for _ in range(200):
            other.call()
        await other.sharing.turn()
    assert first.throttle._keys is not None
    assert first.throttle._keys.others == {"key": 200}


async def test_keys_far_from_their_limit_cost_no_commit():
    clock, board = FakeClock(), Board()
    process = Process(board, clock, "a", per_key=10_000)
    for _ in range(5):
        await second(clock, {process: 900})
    assert board.told_times == 0


async def test_what_went_away_is_said_once():
    clock, board = FakeClock(), Board()
    process = Process(board, clock, "a")
    await second(clock, {process: 100})
    assert board.rows[KEY, "a"].calls == 100
    await second(clock, {process: 0})
    assert board.rows[KEY, "a"].calls == 0
    before = board.told_times
    await second(clock, {process: 0})
    assert board.told_times == before


async def test_a_little_is_said_too_where_others_have_said_something():
    """Else ten processes with a little each would go beyond the limit unseen."""
    clock, board = FakeClock(), Board()
    first, other = Process(board, clock, "a"), Process(board, clock, "b")
    for _ in range(4):
        for _ in range(5):
            other.call()
        await second(clock, {first: 200, other: 0})
    assert board.rows[KEY, "b"].calls == 5


async def test_accounts_are_shared_like_keys():
    clock, board = FakeClock(), Board()
    limits = {"per_key": 0, "per_account": LIMIT}
    first, other = Process(board, clock, "a", **limits), Process(board, clock, "b", **limits)
    for _ in range(3):
        await second(clock, {first: 200, other: 200})
    assert await second(clock, {first: 200, other: 200}) == pytest.approx(LIMIT, rel=0.05)
    assert set(board.rows) == {(Subject(ACCOUNT), "a"), (Subject(ACCOUNT), "b")}


async def test_what_processes_leave_behind_is_taken_away():
    clock, board = FakeClock(), Board()
    gone, process = Process(board, clock, "gone"), Process(board, clock, "a")
    await second(clock, {gone: 100})
    for _ in range(180):
        clock.advance(1.0)
        await process.sharing.turn()
    assert board.rows == {}


async def test_without_the_store_each_keeps_the_share_it_had():
    clock, board = FakeClock(), Board()
    first, other = Process(board, clock, "a"), Process(board, clock, "b")
    for _ in range(5):
        await second(clock, {first: 200, other: 200})
    board.failure = RuntimeError("no store")
    with capture_logs() as lines:
        passed = [await second(clock, {first: 200, other: 200}) for _ in range(3)]
    assert passed == [pytest.approx(LIMIT, rel=0.05)] * 3
    assert {line["event"] for line in lines} == {"sharing_limits_failed"}
