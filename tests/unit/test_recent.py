"""A memory of what was looked up lately has an end, and keeps what is asked for."""

from __future__ import annotations

from message_contacts.recent import Recent


def test_no_more_values_are_kept_than_there_is_room_for() -> None:
    recent: Recent[int] = Recent(4)
    for number in range(100):
        recent.put(str(number), number)
        assert len(recent) <= 4
    assert recent.get("99") == 99
    assert recent.get("0") is None


def test_what_is_asked_for_again_and_again_stays() -> None:
    recent: Recent[int] = Recent(4)
    recent.put("often", -1)
    for number in range(100):
        assert recent.get("often") == -1
        recent.put(str(number), number)


def test_a_newer_value_replaces_the_older_one() -> None:
    recent: Recent[int] = Recent(4)
    for number in range(3):
        recent.put(str(number), number)
    recent.put("0", 10)
    assert recent.get("0") == 10
    recent.put("a", 1)
    recent.put("b", 1)
    assert recent.get("0") == 10
