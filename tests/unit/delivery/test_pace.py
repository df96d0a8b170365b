"""How long a worker waits, and for how long it goes on."""

from __future__ import annotations

import pytest

from message_contacts.clock import HOUR, SECOND
from message_contacts.delivery.pace import WorkerRules, wait_seconds

RULES = WorkerRules()


def test_waits_are_those_of_the_docstring():
    waits = [wait_seconds(tries, RULES, 0.5) for tries in range(1, 11)]
    assert waits == pytest.approx([15, 30, 60, 120, 240, 480, 960, 1800, 1800, 1800])


@pytest.mark.parametrize(("jitter", "hours"), [(0.0, 24), (1.0, 37)])
def test_tries_go_on_for_a_day_at_least_and_a_day_and_a_half_at_most(jitter, hours):
    total = sum(wait_seconds(tries, RULES, jitter) for tries in range(1, RULES.tries))
    assert (total >= hours * 3600) if jitter == 0 else (total <= hours * 3600)


def test_a_server_that_was_down_for_an_hour_is_tried_again_within_half_an_hour():
    down_for = HOUR / SECOND
    for jitter in (0.0, 0.5, 1.0):
        passed, tries = 0.0, 0
        while passed < down_for:
            tries += 1
            passed += wait_seconds(tries, RULES, jitter)
        assert passed - down_for <= 1800 * 1.2


def test_jitter_moves_a_wait_by_a_fifth_at_most():
    assert wait_seconds(3, RULES, 0.0) == pytest.approx(48)
    assert wait_seconds(3, RULES, 1.0) == pytest.approx(72)


def test_very_many_tries_do_not_overflow():
    assert wait_seconds(100_000, RULES, 0.5) == 1800
