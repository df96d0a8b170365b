"""Calls a second in one process: what passes, what waits how long, what is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts import errors
from message_contacts.access.model import Caller
from message_contacts.access.throttle import Subject, Throttle
from message_contacts.errors import ApiError

ACCOUNT = "1000000000000001"
CALLER = Caller(ACCOUNT, "key")
SECOND_KEY = Caller(ACCOUNT, "second")
STRANGER = Caller("1000000000000002", "stranger")


def passes(throttle: Throttle, caller: Caller, now: float) -> bool:
    try:
        throttle.admit(caller, now)
    except ApiError:
        return False
    return True


def passed(throttle: Throttle, caller: Caller, *, tries: int, start: float, seconds: float) -> int:
    """How many of so many calls, evenly spread, are let through."""
    return sum(passes(throttle, caller, start + seconds * number / tries) for number in range(tries))


def test_a_seconds_worth_of_calls_may_come_at_once_and_then_so_many_a_second():
    throttle = Throttle(per_key=10, per_account=0)
    assert [passes(throttle, CALLER, 5.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert passed(throttle, CALLER, tries=10_000, start=5.0, seconds=10.0) == pytest.approx(100, abs=1)


def test_a_refused_call_is_told_when_to_come_again_and_then_passes():
    throttle = Throttle(per_key=4, per_account=0)
    for _ in range(4):
        throttle.admit(CALLER, 0.0)
    with pytest.raises(ApiError) as refused:
        throttle.admit(CALLER, 0.1)
    assert refused.value.definition is errors.THROTTLING_USER
    assert refused.value.retry_after_ms == 150
    assert not passes(throttle, CALLER, 0.2499)
    assert passes(throttle, CALLER, 0.25)


def test_a_refused_call_takes_nothing_from_the_limit():
    throttle = Throttle(per_key=1, per_account=0)
    assert passes(throttle, CALLER, 0.0)
    assert not any(passes(throttle, CALLER, 0.999) for _ in range(1000))
    assert passes(throttle, CALLER, 1.0)


def test_keys_do_not_count_for_each_other():
    throttle = Throttle(per_key=1, per_account=0)
    assert passes(throttle, CALLER, 0.0)
    assert passes(throttle, SECOND_KEY, 0.0)


def test_an_account_counts_for_all_its_keys_and_for_no_other_account():
    throttle = Throttle(per_key=0, per_account=2)
    assert [passes(throttle, caller, 0.0) for caller in (CALLER, SECOND_KEY, CALLER)] == [True, True, False]
    assert passes(throttle, STRANGER, 0.0)


def test_a_call_that_the_account_refuses_takes_nothing_from_its_key():
    throttle = Throttle(per_key=2, per_account=2)
    assert passes(throttle, CALLER, 0.0)
    assert passes(throttle, SECOND_KEY, 0.0)
    assert not passes(throttle, CALLER, 0.0)  # by the account
    assert throttle._keys is not None
    assert throttle._keys.meters["key"].paid_until == 0.5


@given(
    st.integers(1, 50),
    st.lists(st.floats(0, 3, allow_nan=False), max_size=300),
)
def test_no_stretch_of_time_sees_more_than_its_share_and_a_seconds_worth(limit: int, pauses: list[float]):
    throttle = Throttle(per_key=limit, per_account=0)
    now = 0.0
    let_through = []
    for pause in pauses:
        now += pause / limit
        if passes(throttle, CALLER, now):
            let_through.append(now)
    for position, first in enumerate(let_through):
        for last in range(position, len(let_through)):
            assert last - position + 1 <= limit * (let_through[last] - first + 1) + 1e-6


def turned(throttle: Throttle, now: float, **others: int) -> None:
    throttle.turn(now, 1.0, {Subject(ACCOUNT, name): calls for name, calls in others.items()})


def test_the_share_is_in_proportion_to_what_is_asked_for():
    throttle = Throttle(per_key=100, per_account=0)
    passed(throttle, CALLER, tries=300, start=0.0, seconds=1.0)
    assert throttle.asked(1.0) == {Subject(ACCOUNT, "key"): 300}
    turned(throttle, 1.0, key=100)
    passed(throttle, CALLER, tries=300, start=1.0, seconds=2.0)  # what was saved up is gone
    assert passed(throttle, CALLER, tries=300, start=3.0, seconds=2.0) == pytest.approx(150, abs=2)


def test_who_comes_to_a_key_that_others_use_begins_with_little():
    throttle = Throttle(per_key=100, per_account=0)
    turned(throttle, 0.0, key=99)
    assert passed(throttle, CALLER, tries=100, start=0.0, seconds=1.0) == 1


def test_alone_again_the_share_is_the_whole_limit():
    throttle = Throttle(per_key=100, per_account=0)
    turned(throttle, 0.0, key=900)
    passed(throttle, CALLER, tries=100, start=0.0, seconds=1.0)
    turned(throttle, 1.0)
    assert passed(throttle, CALLER, tries=1000, start=1.0, seconds=1.0) == pytest.approx(100, abs=1)


def test_who_does_not_call_is_forgotten():
    throttle = Throttle(per_key=5, per_account=5)
    for number in range(100):
        throttle.admit(Caller(f"{number:016d}", f"key {number}"), 0.0)
    assert throttle.remembered == 200
    throttle.turn(1.0, 1.0, {})
    assert throttle.remembered == 200  # they called in the second that ended
    throttle.turn(2.0, 1.0, {})
    assert throttle.remembered == 0
    assert throttle._account_of == {}
