"""Going along the chain of audit events by calls: part by part, and what shows when somebody was at the database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import apsw
import pytest

from message_contacts.audit.sealing import Sealer
from message_contacts.clock import SECOND, Instant
from message_contacts.operations.token_paging import encoded
from message_contacts.storage.housekeeping import Retention
from tests.api.ram_users import ram_user
from tests.conftest import ENGINES
from tests.harness import Api, open_api

OWN = "2026-11-01"


async def verified(api: Api, **parameters: Any) -> list[dict[str, Any]]:
    """The answers of all parts."""
    parts = [await api.call("VerifyAuditTrail", OWN, **parameters)]
    while "NextToken" in parts[-1]:
        assert len(parts) < 50
        parts.append(await api.call("VerifyAuditTrail", OWN, **{**parameters, "NextToken": parts[-1]["NextToken"]}))
    return parts


async def trail(api: Api, events: int) -> None:
    """That many more events, sealed."""
    for number in range(events):
        api.clock.advance(1)
        await api.create_folder(f"folder-{number}")
    await api.service.sealer.seal()


async def test_of_several_processes_one_at_a_time_seals(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others would seal the same events, in vain."""
    sealed_at: list[int] = []
    sealed = asyncio.Event()
    seal = Sealer.seal

    async def noted(self: Sealer) -> int:
        sealed_at.append(api.clock.now())
        found = await seal(self)
        sealed.set()
        return found

    monkeypatch.setattr(Sealer, "seal", noted)
    await api.create_folder("folder")
    begin = api.clock.now()
    others_until = Instant(begin + 30 * SECOND)
    assert await api.service.storage.turns.take("sealing", now=begin, until=others_until)

    working = asyncio.create_task(api.service._seal())
    await sealed.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert sealed_at[0] >= others_until
    assert await api.service.storage.audit.unsealed(after="", limit=1) == []


async def test_a_service_that_has_nothing_to_seal_writes_nothing_for_it(api: Api) -> None:
    await api.service.sealer.seal()
    working = asyncio.create_task(api.service._seal())
    begin = api.clock.now()
    while api.clock.now() < begin + 3 * SECOND:  # noqa: ASYNC110 - whenever the task sleeps, the clock moves on
        await asyncio.sleep(0)
    now = api.clock.now()
    assert await api.service.storage.turns.take("sealing", now=now, until=now)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


def breaks(parts: list[dict[str, Any]]) -> list[str]:
    return [sentence for part in parts for sentence in part["Breaks"]]


def at_the_database(path: Path, statement: str) -> None:
    connection = apsw.Connection(str(path))
    try:
        connection.execute(statement)
        assert connection.changes()
    finally:
        connection.close()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three events in a part, read two at a time."""
    monkeypatch.setattr("message_contacts.audit.checking.check.__kwdefaults__", {"limit": 3})
    monkeypatch.setattr("message_contacts.audit.checking._AT_A_TIME", 2)


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_an_untouched_trail_is_unbroken(api: Api) -> None:
    await trail(api, 3)
    api.clock.advance(1)
    await api.create_folder("not-sealed-yet")

    (answer,) = await verified(api)

    head = answer.pop("Head")
    assert (head["Sequence"], len(head["Hash"])) == (4, 64)
    assert answer == {
        "Unbroken": True,
        "Breaks": [],
        "Events": 4,
        "Unsealed": 1,
        "ErasedPersonalParts": 0,
        "PrunedSequence": 0,
        "EndSequence": 4,
    }


async def test_a_trail_without_events_is_unbroken(api: Api) -> None:
    other = await api.other_tenant()

    (answer,) = await verified(other)

    assert (answer["Unbroken"], answer["Events"], answer["Head"]["Sequence"]) == (True, 0, 0)


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
@pytest.mark.usefixtures("small_parts")
async def test_parts_go_along_the_whole_trail_once(api: Api) -> None:
    await trail(api, 7)
    for name in "abcd":
        api.clock.advance(1)
        await api.create_folder(name)

    parts = await verified(api)

    assert all(part["Unbroken"] for part in parts)
    assert [part["Head"]["Sequence"] for part in parts] == [3, 6, 8, 8, 8]
    assert (sum(part["Events"] for part in parts), sum(part["Unsealed"] for part in parts)) == (8, 4)


@pytest.mark.usefixtures("small_parts")
async def test_what_is_sealed_meanwhile_is_left_to_the_next_time(api: Api) -> None:
    await trail(api, 4)
    first = await api.call("VerifyAuditTrail", OWN)
    await trail_again(api)

    second = await api.call("VerifyAuditTrail", OWN, NextToken=first["NextToken"])

    assert (second["Unbroken"], second["Head"]["Sequence"], second["EndSequence"]) == (True, 5, 5)
    assert "NextToken" not in second


async def trail_again(api: Api) -> None:
    api.clock.advance(1)
    await api.create_folder("meanwhile")
    await api.service.sealer.seal()


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE audit_event SET operation = 'GetFolder' WHERE sequence = 5", "sequence 5, or the one before it, is"),
        ("DELETE FROM audit_event WHERE sequence = 4", "missing before"),
        ("DELETE FROM audit_event WHERE sequence = 8", "missing at the end: sequence 8"),
        ("UPDATE audit_event SET targets = 'x' WHERE sequence = 6", "sequence 6, or the one before it, is"),
    ],
)
@pytest.mark.usefixtures("small_parts")
async def test_what_was_done_at_the_database_shows_in_its_part(
    statement: str, sentence: str, api: Api, database_path: Path
) -> None:
    await trail(api, 7)
    at_the_database(database_path, statement)

    parts = await verified(api)

    (told,) = {text for text in breaks(parts) if sentence in text} or {""}
    assert sentence in told
    assert parts[0]["Unbroken"]
    assert not all(part["Unbroken"] for part in parts)


@pytest.mark.parametrize(
    "change",
    [
        "hash = NULL",
        "kind = 'x'",
        "targets = '{'",
        "targets = '5'",
        "details = '[{}]'",
        "details = 'x'",
        "happened_at = 9000000000000000000",
        "happened_at = 'never'",
        "operation = x'ff'",
        "operation = CAST(x'61ff62' AS TEXT)",
        "details = CAST(x'61ff62' AS TEXT)",
    ],
)
@pytest.mark.usefixtures("small_parts")
async def test_a_spoiled_event_is_told_and_listed_with_all_others(change: str, api: Api, database_path: Path) -> None:
    await trail(api, 7)
    at_the_database(database_path, f"UPDATE audit_event SET {change} WHERE sequence = 6")

    (sentence,) = breaks(await verified(api))

    assert "sequence 6" in sentence
    listed = (await api.call("ListAuditEvents", OWN))["Events"]
    assert sorted(event["Sequence"] for event in listed) == list(range(1, 9))
    assert all(isinstance(event["Targets"], list) for event in listed)


@pytest.mark.usefixtures("small_parts")
async def test_a_spoiled_personal_part_is_told_and_listed_with_all_others(api: Api, database_path: Path) -> None:
    contact_id = await api.add_contact()
    await trail(api, 2)
    at_the_database(database_path, "UPDATE audit_personal SET details = '{', salt = 'text'")

    (sentence,) = breaks(await verified(api))

    assert contact_id in sentence
    assert {"PersonId": contact_id, "Changes": []} in [
        person for event in (await api.call("ListAuditEvents", OWN))["Events"] for person in event["People"]
    ]
    assert (await api.call("ExportPerson", OWN, ContactId=contact_id))["AuditEvents"][0]["Personal"] == "{"


async def add_contacts(api: Api, count: int) -> None:
    """Each adds an event with a personal part."""
    for letter in ascii_lowercase[:count]:
        api.clock.advance(1)
        await api.add_contact(Name=f"To{letter}", EmailAddress=f"{letter}@example.com")


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
@pytest.mark.usefixtures("small_parts")
async def test_all_personal_parts_are_looked_at_behind_the_events(api: Api) -> None:
    await add_contacts(api, 5)
    await api.service.sealer.seal()

    parts = await verified(api)

    assert not breaks(parts)
    # Six events, then five personal parts: three and two, since three end with a part that may not be the last.
    assert [part["Events"] for part in parts] == [3, 3, 0, 0]
    assert {part["Head"]["Sequence"] for part in parts[1:]} == {6}
    heads = [f"9:{'ab' * 32}"]
    assert len(breaks(await verified(api, Heads=heads))) == 1


@pytest.mark.parametrize(
    "stray",
    ["'c-new', (SELECT event_id FROM audit_event WHERE sequence = 2)", "'c-new', 'ae-nothing'", "'c-\u00e4:1', 'ae:2'"],
)
@pytest.mark.parametrize("contacts", [0, 2, 3, 7])
@pytest.mark.usefixtures("small_parts")
async def test_a_personal_part_that_no_event_names_is_told_once(
    contacts: int, stray: str, api: Api, database_path: Path
) -> None:
    await add_contacts(api, contacts)
    await trail(api, 2)
    values = f"(account_id, person_id, event_id, salt, details) VALUES ('{api.account_id}', {stray}, x'00', '{{}}')"
    at_the_database(database_path, f"INSERT INTO audit_personal {values}")

    (sentence,) = breaks(await verified(api))

    assert f"the personal part of {stray.split(chr(39))[1]} was put into event" in sentence


@pytest.mark.usefixtures("small_parts")
async def test_a_part_ends_wherever_somebody_put_an_event(api: Api, database_path: Path) -> None:
    """Ids of our own are short and ASCII; a page that ends with another one goes on all the same."""
    await trail(api, 1)
    for event_id in ("\u00e4:1", "x" * 600, '"{'):
        at_the_database(
            database_path,
            "INSERT INTO audit_event (account_id, event_id, happened_at, kind, operation, access_key_id, user_id, "
            "source_address, request_id, targets, details, personal_digests, times) "
            f"VALUES ('{api.account_id}', '{event_id}', 0, 'change', '', '', '', '', '', '[]', '[]', '{{}}', 1)",
        )

    parts = await verified(api)

    assert sum(part["Unsealed"] for part in parts) == 3


@pytest.mark.usefixtures("small_parts")
async def test_heads_that_were_noted_are_compared_wherever_they_stand(api: Api, database_path: Path) -> None:
    await trail(api, 7)
    heads = [f"{part['Head']['Sequence']}:{part['Head']['Hash']}" for part in await verified(api)]
    assert not breaks(await verified(api, Heads=sorted(set(heads))))

    forged = [f"{sequence}:{'ab' * 32}" for sequence in (1, 3, 5, 8)]
    told = breaks(await verified(api, Heads=forged))

    assert sorted(sentence.split(" has")[0] for sentence in told) == [
        "sequence 1",
        "sequence 3",
        "sequence 5",
        "sequence 8",
    ]


async def test_a_head_behind_the_end_shows_that_the_trail_was_cut(api: Api) -> None:
    await trail(api, 2)

    (answer,) = await verified(api, Heads=[f"9:{'ab' * 32}"])

    assert answer["Breaks"] == ["the head noted, sequence 9, is not there: the chain was cut or made anew"]


@pytest.mark.usefixtures("small_parts")
async def test_what_retention_takes_away_between_two_parts_is_no_break(database_path: Path) -> None:
    async with open_api(database_path, {"audit_kept": timedelta(seconds=1.5)}) as api:
        await trail(api, 7)
        first = await api.call("VerifyAuditTrail", OWN)
        # The first six are due, and five of them go: two of them nobody has looked at.
        await api.service.storage.prune(api.clock.now(), Retention(audit_events=1_500))

        rest = await verified(api, NextToken=first["NextToken"])

        assert not breaks(rest)
        assert (sum(part["Events"] for part in rest), rest[-1]["Head"]["Sequence"]) == (3, 8)
        assert not breaks(await verified(api))


@pytest.mark.parametrize("kept", [timedelta(days=1095), None])
@pytest.mark.usefixtures("small_parts")
async def test_a_beginning_that_was_not_due_is_told_in_the_first_part(
    kept: timedelta | None, database_path: Path
) -> None:
    async with open_api(database_path, {"audit_kept": kept}) as api:
        await trail(api, 7)
        head = (await verified(api))[-1]["Head"]
        at_the_database(
            database_path,
            "UPDATE audit_chain SET pruned_sequence = 2, "
            "pruned_hash = (SELECT hash FROM audit_event WHERE sequence = 2)",
        )
        at_the_database(database_path, "DELETE FROM audit_event WHERE sequence <= 2")

        parts = await verified(api, Heads=[f"{head['Sequence']}:{head['Hash']}"])

        assert [part["Unbroken"] for part in parts] == [False, True, True]
        (sentence,) = breaks(parts)
        assert "the beginning is missing: sequence 1 to 2" in sentence


@pytest.mark.parametrize(
    "parameters",
    [
        {"Heads": ["12"]},
        {"Heads": [f"0:{'ab' * 32}"]},
        {"Heads": [f"1:{'ab' * 31}"]},
        {"Heads": [f"1:{'ab' * 32}"] * 101},
        {"NextToken": "nothing"},
        {"NextToken": encoded(b"12:34")},
        {"NextToken": encoded(b"[]")},
        {"NextToken": encoded(b'[5,"abc",5,"ab",0,"",null]')},
        {"NextToken": encoded(b'[9999999999999999999,"ab",5,"ab",0,"",null]')},
        {"NextToken": encoded(b'[99999999999999999999,"ab",5,"ab",0,"",null]')},
        {"NextToken": encoded(b'[5,"ab",5,"ab",0,"",["c-1"]]')},
        {"NextToken": encoded(b'[5,"ab",5,"ab",0,7,null]')},
    ],
)
async def test_it_refuses_heads_and_tokens_that_are_none(parameters: dict[str, Any], api: Api) -> None:
    status, body = await api.error("VerifyAuditTrail", OWN, **parameters)

    (name,) = parameters
    assert (status, body["Code"]) == (400, f"InvalidParameter.{name}")


async def test_who_may_read_may_verify(api: Api) -> None:
    reader = await ram_user(api, "auditor", system=["AliyunResourceDirectoryReadOnlyAccess"])
    await api.service.sealer.seal()

    assert (await reader.call("VerifyAuditTrail", OWN))["Unbroken"]
