"""Values are built anew only when their rows differ."""

from __future__ import annotations

from message_contacts.storage import remembered
from message_contacts.storage.remembered import Remembered


def test_same_row_gives_the_same_object_and_another_row_another() -> None:
    values = Remembered(lambda row: [*row])
    first = values.value("a", (1, "x"))
    assert values.value("a", (1, "x")) is first
    assert values.value("a", (2, "x")) == [2, "x"]
    assert values.value("a", (1, "x")) == [1, "x"]


def test_oldest_gives_way(monkeypatch) -> None:
    monkeypatch.setattr(remembered, "_CAPACITY", 2)
    values = Remembered(lambda row: [*row])
    first = values.value("a", (1,))
    for key in ("b", "c"):
        values.value(key, (1,))
    assert values.value("a", (1,)) is not first
