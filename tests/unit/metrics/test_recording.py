"""Counting: what is told apart, and what cannot grow without end."""

from __future__ import annotations

import orjson
import pytest

from message_contacts.metrics import Metrics, Numbers, Sample, families
from message_contacts.metrics.families import FAMILIES, Kind


def requests(metrics: Metrics) -> dict[tuple[str, ...], object]:
    return {sample.labels: sample.value for sample in metrics.numbers().samples() if sample.family is families.REQUESTS}


def value(numbers: Numbers, family: families.Family, *labels: str) -> object:
    return {(sample.family, sample.labels): sample.value for sample in numbers.samples()}[family, labels]


def test_calls_are_counted_by_operation_and_code():
    metrics = Metrics(["Throttling.User"])
    for code in ("OK", "OK", "Throttling.User"):
        metrics.request("GetThing", code, 0.003)
    assert requests(metrics) == {("GetThing", "OK"): 2, ("GetThing", "Throttling.User"): 1}


@pytest.mark.parametrize(
    ("code", "label"),
    [("InvalidStranger7", "Invalid*"), ("MissingStranger7", "Missing*"), ("Stranger7", "unknown"), ("Known", "Known")],
)
def test_a_code_that_a_caller_can_make_up_is_not_a_label(code: str, label: str):
    metrics = Metrics(["Known"])
    metrics.request("GetThing", code, 0.003)
    metrics.refused_unauthenticated(code)
    assert requests(metrics) == {("GetThing", label): 1}
    assert value(metrics.numbers(), families.UNAUTHENTICATED, label) == 1


def test_codes_and_operations_that_are_not_known_take_no_memory():
    metrics = Metrics(["Known"])
    for number in range(1000):
        metrics.request(None, f"Invalid{number}", 0.003)
        metrics.refused_unauthenticated(f"Other{number}")
    assert requests(metrics) == {("unknown", "Invalid*"): 1000}
    assert len(metrics._requests) == 0


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0, 0), (0.0005, 0), (0.0006, 1), (5.0, 12), (5.1, 13), (1e9, 13)])
def test_a_bound_belongs_to_its_bucket_and_the_last_one_has_none(seconds: float, bucket: int):
    metrics = Metrics()
    metrics.request("GetThing", "OK", seconds)
    counts, total = value(metrics.numbers(), families.REQUEST_SECONDS, "GetThing", "OK")
    assert (counts.index(1), sum(counts), total) == (bucket, 1, seconds)


def test_commits_and_jobs_are_counted():
    metrics = Metrics()
    metrics.committed(3, 0.002)
    metrics.committed(1, 0.002)
    metrics.commit_failed()
    metrics.job("email", "send", "again", 2.0)
    numbers = metrics.numbers()
    assert sum(value(numbers, families.COMMIT_SECONDS)[0]) == 2
    assert value(numbers, families.COMMIT_GROUP)[1] == 4
    assert value(numbers, families.COMMITS_FAILED) == 1
    assert value(numbers, families.JOBS, "email", "send", "again") == 1
    assert value(numbers, families.JOB_SECONDS, "email", "send")[1] == 2.0


def test_numbers_of_processes_are_added_and_of_starts_the_first_counts():
    one, other = Metrics(), Metrics()
    one.request("GetThing", "OK", 0.003)
    other.request("GetThing", "OK", 0.3)
    other.request("SetThing", "OK", 0.3)
    total = one.numbers()
    total.add(Numbers([Sample(families.PROCESS_START, (), 100.5), Sample(families.PROCESS_MEMORY, (), 5)]))
    total.add(other.numbers())
    total.add(Numbers([Sample(families.PROCESS_START, (), 99.5), Sample(families.PROCESS_MEMORY, (), 6)]))
    assert value(total, families.REQUESTS, "GetThing", "OK") == 2
    assert value(total, families.REQUESTS, "SetThing", "OK") == 1
    counts, seconds = value(total, families.REQUEST_SECONDS, "GetThing", "OK")
    assert (sum(counts), seconds) == (2, pytest.approx(0.303))
    assert value(total, families.PROCESS_START) == 99.5
    assert value(total, families.PROCESS_MEMORY) == 11


def test_numbers_that_were_written_down_are_read_again():
    metrics = Metrics()
    metrics.request("GetThing", "OK", 0.003)
    metrics.job("sms", "send", "done", 0.25)
    read = Numbers.from_plain(orjson.loads(orjson.dumps(metrics.numbers().plain())))
    assert sorted(map(repr, read.plain())) == sorted(map(repr, metrics.numbers().plain()))


def test_numbers_of_a_family_that_is_not_known_are_left_out():
    assert Numbers.from_plain([["of_a_newer_release", [], 4]]).plain() == []


def test_what_outlives_a_process_is_what_only_rises():
    numbers = Numbers([Sample(families.PROCESS_MEMORY, (), 5), Sample(families.PROCESS_CPU, (), 1.5)])
    assert [sample.family for sample in numbers.without_gauges().samples()] == [families.PROCESS_CPU]


def test_every_family_is_told_and_named_by_the_conventions():
    declared = {value for value in vars(families).values() if isinstance(value, families.Family)}
    assert declared == set(FAMILIES)
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        assert not family.name.endswith("_total")
        assert family.doc.endswith(".")
        assert bool(family.bounds) == (family.kind is Kind.HISTOGRAM)
        assert list(family.bounds) == sorted(family.bounds)
