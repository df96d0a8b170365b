"""Both formats, read by the parsers of Prometheus' own client library."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from message_contacts.metrics import Metrics, Sample, families
from message_contacts.metrics.exposition import OPEN_METRICS, TEXT, content_type_for, render


def counted() -> list[Sample]:
    metrics = Metrics()
    metrics.request("GetThing", "OK", 0.003)
    metrics.request("GetThing", "OK", 7.0)
    metrics.request("SetThing", "InvalidName", 0.0001)
    metrics.committed(5, 0.002)
    metrics.job("email", "send", "dead", 2.0)
    odd = Sample(families.JOBS_FIRST_DUE, ("email", 'a "kind"\\ of\nwork'), 3)
    return [*metrics.numbers().samples(), odd, Sample(families.JOBS_DEAD, (), 0)]


@pytest.mark.parametrize(("content_type", "parse"), [(TEXT, parse_text), (OPEN_METRICS, parse_open_metrics)])
def test_what_was_counted_is_what_is_read(content_type, parse):
    text = render(counted(), content_type).decode()
    found = {family.name: family for family in parse(text)}
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in found.values()
        for sample in family.samples
    }

    def of(name: str, **labels: str) -> float:
        return samples[name, tuple(sorted(labels.items()))]

    assert of("message_contacts_requests_total", operation="GetThing", code="OK") == 2
    assert of("message_contacts_requests_total", operation="SetThing", code="Invalid*") == 1
    seconds = "message_contacts_request_duration_seconds"
    get = {"operation": "GetThing", "code": "OK"}
    assert [of(f"{seconds}_bucket", **get, le=bound) for bound in ("0.002", "0.005", "5.0", "+Inf")] == [0, 1, 1, 2]
    assert (of(f"{seconds}_count", **get), of(f"{seconds}_sum", **get)) == (2, 7.003)
    assert of("message_contacts_commit_group_size_sum") == 5
    assert of("message_contacts_jobs_total", channel="email", kind="send", outcome="dead") == 1
    assert of("message_contacts_jobs_first_due", channel="email", kind='a "kind"\\ of\nwork') == 3
    assert of("message_contacts_jobs_dead") == 0
    assert found["message_contacts_request_duration_seconds"].type == "histogram"
    assert found["message_contacts_requests"].type == "counter"
    assert found["message_contacts_jobs_dead"].type == "gauge"
    assert "Throttling.User" in found["message_contacts_requests"].documentation


def test_a_family_without_numbers_is_left_out():
    assert render([], TEXT) == b"\n"
    assert render([], OPEN_METRICS) == b"# EOF\n"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html", TEXT),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", TEXT),
        ("application/openmetrics-text", OPEN_METRICS),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", OPEN_METRICS),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1", OPEN_METRICS),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.9", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;version=7.0.0", TEXT),
        ("application/openmetrics-text;q=much", TEXT),
    ],
)
def test_the_format_is_the_one_that_is_asked_for(accept: str, expected: str):
    assert content_type_for(accept) == expected
