"""How statements of many are put together for PostgreSQL."""

from __future__ import annotations

import re

from message_contacts.storage.committing import RECORDS
from message_contacts.storage.deliveries import INSERT_DELIVERY
from message_contacts.storage.engine import DECIDE_AGAIN, Step
from message_contacts.storage.postgres_grouping import arranged
from message_contacts.storage.postgres_statements import apart, can_be_grouped, grouped, holding
from tests.storage.test_statements import STATEMENTS


def test_a_query_whose_order_is_part_of_the_answer_is_asked_alone() -> None:
    assert can_be_grouped(STATEMENTS["contacts.CONTACT"])
    assert not can_be_grouped(STATEMENTS["access.ACCESS_KEYS"])


def test_a_statement_that_looks_holds_what_it_saw() -> None:
    """Without, somebody may change the row between the look and the commit."""
    for record in RECORDS.values():
        assert holding(record.rely_on).rstrip().endswith("FOR SHARE")
        form = grouped(record.rely_on, ["text"] * record.rely_on.count("$"))
        assert form is not None
        assert re.search(r"FOR SHARE OF \w+\s*$", form.sql)


def test_steps_of_many_are_arranged_in_few_runs_with_each_ones_order_kept() -> None:
    def steps(*names: str) -> list[Step]:
        return [Step(name, (name,), DECIDE_AGAIN) for name in names]

    sets = [
        steps("nonce", "contact", "count"),
        steps("nonce", "look", "contact", "count", "job"),
        steps("nonce", "job", "job"),
        steps("count", "contact"),
    ]

    runs = arranged(sets)

    assert len(runs) <= 7
    assert sorted(step.sql for run in runs for step in run) == sorted(step.sql for each in sets for step in each)
    for each in sets:
        order = [at for step in each for at, run in enumerate(runs) if any(step is other for other in run)]
        assert order == sorted(order)


def test_deliveries_to_one_address_are_added_by_statements_of_their_own_in_their_order() -> None:
    """One statement cannot change a row twice."""

    def step(address: str, number: int, message: str = "m-1", tenant: str = "1") -> Step:
        row = [message, "email", address, address, *[None] * 11, tenant, f"d-{number}", 0]
        return Step(INSERT_DELIVERY, tuple(row))

    steps = [step("a", 1), step("b", 2), step("a", 3), step("a", 4, "m-2"), step("a", 5), step("a", 6, tenant="2")]

    parts = [[each.parameters[16] for each in part] for part in apart(steps)]

    assert parts == [
        ["d-1", "d-2", "d-4", "d-6"],
        ["d-3"],
        ["d-5"],
    ]
