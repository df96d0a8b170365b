"""How long a worker rests where processors are short."""

from __future__ import annotations

import pytest

from message_contacts.delivery.giving_way import GivingWay
from message_contacts.metrics import Metrics, families
from message_contacts.metrics.process import processor_wait
from tests.fakes.clock import FakeClock


class RestingClock(FakeClock):
    """Passes on by as long as somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.advance(seconds)


class Machine:
    """A process that works for 10 ms at a time, and of each second before has waited so much for a processor."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.clock = RestingClock()
        self.waited = 0.0
        self.giving_way = GivingWay(self.clock, metrics)

    async def rests(self, seconds: float, *, waiting: float) -> list[float]:
        """The rest before each job of the seconds to come."""
        end, rests = self.clock.monotonic() + seconds, []
        while self.clock.monotonic() < end:
            before, slept = self.clock.monotonic(), self.clock.slept
            await self.giving_way.rest()
            rests.append(self.clock.slept - slept)
            self.clock.advance(0.01)
            self.waited += waiting * (self.clock.monotonic() - before)
        return rests


@pytest.fixture
def machine():
    found = Machine()
    found.giving_way.start(lambda: found.waited)
    return found


async def test_nobody_rests_who_was_not_told_to():
    assert set(await Machine().rests(5, waiting=0.9)) == {0.0}


async def test_with_processors_to_spare_nobody_rests(machine):
    assert set(await machine.rests(5, waiting=0.14)) == {0.0}


async def test_rests_grow_while_processors_are_short_and_are_never_long(machine):
    rests = await machine.rests(30, waiting=0.5)
    assert rests == pytest.approx(sorted(rests), abs=1e-6)
    assert rests[0] == 0
    assert rests[-1] == pytest.approx(0.1)


async def test_rests_end_when_processors_are_there_again(machine):
    await machine.rests(20, waiting=0.5)
    rests = await machine.rests(10, waiting=0.01)
    assert rests[1:] == pytest.approx(sorted(rests[1:], reverse=True), abs=1e-6)
    assert rests[-1] == 0


async def test_a_share_that_is_right_keeps_rests_as_they_are(machine):
    await machine.rests(2, waiting=0.5)
    rests = await machine.rests(5, waiting=0.15)
    assert max(rests[-100:]) == pytest.approx(min(rests[-100:]))
    assert rests[-1] > 0


async def test_rests_are_counted():
    metrics = Metrics(())
    machine = Machine(metrics)
    machine.giving_way.start(lambda: machine.waited)
    rests = await machine.rests(3, waiting=0.5)
    (counted,) = [each.value for each in metrics.numbers().samples() if each.family is families.JOB_RESTS]
    assert counted == pytest.approx(sum(rests))


def test_what_the_system_tells_only_grows():
    before = processor_wait()
    assert 0 <= before <= processor_wait()


async def test_a_system_that_stops_telling_means_no_wait(machine):
    await machine.rests(20, waiting=0.5)
    machine.waited = 0.0
    rests = await machine.rests(0.5, waiting=0.0)
    assert rests[-1] < rests[0]


@pytest.mark.parametrize("content", [None, "", "123", "1 x 3"])
def test_a_system_that_does_not_tell_means_no_wait(monkeypatch, tmp_path, content):
    if content is not None:
        (tmp_path / "schedstat").write_text(content)
    monkeypatch.setattr("message_contacts.metrics.process._PROC", tmp_path)
    assert processor_wait() == 0


def test_nanoseconds_are_told_as_seconds(monkeypatch, tmp_path):
    (tmp_path / "schedstat").write_text("900000000 1500000000 42\n")
    monkeypatch.setattr("message_contacts.metrics.process._PROC", tmp_path)
    assert processor_wait() == 1.5
