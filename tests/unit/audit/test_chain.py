"""Whatever is done to a chain afterwards shows, as far as it can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.audit.chain import chain_line, event_line, sealed_text
from message_contacts.audit.keeping import canonical
from message_contacts.audit.model import NO_HASH, Chain, KeptEvent, Seal
from message_contacts.audit.sealing import extended
from message_contacts.audit.verifying import Head, Verdict, verify
from message_contacts.changes import Insert
from tests.factories import ACCOUNT, make_contact
from tests.unit.audit.values import make_event, written

LENGTH = 6


def chain(length: int = LENGTH) -> tuple[Chain, list[KeptEvent]]:
    """A chain of events, every other one with a personal part."""
    events = []
    for number in range(1, length + 1):
        if number % 2:
            event, parts = written(Insert(make_contact(contact_id=f"c-{number:016d}")))
        else:
            event, parts = make_event(number), []
        events.append((event, parts))
    sealed = extended(None, [event for event, _ in events]).sealed
    end = sealed[-1][1]
    kept = [
        KeptEvent(event=event, seal=seal, personal=tuple(parts))
        for (event, seal), (_, parts) in zip(sealed, events, strict=True)
    ]
    return Chain(account_id=ACCOUNT, sequence=end.sequence, hash=end.hash), kept


def lines(length: int = LENGTH) -> list[bytes]:
    beginning, kept = chain(length)
    return [chain_line(beginning), *map(event_line, kept)]


def verdict_on(export: list[bytes], *heads: Head) -> Verdict:
    (verdict,) = verify(export, {ACCOUNT: heads})
    return verdict


def changed(line: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    parsed = orjson.loads(line)
    change(parsed)
    return canonical(parsed)


def test_a_chain_that_nobody_touched_is_unbroken() -> None:
    export = lines()
    verdict = verdict_on(export)

    assert (verdict.breaks, verdict.events, verdict.erased, verdict.unsealed) == ([], LENGTH, 0, 0)
    assert verdict.head == Head(LENGTH, orjson.loads(export[0])["chain"]["hash"])


def test_an_export_parses_back_to_what_was_hashed() -> None:
    _, kept = chain()
    for line, event in zip(lines()[1:], kept, strict=True):
        assert canonical(orjson.loads(line)) == line
        assert event.seal is not None
        text = sealed_text(event.event, event.seal.sequence)
        assert canonical(orjson.loads(text)) == text


def leaves(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the values are that something can be changed in."""
    if isinstance(value, dict) and value:
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]
    if isinstance(value, list) and value:
        return [leaf for position, inner in enumerate(value) for leaf in leaves(inner, (*path, position))]
    return [path]


def spoil(parsed: Any, path: tuple[Any, ...]) -> None:
    for step in path[:-1]:
        parsed = parsed[step]
    value = parsed[path[-1]]
    if isinstance(value, int):
        parsed[path[-1]] = value + 1
    elif isinstance(value, str):
        parsed[path[-1]] = value[:-1] + ("1" if value.endswith("0") else "0")
    else:
        parsed[path[-1]] = ["new"]


@given(st.data())
def test_every_change_of_any_value_shows(data: st.DataObject) -> None:
    export = lines()
    number = data.draw(st.integers(0, LENGTH))
    path = data.draw(st.sampled_from(leaves(orjson.loads(export[number]))))
    if path == ("chain", "account_id"):
        return  # whose chain it says it is; every event says so too
    export[number] = changed(export[number], lambda parsed: spoil(parsed, path))

    assert not verdict_on(export).unbroken, path


@given(st.integers(1, LENGTH), st.integers(1, LENGTH))
def test_missing_events_show_wherever_they_were(first: int, last: int) -> None:
    first, last = sorted((first, last))
    export = lines()
    missing = f"{first}" if first == last else f"{first} to {last}"

    verdict = verdict_on(export[:first] + export[last + 1 :])

    assert any(f"sequence {missing}" in sentence for sentence in verdict.breaks)


@given(st.permutations(range(1, LENGTH + 1)))
def test_another_order_shows(order: list[int]) -> None:
    export = lines()

    verdict = verdict_on([export[0], *(export[number] for number in order)])

    assert verdict.unbroken == (order == sorted(order))


@given(st.integers(1, LENGTH), st.integers(1, LENGTH))
def test_an_event_that_is_there_twice_shows(number: int, place: int) -> None:
    export = lines()
    export.insert(place, export[number])

    assert not verdict_on(export).unbroken


def test_one_change_is_one_break() -> None:
    export = lines()
    export[3] = changed(export[3], lambda parsed: parsed["event"].update(operation="Nothing"))

    (sentence,) = verdict_on(export).breaks
    assert "sequence 3" in sentence


def test_an_erased_person_breaks_nothing() -> None:
    export = lines()
    export[1:] = [changed(line, lambda parsed: parsed.update(personal=[])) for line in export[1:]]

    verdict = verdict_on(export)

    assert (verdict.breaks, verdict.erased) == ([], LENGTH // 2)


def test_a_personal_part_that_was_put_there_later_shows() -> None:
    export = lines()
    (part,) = orjson.loads(export[1])["personal"]
    export[2] = changed(export[2], lambda parsed: parsed["personal"].append(part))

    (sentence,) = verdict_on(export).breaks
    assert "put there later" in sentence


def test_the_newest_events_cut_off_show_by_a_head_that_was_noted() -> None:
    """Whoever cuts the events cuts the chain's end as well: without a note nothing shows."""
    beginning, kept = chain()
    noted = Head(LENGTH, beginning.hash.hex())
    seal = kept[-3].seal
    assert seal is not None
    cut = [
        chain_line(Chain(account_id=ACCOUNT, sequence=seal.sequence, hash=seal.hash)),
        *map(event_line, kept[:-2]),
    ]

    assert verdict_on(cut).unbroken
    assert not verdict_on(cut, noted).unbroken
    assert verdict_on([chain_line(beginning), *map(event_line, kept)], noted).unbroken


def test_a_chain_that_was_made_anew_shows_by_a_head_that_was_noted() -> None:
    first, second = lines(), lines()  # salts differ, hashes with them
    noted = verdict_on(first[:4]).head

    assert noted.sequence == 3
    assert not verdict_on(second, noted).unbroken
    assert verdict_on(first, noted, Head(LENGTH, verdict_on(first).head.hash.upper())).unbroken


def test_a_chain_begins_behind_what_retention_took_away() -> None:
    beginning, kept = chain()
    seal = kept[1].seal
    assert seal is not None
    pruned = Chain(
        account_id=ACCOUNT,
        sequence=beginning.sequence,
        hash=beginning.hash,
        pruned_sequence=seal.sequence,
        pruned_hash=seal.hash,
    )
    export = [chain_line(pruned), *map(event_line, kept[2:])]

    verdict = verdict_on(export)
    assert (verdict.breaks, verdict.pruned, verdict.events) == ([], 2, LENGTH - 2)
    for gone in (1, 2):
        (sentence,) = verdict_on(export, Head(gone, seal.hash.hex())).breaks
        assert f"the head noted, sequence {gone}, was taken away" in sentence
    wrong = Chain(account_id=ACCOUNT, sequence=6, hash=beginning.hash, pruned_sequence=2, pruned_hash=NO_HASH)
    assert not verdict_on([chain_line(wrong), *map(event_line, kept[2:])]).unbroken


def overtaken(read: int, taken_away: int) -> list[bytes]:
    """An export that retention has overtaken: some events were read, then the chain begins again."""
    beginning, kept = chain()
    seal = kept[taken_away - 1].seal
    assert seal is not None
    now = replace(beginning, pruned_sequence=seal.sequence, pruned_hash=seal.hash)
    return [
        *(chain_line(beginning), *map(event_line, kept[:read])),
        *(chain_line(now, again=True), *map(event_line, kept[taken_away:])),
    ]


def test_a_chain_that_begins_again_has_one_verdict_as_of_its_new_beginning() -> None:
    verdict = verdict_on(overtaken(2, 4))

    assert (verdict.breaks, verdict.pruned, verdict.events, verdict.head.sequence) == ([], 4, LENGTH - 4, LENGTH)


def test_what_was_found_before_a_chain_begins_again_stays_found() -> None:
    export = overtaken(2, 4)
    export[1] = changed(export[1], lambda parsed: parsed["event"].update(operation="Nothing"))

    (sentence,) = verdict_on(export).breaks
    assert "sequence 1" in sentence


def test_a_beginning_again_hides_nothing_from_heads_that_were_noted() -> None:
    export = overtaken(2, 4)
    read, end = (orjson.loads(export[place])["hash"] for place in (2, -1))

    assert not verdict_on(export, Head(2, read)).unbroken
    assert verdict_on(export, Head(LENGTH, end)).unbroken


def test_an_end_that_is_cut_off_while_a_chain_begins_again_shows() -> None:
    export = overtaken(1, 2)
    fields = {"sequence": LENGTH - 1, "hash": orjson.loads(export[-2])["hash"]}
    export[2] = changed(export[2], lambda parsed: parsed["chain"].update(fields))

    (sentence,) = verdict_on(export[:-1]).breaks
    assert f"sequence {LENGTH}, is not there: the chain was cut" in sentence


def test_two_exports_of_one_account_are_two_chains() -> None:
    """Only who says so goes on where another began: the first one is cut off, and that must show."""
    verdicts = list(verify([*lines()[:3], *lines()]))

    assert [verdict.unbroken for verdict in verdicts] == [False, True]


def test_events_that_are_not_sealed_prove_nothing_and_break_nothing() -> None:
    export = [*lines(), event_line(KeptEvent(event=make_event(99), seal=None))]

    verdict = verdict_on(export)

    assert (verdict.breaks, verdict.unsealed, verdict.events) == ([], 1, LENGTH)


def test_events_of_another_account_do_not_belong_to_a_chain() -> None:
    event = make_event(1, account_id="1000000000000009")
    ((_, seal),) = extended(None, [event]).sealed
    export = [
        chain_line(Chain(account_id=ACCOUNT, sequence=1, hash=seal.hash)),
        event_line(KeptEvent(event=event, seal=seal)),
    ]

    assert not verdict_on(export).unbroken


def test_several_chains_stand_one_after_the_other() -> None:
    event = make_event(1, account_id="1000000000000009")
    ((_, seal),) = extended(None, [event]).sealed
    other = [
        chain_line(Chain(account_id="1000000000000009", sequence=1, hash=seal.hash)),
        event_line(KeptEvent(event=event, seal=Seal(sequence=1, hash=seal.hash))),
    ]

    verdicts = list(verify([*lines(), b"\n", *other]))

    assert [(verdict.account_id, verdict.unbroken) for verdict in verdicts] == [
        (ACCOUNT, True),
        ("1000000000000009", True),
    ]


@pytest.mark.parametrize("garbage", [b"not JSON", b"[]", b"{}", b'{"event":1}', b'{"chain":1}', b'{"chain":{}}'])
def test_a_line_that_cannot_be_read_breaks_the_chain_it_stands_in(garbage: bytes) -> None:
    export = lines()

    assert not verdict_on([*export[:3], garbage, *export[3:]]).unbroken
    with pytest.raises(ValueError, match="line 1: "):
        list(verify([garbage, *export]))


def test_many_breaks_are_not_told_one_by_one() -> None:
    export = lines(60)

    verdict = verdict_on([export[0], *reversed(export[1:])])

    assert len(verdict.breaks) == 20
