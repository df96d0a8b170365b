from __future__ import annotations

from message_contacts.delivery.line import Line
from tests.storage.making import after as moment
from tests.storage.making import make_job

UNTIL = moment(500)


def of(tenant: str, number: int):
    return make_job(number, account_id=tenant)


def begun(line: Line, times: int) -> list[str]:
    found = []
    for _ in range(times):
        claimed = line.begin()
        found.append("" if claimed is None else f"{claimed[0].account_id}{int(claimed[0].job_id[2:])}")
    return found


def test_tenants_have_their_turn_and_each_ones_jobs_their_order():
    line = Line(share=9)
    for number in range(3):
        line.put(of("a", number), UNTIL)
    line.put(of("b", 0), UNTIL)
    line.put(of("c", 0), UNTIL)
    line.put(of("c", 1), UNTIL)

    assert begun(line, 7) == ["a0", "b0", "c0", "a1", "c1", "a2", ""]
    assert len(line) == 0


def test_one_tenant_has_no_more_at_once_than_its_share():
    line = Line(share=2)
    for number in range(4):
        line.put(of("a", number), UNTIL)
    assert begun(line, 3) == ["a0", "a1", ""]
    line.put(of("b", 0), UNTIL)
    assert begun(line, 2) == ["b0", ""]

    line.end(of("a", 0))

    assert begun(line, 2) == ["a2", ""]
    assert len(line) == 1


def test_whoever_has_something_that_waits_or_is_being_done_is_a_tenant_of_the_line():
    line = Line(share=2)
    line.put(of("a", 0), UNTIL)
    line.put(of("b", 0), UNTIL)
    assert set(line.tenants()) == {"a", "b"}

    claimed = line.begin()
    assert claimed == (of("a", 0), UNTIL)
    assert set(line.tenants()) == {"a", "b"}
    line.end(claimed[0])

    assert set(line.tenants()) == {"b"}
